"""Sizes, output format, and rejections. test_cells.py tests every file kind and orientation, test_colour.py colours."""

import json
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Limits, Recipe, fitted_size, make_thumbnails
from imgpipe_processor.imaging.structures import MAX_SIDE_PX
from tests.lambda_processor import pngs
from tests.lambda_processor.fakes import decoded, encoded, photo

# In addition to the source: pixels of the largest thumbnail, in all steps on their way to its file.
BYTES_PER_TARGET_PIXEL = 30

# The memory that the first image leaves in use.
ONCE_BYTES = 4 * 2**20

PROCESSOR = Path(__file__).parents[2] / "lambda" / "processor"


def processed(data, *, size_px=128, max_pixels=4_000_000):
    return make_thumbnails(data, Recipe((size_px,)), Limits(max_pixels, max_frames=100, memory_bytes=512 * 2**20))


def rejection(data, **limits):
    with pytest.raises(ImageRejectedError) as caught:
        processed(data, **limits)
    return caught.value


@pytest.mark.line("003-20")
@pytest.mark.parametrize(
    ("source", "thumbnail"),
    [
        ((400, 200), (128, 64)),
        ((200, 400), (64, 128)),
        ((300, 300), (128, 128)),
        ((4000, 10), (128, 1)),
        ((129, 128), (128, 127)),
        ((128, 128), (128, 128)),
        ((40, 30), (40, 30)),
        ((1, 1), (1, 1)),
    ],
)
@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_thumbnail_fits_inside_keeps_its_aspect_and_is_never_enlarged(source, thumbnail, image_format):
    made = processed(encoded(photo(*source), image_format))

    assert (*source, image_format) == (made.width, made.height, made.format)
    assert thumbnail == (made.thumbnails[0].width, made.thumbnails[0].height) == decoded(made.thumbnails[0].data).size


@pytest.mark.line("003-20")
@given(st.integers(1, 70_000), st.integers(1, 70_000), st.integers(1, 600))
def test_any_size_fits(width, height, size_px):
    fitted = fitted_size(width, height, size_px)

    assert max(fitted) == min(size_px, max(width, height))
    assert min(fitted) >= 1
    assert abs(fitted[0] * height - fitted[1] * width) <= max(width, height) or min(fitted) == 1


@pytest.mark.line("003-20", "004-19")
@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_pixels_equal_a_lanczos_reduction_of_the_whole_image(image_format):
    source = Image.radial_gradient("L").resize((1500, 1000))
    source = Image.merge("RGB", (source, source.rotate(180), ImageChops.invert(source)))
    data = encoded(source, image_format, quality=100, subsampling=0)

    actual = decoded(processed(data, size_px=256).thumbnails[0].data)
    exact = decoded(data).resize(actual.size, Image.Resampling.LANCZOS)

    differences = ImageChops.difference(actual, exact).convert("L").histogram()
    assert sum(value * count for value, count in enumerate(differences)) / (256 * 171) < 1.5


@pytest.mark.line("003-22")
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (encoded(photo()), "JPEG"),
        (encoded(photo(), progressive=True), "JPEG"),
        (encoded(photo().convert("L")), "JPEG"),
        (encoded(photo(), "PNG"), "JPEG"),
        (encoded(photo().convert("RGBA"), "PNG"), "JPEG"),
        (encoded(Image.new("RGBA", (400, 200), (255, 0, 0, 254)), "PNG"), "PNG"),
        (encoded(Image.new("LA", (400, 200), (9, 0)), "PNG"), "PNG"),
    ],
)
def test_opaque_image_becomes_a_jpeg_and_transparent_image_a_png(source, expected):
    thumbnail = processed(source).thumbnails[0]

    assert expected == thumbnail.format == decoded(thumbnail.data).format
    assert {"JPEG": ("image/jpeg", "jpg"), "PNG": ("image/png", "png")}[expected] == (
        thumbnail.content_type,
        thumbnail.extension,
    )


def test_jpeg_thumbnail_is_subsampled_and_not_progressive():
    image = Image.open(BytesIO(processed(encoded(photo(), subsampling=0, progressive=True)).thumbnails[0].data))

    assert image.layer == [(1, 2, 2, 0), (2, 1, 1, 1), (3, 1, 1, 1)]
    assert "progressive" not in image.info


def test_camera_file_with_more_images_after_the_first_is_a_jpeg():
    made = processed(encoded(photo(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 64))]))

    assert (made.format, made.width, made.height) == ("JPEG", 400, 200)
    assert decoded(made.thumbnails[0].data).getpixel((20, 10)) == (254, 0, 0)


