"""TIFF: the numbers in it are not always what Pillow takes them for."""

from __future__ import annotations

from typing import Any, cast

from PIL import Image, ImageChops, TiffImagePlugin

from .colour import DEEP_MODES, MEASURED_MODES, ranged

# Pillow's own way to read what is not compressed takes planes of 16 bits for some of 8, and subsampled colours for
# damage.
TiffImagePlugin.READ_LIBTIFF = True

# libtiff hands numbers over in the machine's byte order, while these are taken for the file's.
_NATIVE = {"F;32BF": "F;32NF", "I;32BS": "I;32NS", "I;16BS": "I;16NS"}

# TIFF 6.0, section 3.
_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262
_WHITE_IS_ZERO = 0
_TWELVE_BITS = (12,)


def expect_native_order(image: Image.Image) -> None:
    """Make the decoder of a TIFF, which is not decoded yet, expect what libtiff gives."""
    tiff = cast("TiffImagePlugin.TiffImageFile", image)
    for number, tile in enumerate(tiff.tile):
        raw_mode, *others = cast("tuple[Any, ...]", tile.args)
        tiff.tile[number] = tile._replace(args=(_NATIVE.get(raw_mode, raw_mode), *others))


def shown(image: Image.Image) -> Image.Image:
    """Bring grey values of a TIFF that have more than 8 bits to what they stand for; of 16 bits they may remain."""
    tags = cast("TiffImagePlugin.TiffImageFile", image).tag_v2
    inverted = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO  # which Pillow heeds up to 8 bits
    if image.mode in MEASURED_MODES:
        visible = ranged(image)
        return ImageChops.invert(visible) if inverted else visible
    if image.mode in DEEP_MODES and tags.get(_BITS_PER_SAMPLE) == _TWELVE_BITS:
        return image.point(lambda value: value * 16)
    if image.mode in DEEP_MODES and inverted:
        return image.point(lambda value: value * -1 + 65_535)
    return image
