"""Every kind of source needs no more memory than is estimated before it is decoded, and not much less."""

import sys

import pillow_heif
import pytest
from PIL import Image

from tests.lambda_processor import bmps as made_bmps
from tests.lambda_processor import pngs, tiffs
from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.hostile import crafted_bmps, crafted_gifs, crafted_jpegs
from tests.lambda_processor.hostile.children import ended
from tests.lambda_processor.writers import deep, libvips

SIDE_PX = 3000
PIXELS = SIDE_PX**2

# The memory of the thumbnails, of their encoders, and of a decoder for any image.
THUMBNAIL_BYTES = 13 * 2**20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def gradients(mode="RGB"):
    """Return gradients, one of them for alpha."""
    across, down = (Image.linear_gradient("L").rotate(turn).resize((SIDE_PX, SIDE_PX)) for turn in (0, 90))
    if mode in {"I", "I;16", "F", "L", "LA"}:
        return across.convert(mode)
    return Image.merge("RGBA", (across, down, across, down)).convert(mode)


def several(image_format, mode, **options):
    first = gradients(mode)
    others = [first.transpose(Image.Transpose.ROTATE_90), first.transpose(Image.Transpose.ROTATE_180)]
    return encoded(first, image_format, save_all=True, append_images=others, **options)


def tiff(mode, **options):
    return encoded(gradients(mode), "TIFF", **options)


def one_strip(mode, compression, **options):
    return tiff(mode, compression=compression, strip_size=2**30, **options)


def turned():
    made = Image.Exif()
    made[0x0112] = 6
    return made


def heic(mode, **options):
    pillow_heif.register_heif_opener()
    return encoded(Image.new(mode, (SIDE_PX, SIDE_PX)), "HEIF", quality=50, **options)


def deep_avif(mode, **options):
    return libvips(".avif", deep, Q=60, bitdepth=10, effort=0, **options)(gradients(mode), 1)


PALETTE_AT = 54  # in a BMP of Windows


