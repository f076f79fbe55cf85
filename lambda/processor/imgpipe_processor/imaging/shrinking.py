"""From the decoded image to the pixels of every size: upright, sRGB, each size made from the one before it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from PIL import Image

from .colour import (
    PLANES,
    PREMULTIPLIED,
    colour_planes,
    converted,
    has_few_colours,
    is_srgb,
    plain_srgb,
    without_hidden_colours,
    working_mode,
)

# Shrinking is done in two steps: cheap averaging (in the JPEG decoder, or by whole factors) down to no less than so
# many times the target, then Lanczos. Measured on photos against a full decode with Lanczos: without a gap, images
# that the averaging alone brings almost to their size lose 10 dB; larger gaps than these gain 0.2 dB after encoding.
DRAFT_GAP = 1.2
REDUCING_GAP = 1.5

# What becomes a JPEG is shrunk in its planes: Lanczos takes its time for lightness, and little for the colours, of
# which a JPEG keeps a quarter. Measured so, larger gaps cost nothing that is seen in the time, and gain what small
# thumbnails lose with the other: 2.0 after a JPEG decoder, which has done most of it, 1.75 after those that give all
# pixels. Colours are averaged as they are.
LIGHTNESS_GAP = 2.0
WHOLE_GAP = 1.75
COLOUR_GAP = 1.0

# Line art and text show what averaging leaves of fine lines: as moire. The more is left to Lanczos, the less is seen of
# it, and the time for that grows with the pixels that are left. So what has few colours is averaged no more than needed
# to leave it so many values (pixels times channels: 2 to 4 ms), but not to less than twice the target, like libvips,
# as long as that is not more values than the largest photos leave it. What is averaged or in another mode is held in
# addition to the image, in one byte or four a pixel: at most so many bytes, as memory is not counted for more.
GRAPHICS_GAP = 2.0
GRAPHICS_VALUES = 1_000_000
MOST_GRAPHICS_VALUES = 32_000_000
MOST_COPIED_BYTES = 4_000_000

# Side of the squares in which modes are converted, so that the image is never held twice.
TILE_PX = 512

# EXIF 2.32, "Orientation": what makes the stored picture upright.
TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
LIES_ON_ITS_SIDE = frozenset({5, 6, 7, 8})

Size = tuple[int, int]
Box = tuple[float, float, float, float]


class Decoded(NamedTuple):
    """Pixels as a decoder gives them.

    Args:
        box: the picture within them; a decoder that shrinks may round up.
        orientation: as EXIF counts; 1 is upright.
        corner: the last pixel as it was decoded, where the pixels are resampled already; otherwise None.
    """

    image: Image.Image
    box: Box
    orientation: int
    icc_profile: bytes | None
    corner: tuple[int, ...] | None = None


def fitted_size(width: int, height: int, size_px: int) -> Size:
    """The largest size inside the square that keeps the aspect; at least 1 pixel, at most the image's own size."""
    longer = max(width, height)
    if longer <= size_px:
        return width, height
    return max(1, round(width * size_px / longer)), max(1, round(height * size_px / longer))


def with_room(size: Size, targets: Sequence[Size]) -> Size:
    """What an image may be shrunk to before `chain`: the largest target, or more if another is close to that."""
    largest = targets[0]
    if all(max(largest) >= REDUCING_GAP * max(other) for other in targets[1:]):
        return largest
    return min(size[0], math.ceil(REDUCING_GAP * largest[0])), min(size[1], math.ceil(REDUCING_GAP * largest[1]))


def chain(decoded: Decoded, targets: Sequence[Size], *, as_planes: bool = False) -> Iterator[Image.Image]:
    """The pixels of each target (as stored, largest first), upright and in plain sRGB or, if they may be, its planes.

    Measured on photos: two to three times as fast as shrinking the source for every size, and nearer to an exact
    reduction than that, unless two sizes are close: what is shrunk by a tenth of its size loses 5 dB. What is handed on
    are the pixels before colours and orientation.
    """
    # Of other colours than sRGB, converting averages is not averaging what is converted: saturated detail would shift.
    as_planes = as_planes and is_srgb("RGB", decoded.icc_profile)
    sources = [(decoded.image, decoded.box)]
    for target in targets:
        far = (source for source in reversed(sources) if max(source[1]) >= REDUCING_GAP * max(target))
        image = shrunk(*next(far, sources[0]), target, as_planes=as_planes)
        sources.append((image, (0, 0, *target)))
        upright = plain_srgb(image, decoded.icc_profile)
        if decoded.orientation in TRANSPOSITIONS:
            upright = upright.transpose(TRANSPOSITIONS[decoded.orientation])
        yield upright


def _shrunk_planes(image: Image.Image, box: Box, target: Size) -> Image.Image:
    """Shrink lightness to the target, and colours to half of it, which is all that a JPEG keeps of them.

    They are given back in blocks of 2 x 2, of which its encoder takes the mean; a single last row or column has the
    colours of the one before it. The image may be in red, green and blue: planes are sums of them, and may be taken of
    few pixels as well as of many.
    """
    in_planes = image.mode == PLANES
    if not in_planes:
        factors, box = _factors(image, "RGB", box, target, WHOLE_GAP)
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


def shrunk(image: Image.Image, box: Box, target: Size, *, as_planes: bool = False) -> Image.Image:
    """Resample `box` of the image, which starts in its corner, to `target`; the answer is in the working mode.

    Pixels with alpha stay as they are if there is nothing to resample.

    With `as_planes`, opaque red, green and blue are given back in planes, unless little is to be done.
    """
    mode = working_mode(image)
    may_be_planes = as_planes and mode == image.mode == "RGB" and max(box) >= REDUCING_GAP * max(target)
    if image.mode == PLANES or may_be_planes:
        return _shrunk_planes(image, box, target)
    if PREMULTIPLIED.get(mode) == image.mode and image.size == target:
        return without_hidden_colours(image)  # weighting colours by alpha would round those of faint pixels
    factors, box = _factors(image, mode, box, target, REDUCING_GAP)
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
            reduced.paste(converted(tile, mode).reduce(factors), (left // factor_x, top // factor_y))
    return reduced.resize(target, Image.Resampling.LANCZOS, box=box)


def _factors(image: Image.Image, mode: str, box: Box, target: Size, gap: float) -> tuple[tuple[int, int], Box]:
    """Return by how much an image may be averaged along each side before it is resampled, and its box after that.

    Args:
        image: as decoded.
        mode: that it is averaged in.
        box: the picture in the image.
        target: what it is resampled to.
        gap: how many times the target is to be left, unless it has few colours.
    """
    ratio_x, ratio_y = box[2] / target[0], box[3] / target[1]
    factor_x, factor_y = max(1, int(ratio_x / gap)), max(1, int(ratio_y / gap))
    if max(factor_x, factor_y) > 1 and has_few_colours(image, mode):
        pixels, bands = box[2] * box[3], Image.getmodebands(mode)
        most = math.ceil(math.sqrt(pixels * bands / GRAPHICS_VALUES))
        finer_x, finer_y = (max(1, min(most, int(ratio / GRAPHICS_GAP))) for ratio in (ratio_x, ratio_y))
        is_copied = mode != image.mode or max(finer_x, finer_y) > 1
        most_pixels = MOST_COPIED_BYTES / (1 if bands == 1 else 4) if is_copied else MOST_GRAPHICS_VALUES / bands
        if pixels / (finer_x * finer_y) <= most_pixels:
            factor_x, factor_y = finer_x, finer_y
    return (factor_x, factor_y), (0, 0, box[2] / factor_x, box[3] / factor_y)
