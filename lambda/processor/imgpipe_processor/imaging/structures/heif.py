"""AVIF and HEIC: the images that the boxes of ISO/IEC 23008-12 declare, and the images that the coded data contain."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress

from imgpipe_processor.failures import ImageRejectedError

from .av1 import SequenceHeader, sequence_headers
from .heif_items import Items, Use
from .isobmff_boxes import META, MOVIE, Box, Extent, read_boxes
from .isobmff_tracks import Track, count_frames, frame_extents, image_tracks
from .isobmff_writer import rebuild_file
from .structure import Structure, corrupt, reject_empty_end, reject_large_exif, too_large, unsupported

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
# The items that libavif decodes: coded images and grids of them. An item without an entry in the table has no type.
_DECODED = frozenset({b"av01", b"grid", b""})

_STILL_BRAND, _SEQUENCE_BRAND = b"avif", b"avis"
_PLAIN_FILE_TYPE = _STILL_BRAND + bytes(4) + b"avifmif1miaf"

# An image and its alpha may each be coded as a grid of tiles.
_TIMES_CODED = 4
_TILE_PX = 64 * 64  # the smallest tile; a grid may show only a part of it

# Tiles may share coded data: different extents have at most so many times the bytes of the file. For all references to
# them a decoder reads no more than that and the size of the pixels: three samples and alpha of 12 bits are 6 bytes
# uncoded.
_OVERLAPPING = 2
_CODED_BYTES_OF_PIXEL = 8

# The last bit of coded data is a one, in AV1 as in HEVC; there may be some padding.
_EMPTY_BYTES = 64

# A file's first box has about as many bytes, and coded data never contain them by chance.
_HEAD_BYTES = 32

# Chroma formats (ITU-T H.265, table 6-1): samples of a pixel in all planes.
_PLANES = (1.0, 1.5, 2.0, 3.0)


def brand_of(data: bytes) -> str | None:
    """Return `AVIF` or `HEIF` if the file declares it; None for other videos and images of this container."""
    if data[4:8] != b"ftyp":
        return None
    length = min(int.from_bytes(data[:4]), 4096)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, length, 4))}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIF" if brands & _HEIC_BRANDS else None


def read_avif(data: bytes, max_frames: int) -> Structure:
    """Read the size of the image, and check that all of its coded data are in the file.

    A sequence that is damaged or has more than `max_frames` frames is read as its still image, if it has one.

    Raises:
        ImageRejectedError: coded data of the image are missing or damaged, or have far more pixels than the image; or
            it is a sequence of more frames without a still image.
    """
    boxes = read_boxes(data, META)
    items = Items(data, boxes)
    if not _is_sequence(data, boxes, items):
        return _still(data, items, 1)
    frames = 1
    try:
        tracks = image_tracks(read_boxes(data, MOVIE))
        frames = max(1, count_frames(data, tracks))
        if frames <= max_frames:
            return _sequence(data, items, tracks, frames)
    except (ImageRejectedError, struct.error):
        if not items.has_primary:
            raise
    if not items.has_primary:
        # libavif's time for the tables of a sequence grows with the square of its frames.
        too_large(f"the AVIF has more than {max_frames:,} frames and no still image; save its first frame as an image")
    return _still(data, items, frames, of_sequence=True)


def read_heif(data: bytes, _max_frames: int) -> Structure:
    """Read the size of the image, and check that all of its coded data are in the file.

    Raises:
        ImageRejectedError: coded data of the image are missing, or no size is declared.
    """
    items = Items(data, read_boxes(data, META))
    uses = items.decoded_items()
    extents = _extents(items, uses)
    _reject_overlaps(data, extents)
    for parts in {parts for use, parts in zip(uses, extents, strict=True) if use.item.kind == b"hvc1"}:
        _reject_foreign(data, parts)
    width, height = _largest(_sizes(data, items, uses))
    decoded_bytes = _heif_pixel_bytes(data, items, uses) * width * height + _copied_bytes(data, extents, width * height)
    decodable = None
    if items.has_primary and (items.has_odd_properties or _is_any_cut_off(items)):
        decodable = rebuild_file(data, items, data[8 : int.from_bytes(data[:4])])
        decoded_bytes += len(decodable)
    return Structure("HEIF", width, height, decoded_bytes, colours=_colours(data, items, uses), decodable=decodable)


def _is_sequence(data: bytes, boxes: Sequence[Box], items: Items) -> bool:
    """Return True if libavif decodes a track: as the major brand declares, or if there is one."""
    if data[8:12] == _STILL_BRAND and items.has_primary:
        return False
    return data[8:12] == _SEQUENCE_BRAND or any(box.kind == MOVIE for box in boxes)


def _still(data: bytes, items: Items, frames: int, *, of_sequence: bool = False) -> Structure:
    reject_large_exif(_exif_bytes(items))
    uses = items.decoded_items()
    if items.has_primary and any(use.item.kind not in _DECODED for use in uses):
        unsupported("the AVIF is made of other images in a way that is not supported; save it as PNG or JPEG")
    extents = _extents(items, uses)
    _reject_overlaps(data, extents)
    of_images = [parts for use, parts in zip(uses, extents, strict=True) if use.item.kind == b"av01"]
    coded = {parts: _coded(data, parts) for parts in dict.fromkeys(of_images)}
    images = [coded[parts] for parts in of_images]
    found = [each for image in coded.values() for each in image]
    width, height = _largest([*_sizes(data, items, uses), *((each.width, each.height) for each in found)])
    pixels = sum(max((each.width * each.height for each in image), default=0) for image in images)
    if pixels > _TIMES_CODED * (width * height + _TILE_PX):
        corrupt("the parts of the image have more pixels or bytes than the image")
    pixel_bytes = _avif_pixel_bytes(
        found, alpha=_has_alpha(items, uses), grid=any(use.item.kind == b"grid" for use in uses)
    )
    decoded_bytes = pixel_bytes * width * height + _copied_bytes(data, extents, width * height)
    decodable = None
    if items.has_primary and (of_sequence or not items.need_no_rebuild(uses)):
        decodable = rebuild_file(data, items, _PLAIN_FILE_TYPE)
        decoded_bytes += len(decodable)
    colours = _colours(data, items, uses) or next((each.colours for image in images for each in image), None)
    return Structure("AVIF", width, height, decoded_bytes, frames, colours=colours, decodable=decodable)


def _sequence(data: bytes, items: Items, tracks: Sequence[Track], frames: int) -> Structure:
    if not tracks:
        corrupt("no track in the file has frames")
    coded = [each for track in tracks for place in frame_extents(data, track) for each in _coded(data, [place])]
    uses = items.decoded_items()
    width, height = _largest([*_sizes(data, items, uses), *((each.width, each.height) for each in coded)])
    pixel_bytes = _avif_pixel_bytes(coded, alpha=len(tracks) > 1, grid=False)
    decoded_bytes = pixel_bytes * width * height + 2 * len(data)  # the decoder keeps copies of the source
    colours = _colours(data, items, uses) or next((each.colours for each in coded), None)
    return Structure("AVIF", width, height, decoded_bytes, frames, colours=colours)


def _extents(items: Items, uses: Sequence[Use]) -> list[tuple[Extent, ...]]:
    """Return the extents of the data of each use of an item; the same tuple for the same item."""
    by_item: dict[int, tuple[Extent, ...]] = {}
    for use in uses:
        if id(use.item) not in by_item:
            by_item[id(use.item)] = items.extents_of(use.item)
    return [by_item[id(use.item)] for use in uses]


def _copied_bytes(data: bytes, extents: Sequence[tuple[Extent, ...]], pixels: int) -> int:
    """Return the bytes that decoders copy of a file: twice all of it, or more if items of several parts are shared.

    Raises:
        ImageRejectedError: far more bytes are read than the file or its pixels have.
    """
    read = sum(_length(parts) for parts in extents)
    if read > _OVERLAPPING * len(data) + _CODED_BYTES_OF_PIXEL * pixels:
        corrupt("the parts of the image have more pixels or bytes than the image")
    return len(data) + max(len(data), sum(_length(parts) for parts in extents if len(parts) > 1))


def _reject_overlaps(data: bytes, extents: Sequence[tuple[Extent, ...]]) -> None:
    """Reject items that have far more bytes than the file, each counted once, before any of them is read."""
    if sum(_length(parts) for parts in set(extents)) > _OVERLAPPING * len(data):
        corrupt("the parts of the image have more pixels or bytes than the image")


def _length(extents: Iterable[Extent]) -> int:
    return sum(length for _, length in extents)


def _exif_bytes(items: Items) -> int:
    """Return the bytes of EXIF in the file; EXIF outside of the file counts as none."""
    found = 0
    for item in (item for item in items.all_items() if item.kind == b"Exif"):
        with suppress(ImageRejectedError):
            found += _length(items.extents_of(item))
    return found


def _is_any_cut_off(items: Items) -> bool:
    """Return True if an item is not in the file: libheif reads EXIF and XMP with the image."""
    try:
        for item in items.all_items():
            items.extents_of(item)
    except ImageRejectedError:
        return True
    return False


def _coded(data: bytes, extents: Sequence[Extent]) -> list[SequenceHeader]:
    _reject_foreign(data, extents)
    return list(sequence_headers(b"".join(data[start : start + length] for start, length in extents)))


def _reject_foreign(data: bytes, extents: Sequence[Extent]) -> None:
    """Reject coded data that end in space that was never written, or in which the file begins again."""
    head = data[: max(16, min(int.from_bytes(data[:4]), _HEAD_BYTES))]
    if any(data.find(head, start, start + length) >= 0 for start, length in extents):
        corrupt("the file begins again in the middle of its data")
    for start, length in extents[-1:]:
        if length > _EMPTY_BYTES:
            reject_empty_end(data, start + length, _EMPTY_BYTES)


def _sizes(data: bytes, items: Items, uses: Sequence[Use]) -> list[tuple[int, int]]:
    """Return the sizes of the decoded items, or all sizes if none is known to belong to them."""
    own_boxes = [box for use in uses for box in items.properties_of(use.item, b"ispe")]
    boxes = own_boxes or [box for box in items.properties if box.kind == b"ispe" and not items.is_odd(box)]
    return [struct.unpack_from(">II", data, box.start + 4) for box in boxes]


def _largest(sizes: list[tuple[int, int]]) -> tuple[int, int]:
    if not sizes:
        corrupt("no image in the file has a size")
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    if not (width and height):
        corrupt("the image's size is zero")
    return width, height


def _colours(data: bytes, items: Items, uses: Sequence[Use]) -> tuple[int, int] | None:
    """Return the colours that a box names for the image or its tiles; they outrank those of the coded data.

    Source: ISO/IEC 23000-22, section 7.3.6.4.
    """
    for use in uses:
        if use.role != b"auxl":
            for box in items.properties_of(use.item, b"colr"):
                if data[box.start : box.start + 4] == b"nclx":
                    return struct.unpack_from(">HH", data, box.start + 4)
    return None


def _has_alpha(items: Items, uses: Sequence[Use]) -> bool:
    return any(items.is_alpha(use.item) for use in uses)


def _avif_pixel_bytes(coded: Sequence[SequenceHeader], *, alpha: bool, grid: bool) -> float:
    """Return the bytes per pixel of decoding.

    Measured: 9.1 in 4:2:0 of 8 bits, 10.7 in 4:4:4; 10.9 and 14.2 of 10 or 12 bits. Alpha needs 2.5 more, and 3.5 with
    more than 8 bits. The tiles of a grid are in memory in addition to the image.
    """
    planes, deep = max((each.planes for each in coded), default=3), any(each.deep for each in coded)
    pixel_bytes = 7.5 + (2.25 if deep else 1.1) * planes + (3.5 if deep else 2.5) * alpha
    if grid:
        pixel_bytes += (2 if deep else 1) * (planes + alpha)
    return pixel_bytes


def _heif_pixel_bytes(data: bytes, items: Items, uses: Sequence[Use]) -> float:
    """Return the bytes per pixel of decoding.

    Measured: 7.8 in 4:2:0 of 8 bits, 8.8 in 4:4:4, 14.8 in 4:4:4 of 10 bits. Alpha needs 3.2 more, and 5.2 with more
    than 8 bits.
    """
    # H.265's decoder configuration (ISO/IEC 14496-15, section 8.3.3.1) names them 16 bytes in.
    configured = [data[box.start + 16 : box.start + 18] for box in items.properties if box.kind == b"hvcC"]
    planes = max((_PLANES[chroma & 3] for chroma, _ in configured), default=3)
    deep = any(depth & 7 for _, depth in configured)
    pixel_bytes = (5.9 + 1.4 * planes) * (1.5 if deep else 1)
    return pixel_bytes + (5.5 if deep else 3.3) * _has_alpha(items, uses)
