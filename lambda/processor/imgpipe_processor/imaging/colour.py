"""Modes and colours: which mode an image is shrunk in, and its way from there to plain sRGB pixels."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageCms

SRGB = ImageCms.createProfile("sRGB")

# Profiles that mean the colours an image without a profile has; spares the commonest photos a transform.
SRGB_NAMES = frozenset({"sRGB", "sRGB IEC61966-2.1", "sRGB built-in", "sRGB2014"})

# The colour space in a profile's header that fits a mode ("Specification ICC.1:2022", section 7.2.8).
PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK", "LAB": "Lab "}

# Modes of one channel, whose thumbnails stay grey.
GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "F"})

# Resampling needs one value per channel (no palette, no bit) and colours weighted by alpha (La, RGBa): otherwise
# what lies hidden under transparent pixels bleeds into their neighbours.
PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}


def working_mode(image: Image.Image) -> str:
    """The mode in which `image` can be resampled."""
    if image.mode in PROFILE_SPACES and not image.has_transparency_data:
        return image.mode
    if image.mode == "I;16":
        return "L"  # the transparent value that a 16-bit grey PNG may name is not worth a wider mode
    if image.has_transparency_data:
        return "La" if image.mode in GREY_MODES else "RGBa"
    return "L" if image.mode in GREY_MODES else "RGB"


def converted(image: Image.Image, mode: str) -> Image.Image:
    """Convert to a working mode; colours are not managed yet."""
    if image.mode in {"I", "I;16"}:
        image = image.point(lambda value: value / 256)  # the high byte; Pillow alone would clip at 255
    if mode in PREMULTIPLIED:
        image = image.convert(PREMULTIPLIED[mode])
    return image.convert(mode)


def plain_srgb(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """Turn an image in a working mode into L, LA, RGB or RGBA: sRGB pixels, nothing carried along beside them.

    Alpha stays only where a pixel needs it.
    """
    alpha = None
    if image.mode in PREMULTIPLIED:
        image = image.convert(PREMULTIPLIED[image.mode])
        alpha = image.getchannel("A")
        image = image.convert("L" if image.mode == "LA" else "RGB")
    image = _managed(image, icc_profile).convert("L" if image.mode == "L" else "RGB")
    if alpha is not None and alpha.getextrema() != (255, 255):
        image.putalpha(alpha)
    image.info = {}  # comment, profile and transparency in there would be saved with the pixels
    return image


def _managed(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """Convert from the embedded profile's colours to sRGB; a profile that cannot be used counts as sRGB."""
    try:
        profile = _profile(image.mode, icc_profile)
        if profile is None or profile.profile.xcolor_space != PROFILE_SPACES[image.mode]:
            return image
        if ImageCms.getProfileDescription(profile).strip() in SRGB_NAMES:
            return image
        return ImageCms.profileToProfile(image, profile, SRGB, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


def _profile(mode: str, icc_profile: bytes | None) -> ImageCms.ImageCmsProfile | None:
    if mode == "LAB":
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    return ImageCms.ImageCmsProfile(BytesIO(icc_profile)) if icc_profile else None
