"""JPEG: the markers of ITU-T T.81, annex B."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from .structure import Structure, corrupt, refuse_exif_beyond, refuse_profile_beyond, too_large, unsupported

SIGNATURE = b"\xff\xd8\xff"
_START = b"\xff\xd8"
_END = b"\xff\xd9"

# A marker; not a stuffed or a fill byte, nor one of the restart markers that entropy-coded data holds.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_EOI, _SOS, _APP1, _APP2 = 0xD9, 0xDA, 0xE1, 0xE2
_STANDALONE = frozenset({0x01, 0xD8})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # DHT, JPG and DAC lie in between
_SEQUENTIAL = frozenset({0xC0, 0xC1, 0xC9})
_PROGRESSIVE = frozenset({0xC2, 0xCA})
_ARITHMETIC = frozenset({0xC9, 0xCA})

# Every pass goes over the whole image however few bytes it has. libjpeg's own progressive script has 10; a tool for
# the smallest files may choose a few dozen. Endless ones are an attack.
MAX_PASSES = 64

# Cameras write a few dozen; a profile in pieces of 64 KB some more.
MAX_SEGMENTS = 2_000

# Before a marker there may be any number of fill bytes, which decoders skip one by one; encoders write none or a few.
MAX_FILL_BYTES = 1_024

# What comes before the pixels usually has less, even with a small picture and a profile in it.
_USUAL_HEAD_BYTES = 2**20
_EXIF, _PROFILE = b"Exif\0\0", b"ICC_PROFILE\0"

# What a decoder takes for pixels, if it still waits for some, or for the next of the restart markers.
_PIXELS = bytes(range(1, 255)) * 2
_MORE = _PIXELS + b"".join(bytes((0xFF, marker)) + _PIXELS for marker in range(0xD0, 0xD8))

# Bytes of a pixel: what is kept of one of several passes for every component, and of what only streams through.
_COEFFICIENT_BYTES = 2
_STREAMED_BYTES = 0.1


def read_jpeg(data: bytes, _max_frames: int) -> Structure:
    """Follow the markers to the end of the image; what comes after it (more pictures, trailers) is not looked at.

    Raises:
        ImageRejectedError: there is no end, no frame or no scan, or more passes than anybody needs.
    """
    passes, head_bytes, frame = 0, 0, None
    about = _About()
    for marker, position in _segments(data):
        about.add(marker, data, position)
        if marker in _FRAMES:
            if frame is not None:
                corrupt("the JPEG has two frames")
            frame = _frame(marker, data, position)
        elif marker == _SOS:
            passes += 1
            head_bytes = head_bytes or position
            if passes > MAX_PASSES:
                too_large(f"the JPEG is coded in more than {MAX_PASSES} passes; save it again")
            if frame is None:
                corrupt("the JPEG has data before its frame")
            if frame.is_whole_in(data[position + 2]) and data.endswith(_END):
                break  # the only pass, and the file ends as it should: spares the search through its data
    if frame is None or not passes:
        corrupt("the JPEG holds no picture")
    # The decoder keeps every segment, and puts those of EXIF and of the profile together.
    kept_bytes = 2 * head_bytes if head_bytes > _USUAL_HEAD_BYTES else 0
    return Structure("JPEG", frame.width, frame.height, frame.decoded_bytes(passes) + kept_bytes)


def prolonged(data: bytes) -> bytes | None:
    """The JPEG with more data before its end, which mean nothing if it was whole; None where they might mean something.

    Raises:
        ImageRejectedError: there is no end.
    """
    for marker, position in _segments(data):
        if marker in _ARITHMETIC:  # zeros at the end of its data need not be written, and others mean something
            return None
        if marker == _EOI:
            end = position - len(_END)
    return b"".join((memoryview(data)[:end], _MORE, _END))


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Every marker up to the end of the image, and where its parameters begin."""
    position, furthest = len(_START), len(_START) + MAX_FILL_BYTES
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, position, furthest)
        if found is None:
            corrupt("the end of the JPEG is missing" if furthest >= len(data) else "a JPEG marker is missing")
        marker, position = data[found.end() - 1], found.end()
        if marker in _STANDALONE:
            corrupt("a JPEG marker is out of place")
        yield marker, position
        if marker == _EOI:
            return
        (length,) = struct.unpack_from(">H", data, position)
        position += length
        furthest = len(data) if marker == _SOS else position + MAX_FILL_BYTES
    corrupt("the JPEG has too many segments")


class _About:
    """What is told about the picture, in any number of segments."""

    def __init__(self) -> None:
        self._exif_bytes = self._profile_bytes = 0

    def add(self, marker: int, data: bytes, position: int) -> None:
        """Count a segment in.

        Raises:
            ImageRejectedError: there is more than anybody needs.
        """
        if marker == _APP1 and data.startswith(_EXIF, position + 2):
            self._exif_bytes += int.from_bytes(data[position : position + 2])
            refuse_exif_beyond(self._exif_bytes)
        if marker == _APP2 and data.startswith(_PROFILE, position + 2):
            self._profile_bytes += int.from_bytes(data[position : position + 2])
            refuse_profile_beyond(self._profile_bytes)


class _Frame:
    """The frame header: size, and components with their sampling factors (T.81, B.2.2)."""

    def __init__(self, marker: int, height: int, width: int, samplings: list[tuple[int, int]]) -> None:
        self.progressive = marker in _PROGRESSIVE
        self.width, self.height, self.samplings = width, height, samplings

    def is_whole_in(self, components: int) -> bool:
        """Whether a scan of so many components is all there is of the picture."""
        return not self.progressive and components == len(self.samplings)

    def decoded_bytes(self, passes: int) -> float:
        """A picture of one pass streams through the decoder, and is shrunk on its way; of others all is kept."""
        pixels = self.width * self.height
        if passes == 1 and not self.progressive:
            return _STREAMED_BYTES * pixels
        widest = max(horizontal for horizontal, _ in self.samplings)
        highest = max(vertical for _, vertical in self.samplings)
        shares = sum(horizontal * vertical for horizontal, vertical in self.samplings) / (widest * highest)
        return (_COEFFICIENT_BYTES * shares + _STREAMED_BYTES) * pixels


def _frame(marker: int, data: bytes, position: int) -> _Frame:
    if marker not in _SEQUENTIAL | _PROGRESSIVE:
        unsupported("the JPEG is lossless or hierarchical, which is not supported; save it as a usual one")
    precision, height, width, components = struct.unpack_from(">BHHB", data, position + 2)
    if precision != 8:  # noqa: PLR2004  bits per sample: what Pillow decodes
        unsupported(f"the JPEG has {precision} bits per sample; expected 8")
    if not height and width and components:
        unsupported("the JPEG tells its height only after its pixels (DNL), which is not supported; save it again")
    if not (height and width and components):
        corrupt("the JPEG's size is zero")
    samplings = []
    for index in range(components):
        factors = data[position + 9 + 3 * index]
        horizontal, vertical = factors >> 4, factors & 15
        if not (1 <= horizontal <= 4 and 1 <= vertical <= 4):  # noqa: PLR2004  T.81, table B.2
            corrupt("the JPEG's sampling is impossible")
        samplings.append((horizontal, vertical))
    return _Frame(marker, height, width, samplings)
