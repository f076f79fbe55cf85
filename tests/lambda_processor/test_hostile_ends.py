"""Files whose end is missing or from another file: rejected, or the same image as the whole file.

`NOT_ALWAYS_SEEN`, and docs/processor.md, name the damage that no decoder can detect.
"""

import random
import struct
import zlib

import pillow_heif
import pytest
from PIL import Image

from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Limits, Recipe, make_thumbnails
from tests.fuzz.seeds import interlaced, seeds
from tests.lambda_processor import judge, pngs
from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.hostile import crafted_bmps, crafted_gifs, crafted_webps

LIMITS = Limits(max_pixels=1_000_000, max_frames=1_000, memory_bytes=512 * 2**20, heic=True)
SIZE = (200, 152)
LARGE = {"engine": "libvips", "sizes_px": (600,)}  # libvips decodes JPEGs of this size as well


def made(data, **recipe):
    return make_thumbnails(data, Recipe(**{"sizes_px": (32,), **recipe}), LIMITS)


def category(data, **recipe):
    """Return the category of the rejection; None if the file is accepted."""
    try:
        made(data, **recipe)
    except ImageRejectedError as refusal:
        return refusal.category
    return None


def pixels(data):
    """Return the pixels of a PNG thumbnail; those of a JPEG depend on the size of the source."""
    return judge.seen(made(data, output_format="png").thumbnails[0].data).tobytes()


def scene(number=0):
    """Return noise on gradients: missing parts differ from the rest."""
    noise = Image.frombytes("L", SIZE, random.Random(number).randbytes(SIZE[0] * SIZE[1]))  # noqa: S311  an image
    across, down = (Image.linear_gradient("L").rotate(turn).resize(SIZE) for turn in (0, 90))
    return Image.blend(Image.merge("RGB", (across, down, across)), Image.merge("RGB", (noise,) * 3), 0.3)


# The metadata after the image, here its orientation.
ABOUT_AFTER_IMAGE = {"WEBP-about": 66}


@pytest.mark.parametrize("name", sorted(seeds()))
def test_file_truncated_anywhere_is_rejected_or_shows_the_same_image(name):
    data = seeds()[name]
    whole = pixels(data)

    for length in range(len(data) - ABOUT_AFTER_IMAGE.get(name, 0)):
        try:
            assert pixels(data[:length]) == whole, length
        except ImageRejectedError as refusal:
            assert refusal.category == "corrupt" or length < 16, (length, refusal)  # noqa: PT017  both results are correct


# Bytes at the end of a file that no pixel needs: the offset of a next page, a resolution, the padding of the last row,
# the ends of the last row and of the image after its last pixel.
NOT_NEEDED = {
    "TIFF-group3": 4,
    "TIFF-group4": 4,
    "TIFF-tiff_deflate": 4,
    "TIFF-tiled": 24,
    "BMP-1": 3,
    "BMP-runs-8": 4,
    "BMP-runs-4": 4,
}


