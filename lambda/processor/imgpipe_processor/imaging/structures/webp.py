"""WebP: the chunks of "WebP Container Specification" (RFC 9649, section 2).

The decoders reject a whole file because of one misplaced chunk. If a file has other chunks than those of its image, or
wrong lengths or flags, the decoders read a rebuilt file of the chunks of the image only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .structure import Piece, Structure, corrupt, join_pieces, reject_empty_end

_HEADER = 12  # RIFF, its length, WEBP
_LOSSLESS = 0x2F
_IMAGES = frozenset({b"VP8 ", b"VP8L"})
_HEADER_CHUNKS = frozenset({b"VP8X", b"ALPH", b"ANIM"})  # without meaning after the image
_BEFORE, _AFTER = (b"ICCP",), (b"EXIF", b"XMP ")

# Flags of VP8X (section 2.7.1): those of profile, EXIF and XMP are kept unchanged.
_ABOUT, _ALPHA, _ANIMATION = 0b101100, 0b010000, 0b000010
_EXTENDED_BYTES, _SIDE_BYTES = 10, 3
_CONTROL_BYTES = 6  # of an animation

# Of a frame: its position and size, its duration and flags (section 2.7.1.1).
_FRAME_BYTES = 16
_CLEARED = 1  # after it was shown

# Data of one colour may end in zeros: measured in some small data, and in a sixteenth of large data.
_EMPTY_BYTES = 1_024
_EMPTY_SHARE = 8

# Chunks that are not frames: a file has a handful.
MAX_OTHER_CHUNKS = 1_000

# libwebp allocates a canvas for the frame and one for the image, and Pillow a copy of it and the image.
PIXEL_BYTES = 17


class _Chunk(NamedTuple):
    """A whole chunk: its type, and where its data begin and end."""

    kind: bytes
    start: int
    end: int

    def pieces(self, data: bytes) -> list[Piece]:
        """Return the whole chunk, padded to an even length."""
        odd = (self.end - self.start) % 2
        padding: list[Piece] = [b"\0"] if odd and self.end >= len(data) else []
        return [(self.start - 8, min(self.end + odd, len(data))), *padding]


def is_webp(data: bytes) -> bool:
    """Return True if the file begins like a WebP."""
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def read_webp(data: bytes, max_frames: int) -> Structure:
    """Read the chunks to the end, to the first damage after the image, or until the file has too many frames.

    Raises:
        ImageRejectedError: the file contains no image, or the image or a chunk before it is cut off.
    """
    once: dict[bytes, _Chunk] = {}
    frames: list[_Chunk] = []
    image = None
    for each in _chunks(data):
        if each.kind == b"VP8X" and each.end - each.start < _EXTENDED_BYTES:
            continue
        if each.kind == b"ANMF" and image is None:
            if frames and not _is_whole_frame(data, each, _canvas(data, once, frames[0])):
                break
            frames.append(each)
        elif each.kind in _IMAGES and not frames:
            image = image or each
        if each.kind not in _HEADER_CHUNKS or not (image or frames):
            once.setdefault(each.kind, each)
        if len(frames) > max_frames:
            break
    shown = image or next(iter(frames), None)
    size = None if shown is None else _canvas(data, once, shown)
    if shown is None or size is None:
        corrupt("the WebP contains no image")
    reject_empty_end(data, shown.end, _min_zeros(shown))
    width, height = size
    animation = None
    if image is None:
        animation = tuple(_animation(data, once, frames, size))
        decodable: bytes | None = join_pieces(data, _animation(data, once, frames[:1], size))
    else:
        decodable = _still(data, once, image, size)
    # The decoder keeps a copy of the source, and a separate copy of its metadata.
    decoded_bytes = PIXEL_BYTES * width * height + 2 * len(data)
    return Structure(
        "WEBP", width, height, decoded_bytes, max(1, len(frames)), decodable=decodable, animation=animation
    )


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield every whole chunk up to the end that the file declares, or up to its real end before the image."""
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    position, others, has_image = _HEADER, 0, False
    while position + 8 <= (min(end, len(data)) if has_image else len(data)):
        kind, length = struct.unpack_from("<4sI", data, position)
        start = position + 8
        others += kind != b"ANMF"
        if start + length > len(data) or others > MAX_OTHER_CHUNKS:
            if has_image:
                return
            corrupt("the WebP has too many chunks" if others > MAX_OTHER_CHUNKS else "the WebP is truncated")
        yield _Chunk(kind, start, start + length)
        has_image = has_image or kind == b"ANMF" or kind in _IMAGES
        position = start + length + length % 2


