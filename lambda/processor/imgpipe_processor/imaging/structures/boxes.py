"""The boxes of ISO/IEC 14496-12 and 23008-12: which there are, and where they say that coded pictures lie."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from .structure import corrupt

MAX_BOXES = 20_000

# Images, and the places that they lie at; a place may be told of in no bytes at all.
MAX_PARTS = 20_000

# Which boxes are looked into, inside of which, and how many bytes come before the first one in them: version and flags,
# or a count as well.
_INSIDE: dict[bytes, dict[bytes, int]] = {
    b"": {b"meta": 4, b"moov": 0},
    b"meta": {b"iprp": 0, b"iinf": 6},
    b"iprp": {b"ipco": 0},
    b"moov": {b"trak": 0},
    b"trak": {b"mdia": 0},
    b"mdia": {b"minf": 0},
    b"minf": {b"stbl": 0},
}

# Items may share bytes of the file; all of them together have no more than so many times its size.
_SHARED = 2

_IN_FILE, _IN_META = 0, 1  # what offsets of items count from: the file, or the data of the box `idat`

Place = tuple[int, int]


class Box(NamedTuple):
    """A box: its type, and where its data begin and end."""

    kind: bytes
    start: int
    end: int


def boxes_in(data: bytes) -> list[Box]:
    """Every box of the file that tells of images, those that hold others before what they hold.

    Raises:
        ImageRejectedError: one is cut off, or there are too many.
    """
    found: list[Box] = []
    _collect(data, b"", 0, len(data), found)
    return found


def _collect(data: bytes, holder: bytes, position: int, end: int, found: list[Box]) -> None:
    while position + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, position)
        start = position + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, start)
            start += 8
        elif length == 0:  # to the end of the file
            length = end - position
        if length < start - position or position + length > end:
            corrupt("it is cut off")
        if len(found) >= MAX_BOXES:
            corrupt("it has too many boxes")
        position += length
        found.append(Box(kind, start, position))
        before = _INSIDE.get(holder, {}).get(kind)
        if before is not None:
            wide = kind == b"iinf" and data[start] > 0  # whose count has 32 bits since version 1
            _collect(data, kind, start + before + 2 * wide, position, found)


def items_of(data: bytes, boxes: list[Box], kind: bytes) -> Iterator[list[Place]]:
    """Where the parts of every item of this type lie.

    Raises:
        ImageRejectedError: one lies outside of the file, or all together are much larger than it.
    """
    wanted = {_item_id(data, box) for box in boxes if box.kind == b"infe" and _item_type(data, box) == kind}
    inside_meta = next((box.start for box in boxes if box.kind == b"idat"), 0)
    left = _SHARED * len(data)
    for box in boxes:
        if box.kind != b"iloc":
            continue
        for item_id, method, places in _locations(data, box):
            origin = inside_meta if method == _IN_META else 0
            moved = [(origin + start, length or len(data) - origin - start) for start, length in places]
            left -= sum(length for _, length in moved)
            if left < 0 or any(start + length > len(data) for start, length in moved):
                corrupt("it is cut off")
            if item_id in wanted:
                yield moved


def _item_id(data: bytes, box: Box) -> int:
    wide = data[box.start] > 2  # noqa: PLR2004  the version from which ids have 32 bits
    return int.from_bytes(data[box.start + 4 : box.start + (8 if wide else 6)])


def _item_type(data: bytes, box: Box) -> bytes:
    at = box.start + (10 if data[box.start] > 2 else 8)  # noqa: PLR2004  as above
    return data[at : at + 4]


def _locations(data: bytes, box: Box) -> Iterator[tuple[int, int, list[Place]]]:
    """The id of every item, what its offsets count from, and its parts."""
    version, (sizes, more_sizes) = data[box.start], data[box.start + 4 : box.start + 6]
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, more_sizes >> 4
    index_size = more_sizes & 15 if version else 0
    wide = version > 1
    position = box.start + 6

    def number(size: int) -> int:
        nonlocal position
        if position + size > box.end:
            corrupt("it is cut off")
        position += size
        return int.from_bytes(data[position - size : position])

    left = MAX_PARTS
    for _ in range(number(4 if wide else 2)):
        item_id = number(4 if wide else 2)
        method = number(2) & 15 if version else _IN_FILE
        number(2)  # the file that it lies in: this one
        base, parts = number(base_size), number(2)
        left -= 1 + parts
        if left < 0:
            corrupt("its images have too many parts")
        places = []
        for _ in range(parts):
            number(index_size)
            start = base + number(offset_size)
            places.append((start, number(length_size)))
        yield item_id, method, places


def frames_in(data: bytes, boxes: list[Box]) -> int:
    """How many frames the longest track has; 0 where there is none."""
    counts = [struct.unpack_from(">I", data, box.start + 8)[0] for box in boxes if box.kind == b"stsz"]
    return max(counts, default=0)


def samples_in(data: bytes, boxes: list[Box]) -> Iterator[Place]:
    """Where the frames of every track lie; call it for files of few frames only.

    Raises:
        ImageRejectedError: the tables that tell of them do not fit the file.
    """
    track: dict[bytes, Box] = {}
    for box in [*boxes, Box(b"trak", 0, 0)]:
        if box.kind == b"trak":
            if track:
                yield from _samples(data, track)
            track = {}
        elif box.kind in {b"stsz", b"stsc", b"stco", b"co64"}:
            track[box.kind] = box


def _samples(data: bytes, track: dict[bytes, Box]) -> Iterator[Place]:
    chunks = track.get(b"stco") or track.get(b"co64")
    if chunks is None or not {b"stsz", b"stsc"} <= track.keys():
        corrupt("a track tells of no frames")
    same, frames = struct.unpack_from(">II", data, track[b"stsz"].start + 4)
    sizes = iter([same] * frames if same else _numbers(data, track[b"stsz"], 12, "I", frames, frames))
    (runs,) = struct.unpack_from(">I", data, track[b"stsc"].start + 4)
    first_and_more = _numbers(data, track[b"stsc"], 8, "I", 3 * runs, 3 * frames)
    per_chunk = dict(zip(first_and_more[::3], first_and_more[1::3], strict=True))
    (count,) = struct.unpack_from(">I", data, chunks.start + 4)
    samples = 0
    starts = _numbers(data, chunks, 8, "I" if chunks.kind == b"stco" else "Q", count, frames)
    for number, position in enumerate(starts, 1):
        samples, start = per_chunk.get(number, samples), position
        for size in islice(sizes, samples):
            if start + size > len(data):
                corrupt("it is cut off")
            yield start, size
            start += size


def _numbers(data: bytes, box: Box, before: int, code: str, count: int, most: int) -> tuple[int, ...]:
    """A table of a box; there are at most so many numbers in one that makes sense."""
    if count > most or box.start + before + count * struct.calcsize(code) > box.end:
        corrupt("a track in it makes no sense")
    return struct.unpack_from(f">{count}{code}", data, box.start + before)
