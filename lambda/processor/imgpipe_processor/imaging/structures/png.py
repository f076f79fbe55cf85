"""PNG: the chunks of "Portable Network Graphics (PNG) Specification, Third Edition", section 5."""

from __future__ import annotations

import struct
import zlib

from .structure import Structure, corrupt, unsupported

SIGNATURE = b"\x89PNG\r\n\x1a\n"

# A chunk of image data has some kilobytes; so many fit the largest file.
MAX_CHUNKS = 50_000

_AROUND = 12  # length, type and checksum of a chunk

# Bytes that Pillow keeps of a pixel, by colour type: it has three channels in four bytes.
_PIXEL_BYTES = {0: 1, 2: 4, 3: 1, 4: 4, 6: 4}
_GREY = 0
_DEEP = 16  # bits per sample


def read_png(data: bytes, _max_frames: int) -> Structure:
    """Follow the chunks to the last, with their checksums.

    Raises:
        ImageRejectedError: a chunk is missing, cut off or damaged.
    """
    view, position, frames, has_pixels = memoryview(data), len(SIGNATURE), 1, False
    if data[12:16] == b"CgBI":
        unsupported("the PNG is in Apple's own variant (CgBI), which only its tools read")
    if data[12:16] != b"IHDR":
        corrupt("the PNG has no header")
    for _ in range(MAX_CHUNKS):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + _AROUND + length
        if end > len(data):
            corrupt("the PNG is cut off")
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(view[position + 4 : end - 4]) != checksum:
            corrupt("a checksum of the PNG is wrong")
        if kind == b"IEND":
            break
        if kind == b"acTL" and length >= 4:  # noqa: PLR2004  the number of frames comes first
            frames = max(1, struct.unpack_from(">I", data, position + 8)[0])
        has_pixels = has_pixels or kind == b"IDAT"
        position = end
    else:
        corrupt("the PNG has too many chunks")
    if not has_pixels:
        corrupt("the PNG holds no picture")
    width, height, depth, colour_type = struct.unpack_from(">IIBB", data, 16)
    if not (width and height and colour_type in _PIXEL_BYTES):
        corrupt("the PNG's header makes no sense")
    pixel_bytes = 2 if colour_type == _GREY and depth == _DEEP else _PIXEL_BYTES[colour_type]
    # A decoder holds two rows beside the image, and hardly any image has just one.
    return Structure("PNG", width, height, (pixel_bytes + 0.1) * width * height, frames)
