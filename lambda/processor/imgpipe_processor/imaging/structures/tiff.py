"""TIFF and BigTIFF: the directories of "TIFF Revision 6.0", sections 2 and 8."""

from __future__ import annotations

import struct
from typing import NamedTuple

from .structure import Structure, corrupt, unsupported

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_SUBFILE_TYPE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION = 254, 256, 257, 258, 259
_STRIP_OFFSETS, _SAMPLES, _ROWS_PER_STRIP, _STRIP_BYTES = 273, 277, 278, 279
_ORIENTATION = 274
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES = 322, 323, 324, 325
_DNG_VERSION = 50706
_READ = frozenset(
    {_SUBFILE_TYPE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _STRIP_OFFSETS, _SAMPLES, _ROWS_PER_STRIP, _STRIP_BYTES}
    | {_ORIENTATION, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES, _DNG_VERSION}
)

# More strips than the highest image has rows, and tiles of 16 x 16 for 49 million pixels.
MAX_PARTS = 200_000

# libtiff takes a directory of more for none.
MAX_ENTRIES = 4_096

# Numbers, which take many times their bytes when they are read; there are two for each part, and not many others. A
# fraction counts as ten.
MAX_NUMBERS = 500_000
_FRACTIONS = frozenset({5, 10})

# The types of numbers that sizes and places are given in: SHORT, LONG, LONG8; and BYTE, for DNG's version.
_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}

# Bytes of the types that are there (TIFF 6.0, section 2, and BigTIFF's), and those that are read as they are.
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_PLAIN = frozenset({1, 2, 6, 7})
_COPIES_OF_VALUES = 3

_UNCOMPRESSED = 1

# None, CCITT, Group 3 and 4, LZW, JPEG, Deflate (two names), PackBits: what scanners and editors write. libtiff knows
# a dozen more, which are rare, and each is another decoder to trust.
_COMPRESSIONS = frozenset({_UNCOMPRESSED, 2, 3, 4, 5, 7, 8, 32773, 32946})

_REDUCED = 1  # NewSubfileType: a smaller copy of another image in the file
_LIES_ON_ITS_SIDE = frozenset({5, 6, 7, 8})
_CANON_RAW = b"CR"
_BYTE, _DEEP = 8, 16  # bits per sample


class _Layout(NamedTuple):
    """How numbers of a file are read: byte order, and the widths that BigTIFF doubles."""

    order: str
    big: bool

    @classmethod
    def of(cls, data: bytes) -> _Layout:
        order = "<" if data.startswith(b"II") else ">"
        return cls(order, data[2:4] in {b"+\0", b"\0+"})

    def first_directory(self, data: bytes) -> int:
        (offset,) = struct.unpack_from(self.order + ("Q" if self.big else "I"), data, 8 if self.big else 4)
        return int(offset)

    def entries(self, data: bytes, offset: int) -> tuple[int, int]:
        """Where the entries of a directory begin, and how many there are."""
        (count,) = struct.unpack_from(self.order + ("Q" if self.big else "H"), data, offset)
        return offset + (8 if self.big else 2), int(count)

    @property
    def entry_bytes(self) -> int:
        return 20 if self.big else 12

    def next_directory(self, data: bytes, offset: int) -> int:
        start, count = self.entries(data, offset)
        (following,) = struct.unpack_from(
            self.order + ("Q" if self.big else "I"), data, start + count * self.entry_bytes
        )
        return int(following)


def read_tiff(data: bytes, max_frames: int) -> Structure:
    """Read the first directory, see whether its pixels are there, and count the others.

    Raises:
        ImageRejectedError: something is cut off, or the file is a camera's raw one or of a rare compression.
    """
    layout = _Layout.of(data)
    offset = layout.first_directory(data)
    tags, value_bytes = _tags(data, layout, offset)
    if data[8:10] == _CANON_RAW or _DNG_VERSION in tags or _first(tags, _SUBFILE_TYPE, 0) == _REDUCED:
        unsupported("the object is a camera's raw file; expected the picture that it was developed to")
    if _first(tags, _COMPRESSION, _UNCOMPRESSED) not in _COMPRESSIONS:
        unsupported("the TIFF is compressed in a way that is not supported; save it with LZW or Deflate")
    width, height = _first(tags, _WIDTH, 0), _first(tags, _HEIGHT, 0)
    if not (width and height):
        corrupt("the TIFF has no size")
    _check_pixels(data, tags)
    decoded_bytes = _decoded_bytes(tags, width, height) + _COPIES_OF_VALUES * value_bytes
    return Structure("TIFF", width, height, decoded_bytes, _pages(data, layout, offset, max_frames))