def runs(bits, first_colour=bytes(4)):
    row = b"\xff\x05" * (SIDE_PX // 255) + bytes((SIDE_PX % 255, 5)) + crafted_bmps.END_OF_ROW
    compression = crafted_bmps.RLE8 if bits == 8 else crafted_bmps.RLE4
    data = crafted_bmps.bmp(SIDE_PX, SIDE_PX, row * SIDE_PX + crafted_bmps.END, depth=bits, compression=compression)
    return data[:PALETTE_AT] + first_colour + data[PALETTE_AT + 4 :]


def samples(photometric, bits, tags=None):
    """Return the same bytes repeated, as samples of so many bits."""
    planes = len(bits) if tags and tiffs.PLANES in tags else 1
    strip = bytes(range(64)) * (PIXELS * sum(bits) // 8 // planes // 64 + 1)
    return tiffs.tiff((SIDE_PX, SIDE_PX), [strip] * planes, tags or {}, bits=bits, photometric=photometric)


ROWS_OF_16_BITS = [bytes(range(200)) * (2 * SIDE_PX // 200)] * SIDE_PX
FAST_PNG = {"compress_level": 1}
FAST_WEBP = {"method": 0}
FAST_AVIF = {"speed": 10, "quality": 60}

# The estimate is the largest bytes per pixel of a kind; a file of a kind with several variants may need much less.
KINDS = {
    "jpeg": lambda: encoded(gradients()),
    "jpeg-444": lambda: encoded(gradients(), subsampling=0),
    "jpeg-cmyk": lambda: encoded(gradients("CMYK"), subsampling=0),
    "jpeg-progressive": lambda: encoded(gradients(), progressive=True),
    "jpeg-progressive-444": lambda: encoded(gradients(), progressive=True, subsampling=0),
    "jpeg-progressive-cmyk": lambda: encoded(gradients("CMYK"), progressive=True, subsampling=0),
    "jpeg-progressive-grey": lambda: encoded(gradients("L"), progressive=True),
    "jpeg-scans-apart": lambda: crafted_jpegs.baseline(SIDE_PX, SIDE_PX, crafted_jpegs.YCC_444, apart=True),
    "png-1": lambda: encoded(gradients("1"), "PNG"),
    "png-grey": lambda: encoded(gradients("L"), "PNG", **FAST_PNG),
    "png-grey-alpha": lambda: encoded(gradients("LA"), "PNG", **FAST_PNG),
    "png-grey-16": lambda: encoded(gradients("I;16"), "PNG", **FAST_PNG),
    "png-palette": lambda: encoded(gradients("P"), "PNG", **FAST_PNG),
    "png-rgb": lambda: encoded(gradients(), "PNG", **FAST_PNG),
    "png-rgba": lambda: encoded(gradients("RGBA"), "PNG", **FAST_PNG),
    "png-rgba-16": lambda: pngs.flat(SIDE_PX, SIDE_PX, bits=16, colour_type=pngs.RGBA, pixel=b"\x80\x40"),
    "png-rgb-16-colour-key": lambda: pngs.flat(
        SIDE_PX,
        SIDE_PX,
        bits=16,
        colour_type=pngs.RGB,
        pixel=b"\x80\x40" * 3,
        extra=pngs.chunk(b"tRNS", b"\x80\x41" * 3),
    ),
    "png-interlaced": lambda: libvips(".png", interlace=True, compression=1)(gradients("RGBA"), 1),
    "png-animated": lambda: several("PNG", "RGBA", **FAST_PNG),
    "gif": lambda: encoded(gradients("P"), "GIF"),
    "gif-smaller-than-the-screen": lambda: crafted_gifs.gif(
        SIDE_PX, SIDE_PX, crafted_gifs.image(SIDE_PX - 1, SIDE_PX - 1)
    ),
    "gif-animated": lambda: several("GIF", "P"),
    "webp": lambda: encoded(gradients(), "WEBP", **FAST_WEBP),
    "webp-alpha": lambda: encoded(gradients("RGBA"), "WEBP", **FAST_WEBP),
    "webp-lossless": lambda: encoded(gradients("RGBA"), "WEBP", lossless=True, quality=0, **FAST_WEBP),
    "webp-animated": lambda: several("WEBP", "RGBA", **FAST_WEBP),
    "avif-420": lambda: encoded(gradients(), "AVIF", **FAST_AVIF),
    "avif-444": lambda: encoded(gradients(), "AVIF", subsampling="4:4:4", **FAST_AVIF),
    "avif-444-alpha": lambda: encoded(gradients("RGBA"), "AVIF", subsampling="4:4:4", **FAST_AVIF),
    "avif-10-bits-420": lambda: deep_avif("RGB", subsample_mode="on"),
    "avif-10-bits-444-alpha": lambda: deep_avif("RGBA", subsample_mode="off"),
    "heic-420": lambda: heic("RGB"),
    "heic-444-alpha": lambda: heic("RGBA", chroma=444),
    "tiff-grey": lambda: tiff("L"),
    "tiff-grey-16": lambda: tiff("I;16"),
    "tiff-grey-16-turned": lambda: tiff("I;16", exif=turned()),
    "tiff-grey-32": lambda: tiff("I"),
    "tiff-float": lambda: tiff("F", compression="tiff_lzw"),
    "tiff-float-turned": lambda: one_strip("F", "tiff_adobe_deflate", exif=turned()),
    "tiff-rgb": lambda: tiff("RGB"),
    "tiff-rgb-turned": lambda: tiff("RGB", exif=turned()),
    "tiff-cmyk-strip": lambda: one_strip("CMYK", "tiff_lzw"),
    "tiff-rgba-strip-turned": lambda: one_strip("RGBA", "tiff_adobe_deflate", exif=turned()),
    "tiff-jpeg-strip": lambda: one_strip("RGB", "jpeg"),
    "tiff-group-4": lambda: tiff("1", compression="group4"),
    "tiff-grey-10-bits": lambda: samples(tiffs.BLACK_IS_ZERO, [10]),
    "tiff-grey-alpha-16": lambda: samples(tiffs.BLACK_IS_ZERO, [16, 16]),
    "tiff-cmyk-alpha-16": lambda: samples(tiffs.CMYK, [16] * 5),
    "tiff-rgba-planes": lambda: samples(tiffs.RGB, [8] * 4, {tiffs.PLANES: (2,)}),
    "tiff-half-float": lambda: samples(tiffs.BLACK_IS_ZERO, [16], {tiffs.SAMPLE_FORMAT: (tiffs.FLOAT,)}),
    "tiff-double": lambda: samples(tiffs.BLACK_IS_ZERO, [64], {tiffs.SAMPLE_FORMAT: (tiffs.FLOAT,)}),
    "bmp-16-444": lambda: made_bmps.bmp(
        (SIDE_PX, SIDE_PX), ROWS_OF_16_BITS, bits=16, header=56, masks=(3840, 240, 15, 0)
    ),
    "bmp-8": lambda: encoded(gradients("P"), "BMP"),
    "bmp-24": lambda: encoded(gradients(), "BMP"),
    "bmp-runs-8": lambda: runs(8),
    "bmp-runs-4": lambda: runs(4),
    "bmp-runs-8-in-colour": lambda: runs(8, b"\1\2\3\0"),
}

ANIMATED = {
    "png-animated": lambda: several("PNG", "RGBA", disposal=1, **FAST_PNG),
    "gif-disposed": lambda: several("GIF", "RGBA", disposal=3),
    "webp-animated": KINDS["webp-animated"],
    "avif-animated": lambda: several("AVIF", "RGBA", subsampling="4:4:4", **FAST_AVIF),
}
BYTES_PER_PIXEL_OF_FRAME = 27


@pytest.mark.parametrize("kind", KINDS)
def test_still_image_needs_the_estimated_memory(kind, tmp_path):
    data = KINDS[kind]()

    measured = ended(tmp_path, {kind: data}, {"sizes_px": [512, 128]}, memory_mb=1024)[kind]

    assert measured.image[1:3] == [SIDE_PX, SIDE_PX]
    assert measured.grew_bytes < measured.counted_bytes + len(data) + THUMBNAIL_BYTES
    assert measured.counted_bytes < 1.9 * measured.grew_bytes + len(data)


@pytest.mark.parametrize("kind", ANIMATED)
def test_animation_needs_the_estimated_memory(kind, tmp_path):
    recipe = {"sizes_px": [128], "animation": {"max_frames": 10, "max_pixels": 4 * PIXELS}}
    data = ANIMATED[kind]()

    measured = ended(tmp_path, {kind: data}, recipe, memory_mb=1024)[kind]

    assert measured.image[3] == 3
    assert measured.grew_bytes < BYTES_PER_PIXEL_OF_FRAME * PIXELS + len(data) + THUMBNAIL_BYTES
