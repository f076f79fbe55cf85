"""Modes and colours: the working mode of an image, and its conversion to sRGB."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from functools import lru_cache, reduce
from io import BytesIO
from typing import TYPE_CHECKING, cast

from PIL import Image, ImageChops

if TYPE_CHECKING:
    from PIL import ImageCms

# Profiles that are the same as no profile; skipping them saves a transform for the most common photos.
SRGB_NAMES = frozenset({"sRGB", "sRGB IEC61966-2.1", "sRGB built-in", "sRGB2014"})

# The colour space in a profile's header that fits a mode ("Specification ICC.1:2022", section 7.2.8).
PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK", "LAB": "Lab "}

# Modes of one channel, whose thumbnails stay grey.
DEEP_MODES = frozenset({"I;16", "I;16B", "I;16L"})
GREY_MODES = frozenset({"1", "L", "LA", "La"}) | DEEP_MODES

# Lightness and two differences of colour: how a JPEG is stored.
PLANES = "YCbCr"

# Conversion between planes and red, green and blue (JFIF 1.02). Pillow's own conversions round down, which lowers red
# and blue by one; those by a matrix round to the nearest.
_TO_CB = (-0.168736, -0.331264, 0.5, 128.0)
_TO_CR = (0.5, -0.418688, -0.081312, 128.0)
_TO_RGB = (1.0, 0.0, 1.402, -179.456, 1.0, -0.344136, -0.714136, 135.458816, 1.0, 1.772, 0.0, -226.816)

_WHITES = (1, 255, 65_535)

# Pixels that are compared with a transparent colour at once, so that little memory is used in addition to the image.
_COMPARED_PIXELS = 2**18

# Resampling needs one value per channel (no palette, no bit) and colours weighted by alpha (La, RGBa): otherwise the
# colours of transparent pixels bleed into their neighbours.
PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}

# A drawing, a text or a screenshot has fewer colours than a photo: their number grows with the length of its edges, not
# with its area. Measured in so many rows, of sources and thumbnails from 256 pixels: up to 205 for each row and half of
# the visible pixels, against more than 400 in photos, or two thirds of the pixels.
_COUNTED_ROWS = 32
_FEW_COLOURS_A_ROW = 256


def working_mode(image: Image.Image) -> str:
    """Return the mode in which `image` can be resampled."""
    if image.mode in PROFILE_SPACES and not image.has_transparency_data:
        return image.mode
    if image.has_transparency_data:
        return "La" if image.mode in GREY_MODES else "RGBa"
    return "L" if image.mode in GREY_MODES else "RGB"


def convert_mode(image: Image.Image, mode: str) -> Image.Image:
    """Convert to a working mode; colours are not converted by a profile yet."""
    if image.mode in DEEP_MODES:
        image = _of_8_bits(image)
    if mode in PREMULTIPLIED:
        image = image.convert(PREMULTIPLIED[mode])
    return image.convert(mode)


def _of_8_bits(image: Image.Image) -> Image.Image:
    """Return the high byte of deep greys, and alpha if one grey is transparent.

    Pillow alone would clip the values, and would keep the transparent grey of 16 bits.
    """
    transparent = image.info.get("transparency")
    # Pillow calculates in the machine's byte order only, or in 32 bits.
    small = (image if image.mode == "I;16" else image.convert("I")).point(lambda value: value / 256).convert("L")
    if transparent is not None:
        bytes_of_pixels = Image.frombytes("LA", image.size, image.tobytes())
        small.putalpha(mask_of_other_values([transparent & 255, transparent >> 8], bytes_of_pixels))
    return small


def mask_of_other_values(values: Sequence[int], image: Image.Image) -> Image.Image:
    """Return a mask: 255 for every pixel that differs from `values` in one of its channels, 0 for the others."""
    mask = Image.new("L", image.size)
    rows = max(1, _COMPARED_PIXELS // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        others = [
            channel.point([0 if each == value else 255 for each in range(256)])
            for channel, value in zip(strip.split(), values, strict=True)
        ]
        mask.paste(reduce(ImageChops.lighter, others), (0, top))
    return mask


def colour_planes(image: Image.Image) -> list[Image.Image]:
    """Return the two colour planes of an RGB image."""
    return [image.convert("L", matrix) for matrix in (_TO_CB, _TO_CR)]


def planes_to_rgb(image: Image.Image) -> Image.Image:
    """Return the image in RGB if it is in YCbCr planes; otherwise return it unchanged."""
    if image.mode != PLANES:
        return image
    return Image.merge("RGB", image.split()).convert("RGB", _TO_RGB)


def to_srgb(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """Convert an image in a working mode to sRGB pixels in L, LA, RGB or RGBA, without metadata.

    Alpha stays only if a pixel needs it. YCbCr planes are already sRGB.
    """
    if image.mode != PLANES:
        image = _unmultiplied_srgb(image, icc_profile)
    image.info = {}  # Pillow would look for a transparent colour of `info` in these pixels
    return image


def _unmultiplied_srgb(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    alpha = None
    if image.mode in PREMULTIPLIED:
        image = image.convert(PREMULTIPLIED[image.mode])
    if image.mode in PREMULTIPLIED.values():
        alpha = image.getchannel("A")
        image = image.convert("L" if image.mode == "LA" else "RGB")
    image = _managed(image, icc_profile).convert("L" if image.mode == "L" else "RGB")
    if alpha is not None and alpha.getextrema() != (255, 255):
        image.putalpha(alpha)
    return image


def clear_transparent_pixels(image: Image.Image) -> Image.Image:
    """Return LA or RGBA pixels with black as the colour of all fully transparent pixels."""
    visible_pixels = image.getchannel("A").point(lambda alpha: 255 if alpha else 0)
    return Image.composite(image, Image.new(image.mode, image.size), visible_pixels)


def has_few_colours(image: Image.Image, mode: str | None = None) -> bool:
    """Return True for drawings, text, screenshots and greys; a sample of rows separates them from photos.

    Args:
        image: in any mode.
        mode: the mode to count the colours in; None: the image's own mode.
    """
    mode = mode or image.mode
    counted = min(image.height, _COUNTED_ROWS)
    rows = Image.new(mode, (image.width, counted))
    for number in range(counted):
        top = (2 * number + 1) * image.height // (2 * counted)
        row = image.crop((0, top, image.width, top + 1))
        rows.paste(row if row.mode == mode else convert_mode(row, mode), (0, number))
    visible_pixels = rows.width * rows.height
    if mode[-1] in "aA":
        visible_pixels -= rows.getchannel(mode[-1]).histogram()[0]
    return rows.getcolors(max(1, min(_FEW_COLOURS_A_ROW * counted, visible_pixels // 2))) is not None


def scale_measured(image: Image.Image) -> Image.Image:
    """Scale measured values, which are in mode F, to 0 to 255, as viewers show them.

    Such a file does not define white. Values that fit 0 to 1, 255 or 65,535 are read as such; otherwise the lowest is
    black and the highest white. Values that are NaN or infinite do not count.
    """
    lowest, highest = cast("tuple[float, float]", image.getextrema())
    if not -math.inf < lowest <= highest < math.inf:
        lowest, highest = _finite_extrema(image)
    if lowest >= 0:
        lowest, highest = 0, next((white for white in _WHITES if highest <= white), highest)
    scale = 255 / (highest - lowest) if highest > lowest else 0
    return image.point(lambda value: value * scale - lowest * scale).convert("L")


def _finite_extrema(image: Image.Image) -> tuple[float, float]:
    lowest, highest = math.inf, -math.inf
    for y in range(image.height):
        finite = [
            value for value in array("f", image.crop((0, y, image.width, y + 1)).tobytes()) if math.isfinite(value)
        ]
        lowest, highest = min(lowest, *finite, math.inf), max(highest, *finite, -math.inf)
    return (lowest, highest) if lowest <= highest else (0, 0)


def is_srgb(mode: str, icc_profile: bytes | None) -> bool:
    """Return True if pixels of this mode are sRGB, or can only be read as sRGB."""
    return _transform(mode, icc_profile) is None


def _managed(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """Convert from the embedded profile to sRGB; a profile that cannot be used counts as sRGB."""
    transform = _transform(image.mode, icc_profile)
    if transform is None:
        return image
    try:
        return transform.apply(image)
    except (OSError, ValueError):
        return image


def _transform(mode: str, icc_profile: bytes | None) -> ImageCms.ImageCmsTransform | None:
    """Return the transform from the profile to sRGB; None if none is needed or possible."""
    return _transform_from(mode, icc_profile) if mode == "LAB" or icc_profile else None


@lru_cache(maxsize=4)  # the photos of one camera have one profile
def _transform_from(mode: str, icc_profile: bytes | None) -> ImageCms.ImageCmsTransform | None:
    from PIL import ImageCms  # noqa: PLC0415  most images have no profile

    try:
        profile = ImageCms.ImageCmsProfile(
            ImageCms.createProfile("LAB") if mode == "LAB" else BytesIO(icc_profile or b"")
        )
        if profile.profile.xcolor_space != PROFILE_SPACES[mode]:
            return None
        if ImageCms.getProfileDescription(profile).strip() in SRGB_NAMES:
            return None
        return ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
