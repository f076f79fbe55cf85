"""TIFF files written tag by tag, for what Pillow and libvips do not write ("TIFF Revision 6.0", sections 2 and 8)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, LAB = 0, 1, 2, 3, 5, 6, 8  # values of the photometric tag
SIGNED, FLOAT = 2, 3  # values of the sample format

ORIENTATION, PLANES, COLOUR_MAP, EXTRA_SAMPLES, SAMPLE_FORMAT, SUBSAMPLING = 274, 284, 320, 338, 339, 530
FILL_ORDER, TILE_WIDTH, TILE_HEIGHT = 266, 322, 323
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _OFFSETS = 256, 257, 258, 259, 262, 273
_SAMPLES, _ROWS, _BYTES = 277, 278, 279

_SHORT, _LONG, _LONG8 = 3, 4, 16
_CODES = {_SHORT: "H", _LONG: "I", _LONG8: "Q"}


def tiff(
    size: tuple[int, int],
    strips: list[bytes],
    tags: dict[int, Sequence[int]],
    *,
    bits: Sequence[int],
    photometric: int,
    order: str = "<",
    big: bool = False,
) -> bytes:
    """Return an uncompressed TIFF of one page, with more tags of 16-bit numbers; equal strips, plane by plane."""
    planes = len(bits) if tags.get(PLANES) == (2,) else 1
    offset_type, offset_bytes = (_LONG8, 8) if big else (_LONG, 4)
    entries = {tag: (_SHORT, numbers) for tag, numbers in tags.items()} | {
        _WIDTH: (_LONG, [size[0]]),
        _HEIGHT: (_LONG, [size[1]]),
        _BITS: (_SHORT, bits),
        _COMPRESSION: (_SHORT, [1]),
        _PHOTOMETRIC: (_SHORT, [photometric]),
        _SAMPLES: (_SHORT, [len(bits)]),
        _ROWS: (_LONG, [-(-size[1] * planes // len(strips))]),
        _BYTES: (_LONG, [len(strip) for strip in strips]),
        _OFFSETS: (offset_type, [0] * len(strips)),
    }
    head = struct.pack(order + ("HHHQ" if big else "HI"), *((43, 8, 0, 16) if big else (42, 8)))
    head = (b"II" if order == "<" else b"MM") + head
    entry_bytes, count_code = (20, "Q") if big else (12, "H")
    values_at = len(head) + struct.calcsize(count_code) + entry_bytes * len(entries) + offset_bytes
    outside = (len(_packed(order, *entry)) for entry in entries.values())
    place = values_at + sum(length for length in outside if length > offset_bytes)
    offsets = []
    for strip in strips:
        offsets.append(place)
        place += len(strip)
    entries[_OFFSETS] = (offset_type, offsets)
    directory, values = struct.pack(order + count_code, len(entries)), b""
    for tag, (kind, numbers) in sorted(entries.items()):
        value = _packed(order, kind, numbers)
        directory += struct.pack(order + ("HHQ" if big else "HHI"), tag, kind, len(numbers))
        if len(value) > offset_bytes:
            directory += struct.pack(order + _CODES[offset_type], values_at + len(values))
            values += value
        else:
            directory += value.ljust(offset_bytes, b"\0")
    return head + directory + bytes(offset_bytes) + values + b"".join(strips)


def samples(order: str, code: str, values: Sequence[float]) -> bytes:
    """Return numbers in the file's byte order; `code` is the `struct` module's."""
    return struct.pack(f"{order}{len(values)}{code}", *values)


def _packed(order: str, kind: int, numbers: Sequence[int]) -> bytes:
    return samples(order, _CODES[kind], numbers)