def _tags(data: bytes, layout: _Layout, offset: int) -> tuple[dict[int, tuple[int, ...]], int]:
    """The entries of the directory that are of use here, each as whole numbers, and how many bytes all values have."""
    start, count = layout.entries(data, offset)
    if start + count * layout.entry_bytes > len(data):
        corrupt("the TIFF is cut off")
    if count > MAX_ENTRIES:
        corrupt("the TIFF has too many entries")
    inline = 8 if layout.big else 4
    tags: dict[int, tuple[int, ...]] = {}
    value_bytes = numbers = 0
    for position in range(start, start + count * layout.entry_bytes, layout.entry_bytes):
        tag, kind, amount = struct.unpack_from(layout.order + ("HHQ" if layout.big else "HHI"), data, position)
        size = amount * _TYPE_BYTES.get(kind, 0)
        if size <= len(data):  # others are not read
            value_bytes = min(value_bytes + size, len(data))
            numbers += 0 if kind in _PLAIN else amount * (10 if kind in _FRACTIONS else 1)
        if numbers > MAX_NUMBERS:
            corrupt("the TIFF has too many numbers")
        if tag not in _READ or tag in tags or kind not in _NUMBERS:
            continue
        if amount > MAX_PARTS:
            corrupt("the TIFF has too many parts")
        value_at = position + layout.entry_bytes - inline
        if size > inline:
            (value_at,) = struct.unpack_from(layout.order + ("Q" if layout.big else "I"), data, value_at)
        tags[tag] = struct.unpack_from(f"{layout.order}{amount}{_NUMBERS[kind]}", data, value_at)
    return tags, value_bytes


def _first(tags: dict[int, tuple[int, ...]], tag: int, default: int) -> int:
    values = tags.get(tag)
    return values[0] if values else default


def _check_pixels(data: bytes, tags: dict[int, tuple[int, ...]]) -> None:
    places = tags.get(_STRIP_OFFSETS) or tags.get(_TILE_OFFSETS) or ()
    sizes = tags.get(_STRIP_BYTES) or tags.get(_TILE_BYTES) or ()
    if not places:
        corrupt("the TIFF holds no picture")
    if any(place + size > len(data) for place, size in zip(places, sizes, strict=False)):
        corrupt("the TIFF is cut off")


def _decoded_bytes(tags: dict[int, tuple[int, ...]], width: int, height: int) -> float:
    """What decoding takes: the image, a second one to turn it upright, and a part as it is unpacked.

    Measured for a pixel: 1.0 of 8 bits in one channel, 4.0 in several; 4.0 of 16 bits in one, which may be inverted;
    12.7 of 32 bits, which are brought into a visible range.
    """
    samples = max(_first(tags, _SAMPLES, 1), len(tags.get(_BITS, ())))
    bits = _first(tags, _BITS, 1)
    turned = 2 if _first(tags, _ORIENTATION, 1) != 1 else 1
    part_bytes = _part_pixels(tags, width, height) * samples * bits / 8
    if samples > 1 or bits <= _BYTE:
        return (4.1 if samples > 1 else 1.1) * turned * width * height + part_bytes
    if bits <= _DEEP:
        return 4.1 * width * height + part_bytes
    return max(13.1 * width * height, 4.1 * turned * width * height + part_bytes)


def _part_pixels(tags: dict[int, tuple[int, ...]], width: int, height: int) -> int:
    """Those of a strip or a tile, which may be as large as the image, or larger."""
    if _TILE_WIDTH in tags:
        return _first(tags, _TILE_WIDTH, width) * _first(tags, _TILE_HEIGHT, height)
    if len(tags.get(_STRIP_OFFSETS, ())) == 1 and _first(tags, _COMPRESSION, _UNCOMPRESSED) == _UNCOMPRESSED:
        return 0  # libtiff reads it by the row
    return width * min(height, _first(tags, _ROWS_PER_STRIP, height))


def _pages(data: bytes, layout: _Layout, offset: int, max_frames: int) -> int:
    """How many directories there are, until one comes again or there are more than allowed."""
    seen: set[int] = set()
    while offset and offset not in seen and len(seen) <= max_frames:
        seen.add(offset)
        offset = layout.next_directory(data, offset)
    return len(seen)
