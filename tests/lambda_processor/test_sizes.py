"""Several thumbnails of one decode: each as good as if it were the only one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageChops

from imgpipe_processor.imaging import Limits, Recipe, fitted_size, make_picture
from tests.lambda_processor import profiles
from tests.lambda_processor.fakes import decoded, encoded, photo

SIZES_PX = [64, 128, 256, 512]


def thumbnails(data, sizes_px):
    return make_picture(
        data, Recipe(tuple(sizes_px)), Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20)
    ).thumbnails


def mean_difference(first, second):
    """Over all channels, in steps of 255."""
    histogram = ImageChops.difference(first.convert("RGBA"), second.convert("RGBA")).histogram()
    return sum(value % 256 * count for value, count in enumerate(histogram)) / (4 * first.width * first.height)


def gradients(mode):
    grey = Image.radial_gradient("L").resize((1500, 1000))
    bands = [grey, grey.rotate(180), ImageChops.invert(grey), grey.transpose(Image.Transpose.ROTATE_180)]
    return bands[0] if mode == "L" else Image.merge(mode, bands[: len(mode)])


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
def test_003_20_003_22_every_size_looks_as_if_it_were_the_only_one(data):
    for size_px, made in zip(SIZES_PX, thumbnails(data, SIZES_PX), strict=True):
        (alone,) = thumbnails(data, [size_px])

        assert (alone.format, alone.width, alone.height) == (made.format, made.width, made.height)
        assert mean_difference(decoded(alone.data), decoded(made.data)) < 1.5


@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_003_20_fine_detail_comes_out_no_worse_for_the_other_sizes(image_format):
    source = Image.effect_noise((750, 500), 80).resize((1500, 1000), Image.Resampling.BICUBIC)
    data = encoded(source, image_format)

    for size_px, made in zip(SIZES_PX, thumbnails(data, SIZES_PX), strict=True):
        exact = decoded(data).resize((made.width, made.height), Image.Resampling.LANCZOS)
        (alone,) = thumbnails(data, [size_px])

        assert mean_difference(exact, decoded(made.data)) <= mean_difference(exact, decoded(alone.data)) + 0.1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_size_is_upright(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    data = encoded(photo(), exif=exif)

    sizes = [(made.width, made.height) for made in thumbnails(data, [64, 256])]

    assert sizes == ([(64, 32), (256, 128)] if orientation < 5 else [(32, 64), (128, 256)])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.lists(st.integers(1, 100), max_size=5))
def test_003_20_thumbnails_come_in_the_order_of_their_sizes_and_fit_exactly(width, height, sizes_px):
    made = thumbnails(encoded(photo(width, height)), sizes_px)

    assert [fitted_size(width, height, size_px) for size_px in sizes_px] == [(each.width, each.height) for each in made]
    assert all(decoded(each.data).size == (each.width, each.height) for each in made)


def test_sizes_beyond_the_image_are_one_encoding():
    beyond, far_beyond = thumbnails(encoded(photo()), [400, 4000])

    assert beyond is far_beyond
