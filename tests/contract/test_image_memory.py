"""What a configuration counts on in memory, against what the function takes, and against what it refuses."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Animation, Limits, Recipe, make_thumbnails
from imgpipe_templates.patterns.image_memory import BASE_BYTES, animated_bytes, still_bytes
from imgpipe_templates.subsystems.processing import ProcessingConfig
from tests.lambda_processor.fakes import encoded

# VmHWM and not ru_maxrss: that one starts at the peak of the process that started this one.
MEASURE = """
import sys
from pathlib import Path
from imgpipe_processor.imaging import Animation, Limits, Recipe, make_thumbnails
data = sys.stdin.buffer.read()
peak = lambda: int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
before = peak()
recipe = eval(sys.argv[1])
(made,) = make_thumbnails(data, recipe, Limits(10**9, 10**6, 10**12)).thumbnails
print(peak() - before, made.format, made.width)
"""
# What a thumbnail of 512 pixels takes at most, an AVIF, which is part of the base.
USUAL_BYTES = 20 * 2**20
ROUNDING_BYTES = 2 * 2**20  # of allocators

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def noise(side_px: int, seed: int = 0) -> Image.Image:
    """What no encoder makes small: every channel at random, alpha too."""
    return Image.frombytes("RGBA", (side_px, side_px), hashlib.shake_256(bytes([seed])).digest(4 * side_px**2))


def taken(repository: Path, data: bytes, recipe: Recipe) -> tuple[int, str, int]:
    """Bytes that a process takes for one thumbnail beside its source, and the thumbnail's format and side."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, repr(recipe)],
        input=data,
        capture_output=True,
        check=True,
        cwd=repository / "lambda" / "processor",
        timeout=60,
    )
    size, image_format, side_px = done.stdout.decode().split()
    return int(size), image_format, int(side_px)


@pytest.fixture(scope="module")
def large() -> bytes:
    return encoded(noise(2200), "PNG", compress_level=0)


@on_linux
@pytest.mark.parametrize("output_format", ["auto", "webp", "avif"])
def test_a_large_thumbnail_takes_no_more_than_is_counted(repository, large, output_format):
    """Beside the usual one, which is part of the base."""
    sides_px = (512, 1024)
    recipes = [Recipe((side_px,), output_format, 100, 100, 100) for side_px in sides_px]
    usual, beyond = (
        still_bytes(pixels=2200**2, source_bytes=0, sides_px=[side_px], output_format=output_format)
        for side_px in sides_px
    )

    (usual_size, *_), (size, image_format, made_px) = (taken(repository, large, recipe) for recipe in recipes)

    assert (image_format, made_px) == ("PNG" if output_format == "auto" else output_format.upper(), 1024)
    assert usual_size < usual - BASE_BYTES + USUAL_BYTES
    assert size - usual_size < beyond - usual + ROUNDING_BYTES


@on_linux
@pytest.mark.parametrize(("quality", "side_px", "frames"), [(80, 1200, 2), (80, 250, 60), (100, 250, 60)])
def test_an_animated_thumbnail_takes_no_more_than_is_counted(repository, quality, side_px, frames):
    first, *others = (noise(side_px, seed) for seed in range(frames))
    data = encoded(first, "PNG", save_all=True, append_images=others)
    pixels = side_px**2
    recipe = Recipe((512,), webp_quality=quality, animation=Animation(frames, frames * pixels))
    counted = animated_bytes(
        frames=frames, animation_pixels=frames * pixels, pixels=pixels, source_bytes=0, sides_px=[512], quality=quality
    )

    size, image_format, _ = taken(repository, data, recipe)

    assert image_format == "WEBP"
    assert size < counted - BASE_BYTES + USUAL_BYTES


def least_memory_mb(**options: Any) -> int:
    """What a configuration with these options is told to have at least."""
    (conflict,) = ProcessingConfig(memory_mb=128, **options).conflicts()
    return int(re.search(r"at least (\d+) MB", conflict.message)[1])


@pytest.mark.parametrize("extra_sizes_px", [(), (1024,)])
def test_the_function_takes_the_worst_image_that_a_configuration_lets_in_and_no_worse(extra_sizes_px):
    side_px = 4000
    data = encoded(Image.new("CMYK", (side_px, side_px)), progressive=True, subsampling=0)
    memory_mb = least_memory_mb(
        max_source_pixels=side_px**2, max_source_bytes=len(data), extra_thumbnail_sizes_px=extra_sizes_px
    )
    recipe = Recipe((512, *extra_sizes_px))

    assert make_thumbnails(data, recipe, Limits(side_px**2, 1, memory_mb * 2**20)).width == side_px
    with pytest.raises(ImageRejectedError, match="the function has"):
        make_thumbnails(data, recipe, Limits(side_px**2, 1, (memory_mb - 2) * 2**20))
