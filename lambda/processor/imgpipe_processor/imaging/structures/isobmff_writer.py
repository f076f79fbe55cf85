"""Rebuild an AVIF or HEIC: new tables for the same coded data.

A decoder may reject a file, or read it as a sequence, although its primary image is whole.
"""

from __future__ import annotations

import struct
from collections import defaultdict

from .heif_items import Items, Use
from .isobmff_boxes import Box, Extent
from .structure import corrupt

_HANDLER = bytes(8) + b"pict" + bytes(12 + 1)  # ISO/IEC 14496-12, section 8.4.3: no name


def rebuild_file(data: bytes, items: Items, brands: bytes) -> bytes:
    """Return a file of the primary image only: each use of an item is a separate item, and alpha has a size.

    The tables precede the bytes of the old file, all of which are media data of the new one.

    Args:
        data: the file.
        items: its items.
        brands: the content of the first box of the new file.

    Raises:
        ImageRejectedError: a used item is not whole, or the image has no properties.
    """
    if not items.properties:
        corrupt("no image in the file has a size")
    uses = items.decoded_items()
    extents = [items.extents_of(use.item) for use in uses]
    properties = _box(b"ipco", *(_property(data, items, box) for box in items.properties))
    other_boxes = (
        _box(b"hdlr", _HANDLER)
        + _box(b"pitm", bytes(4), struct.pack(">H", 1))
        + _entries(uses)
        + _references(uses, premultiplied=items.is_premultiplied())
        + _box(b"iprp", properties, _associations(items, uses))
    )
    file_type, media = _box(b"ftyp", brands), struct.pack(">I4s", 8 + len(data), b"mdat")
    moved = len(file_type) + len(_meta(other_boxes, extents, 0)) + len(media)
    return b"".join((file_type, _meta(other_boxes, extents, moved), media, data))


def _meta(other_boxes: bytes, extents: list[tuple[Extent, ...]], moved: int) -> bytes:
    located = b""
    for number, parts in enumerate(extents, 1):
        numbers = (value for start, length in parts for value in (start + moved, length))
        located += struct.pack(f">HHH{2 * len(parts)}I", number, 0, len(parts), *numbers)
    return _box(
        b"meta", bytes(4), other_boxes, _box(b"iloc", bytes(4), b"\x44\0", struct.pack(">H", len(extents)), located)
    )


def _property(data: bytes, items: Items, box: Box) -> bytes:
    """Return a property; an odd one becomes free space, so that the numbers of the others do not change."""
    return _box(b"free" if items.is_odd(box) else box.kind, data[box.start : box.end])


def _entries(uses: list[Use]) -> bytes:
    entries = (
        _box(b"infe", b"\2\0\0\0", struct.pack(">HH", number, 0), use.item.kind, b"\0")
        for number, use in enumerate(uses, 1)
    )
    return _box(b"iinf", bytes(4), struct.pack(">H", len(uses)), *entries)


def _references(uses: list[Use], *, premultiplied: bool) -> bytes:
    references, inputs = [], defaultdict(list)
    for number, use in enumerate(uses, 1):
        if use.role == b"dimg":
            inputs[use.target + 1].append(number)
        elif use.role == b"auxl":
            references.append(_box(b"auxl", struct.pack(">HHH", number, 1, use.target + 1)))
            if premultiplied and use.target == 0:
                references.append(_box(b"prem", struct.pack(">HHH", 1, 1, number)))
    for source, targets in inputs.items():
        references.append(_box(b"dimg", struct.pack(f">HH{len(targets)}H", source, len(targets), *targets)))
    return _box(b"iref", bytes(4), *references)


def _associations(items: Items, uses: list[Use]) -> bytes:
    written = []
    for number, use in enumerate(uses, 1):
        associations = items.completed_associations(use, uses)
        written.append(struct.pack(f">HB{len(associations)}H", number, len(associations), *associations))
    return _box(b"ipma", b"\0\0\0\1", struct.pack(">I", len(uses)), *written)


def _box(kind: bytes, *inside: bytes) -> bytes:
    data = b"".join(inside)
    return struct.pack(">I4s", 8 + len(data), kind) + data
