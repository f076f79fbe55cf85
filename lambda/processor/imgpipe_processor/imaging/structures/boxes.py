"""The boxes of ISO/IEC 14496-12: which ones a file has, and the numbers in them."""

from __future__ import annotations

import struct
from typing import NamedTuple

from .structure import corrupt

MAX_BOXES = 20_000

# Boxes that contain others, by what they are in, and how many bytes come before the first one in them: version and
# flags, or a count as well, or the fields of a sample entry (section 12.1.3).
_INSIDE: dict[bytes, dict[bytes, int]] = {
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
_BEFORE = {META: 4, MOVIE: 0}

Place = tuple[int, int]


class Box(NamedTuple):
    """A box: its type, where its data begin and end, and the type of the box that it is in."""

    kind: bytes
    start: int
    end: int
    holder: bytes = b""


def boxes_in(data: bytes, root: bytes) -> list[Box]:
    """List the boxes of the file, and those inside of one of them, each before those that it contains.

    Nothing is asked of what comes after the last whole box of the file: whether media data are cut off is seen where
    they are used.

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
            corrupt("it is cut off")
        _append(found, Box(kind, start, min(end, len(data))))
        if kind == root:
            _collect(data, root, start + _BEFORE[root], end, found)
        position = end
    return found


def _collect(data: bytes, holder: bytes, position: int, end: int, found: list[Box]) -> None:
    while position + 8 <= end:
        kind, start, next_position = _header(data, position, end)
        if not start <= next_position <= end:
            corrupt("it is cut off")
        _append(found, Box(kind, start, next_position, holder))
        before = _INSIDE.get(holder, {}).get(kind)
        if before is not None:
            wide = kind == b"iinf" and data[start] > 0  # whose count has 32 bits since version 1
            _collect(data, kind, start + before + 2 * wide, next_position, found)
        position = next_position


def _append(found: list[Box], box: Box) -> None:
    if len(found) >= MAX_BOXES:
        corrupt("it has too many boxes")
    found.append(box)


def _header(data: bytes, position: int, end: int) -> tuple[bytes, int, int]:
    """The type of a box, and where its data begin and end."""
    length, kind = struct.unpack_from(">I4s", data, position)
    start = position + 8
    if length == 1:
        length = int.from_bytes(data[start : start + 8])
        start += 8
    return kind, start, position + length if length else end


class Table:
    """A box of a version, flags and numbers."""

    def __init__(self, data: bytes, box: Box) -> None:
        self._data, self.position, self.end = data, box.start, box.end
        self.version, self.flags = self.number(1), self.number(3)

    def number(self, size: int) -> int:
        """Read a number of so many bytes.

        Raises:
            ImageRejectedError: the box ends before.
        """
        if self.position + size > self.end:
            corrupt("it is cut off")
        self.position += size
        return int.from_bytes(self._data[self.position - size : self.position])
