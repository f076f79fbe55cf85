"""The items of a file (ISO/IEC 23008-12): the primary image, and the items that are decoded for it.

Other items, such as thumbnails, gain maps and depth maps, are not decoded, so nothing is asked of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .boxes import Box, Place, Table
from .structure import corrupt, unsupported

# Places, references and properties of items; a place may be stored in no bytes at all.
MAX_PARTS = 20_000

# Construction methods (ISO/IEC 14496-12, section 8.11.3): offsets into the file, or into the box `idat`.
_IN_FILE, _IN_META = 0, 1

# Bits of an association: a decoder has to know the property, and its number. Those that turn and crop, and the choice
# of a layer, have to be known (ISO/IEC 23000-22, section 7.3.9; ISO/IEC 23008-12, section 6.5.11.1).
_ESSENTIAL, _NUMBER = 1 << 15, (1 << 15) - 1
_TO_BE_KNOWN = frozenset({b"clap", b"irot", b"imir", b"lsel", b"a1op"})

# Bytes that libavif expects in a property at least (ISO/IEC 23008-12, section 6.5; AV1 Image File Format, section 2.3).
# It parses those of all items, and refuses the file for a shorter one.
_LEAST_BYTES = {b"ispe": 12, b"pixi": 5, b"pasp": 8, b"clli": 4, b"clap": 32, b"irot": 1, b"imir": 1, b"auxC": 5}
_LEAST_BYTES |= {b"a1op": 1, b"lsel": 2, b"a1lx": 7, b"av1C": 4}
_LEAST_BYTES_OF_COLOURS = {b"nclx": 11, b"prof": 5, b"rICC": 5}

# Those that describe an item, which has one of each.
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
        method: what its places count from.
        places: offsets and lengths of its data.
        associations: the numbers of its properties, from 1; the highest of 16 bits says that a decoder has to know it.
    """

    kind: bytes = b""
    method: int = _IN_FILE
    places: list[Place] = field(default_factory=list)
    associations: list[int] = field(default_factory=list)


class Use(NamedTuple):
    """A reference to an item that is decoded.

    Args:
        item: the item.
        role: `dimg` for an input of a derived image such as a grid, `auxl` for alpha; empty for the primary image.
        of: the place of the other item in the list of uses.
    """

    item: Item
    role: bytes = b""
    of: int = 0


