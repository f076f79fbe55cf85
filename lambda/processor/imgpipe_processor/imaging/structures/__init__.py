"""What a file is, told by its content alone, and whether all of it is there: read in plain Python, before a decoder.

Decoders are made to show what can be shown: they fill in what is missing, take frames and passes without end, and
allocate what a header asks for. What they get has been looked at here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from imgpipe_processor.imaging.recipe import Limits

from . import bmp, gif, isobmff, jpeg, png, tiff, webp
from .others import what_it_is
from .structure import Structure, corrupt, too_large, unsupported

__all__ = ["Structure", "read_structure"]

TAKEN = "JPEG, PNG, GIF, WebP, AVIF, TIFF or BMP"
TAKEN_WITH_HEIC = "JPEG, PNG, GIF, WebP, AVIF, HEIC, TIFF or BMP"

# libjpeg's JPEG_MAX_DIMENSION. A PNG may be 2^31 pixels wide, and decoding holds whole rows: a row of the allowed
# number of pixels takes more memory than the image.
MAX_SIDE_PX = 65_500

_READERS: tuple[tuple[bytes | tuple[bytes, ...], Callable[[bytes, int], Structure]], ...] = (
    (jpeg.SIGNATURE, jpeg.read_jpeg),
    (png.SIGNATURE, png.read_png),
    (gif.SIGNATURES, gif.read_gif),
    (tiff.SIGNATURES, tiff.read_tiff),
    (bmp.SIGNATURE, bmp.read_bmp),
)


def read_structure(data: bytes, limits: Limits) -> Structure:
    """Read what the file says of itself.

    Raises:
        ImageRejectedError: it is no image that is taken, a part of it is missing, or it asks for too much.
    """
    reader = _reader(data, limits)
    try:
        structure = reader(data, limits.max_frames)
    except (struct.error, IndexError, OverflowError):
        corrupt("it is cut off")
    _refuse_beyond(limits, structure)
    return structure


def _reader(data: bytes, limits: Limits) -> Callable[[bytes, int], Structure]:
    for signatures, reader in _READERS:
        if data.startswith(signatures):
            return reader
    if webp.is_webp(data):
        return webp.read_webp
    brand = isobmff.brand_of(data)
    if brand is None:
        taken = TAKEN_WITH_HEIC if limits.heic else TAKEN
        unsupported(f"the object is {what_it_is(data)}; expected {taken}")
    if brand == "HEIF" and not limits.heic:
        unsupported(f"the object is a HEIC image, which this function is not set up for; expected {TAKEN}")
    return isobmff.read_avif if brand == "AVIF" else isobmff.read_heif


def _refuse_beyond(limits: Limits, structure: Structure) -> None:
    width, height = structure.width, structure.height
    if width * height > limits.max_pixels:
        too_large(f"the image has {width} x {height} pixels; at most {limits.max_pixels:,} are allowed")
    if max(width, height) > MAX_SIDE_PX:
        too_large(f"the image is {width} x {height} pixels; a side of at most {MAX_SIDE_PX:,} is allowed")