def _canvas(data: bytes, once: dict[bytes, _Chunk], shown: _Chunk) -> tuple[int, int] | None:
    """Return the size of the image: its own, or that of the canvas if the first frame does not extend beyond it."""
    start = shown.start
    if shown.kind == b"ANMF":
        left, top, across, down = _frame_box(data, shown)
        width, height = _declared_size(data, once[b"VP8X"]) if b"VP8X" in once else (0, 0)
        return max(width, left + across), max(height, top + down)
    if shown.kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, start + 6)
        return width & 0x3FFF, height & 0x3FFF
    if data[start] == _LOSSLESS:
        (bits,) = struct.unpack_from("<I", data, start + 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def _declared_size(data: bytes, header: _Chunk) -> tuple[int, int]:
    width, height = data[header.start + 4 : header.start + 7], data[header.start + 7 : header.start + 10]
    return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1


def _min_zeros(image: _Chunk) -> int:
    """Return the number of zeros at the end of data that were never written."""
    return max(_EMPTY_BYTES, (image.end - image.start) // _EMPTY_SHARE)


def _still(data: bytes, once: dict[bytes, _Chunk], image: _Chunk, size: tuple[int, int]) -> bytes | None:
    """Return a file of this image; None if the file contains nothing else."""
    if b"VP8X" not in once:
        pieces = image.pieces(data)
    else:
        alpha = [once[b"ALPH"]] if b"ALPH" in once and image.kind == b"VP8 " else []
        flags = data[once[b"VP8X"].start] & (_ABOUT | _ALPHA) | _ALPHA * _has_alpha(data, image)
        pieces = [piece for each in [*alpha, image] for piece in each.pieces(data)]
        pieces = _extended(data, once, size, flags, pieces)
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end <= len(data) and _are_contiguous(pieces, end):
        return None
    return join_pieces(data, _riff(pieces))


def _animation(data: bytes, once: dict[bytes, _Chunk], frames: Sequence[_Chunk], size: tuple[int, int]) -> list[Piece]:
    """Return a file of these frames.

    Pixels that no frame has drawn are transparent. The decoder shows them in black if the flags of the file declare
    that nothing is transparent.
    """
    named = data[once[b"VP8X"].start] & (_ABOUT | _ALPHA) if b"VP8X" in once else 0
    has_transparency = not _covers(data, frames[0], size) or any(
        _has_alpha(data, each) or (len(frames) > 1 and data[each.start + _FRAME_BYTES - 1] & _CLEARED)
        for each in frames
    )
    control = once.get(b"ANIM")
    sound = control is not None and control.end - control.start == _CONTROL_BYTES
    pieces = control.pieces(data) if control is not None and sound else [_chunk(b"ANIM", bytes(_CONTROL_BYTES))]
    pieces += [piece for each in frames for piece in each.pieces(data)]
    return _riff(_extended(data, once, size, named | _ANIMATION | _ALPHA * has_transparency, pieces))


def _extended(
    data: bytes, once: dict[bytes, _Chunk], size: tuple[int, int], flags: int, pieces: Sequence[Piece]
) -> list[Piece]:
    """Return the pieces of an image with the metadata chunks before and after it."""
    width, height = ((side - 1).to_bytes(_SIDE_BYTES, "little") for side in size)
    values = bytes((flags,)) + bytes(3) + width + height
    header = once.get(b"VP8X")
    before, after = ([once[kind] for kind in kinds if kind in once] for kinds in (_BEFORE, _AFTER))
    return [
        *(header.pieces(data) if header and data[header.start : header.end] == values else [_chunk(b"VP8X", values)]),
        *(piece for each in before for piece in each.pieces(data)),
        *pieces,
        *(piece for each in after for piece in each.pieces(data)),
    ]


def _riff(pieces: Sequence[Piece]) -> list[Piece]:
    size = 4 + sum(len(piece) if isinstance(piece, bytes) else piece[1] - piece[0] for piece in pieces)
    return [b"RIFF" + struct.pack("<I", size) + b"WEBP", *pieces]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data


def _are_contiguous(pieces: Sequence[Piece], end: int) -> bool:
    """Return True if these pieces follow each other, from the header to the end."""
    position = _HEADER
    for piece in pieces:
        if isinstance(piece, bytes) or piece[0] != position:
            return False
        position = piece[1]
    return position == end


def _is_whole_frame(data: bytes, frame: _Chunk, canvas: tuple[int, int] | None) -> bool:
    """Return True if a later frame is inside the canvas and contains an image, according to its chunks."""
    if canvas is None or frame.end - frame.start < _FRAME_BYTES + 8:
        return False
    left, top, width, height = _frame_box(data, frame)
    image = _image_chunk(data, frame)
    return (
        left + width <= canvas[0]
        and top + height <= canvas[1]
        and image is not None
        and not data.endswith(bytes(_min_zeros(frame)), 0, frame.end)
    )


def _covers(data: bytes, frame: _Chunk, size: tuple[int, int]) -> bool:
    return _frame_box(data, frame) == (0, 0, *size)


def _frame_box(data: bytes, frame: _Chunk) -> tuple[int, int, int, int]:
    left, top, width, height = (
        int.from_bytes(data[at : at + 3], "little") for at in range(frame.start, frame.start + 12, 3)
    )
    return 2 * left, 2 * top, width + 1, height + 1


def _image_chunk(data: bytes, frame: _Chunk) -> _Chunk | None:
    """Return the first chunk of a frame, which is its alpha or its image, if it is whole."""
    start = frame.start + _FRAME_BYTES
    kind, length = data[start : start + 4], int.from_bytes(data[start + 4 : start + 8], "little")
    if kind not in {b"ALPH", *_IMAGES} or start + 8 + length > frame.end:
        return None
    return _Chunk(kind, start + 8, start + 8 + length)


def _has_alpha(data: bytes, image: _Chunk) -> bool:
    """Return True if the image or the frame declares transparency (section 3.4 for the lossless format)."""
    inner = _image_chunk(data, image) if image.kind == b"ANMF" else image
    if inner is None or inner.kind == b"VP8 ":
        return False
    return inner.kind == b"ALPH" or bool(int.from_bytes(data[inner.start + 4 : inner.start + 5]) >> 4 & 1)
