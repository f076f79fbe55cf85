"""Large images of each kind, each of which needs nearly all memory of a function."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from imgpipe_processor.imaging import Limits, Recipe
from imgpipe_processor.imaging.memory_estimate import BASE_BYTES, needed_bytes
from imgpipe_processor.imaging.structures import read_structure
from tests.lambda_processor import scenes
from tests.lambda_processor.fakes import encoded
from tests.soak import heics

MAX_PIXELS = 200_000_000
ASPECT = 4 / 3
SMALLER = 0.97  # from one attempt to the next


def colours(width: int, height: int) -> Image.Image:
    return scenes.spots(width, height, spot_px=80)


def veiled(width: int, height: int) -> Image.Image:
    image = colours(width, height)
    image.putalpha(Image.linear_gradient("L").resize((width, height)))
    return image


# By name: the largest memory of a pixel (docs/processor.md, "Memory", and twice the source), and the function that
# makes a file of a size.
KINDS: dict[str, tuple[float, Callable[[int, int], bytes]]] = {
    "heic": (8.0, lambda width, height: heics.single(colours(width, height))),
    "heic-grid": (8.0, lambda width, height: heics.grid(colours(heics.TILE_PX, heics.TILE_PX), width, height)),
    "webp": (17, lambda width, height: encoded(colours(width, height), "WEBP", quality=80, method=0)),
    "webp-lossless": (
        18.5,
        lambda width, height: encoded(colours(width, height), "WEBP", lossless=True, quality=0, method=0),
    ),
    "avif": (9.2, lambda width, height: encoded(colours(width, height), "AVIF", quality=60, speed=10)),
    "avif-alpha": (11.7, lambda width, height: encoded(veiled(width, height), "AVIF", quality=60, speed=10)),
    "jpeg-progressive": (
        6.1,
        lambda width, height: encoded(colours(width, height), quality=85, progressive=True, subsampling=0),
    ),
    "jpeg": (0.1, lambda width, height: encoded(colours(width, height), quality=85)),
    "png-alpha": (7.5, lambda width, height: encoded(veiled(width, height), "PNG", compress_level=1)),
}
MAX_MEGAPIXELS = 48  # of kinds that memory hardly limits; a phone's


def write(kind: str, recipe: Recipe, memory_mb: int, folder: Path) -> Path:
    """Write the largest image of a kind for a function of this memory; keep the file for the next run."""
    path = folder / f"{kind}-{memory_mb}"
    if path.exists():
        return path
    limits = Limits(MAX_PIXELS, 1_000, memory_mb * 2**20, heic=True)
    pixel_bytes, make = KINDS[kind]
    pixels = min((limits.memory_bytes - BASE_BYTES) / pixel_bytes, MAX_MEGAPIXELS * 10**6)
    while True:
        height = math.isqrt(int(pixels / ASPECT)) // 2 * 2
        data = make(int(height * ASPECT) // 2 * 2, height)
        if needed_bytes(read_structure(data, limits), recipe, source_bytes=len(data)) <= limits.memory_bytes:
            path.write_bytes(data)
            return path
        pixels *= SMALLER
