"""Orientations in odd positions and with odd values of each format; test_cells.py tests every kind of file."""

import struct
import zlib

import pytest
from PIL import ExifTags, Image

from imgpipe_processor.imaging import Limits, Recipe, make_thumbnails
from tests.lambda_processor import judge, pngs, scenes
from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.kinds import COLOURS
from tests.lambda_processor.writers import exif, libvips, pillow

LIMITS = Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20)
BYTE, ASCII, SHORT, LONG, SIGNED = 1, 2, 3, 4, 9
HEADER = b"Exif\0\0"
ON_ITS_SIDE = scenes.stored(COLOURS, 6)


def is_turned(data):
    """Return True if the image is rotated for orientation 6; assert that it is as stored otherwise."""
    result = make_thumbnails(data, Recipe((48,), "png"), LIMITS)
    (made,) = result.thumbnails
    upright = result.width == scenes.WIDTH
    look = COLOURS if upright else ON_ITS_SIDE
    assert (result.width, result.height) == look.size
    assert judge.difference(judge.reduced(look, made.width, made.height), judge.seen(made.data)) < 5
    return upright


def block(kind=SHORT, value=6, order="<", count=1, tag=ExifTags.Base.Orientation):
    """Return EXIF with one tag, without its header."""
    code = {BYTE: "Bxxx", ASCII: "4s", SHORT: "Hxx", LONG: "I", SIGNED: "i"}[kind]
    head = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8)
    return head + struct.pack(order + "HHHI" + code + "I", 1, tag, kind, count, value, 0)


def segment(body, marker=0xE1):
    return struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body


def jpeg(*segments):
    """Return a JPEG with these segments after its beginning."""
    data = encoded(ON_ITS_SIDE, quality=95, subsampling=0)
    return data[:2] + b"".join(segments) + data[2:]


def png(*chunks, after_pixels=False):
    """Return a PNG with these chunks before or after its pixels."""
    data = encoded(ON_ITS_SIDE, "PNG")
    at = data.index(b"IEND") - 4 if after_pixels else data.index(b"IDAT") - 4
    return data[:at] + b"".join(chunks) + data[at:]


def xmp(orientation):
    return f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{orientation}"/>'.encode()


XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"


@pytest.mark.parametrize("suffix", [".jpg[Q=95,subsample-mode=off]", ".png", ".webp[lossless]", ".avif[Q=95]", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pains_2_orientation_equals_that_of_another_program(suffix, orientation):
    data = libvips(suffix)(scenes.stored(COLOURS, orientation), orientation)
    result = make_thumbnails(data, Recipe((96,), "png"), LIMITS)

    seen = judge.seen(result.thumbnails[0].data)

    assert judge.difference(judge.rgba(judge.read(data).autorot()), seen) < 3
    assert judge.difference(judge.reduced(COLOURS, 96, 64), seen) < 5


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("value", [0, 1, 9, 255, 65535])
def test_invalid_orientation_is_ignored(image_format, value):
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = value

    assert not is_turned(encoded(ON_ITS_SIDE, image_format, exif=tags, quality=95))


@pytest.mark.parametrize(
    ("made", "turned"),
    [
        (block(), True),
        (block(order=">"), True),
        (block(LONG), True),
        (block(LONG, order=">"), True),
        (block(BYTE), True),
        (block(ASCII, b"6\0\0\0"), False),
        (block(SIGNED, 6), False),
        (block(count=0), False),
        (block(count=2), False),
        (block(tag=ExifTags.Base.Software), False),
        (HEADER + block(), True),
        (b"", False),
        (b"II*\0", False),
        (b"II*\0\xff\xff\xff\xff", False),
        (b"XX*\0" + block()[4:], False),
        (block()[:19], False),
        (b"\xff" * 60, False),
    ],
    ids=[
        "short",
        "short-big-endian",
        "long",
        "long-big-endian",
        "byte",
        "text",
        "signed",
        "no-values",
        "two-values",
        "other-tag",
        "two-headers",
        "empty",
        "cut",
        "nowhere",
        "no-byte-order",
        "cut-in-the-tag",
        "noise",
    ],
)
def test_orientation_is_read_and_broken_exif_does_not_prevent_the_thumbnail(made, turned):
    assert is_turned(jpeg(segment(HEADER + made))) is turned
    assert is_turned(png(pngs.chunk(b"eXIf", made))) is turned


@pytest.mark.parametrize(
    ("data", "turned"),
    [
        (png(pngs.chunk(b"eXIf", block()), after_pixels=True), True),
        (jpeg(segment(b"JFIF\0\1\1\0\0\1\0\1\0\0", 0xE0), segment(HEADER + block())), True),
        (jpeg(segment(b"Maker\0", 0xE5), segment(b"comment", 0xFE), segment(HEADER + block())), True),
        (jpeg(segment(HEADER + block()), segment(XMP_HEADER + xmp(1))), True),
        (jpeg(segment(HEADER + block(value=1)), segment(XMP_HEADER + xmp(6))), False),
        (jpeg(segment(XMP_HEADER + xmp(6))), True),
        (encoded(ON_ITS_SIDE, "WEBP", lossless=True, xmp=xmp(6)), True),
        (encoded(ON_ITS_SIDE, "WEBP", lossless=True, exif=block()), True),
    ],
    ids=[
        "png-after-the-pixels",
        "jpeg-after-jfif",
        "jpeg-after-others",
        "jpeg-exif-and-xmp",
        "jpeg-exif-upright-xmp-not",
        "jpeg-xmp-only",
        "webp-xmp-only",
        "webp-without-header",
    ],
)
def test_orientation_is_found_in_every_place_that_programs_use(data, turned):
    assert is_turned(data) is turned


def test_hexadecimal_exif_of_an_old_png_is_read():
    made = HEADER + block()
    lines = f"\nexif\n{len(made):8}\n{made.hex()}\n"
    text = b"Raw profile type exif\0\0" + zlib.compress(lines.encode())

    assert is_turned(png(pngs.chunk(b"zTXt", text)))


def test_avif_properties_and_not_exif_or_xmp_define_its_orientation():
    by_properties = pillow("AVIF", quality=95, subsampling="4:4:4")(ON_ITS_SIDE, 6)
    assert b"irot" in by_properties
    with_exif = encoded(ON_ITS_SIDE, "AVIF", quality=95, subsampling="4:4:4", exif=HEADER + block(tag=0x0110))
    at = with_exif.index(struct.pack("<HH", 0x0110, SHORT))
    only_exif = with_exif[:at] + struct.pack("<H", ExifTags.Base.Orientation) + with_exif[at + 2 :]

    assert is_turned(by_properties)
    assert not is_turned(only_exif)
    assert not is_turned(encoded(ON_ITS_SIDE, "AVIF", quality=95, subsampling="4:4:4", xmp=xmp(6)))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("output_format", ["jpeg", "png", "webp", "avif"])
def test_pains_2_thumbnail_has_no_orientation_tag(orientation, output_format):
    data = encoded(scenes.stored(COLOURS, orientation), quality=95, exif=exif(orientation))

    (made,) = make_thumbnails(data, Recipe((48,), output_format), LIMITS).thumbnails

    seen = judge.read(made.data)
    assert "orientation" not in seen.get_fields() or seen.get("orientation") == 1
    assert b"irot" not in made.data
