"""Placeholders equal those of another BlurHash implementation; the dominant colour is that of the largest area."""

import re

import blurhash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imgpipe_processor.imaging import Limits, Recipe, make_thumbnails
from imgpipe_processor.imaging.placeholder import SWATCH_PX, swatch
from imgpipe_processor.imaging.placeholder import blurhash as actual_blurhash
from tests.lambda_processor import judge, profiles, scenes, spaces
from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.kinds import COLOURS, CUT_OUT, KINDS
from tests.lambda_processor.writers import exif

LIMITS = Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20)
WHITE = (255, 255, 255)

# Of a channel, in steps of 255, on average. An image upside down differs by more than 15.
CLOSE = 7


def recorded(data, *sizes_px, **options):
    result = make_thumbnails(data, Recipe(sizes_px or (96,), **options), LIMITS)
    return result.placeholder, result.dominant_color


def reference(image):
    """Return the BlurHash of these pixels by another implementation."""
    rows = [[image.getpixel((x, y)) for x in range(image.width)] for y in range(image.height)]
    across, down = (4, 3) if image.width >= image.height else (3, 4)
    return blurhash.encode(rows, across, down)


def shown(placeholder):
    """Return the image that a viewer shows until the thumbnail is loaded."""
    across, down = blurhash.components(placeholder)
    width, height = (24, 16) if across > down else (16, 24)
    image = Image.new("RGB", (width, height))
    image.putdata([tuple(map(int, pixel)) for row in blurhash.decode(placeholder, width, height) for pixel in row])
    return image.convert("RGBA")


def expected(result, ground=WHITE):
    """Return the image of the reference BlurHash, made from a reduction by libvips."""
    size = (20, 13) if result.width >= result.height else (13, 20)
    return shown(reference(judge.reduced(result, *size, ground).convert("RGB")))


def off(placeholder, result, ground=WHITE):
    return judge.difference(expected(result, ground), shown(placeholder))


def rgb(colour):
    assert re.fullmatch("#[0-9a-f]{6}", colour)
    return tuple(bytes.fromhex(colour[1:]))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, SWATCH_PX), st.integers(1, SWATCH_PX), st.randoms(use_true_random=False))
def test_placeholder_equals_that_of_the_reference_implementation(width, height, choose):
    image = Image.frombytes("RGB", (width, height), choose.randbytes(3 * width * height))

    assert actual_blurhash(image) == reference(image)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_placeholder_of_every_file_kind_matches_its_thumbnail(kind):
    data = kind.data(6 if kind.turns else 1)

    result = make_thumbnails(data, Recipe((SWATCH_PX,), "png", background="#ffffff"), LIMITS)

    assert result.placeholder == reference(judge.seen(result.thumbnails[0].data).convert("RGB"))
    assert len(result.placeholder) == 28


@pytest.mark.parametrize("orientation", range(1, 9))
def test_placeholder_is_upright(orientation):
    data = encoded(scenes.stored(COLOURS, orientation), "PNG", exif=exif(orientation))

    placeholder, _colour = recorded(data)

    assert off(placeholder, COLOURS) < CLOSE
    assert all(off(placeholder, scenes.stored(COLOURS, other)) > 15 for other in (2, 3, 4))


def test_portrait_image_has_more_waves_down_than_across():
    placeholder, _colour = recorded(encoded(COLOURS.transpose(Image.Transpose.ROTATE_90), "PNG"))

    assert blurhash.components(placeholder) == (3, 4)


@pytest.mark.parametrize(("background", "ground"), [(None, WHITE), ("#203040", (32, 48, 64))])
def test_placeholder_shows_the_background_under_transparent_pixels(background, ground):
    image = Image.new("RGBA", (96, 64), (255, 0, 0, 0))
    image.paste((250, 200, 0, 255), (0, 0, 30, 64))

    placeholder, colour = recorded(encoded(image, "PNG"), background=background)

    assert rgb(colour) == ground
    assert off(placeholder, image, ground) < CLOSE


def test_placeholder_and_dominant_colour_are_in_srgb():
    profile = profiles.of_space(spaces.PROPHOTO)
    stored, flat = (spaces.converted(look, spaces.PROPHOTO) for look in (COLOURS, Image.new("RGB", (9, 9), "orange")))

    placeholder, _colour = recorded(encoded(stored, "PNG", icc_profile=profile))
    _placeholder, colour = recorded(encoded(flat, "PNG", icc_profile=profile))

    assert off(placeholder, COLOURS) < CLOSE < off(recorded(encoded(stored, "PNG"))[0], COLOURS)
    assert all(abs(a - b) <= 3 for a, b in zip(rgb(colour), (255, 165, 0), strict=True))


@pytest.mark.parametrize(
    ("areas", "expected"),
    [
        ([((200, 30, 30), 60), ((20, 90, 200), 36)], (200, 30, 30)),
        ([((200, 30, 30), 36), ((20, 90, 200), 60)], (20, 90, 200)),
        ([((0, 0, 0), 20), ((250, 250, 250), 20), ((0, 160, 90), 56)], (0, 160, 90)),
    ],
)
def test_dominant_colour_is_the_colour_of_the_largest_area(areas, expected):
    image, left = Image.new("RGB", (96, 64)), 0
    for colour, width in areas:
        image.paste(colour, (left, 0, left + width, 64))
        left += width

    _placeholder, colour = recorded(encoded(image, "PNG"))

    assert all(abs(a - b) <= 6 for a, b in zip(rgb(colour), expected, strict=True))


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA"])
def test_one_colour_is_dominant(mode):
    value = {"1": 1, "L": 120, "RGB": (10, 200, 90), "RGBA": (10, 200, 90, 255)}[mode]

    _placeholder, colour = recorded(encoded(Image.new(mode, (300, 200), value), "PNG"))

    assert rgb(colour) == {"1": WHITE, "L": (120, 120, 120)}.get(mode, (10, 200, 90))


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (3, 2)])
def test_smallest_images_have_a_placeholder(size):
    placeholder, colour = recorded(encoded(Image.new("RGB", size, (10, 200, 90)), "PNG"))

    assert (len(placeholder), rgb(colour)) == (28, (10, 200, 90))


@pytest.mark.parametrize("sizes_px", [(), (96,), (96, 48, 32), (20,)])
def test_placeholder_does_not_depend_on_the_thumbnail_sizes(sizes_px):
    placeholder = make_thumbnails(encoded(COLOURS, "PNG"), Recipe(sizes_px), LIMITS).placeholder

    assert off(placeholder, COLOURS) < CLOSE


def test_swatch_is_opaque_and_small():
    small = swatch(CUT_OUT, (1, 2, 3))

    assert (small.mode, small.size) == ("RGB", (20, 13))
    assert small.getpixel((1, 1)) == (1, 2, 3)
