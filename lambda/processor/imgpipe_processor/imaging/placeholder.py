"""The placeholder of a thumbnail that is not loaded yet (BlurHash), and the dominant colour of an image."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import mul

from PIL import Image

from .colour import planes_to_rgb

# Small enough for plain Python, large enough for the few waves of the placeholder.
SWATCH_PX = 20

_BASE83 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"

_LINEAR = [
    (value / 255 / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004  IEC 61966-2-1
    for value in range(256)
]

# New in Python 3.12, the oldest runtime of the function, and three times as fast as the fallback.
_sum_of_products: Callable[[Iterable[float], Iterable[float]], float] = getattr(
    math, "sumprod", lambda one, other: sum(map(mul, one, other))
)

_COLOURS = 6  # groups of similar pixels for the dominant colour


def swatch(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    """Return the image in a few opaque pixels; `image` is L, LA, RGB, RGBA or in YCbCr planes."""
    longer = max(image.size)
    if longer > SWATCH_PX:
        size = (max(1, image.width * SWATCH_PX // longer), max(1, image.height * SWATCH_PX // longer))
        image = image.resize(size, Image.Resampling.BOX, reducing_gap=1)
    return flatten(planes_to_rgb(image), background).convert("RGB")


def flatten(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    """Return the image on a plain background; unchanged if it is opaque."""
    if image.mode not in {"LA", "RGBA"}:
        return image
    canvas = Image.new("RGBA", image.size, (*background, 255))
    return Image.alpha_composite(canvas, image.convert("RGBA")).convert("RGB")


def dominant_color(small: Image.Image) -> str:
    """Return the mean of the largest group of similar pixels, as `#rrggbb`."""
    grouped = small.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT)
    counts = grouped.histogram()
    index = counts.index(max(counts))
    red, green, blue = (grouped.getpalette() or [])[3 * index : 3 * index + 3]
    return f"#{red:02x}{green:02x}{blue:02x}"


def blurhash(small: Image.Image) -> str:
    """Return the BlurHash of an RGB image, as its reference describes it (woltapp/blurhash, Algorithm.md).

    It has four waves along the longer side and three along the other, which makes a text of 28 characters. More waves
    would make it longer.
    """
    across, down = (4, 3) if small.width >= small.height else (3, 4)
    waves = _waves(small, across, down)
    average, others = waves[0], waves[1:]
    highest = max(abs(value) for wave in others for value in wave)
    step = max(0, min(82, math.floor(highest * 166 - 0.5)))
    scale = (step + 1) / 166
    hashed = _base83(across - 1 + (down - 1) * 9, 1) + _base83(step, 1)
    red, green, blue = (_encoded(value) for value in average)
    hashed += _base83((red << 16) + (green << 8) + blue, 4)
    for wave in others:
        red, green, blue = (_quantized(value / scale) for value in wave)
        hashed += _base83((red * 19 + green) * 19 + blue, 2)
    return hashed


def _waves(image: Image.Image, across: int, down: int) -> list[tuple[float, ...]]:
    """Return the image's share in each wave, for each channel: along the rows first, then along the columns."""
    width, height = image.size
    cosines_across, cosines_down = _cosines(width, across), _cosines(height, down)
    planes = [[_LINEAR[value] for value in channel.tobytes()] for channel in image.split()]
    shares = []
    for plane in planes:
        rows = [plane[start : start + width] for start in range(0, width * height, width)]
        along = [[_sum_of_products(row, cosines) for row in rows] for cosines in cosines_across]
        shares.append([[_sum_of_products(line, cosines) for line in along] for cosines in cosines_down])
    waves = []
    for y in range(down):
        for x in range(across):
            norm = (1 if x == y == 0 else 2) / (width * height)
            waves.append(tuple(norm * share[y][x] for share in shares))
    return waves


@lru_cache(maxsize=64)
def _cosines(length: int, waves: int) -> list[list[float]]:
    return [[math.cos(math.pi * wave * index / length) for index in range(length)] for wave in range(waves)]


def _encoded(linear: float) -> int:
    """Convert linear light to sRGB, 0 to 255."""
    value = max(0.0, min(1.0, linear))
    curved = value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055  # noqa: PLR2004  as above
    return int(curved * 255 + 0.5)


def _quantized(value: float) -> int:
    root = math.copysign(math.sqrt(abs(value)), value)
    return max(0, min(18, math.floor(root * 9 + 9.5)))


def _base83(value: int, length: int) -> str:
    return "".join(_BASE83[value // 83 ** (length - index) % 83] for index in range(1, length + 1))
