"""The libvips engine: the same images and rejections as Pillow's, and only the decoders that it needs."""

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Limits, Recipe, libvips, make_thumbnails, prepare
from imgpipe_processor.imaging.recipe import LIBVIPS, PILLOW
from tests.lambda_processor import judge, pngs, profiles
from tests.lambda_processor.fakes import encoded, photo

LIMITS = Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20)
PROCESSOR = Path(__file__).parents[2] / "lambda" / "processor"


def made(data, engine, *sizes_px):
    return make_thumbnails(data, Recipe(sizes_px or (128,), output_format="png", engine=engine), LIMITS)


def large_photo():
    return photo(1600, 800)


def turned(image_format, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return encoded(large_photo(), image_format, exif=exif)


def half_transparent():
    image = photo().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


SOURCES = {
    "jpeg": encoded(large_photo(), quality=95),
    "jpeg-grey": encoded(large_photo().convert("L"), quality=95),
    "jpeg-cmyk": encoded(large_photo().convert("CMYK"), quality=95),
    "jpeg-progressive": encoded(large_photo(), progressive=True, quality=95),
    "jpeg-with-profile": encoded(large_photo(), icc_profile=profiles.wide_rgb(), quality=95),
    "png": encoded(photo(), "PNG"),
    "png-grey": encoded(photo().convert("L"), "PNG"),
    "png-bits": encoded(photo().convert("1", dither=Image.Dither.NONE), "PNG"),
    "png-palette": encoded(photo().quantize(16), "PNG"),
    "png-alpha": encoded(half_transparent(), "PNG"),
    "png-grey-alpha": encoded(half_transparent().convert("LA"), "PNG"),
    "png-one-transparent-colour": encoded(photo(), "PNG", transparency=(255, 0, 0)),
    "png-16-bits": pngs.flat(300, 200, bits=16, colour_type=pngs.RGB, pixel=b"\x80\x40"),
    "png-16-bits-grey": pngs.flat(300, 200, bits=16, colour_type=pngs.GREY, pixel=b"\x80\x40"),
    "png-with-profile": encoded(photo(), "PNG", icc_profile=profiles.wide_rgb()),
    "webp": encoded(photo(), "WEBP", quality=95),
    "webp-lossless-alpha": encoded(half_transparent(), "WEBP", lossless=True),
    "webp-animated": encoded(
        photo(), "WEBP", save_all=True, append_images=[Image.new("RGB", (400, 200))], lossless=True
    ),
    "gif": encoded(photo(), "GIF"),
    "tiff": encoded(photo(), "TIFF"),
    "one-pixel": encoded(Image.new("RGB", (1, 1), "red"), "PNG"),
    "one-row": encoded(photo().resize((900, 1)), "PNG"),
    "jpeg-on-its-side": turned("JPEG", 6),
    "png-mirrored": turned("PNG", 5),
    "webp-upside-down": turned("WEBP", 3),
}


@pytest.mark.parametrize("sizes_px", [(128,), (700, 200, 64)], ids=str)
@pytest.mark.parametrize("name", SOURCES)
def test_both_engines_make_the_same_thumbnails(name, sizes_px):
    expected, actual = (made(SOURCES[name], engine, *sizes_px) for engine in (PILLOW, LIBVIPS))

    assert (actual.format, actual.width, actual.height, actual.frames) == (
        expected.format,
        expected.width,
        expected.height,
        expected.frames,
    )
    for first, second in zip(expected.thumbnails, actual.thumbnails, strict=True):
        assert judge.difference(judge.seen(first.data), judge.seen(second.data)) < 1.5


@pytest.mark.parametrize(
    ("name", "size_px", "taken"),
    [
        ("jpeg", 512, False),
        ("jpeg", 513, True),
        ("jpeg-cmyk", 700, False),
        ("png", 64, True),
        ("png-alpha", 64, True),
        ("png-16-bits", 64, True),
        ("webp", 64, True),
        ("webp-animated", 64, False),
        ("gif", 64, False),
    ],
)
def test_libvips_is_used_where_it_is_faster_and_shows_the_same(name, size_px, taken, monkeypatch):
    shrink = []
    decode = libvips.decode_with_libvips
    monkeypatch.setattr(
        "imgpipe_processor.imaging.thumbnail_maker.decode_with_libvips",
        lambda *arguments: shrink.append(decode(*arguments)) or shrink[0],
    )

    made(SOURCES[name], LIBVIPS, size_px)

    assert (shrink[0] is not None) is taken


@pytest.mark.parametrize("name", ["jpeg", "png", "png-alpha", "webp", "webp-lossless-alpha"])
@pytest.mark.parametrize("kept", [0.3, 0.7, 0.9])
def test_libvips_rejects_truncated_files(name, kept):
    data = SOURCES[name]

    with pytest.raises(ImageRejectedError) as refused:
        made(data[: int(len(data) * kept)], LIBVIPS, 700)

    assert refused.value.category == "corrupt"


def test_undecodable_pixels_are_corrupt_with_libvips_too():
    broken = pngs.header(300, 300) + pngs.chunk(b"IDAT", b"not deflated") + pngs.chunk(b"IEND", b"")

    with pytest.raises(ImageRejectedError) as refused:
        made(broken, LIBVIPS)

    assert refused.value.category == "corrupt"


LOADERS = """
from imgpipe_processor.imaging import Limits, Recipe, prepare
prepare(Recipe((513,), engine="libvips"), Limits(1, 1, 1))
import sys, pyvips
try:
    pyvips.Image.new_from_buffer(sys.stdin.buffer.read(), "")
except pyvips.Error:
    sys.exit(3)
"""


@pytest.mark.parametrize(
    ("image_format", "status"), [("JPEG", 0), ("PNG", 0), ("WEBP", 0), ("GIF", 3), ("TIFF", 3), ("AVIF", 3), ("PPM", 3)]
)
def test_libvips_loads_only_the_enabled_formats(image_format, status):
    out = BytesIO()
    photo().save(out, image_format)

    done = subprocess.run([sys.executable, "-c", LOADERS], input=out.getvalue(), cwd=PROCESSOR, check=False, timeout=60)

    assert done.returncode == status


LOADED = """
import json, sys
from pathlib import Path
from imgpipe_processor.imaging import Limits, Recipe, make_thumbnails, prepare

size_px, *paths = sys.argv[1:]
recipe, limits = Recipe((int(size_px),), engine="libvips"), Limits(4_000_000, 100, 512 * 2**20)
prepare(recipe, limits)
loaded = ["pyvips" in sys.modules]
for path in paths:
    make_thumbnails(Path(path).read_bytes(), recipe, limits)
    loaded.append("pyvips" in sys.modules)
print(json.dumps(loaded))
"""


def loaded_after(tmp_path, size_px, *names):
    """Return, for the cold start and for each image, True if libvips is loaded after it."""
    files = [tmp_path / name for name in names]
    for file in files:
        file.write_bytes(SOURCES[file.name])
    command = [sys.executable, "-c", LOADED, str(size_px), *map(str, files)]
    done = subprocess.run(command, capture_output=True, cwd=PROCESSOR, check=True, timeout=60)
    return json.loads(done.stdout)


@pytest.mark.parametrize(("size_px", "expected"), [(512, [False, False, True, True]), (513, [True, True, True, True])])
def test_libvips_is_loaded_only_if_it_is_used(size_px, expected, tmp_path):
    assert loaded_after(tmp_path, size_px, "jpeg", "png", "jpeg") == expected


@pytest.mark.parametrize("size_px", [512, 513])
def test_package_without_libvips_fails_at_cold_start(size_px, monkeypatch):
    libvips.prepare_libvips.cache_clear()
    monkeypatch.setitem(sys.modules, "pyvips", None)
    monkeypatch.setattr(libvips, "_load_libvips", libvips._load_libvips.__wrapped__)

    with pytest.raises(ImportError):
        prepare(Recipe((size_px,), engine=LIBVIPS), LIMITS)
