"""What an image takes of the function's memory: known before it is decoded, refused if it is too much."""

from __future__ import annotations

import mmap
from pathlib import Path

from .animation import stays_animated
from .recipe import AVIF, WEBP, Limits, Recipe
from .structures import Structure
from .structures.structure import too_large

# Python, clients, decoders, and all that a thumbnail of 512 pixels takes.
BASE_BYTES = 90 * 2**20
_USUAL_SIDE_PX = 512
_COPIES_OF_SOURCE = 2

# The largest thumbnail, what it is resized from, and its encoder, per pixel of a square of its side: measured with
# noise, which no encoder makes small.
_BYTES_PER_PIXEL_OF_SIDE = 30
_BY_FORMAT = {WEBP: 47, AVIF: 47}

# What putting together the frames of an animation takes of a pixel of one: 26 of AVIF, 23 of GIF, 16 of WebP and PNG.
_BYTES_PER_PIXEL_OF_FRAME = 27

_STATM = Path("/proc/self/statm")
_RESIDENT, _DATA = 1, 5  # fields of it, in pages: proc(5)


def keep_within(memory_bytes: int) -> None:
    """Let this process take no more than that from now on: what asks for more is refused it, and nothing is killed.

    For images that take more than they tell, such as a WebP with a table of codes for every few pixels. Where the
    system cannot do this (it is Linux's), nothing changes.
    """
    if not _STATM.exists():
        return
    import resource  # noqa: PLC0415  not on every system

    _, highest = resource.getrlimit(resource.RLIMIT_DATA)
    left_bytes = memory_bytes - _bytes_of(_RESIDENT)
    resource.setrlimit(resource.RLIMIT_DATA, (_bytes_of(_DATA) + left_bytes, highest))


def fit_into_memory(
    structure: Structure, recipe: Recipe, limits: Limits, *, source_bytes: int, largest_px: int
) -> None:
    """See to it that the image can be decoded: let go of what the heap keeps of earlier ones if it needs the room.

    Raises:
        ImageRejectedError: it may take more than the function has.
    """
    side_px = min(largest_px, max(structure.width, structure.height))
    per_pixel = _BY_FORMAT.get(recipe.output_format, _BYTES_PER_PIXEL_OF_SIDE)
    decoded_bytes = structure.decoded_bytes
    if stays_animated(structure, structure.frames, recipe):
        decoded_bytes = max(decoded_bytes, _BYTES_PER_PIXEL_OF_FRAME * structure.width * structure.height)
    needed = (
        BASE_BYTES
        + _COPIES_OF_SOURCE * source_bytes
        + decoded_bytes
        + per_pixel * max(0, side_px**2 - _USUAL_SIDE_PX**2)
    )
    if needed > limits.memory_bytes:
        too_large(
            f"decoding this {structure.spoken} of {structure.width} x {structure.height} pixels takes up to "
            f"{needed / 2**20:.0f} MB; the function has {limits.memory_bytes / 2**20:.0f} MB: "
            "expected fewer pixels, or more memory"
        )
    if _STATM.exists() and _bytes_of(_RESIDENT) + needed - BASE_BYTES > limits.memory_bytes:
        _let_go()


def _bytes_of(field: int) -> int:
    return int(_STATM.read_text().split()[field]) * mmap.PAGESIZE


def _let_go() -> None:
    """Give the heap's free pages back to the system: 15 ms for 200 MB, and every later image gets its pages anew."""
    import ctypes  # noqa: PLC0415  hardly any function ever needs it

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's own, as is what keeps them
    if trim is not None:
        trim(0)
