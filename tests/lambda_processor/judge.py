"""Thumbnails as decoded by a decoder that the processor does not use: libvips, with its own codecs and resampling."""

from __future__ import annotations

import os

# Read when libvips is loaded; for small images its threads cost more than they save.
os.environ.setdefault("VIPS_CONCURRENCY", "1")

import pyvips
from PIL import Image, ImageChops, ImageStat

GROUNDS = ("black", "white")


def of_pillow(image: Image.Image) -> pyvips.Image:
    """Return the pixels of an L, LA, RGB or RGBA image; other modes are converted."""
    if image.mode not in {"L", "LA", "RGB", "RGBA"}:
        image = image.convert("L" if image.mode == "1" else "RGBA" if image.has_transparency_data else "RGB")
    bands = len(image.getbands())
    made = pyvips.Image.new_from_memory(image.tobytes(), *image.size, bands, "uchar")
    return made.copy(interpretation="b-w" if bands <= 2 else "srgb")


def read(data: bytes, **options: object) -> pyvips.Image:
    """Return a file as decoded by libvips; by default the first frame."""
    pyvips.operation_block_set("VipsForeignLoad", False)  # noqa: FBT003  the processor's engine may have blocked loaders
    return pyvips.Image.new_from_buffer(data, "", **options)


def seen(data: bytes) -> Image.Image:
    """Return the first frame as stored, in RGBA; profiles are not applied."""
    return rgba(read(data))


def reduced(image: Image.Image, width: int, height: int, background: tuple[int, ...] | None = None) -> Image.Image:
    """Return the expected image at another size, on a background if there is one."""
    source = of_pillow(image).colourspace("srgb")
    source = source if source.hasalpha() else source.addalpha()
    if (source.width, source.height) != (width, height):
        source = source.premultiply().resize(width / source.width, vscale=height / source.height, kernel="lanczos3")
        source = source.unpremultiply()
    return rgba(source.flatten(background=list(background)) if background else source)


def difference(expected: Image.Image, actual: Image.Image) -> float:
    """Return the mean difference of a channel in steps of 255, on black or on white, whichever is larger."""
    assert expected.size == actual.size
    return max(_mean(ImageChops.difference(_on(expected, ground), _on(actual, ground))) for ground in GROUNDS)


def rgba(image: pyvips.Image) -> Image.Image:
    """Return the pixels of an sRGB or grey image."""
    image = image.colourspace("srgb")
    image = (image if image.hasalpha() else image.addalpha()).cast("uchar")
    return Image.frombytes("RGBA", (image.width, image.height), image.write_to_memory())


def _on(image: Image.Image, ground: str) -> Image.Image:
    return Image.composite(image.convert("RGB"), Image.new("RGB", image.size, ground), image.getchannel("A"))


def _mean(image: Image.Image) -> float:
    return sum(ImageStat.Stat(image).mean) / 3
