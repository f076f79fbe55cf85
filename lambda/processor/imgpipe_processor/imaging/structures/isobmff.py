"""AVIF and HEIC: what the boxes of ISO/IEC 23008-12 tell of the images inside, and what these really are."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from .av1 import Coded, coded_in
from .boxes import Box, boxes_in, frames_in, items_of, samples_in
from .structure import Structure, corrupt, refuse_empty_end, refuse_exif_beyond

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})

# An image and its alpha, or gain map, may each be coded as a grid of tiles, and there are thumbnails.
_TIMES_CODED = 4
_TILE_PX = 64 * 64  # the smallest tile, of which a grid may show less than all

# The last bit of coded data is a one, in AV1 as in HEVC; there may be some padding.
_EMPTY_BYTES = 64

# Chroma formats (ITU-T H.265, table 6-1): samples of a pixel in all planes.
_PLANES = (1.0, 1.5, 2.0, 3.0)


def brand_of(data: bytes) -> str | None:
    """`AVIF` or `HEIF`, if the file says it is one; other films and pictures of this container are neither."""
    if data[4:8] != b"ftyp":
        return None
    length = min(int.from_bytes(data[:4]), 4096)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, length, 4))}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIF" if brands & _HEIC_BRANDS else None


def read_avif(data: bytes, max_frames: int) -> Structure:
    """See whether all boxes are there, how large the largest image in them is, and what its coded data really hold.

    Raises:
        ImageRejectedError: a box is cut off, none tells a size, or the data hold much more than they tell of.
    """
    boxes = boxes_in(data)
    frames = frames_in(data, boxes)
    if frames > max_frames:
        return Structure("AVIF", 1, 1, 0, frames)  # which is refused for them
    refuse_exif_beyond(sum(length for places in items_of(data, boxes, b"Exif") for _, length in places))
    images = [list(_coded(data, places)) for places in items_of(data, boxes, b"av01")]
    tracks = [coded for place in samples_in(data, boxes) for coded in _coded(data, [place])]
    coded = [*tracks, *(each for image in images for each in image)]
    width, height = _largest([*_told(data, boxes), *((each.width, each.height) for each in coded)])
    pixels = sum(max((each.width * each.height for each in image), default=0) for image in images)
    if pixels > _TIMES_CODED * (width * height + _TILE_PX):
        corrupt("the parts of its images are larger than they are")
    pixel_bytes = _avif_pixel_bytes(data, boxes, coded)
    decoded_bytes = pixel_bytes * width * height + 2 * len(data)  # the decoder holds copies of the source of its own
    return Structure("AVIF", width, height, decoded_bytes, max(1, frames), colours=_colours(data, boxes))


def read_heif(data: bytes, _max_frames: int) -> Structure:
    """See whether all boxes are there, and how large the largest image in them is.

    Raises:
        ImageRejectedError: a box is cut off, or none tells a size.
    """
    boxes = boxes_in(data)
    for places in items_of(data, boxes, b"hvc1"):
        _refuse_empty_end(data, places)
    width, height = _largest(_told(data, boxes))
    decoded_bytes = _heif_pixel_bytes(data, boxes) * width * height + 2 * len(data)
    return Structure("HEIF", width, height, decoded_bytes, colours=_colours(data, boxes))


def _coded(data: bytes, places: Sequence[tuple[int, int]]) -> list[Coded]:
    _refuse_empty_end(data, places)
    return list(coded_in(b"".join(data[start : start + length] for start, length in places)))


def _refuse_empty_end(data: bytes, places: Sequence[tuple[int, int]]) -> None:
    for start, length in places[-1:]:
        if length > _EMPTY_BYTES:
            refuse_empty_end(data, start + length, _EMPTY_BYTES)


def _told(data: bytes, boxes: list[Box]) -> list[tuple[int, int]]:
    return [struct.unpack_from(">II", data, box.start + 4) for box in boxes if box.kind == b"ispe"]


def _largest(sizes: list[tuple[int, int]]) -> tuple[int, int]:
    if not sizes:
        corrupt("no image in it has a size")
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    if not (width and height):
        corrupt("the image's size is zero")
    return width, height


def _colours(data: bytes, boxes: list[Box]) -> tuple[int, int] | None:
    """The first are the image's, others of what it uses."""
    named = (box for box in boxes if box.kind == b"colr" and data[box.start : box.start + 4] == b"nclx")
    return next((struct.unpack_from(">HH", data, box.start + 4) for box in named), None)


def _has_alpha(data: bytes, boxes: list[Box]) -> bool:
    """Whether there is an auxiliary image of alpha, by its name in ISO/IEC 23000-22 or in H.265; or a second track."""
    names = [data[box.start : box.end] for box in boxes if box.kind == b"auxC"]
    return (
        any(b"alpha" in name or b"auxid:1" in name for name in names) or [box.kind for box in boxes].count(b"trak") > 1
    )


def _avif_pixel_bytes(data: bytes, boxes: list[Box], coded: list[Coded]) -> float:
    """What decoding takes of a pixel: measured 9.1 in 4:2:0 of 8 bits, 10.7 in 4:4:4; 10.9 and 14.2 of 10 or 12 bits.

    Alpha takes 2.5 more, and 3.5 with more than 8 bits. The tiles of a grid are held beside the image.
    """
    planes, deep = max((each.planes for each in coded), default=3), any(each.deep for each in coded)
    alpha = _has_alpha(data, boxes)
    pixel_bytes = 7.5 + (2.25 if deep else 1.1) * planes + (3.5 if deep else 2.5) * alpha
    if any(b"grid" in data[box.start : box.end] for box in boxes if box.kind == b"infe"):
        pixel_bytes += (2 if deep else 1) * (planes + alpha)
    return pixel_bytes


def _heif_pixel_bytes(data: bytes, boxes: list[Box]) -> float:
    """What decoding takes of a pixel: measured 7.8 in 4:2:0 of 8 bits, 8.8 in 4:4:4, 14.8 in 4:4:4 of 10 bits.

    Alpha takes 3.2 more, and 5.2 with more than 8 bits.
    """
    # H.265's decoder configuration (ISO/IEC 14496-15, section 8.3.3.1) names them 16 bytes in.
    configured = [data[box.start + 16 : box.start + 18] for box in boxes if box.kind == b"hvcC"]
    planes = max((_PLANES[chroma & 3] for chroma, _ in configured), default=3)
    deep = any(depth & 7 for _, depth in configured)
    pixel_bytes = (5.9 + 1.4 * planes) * (1.5 if deep else 1)
    return pixel_bytes + (5.5 if deep else 3.3) * _has_alpha(data, boxes)
