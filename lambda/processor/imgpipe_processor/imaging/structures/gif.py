"""GIF: the blocks of "Graphics Interchange Format, Version 89a"."""

from __future__ import annotations

import struct

from .structure import Structure, corrupt

SIGNATURES = (b"GIF87a", b"GIF89a")

_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
_HAS_PALETTE = 0x80


def read_gif(data: bytes, max_frames: int) -> Structure:
    """Follow the blocks to the trailer, or until there are more frames than allowed.

    The size is that of the logical screen, which every frame is drawn on.

    Raises:
        ImageRejectedError: a block is cut off, or there is no picture.
    """
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    position, frames = 13 + _palette_bytes(flags), 0
    while frames <= max_frames:
        block = data[position]
        if block == _TRAILER:
            break
        if block == _EXTENSION:
            position = _after_parts(data, position + 2)
        elif block == _IMAGE:
            frames += 1
            position = _after_parts(data, position + 11 + _palette_bytes(data[position + 9]))
        else:
            corrupt("a block of the GIF is unknown")
    if not (frames and width and height):
        corrupt("the GIF holds no picture")
    # Frames after the first are put together in full colour from the one before and their own pixels.
    pixel_bytes = 2 if frames == 1 else 13
    return Structure("GIF", width, height, pixel_bytes * width * height, frames)


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & _HAS_PALETTE else 0


def _after_parts(data: bytes, position: int) -> int:
    """Where the parts of a block end: each begins with its length, the last has none."""
    while length := data[position]:
        position += 1 + length
    return position + 1
