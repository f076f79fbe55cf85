"""What a thumbnail looks like to a decoder that is not the processor's: libvips, with its own codecs and resampling."""

from __future__ import annotations

import os

# Read when libvips is loaded; its threads cost more than they bring to small images.
os.environ.setdefault("VIPS_CONCURRENCY", "1")

import pyvips
from PIL import Image, ImageChops, ImageStat

GROUNDS = ("black", "white")


def of_pillow(image: Image.Image) -> pyvips.Image:
    """The pixels of an L, LA, RGB or RGBA image; those of others as they look."""
    if image.mode not in {"L", "LA", "RGB", "RGBA"}:
        image = image.convert("L" if image.mode == "1" else "RGBA" if image.has_transparency_data else "RGB")
    bands = len(image.getbands())
    made = pyvips.Image.new_from_memory(image.tobytes(), *image.size, bands, "uchar")
    return made.copy(interpretation="b-w" if bands <= 2 else "srgb")


def read(data: bytes, **options: object) -> pyvips.Image:
    """A file, as libvips reads it; the first frame unless told otherwise."""
    pyvips.operation_block_set("VipsForeignLoad", False)  # noqa: FBT003  the processor's engine may have shut it
    return pyvips.Image.new_from_buffer(data, "", **options)


def seen(data: bytes) -> Image.Image:
    """The first frame as stored, in RGBA; profiles are not applied."""
    return rgba(read(data))


def reduced(image: Image.Image, width: int, height: int, background: tuple[int, ...] | None = None) -> Image.Image:
    """The image as it should look at another size, on a background if there is one."""
    source = of_pillow(image).colourspace("srgb")
    source = source if source.hasalpha() else source.addalpha()
    if (source.width, source.height) != (width, height):
        source = source.premultiply().resize(width / source.width, vscale=height / source.height, kernel="lanczos3")
        source = source.unpremultiply()
    return rgba(source.flatten(background=list(background)) if background else source)


def difference(expected: Image.Image, actual: Image.Image) -> float:
    """The mean difference of a channel in steps of 255, on black or on white, whichever shows more of it."""
    assert expected.size == actual.size
    return max(_mean(ImageChops.difference(_on(expected, ground), _on(actual, ground))) for ground in GROUNDS)


def rgba(image: pyvips.Image) -> Image.Image:
    """The pixels of an sRGB or grey image."""
    image = image.colourspace("srgb")
    image = (image if image.hasalpha() else image.addalpha()).cast("uchar")
    return Image.frombytes("RGBA", (image.width, image.height), image.write_to_memory())


def _on(image: Image.Image, ground: str) -> Image.Image:
    return Image.composite(image.convert("RGB"), Image.new("RGB", image.size, ground), image.getchannel("A"))


def _mean(image: Image.Image) -> float:
    return sum(ImageStat.Stat(image).mean) / 3
