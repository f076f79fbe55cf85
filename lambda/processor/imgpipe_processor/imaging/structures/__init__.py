"""Detect the format of a file from its content, and check that it is whole, in plain Python before a decoder reads it.

Decoders show what can be shown: they fill in missing pixels, decode frames and passes without end, and allocate what a
header asks for. So every file is checked here first.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from imgpipe_processor.imaging.recipe import Limits

from . import bmp, gif, heif, jpeg, png, tiff, webp
from .structure import Structure, corrupt, too_large, unsupported
from .unsupported_files import describe_file

__all__ = ["Structure", "read_structure"]

SUPPORTED = "JPEG, PNG, GIF, WebP, AVIF, TIFF or BMP"
SUPPORTED_WITH_HEIC = "JPEG, PNG, GIF, WebP, AVIF, HEIC, TIFF or BMP"

# libjpeg's JPEG_MAX_DIMENSION. A PNG may be 2^31 pixels wide, and decoding keeps whole rows: a row of the allowed
# number of pixels needs more memory than the image.
MAX_SIDE_PX = 65_500

_READERS: tuple[tuple[bytes | tuple[bytes, ...], Callable[[bytes, int], Structure]], ...] = (
    (jpeg.SIGNATURE, jpeg.read_jpeg),
    (png.SIGNATURE, png.read_png),
    (gif.SIGNATURES, gif.read_gif),
    (tiff.SIGNATURES, tiff.read_tiff),
    (bmp.SIGNATURE, bmp.read_bmp),
)


def read_structure(data: bytes, limits: Limits) -> Structure:
    """Read the structure of an image file.

    Raises:
        ImageRejectedError: it is not a supported image, a part of it is missing, or it exceeds a limit.
    """
    reader = _reader(data, limits)
    try:
        structure = reader(data, limits.max_frames)
    except (struct.error, IndexError, OverflowError):
        corrupt("the file is truncated")
    _reject_over_limits(limits, structure)
    return structure


def _reader(data: bytes, limits: Limits) -> Callable[[bytes, int], Structure]:
    for signatures, reader in _READERS:
        if data.startswith(signatures):
            return reader
    if webp.is_webp(data):
        return webp.read_webp
    brand = heif.brand_of(data)
    if brand is None:
        supported = SUPPORTED_WITH_HEIC if limits.heic else SUPPORTED
        unsupported(f"the object is {describe_file(data)}; expected {supported}")
    if brand == "HEIF" and not limits.heic:
        unsupported(f"the object is a HEIC image, which this function is not configured for; expected {SUPPORTED}")
    return heif.read_avif if brand == "AVIF" else heif.read_heif


def _reject_over_limits(limits: Limits, structure: Structure) -> None:
    width, height = structure.width, structure.height
    if width * height > limits.max_pixels:
        too_large(f"the image has {width} x {height} pixels; at most {limits.max_pixels:,} are allowed")
    if max(width, height) > MAX_SIDE_PX:
        too_large(f"the image is {width} x {height} pixels; a side of at most {MAX_SIDE_PX:,} is allowed")
