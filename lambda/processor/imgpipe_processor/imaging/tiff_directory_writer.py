"""TIFF directories that are written for libtiff: one image, and only the tags that decoding it needs."""

from __future__ import annotations

import struct
from typing import NamedTuple

from .structures import tiff_tags as tags
from .structures.tiff_first_image import TiffImage

_BYTE, _SHORT, _LONG = 8, 3, 4
_CODES = {_SHORT: "H", _LONG: "I"}
_INLINE_BYTES = 4

# Tables of a JPEG have some hundred bytes.
_MAX_KEPT_BYTES = 2**17

_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


class ImageDescription(NamedTuple):
    """The description of an image for libtiff.

    Args:
        width: in pixels.
        bits: of a sample.
        samples: of a pixel.
        photometric: the value of the tag.
        plane: the only one of an image in planes; None if pixels are whole, or all planes are decoded at once.
        bits_of_pixel: of the image's own pixels, if those of the description are its bytes.
    """

    width: int
    bits: int
    samples: int
    photometric: int
    plane: int | None = None
    bits_of_pixel: int | None = None


def add_directory(tiff: TiffImage, description: ImageDescription) -> bytes:
    """Return the file with a new directory at its end, and no pointer to another one."""
    parts = tiff.parts
    of_part = slice(None)
    if description.plane is not None:
        per_plane = len(parts.offsets) // tiff.pixel_format.planes
        of_part = slice(description.plane * per_plane, (description.plane + 1) * per_plane)
    tiled = parts.tile is not None
    entries: dict[int, tuple[int, tuple[int, ...]]] = {
        tags.WIDTH: (_LONG, (description.width,)),
        tags.HEIGHT: (_LONG, (tiff.height,)),
        tags.BITS: (_SHORT, (description.bits,) * description.samples),
        tags.COMPRESSION: (_SHORT, (tiff.compression,)),
        # The palette is applied after its indices are decoded.
        tags.PHOTOMETRIC: (
            _SHORT,
            (tags.BLACK_IS_ZERO if description.photometric == tags.PALETTE else description.photometric,),
        ),
        tags.SAMPLES: (_SHORT, (description.samples,)),
        tags.PREDICTOR: (_SHORT, (tiff.predictor,)),
        tags.SAMPLE_FORMAT: (_SHORT, (tiff.pixel_format.number,) * description.samples),
        tags.TILE_OFFSETS if tiled else tags.STRIP_OFFSETS: (_LONG, tuple(parts.offsets[of_part])),
        tags.TILE_BYTES if tiled else tags.STRIP_BYTES: (_LONG, tuple(parts.sizes[of_part])),
    }
    if parts.tile is not None:
        width, height = parts.tile
        if description.bits_of_pixel is not None:
            width = width * description.bits_of_pixel // _BYTE
        entries[tags.TILE_WIDTH], entries[tags.TILE_HEIGHT] = (_LONG, (width,)), (_LONG, (height,))
    else:
        entries[tags.ROWS_PER_STRIP] = (_LONG, (parts.rows,))
    if tiff.pixel_format.separate and description.plane is None:
        entries[tags.PLANAR] = (_SHORT, (tags.SEPARATE,))
    if tiff.predictor == 1:
        del entries[tags.PREDICTOR]
    return _written(tiff, entries)


def _kept(tiff: TiffImage) -> tuple[int, ...]:
    """Return the tags of the file that decoding this image depends on."""
    return (
        *(tags.KEPT_OF_CCITT if tiff.compression in tags.CCITT else ()),
        *(tags.KEPT_OF_JPEG if tiff.compression == tags.JPEG else ()),
        *(tags.KEPT_OF_YCBCR if tiff.pixel_format.photometric == tags.YCBCR else ()),
    )


def _written(tiff: TiffImage, entries: dict[int, tuple[int, tuple[int, ...]]]) -> bytes:
    """Return a TIFF with offsets of 32 bits."""
    order, data = tiff.directory.order, tiff.directory.data
    packed = {
        tag: (kind, len(numbers), struct.pack(f"{order}{len(numbers)}{_CODES[kind]}", *numbers))
        for tag, (kind, numbers) in entries.items()
    }
    for tag in _kept(tiff):
        entry, value = tiff.directory.entry(tag), tiff.directory.value(tag)
        if entry is not None and value is not None and entry.size <= _MAX_KEPT_BYTES:
            packed[tag] = entry.kind, entry.amount, value
    at = len(data) + len(data) % 2
    values_at = at + 2 + 12 * len(packed) + 4
    directory, values = struct.pack(order + "H", len(packed)), bytearray()
    for tag, (kind, count, value) in sorted(packed.items()):
        directory += struct.pack(order + "HHI", tag, kind, count)
        if len(value) > _INLINE_BYTES:
            directory += struct.pack(order + "I", values_at + len(values))
            values += value
        else:
            directory += value.ljust(_INLINE_BYTES, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", at)
    pixels = data[len(head) :].translate(_REVERSED) if tiff.reversed_bits else memoryview(data)[len(head) :]
    return b"".join((head, pixels, bytes(len(data) % 2), directory, bytes(4), values))