class Items:
    """The tables of items of a file.

    Raises:
        ImageRejectedError: a table does not end within its box, or has too many entries.
    """

    def __init__(self, data: bytes, boxes: Sequence[Box]) -> None:
        self._data = data
        self._items: defaultdict[int, Item] = defaultdict(Item)
        self._references: defaultdict[bytes, list[tuple[int, int]]] = defaultdict(list)
        # There is one of each table (ISO/IEC 23008-12, section 6.2); libavif refuses a second one.
        tables = {box.kind: box for box in reversed(boxes) if box.holder in {b"meta", b"iprp"}}
        self._inside_meta = tables.get(b"idat")
        self.properties = [box for box in boxes if box.holder == b"ipco"]
        for box in boxes:
            if box.kind == b"infe" and box.holder == b"iinf":
                self._read_entry(Table(data, box))
        if b"iloc" in tables:
            self._read_locations(Table(data, tables[b"iloc"]))
        if b"iref" in tables:
            self._read_references(Table(data, tables[b"iref"]))
        associations = [box for box in boxes if box.kind == b"ipma" and box.holder == b"iprp"]
        for box in associations:
            self._read_associations(Table(data, box))
        self._tables_are_plain = len(associations) == 1
        primary = _identifier(Table(data, tables[b"pitm"])) if b"pitm" in tables else None
        self._primary = primary if primary in self._items else None

    @property
    def have_primary(self) -> bool:
        """Whether the file says which item is its image."""
        return self._primary is not None

    @property
    def have_odd_properties(self) -> bool:
        """True if one of them, which may be that of an item that is not decoded, is odd."""
        return any(map(self.is_odd, self.properties))

    def decoded(self) -> list[Use]:
        """Return what is decoded for the primary image, which comes first; all items if none is primary.

        Raises:
            ImageRejectedError: there are too many references.
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
        for place, number in enumerate(numbers):  # which grow
            for other, role in used[number]:
                found.append(Use(self._items[other], role, place))
                numbers.append(other)
                left = _fewer(left, 1 + len(self._items[other].places))
        return found

    def is_premultiplied(self) -> bool:
        """Return True if the colours of the primary image are multiplied by its alpha."""
        return any(source == self._primary for source, _ in self._references[b"prem"])

    def associated(self, item: Item, kind: bytes) -> list[int]:
        """Return the associations of an item with properties of this type."""
        return [association for association in item.associations if self._kind_of(association) == kind]

    def _kind_of(self, association: int) -> bytes:
        place = (association & _NUMBER) - 1
        return self.properties[place].kind if 0 <= place < len(self.properties) else b""

    def properties_of(self, item: Item, kind: bytes) -> list[Box]:
        """Return the properties of an item that have this type and are not odd."""
        found = (self.properties[(association & _NUMBER) - 1] for association in self.associated(item, kind))
        return [box for box in found if not self.is_odd(box)]

    def is_alpha(self, item: Item) -> bool:
        """Return True if the item is the alpha of another one."""
        names = (self._data[box.start + 4 : box.end] for box in self.properties_of(item, b"auxC"))
        return any(name.split(b"\0", 1)[0] in _ALPHA for name in names)

    def are_plain(self, uses: Sequence[Use]) -> bool:
        """Return True if there is nothing in the tables that libavif could refuse a whole image for.

        That is: items that are not decoded, such as EXIF and gain maps, which it reads as well; an item with two uses;
        alpha without a size; properties in several tables, or not marked although decoders have to know them; and
        properties that are cut off, come twice, or contradict the coded data.
        """
        return (
            self._tables_are_plain
            and self._references.keys() <= _FOLLOWED
            and not self.have_odd_properties
            and len(uses) == len(self._items) == len({id(use.item) for use in uses})
            and all(own == self.complete(use, uses) for use in uses for own in [use.item.associations])
        )

    def complete(self, use: Use, uses: Sequence[Use]) -> list[int]:
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
            found.append(association | _ESSENTIAL if kind in _TO_BE_KNOWN else association)
        if use.role == b"auxl" and not self.associated(use.item, b"ispe"):
            found += self.associated(uses[0].item, b"ispe")[:1]
        return found

    def is_odd(self, box: Box) -> bool:
        """Return True if a property is too short for what it describes, or names colours in a way that is not known."""
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

    def every(self) -> list[Item]:
        """Return all items of the file, decoded or not."""
        return list(self._items.values())

    def places_of(self, item: Item) -> tuple[Place, ...]:
        """Return where the data of an item are in the file.

        Raises:
            ImageRejectedError: a part is outside of the file, or the data are in another item.
        """
        if item.method > _IN_META:
            unsupported("the image is made of bytes of its other items; save it as PNG or JPEG")
        start, end = 0, len(self._data)
        if item.method == _IN_META and self._inside_meta is not None:
            start, end = self._inside_meta.start, self._inside_meta.end
        moved = tuple((start + offset, length or max(0, end - start - offset)) for offset, length in item.places)
        if any(offset + length > end for offset, length in moved):
            corrupt("it is cut off")
        return moved

    def _read_entry(self, table: Table) -> None:
        if table.version < 2:  # noqa: PLR2004  the version from which items have types, and from 3 on ids of 32 bits
            return
        number = table.number(4 if table.version > 2 else 2)  # noqa: PLR2004  as above
        table.number(2)  # whether it is protected
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
            table.number(2)  # the file that it is in: this one
            base, parts = table.number(base_size), table.number(2)
            left = _fewer(left, 1 + parts)
            item.places = []
            for _ in range(parts):
                table.number(index_size)
                start = base + table.number(offset_size)
                item.places.append((start, table.number(length_size)))

    def _read_references(self, table: Table) -> None:
        wide = 4 if table.version else 2
        left = MAX_PARTS
        while table.position < table.end:
            table.number(4)
            kind = table.number(4).to_bytes(4)
            source, count = table.number(wide), table.number(2)
            left = _fewer(left, 1 + count)
            self._references[kind] += [(source, table.number(wide)) for _ in range(count)]

    def _read_associations(self, table: Table) -> None:
        wide = table.flags & 1
        left = MAX_PARTS
        for _ in range(table.number(4)):
            item = self._items[_identifier(table)]
            count = table.number(1)
            left = _fewer(left, 1 + count)
            for _ in range(count):
                value = table.number(2 if wide else 1)
                item.associations.append(value if wide else (value & 128) << 8 | value & 127)


def _identifier(table: Table) -> int:
    """Read the id of an item, which has 32 bits since version 1."""
    return table.number(4 if table.version else 2)


def _fewer(left: int, parts: int) -> int:
    if parts > left:
        corrupt("its images have too many parts")
    return left - parts
