"""Test images in which every wrong orientation and every wrong colour is visible: upright, in sRGB.

They consist of blocks of one colour each, so that few colours and lossy codecs keep them; all rotations and mirrored
versions differ.
"""

from __future__ import annotations

import hashlib

from PIL import Image

WIDTH, HEIGHT = 96, 64

# The operation that makes the stored image of each EXIF orientation from the upright image (EXIF 2.32, "Orientation").
_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def stored(image: Image.Image, orientation: int) -> Image.Image:
    """Return the image as stored in a file of this orientation."""
    return image.transpose(_STORED[orientation]) if orientation in _STORED else image


def colours(across: int = 8, down: int = 8) -> Image.Image:
    """Return blocks of as many colours: redder to the right, greener to the bottom, bluer to the middle."""
    blocks = Image.new("RGB", (across, down))
    for y in range(down):
        for x in range(across):
            blue = 255 - abs(2 * x - across + 1) * 255 // across
            blocks.putpixel((x, y), (255 * x // (across - 1), 255 * y // max(1, down - 1), blue))
    return _blown_up(blocks)


def greys(across: int = 8, down: int = 8) -> Image.Image:
    """Return blocks of as many greys, lighter to the right and, more slowly, to the bottom."""
    blocks = Image.new("L", (across, down))
    levels = across * down - 1
    blocks.putdata([(place % across * down + place // across) * 255 // levels for place in range(levels + 1)])
    return _blown_up(blocks)


def spots(width: int, height: int, spot_px: float = 2) -> Image.Image:
    """Return soft spots of many colours, always the same: detail in every part of the image, as in a photo."""
    across, down = max(1, round(width / spot_px)), max(1, round(height / spot_px))
    digits = hashlib.shake_128(b"spots").digest(3 * across * down)
    return Image.frombytes("RGB", (across, down), digits).resize((width, height), Image.Resampling.BICUBIC)


def drawing() -> Image.Image:
    """Return a black F on white."""
    blocks = Image.new("1", (6, 8), 1)
    for at in [*((1, y) for y in range(1, 7)), (2, 1), (3, 1), (4, 1), (2, 3), (3, 3)]:
        blocks.putpixel(at, 0)
    return _blown_up(blocks)


def two_colours() -> Image.Image:
    """Return the F in dark blue on pale green."""
    shape = drawing()
    return Image.composite(Image.new("RGB", shape.size, (210, 240, 200)), Image.new("RGB", shape.size, "navy"), shape)


def cut_out(image: Image.Image) -> Image.Image:
    """Return the image with a transparent corner, and black under the transparent pixels."""
    solid = image.convert("LA" if image.mode == "L" else "RGBA")
    solid.paste((0,) * len(solid.getbands()), (0, 0, WIDTH // 4, HEIGHT // 2))
    return solid


def veiled(image: Image.Image) -> Image.Image:
    """Return the image, more transparent to the bottom, but never fully."""
    solid = image.convert("LA" if image.mode == "L" else "RGBA")
    steps = Image.new("L", (1, 4))
    steps.putdata([255, 200, 140, 80])
    solid.putalpha(_blown_up(steps))
    return solid


def _blown_up(blocks: Image.Image) -> Image.Image:
    return blocks.resize((WIDTH, HEIGHT), Image.Resampling.NEAREST)
