"""AVIF files of several items, built by hand: coded data of Pillow in new tables (ISO/IEC 23008-12)."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass, field

from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.hostile.boxes import box, file_type, size

ALPHA = box(b"auxC", bytes(4), b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")


@dataclass
class Item:
    """An item; `place` replaces the extent of its data by one outside of the file or without bytes."""

    kind: bytes
    data: bytes = b""
    properties: list[bytes] = field(default_factory=list)
    references: list[tuple[bytes, list[int]]] = field(default_factory=list)
    place: tuple[int, int] | None = None


def coded(image, **options):
    """Return the coded data of an image, and the property that configures its decoder."""
    data = encoded(image, "AVIF", **{"quality": 100, "subsampling": "4:4:4", **options})
    start, configuration = data.index(b"mdat") + 4, data.index(b"av1C") - 4
    length = struct.unpack_from(">I", data, start - 8)[0] - 8
    return data[start : start + length], data[configuration : configuration + 12]


def image_item(image, *more, references=(), **options):
    data, configuration = coded(image, **options)
    return Item(b"av01", data, [size(*image.size), configuration, *more], list(references))


def grid(columns, rows, width, height, tiles):
    """Return a grid image of the items with these numbers."""
    layout = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)
    return Item(b"grid", layout, [size(width, height)], [(b"dimg", tiles)])


def avif(*items, after=b"", tables_of_properties=1, media_claims=0):
    """Return a file of these items, numbered from 1; the first is primary, and equal data are stored once."""
    distinct = dict.fromkeys(item.data for item in items)
    media = b"".join(distinct)
    offsets = dict(zip(distinct, itertools.accumulate(map(len, distinct), initial=0), strict=False))
    properties = list(dict.fromkeys(each for item in items for each in item.properties))
    entries = [
        box(b"infe", b"\2\0\0\0", struct.pack(">HH", number, 0), item.kind, b"\0" + b"application/rdf+xml\0")
        for number, item in enumerate(items, 1)
    ]
    references = [
        box(kind, struct.pack(f">HH{len(targets)}H", number, len(targets), *targets))
        for number, item in enumerate(items, 1)
        for kind, targets in item.references
    ]

    def associated(some):
        rows = [(number, [1 + properties.index(each) for each in item.properties]) for number, item in some]
        written = b"".join(struct.pack(f">HB{len(row)}B", number, len(row), *row) for number, row in rows)
        return box(b"ipma", bytes(4), struct.pack(">I", len(rows)), written)

    def meta(moved):
        places = [item.place or (moved + offsets[item.data], len(item.data)) for item in items]
        located = b"".join(struct.pack(">HHHII", number, 0, 1, *place) for number, place in enumerate(places, 1))
        numbered = list(enumerate(items, 1))
        return box(
            b"meta",
            bytes(4),
            box(b"hdlr", bytes(8), b"pict", bytes(13)),
            box(b"pitm", bytes(4), b"\0\1"),
            box(b"iloc", bytes(4), b"\x44\0", struct.pack(">H", len(items)), located),
            box(b"iinf", bytes(4), struct.pack(">H", len(items)), *entries),
            box(b"iref", bytes(4), *references),
            box(
                b"iprp",
                box(b"ipco", *properties),
                *(associated(numbered[start::tables_of_properties]) for start in range(tables_of_properties)),
            ),
        )

    head = file_type()
    stored = struct.pack(">I4s", 8 + len(media) + media_claims, b"mdat") + media
    return head + meta(len(head) + len(meta(0)) + 8) + stored + after
