"""The size that a header declares is checked before decoding: pixels, sides, frames, memory."""

from functools import cache

import pytest
from PIL import Image

from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Animation, Limits, Recipe, make_thumbnails
from imgpipe_processor.imaging.structures import MAX_SIDE_PX
from imgpipe_processor.imaging.structures.av1 import SequenceHeader, sequence_headers
from imgpipe_processor.imaging.structures.heif_items import Items
from imgpipe_processor.imaging.structures.isobmff_boxes import META, read_boxes
from tests.lambda_processor import pngs
from tests.lambda_processor.fakes import encoded, photo
from tests.lambda_processor.hostile import (
    boxes,
    crafted_bmps,
    crafted_gifs,
    crafted_jpegs,
    crafted_tiffs,
    crafted_webps,
)
from tests.lambda_processor.writers import deep, libvips

CAP = 4_000_000
LZW = crafted_tiffs.Entry(crafted_tiffs.COMPRESSION, crafted_tiffs.SHORT, (5,))
FRAME = bytes(16) + encoded(Image.new("RGB", (1, 1)), "WEBP", lossless=True)[12:]  # of a WebP, 1 x 1
LIMITS = Limits(CAP, max_frames=5, memory_bytes=512 * 2**20, heic=True)


def refusal(data, limits=LIMITS):
    with pytest.raises(ImageRejectedError) as caught:
        make_thumbnails(data, Recipe((128,)), limits)
    return caught.value


def jpeg(width, height):
    scan = crafted_jpegs.scan(b"\0", 1, 2, 3)
    return (
        crafted_jpegs.START
        + crafted_jpegs.tables()
        + crafted_jpegs.frame(width, height, crafted_jpegs.YCC_420)
        + scan
        + crafted_jpegs.END
    )


def webp(width, height):
    """Return an animation, whose size only the canvas declares.

    The size of a still image is that of its image chunk.
    """
    canvas = b"\x02\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return crafted_webps.riff((b"VP8X", canvas), (b"ANIM", bytes(6)), (b"ANMF", FRAME))


# Files with a header and nearly nothing after it.
HEADERS = {
    "jpeg": jpeg,
    "png": pngs.without_data,
    "gif": lambda width, height: crafted_gifs.gif(width, height, crafted_gifs.image(1, 1)),
    "webp": webp,
    "avif": lambda width, height: boxes.described(boxes.size(width, height)),
    "heic": lambda width, height: boxes.described(boxes.size(width, height), brand=b"heic"),
    "tiff": lambda width, height: crafted_tiffs.grey(width, height, LZW, pixels=b"\0"),
    "bmp": lambda width, height: crafted_bmps.bmp(width, height, crafted_bmps.END, compression=crafted_bmps.RLE8),
}


