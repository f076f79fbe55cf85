"""Animated thumbnails: every frame is shrunk like a still image, and all frames become one WebP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice

from PIL import Image

from imgpipe_processor.failures import ImageRejectedError

from .decoding import decode, open_image, rejecting_undecodable
from .encoding import background_of, encode_frames, encode_webp
from .gif_frames import rendered_frames
from .placeholder import flatten
from .plugins import load_plugin
from .processed_image import Thumbnail
from .recipe import AUTO, WEBP, Recipe
from .shrinking import Decoded, Size, shrink_to_sizes
from .structures import Structure
from .structures.structure import join_pieces

# The pages of a TIFF are not an animation. Animations of other formats have `Structure.animation`.
_ANIMATED_FORMATS = frozenset({"GIF", "AVIF"})

# Browsers show a frame of this duration or less for 100 ms instead.
_TOO_SHORT_MS = 10
_REPLACEMENT_MS = 100

_MAX_LOOPS = 65_535  # WebP counts in 16 bits


def stays_animated(structure: Structure, frames: int, recipe: Recipe) -> bool:
    """Return True if the recipe allows animations and this source is within its limits."""
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


def make_animation(
    data: bytes,
    image: Image.Image,
    structure: Structure,
    frames: int,
    targets: Sequence[Size],
    recipe: Recipe,
    orientation: int,
) -> tuple[list[Thumbnail], Image.Image] | None:
    """Return one animated WebP for each target (largest first), and the first frame of the smallest.

    A damaged frame ends the animation before it. Return None if fewer than two frames remain.
    """
    load_plugin("WEBP")
    sequences: list[list[Image.Image]] = [[] for _ in targets]
    durations = []
    try:
        with rejecting_undecodable(structure):
            moving = (
                image if structure.animation is None else open_image(join_pieces(data, structure.animation), structure)
            )
    except ImageRejectedError:
        return None
    for decoded, duration in _intact_frames(data, moving, structure, frames, targets[0], orientation):
        durations.append(duration if duration > _TOO_SHORT_MS else _REPLACEMENT_MS)
        for sequence, frame in zip(sequences, shrink_to_sizes(decoded, targets), strict=True):
            ground = flatten(frame, background_of(recipe)) if recipe.background is not None else frame
            sequence.append(ground.convert("RGBA" if ground.mode in {"LA", "RGBA"} else "RGB"))
    if len(durations) <= 1:
        image.seek(0)
        return None
    made = []
    for sequence in sequences:
        encoded = partial(encode_frames, sequence, "WEBP", duration=durations, loop=_loop_count(moving))
        made.append(Thumbnail(encode_webp(len(data), sequence, recipe, encoded), "WEBP", *sequence[0].size))
    return made, sequences[-1][0]


def _intact_frames(
    data: bytes, image: Image.Image, structure: Structure, frames: int, largest: Size, orientation: int
) -> Iterator[tuple[Decoded, int]]:
    """Yield every frame before the first damaged one, and its duration in milliseconds."""
    shown = _frames(data, image, structure, frames, largest, orientation)
    while True:
        try:
            with rejecting_undecodable(structure):
                frame = next(shown, None)
        except ImageRejectedError:
            return
        if frame is None:
            return
        yield frame


def _frames(
    data: bytes, image: Image.Image, structure: Structure, frames: int, largest: Size, orientation: int
) -> Iterator[tuple[Decoded, int]]:
    if structure.format == "GIF":
        for screen, duration in islice(rendered_frames(data, image.size), frames):
            yield Decoded(screen, (0, 0, *screen.size), orientation, None), duration
        return
    first = 1 if image.info.get("default_image") else 0  # a PNG may have a still image for viewers without animations
    for number in range(first, first + frames):
        image.seek(number)
        decoded = decode(image, largest, orientation)
        yield decoded, round(image.info.get("duration", 0))


def _loop_count(image: Image.Image) -> int:
    """Return how often the animation plays, as WebP counts; 0 means forever."""
    if image.format == "AVIF":
        return 0  # the decoder does not report it, and nearly all AVIFs repeat forever
    loops: int | None = image.info.get("loop")
    if loops is None:
        return 1
    repeated = image.format == "GIF" and loops > 0  # a GIF counts the repetitions after the first time
    return min(loops + repeated, _MAX_LOOPS)
