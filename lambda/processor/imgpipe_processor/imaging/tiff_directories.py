"""Directories that are written for libtiff: one picture, no tag that its decoding does not need."""

from __future__ import annotations

import struct
from typing import NamedTuple

from .structures import tiff_tags as tags
from .structures.tiff_picture import TiffPicture

_BYTE, _SHORT, _LONG = 8, 3, 4
_CODES = {_SHORT: "H", _LONG: "I"}
_INLINE_BYTES = 4

# Tables of a JPEG are some hundred bytes.
_MAX_KEPT_BYTES = 2**17

_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


class View(NamedTuple):
    """How a picture is described to libtiff.

    Args:
        width: in pixels.
        bits: of a sample.
        samples: of a pixel.
        photometric: the value of the tag.
        plane: the only one of a picture in planes; None where pixels are whole, or all planes are decoded at once.
        bits_of_pixel: of the picture's own pixels, where those of the view are its bytes.
    """

    width: int
    bits: int
    samples: int
    photometric: int
    plane: int | None = None
    bits_of_pixel: int | None = None


def with_directory(picture: TiffPicture, view: View) -> bytes:
    """The file, with a new directory at its end and no other that is pointed to."""
    parts = picture.parts
    of_part = slice(None)
    if view.plane is not None:
        per_plane = len(parts.offsets) // picture.kind.planes
        of_part = slice(view.plane * per_plane, (view.plane + 1) * per_plane)
    tiled = parts.tile is not None
    entries: dict[int, tuple[int, tuple[int, ...]]] = {
        tags.WIDTH: (_LONG, (view.width,)),
        tags.HEIGHT: (_LONG, (picture.height,)),
        tags.BITS: (_SHORT, (view.bits,) * view.samples),
        tags.COMPRESSION: (_SHORT, (picture.compression,)),
        # Nothing is made of a palette before its indices are decoded.
        tags.PHOTOMETRIC: (_SHORT, (tags.BLACK_IS_ZERO if view.photometric == tags.PALETTE else view.photometric,)),
        tags.SAMPLES: (_SHORT, (view.samples,)),
        tags.PREDICTOR: (_SHORT, (picture.predictor,)),
        tags.SAMPLE_FORMAT: (_SHORT, (picture.kind.number,) * view.samples),
        tags.TILE_OFFSETS if tiled else tags.STRIP_OFFSETS: (_LONG, tuple(parts.offsets[of_part])),
        tags.TILE_BYTES if tiled else tags.STRIP_BYTES: (_LONG, tuple(parts.sizes[of_part])),
    }
    if parts.tile is not None:
        width, height = parts.tile
        if view.bits_of_pixel is not None:
            width = width * view.bits_of_pixel // _BYTE
        entries[tags.TILE_WIDTH], entries[tags.TILE_HEIGHT] = (_LONG, (width,)), (_LONG, (height,))
    else:
        entries[tags.ROWS_PER_STRIP] = (_LONG, (parts.rows,))
    if picture.kind.separate and view.plane is None:
        entries[tags.PLANAR] = (_SHORT, (tags.SEPARATE,))
    if picture.predictor == 1:
        del entries[tags.PREDICTOR]
    return _written(picture, entries)


def _kept(picture: TiffPicture) -> tuple[int, ...]:
    """The tags of the file that decoding this picture depends on."""
    return (
        *(tags.KEPT_OF_CCITT if picture.compression in tags.CCITT else ()),
        *(tags.KEPT_OF_JPEG if picture.compression == tags.JPEG else ()),
        *(tags.KEPT_OF_YCBCR if picture.kind.photometric == tags.YCBCR else ()),
    )


def _written(picture: TiffPicture, entries: dict[int, tuple[int, tuple[int, ...]]]) -> bytes:
    """A TIFF of offsets of 32 bits."""
    order, data = picture.directory.order, picture.directory.data
    packed = {
        tag: (kind, len(numbers), struct.pack(f"{order}{len(numbers)}{_CODES[kind]}", *numbers))
        for tag, (kind, numbers) in entries.items()
    }
    for tag in _kept(picture):
        entry, value = picture.directory.entry(tag), picture.directory.value(tag)
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
    pixels = data[len(head) :].translate(_REVERSED) if picture.reversed_bits else memoryview(data)[len(head) :]
    return b"".join((head, pixels, bytes(len(data) % 2), directory, bytes(4), values))
