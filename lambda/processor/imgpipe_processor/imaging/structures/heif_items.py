"""The items of a file (ISO/IEC 23008-12): the primary image, and the items that are decoded for it.

Other items, such as thumbnails, gain maps and depth maps, are not decoded and not checked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .isobmff_boxes import Box, Extent, Table
from .structure import corrupt, unsupported

# Extents, references and properties of items; an extent may have no bytes at all.
MAX_PARTS = 20_000

# Construction methods (ISO/IEC 14496-12, section 8.11.3): offsets into the file, or into the box `idat`.
_IN_FILE, _IN_META = 0, 1

# Bits of an association: the flag that a decoder must know the property, and its number. The properties that turn and
# crop, and the selection of a layer, must be known (ISO/IEC 23000-22, section 7.3.9; ISO/IEC 23008-12, section
# 6.5.11.1).
_ESSENTIAL, _NUMBER = 1 << 15, (1 << 15) - 1
_ALWAYS_ESSENTIAL = frozenset({b"clap", b"irot", b"imir", b"lsel", b"a1op"})

# The least bytes that libavif expects in a property (ISO/IEC 23008-12, section 6.5; AV1 Image File Format, section
# 2.3). It parses the properties of all items, and rejects the file for a shorter one.
_LEAST_BYTES = {b"ispe": 12, b"pixi": 5, b"pasp": 8, b"clli": 4, b"clap": 32, b"irot": 1, b"imir": 1, b"auxC": 5}
_LEAST_BYTES |= {b"a1op": 1, b"lsel": 2, b"a1lx": 7, b"av1C": 4}
_LEAST_BYTES_OF_COLOURS = {b"nclx": 11, b"prof": 5, b"rICC": 5}

# Properties that describe an item, which has one of each.
_SINGLE = frozenset({b"ispe", b"pixi", b"pasp", b"clli", b"colr", b"a1lx"})

# References that a decoder follows.
_FOLLOWED = frozenset({b"dimg", b"auxl", b"prem"})

_ALPHA = frozenset(
    {
        b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",  # ISO/IEC 23000-22, section 7.3.5.2
        b"urn:mpeg:hevc:2015:auxid:1",  # ISO/IEC 23008-12, annex B.2.6
    }
)


@dataclass
class Item:
    """An item of the file.

    Args:
        kind: its type, such as `av01` or `grid`.
        method: the construction method: the start that its offsets are relative to.
        extents: offsets and lengths of its data.
        associations: the numbers of its properties, from 1; the highest of 16 bits means that a decoder must know it.
    """

    kind: bytes = b""
    method: int = _IN_FILE
    extents: list[Extent] = field(default_factory=list)
    associations: list[int] = field(default_factory=list)


class Use(NamedTuple):
    """A reference to an item that is decoded.

    Args:
        item: the item.
        role: `dimg` for an input of a derived image such as a grid, `auxl` for alpha; empty for the primary image.
        target: the index of the other item in the list of uses.
    """

    item: Item
    role: bytes = b""
    target: int = 0


class Items:
    """The item tables of a file.

    Raises:
        ImageRejectedError: a table does not end within its box, or has too many entries.
    """

    def __init__(self, data: bytes, boxes: Sequence[Box]) -> None:
        self._data = data
        self._items: defaultdict[int, Item] = defaultdict(Item)
        self._references: defaultdict[bytes, list[tuple[int, int]]] = defaultdict(list)
        # Each table exists once (ISO/IEC 23008-12, section 6.2); libavif rejects a second one.
        tables = {box.kind: box for box in reversed(boxes) if box.parent in {b"meta", b"iprp"}}
        self._inside_meta = tables.get(b"idat")
        self.properties = [box for box in boxes if box.parent == b"ipco"]
        for box in boxes:
            if box.kind == b"infe" and box.parent == b"iinf":
                self._read_entry(Table(data, box))
        if b"iloc" in tables:
            self._read_locations(Table(data, tables[b"iloc"]))
        if b"iref" in tables:
            self._read_references(Table(data, tables[b"iref"]))
        associations = [box for box in boxes if box.kind == b"ipma" and box.parent == b"iprp"]
        for box in associations:
            self._read_associations(Table(data, box))
        self._tables_are_plain = len(associations) == 1
        primary = _identifier(Table(data, tables[b"pitm"])) if b"pitm" in tables else None
        self._primary = primary if primary in self._items else None

    @property
    def has_primary(self) -> bool:
        """Return True if the file names its primary item."""
        return self._primary is not None

    @property
    def has_odd_properties(self) -> bool:
        """Return True if a property is odd, also one of an item that is not decoded."""
        return any(map(self.is_odd, self.properties))

    def decoded_items(self) -> list[Use]:
        """Return the items that are decoded for the primary image, which comes first; all items if none is primary.

        Raises:
            ImageRejectedError: the file contains too many references.
        """
        if self._primary is None:
            return [Use(item) for item in self._items.values()]
        used = defaultdict(list)
        for source, target in self._references[b"dimg"]:
            used[source].append((target, b"dimg"))
        for source, target in self._references[b"auxl"]:
            if self.is_alpha(self._items[source]):
                used[target].append((source, b"auxl"))
        left = MAX_PARTS
        found, numbers = [Use(self._items[self._primary])], [self._primary]
        for index, number in enumerate(numbers):  # the lists grow in the loop
            for other, role in used[number]:
                found.append(Use(self._items[other], role, index))
                numbers.append(other)
                left = _subtract(left, 1 + len(self._items[other].extents))
        return found

    def is_premultiplied(self) -> bool:
        """Return True if the colours of the primary image are multiplied by its alpha."""
        return any(source == self._primary for source, _ in self._references[b"prem"])

    def associated(self, item: Item, kind: bytes) -> list[int]:
        """Return the associations of an item with properties of this type."""
        return [association for association in item.associations if self._kind_of(association) == kind]

    def _kind_of(self, association: int) -> bytes:
        index = (association & _NUMBER) - 1
        return self.properties[index].kind if 0 <= index < len(self.properties) else b""

    def properties_of(self, item: Item, kind: bytes) -> list[Box]:
        """Return the properties of an item that have this type and are not odd."""
        found = (self.properties[(association & _NUMBER) - 1] for association in self.associated(item, kind))
        return [box for box in found if not self.is_odd(box)]

    def is_alpha(self, item: Item) -> bool:
        """Return True if the item is the alpha of another one."""
        names = (self._data[box.start + 4 : box.end] for box in self.properties_of(item, b"auxC"))
        return any(name.split(b"\0", 1)[0] in _ALPHA for name in names)

    def need_no_rebuild(self, uses: Sequence[Use]) -> bool:
        """Return True if libavif cannot reject a whole image because of its tables.

        It may reject: items that are not decoded, such as EXIF and gain maps, which it reads as well; an item with two
        uses; alpha without a size; properties in several tables, or not marked although decoders must know them; and
        properties that are cut off, come twice, or contradict the coded data.
        """
        return (
            self._tables_are_plain
            and self._references.keys() <= _FOLLOWED
            and not self.has_odd_properties
            and len(uses) == len(self._items) == len({id(use.item) for use in uses})
            and all(use.item.associations == self.completed_associations(use, uses) for use in uses)
        )

    def completed_associations(self, use: Use, uses: Sequence[Use]) -> list[int]:
        """Return the associations of an item as libavif expects them."""
        found, seen = [], set()
        for association in use.item.associations:
            kind = self._kind_of(association)
            if not kind:
                continue
            box = self.properties[(association & _NUMBER) - 1]
            key = (kind, self._data[box.start : box.start + 4] if kind == b"colr" else b"")
            if self.is_odd(box) or (kind in _SINGLE and key in seen) or self._is_of_another_depth(box, use.item):
                continue
            seen.add(key)
            found.append(association | _ESSENTIAL if kind in _ALWAYS_ESSENTIAL else association)
        if use.role == b"auxl" and not self.associated(use.item, b"ispe"):
            found += self.associated(uses[0].item, b"ispe")[:1]
        return found

    def is_odd(self, box: Box) -> bool:
        """Return True if a property is too short for its type, or names colours in an unknown way."""
        size = box.end - box.start
        if box.kind == b"colr":
            least = _LEAST_BYTES_OF_COLOURS.get(self._data[box.start : box.start + 4])
            return least is None or size < least
        if box.kind == b"pixi" and size >= _LEAST_BYTES[b"pixi"]:
            return size < _LEAST_BYTES[b"pixi"] + self._data[box.start + 4]
        return size < _LEAST_BYTES.get(box.kind, 0)

    def _is_of_another_depth(self, box: Box, item: Item) -> bool:
        """Return True if a property names another depth than the configuration of the item's decoder."""
        configurations = self.properties_of(item, b"av1C")
        if box.kind != b"pixi" or not configurations:
            return False
        # AV1 Codec ISO Media File Format Binding, section 2.3.3: one bit for more than 8 bits, the next for 12.
        flags = self._data[configurations[0].start + 2]
        depth = (12 if flags & 0x20 else 10) if flags & 0x40 else 8
        return any(each != depth for each in self._data[box.start + 5 : box.end][: self._data[box.start + 4]])

    def all_items(self) -> list[Item]:
        """Return all items of the file, decoded or not."""
        return list(self._items.values())

    def extents_of(self, item: Item) -> tuple[Extent, ...]:
        """Return the extents of the data of an item in the file.

        Raises:
            ImageRejectedError: an extent is outside of the file, or the data are in another item.
        """
        if item.method > _IN_META:
            unsupported("the image is built from bytes of other items of the file; save it as PNG or JPEG")
        start, end = 0, len(self._data)
        if item.method == _IN_META and self._inside_meta is not None:
            start, end = self._inside_meta.start, self._inside_meta.end
        moved = tuple((start + offset, length or max(0, end - start - offset)) for offset, length in item.extents)
        if any(offset + length > end for offset, length in moved):
            corrupt("the file is truncated")
        return moved

    def _read_entry(self, table: Table) -> None:
        if table.version < 2:  # noqa: PLR2004  items have types since version 2, and ids of 32 bits since 3
            return
        number = table.number(4 if table.version > 2 else 2)  # noqa: PLR2004  as above
        table.number(2)  # the index of its protection
        self._items[number].kind = table.number(4).to_bytes(4)

    def _read_locations(self, table: Table) -> None:
        sizes, more_sizes = table.number(1), table.number(1)
        offset_size, length_size, base_size = sizes >> 4, sizes & 15, more_sizes >> 4
        index_size = more_sizes & 15 if table.version else 0
        wide = 4 if table.version > 1 else 2
        left = MAX_PARTS
        for _ in range(table.number(wide)):
            item = self._items[table.number(wide)]
            item.method = table.number(2) & 15 if table.version else _IN_FILE
            table.number(2)  # the index of the file that contains it: this one
            base, parts = table.number(base_size), table.number(2)
            left = _subtract(left, 1 + parts)
            item.extents = []
            for _ in range(parts):
                table.number(index_size)
                start = base + table.number(offset_size)
                item.extents.append((start, table.number(length_size)))

    def _read_references(self, table: Table) -> None:
        wide = 4 if table.version else 2
        left = MAX_PARTS
        while table.position < table.end:
            table.number(4)
            kind = table.number(4).to_bytes(4)
            source, count = table.number(wide), table.number(2)
            left = _subtract(left, 1 + count)
            self._references[kind] += [(source, table.number(wide)) for _ in range(count)]

    def _read_associations(self, table: Table) -> None:
        wide = table.flags & 1
        left = MAX_PARTS
        for _ in range(table.number(4)):
            item = self._items[_identifier(table)]
            count = table.number(1)
            left = _subtract(left, 1 + count)
            for _ in range(count):
                value = table.number(2 if wide else 1)
                item.associations.append(value if wide else (value & 128) << 8 | value & 127)


def _identifier(table: Table) -> int:
    """Read the id of an item, which has 32 bits since version 1."""
    return table.number(4 if table.version else 2)


def _subtract(left: int, parts: int) -> int:
    if parts > left:
        corrupt("the images in the file have too many parts")
    return left - parts
