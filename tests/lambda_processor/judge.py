"""What a thumbnail looks like to a decoder that is not the processor's: libvips, with its own codecs and resampling."""

from __future__ import annotations

import os

os.environ.setdefault("VIPS_CONCURRENCY", "1")  # read when libvips is loaded; its threads cost more than they bring here

import pyvips  # noqa: E402  as above
from PIL import Image

GROUNDS = ([0, 0, 0], [255, 255, 255])


def of_pillow(image: Image.Image) -> pyvips.Image:
    """The pixels of an L, LA, RGB or RGBA image; those of others as they look."""
    if image.mode not in {"L", "LA", "RGB", "RGBA"}:
        image = image.convert("L" if image.mode == "1" else "RGBA" if image.has_transparency_data else "RGB")
    bands = len(image.getbands())
    made = pyvips.Image.new_from_memory(image.tobytes(), *image.size, bands, "uchar")
    return made.copy(interpretation="b-w" if bands <= 2 else "srgb")


def seen(data: bytes, **options: object) -> pyvips.Image:
    """The first frame as stored, in four channels of 8 bits; profiles are not applied."""
    pyvips.operation_block_set("VipsForeignLoad", False)  # noqa: FBT003  the processor's engine may have shut it
    image = pyvips.Image.new_from_buffer(data, "", **options)
    return _four(image)


def _four(image: pyvips.Image) -> pyvips.Image:
    image = image.colourspace("srgb")
    return (image if image.hasalpha() else image.addalpha()).cast("uchar").copy_memory()


def reduced(picture: Image.Image, width: int, height: int) -> pyvips.Image:
    """The picture as it should look at another size."""
    image = _four(of_pillow(picture))
    if (image.width, image.height) == (width, height):
        return image
    image = image.premultiply().resize(width / image.width, vscale=height / image.height, kernel="lanczos3")
    return image.unpremultiply().cast("uchar").copy_memory()


def difference(expected: pyvips.Image, actual: pyvips.Image) -> float:
    """The mean difference of a channel in steps of 255, on black or on white, whichever shows more of it."""
    assert (expected.width, expected.height) == (actual.width, actual.height)
    return max(
        (expected.flatten(background=ground) - actual.flatten(background=ground)).abs().avg() for ground in GROUNDS
    )
