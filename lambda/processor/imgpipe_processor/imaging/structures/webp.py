"""WebP: the chunks of "WebP Container Specification" (RFC 9649)."""

from __future__ import annotations

import struct

from .structure import Structure, corrupt, refuse_empty_end

_HEADER = 12  # RIFF, its length, WEBP
_LOSSLESS = 0x2F
_PICTURES = frozenset({b"VP8 ", b"VP8L"})

# Data of one colour may end in zeros: in some of little, and in a sixteenth of much, measured.
_EMPTY_BYTES = 1_024
_EMPTY_SHARE = 8

# Beside frames: a file has a handful.
MAX_OTHER_CHUNKS = 1_000

# libwebp holds a canvas for the frame and one for the picture, and Pillow a copy of it and the image.
PIXEL_BYTES = 17


def is_webp(data: bytes) -> bool:
    """Whether the file begins like a WebP."""
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def read_webp(data: bytes, max_frames: int) -> Structure:
    """Follow the chunks to the end, or until there are more frames than allowed.

    Raises:
        ImageRejectedError: a chunk is cut off, or there is no picture.
    """
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        corrupt("the WebP is cut off")
    size, position, frames, pictures, others = None, _HEADER, 0, 0, 0
    while position + 8 <= end and frames <= max_frames:
        kind, length = struct.unpack_from("<4sI", data, position)
        start = position + 8
        if start + length > end:
            corrupt("the WebP is cut off")
        frames += kind == b"ANMF"
        others += kind != b"ANMF"
        if others > MAX_OTHER_CHUNKS:
            corrupt("the WebP has too many chunks")
        pictures += kind in _PICTURES
        if kind in _PICTURES or kind == b"ANMF":
            refuse_empty_end(data, start + length, max(_EMPTY_BYTES, length // _EMPTY_SHARE))
        size = size or _size(kind, data, start)
        position = start + length + length % 2
    if size is None or not (frames or pictures):
        corrupt("the WebP holds no picture")
    width, height = size
    # The decoder holds the source once more, and what is written about the picture apart from it.
    return Structure("WEBP", width, height, PIXEL_BYTES * width * height + 2 * len(data), max(1, frames))


def _size(kind: bytes, data: bytes, start: int) -> tuple[int, int] | None:
    """The canvas, from the first chunk that tells of it."""
    if kind == b"VP8X":
        width, height = data[start + 4 : start + 7], data[start + 7 : start + 10]
        return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, start + 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and data[start] == _LOSSLESS:
        (bits,) = struct.unpack_from("<I", data, start + 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None
