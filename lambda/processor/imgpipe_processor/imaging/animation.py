"""Animations that stay animations: every frame is shrunk like a picture, and all of them become one WebP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO

from PIL import Image

from .decoding import decode, rejecting
from .encoding import WEBP_METHOD, background_of, lowered_qualities, smallest_needed
from .placeholder import flattened
from .recipe import AUTO, WEBP, Recipe
from .shrinking import Size, chain
from .structures import Structure
from .thumbnail import Thumbnail

_ANIMATED_FORMATS = frozenset({"GIF", "WEBP", "PNG", "AVIF"})  # the pages of a TIFF are no animation

# What browsers show a frame for that asks for less than they can show.
_SHORTEST_MS = 10
_INSTEAD_MS = 100


def stays_animated(structure: Structure, frames: int, recipe: Recipe) -> bool:
    """Whether the recipe wants this source animated, and it is short enough."""
    limits = recipe.animation
    if limits is None or recipe.output_format not in {AUTO, WEBP}:
        return False
    pixels = structure.width * structure.height * frames
    return (
        structure.format in _ANIMATED_FORMATS
        and 1 < frames <= limits.max_frames
        and pixels <= limits.max_pixels
        and bool(recipe.sizes_px)
    )


def animated(
    image: Image.Image,
    structure: Structure,
    frames: int,
    targets: Sequence[Size],
    recipe: Recipe,
    orientation: int,
    *,
    source_bytes: int,
) -> tuple[list[Thumbnail], Image.Image]:
    """One animated WebP for each target (largest first), and the first frame of the smallest of them."""
    sequences: list[list[Image.Image]] = [[] for _ in targets]
    durations = []
    for number in range(frames):
        with rejecting(structure):
            image.seek(number)
            decoded = decode(image, targets[0], orientation)
        durations.append(_duration(image))
        for sequence, frame in zip(sequences, chain(decoded, targets), strict=True):
            ground = flattened(frame, background_of(recipe)) if recipe.background is not None else frame
            sequence.append(ground.convert("RGBA" if ground.mode in {"LA", "RGBA"} else "RGB"))
    loops = image.info.get("loop", 1)
    made = []
    for sequence in sequences:
        data = smallest_needed(_attempts(sequence, durations, loops, recipe), source_bytes)
        made.append(Thumbnail(data, "WEBP", *sequence[0].size))
    return made, sequences[-1][0]


def _duration(image: Image.Image) -> int:
    duration = round(image.info.get("duration", 0))
    return duration if duration > _SHORTEST_MS else _INSTEAD_MS


def _attempts(sequence: Sequence[Image.Image], durations: list[int], loops: int, recipe: Recipe) -> Iterator[bytes]:
    for quality in lowered_qualities(recipe.webp_quality):
        out = BytesIO()
        sequence[0].save(
            out,
            "WEBP",
            save_all=True,
            append_images=sequence[1:],
            duration=durations,
            loop=loops,
            quality=quality,
            method=WEBP_METHOD,
        )
        yield out.getvalue()
