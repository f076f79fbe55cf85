"""TIFF files with any tags, also wrong ones."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
STRIP_OFFSETS, ORIENTATION, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES = 273, 274, 277, 278, 279
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES, SAMPLE_FORMAT = 322, 323, 324, 325, 339
BYTE, SHORT, LONG, UNDEFINED = 1, 3, 4, 7

PIXELS_AT = 8

_CODES = {BYTE: "B", SHORT: "H", LONG: "I", UNDEFINED: "B"}


@dataclass(frozen=True)
class Entry:
    """A tag with its numbers, or with a wrong count and offset."""

    tag: int
    kind: int
    numbers: tuple[int, ...] = ()
    count: int = 0
    place: int = 0


def tiff(entries: Iterable[Entry], pixels: bytes = b"", *, following: int = 0) -> bytes:
    """Return a file of one directory after its pixels; `following` is the declared offset of the next one."""
    ordered = sorted(entries, key=lambda entry: entry.tag)
    pixels += bytes(len(pixels) % 2)
    at = PIXELS_AT + len(pixels)
    outside_at, outside = at + 2 + 12 * len(ordered) + 4, b""
    directory = struct.pack("<H", len(ordered))
    for entry in ordered:
        value = struct.pack(f"<{len(entry.numbers)}{_CODES.get(entry.kind, 'B')}", *entry.numbers)
        if not entry.numbers:
            value = struct.pack("<I", entry.place)
        elif len(value) > 4:
            value, outside = struct.pack("<I", outside_at + len(outside)), outside + value
        directory += struct.pack("<HHI", entry.tag, entry.kind, entry.count or len(entry.numbers))
        directory += value.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<I", at) + pixels + directory + struct.pack("<I", following) + outside


def grey(width: int, height: int, *more: Entry, pixels: bytes | None = None, following: int = 0) -> bytes:
    """Return 8 bits a pixel in one strip, unless `more` contains other tags."""
    strip = bytes(width * height) if pixels is None else pixels
    entries = (
        *_of_grey(width, height),
        Entry(STRIP_OFFSETS, LONG, (PIXELS_AT,)),
        Entry(ROWS_PER_STRIP, LONG, (height,)),
        Entry(STRIP_BYTES, LONG, (len(strip),)),
        *more,
    )
    return tiff({entry.tag: entry for entry in entries}.values(), strip, following=following)


def tiled(width: int, height: int, side: int, tile: bytes) -> bytes:
    """Return 8 bits a pixel in square tiles, all of which are the same one."""
    tiles = -(-width // side) * -(-height // side)
    entries = (
        *_of_grey(width, height),
        Entry(TILE_WIDTH, LONG, (side,)),
        Entry(TILE_HEIGHT, LONG, (side,)),
        Entry(TILE_OFFSETS, LONG, (PIXELS_AT,) * tiles),
        Entry(TILE_BYTES, LONG, (len(tile),) * tiles),
    )
    return tiff(entries, tile)


def _of_grey(width: int, height: int) -> tuple[Entry, ...]:
    return (
        Entry(WIDTH, LONG, (width,)),
        Entry(HEIGHT, LONG, (height,)),
        Entry(BITS, SHORT, (8,)),
        Entry(COMPRESSION, SHORT, (1,)),
        Entry(PHOTOMETRIC, SHORT, (1,)),
        Entry(SAMPLES, SHORT, (1,)),
    )
