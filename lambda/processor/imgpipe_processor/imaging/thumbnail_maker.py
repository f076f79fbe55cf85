"""Make thumbnails from the bytes of an image.

The order makes it safe, fast and small: check the structure of the file, let one decoder read the header, decode once
and no larger than needed, shrink from size to size, and change single pixels (colours, orientation) last.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from .animation import make_animation, stays_animated
from .decoding import decode, decoder_limits, image_orientation, open_image, rejecting_undecodable
from .encoding import background_of, encode
from .libvips import decode_with_libvips, prepare_libvips
from .memory_estimate import fit_into_memory
from .missing_pixels import decode_complete
from .placeholder import blurhash, dominant_color, swatch
from .plugins import load_plugin, register_heic_decoder
from .processed_image import ProcessedImage, Thumbnail
from .recipe import AUTO, JPEG, LIBVIPS, Limits, Recipe
from .shrinking import ROTATED_BY_90_DEGREES, Decoded, Size, fitted_size, intermediate_size, shrink_to_sizes
from .structures import Structure, read_structure

# Without thumbnail sizes the image is still decoded, as small as its format allows. This proves that it is an image and
# determines its colours.
_METADATA_ONLY_PX = 32


def prepare(recipe: Recipe, limits: Limits) -> None:
    """Import at cold start the modules that a recipe needs for every image.

    Raises:
        ImportError: a module is not in the package.
    """
    load_plugin(recipe.output_format.upper())
    if recipe.engine == LIBVIPS:
        prepare_libvips(max(recipe.sizes_px, default=0))
    if limits.heic:
        register_heic_decoder()


def make_thumbnails(data: bytes, recipe: Recipe, limits: Limits) -> ProcessedImage:
    """Read an image and make its thumbnails: upright, inside the square, never enlarged, without metadata.

    Raises:
        ImageRejectedError: the object is not a supported image (unsupported), a part of it is missing or wrong
            (corrupt), or it exceeds the limits (too-large).
    """
    largest_px = max(recipe.sizes_px, default=_METADATA_ONLY_PX)
    structure = read_structure(data, limits)
    fit_into_memory(structure, recipe, limits, source_bytes=len(data))
    prepare(recipe, limits)
    with decoder_limits(limits.max_pixels):
        with rejecting_undecodable(structure):
            image = open_image(structure.decodable or data, structure)
            width, height = image.size
            orientation = image_orientation(image, structure)
            frames = _frame_count(image, structure, limits)
        targets = {size_px: fitted_size(width, height, size_px) for size_px in recipe.sizes_px or (largest_px,)}
        sorted_targets = sorted(set(targets.values()), reverse=True)
        animation = None
        if stays_animated(structure, frames, recipe):
            animation = make_animation(data, image, structure, frames, sorted_targets, recipe, orientation)
        encoded, smallest = animation or _still_thumbnails(data, structure, image, sorted_targets, recipe, orientation)
    if orientation in ROTATED_BY_90_DEGREES:
        width, height = height, width
    small = swatch(smallest, background_of(recipe))
    by_target = dict(zip(sorted_targets, encoded, strict=True)) if recipe.sizes_px else {}
    return ProcessedImage(
        format=structure.format,
        width=width,
        height=height,
        frames=frames,
        thumbnails=tuple(by_target[targets[size_px]] for size_px in recipe.sizes_px),
        placeholder=blurhash(small),
        dominant_color=dominant_color(small),
    )


def _frame_count(image: Image.Image, structure: Structure, limits: Limits) -> int:
    """Return the number of frames, counted up to one over the limit.

    Only the decoder knows the number of frames of an AVIF.
    """
    frames = getattr(image, "n_frames", 1) if structure.format == "AVIF" else structure.frames
    return min(frames, limits.max_frames + 1)


def _still_thumbnails(
    data: bytes, structure: Structure, image: Image.Image, targets: Sequence[Size], recipe: Recipe, orientation: int
) -> tuple[list[Thumbnail], Image.Image]:
    """Return one thumbnail of the first frame for each target, and the pixels of the smallest."""

    def decode_file(file: bytes, image: Image.Image) -> Decoded:
        decoded = None
        if recipe.engine == LIBVIPS:
            decoded = decode_with_libvips(file, structure, image, intermediate_size(image.size, targets), orientation)
        return decoded or decode(image, targets[0], orientation, as_planes=as_planes)

    as_planes = recipe.output_format in {AUTO, JPEG}
    with rejecting_undecodable(structure):
        file = structure.decodable or data
        decoded = decode_complete(
            structure,
            file,
            lambda other: decode_file(other, image if other is file else open_image(other, structure)),
        )
    encoded = []
    for pixels in shrink_to_sizes(decoded, targets, as_planes=as_planes):
        if recipe.sizes_px:
            encoded.append(encode(pixels, recipe, source_bytes=len(data)))
        smallest = pixels
    return encoded, smallest
