"""PNG: the chunks of "Portable Network Graphics (PNG) Specification, Third Edition", section 5."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from .structure import Structure, corrupt, unsupported

SIGNATURE = b"\x89PNG\r\n\x1a\n"

# A chunk of image data has some kilobytes; so many fit the largest file.
MAX_CHUNKS = 50_000

# Bytes that Pillow keeps of a pixel, by colour type: it has three channels in four bytes.
_PIXEL_BYTES = {0: 1, 2: 4, 3: 1, 4: 4, 6: 4}
_GREY = 0
_DEEP = 16  # bits per sample


def read_png(data: bytes, _max_frames: int) -> Structure:
    """Follow the chunks to the last, with their checksums.

    Raises:
        ImageRejectedError: a chunk is missing, cut off or damaged.
    """
    if data[12:16] == b"CgBI":
        unsupported("the PNG is in Apple's own variant (CgBI), which only its tools read")
    if data[12:16] != b"IHDR":
        corrupt("the PNG has no header")
    frames, exif, colours, has_pixels = 1, None, None, False
    for kind, start, end in _chunks(data):
        if kind == b"acTL" and end - start >= 4:  # noqa: PLR2004  the number of frames comes first
            frames = max(1, struct.unpack_from(">I", data, start)[0])
        elif kind == b"eXIf":
            exif = data[start:end]
        elif kind == b"cICP":
            colours = struct.unpack_from(">BB", data, start)
        has_pixels = has_pixels or kind == b"IDAT"
    if not has_pixels:
        corrupt("the PNG holds no picture")
    width, height, depth, colour_type = struct.unpack_from(">IIBB", data, 16)
    if not (width and height and colour_type in _PIXEL_BYTES):
        corrupt("the PNG's header makes no sense")
    pixel_bytes = 2 if colour_type == _GREY and depth == _DEEP else _PIXEL_BYTES[colour_type]
    # A decoder holds two rows beside the image, and hardly any image has just one.
    return Structure("PNG", width, height, (pixel_bytes + 0.1) * width * height, frames, exif, colours)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The type of every chunk, and where its data begin and end; there is a last one, and all are sound."""
    view, position = memoryview(data), len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        length, kind = struct.unpack_from(">I4s", data, position)
        start = position + 8
        end = start + length
        if end + 4 > len(data):
            corrupt("the PNG is cut off")
        (checksum,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(view[position + 4 : end]) != checksum:
            corrupt("a checksum of the PNG is wrong")
        if kind == b"IEND":
            return
        yield kind, start, end
        position = end + 4
    corrupt("the PNG has too many chunks")
