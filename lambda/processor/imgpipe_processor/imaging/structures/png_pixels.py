"""PNG: the compressed pixels ("PNG Specification, Third Edition", sections 7.2, 8 and 10)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .structure import Piece

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"\0\0\0\0IEND\xae\x42\x60\x82"

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type

# The first column and row of each pass of an image, and their steps (section 8).
PASSES = {
    0: ((0, 0, 1, 1),),
    1: ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
}

_PIECE_BYTES = 2**12
_WINDOW_BITS = 15  # of Deflate, the maximum
_RAW = -_WINDOW_BITS  # no header and no checksum, for the zlib module
_WIDEST = b"\x78\x01"  # the header of a zlib stream (RFC 1950, section 2.2) with that window
_DEFLATE, _HEADER_DIVISOR, _HAS_DICTIONARY = 8, 31, 0x20

# Fast, and on average a tenth larger than the data that it replaces.
_REPACKED_LEVEL = 1


class Chunk(NamedTuple):
    """A chunk: its type, and where its data begin and end.

    Args:
        whole: False of the last chunk if it is cut off.
    """

    kind: bytes
    start: int
    end: int
    whole: bool = True

    @property
    def size(self) -> int:
        """Return the length of its data."""
        return self.end - self.start

    @property
    def piece(self) -> Piece:
        """Return the whole chunk, with its length, type and checksum."""
        return self.start - 8, self.end + 4


def make_chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk with its length and its checksum."""
    return b"".join(_chunk_of(kind, [data]))


def declares_small_window(packed: bytes) -> bool:
    """Return True if the stream begins with a valid header that declares a smaller window than the largest.

    Decoders that allocate that window fail on a longer distance; others ignore the window.
    """
    method, flags = packed[0], packed[1]
    valid = method & 15 == _DEFLATE and not (method << 8 | flags) % _HEADER_DIVISOR and not flags & _HAS_DICTIONARY
    return valid and method >> 4 < _WINDOW_BITS - 8


def with_widest_window(packed: bytes) -> bytes:
    """Return the stream with a header that declares the largest window, which every decoder supports."""
    return _WIDEST + packed[len(_WIDEST) :]


def unpacked_size(inflater: zlib._Decompress, packed: memoryview, max_bytes: int) -> int:
    """Return the number of unpacked bytes, counted up to a little more than `max_bytes`, or up to the first damage."""
    return sum(map(len, _unpacked(inflater, packed, max_bytes)))


def has_all_rows(data: bytes) -> bool:
    """Return True if the compressed data of a file have every row: a decoder fills missing rows with black."""
    expected = _expected_bytes(data)
    inflater = zlib.decompressobj()
    for packed in _packed(data):
        expected -= unpacked_size(inflater, packed, expected)
    return expected <= 0


def repack(data: bytes) -> bytes | None:
    """Return the file with new compressed data for the same rows; None if a row is missing.

    The end of the compressed data (last code, checksum) contains no pixels, and decoders reject a file because of it.
    """
    left = _expected_bytes(data)
    inflater, packer = zlib.decompressobj(_RAW), zlib.compressobj(_REPACKED_LEVEL)
    parts, header_bytes = [], len(_WIDEST)
    for piece in _packed(data):
        skipped = min(header_bytes, len(piece))
        header_bytes -= skipped
        for rows in _unpacked(inflater, piece[skipped:], left):
            parts.append(packer.compress(rows[:left]))
            left -= min(left, len(rows))
    if left:
        return None
    parts.append(packer.flush())
    view = memoryview(data)
    before = (view[start - 8 : end + 4] for kind, start, end in read_chunks(data) if kind != b"IDAT")
    return b"".join((SIGNATURE, *before, *_chunk_of(b"IDAT", parts), END))


def read_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield every chunk of an intact file before the last: its type, and where its data begin and end."""
    position = len(SIGNATURE)
    while True:
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"IEND":
            return
        yield kind, position + 8, position + 8 + length
        position += 12 + length


def _chunk_of(kind: bytes, parts: Sequence[bytes]) -> Iterator[bytes]:
    yield struct.pack(">I", sum(map(len, parts))) + kind
    yield from parts
    checksum = zlib.crc32(kind)
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    yield struct.pack(">I", checksum)


def _packed(data: bytes) -> Iterator[memoryview]:
    view = memoryview(data)
    return (view[start:end] for kind, start, end in read_chunks(data) if kind == b"IDAT")


def _expected_bytes(data: bytes) -> int:
    """Return the size of all rows, with the byte before each row that names its filter."""
    width, height, depth, colour_type, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    expected = 0
    for left, top, across, down in PASSES[interlaced]:
        columns, rows = len(range(left, width, across)), len(range(top, height, down))
        if columns:
            expected += rows * (1 + (columns * depth * CHANNELS[colour_type] + 7) // 8)
    return expected


def _unpacked(inflater: zlib._Decompress, packed: memoryview, max_bytes: int) -> Iterator[bytes]:
    size = 0
    try:
        for start in range(0, len(packed), _PIECE_BYTES):
            piece: bytes | memoryview = packed[start : start + _PIECE_BYTES]
            while piece and size <= max_bytes and not inflater.eof:
                rows = inflater.decompress(piece, 2**16)
                size += len(rows)
                yield rows
                piece = inflater.unconsumed_tail
            if size > max_bytes or inflater.eof:
                break
    except zlib.error:
        pass
