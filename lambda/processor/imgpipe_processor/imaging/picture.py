"""Bytes of an image in, thumbnails out.

The order is what makes it safe, fast and small: look at the file's structure, let one decoder read the header, decode
once and no larger than needed, shrink from size to size, and only then touch single pixels (colours, orientation).
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from .animation import animated, stays_animated
from .decoding import decode, decoder_limits, opened, orientation_of, rejecting
from .encoding import background_of, encode
from .heic import register_decoder
from .libvips import decode_with_libvips, prepare_libvips
from .memory import fit_into_memory
from .placeholder import blurhash, dominant_color, swatch
from .plugins import load_plugin
from .recipe import AUTO, JPEG, LIBVIPS, Limits, Recipe
from .shrinking import LIES_ON_ITS_SIDE, Decoded, Size, chain, fitted_size, with_room
from .structures import Structure, read_structure
from .thumbnail import Picture, Thumbnail
from .unfinished import decoded_whole

# Where no thumbnail is wanted, the image is still decoded, as small as its format allows: what is recorded as an image
# is one, and its colours are known.
_ONLY_LOOKED_AT_PX = 32


def prepare(recipe: Recipe, limits: Limits) -> None:
    """Import at cold start what a recipe needs for every image.

    Raises:
        ImportError: it is not in the package.
    """
    load_plugin(recipe.output_format.upper())
    if recipe.engine == LIBVIPS:
        prepare_libvips(max(recipe.sizes_px, default=0))
    if limits.heic:
        register_decoder()


def make_picture(data: bytes, recipe: Recipe, limits: Limits) -> Picture:
    """Read an image and make its thumbnails: upright, inside the square, never enlarged, nothing but pixels in them.

    Raises:
        ImageRejectedError: it is no image that is taken (unsupported), a part of it is missing or wrong (corrupt), or
            it asks for more than the limits (too-large).
    """
    largest_px = max(recipe.sizes_px, default=_ONLY_LOOKED_AT_PX)
    structure = read_structure(data, limits)
    fit_into_memory(structure, recipe, limits, source_bytes=len(data))
    prepare(recipe, limits)
    with decoder_limits(limits.max_pixels):
        with rejecting(structure):
            image = opened(structure.decodable or data, structure)
            width, height = image.size
            orientation = orientation_of(image, structure)
            frames = _frames(image, structure, limits)
        targets = {size_px: fitted_size(width, height, size_px) for size_px in recipe.sizes_px or (largest_px,)}
        ordered = sorted(set(targets.values()), reverse=True)
        moving = None
        if stays_animated(structure, frames, recipe):
            moving = animated(data, image, structure, frames, ordered, recipe, orientation)
        made, smallest = moving or _still(data, structure, image, ordered, recipe, orientation)
    if orientation in LIES_ON_ITS_SIDE:
        width, height = height, width
    small = swatch(smallest, background_of(recipe))
    by_target = dict(zip(ordered, made, strict=True)) if recipe.sizes_px else {}
    return Picture(
        format=structure.format,
        width=width,
        height=height,
        frames=frames,
        thumbnails=tuple(by_target[targets[size_px]] for size_px in recipe.sizes_px),
        placeholder=blurhash(small),
        dominant_color=dominant_color(small),
    )


def _frames(image: Image.Image, structure: Structure, limits: Limits) -> int:
    """Return the number of frames, counted no further than one over the limit.

    Only its decoder knows that of an AVIF.
    """
    frames = getattr(image, "n_frames", 1) if structure.format == "AVIF" else structure.frames
    return min(frames, limits.max_frames + 1)


def _still(
    data: bytes, structure: Structure, image: Image.Image, targets: Sequence[Size], recipe: Recipe, orientation: int
) -> tuple[list[Thumbnail], Image.Image]:
    """One thumbnail of the first frame for each target, and the pixels of the smallest."""

    def decoded_from(file: bytes, image: Image.Image) -> Decoded:
        decoded = None
        if recipe.engine == LIBVIPS:
            decoded = decode_with_libvips(file, structure, image, with_room(image.size, targets), orientation)
        return decoded or decode(image, targets[0], orientation, as_planes=as_planes)

    as_planes = recipe.output_format in {AUTO, JPEG}
    with rejecting(structure):
        file = structure.decodable or data
        decoded = decoded_whole(
            structure,
            file,
            lambda other: decoded_from(other, image if other is file else opened(other, structure)),
        )
    made = []
    for pixels in chain(decoded, targets, as_planes=as_planes):
        if recipe.sizes_px:
            made.append(encode(pixels, recipe, source_bytes=len(data)))
        smallest = pixels
    return made, smallest
