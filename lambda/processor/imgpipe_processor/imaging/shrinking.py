"""Shrink a decoded image to the pixels of every size: upright, sRGB, each size made from a larger one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from PIL import Image

from .colour import (
    PLANES,
    PREMULTIPLIED,
    clear_transparent_pixels,
    colour_planes,
    convert_mode,
    has_few_colours,
    is_srgb,
    to_srgb,
    working_mode,
)

# Shrinking has two steps: cheap averaging (in the JPEG decoder, or by whole factors) down to at least so many times the
# target, then Lanczos. Measured on photos against a full decode with Lanczos: without a gap, images that the averaging
# alone shrinks almost to their size lose 10 dB; larger gaps than these gain 0.2 dB after encoding.
DRAFT_GAP = 1.2
REDUCING_GAP = 1.5

# An image that becomes a JPEG is shrunk in its YCbCr planes: Lanczos spends its time on lightness, and little on the
# colours, of which a JPEG keeps a quarter. Measured in planes, larger gaps add no visible time, and regain what small
# thumbnails lose with the other gap: 2.0 after a JPEG decoder, which has done most of the shrinking, 1.75 after
# decoders that return all pixels. Colours are only averaged.
LIGHTNESS_GAP = 2.0
WHOLE_GAP = 1.75
COLOUR_GAP = 1.0

# Averaging fine lines of line art and text causes moire. The more is left to Lanczos, the less is visible, and its time
# grows with the pixels that are left. So an image of few colours is averaged only as much as needed to leave so many
# values (pixels times channels: 2 to 4 ms), but not to less than twice the target, like libvips, if that is not more
# values than the largest photos leave. An averaged copy, or a copy in another mode, exists in addition to the image, in
# one or four bytes a pixel: at most so many bytes, because no more memory is counted.
GRAPHICS_GAP = 2.0
GRAPHICS_VALUES = 1_000_000
MOST_GRAPHICS_VALUES = 32_000_000
MOST_COPIED_BYTES = 4_000_000

# Side of the squares in which modes are converted, so that memory never contains the image twice.
TILE_PX = 512

# EXIF 2.32, "Orientation": the operation that makes the stored image upright.
TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ROTATED_BY_90_DEGREES = frozenset({5, 6, 7, 8})

Size = tuple[int, int]
Box = tuple[float, float, float, float]


class Decoded(NamedTuple):
    """The pixels from a decoder.

    Args:
        box: the image within the pixels; a decoder that shrinks may round up.
        orientation: as EXIF counts; 1 is upright.
        corner: the last pixel as decoded if the pixels are already resampled; otherwise None.
    """

    image: Image.Image
    box: Box
    orientation: int
    icc_profile: bytes | None
    corner: tuple[int, ...] | None = None


def fitted_size(width: int, height: int, size_px: int) -> Size:
    """Return the largest size inside the square with the same aspect: at least 1 pixel, at most the image's size."""
    longer = max(width, height)
    if longer <= size_px:
        return width, height
    return max(1, round(width * size_px / longer)), max(1, round(height * size_px / longer))


def intermediate_size(size: Size, targets: Sequence[Size]) -> Size:
    """Return the size to shrink an image to before `shrink_to_sizes`.

    It is the largest target, or more if another target is close to it.
    """
    largest = targets[0]
    if all(max(largest) >= REDUCING_GAP * max(other) for other in targets[1:]):
        return largest
    return min(size[0], math.ceil(REDUCING_GAP * largest[0])), min(size[1], math.ceil(REDUCING_GAP * largest[1]))


def shrink_to_sizes(decoded: Decoded, targets: Sequence[Size], *, as_planes: bool = False) -> Iterator[Image.Image]:
    """Yield the pixels of each target (as stored, largest first), upright, in sRGB or, if allowed, in YCbCr planes.

    Measured on photos: two to three times as fast as shrinking the source for every size, and closer to an exact
    reduction, unless two sizes are close: shrinking by a tenth of the size loses 5 dB. The next size is made from the
    pixels before colour conversion and orientation.
    """
    # In other colour spaces than sRGB, converting averages differs from averaging converted colours: saturated detail
    # would shift.
    as_planes = as_planes and is_srgb("RGB", decoded.icc_profile)
    sources = [(decoded.image, decoded.box)]
    for target in targets:
        far = (source for source in reversed(sources) if max(source[1]) >= REDUCING_GAP * max(target))
        image = shrink(*next(far, sources[0]), target, as_planes=as_planes)
        sources.append((image, (0, 0, *target)))
        upright = to_srgb(image, decoded.icc_profile)
        if decoded.orientation in TRANSPOSITIONS:
            upright = upright.transpose(TRANSPOSITIONS[decoded.orientation])
        yield upright


