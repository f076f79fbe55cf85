"""The first image of a TIFF: the values of its directory, and the check of its bytes ("TIFF Revision 6.0").

Only the entries that the image needs are read. The decoder reads a new directory that is written from them. So nothing
else in a file can make the decoder reject its image, and no decoder reads the original directory.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from .structure import corrupt, unsupported
from .tiff_directory_reader import Directory, Layout
from .tiff_pixel_format import PLANES_IN_RGBA, PixelFormat, read_pixel_format
from .tiff_tags import (
    CCITT,
    COMPRESSION,
    DNG_VERSION,
    FILL_ORDER,
    GROUP_4,
    HEIGHT,
    JPEG,
    ORIENTATION,
    PREDICTED,
    PREDICTOR,
    READ_TAGS,
    ROWS_PER_STRIP,
    STRIP_BYTES,
    STRIP_OFFSETS,
    SUB_DIRECTORIES,
    SUBFILE_TYPE,
    SUBSAMPLING,
    TILE_BYTES,
    TILE_HEIGHT,
    TILE_OFFSETS,
    TILE_WIDTH,
    UNCOMPRESSED,
    WIDTH,
    YCBCR,
)

# None, CCITT, Group 3 and 4, LZW, JPEG, Deflate (two names), PackBits: the formats that scanners and editors write.
# libtiff supports a dozen more, which are rare, and each is another decoder to trust.
_COMPRESSIONS = PREDICTED | CCITT | {UNCOMPRESSED, JPEG, 32773}

_REDUCED = 1  # NewSubfileType: a smaller copy of another image in the file
_CANON_RAW = b"CR"
_LAST_BIT_FIRST = 2  # FillOrder
_END_OF_JPEG = b"\xff\xd9"
_ORIENTATIONS = range(1, 9)


class Parts(NamedTuple):
    """The strips or tiles of an image, plane by plane.

    Args:
        tile: width and height of a tile; None if the parts are strips.
        rows: of a strip.
        offsets: of each part in the file.
        sizes: bytes of each part; all of them are in the file.
        bytes: of the largest part after it is unpacked.
    """

    tile: tuple[int, int] | None
    rows: int
    offsets: list[int]
    sizes: list[int]
    bytes: int


class TiffImage(NamedTuple):
    """The first image of a TIFF.

    Args:
        directory: its tags.
        width: in pixels, as stored; `height` as well.
        pixel_format: the format of its samples, and how they are decoded.
        compression: the value of the tag.
        predictor: the value of the tag; 1 if samples are stored without one.
        reversed_bits: True if the first pixel is in the lowest bit of a byte.
        orientation: as in EXIF.
        parts: its bytes in the file.
    """

    directory: Directory
    width: int
    height: int
    pixel_format: PixelFormat
    compression: int
    predictor: int
    reversed_bits: bool
    orientation: int
    parts: Parts


def read_first_image(data: bytes) -> TiffImage:
    """Read the values that decoding the first image needs.

    Raises:
        ImageRejectedError: a part of the pixels is missing, or the image is of a kind that is not supported.
    """
    directory = Directory(data, Layout.of(data).first_directory(data), READ_TAGS)
    if data[8:10] == _CANON_RAW or DNG_VERSION in directory or _is_preview(directory):
        unsupported("the object is a camera's raw file; expected the image that was developed from it")
    compression = directory.first(COMPRESSION, UNCOMPRESSED)
    if compression not in _COMPRESSIONS:
        unsupported("the TIFF is compressed in a way that is not supported; save it with LZW or Deflate")
    width, height = directory.first(WIDTH, 0), directory.first(HEIGHT, 0)
    if width <= 0 or height <= 0:
        corrupt("the TIFF has no size")
    predictor = directory.first(PREDICTOR, 1) if compression in PREDICTED else 1
    pixel_format = read_pixel_format(directory, compression, predictor)
    orientation = directory.first(ORIENTATION, 1)
    return TiffImage(
        directory,
        width,
        height,
        pixel_format,
        compression,
        predictor,
        directory.first(FILL_ORDER, 1) == _LAST_BIT_FIRST and compression != JPEG,
        orientation if orientation in _ORIENTATIONS else 1,
        _parts(directory, width, height, pixel_format, compression),
    )


def _is_preview(directory: Directory) -> bool:
    """Return True for a reduced copy of images in subdirectories: Nikon's and Sony's raw files begin with one."""
    return SUB_DIRECTORIES in directory and directory.first(SUBFILE_TYPE, 0) == _REDUCED


def _parts(directory: Directory, width: int, height: int, pixel_format: PixelFormat, compression: int) -> Parts:
    is_tiled = TILE_WIDTH in directory and TILE_HEIGHT in directory
    # Old writers wrote tiles in the tags of strips.
    places = ((TILE_OFFSETS, TILE_BYTES), (STRIP_OFFSETS, STRIP_BYTES))
    (offsets_tag, sizes_tag), others = places if is_tiled else reversed(places)
    if offsets_tag not in directory:
        offsets_tag, sizes_tag = others
    offsets, sizes = directory.numbers(offsets_tag), directory.numbers(sizes_tag)
    tile = None
    if is_tiled:
        tile = directory.first(TILE_WIDTH, 0), directory.first(TILE_HEIGHT, 0)
        if min(tile) <= 0:
            corrupt("the TIFF's tiles have no size")
        rows = tile[1]
        across, down = -(-width // tile[0]), -(-height // tile[1])
    else:
        rows = directory.first(ROWS_PER_STRIP, height)
        rows = height if rows <= 0 else min(rows, height)
        across, down = 1, -(-height // rows)
    if not offsets:
        corrupt("the TIFF contains no image")
    needed = across * down * pixel_format.planes
    if len(offsets) < needed:
        corrupt("the TIFF is truncated")
    offsets, sizes = offsets[:needed], sizes[:needed]
    full_bytes = _part_bytes(directory, pixel_format, tile[0] if tile else width, rows)
    if compression == UNCOMPRESSED:
        last_bytes = full_bytes if tile else _part_bytes(directory, pixel_format, width, height - (down - 1) * rows)
        packed = [last_bytes if (part + 1) % down == 0 and not tile else full_bytes for part in range(needed)]
        if any(offset < 0 or offset + size > len(directory.data) for offset, size in zip(offsets, packed, strict=True)):
            corrupt("the TIFF is truncated")
        return Parts(tile, rows, list(offsets), packed, 0 if needed == 1 and not tile else full_bytes)
    if pixel_format.raw_mode == PLANES_IN_RGBA:  # libtiff keeps the converted part as well, and all of its planes
        full_bytes = full_bytes * pixel_format.planes + 4 * width * rows
    return Parts(tile, rows, list(offsets), _packed_sizes(directory.data, offsets, sizes, compression), full_bytes)


def _part_bytes(directory: Directory, pixel_format: PixelFormat, width: int, rows: int) -> int:
    """Return the bytes of a part that is not compressed."""
    if pixel_format.photometric == YCBCR:  # TIFF 6.0, section 21: blocks of pixels share their colours
        across, down = (*directory.numbers(SUBSAMPLING), 2, 2)[:2]
        if pixel_format.separate and not across == down == 1:
            unsupported("the TIFF's colours are subsampled in planes; save it in RGB")
        if not {across, down} <= {1, 2, 4}:
            corrupt("the TIFF's colours are subsampled in an unknown way")
        if pixel_format.separate:
            return width * rows
        return -(-width // across) * -(-rows // down) * (across * down + 2)
    samples = 1 if pixel_format.separate else pixel_format.samples
    return (width * samples * pixel_format.bits + 7) // 8 * rows


def _packed_sizes(data: bytes, offsets: Sequence[int], sizes: Sequence[int], compression: int) -> list[int]:
    """Return the bytes of compressed parts.

    They are limited to the end of the file. A part without a size in the tag ends at the next part.
    """
    if any(not 0 <= offset < len(data) for offset in offsets):
        corrupt("the TIFF is truncated")
    starts = sorted({*offsets, len(data)})
    clipped = any(offset + size > len(data) for offset, size in zip(offsets, sizes, strict=False))
    if clipped and max(offsets) > _last_end(data, compression):
        corrupt("the TIFF is truncated")
    found = []
    for part, offset in enumerate(offsets):
        size = sizes[part] if part < len(sizes) and sizes[part] > 0 else 0
        left = len(data) - offset
        found.append(min(size, left) or starts[bisect.bisect_right(starts, offset)] - offset)
    return found


def _last_end(data: bytes, compression: int) -> int:
    """Return the position of the last code for the end of a part.

    Only for compressions whose decoders fill in missing data; the end of the file for others.
    """
    if compression == JPEG:
        return data.rfind(_END_OF_JPEG)
    if compression in CCITT:
        ends = _end_of_group_4().finditer(data) if compression == GROUP_4 else ()
        return max((end.start() for end in ends), default=-1)
    return len(data)


@cache
def _end_of_group_4() -> re.Pattern[bytes]:
    """Return a pattern for the end of a part at any bit: two codes for the end of a line (ITU-T T.6, section 2.4.1)."""
    code, bits = 0x001001, 24
    choices = []
    for shift in range(8):
        size = -(-(bits + shift) // 8)
        after = 8 * size - bits - shift
        fixed = (code << after).to_bytes(size, "big")
        masks = ((1 << bits) - 1 << after).to_bytes(size, "big")
        choices.append(
            b"".join(
                b"[%b]" % re.escape(bytes(value for value in range(256) if value & mask == byte))
                for byte, mask in zip(fixed, masks, strict=True)
            )
        )
    return re.compile(b"|".join(choices), re.DOTALL)
