"""Animated sources: the first frame by default, an animated WebP within limits by option; verified with libvips."""

from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageOps

from imgpipe_processor.imaging import Animation, Limits, Recipe, make_thumbnails
from imgpipe_processor.imaging.gif_frames import rendered_frames
from tests.lambda_processor import gifs, judge, scenes
from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.kinds import COLOURS
from tests.lambda_processor.writers import exif

LIMITS = Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20)
WHOLE = (96, 64)
RED, LIME, BLUE, WHITE = PALETTE = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]
CLEAR = (0, 0, 0, 0)
LEFT, RIGHT = (0, 0), (48, 0)


def recipe(max_frames=50, max_pixels=10**6, **options):
    return Recipe((48,), animation=Animation(max_frames, max_pixels), **options)


def flat(colour, at=LEFT, size=WHOLE, **options):
    """Return a frame of one colour of the palette."""
    return gifs.Frame(*size, bytes((PALETTE.index(colour),)) * (size[0] * size[1]), at, **options)


def half(colour, at, **options):
    return flat(colour, at, (48, 64), **options)


LIME_AND_BLUE = gifs.Frame(192, 64, (bytes((1,)) * 48 + bytes((2,)) * 144) * 64)  # twice as wide as the screen


def thumbnail(data, selected_recipe=None):
    result = make_thumbnails(data, selected_recipe or recipe(), LIMITS)
    return result, result.thumbnails[0]


def shown(data):
    """Return every frame as decoded by libvips."""
    every = {"n": -1} if data.startswith((b"RIFF", b"GIF")) else {}
    image = judge.read(data, **every)
    pages = image.get("n-pages") if "n-pages" in image.get_fields() else 1
    height = image.height // pages
    return [judge.rgba(image.crop(0, height * page, image.width, height)) for page in range(pages)]


def header(data):
    """Return the durations in milliseconds, and the loop count."""
    image = judge.read(data, n=-1)
    return image.get("delay"), image.get("loop")


def near(expected, pixel):
    return all(abs(a - b) <= 6 for a, b in zip(expected, pixel, strict=True)) or expected[3] == pixel[3] == 0


def halves(data):
    """Return a pixel of the left and one of the right half of every frame."""
    return [(frame.getpixel((5, 16)), frame.getpixel((42, 16))) for frame in shown(data)]


def check_halves(data, *expected):
    seen = halves(data)
    assert len(seen) == len(expected)
    for pixels, colours in zip(seen, expected, strict=True):
        assert all(
            near(colour if len(colour) == 4 else (*colour, 255), pixel)
            for colour, pixel in zip(colours, pixels, strict=True)
        ), seen


def animation(image_format, frames=3, **options):
    """Return the scene, with one corner more painted over in each frame."""
    made = [COLOURS.copy() for _ in range(frames)]
    for number, frame in enumerate(made):
        frame.paste((0, 90 * number, 0), (0, 0, 12 * number, 8 * number))
    return made, encoded(made[0], image_format, save_all=True, append_images=made[1:], **options)


FORMATS = {
    "GIF": {"duration": [50, 120, 1000]},
    "WEBP": {"duration": [50, 120, 1000], "lossless": True},
    "PNG": {"duration": [50, 120, 1000]},
    "AVIF": {"duration": [50, 120, 1000], "quality": 95, "subsampling": "4:4:4"},
}


@pytest.mark.parametrize("image_format", FORMATS)
def test_animation_becomes_its_first_frame_by_default_and_its_frames_are_counted(image_format):
    frames, data = animation(image_format, **FORMATS[image_format])

    result, made = thumbnail(data, Recipe((48,), "png"))

    assert (result.format, result.frames, made.format, len(shown(made.data))) == (image_format, 3, "PNG", 1)
    assert judge.difference(judge.reduced(frames[0], 48, 32), judge.seen(made.data)) < 2.5


@pytest.mark.parametrize("image_format", FORMATS)
def test_animated_thumbnail_has_every_frame_with_its_duration(image_format):
    frames, data = animation(image_format, **FORMATS[image_format])

    result, made = thumbnail(data, recipe(webp_quality=95))

    assert (result.frames, made.format, (made.width, made.height)) == (3, "WEBP", (48, 32))
    assert header(made.data)[0] == [50, 120, 1000]
    for frame, seen in zip(frames, shown(made.data), strict=True):
        assert judge.difference(judge.reduced(frame, 48, 32), seen) < 6.5


def test_pages_of_a_document_are_not_an_animation():
    _frames, data = animation("TIFF")

    result, made = thumbnail(data, recipe())

    assert (result.frames, made.format) == (3, "JPEG")


