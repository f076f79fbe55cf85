"""The memory that an image needs: estimated before it is decoded, and rejected if it exceeds the function's memory."""

from __future__ import annotations

from .animation import stays_animated
from .process_memory import available_bytes, reuse_heap, trim_heap, update_limit
from .recipe import AVIF, WEBP, Limits, Recipe
from .structures import Structure
from .structures.structure import too_large

# Python, clients, decoders, and the memory of a thumbnail of 512 pixels; and the part of it that is in use before any
# image.
BASE_BYTES = 90 * 2**20
_START_BYTES = 55 * 2**20
_USUAL_SIDE_PX = 512
_COPIES_OF_SOURCE = 2

# The largest thumbnail, the image it is resized from, and its encoder, per pixel of a square of its side: measured with
# noise, which no encoder makes small.
_BYTES_PER_PIXEL_OF_SIDE = 30
_BY_FORMAT = {WEBP: 47, AVIF: 47}

# Bytes per pixel of a frame to compose the frames of an animation: 26 of AVIF, 23 of GIF, 16 of WebP and PNG.
_BYTES_PER_PIXEL_OF_FRAME = 27


def needed_bytes(structure: Structure, recipe: Recipe, *, source_bytes: int) -> float:
    """Return the peak memory of the whole process while it makes the thumbnails of an image."""
    largest_px = max(recipe.sizes_px, default=0)
    side_px = min(largest_px, max(structure.width, structure.height))
    per_pixel = _BY_FORMAT.get(recipe.output_format, _BYTES_PER_PIXEL_OF_SIDE)
    decoded_bytes = structure.decoded_bytes
    if stays_animated(structure, structure.frames, recipe):
        decoded_bytes = max(decoded_bytes, _BYTES_PER_PIXEL_OF_FRAME * structure.width * structure.height)
    return (
        BASE_BYTES
        + _COPIES_OF_SOURCE * source_bytes
        + decoded_bytes
        + per_pixel * max(0, side_px**2 - _USUAL_SIDE_PX**2)
    )


def fit_into_memory(structure: Structure, recipe: Recipe, limits: Limits, *, source_bytes: int) -> None:
    """Prepare the heap for an image: return its free pages to the system if the image needs them, else reuse them.

    Raises:
        ImageRejectedError: the image may need more memory than the function has.
    """
    needed = needed_bytes(structure, recipe, source_bytes=source_bytes)
    if needed > limits.memory_bytes:
        too_large(
            f"decoding this {structure.display_name} of {structure.width} x {structure.height} pixels needs up to "
            f"{needed / 2**20:.0f} MB; the function has {limits.memory_bytes / 2**20:.0f} MB: "
            "expected fewer pixels, or more memory"
        )
    if needed - _START_BYTES > available_bytes(limits.memory_bytes):
        trim_heap()
    else:
        reuse_heap()
    update_limit(limits.memory_bytes)
