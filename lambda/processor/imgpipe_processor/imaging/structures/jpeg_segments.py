"""JPEG: the segments before the pixels, without those that the decoder fails on or reads differently than libjpeg.

The metadata of the image are in separate segments, whose formats are those of JFIF 1.02, EXIF 2.32, ICC.1:2022 (annex
B.4), and Adobe's technical note 5116. Pillow expects these formats, and rejects a file because of some others; libjpeg
ignores segments that are too short.
"""

from __future__ import annotations

from .structure import Piece, join_pieces, reject_large_exif, reject_large_profile, unsupported

START, END = b"\xff\xd8", b"\xff\xd9"
SOS = 0xDA
_APP0, _APP1, _APP2, _APP13, _APP14 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE

# The names at the start of segments, and the least bytes of these segments.
_JFIF, _EXIF, _XMP, _PROFILE, _ADOBE = (
    b"JFIF",
    b"Exif\0\0",
    b"http://ns.adobe.com/xap/1.0/\0",
    b"ICC_PROFILE\0",
    b"Adobe",
)
_JFIF_BYTES, _PROFILE_BYTES, _ADOBE_BYTES = 14, 14, 12
_RESOURCE, _RESOURCE_BYTES = b"8BIM", 6  # of Photoshop: a name and a number, before more bytes

_NAMED = {_APP0: (_JFIF,), _APP1: (_EXIF, _XMP), _APP2: (_PROFILE,), _APP14: (_ADOBE,)}
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # without DHT, JPG and DAC
_TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDD})  # DHT, DAC, DQT, DRI

# Markers that decoders know, also of segments that they skip (APPn, COM, DNL).
_KNOWN = FRAMES | _TABLES | frozenset(range(0xE0, 0xF0)) | {0xDC, 0xFE}
_OTHER_KINDS = frozenset({0xF7, 0xDE})  # frames of JPEG-LS, and of hierarchical ones


class HeaderSegments:
    """The segments before the first scan.

    Args:
        data: the file.
    """

    def __init__(self, data: bytes) -> None:
        self.size = 0
        self._data = data
        self._is_odd = False
        self._kept: list[Piece] = []
        self._frame: list[Piece] = []
        self._exif_bytes = self._profile_bytes = 0

    def add(self, marker: int, position: int) -> None:
        """Add a segment; segments after the beginning of the first scan are ignored.

        Raises:
            ImageRejectedError: the segments contain more EXIF or profile than the limits, or the file is another kind
                of JPEG.
        """
        if self.size or marker == SOS:
            self.size = self.size or position - 2
            return
        if marker in _OTHER_KINDS and not self._frame:
            unsupported("the JPEG is lossless or hierarchical, which is not supported; save it as a baseline JPEG")
        length = int.from_bytes(self._data[position : position + 2])
        piece = position - 2, position + length
        start, size = position + 2, length - 2
        name = next((each for each in _NAMED.get(marker, ()) if self._data.startswith(each, start)), None)
        self._count(name, length)
        if marker in FRAMES:
            self._frame.append(piece)
        elif marker not in _KNOWN or size < 0 or self._is_misread(marker, name, start, size):
            self._is_odd = True
        elif marker in _TABLES or name is not None:
            self._kept.append(piece)
            self._is_odd = self._is_odd or (name == _PROFILE and bool(self._frame))  # not read there

    def decodable(self, cut_at: int | None) -> bytes | None:
        """Return the file without odd segments; None if there are none.

        Args:
            cut_at: where the end of the image is missing; None if it is not.
        """
        if not self._is_odd and cut_at is None:
            return None
        head = [*self._kept, *self._frame] if self._is_odd else [(len(START), self.size)]
        end = [(self.size, len(self._data))] if cut_at is None else [(self.size, cut_at), END]
        return join_pieces(self._data, [START, *head, *end])

    def _count(self, name: bytes | None, length: int) -> None:
        if name == _EXIF:
            self._exif_bytes += length
            reject_large_exif(self._exif_bytes)
        if name == _PROFILE:
            self._profile_bytes += length
            reject_large_profile(self._profile_bytes)

    def _is_misread(self, marker: int, name: bytes | None, start: int, size: int) -> bool:
        """Return True if Pillow fails on the segment, or reads it differently than libjpeg."""
        if name == _JFIF:
            return size < _JFIF_BYTES or self._data[start + len(_JFIF)] != 0
        least_bytes = {_PROFILE: _PROFILE_BYTES, _ADOBE: _ADOBE_BYTES}.get(name or b"", 0)
        ends_in_resource = marker == _APP13 and self._data.startswith(_RESOURCE, start + size - _RESOURCE_BYTES)
        return size < least_bytes or ends_in_resource
