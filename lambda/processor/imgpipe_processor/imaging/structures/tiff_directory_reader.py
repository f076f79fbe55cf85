"""Directories of TIFF and BigTIFF ("TIFF Revision 6.0", section 2; BigTIFF has the same with wider numbers)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from .structure import corrupt
from .tiff_tags import DISPENSABLE

# libtiff accepts no directory of more entries.
MAX_ENTRIES = 4_096

# More strips than the highest image has rows, and tiles of 16 x 16 for 49 million pixels.
MAX_PARTS = 200_000

# The `struct` module's codes for types of whole numbers: BYTE, SHORT, LONG, the signed ones, IFD, LONG8 and SLONG8.
_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q"}

# Bytes of one value of each type, in the order of TIFF 6.0, section 2, with those that BigTIFF adds.
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


class Entry(NamedTuple):
    """An entry of a directory. Its value may end after the file, which matters only if the image needs it.

    Args:
        kind: the type of its values.
        amount: of values.
        at: the offset of the first one.
    """

    kind: int
    amount: int
    at: int

    @property
    def size(self) -> int:
        """Return the bytes of all values."""
        return self.amount * _TYPE_BYTES[self.kind]


class Layout(NamedTuple):
    """The byte order of a file, and True in `big` if its numbers have the widths of BigTIFF."""

    order: str
    big: bool

    @classmethod
    def of(cls, data: bytes) -> Layout:
        """Return the layout that the signature declares."""
        order = "<" if data.startswith(b"II") else ">"
        return cls(order, data[2:4] in {b"+\0", b"\0+"})

    @property
    def _offset(self) -> str:
        return self.order + ("Q" if self.big else "I")

    @property
    def _entry(self) -> str:
        return self.order + ("HHQ8x" if self.big else "HHI4x")

    def offset_at(self, data: bytes, position: int) -> int:
        """Read an offset."""
        (offset,) = struct.unpack_from(self._offset, data, position)
        return int(offset)

    def first_directory(self, data: bytes) -> int:
        """Return the offset of the first directory."""
        return self.offset_at(data, 8 if self.big else 4)

    def entries(self, data: bytes, offset: int) -> tuple[int, int, int]:
        """Return where the entries of a directory begin and end, and their number."""
        (count,) = struct.unpack_from(self.order + ("Q" if self.big else "H"), data, offset)
        start = offset + (8 if self.big else 2)
        return start, start + count * struct.calcsize(self._entry), count

    def next_directory(self, data: bytes, offset: int) -> int:
        """Return the offset of the directory after the one at `offset`; 0 if the file contains none."""
        try:
            _, end, _ = self.entries(data, offset)
            following = self.offset_at(data, end)
            _, end, _ = self.entries(data, following)
        except (struct.error, OverflowError):
            return 0
        return following if end <= len(data) else 0

    def read(self, data: bytes, offset: int, tags: frozenset[int]) -> dict[int, Entry]:
        """Return the entries of a directory with these tags.

        An entry of an unknown type counts as absent, and so does an entry of `DISPENSABLE` whose value is not in the
        file. If two entries have the same tag, the first counts.

        Raises:
            ImageRejectedError: the directory is cut off, or has more than `MAX_ENTRIES`.
        """
        start, end, count = self.entries(data, offset)
        if end > len(data):
            corrupt("the TIFF is truncated")
        if count > MAX_ENTRIES:
            corrupt("the TIFF has too many entries")
        inline = struct.calcsize(self._offset)
        found: dict[int, Entry] = {}
        for position in range(start, end, struct.calcsize(self._entry)):
            tag, kind, amount = struct.unpack_from(self._entry, data, position)
            if tag not in tags or tag in found or kind not in _TYPE_BYTES or not amount:
                continue
            at = position + struct.calcsize(self._entry) - inline
            if amount * _TYPE_BYTES[kind] > inline:
                at = self.offset_at(data, at)
            entry = Entry(kind, amount, at)
            if at + entry.size <= len(data) or tag not in DISPENSABLE:
                found[tag] = entry
        return found


class Directory:
    """The entries of one directory, whose values are read on demand."""

    def __init__(self, data: bytes, offset: int, tags: frozenset[int]) -> None:
        self.data = data
        self.order = (layout := Layout.of(data)).order
        self._entries = layout.read(data, offset, tags)

    def __contains__(self, tag: int) -> bool:
        return tag in self._entries

    def entry(self, tag: int) -> Entry | None:
        """Return the entry of a tag."""
        return self._entries.get(tag)

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return the values as whole numbers; an empty tuple if the tag is absent, or its type has no whole numbers.

        Raises:
            ImageRejectedError: the tag has more than `MAX_PARTS` values, or they are not in the file.
        """
        entry = self._entries.get(tag)
        if entry is None or entry.kind not in _NUMBERS:
            return ()
        self._reject_cut_off(entry)
        if entry.amount > MAX_PARTS:
            corrupt("the TIFF has too many parts")
        return struct.unpack_from(f"{self.order}{entry.amount}{_NUMBERS[entry.kind]}", self.data, entry.at)

    def first(self, tag: int, default: int) -> int:
        """Return the first value."""
        return (self.numbers(tag) or (default,))[0]

    def value(self, tag: int) -> bytes | None:
        """Return the bytes of all values.

        Raises:
            ImageRejectedError: they are not in the file.
        """
        entry = self._entries.get(tag)
        if entry is None:
            return None
        self._reject_cut_off(entry)
        return self.data[entry.at : entry.at + entry.size]

    def _reject_cut_off(self, entry: Entry) -> None:
        if entry.at + entry.size > len(self.data):
            corrupt("the TIFF is truncated")