@pytest.mark.parametrize(
    ("selected_recipe", "animated"),
    [
        (recipe(max_frames=3), True),
        (recipe(max_frames=2), False),
        (recipe(max_pixels=3 * 96 * 64), True),
        (recipe(max_pixels=3 * 96 * 64 - 1), False),
        (recipe(output_format="webp"), True),
        (recipe(output_format="jpeg"), False),
        (recipe(output_format="png"), False),
    ],
)
def test_animation_beyond_the_limits_or_for_a_still_format_becomes_its_first_frame(selected_recipe, animated):
    _frames, data = animation("GIF")

    result, made = thumbnail(data, selected_recipe)

    assert result.frames == 3
    assert len(shown(made.data)) == (3 if animated else 1)


def test_animation_of_one_frame_is_a_still_image():
    result, made = thumbnail(gifs.gif(WHOLE, PALETTE, flat(RED)))

    assert (result.frames, made.format) == (1, "JPEG")


def test_animation_beyond_the_limit_of_frames_becomes_a_still_thumbnail():
    frames, data = animation("GIF", frames=5)

    result = make_thumbnails(data, recipe(max_frames=4)._replace(output_format="webp"), LIMITS._replace(max_frames=4))

    assert result.frames == 5
    (seen,) = shown(result.thumbnails[0].data)
    assert judge.difference(judge.reduced(frames[0], 48, 32), seen) < 6.5


def test_several_sizes_of_an_animation_are_all_animated():
    _frames, data = animation("GIF")

    result = make_thumbnails(data, recipe()._replace(sizes_px=(24, 48)), LIMITS)

    assert [(made.width, made.format, len(shown(made.data))) for made in result.thumbnails] == [
        (24, "WEBP", 3),
        (48, "WEBP", 3),
    ]


@pytest.mark.parametrize(("loops", "plays"), [(None, 1), (0, 0), (1, 2), (3, 4), (65_535, 65_535)])
def test_loop_count_of_a_gif_is_converted_to_that_of_a_webp(loops, plays):
    _image, made = thumbnail(gifs.gif(WHOLE, PALETTE, flat(RED), flat(BLUE), loops=loops))

    assert header(made.data)[1] == plays


@pytest.mark.parametrize(("image_format", "plays"), [("WEBP", 3), ("PNG", 3), ("AVIF", 0)])
def test_other_formats_keep_their_loop_count_and_avif_repeats_forever(image_format, plays):
    options = {} if image_format == "AVIF" else {"loop": plays}
    _frames, data = animation(image_format, **options)

    assert header(thumbnail(data)[1].data)[1] == plays


def test_frame_without_duration_is_shown_as_long_as_in_browsers():
    durations = [flat(colour, duration_cs=cs) for colour, cs in zip(PALETTE, (0, 1, 2, 300), strict=True)]

    _image, made = thumbnail(gifs.gif(WHOLE, PALETTE, *durations))

    assert header(made.data)[0] == [100, 100, 20, 3000]


def test_screen_outside_of_a_small_first_frame_is_transparent():
    data = gifs.gif(WHOLE, PALETTE, half(LIME, RIGHT), background=3)

    result, made = thumbnail(data, Recipe((48,)))

    assert (result.width, result.height, made.format) == (96, 64, "PNG")
    check_halves(made.data, (CLEAR, LIME))


def test_first_frame_beyond_the_screen_enlarges_the_screen():
    result, made = thumbnail(gifs.gif((10, 10), PALETTE, flat(LIME)), Recipe((48,)))

    assert (result.width, result.height) == (96, 64)
    check_halves(made.data, (LIME, LIME))


def test_later_frame_beyond_the_screen_is_cropped():
    result, made = thumbnail(gifs.gif(WHOLE, PALETTE, flat(RED), LIME_AND_BLUE))

    assert (result.width, result.height) == (96, 64)
    check_halves(made.data, (RED, RED), (LIME, BLUE))


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([half(RED, RIGHT), half(BLUE, LEFT)], [(CLEAR, RED), (BLUE, RED)]),
        (
            [flat(RED), half(BLUE, LEFT, disposal=gifs.CLEAR), half(LIME, RIGHT)],
            [(RED, RED), (BLUE, RED), (CLEAR, LIME)],
        ),
        (
            [flat(RED), half(BLUE, LEFT, disposal=gifs.RESTORE), half(LIME, RIGHT)],
            [(RED, RED), (BLUE, RED), (RED, LIME)],
        ),
        ([flat(RED), half(BLUE, LEFT, disposal=gifs.KEEP), half(LIME, RIGHT)], [(RED, RED), (BLUE, RED), (BLUE, LIME)]),
        (
            [flat(RED), half(BLUE, LEFT, disposal=gifs.CLEAR), half(LIME, LEFT), half(WHITE, RIGHT)],
            [(RED, RED), (BLUE, RED), (LIME, RED), (LIME, WHITE)],
        ),
        ([flat(RED), replace(LIME_AND_BLUE, transparent=2)], [(RED, RED), (LIME, RED)]),
    ],
    ids=["uncovered", "cleared", "restored", "kept", "disposal-is-the-frames-own", "transparent"],
)
def test_frames_are_composed_as_in_browsers(frames, expected):
    _image, made = thumbnail(gifs.gif(WHOLE, PALETTE, *frames, background=3))

    check_halves(made.data, *expected)