def _shrink_planes(image: Image.Image, box: Box, target: Size) -> Image.Image:
    """Shrink lightness to the target, and colours to half of it, which is all that a JPEG keeps of them.

    The colours are returned in blocks of 2 x 2, of which the JPEG encoder uses the mean; a single last row or column
    has the colours of the previous one. The image may be RGB: planes are sums of its channels, and can be made from few
    pixels as well as from many.
    """
    in_planes = image.mode == PLANES
    if not in_planes:
        factors, box = _reduction_factors(image, "RGB", box, target, WHOLE_GAP)
        image = image.reduce(factors) if max(factors) > 1 else image
    halved = (max(1, target[0] // 2), max(1, target[1] // 2))
    paired = (min(target[0], 2 * halved[0]), min(target[1], 2 * halved[1]))
    paired_box = (0, 0, box[2] * paired[0] / target[0], box[3] * paired[1] / target[1])
    lightness = image.getchannel("Y") if in_planes else image.convert("L")
    planes = [lightness.resize(target, Image.Resampling.LANCZOS, box, LIGHTNESS_GAP)]
    if in_planes:
        wide = (image.getchannel(name) for name in ("Cb", "Cr"))  # one after the other: each may be large
        colours = [each.resize(halved, Image.Resampling.LANCZOS, paired_box, COLOUR_GAP) for each in wide]
    else:
        colours = colour_planes(image.resize(halved, Image.Resampling.LANCZOS, paired_box, COLOUR_GAP))
    for colour in colours:
        blocks = colour.resize((2 * halved[0], 2 * halved[1]), Image.Resampling.NEAREST).crop((0, 0, *target))
        right, lower = target[0] - 1, target[1] - 1
        if paired[0] < target[0]:
            blocks.paste(blocks.crop((right - 1, 0, right, target[1])), (right, 0))
        if paired[1] < target[1]:
            blocks.paste(blocks.crop((0, lower - 1, target[0], lower)), (0, lower))
        planes.append(blocks)
    return Image.merge(PLANES, planes)


def shrink(image: Image.Image, box: Box, target: Size, *, as_planes: bool = False) -> Image.Image:
    """Resample `box` of the image, which starts in its corner, to `target`; return it in the working mode.

    Pixels with alpha stay unchanged if there is nothing to resample.

    With `as_planes`, opaque RGB is returned in YCbCr planes, unless little is to be done.
    """
    mode = working_mode(image)
    may_be_planes = as_planes and mode == image.mode == "RGB" and max(box) >= REDUCING_GAP * max(target)
    if image.mode == PLANES or may_be_planes:
        return _shrink_planes(image, box, target)
    if PREMULTIPLIED.get(mode) == image.mode and image.size == target:
        return clear_transparent_pixels(image)  # weighting by alpha would round the colours of faint pixels
    factors, box = _reduction_factors(image, mode, box, target, REDUCING_GAP)
    factor_x, factor_y = factors
    if mode == image.mode:
        reduced = image.reduce(factors) if max(factors) > 1 else image
        return reduced.resize(target, Image.Resampling.LANCZOS, box=box)
    reduced = Image.new(mode, (math.ceil(image.width / factor_x), math.ceil(image.height / factor_y)))
    step_x = factor_x * math.ceil(TILE_PX / factor_x)
    step_y = factor_y * math.ceil(TILE_PX / factor_y)
    for top in range(0, image.height, step_y):
        for left in range(0, image.width, step_x):
            tile = image.crop((left, top, min(left + step_x, image.width), min(top + step_y, image.height)))
            reduced.paste(convert_mode(tile, mode).reduce(factors), (left // factor_x, top // factor_y))
    return reduced.resize(target, Image.Resampling.LANCZOS, box=box)


def _reduction_factors(
    image: Image.Image, mode: str, box: Box, target: Size, gap: float
) -> tuple[tuple[int, int], Box]:
    """Return the factors to average an image by along each side before it is resampled, and its box after that.

    Args:
        image: as decoded.
        mode: the mode to average in.
        box: the image within the pixels.
        target: the size it is resampled to.
        gap: how many times the target is left, unless the image has few colours.
    """
    ratio_x, ratio_y = box[2] / target[0], box[3] / target[1]
    factor_x, factor_y = max(1, int(ratio_x / gap)), max(1, int(ratio_y / gap))
    if max(factor_x, factor_y) > 1 and has_few_colours(image, mode):
        pixels, bands = box[2] * box[3], Image.getmodebands(mode)
        most_factor = math.ceil(math.sqrt(pixels * bands / GRAPHICS_VALUES))
        finer_x, finer_y = (max(1, min(most_factor, int(ratio / GRAPHICS_GAP))) for ratio in (ratio_x, ratio_y))
        is_copied = mode != image.mode or max(finer_x, finer_y) > 1
        most_pixels = MOST_COPIED_BYTES / (1 if bands == 1 else 4) if is_copied else MOST_GRAPHICS_VALUES / bands
        if pixels / (finer_x * finer_y) <= most_pixels:
            factor_x, factor_y = finer_x, finer_y
    return (factor_x, factor_y), (0, 0, box[2] / factor_x, box[3] / factor_y)
