"""The first inputs of the fuzzer: a small valid file of every format, and of every kind that decoders distinguish."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import cache

import pillow_heif
from PIL import ExifTags, Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from tests.lambda_processor import pngs, profiles
from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.hostile import crafted_bmps, crafted_gifs, crafted_jpegs, crafted_tiffs

WIDTH, HEIGHT = 40, 30

# The first column and row of each pass of an interlaced PNG, and their steps ("PNG Specification", section 8.1).
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@cache
def seeds() -> dict[str, bytes]:
    """Return the files by format and kind, such as `JPEG-420`."""
    return {f"{name}-{kind}": data for name, make in _MADE.items() for kind, data in make().items()}


def drawing(mode: str = "RGB") -> Image.Image:
    """Return edges, areas and a gradient; a part is half transparent if the mode has alpha."""
    image = Image.linear_gradient("L").resize((WIDTH, HEIGHT)).convert("RGBA")
    draw = ImageDraw.Draw(image)
    draw.rectangle((4, 4, 20, 12), fill=(200, 30, 40, 255))
    draw.ellipse((15, 8, 36, 26), fill=(20, 90, 220, 120))
    return image.convert("L").convert(mode) if mode in {"I", "I;16", "F"} else image.convert(mode)


def animated(image_format: str, mode: str = "RGB", **options: object) -> bytes:
    first = drawing(mode)
    others = [first.transpose(Image.Transpose.FLIP_LEFT_RIGHT), first.transpose(Image.Transpose.ROTATE_180)]
    return encoded(first, image_format, save_all=True, append_images=others, **options)


def exif() -> Image.Exif:
    made = Image.Exif()
    made.update({ExifTags.Base.Orientation: 6, ExifTags.Base.Make: "Camera"})
    return made


def texts() -> PngInfo:
    info = PngInfo()
    info.add_text("Title", "plain")
    info.add_text("Comment", "packed", zip=True)
    info.add_itxt("Author", "international", "en", "Author", zip=True)
    return info


def interlaced() -> bytes:
    """Return a grey PNG in seven passes."""
    rows = b"".join(
        (b"\0" + b"\x80" * len(range(left, WIDTH, across))) * len(range(top, HEIGHT, down))
        for left, top, across, down in _PASSES
    )
    header = pngs.chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, pngs.GREY, 0, 0, 1))
    return pngs.SIGNATURE + header + pngs.chunk(b"IDAT", zlib.compress(rows)) + pngs.chunk(b"IEND", b"")


def _jpegs() -> dict[str, bytes]:
    return {
        "420": encoded(drawing()),
        "444-optimized": encoded(drawing(), subsampling=0, optimize=True, quality=95),
        "grey": encoded(drawing("L")),
        "progressive": encoded(drawing(), progressive=True),
        "cmyk": encoded(drawing("CMYK")),
        "progressive-cmyk": encoded(drawing("CMYK"), progressive=True),
        "restarts": encoded(drawing(), restart_marker_blocks=1),
        "about": encoded(drawing(), exif=exif(), icc_profile=profiles.wide_rgb(), comment=b"words", xmp=b"<x/>"),
        "several": encoded(drawing(), "MPO", save_all=True, append_images=[drawing()]),
        "apart": crafted_jpegs.baseline(WIDTH, HEIGHT, crafted_jpegs.YCC_420, apart=True),
        "passes": crafted_jpegs.progressive(WIDTH, HEIGHT, further=6),
    }


def _pngs() -> dict[str, bytes]:
    return {
        **{mode: encoded(drawing(mode), "PNG") for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")},
        "16-rgba": pngs.flat(WIDTH, HEIGHT, bits=16, colour_type=pngs.RGBA, pixel=b"\x80\x40"),
        "transparent-colour": pngs.flat(WIDTH, HEIGHT, extra=pngs.chunk(b"tRNS", b"\0\x80\0\x80\0\x80")),
        "interlaced": interlaced(),
        "animated": animated("PNG", "RGBA", duration=50),
        "about": encoded(drawing(), "PNG", pnginfo=texts(), icc_profile=profiles.wide_rgb(), exif=exif()),
    }


def _gifs() -> dict[str, bytes]:
    return {
        "still": encoded(drawing("P"), "GIF", comment=b"words"),
        "transparent": encoded(drawing("RGBA"), "GIF"),
        "animated": animated("GIF", "RGBA", duration=50, loop=0, disposal=2),
        "parts-of-one": crafted_gifs.gif(
            WIDTH, HEIGHT, crafted_gifs.image(WIDTH, HEIGHT, crafted_gifs.parts_of_one(2 * WIDTH * HEIGHT))
        ),
    }


def _webps() -> dict[str, bytes]:
    return {
        "lossy": encoded(drawing(), "WEBP"),
        "lossless": encoded(drawing(), "WEBP", lossless=True),
        "alpha": encoded(drawing("RGBA"), "WEBP"),
        "lossless-alpha": encoded(drawing("RGBA"), "WEBP", lossless=True, exact=True),
        "animated": animated("WEBP", "RGBA", duration=50),
        "about": encoded(drawing(), "WEBP", exif=exif(), icc_profile=profiles.wide_rgb(), xmp=b"<x/>"),
    }


def _avifs() -> dict[str, bytes]:
    return {
        "420": encoded(drawing(), "AVIF"),
        "444": encoded(drawing(), "AVIF", subsampling="4:4:4"),
        "alpha": encoded(drawing("RGBA"), "AVIF"),
        "grey": encoded(drawing("L"), "AVIF", subsampling="4:0:0"),
        "animated": animated("AVIF", duration=50),
        "about": encoded(drawing(), "AVIF", exif=exif(), icc_profile=profiles.wide_rgb()),
    }


def _heics() -> dict[str, bytes]:
    pillow_heif.register_heif_opener()
    return {
        "420": encoded(drawing(), "HEIF"),
        "444-alpha": encoded(drawing("RGBA"), "HEIF", chroma=444),
        "about": encoded(drawing(), "HEIF", exif=exif(), icc_profile=profiles.wide_rgb()),
    }


def _tiffs() -> dict[str, bytes]:
    modes = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "I", "I;16", "F")
    packed = {
        "group3": "1",
        "group4": "1",
        "jpeg": "RGB",
        "packbits": "RGB",
        "tiff_adobe_deflate": "RGBA",
        "tiff_deflate": "L",
        "tiff_lzw": "RGB",
    }
    return {
        **{mode: encoded(drawing(mode), "TIFF") for mode in modes},
        **{name: encoded(drawing(mode), "TIFF", compression=name) for name, mode in packed.items()},
        "pages": animated("TIFF", "L"),
        "turned": encoded(drawing(), "TIFF", exif=exif(), icc_profile=profiles.wide_rgb()),
        "big": encoded(drawing("L"), "TIFF", big_tiff=True),
        "tiled": crafted_tiffs.tiled(WIDTH, HEIGHT, 16, bytes(16 * 16)),
    }


def _bmps() -> dict[str, bytes]:
    runs = (bytes((WIDTH, 5)) + crafted_bmps.END_OF_ROW) * HEIGHT + crafted_bmps.END
    return {
        **{mode: encoded(drawing(mode), "BMP") for mode in ("1", "P", "L", "RGB", "RGBA")},
        "16": crafted_bmps.bmp(WIDTH, HEIGHT, bytes(WIDTH * HEIGHT * 2), depth=16),
        "first-row-first": crafted_bmps.bmp(WIDTH, -HEIGHT, bytes(WIDTH * HEIGHT * 3), depth=24),
        "runs-8": crafted_bmps.bmp(WIDTH, HEIGHT, runs, compression=crafted_bmps.RLE8),
        "runs-4": crafted_bmps.bmp(WIDTH, HEIGHT, runs, depth=4, compression=crafted_bmps.RLE4),
    }


_MADE: dict[str, Callable[[], dict[str, bytes]]] = {
    "JPEG": _jpegs,
    "PNG": _pngs,
    "GIF": _gifs,
    "WEBP": _webps,
    "AVIF": _avifs,
    "HEIC": _heics,
    "TIFF": _tiffs,
    "BMP": _bmps,
}
