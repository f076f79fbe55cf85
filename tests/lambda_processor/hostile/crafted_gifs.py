"""GIF files of any blocks, with images of one colour."""

from __future__ import annotations

import struct

TRAILER = b";"

_PALETTE = bytes((0, 0, 0, 255, 255, 255))
_HAS_PALETTE = 0x80


def gif(width: int, height: int, *blocks: bytes) -> bytes:
    screen = struct.pack("<HHBBB", width, height, _HAS_PALETTE, 0, 0)
    return b"GIF89a" + screen + _PALETTE + b"".join(blocks) + TRAILER


def image(width: int, height: int, coded: bytes | None = None) -> bytes:
    """Return a frame of colour 0, unless other LZW data are given, in parts."""
    place = struct.pack("<HHHHB", 0, 0, width, height, 0)
    return b"," + place + b"\x02" + (parts(one_colour(width * height)) if coded is None else coded)


def parts(data: bytes) -> bytes:
    """Return a block's data: each part begins with its length, the last has none."""
    cut = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes([len(part)]) + part for part in cut) + b"\0"


def parts_of_one(count: int) -> bytes:
    """Return so many zeros, each in a separate part."""
    return b"\x01\0" * count + b"\0"


def one_colour(pixels: int) -> bytes:
    """Return LZW data of `pixels` times colour 0: every word means one pixel more than the last, up to thousands."""
    clear, end, most_words = 4, 5, 4096
    words, size, following, longest = [(clear, 3)], 3, end + 1, 1
    while pixels:
        run = min(longest, pixels)
        words.append((0 if run == 1 else run + clear, size))
        pixels -= run
        if len(words) > 2 and following < most_words:  # the first word of all adds nothing to the table
            following += 1
            size = min(12, following.bit_length())
        longest = min(longest + 1, most_words - 1 - clear)
    words.append((end, size))
    number = place = 0
    for word, width in words:
        number |= word << place
        place += width
    return number.to_bytes(-(-place // 8), "little")
