"""The property of every input: thumbnails that can be decoded, or a rejection, within limits of time and memory."""

from __future__ import annotations

import time
import zlib
from pathlib import Path

from PIL import Image

from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Animation, Limits, ProcessedImage, Recipe, make_thumbnails
from imgpipe_processor.imaging.memory_estimate import BASE_BYTES
from tests.lambda_processor.fakes import decoded

LIMITS = Limits(max_pixels=1_000_000, max_frames=20, memory_bytes=BASE_BYTES + 64 * 2**20, heic=True)
RECIPES = (
    Recipe((128, 32)),
    Recipe(()),
    Recipe((64,), animation=Animation(max_frames=10, max_pixels=200_000)),
    Recipe((48,), output_format="webp", background="#102030"),
    Recipe((16,), output_format="avif"),
    Recipe((600, 20), engine="libvips"),
)
CATEGORIES = frozenset({None, "unsupported", "corrupt", "too-large"})

# CPU time of the processor; an input as large as the target's usually needs a hundredth of it.
MAX_CPU_SECONDS = 5
# The memory of thumbnails, encoders and the first use of a decoder, for any input.
FURTHER_BYTES = 24 * 2**20

_PROCESS = Path("/proc/self")


def check(data: bytes, *, refused: bool = True) -> None:
    """Make thumbnails of the input, with a recipe that depends on the input.

    Args:
        data: the input.
        refused: True if the input may be rejected.

    Raises:
        AssertionError: the result is wrong, or needed too much time or memory; every other exception is a defect too.
    """
    recipe = RECIPES[zlib.crc32(data) % len(RECIPES)]
    before_bytes, start_seconds = _peak_from_here(), time.process_time()
    category = None
    try:
        _check_image(make_thumbnails(data, recipe, LIMITS), recipe)
    except ImageRejectedError as refusal:
        category = refusal.category
    assert category in (CATEGORIES if refused else {None})
    used_seconds, used_bytes = time.process_time() - start_seconds, _peak() - before_bytes
    assert used_seconds < MAX_CPU_SECONDS, used_seconds
    assert used_bytes < LIMITS.memory_bytes - BASE_BYTES + FURTHER_BYTES, used_bytes
    assert Image.MAX_IMAGE_PIXELS not in {None, LIMITS.max_pixels}


def _check_image(result: ProcessedImage, recipe: Recipe) -> None:
    assert result.width * result.height <= LIMITS.max_pixels
    assert 1 <= result.frames <= LIMITS.max_frames
    assert len(result.placeholder) == 28
    assert len(result.dominant_color) == 7
    assert len(result.thumbnails) == len(recipe.sizes_px)
    for size_px, thumbnail in zip(recipe.sizes_px, result.thumbnails, strict=True):
        image = decoded(thumbnail.data)
        assert (image.format, *image.size) == (thumbnail.format, thumbnail.width, thumbnail.height)
        assert max(image.size) == min(size_px, max(result.width, result.height))


def _peak_from_here() -> int:
    """Reset the peak of memory use, and return the memory in use, in bytes."""
    (_PROCESS / "clear_refs").write_text("5")  # proc(5)
    return _peak()


def _peak() -> int:
    return int((_PROCESS / "status").read_text().split("VmHWM:")[1].split()[0]) * 1024
