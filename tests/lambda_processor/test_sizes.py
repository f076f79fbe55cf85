"""Several thumbnails of one decode: each is as good as if it were made alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from imgpipe_processor.imaging import Limits, Recipe, fitted_size, make_thumbnails
from imgpipe_processor.imaging.recipe import LIBVIPS, PILLOW
from tests.lambda_processor import judge, profiles, scenes
from tests.lambda_processor.fakes import decoded, encoded, photo
from tests.lambda_processor.writers import PADDING, exif

SIZES_PX = [64, 128, 256, 512]
LIMITS = Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20)


def thumbnails(data, sizes_px, engine=PILLOW):
    return make_thumbnails(data, Recipe(tuple(sizes_px), engine=engine), LIMITS).thumbnails


def mean_difference(first, second):
    """Return the mean over all channels, in steps of 255."""
    histogram = ImageChops.difference(first.convert("RGBA"), second.convert("RGBA")).histogram()
    return sum(value % 256 * count for value, count in enumerate(histogram)) / (4 * first.width * first.height)


def gradients(mode):
    grey = Image.radial_gradient("L").resize((1500, 1000))
    bands = [grey, grey.rotate(180), ImageChops.invert(grey), grey.transpose(Image.Transpose.ROTATE_180)]
    return bands[0] if mode == "L" else Image.merge(mode, bands[: len(mode)])


@pytest.mark.line("003-20", "003-22")
@pytest.mark.parametrize(
    "data",
    [
        encoded(gradients("RGB"), quality=100, subsampling=0),
        encoded(gradients("RGB"), icc_profile=profiles.wide_rgb()),
        encoded(gradients("RGB"), "PNG", icc_profile=profiles.wide_rgb()),
        encoded(gradients("L"), icc_profile=profiles.linear_grey()),
        encoded(gradients("CMYK"), icc_profile=profiles.cmyk_without_colour()),
        encoded(gradients("RGBA"), "PNG"),
        encoded(gradients("RGBA"), "PNG", icc_profile=profiles.wide_rgb()),
        encoded(gradients("RGB").quantize(64), "PNG"),
        encoded(gradients("RGB").quantize(64), "PNG", transparency=7),
    ],
    ids=[
        "rgb",
        "wide-jpeg",
        "wide-png",
        "linear-grey",
        "press",
        "alpha",
        "wide-alpha",
        "palette",
        "cut-out",
    ],
)
def test_every_size_equals_the_same_size_made_alone(data):
    for size_px, made in zip(SIZES_PX, thumbnails(data, SIZES_PX), strict=True):
        (alone,) = thumbnails(data, [size_px])

        assert (alone.format, alone.width, alone.height) == (made.format, made.width, made.height)
        assert mean_difference(decoded(alone.data), decoded(made.data)) < 2


@pytest.mark.line("003-20")
@pytest.mark.parametrize("sizes_px", [SIZES_PX, [200, 210, 230, 256]], ids=["octaves", "close-to-each-other"])
@pytest.mark.parametrize(("image_format", "engine"), [("JPEG", PILLOW), ("PNG", PILLOW), ("PNG", LIBVIPS)])
def test_other_sizes_do_not_reduce_fine_detail(image_format, engine, sizes_px):
    source = scenes.spots(1500, 1000)
    data = encoded(source, image_format)

    for size_px, made in zip(sizes_px, thumbnails(data, sizes_px, engine), strict=True):
        exact = decoded(data).resize((made.width, made.height), Image.Resampling.LANCZOS)
        (alone,) = thumbnails(data, [size_px], engine)

        assert mean_difference(exact, decoded(made.data)) <= mean_difference(exact, decoded(alone.data)) + 0.1


@pytest.mark.line("003-20")
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 8), (61, 40), (60, 41), (61, 41), (127, 85), (128, 86)], ids=str)
@pytest.mark.parametrize("scale", [1, 2.7, 7.3])
@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_jpeg_colours_stay_at_their_positions(image_format, size, scale):
    """Shrinking in YCbCr planes is at least as good as shrinking in red, green and blue."""
    source = scenes.spots(round(scale * size[0]), round(scale * size[1]), 4 * scale)
    data = encoded(source, image_format, quality=95) + PADDING
    sizes_px = (max(size),)

    (exact,) = make_thumbnails(data, Recipe(sizes_px, "png"), LIMITS).thumbnails
    (actual,) = make_thumbnails(data, Recipe(sizes_px, "jpeg", jpeg_quality=95), LIMITS).thumbnails

    seen = judge.seen(exact.data)
    over_rgb = judge.seen(encoded(seen.convert("RGB"), quality=95, subsampling="4:2:0"))
    slack = 0.5 if min(size) > 9 else 3
    assert judge.difference(seen, judge.seen(actual.data)) <= 1.2 * judge.difference(seen, over_rgb) + slack


@pytest.mark.line("003-22")
@pytest.mark.parametrize("profile", [None, profiles.wide_rgb()], ids=["srgb", "wide"])
@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_conversion_to_planes_keeps_every_colour(image_format, profile):
    data = encoded(scenes.spots(1500, 1000), image_format, quality=95, icc_profile=profile) + PADDING
    means = []
    for output_format in ("png", "jpeg"):
        (made,) = make_thumbnails(data, Recipe((256,), output_format, jpeg_quality=95), LIMITS).thumbnails
        means.append(ImageStat.Stat(judge.seen(made.data).convert("RGB")).mean)

    assert all(abs(exact - actual) < 0.4 for exact, actual in zip(*means, strict=True)), means


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_size_is_upright(orientation):
    data = encoded(photo(), exif=exif(orientation))

    sizes = [(made.width, made.height) for made in thumbnails(data, [64, 256])]

    assert sizes == ([(64, 32), (256, 128)] if orientation < 5 else [(32, 64), (128, 256)])


@pytest.mark.line("003-20")
@settings(max_examples=60, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.lists(st.integers(1, 100), max_size=5))
def test_thumbnails_are_in_the_order_of_their_sizes_and_fit_exactly(width, height, sizes_px):
    made = thumbnails(encoded(photo(width, height)), sizes_px)

    assert [fitted_size(width, height, size_px) for size_px in sizes_px] == [(each.width, each.height) for each in made]
    assert all(decoded(each.data).size == (each.width, each.height) for each in made)


SMOOTH = {mode: gradients(mode) for mode in ("L", "RGB", "RGBA")}
FORMATS = {"JPEG": ("L", "RGB"), "PNG": ("L", "RGB", "RGBA"), "WEBP": ("RGB", "RGBA"), "TIFF": ("L", "RGB", "RGBA")}


@pytest.mark.line("003-20")
@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([(image_format, mode) for image_format, modes in FORMATS.items() for mode in modes]),
    st.integers(1, 300),
    st.integers(1, 300),
    st.lists(st.integers(8, 320), min_size=1, max_size=4),
    st.integers(1, 8),
)
def test_random_sizes_of_random_images_fit_and_equal_those_made_alone(kind, width, height, sizes_px, orientation):
    image_format, mode = kind
    image = SMOOTH[mode].resize((width, height), Image.Resampling.BOX, reducing_gap=1)
    data = encoded(image, image_format, quality=95, exif=exif(orientation))
    recipe = Recipe(tuple(sizes_px), "png")
    upright = (height, width) if orientation > 4 else (width, height)

    result = make_thumbnails(data, recipe, LIMITS)

    assert (result.width, result.height) == upright
    for size_px, made in zip(sizes_px, result.thumbnails, strict=True):
        (alone,) = make_thumbnails(data, recipe._replace(sizes_px=(size_px,)), LIMITS).thumbnails
        assert (made.width, made.height) == (alone.width, alone.height)
        assert max(made.width, made.height) == min(size_px, max(upright))
        assert abs(min(made.width, made.height) - max(1, min(upright) * min(1, size_px / max(upright)))) <= 0.5
        few_pixels = min(made.width, made.height) < 16  # every step of the image is a large one
        assert judge.difference(judge.seen(alone.data), judge.seen(made.data)) < (12 if few_pixels else 3)


@pytest.mark.line("003-20")
@pytest.mark.parametrize("size_px", SIZES_PX)
@pytest.mark.parametrize(("image_format", "mode"), [(name, mode) for name, modes in FORMATS.items() for mode in modes])
def test_lanczos_of_another_program_has_the_same_result(image_format, mode, size_px):
    data = encoded(SMOOTH[mode], image_format, quality=95)

    (made,) = make_thumbnails(data, Recipe((size_px,), "png"), LIMITS).thumbnails

    assert judge.difference(judge.reduced(SMOOTH[mode], made.width, made.height), judge.seen(made.data)) < 1.2


def test_sizes_beyond_the_image_are_one_encoding():
    beyond, far_beyond = thumbnails(encoded(photo()), [400, 4000])

    assert beyond is far_beyond


@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_image_slightly_larger_than_twice_its_thumbnail_is_resampled_from_all_pixels(image_format):
    """Averaging would shrink it almost to its size, which loses 10 dB."""
    data = encoded(scenes.spots(487, 365, spot_px=9), image_format, quality=92)

    made = make_thumbnails(data, Recipe((240,), output_format="png"), LIMITS).thumbnails[0]

    whole = decoded(data).convert("RGB").resize((240, 180), Image.Resampling.LANCZOS)
    assert ImageChops.difference(decoded(made.data).convert("RGB"), whole).getbbox() is None


def test_two_close_sizes_are_not_made_from_each_other():
    """Shrinking by a tenth of the size loses 5 dB."""
    data = encoded(scenes.spots(700, 525, spot_px=9), "PNG")
    recipe = Recipe((256, 240), output_format="png")

    with_others = make_thumbnails(data, recipe, LIMITS).thumbnails[1]
    alone = make_thumbnails(data, recipe._replace(sizes_px=(240,)), LIMITS).thumbnails[0]

    assert with_others.data == alone.data
