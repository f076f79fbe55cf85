"""Animations that stay animations: every frame is shrunk like a picture, and all of them become one WebP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice

from PIL import Image

from imgpipe_processor.failures import ImageRejectedError

from .decoding import decode, opened, rejecting
from .encoding import background_of, saved, webp_within
from .gif_screen import shown_frames
from .placeholder import flattened
from .plugins import load_plugin
from .recipe import AUTO, WEBP, Recipe
from .shrinking import Decoded, Size, chain
from .structures import Structure
from .structures.structure import joined
from .thumbnail import Thumbnail

# The pages of a TIFF are no animation. Of the others, these are known by `Structure.animation`.
_ANIMATED_FORMATS = frozenset({"GIF", "AVIF"})

# What browsers show a frame for that asks for less than they can show.
_SHORTEST_MS = 10
_INSTEAD_MS = 100

_MOST_PLAYS = 65_535  # WebP counts in 16 bits


def stays_animated(structure: Structure, frames: int, recipe: Recipe) -> bool:
    """Whether the recipe wants this source animated, and it is short enough."""
    limits = recipe.animation
    if limits is None or recipe.output_format not in {AUTO, WEBP}:
        return False
    pixels = structure.width * structure.height * frames
    return (
        (structure.format in _ANIMATED_FORMATS or structure.animation is not None)
        and 1 < frames <= limits.max_frames
        and pixels <= limits.max_pixels
        and bool(recipe.sizes_px)
    )


def animated(
    data: bytes,
    image: Image.Image,
    structure: Structure,
    frames: int,
    targets: Sequence[Size],
    recipe: Recipe,
    orientation: int,
) -> tuple[list[Thumbnail], Image.Image] | None:
    """Return one animated WebP for each target (largest first), and the first frame of the smallest of them.

    A damaged frame ends the animation before it. Return None if that leaves fewer than two frames.
    """
    load_plugin("WEBP")
    sequences: list[list[Image.Image]] = [[] for _ in targets]
    durations = []
    try:
        with rejecting(structure):
            moving = image if structure.animation is None else opened(joined(data, structure.animation), structure)
    except ImageRejectedError:
        return None
    for decoded, duration in _decoded(data, moving, structure, frames, targets[0], orientation):
        durations.append(duration if duration > _SHORTEST_MS else _INSTEAD_MS)
        for sequence, frame in zip(sequences, chain(decoded, targets), strict=True):
            ground = flattened(frame, background_of(recipe)) if recipe.background is not None else frame
            sequence.append(ground.convert("RGBA" if ground.mode in {"LA", "RGBA"} else "RGB"))
    if len(durations) <= 1:
        image.seek(0)
        return None
    made = []
    for sequence in sequences:
        encoded = partial(saved, sequence, "WEBP", duration=durations, loop=_plays(moving))
        made.append(Thumbnail(webp_within(len(data), sequence, recipe, encoded), "WEBP", *sequence[0].size))
    return made, sequences[-1][0]


def _decoded(
    data: bytes, image: Image.Image, structure: Structure, frames: int, largest: Size, orientation: int
) -> Iterator[tuple[Decoded, int]]:
    """Yield every frame before the first damaged one, and the milliseconds for which it is shown."""
    shown = _shown(data, image, structure, frames, largest, orientation)
    while True:
        try:
            with rejecting(structure):
                frame = next(shown, None)
        except ImageRejectedError:
            return
        if frame is None:
            return
        yield frame


def _shown(
    data: bytes, image: Image.Image, structure: Structure, frames: int, largest: Size, orientation: int
) -> Iterator[tuple[Decoded, int]]:
    if structure.format == "GIF":
        for screen, duration in islice(shown_frames(data, image.size), frames):
            yield Decoded(screen, (0, 0, *screen.size), orientation, None), duration
        return
    first = 1 if image.info.get("default_image") else 0  # a PNG for those who know no animations
    for number in range(first, first + frames):
        image.seek(number)
        decoded = decode(image, largest, orientation)
        yield decoded, round(image.info.get("duration", 0))


def _plays(image: Image.Image) -> int:
    """How often it is shown, as WebP counts; 0 is for ever."""
    if image.format == "AVIF":
        return 0  # the decoder keeps it to itself, and hardly any of them stops
    loops: int | None = image.info.get("loop")
    if loops is None:
        return 1
    repeated = image.format == "GIF" and loops > 0  # what a GIF counts comes after the first time
    return min(loops + repeated, _MOST_PLAYS)
