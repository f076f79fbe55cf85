"""Every kind of file, in every orientation that it can have, and every output format; verified with libvips."""

from functools import cache

import pytest

from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Limits, Recipe, make_thumbnails
from imgpipe_processor.imaging.recipe import LIBVIPS, OUTPUT_FORMATS, PILLOW
from tests.lambda_processor import bmps, judge, scenes, tiffs
from tests.lambda_processor.kinds import COLOURS, KINDS
from tests.lambda_processor.writers import PADDING, bmp_of_channels, hand_tiff

LIMITS = Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20)
SIZE = (48, 32)
WHITE = (255, 255, 255)

# The mean difference in steps of 255 that an output format may add at quality 95; all but PNG have colours at half the
# resolution. The difference of the least wrong orientation is 12.
LOSSES = {"JPEG": 4, "PNG": 0.6, "WEBP": 4, "AVIF": 4}


@cache
def expected(kind, background=None):
    return judge.reduced(kind.image, *SIZE, background=background)


def check(kind, orientation, output_format, engine=PILLOW):
    recipe = Recipe((48,), output_format, jpeg_quality=95, webp_quality=95, avif_quality=95, engine=engine)
    image = make_thumbnails(kind.data(orientation) + PADDING, recipe, LIMITS)

    (made,) = image.thumbnails
    assert (image.width, image.height) == (scenes.WIDTH, scenes.HEIGHT)
    assert (made.width, made.height) == SIZE
    assert (
        judge.difference(expected(kind, WHITE if made.format == "JPEG" else None), judge.seen(made.data))
        < kind.loss + LOSSES[made.format]
    )


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_file_kind_keeps_its_colours_in_every_output_format(kind, output_format):
    check(kind, 1, output_format)


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.turns], ids=lambda kind: kind.name)
def test_thumbnail_of_every_file_kind_is_upright(kind, orientation):
    # Orientation is applied before encoding, so one output format for each cell is enough: all formats in turn.
    check(kind, orientation, OUTPUT_FORMATS[(KINDS.index(kind) + orientation) % len(OUTPUT_FORMATS)])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_other_engine_makes_the_same_thumbnail_of_every_file_kind(kind):
    check(kind, 6 if kind.turns else 1, "png", engine=LIBVIPS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_test_images_reveal_every_wrong_orientation(kind):
    turned = [scenes.stored(kind.image, orientation) for orientation in (2, 3, 4)]

    assert all(judge.difference(expected(kind), judge.reduced(wrong, *SIZE)) > 12 for wrong in turned)


@pytest.mark.parametrize(
    "write",
    [
        hand_tiff(tiffs.RGB, "f", 32, 1 / 255, sample_format=tiffs.FLOAT),
        hand_tiff(tiffs.RGB, "h", 16, sample_format=tiffs.SIGNED),
        hand_tiff(tiffs.BLACK_IS_ZERO, "Q", 64),
        hand_tiff(tiffs.BLACK_IS_ZERO, "f", 32, 1 / 255, sample_format=tiffs.FLOAT, more_samples=1),
    ],
    ids=["tiff-rgb-float", "tiff-rgb-signed", "tiff-grey-64", "tiff-grey-alpha-float"],
)
def test_unknown_kinds_are_rejected(write):
    with pytest.raises(ImageRejectedError) as refused:
        make_thumbnails(write(COLOURS, 1), Recipe((48,)), LIMITS)

    assert refused.value.category == "unsupported"


@pytest.mark.parametrize(("alpha", "output_format"), [(0, "JPEG"), (1, "PNG")])
def test_bmp_with_empty_alpha_is_opaque(alpha, output_format):
    blank = COLOURS.convert("RGBA")
    blank.putalpha(0)
    blank.putpixel((0, 0), (255, 0, 0, alpha))
    data = bmp_of_channels("BGRA", 32, header=bmps.V4, masks=bmps.BGRA)(blank, 1)

    assert make_thumbnails(data, Recipe((48,)), LIMITS).thumbnails[0].format == output_format