@pytest.mark.parametrize("number", [0, 1])
def test_frame_with_a_grey_palette_stays_grey(number):
    grey = (90, 90, 90)
    greys = replace(flat(RED), indices=bytes((90,)) * (96 * 64), palette=[(value,) * 3 for value in range(256)])
    frames, looks = [flat(LIME), flat(LIME)], [LIME, LIME]
    frames[number], looks[number] = greys, grey
    data = gifs.gif(WHOLE, PALETTE, *frames)

    check_halves(thumbnail(data, Recipe((48,), "png"))[1].data, (looks[0], looks[0]))
    check_halves(thumbnail(data)[1].data, *((look, look) for look in looks))


def test_drawing_may_become_a_lossless_animation():
    first = scenes.drawing().convert("RGB")
    looks = [first, ImageOps.invert(first)]
    data = encoded(first, "WEBP", save_all=True, append_images=looks[1:], lossless=True)

    _image, made = thumbnail(data, recipe()._replace(sizes_px=(96,)))

    assert len(made.data) <= len(data)
    for look, seen in zip(looks, shown(made.data), strict=True):
        assert judge.difference(judge.reduced(look, 96, 64), seen) == 0


def random_frames(choose):
    """Return frames of one colour each, anywhere on the screen.

    Index 7 is transparent in some of them, and unused in the others.
    """
    frames = []
    for _ in range(choose.randint(2, 5)):
        width, height = choose.randint(1, 12), choose.randint(1, 10)
        transparent = choose.choice([None, 7])
        colour = choose.randrange(7)
        indices = bytes(choose.choice([colour, colour, transparent or colour]) for _ in range(width * height))
        at = (choose.randint(0, 12 - width), choose.randint(0, 10 - height))
        frames.append(gifs.Frame(width, height, indices, at, transparent, choose.randint(0, 3)))
    return frames


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False).map(random_frames))
def test_random_frames_are_composed_as_by_libvips(frames):
    palette = [(30 * number, 255 - 30 * number, 128) for number in range(8)]

    actual = [frame.convert("RGBA") for frame, _ in rendered_frames(gifs.gif((12, 10), palette, *frames), (12, 10))]

    # If every frame may be transparent, libvips clears to transparency as browsers do, and not to the background.
    by_libvips = shown(gifs.gif((12, 10), palette, *(replace(frame, transparent=7) for frame in frames)))
    for one, other in zip(actual, by_libvips, strict=True):
        assert one.getchannel("A").tobytes() == other.getchannel("A").tobytes()
        assert not ImageChops.multiply(ImageChops.difference(one, other).convert("L"), one.getchannel("A")).getbbox()


def test_fallback_image_of_an_animated_png_is_not_a_frame():
    frames = [Image.new("RGB", WHOLE, colour) for colour in (WHITE, RED, BLUE)]
    data = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=True)

    result, made = thumbnail(data)

    assert result.frames == 2
    check_halves(made.data, (RED, RED), (BLUE, BLUE))


@pytest.mark.parametrize("image_format", ["WEBP", "PNG"])
@pytest.mark.parametrize("orientation", range(2, 9))
def test_every_frame_is_upright(image_format, orientation):
    looks = [COLOURS, COLOURS.point(lambda value: 255 - value)]
    first, second = (scenes.stored(look, orientation) for look in looks)
    options = {"lossless": True} if image_format == "WEBP" else {}
    data = encoded(first, image_format, save_all=True, append_images=[second], exif=exif(orientation), **options)

    result, made = thumbnail(data, recipe(webp_quality=95))

    assert (result.width, result.height) == WHOLE
    for look, seen in zip(looks, shown(made.data), strict=True):
        assert judge.difference(judge.reduced(look, 48, 32), seen) < 6.5


def test_transparent_frames_are_flattened_on_a_configured_background():
    data = gifs.gif(WHOLE, PALETTE, half(RED, LEFT), half(BLUE, RIGHT, disposal=gifs.CLEAR), half(LIME, LEFT))

    _image, made = thumbnail(data, recipe(background="#ffffff"))

    check_halves(made.data, (RED, WHITE), (RED, BLUE), (LIME, WHITE))
    assert Image.open(BytesIO(made.data)).mode == "RGB"


def test_animation_larger_than_its_source_is_encoded_with_lower_quality():
    spots = [scenes.spots(*WHOLE).rotate(180 * turn) for turn in range(2)]
    data = encoded(spots[0], "WEBP", save_all=True, append_images=spots[1:], quality=30)

    _image, made = thumbnail(data, recipe(webp_quality=100)._replace(sizes_px=(96,)))
    _image, at_lowest = thumbnail(data, recipe(webp_quality=70)._replace(sizes_px=(96,)))

    assert len(at_lowest.data) <= len(data) < len(made.data)
