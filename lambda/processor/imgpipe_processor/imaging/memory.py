"""What an image takes of the function's memory: known before it is decoded, refused if it is too much."""

from __future__ import annotations

from .animation import stays_animated
from .process_memory import make_room, renew_limit, reuse_heap, room_bytes
from .recipe import AVIF, WEBP, Limits, Recipe
from .structures import Structure
from .structures.structure import too_large

# Python, clients, decoders, and all that a thumbnail of 512 pixels takes; of it, what is there before any image.
BASE_BYTES = 90 * 2**20
_START_BYTES = 55 * 2**20
_USUAL_SIDE_PX = 512
_COPIES_OF_SOURCE = 2

# The largest thumbnail, what it is resized from, and its encoder, per pixel of a square of its side: measured with
# noise, which no encoder makes small.
_BYTES_PER_PIXEL_OF_SIDE = 30
_BY_FORMAT = {WEBP: 47, AVIF: 47}

# What putting together the frames of an animation takes of a pixel of one: 26 of AVIF, 23 of GIF, 16 of WebP and PNG.
_BYTES_PER_PIXEL_OF_FRAME = 27


def needed_bytes(structure: Structure, recipe: Recipe, *, source_bytes: int) -> float:
    """Return what the whole process takes at its peak while it makes the thumbnails of an image."""
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
    """Make room for an image: give back what the heap keeps of earlier ones if this one needs it, else reuse it.

    Raises:
        ImageRejectedError: it may take more than the function has.
    """
    needed = needed_bytes(structure, recipe, source_bytes=source_bytes)
    if needed > limits.memory_bytes:
        too_large(
            f"decoding this {structure.spoken} of {structure.width} x {structure.height} pixels takes up to "
            f"{needed / 2**20:.0f} MB; the function has {limits.memory_bytes / 2**20:.0f} MB: "
            "expected fewer pixels, or more memory"
        )
    if needed - _START_BYTES > room_bytes(limits.memory_bytes):
        make_room()
    else:
        reuse_heap()
    renew_limit(limits.memory_bytes)
