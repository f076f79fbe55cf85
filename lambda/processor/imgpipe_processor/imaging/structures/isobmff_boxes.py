"""The boxes of ISO/IEC 14496-12: their positions in a file, and the numbers in them."""

from __future__ import annotations

import struct
from typing import NamedTuple

from .structure import corrupt

MAX_BOXES = 20_000

# Boxes that contain other boxes, by their parent box, and the number of bytes before their first child: version and
# flags, or a count as well, or the fields of a sample entry (section 12.1.3).
_CONTAINERS: dict[bytes, dict[bytes, int]] = {
    b"meta": {b"iprp": 0, b"iinf": 6},
    b"iprp": {b"ipco": 0},
    b"moov": {b"trak": 0},
    b"trak": {b"mdia": 0},
    b"mdia": {b"minf": 0},
    b"minf": {b"stbl": 0},
    b"stbl": {b"stsd": 8},
    b"stsd": {b"av01": 78},
}
META, MOVIE = b"meta", b"moov"
_HEADER_BYTES = {META: 4, MOVIE: 0}

Extent = tuple[int, int]


class Box(NamedTuple):
    """A box: its type, where its data begin and end, and the type of its parent box."""

    kind: bytes
    start: int
    end: int
    parent: bytes = b""


def read_boxes(data: bytes, root: bytes) -> list[Box]:
    """List the boxes of the file, and the boxes inside of `root`, each before the boxes that it contains.

    Bytes after the last whole box of the file are ignored. Code that uses media data checks if they are cut off.

    Args:
        data: the file.
        root: `META` or `MOVIE`.

    Raises:
        ImageRejectedError: a box inside of `root` does not fit in it, or there are too many boxes.
    """
    found: list[Box] = []
    position = 0
    while position + 8 <= len(data):
        kind, start, end = _header(data, position, len(data))
        if start > end:
            break
        whole = end <= len(data)
        if kind == root and not whole:
            corrupt("the file is truncated")
        _append(found, Box(kind, start, min(end, len(data))))
        if kind == root:
            _collect(data, root, start + _HEADER_BYTES[root], end, found)
        position = end
    return found


def _collect(data: bytes, parent: bytes, position: int, end: int, found: list[Box]) -> None:
    while position + 8 <= end:
        kind, start, next_position = _header(data, position, end)
        if not start <= next_position <= end:
            corrupt("the file is truncated")
        _append(found, Box(kind, start, next_position, parent))
        header_bytes = _CONTAINERS.get(parent, {}).get(kind)
        if header_bytes is not None:
            wide = kind == b"iinf" and data[start] > 0  # its count has 32 bits since version 1
            _collect(data, kind, start + header_bytes + 2 * wide, next_position, found)
        position = next_position


def _append(found: list[Box], box: Box) -> None:
    if len(found) >= MAX_BOXES:
        corrupt("it has too many boxes")
    found.append(box)


def _header(data: bytes, position: int, end: int) -> tuple[bytes, int, int]:
    """Return the type of a box, and where its data begin and end."""
    length, kind = struct.unpack_from(">I4s", data, position)
    start = position + 8
    if length == 1:
        length = int.from_bytes(data[start : start + 8])
        start += 8
    return kind, start, position + length if length else end


class Table:
    """A box with a version, flags and numbers."""

    def __init__(self, data: bytes, box: Box) -> None:
        self._data, self.position, self.end = data, box.start, box.end
        self.version, self.flags = self.number(1), self.number(3)

    def number(self, size: int) -> int:
        """Read a number of `size` bytes.

        Raises:
            ImageRejectedError: the box ends before it.
        """
        if self.position + size > self.end:
            corrupt("the file is truncated")
        self.position += size
        return int.from_bytes(self._data[self.position - size : self.position])
