"""AVIF and HEIC: the boxes of ISO/IEC 14496-12 and 23008-12 that tell what is inside and how large."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .structure import Structure, corrupt

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})

# Planes of 16 bits at full resolution, alpha among them, what the decoder refers to, and the image in two copies.
PIXEL_BYTES = 24

# Deep enough for sizes and colours, which lie in meta/iprp/ipco.
_INSIDE = {b"meta": 4, b"iprp": 0, b"ipco": 0}  # bytes before the first box in it: version and flags

MAX_BOXES = 20_000


def brand_of(data: bytes) -> str | None:
    """`AVIF` or `HEIF`, if the file says it is one; other films and pictures of this container are neither."""
    if data[4:8] != b"ftyp":
        return None
    length = min(int.from_bytes(data[:4]), 4096)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, length, 4))}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIF" if brands & _HEIC_BRANDS else None


def read_avif(data: bytes, _max_frames: int) -> Structure:
    """See whether all boxes are there, and how large the largest image in them is.

    Raises:
        ImageRejectedError: a box is cut off, or none tells a size.
    """
    return _read("AVIF", data)


def read_heif(data: bytes, _max_frames: int) -> Structure:
    """See `read_avif`."""
    return _read("HEIF", data)


def _read(name: str, data: bytes) -> Structure:
    sizes, colours = [], None
    for kind, start in _properties(data, 0, len(data), [MAX_BOXES]):
        if kind == b"ispe":
            sizes.append(struct.unpack_from(">II", data, start + 4))
        elif colours is None and data[start : start + 4] == b"nclx":  # the first is the image's, others of what it uses
            colours = struct.unpack_from(">HH", data, start + 4)
    if not sizes:
        corrupt("no image in it has a size")
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    if not (width and height):
        corrupt("the image's size is zero")
    return Structure(name, width, height, PIXEL_BYTES * width * height, colours=colours)


def _properties(data: bytes, position: int, end: int, left: list[int]) -> Iterator[tuple[bytes, int]]:
    """The sizes and colours of all images in it: the type of the box, and where its data begin."""
    while position + 8 <= end:
        left[0] -= 1
        if not left[0]:
            corrupt("it has too many boxes")
        length, kind = struct.unpack_from(">I4s", data, position)
        start = position + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, start)
            start += 8
        elif length == 0:  # to the end of the file
            length = end - position
        if length < start - position or position + length > end:
            corrupt("it is cut off")
        if kind in {b"ispe", b"colr"}:
            yield kind, start
        elif kind in _INSIDE:
            yield from _properties(data, start + _INSIDE[kind], position + length, left)
        position += length