def test_animated_png_becomes_its_first_frame():
    frames = [Image.new("RGB", (300, 300), colour) for colour in ("red", "blue", "lime")]

    made = processed(encoded(frames[0], "PNG", save_all=True, append_images=frames[1:]))

    assert decoded(made.thumbnails[0].data).getpixel((50, 50)) == (254, 0, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Dear cat,\n" * 100,
        encoded(photo(), "PPM"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(200),
    ],
    ids=["empty", "text", "ppm", "eps", "svg", "heic"],
)
def test_other_file_kinds_are_unsupported_with_any_name(data):
    assert rejection(data).category == "unsupported"


@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
@pytest.mark.parametrize("kept", [0.03, 0.5, 0.95])
def test_truncated_file_is_corrupt(image_format, kept):
    data = encoded(Image.effect_noise((300, 300), 80), image_format)

    assert rejection(data[: int(len(data) * kept)]).category == "corrupt"


def test_wrong_checksum_is_corrupt():
    data = bytearray(encoded(photo(), "PNG"))
    data[20] ^= 1

    assert rejection(bytes(data)).category == "corrupt"


def test_huge_text_chunk_is_too_large():
    bomb = pngs.chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(30_000_000)))

    assert rejection(pngs.flat(9, 9, extra=bomb)).category == "too-large"


@pytest.mark.line("004-09")
@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["JPEG", "PNG"]),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_damaged_file_ends_in_a_thumbnail_or_a_category(image_format, damage):
    data = bytearray(encoded(photo(40, 30), image_format))
    for place, value in damage:
        data[int(place * len(data))] = value
    try:
        assert processed(bytes(data), max_pixels=100_000).thumbnails[0].data
    except ImageRejectedError as error:
        assert error.category in {"corrupt", "unsupported", "too-large"}  # noqa: PT017  both results are correct


@pytest.mark.line("004-18")
@pytest.mark.parametrize("pixels_over", [1, 1_000_001])
def test_image_with_too_many_pixels_is_rejected_by_its_header_alone(pixels_over):
    assert rejection(pngs.without_data(1_000_000 + pixels_over, 1), max_pixels=1_000_000).category == "too-large"
    assert rejection(pngs.without_data(1000, 1000), max_pixels=1_000_000).category == "corrupt"


def test_image_with_the_allowed_pixels_is_accepted():
    assert processed(encoded(photo(200, 100)), max_pixels=20_000).width == 200
    assert (
        rejection(encoded(photo(200, 100)), max_pixels=19_999).message
        == "the image has 200 x 100 pixels; at most 19,999 are allowed"
    )


def test_defect_of_the_function_is_not_an_image_rejection():
    limits = Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20)

    with pytest.raises(KeyError):
        make_thumbnails(encoded(photo()), Recipe((128,), output_format="unknown"), limits)


def test_side_beyond_the_jpeg_maximum_is_too_large():
    assert processed(pngs.flat(MAX_SIDE_PX, 1)).thumbnails[0].width == 128
    assert rejection(pngs.without_data(MAX_SIDE_PX + 1, 1)).category == "too-large"


def test_pillow_limits_are_restored():
    before = Image.MAX_IMAGE_PIXELS

    rejection(pngs.without_data(3000, 3000), max_pixels=5)

    assert before == Image.MAX_IMAGE_PIXELS


# VmHWM and not ru_maxrss: that one starts at the peak of the process that started this one.
MEASURE = """
import json, sys
from pathlib import Path
from imgpipe_processor.imaging import Limits, Recipe, make_thumbnails
data = sys.stdin.buffer.read()
peak = lambda: int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
before = peak()
make_thumbnails(data, Recipe(tuple(json.loads(sys.argv[1]))), Limits(20_000_000, max_frames=100, memory_bytes=2**30))
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("sizes_px", [[], [512, 128], [2048, 512]], ids=str)
@pytest.mark.parametrize(
    ("data", "bytes_per_pixel"),
    [
        (lambda: pngs.flat(4000, 4000, bits=16, colour_type=pngs.RGBA, pixel=b"\x80\x40"), 4.1),
        (lambda: pngs.flat(4000, 4000, colour_type=pngs.PALETTE, extra=pngs.chunk(b"PLTE", bytes(768))), 1.1),
        (lambda: encoded(Image.new("CMYK", (4000, 4000)), progressive=True, subsampling=0), 8.2),
        (lambda: encoded(Image.new("RGB", (4000, 4000))), 0.2),
    ],
    ids=["rgba", "palette", "progressive-cmyk", "jpeg"],
)
def test_memory_of_the_worst_images_of_a_kind_stays_below_its_bound(data, bytes_per_pixel, sizes_px):
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, json.dumps(sizes_px)],
        input=data(),
        capture_output=True,
        check=True,
        cwd=PROCESSOR,
        timeout=30,
    )

    assert (
        int(done.stdout)
        < bytes_per_pixel * 4000 * 4000 + BYTES_PER_TARGET_PIXEL * max(sizes_px, default=0) ** 2 + ONCE_BYTES
    )