@pytest.mark.parametrize("over", [1, 2_000, CAP + 2_000])
@pytest.mark.parametrize("name", HEADERS)
def test_image_with_too_many_pixels_is_rejected_by_its_header(name, over):
    height = 2_000
    width = -(-(CAP + over) // height)

    refused = refusal(HEADERS[name](width, height))

    assert refused.category == "too-large"
    assert refused.message == f"the image has {width} x {height} pixels; at most 4,000,000 are allowed"


@pytest.mark.parametrize("under", [0, 1])
@pytest.mark.parametrize("name", HEADERS)
def test_image_with_the_maximum_of_pixels_is_not_too_large(name, under):
    data = HEADERS[name](2_000, 2_000 - under)

    try:
        make_thumbnails(data, Recipe((128,)), LIMITS)
    except ImageRejectedError as refused:
        assert refused.category in {"corrupt", "unsupported"}  # noqa: PT017  for the bytes after the header
    assert refusal(data, Limits(CAP - 2_001, 5, 512 * 2**20, heic=True)).category == "too-large"


@pytest.mark.parametrize(
    ("name", "width", "height"),
    [
        ("jpeg", 65_535, 1),
        ("png", 2**31 - 1, 1),
        ("png", 1, 2**31),
        ("png", 2**32 - 1, 2**32 - 1),
        ("gif", 65_535, 65_535),
        ("webp", 2**24, 2**24),
        ("avif", 2**32 - 1, 2**32 - 1),
        ("heic", 2**31, 2**31),
        ("tiff", 2**32 - 1, 1),
        ("tiff", 10**6, 10**6),
        ("bmp", 2**31 - 1, 2**31 - 1),
        ("bmp", MAX_SIDE_PX + 1, 1),
    ],
)
def test_image_with_a_huge_side_is_too_large(name, width, height):
    assert refusal(HEADERS[name](width, height)).category == "too-large"


@pytest.mark.parametrize(
    "data",
    [
        jpeg(0, 9),
        pngs.without_data(0, 9),
        crafted_gifs.gif(0, 0, crafted_gifs.image(0, 0)),
        boxes.described(boxes.size(0, 0)),
        crafted_tiffs.grey(0, 9),
        crafted_bmps.bmp(0, 9, b""),
        crafted_bmps.bmp(-9, 9, b""),
    ],
    ids=["jpeg", "png", "gif", "avif", "tiff", "bmp", "bmp-negative"],
)
def test_image_size_of_zero_is_corrupt(data):
    assert refusal(data).category == "corrupt"


def test_image_beyond_the_memory_is_rejected_with_the_needed_memory():
    limits = Limits(CAP, 5, 128 * 2**20)

    refused = refusal(webp(1_500, 1_500), Limits(CAP, 5, 120 * 2**20))

    assert refused.category == "too-large"
    assert refused.message == (
        "decoding this WebP of 1500 x 1500 pixels needs up to 126 MB; the function has 120 MB: "
        "expected fewer pixels, or more memory"
    )
    assert make_thumbnails(encoded(photo(1_500, 1_500), "WEBP"), Recipe((128,)), limits).width == 1_500


@cache
def several(image_format, count):
    frames = [Image.new("RGB", (9, 9), (number % 256, number // 256, 99)) for number in range(count)]
    return encoded(frames[0], image_format, save_all=True, append_images=frames[1:])


def animated_webp(count):
    return crafted_webps.riff((b"VP8X", b"\x02\0\0\0" + bytes(6)), (b"ANIM", bytes(6)), *[(b"ANMF", FRAME)] * count)


FRAMES = {
    "gif": lambda count: crafted_gifs.gif(9, 9, *[crafted_gifs.image(9, 9)] * count),
    "png": lambda count: several("PNG", count),
    "webp": animated_webp,
    "tiff": lambda count: several("TIFF", count),
}


@pytest.mark.parametrize("animation", [None, Animation(max_frames=5, max_pixels=10**6)])
@pytest.mark.parametrize("count", [6, 3_000])
@pytest.mark.parametrize("name", ["gif", "png", "webp", "tiff"])
def test_animation_beyond_the_frame_limit_becomes_a_still_thumbnail(name, count, animation):
    result = make_thumbnails(FRAMES[name](count), Recipe((128,), animation=animation), LIMITS)

    assert (result.frames, result.thumbnails[0].format) in {(6, "JPEG"), (6, "PNG")}


@pytest.mark.parametrize("name", ["gif", "png", "webp", "tiff"])
def test_animation_with_the_maximum_of_frames_is_accepted(name):
    assert make_thumbnails(FRAMES[name](5), Recipe((128,)), LIMITS).frames == 5


def test_first_of_3000_concatenated_images_is_decoded():
    data = encoded(photo(16, 16)) * 3_000

    assert make_thumbnails(data, Recipe((128,)), LIMITS).frames == 1


def coded(data):
    """Return the sequence headers in an AVIF."""
    items = Items(data, read_boxes(data, META))
    extents = [extent for use in items.decoded_items() for extent in items.extents_of(use.item)]
    return [each for start, size in extents for each in sequence_headers(data[start : start + size])]


@pytest.mark.parametrize(("subsampling", "planes"), [("4:0:0", 1), ("4:2:0", 1.5), ("4:2:2", 2), ("4:4:4", 3)])
def test_size_of_an_avif_is_read_from_its_coded_data(subsampling, planes):
    data = encoded(photo(70, 50), "AVIF", subsampling=subsampling)

    assert coded(data) == [SequenceHeader(70, 50, planes, deep=False, colours=(1, 13))]


@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize(("subsampled", "planes"), [("on", 1.5), ("off", 3)])
def test_bit_depth_of_an_avif_is_read_from_its_coded_data(bits, subsampled, planes):
    data = libvips(".avif", deep, bitdepth=bits, subsample_mode=subsampled)(photo(70, 50), 1)

    assert coded(data) == [SequenceHeader(70, 50, planes, deep=bits > 8, colours=(1, 13))]


def test_size_of_a_webp_is_that_of_its_image_and_not_of_its_header():
    result = encoded(photo(2_000, 2_001), "WEBP")[12:]
    data = crafted_webps.riff((b"VP8X", bytes(10)), (result[:4], result[8:]))

    assert refusal(data).message == "the image has 2000 x 2001 pixels; at most 4,000,000 are allowed"


@pytest.mark.parametrize(
    ("data", "category"),
    [
        (crafted_jpegs.baseline(9, 9).replace(b"\xff\xc0", b"\xff\xc3"), "unsupported"),
        (crafted_jpegs.baseline(9, 9).replace(b"\xff\xc0", b"\xff\xc5"), "unsupported"),
        (
            crafted_jpegs.START + crafted_jpegs.frame(9, 9, crafted_jpegs.GREY, precision=12) + crafted_jpegs.END,
            "unsupported",
        ),
        (crafted_jpegs.START + crafted_jpegs.frame(9, 0, crafted_jpegs.GREY) + crafted_jpegs.END, "unsupported"),
        (crafted_jpegs.baseline(9, 9, before=crafted_jpegs.frame(9, 9, crafted_jpegs.GREY)), "corrupt"),
        (crafted_jpegs.baseline(9, 9, ((9, 9),)), "corrupt"),
        (crafted_jpegs.baseline(9, 9, before=crafted_jpegs.START), "corrupt"),
        (
            crafted_jpegs.START
            + crafted_jpegs.scan(b"", 1)
            + crafted_jpegs.frame(9, 9, crafted_jpegs.GREY)
            + crafted_jpegs.END,
            "corrupt",
        ),
        (crafted_jpegs.START + crafted_jpegs.frame(9, 9, crafted_jpegs.GREY) + crafted_jpegs.END, "corrupt"),
        (crafted_jpegs.START + crafted_jpegs.tables() + crafted_jpegs.END, "corrupt"),
        (crafted_jpegs.baseline(9, 9, ((1, 1),) * 5), "unsupported"),
    ],
    ids=[
        "lossless",
        "hierarchical",
        "12-bits",
        "height-after-its-pixels",
        "two-frames",
        "sampling-of-9",
        "two-starts",
        "scan-before-frame",
        "no-scan",
        "no-frame",
        "five-components",
    ],
)
def test_jpeg_with_segments_out_of_order_is_rejected(data, category):
    assert refusal(data).category == category


def test_arithmetic_coding_and_separate_scans_are_accepted():
    apart = crafted_jpegs.baseline(64, 64, crafted_jpegs.YCC_420, apart=True)
    coded = apart.replace(b"\xff\xc0", b"\xff\xc9")  # zeros are a valid image in both codings

    assert [make_thumbnails(data, Recipe((64,)), LIMITS).width for data in (apart, coded)] == [64, 64]
