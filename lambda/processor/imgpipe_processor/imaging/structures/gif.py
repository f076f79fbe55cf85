"""GIF: the blocks of "Graphics Interchange Format, Version 89a"."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .structure import Structure, corrupt

SIGNATURES = (b"GIF87a", b"GIF89a")

IMAGE, EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
END = bytes((_TRAILER,))
_HAS_PALETTE = 0x80

# Decoders go over extensions one by one, and over their parts, of which each has up to 255 bytes. Frames have one or
# two of one part, and what is written about a picture has some thousand parts.
MAX_EXTENSIONS = 100_000
MAX_PARTS_OF_EXTENSION = 50_000
_COPIES_OF_EXTENSIONS = 3


def read_gif(data: bytes, max_frames: int) -> Structure:
    """Follow the blocks to the trailer, or until there are more frames than allowed.

    The size is that of the logical screen, or of what the frames draw beyond it.

    Raises:
        ImageRejectedError: a block is cut off, or there is no picture.
    """
    screen = struct.unpack_from("<HH", data, 6)
    width, height = screen
    frames, extensions, extension_bytes, covers = 0, 0, 0, True
    for kind, start, end in blocks(data):
        if kind == EXTENSION:
            extensions, extension_bytes = extensions + 1, extension_bytes + end - start
        if extensions > MAX_EXTENSIONS:
            corrupt("the GIF has too many extensions")
        if kind == IMAGE:
            left, top, across, down = struct.unpack_from("<4H", data, start + 1)
            covers = covers and (frames > 0 or (left, top, across, down) == (0, 0, *screen))
            width, height, frames = max(width, left + across), max(height, top + down), frames + 1
        if frames > max_frames:
            break
    if not (frames and width and height):
        corrupt("the GIF holds no picture")
    # A first frame that is not the whole picture is put on it in full colour.
    pixel_bytes = 1.1 if covers else 13
    decoded_bytes = pixel_bytes * width * height + _COPIES_OF_EXTENSIONS * extension_bytes
    return Structure("GIF", width, height, decoded_bytes, frames)


def blocks(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The kind of every block up to the trailer, and where it begins and ends.

    Raises:
        ImageRejectedError: a block is of no kind that there is, or an extension has too many parts.
    """
    start = first_block(data)
    while (kind := data[start]) != _TRAILER:
        if kind == EXTENSION:
            end = _after_parts(data, start + 2, most=MAX_PARTS_OF_EXTENSION)
        elif kind == IMAGE:
            end = _after_parts(data, start + 11 + _palette_bytes(data[start + 9]), most=len(data))
        else:
            corrupt("a block of the GIF is unknown")
        yield kind, start, end
        start = end


def first_block(data: bytes) -> int:
    """Where the header ends, with the palette for all frames."""
    return 13 + _palette_bytes(data[10])


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & _HAS_PALETTE else 0


def _after_parts(data: bytes, position: int, *, most: int) -> int:
    """Where the parts of a block end: each begins with its length, the last has none."""
    parts = 0
    while length := data[position]:
        position += 1 + length
        parts += 1
        if parts > most:
            corrupt("an extension of the GIF has too many parts")
    return position + 1