@pytest.mark.parametrize("name", sorted(seeds()))
def test_only_few_bytes_can_be_missing_at_the_end_of_a_file_of_one_image(name):
    data = seeds()[name]
    image_format = name.split("-")[0]

    if image_format in {"JPEG", "PNG", "GIF"}:  # the end marker and checksums
        assert category(data[:-1]) in {None, "corrupt"}
        assert category(data[: len(data) // 3]) == "corrupt"
    elif name in {"WEBP-animated", "WEBP-about", "TIFF-pages", "HEIC-about", "AVIF-animated"}:  # only the first image
        assert category(data[:-1]) is None
    elif name in NOT_NEEDED:
        needed = len(data) - NOT_NEEDED[name]
        assert (category(data[:needed]), category(data[: needed - 1])) == (None, "corrupt")
    else:
        assert category(data[:-1]) == "corrupt"


FORMATS = {
    "jpeg": ("JPEG", {}),
    "jpeg-progressive": ("JPEG", {"progressive": True}),
    "jpeg-restarts": ("JPEG", {"restart_marker_blocks": 4}),
    "png": ("PNG", {}),
    "gif": ("GIF", {}),
    "webp": ("WEBP", {}),
    "webp-lossless": ("WEBP", {"lossless": True}),
    "avif": ("AVIF", {}),
    "heic": ("HEIF", {}),
    "tiff": ("TIFF", {}),
    "tiff-lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "tiff-deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "tiff-jpeg": ("TIFF", {"compression": "jpeg"}),
    "bmp": ("BMP", {}),
}
DAMAGES = {
    "empty": lambda one, _other: one[: len(one) // 2] + bytes(len(one) - len(one) // 2),
    "empty-before-its-end": lambda one, _other: one[: len(one) // 2] + bytes(len(one) // 2 - 16) + one[-16:],
    "another's": lambda one, other: one[: len(one) // 2] + other[len(one) // 2 :],
    "begun-again": lambda one, _other: one[: len(one) // 2] + one,
    "with-a-gap": lambda one, _other: one[: len(one) // 2] + one[len(one) // 2 + 1_000 :],
}
# Codes without a checksum: whether other bytes can replace them depends on the image.
NOT_ALWAYS_SEEN = {
    "jpeg": {"another's"},
    "jpeg-progressive": {"empty-before-its-end", "another's", "with-a-gap"},
    "jpeg-restarts": {"empty-before-its-end", "another's"},
    "gif": {"another's", "with-a-gap"},
    "webp": {"empty-before-its-end", "another's", "begun-again"},
    "webp-lossless": {"empty-before-its-end", "another's"},
    "avif": {"empty-before-its-end", "another's"},
    "heic": {"empty-before-its-end", "another's"},
    "tiff": {"empty", "empty-before-its-end", "another's", "begun-again"},
    "bmp": {"empty", "empty-before-its-end", "another's", "begun-again"},
}


@pytest.mark.parametrize("engine", ["pillow", "libvips"])
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FORMATS)
def test_second_half_of_another_file_is_corrupt(name, damage, engine):
    pillow_heif.register_heif_opener()
    image_format, options = FORMATS[name]
    one, other = (encoded(scene(turn), image_format, **options) for turn in (0, 1))

    assert category(one, engine=engine) is None
    ends = {"corrupt"} | ({None} if damage in NOT_ALWAYS_SEEN.get(name, ()) else set())
    assert category(DAMAGES[damage](one, other), engine=engine) in ends


JPEGS = {
    "420": {},
    "444": {"subsampling": 0},
    "422": {"subsampling": 1},
    "optimized": {"optimize": True},
    "restarts": {"restart_marker_blocks": 4},
    "rgb": {"keep_rgb": True},
    "grey": {"mode": "L"},
    "cmyk": {"mode": "CMYK"},
}


@pytest.mark.parametrize("recipe", [{}, {"sizes_px": (100,)}, LARGE], ids=["tiny", "small", "libvips"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("kind", JPEGS)
def test_jpeg_with_missing_rows_and_an_end_marker_is_corrupt(kind, kept, recipe):
    options = dict(JPEGS[kind])
    data = encoded(scene().convert(options.pop("mode", "RGB")), **options)
    start = data.index(b"\xff\xda")
    cut = data[: start + int((len(data) - start) * kept)].rstrip(b"\xff") + b"\xff\xd9"

    with pytest.raises(ImageRejectedError, match="the last rows of the JPEG are missing") as caught:
        made(cut, **recipe)

    assert caught.value.category == "corrupt"


def test_progressive_jpeg_without_the_first_pass_of_its_lower_half_is_corrupt():
    data = encoded(scene(), progressive=True)
    first, second = data.index(b"\xff\xda"), data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)

    assert category(data[: (first + second) // 2] + b"\xff\xd9") == "corrupt"


def test_progressive_jpeg_truncated_in_its_last_pass_is_corrupt_for_every_thumbnail_size():
    """A thumbnail that the decoder reduces by eight has no detail of that pass."""
    data = encoded(scene().resize((800, 608)), progressive=True)
    assert len(data) - data.rindex(b"\xff\xda") > 2_100

    for cut in (3, 40, 2_000):
        assert category(data[:-cut]) == "corrupt", cut


@pytest.mark.parametrize("fill", [b"", b"\xff"], ids=["", "fill-byte"])
@pytest.mark.parametrize("engine", ["pillow", "libvips"])
def test_jpeg_with_missing_last_blocks_and_an_end_marker_is_corrupt(engine, fill):
    """Fewer rows are missing than one row of the thumbnail is resampled from."""
    bright = scene().resize((1100, 836)).point(lambda value: 200 + value // 5)
    data = encoded(bright, subsampling="4:4:4")

    assert category(data[:-100] + fill + data[-2:], engine=engine, sizes_px=(600,)) == "corrupt"


@pytest.mark.parametrize("recipe", [{}, LARGE], ids=["pillow", "libvips"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("kind", JPEGS)
def test_jpeg_of_an_image_that_ends_grey_is_accepted(kind, progressive, recipe):
    image = scene()
    image.paste((128, 128, 128), (0, 76, 200, 152))
    options = dict(JPEGS[kind])
    data = encoded(image.convert(options.pop("mode", "RGB")), progressive=progressive, **options)

    assert category(data, **recipe) is None
    assert category(data + b"and a trailer", **recipe) is None


ROW = b"\0" + b"\x80" * 3 * 64


def png(rows):
    return pngs.header(64, 64) + pngs.chunk(b"IDAT", zlib.compress(rows)) + pngs.chunk(b"IEND", b"")


@pytest.mark.parametrize("engine", ["pillow", "libvips"])
@pytest.mark.parametrize("rows", [0, 1, 32, 63])
def test_png_with_missing_rows_and_intact_chunks_is_corrupt(rows, engine):
    assert category(png(ROW * 64), engine=engine) is None
    assert category(png(ROW * rows), engine=engine) == "corrupt"


def test_interlaced_png_without_its_last_pass_is_corrupt():
    data = interlaced()
    start, end = data.index(b"IDAT") + 4, data.index(b"IEND") - 8
    rows = zlib.decompress(data[start:end])

    shorter = data[: start - 8] + pngs.chunk(b"IDAT", zlib.compress(rows[:-400])) + pngs.chunk(b"IEND", b"")

    assert (category(data), category(shorter)) == (None, "corrupt")


def test_interlaced_png_of_one_row_without_its_last_pass_is_corrupt():
    header = pngs.chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 1, 8, pngs.GREY, 0, 0, 1))
    passes = [b"\0\xc8", b"\0\xc8", b"\0\xc8\xc8", b"\0\xc8\xc8\xc8\xc8"]

    def png_of(rows):
        packed = pngs.chunk(b"IDAT", zlib.compress(b"".join(rows)))
        return pngs.SIGNATURE + header + packed + pngs.chunk(b"IEND", b"")

    assert (category(png_of(passes)), category(png_of(passes[:-1]))) == (None, "corrupt")


@pytest.mark.parametrize("engine", ["pillow", "libvips"])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_png_of_an_image_that_ends_black_is_accepted(mode, engine):
    assert category(encoded(Image.new(mode, (65, 43)), "PNG"), engine=engine) is None


@pytest.mark.parametrize(
    "data",
    [
        crafted_gifs.gif(64, 64, crafted_gifs.image(64, 64, crafted_gifs.parts(crafted_gifs.one_colour(32 * 64)))),
        crafted_gifs.gif(64, 64, crafted_gifs.image(64, 64, b"\0")),
        crafted_gifs.gif(64, 64, crafted_gifs.image(0, 0, b"\0")),
        crafted_gifs.gif(64, 64),
        crafted_bmps.bmp(64, 64, (b"\x40\x05" + crafted_bmps.END_OF_ROW) * 32, compression=crafted_bmps.RLE8),
        crafted_bmps.bmp(64, 64, b"", compression=crafted_bmps.RLE8),
        crafted_webps.riff((b"VP8X", bytes(10))),
        crafted_webps.riff((b"VP8X", bytes(4) + struct.pack("<I", 63)[:3] * 2), (b"VP8 ", b"")),
    ],
    ids=[
        "gif-half",
        "gif-no-data",
        "gif-no-pixels",
        "gif-no-frame",
        "bmp-half",
        "bmp-nothing",
        "webp-none",
        "webp-empty",
    ],
)
def test_image_with_fewer_pixels_than_its_header_declares_is_corrupt(data):
    assert category(data) == "corrupt"
