"""Small files that need much time or memory: each ends as an image or a rejection within the function's memory."""

import struct
import sys
import zlib

import pytest
from PIL import Image

from tests.lambda_processor import pngs
from tests.lambda_processor.fakes import encoded, photo
from tests.lambda_processor.hostile import (
    boxes,
    crafted_bmps,
    crafted_exif,
    crafted_gifs,
    crafted_jpegs,
    crafted_tiffs,
    crafted_webps,
)
from tests.lambda_processor.hostile.children import CLIENTS_BYTES, ended

MEMORY_MB = 512
MB = 2**20
LARGE_PX = 7_000  # 49 million pixels, the maximum

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def jpeg_with(*segments):
    return crafted_jpegs.baseline(64, 64, before=b"".join(segments))


def many_segments(marker, start, size):
    """Return segments of one kind, `size` bytes in all, each with its necessary start."""
    count = -(-size // 65_000)
    return [
        crafted_jpegs.segment(marker, start(number % 256, count % 256) + bytes(65_000))
        for number in range(1, count + 1)
    ]


def repeated_refinements(times):
    """Return a JPEG that repeats the same bit of every coefficient: the most work for a scan of few bytes."""
    size, samplings = (LARGE_PX, LARGE_PX), crafted_jpegs.YCC_444
    dc = crafted_jpegs.scan(
        crafted_jpegs.zeros(crafted_jpegs.blocks(*size, samplings, 1, 2, 3), 1), 1, 2, 3, band=(0, 0)
    )
    ends = crafted_jpegs.ends(crafted_jpegs.blocks(*size, samplings, 1))
    first = b"".join(crafted_jpegs.scan(ends, number, band=(1, 63), bits=(0, 1)) for number in (1, 2, 3))
    again = crafted_jpegs.scan(ends, 1, band=(1, 63), bits=(1, 0)) * times
    frame = crafted_jpegs.frame(*size, samplings, crafted_jpegs.PROGRESSIVE)
    return b"".join((crafted_jpegs.START, crafted_jpegs.tables(), frame, dc, first, again, crafted_jpegs.END))


def baseline_again(times):
    """Return the whole image, coded several times."""
    blocks = crafted_jpegs.blocks(LARGE_PX, LARGE_PX, crafted_jpegs.YCC_444, 1, 2, 3)
    frame = crafted_jpegs.frame(LARGE_PX, LARGE_PX, crafted_jpegs.YCC_444)
    scan = crafted_jpegs.scan(crafted_jpegs.zeros(blocks, 2), 1, 2, 3)
    return b"".join((crafted_jpegs.START, crafted_jpegs.tables(), frame, scan * times, crafted_jpegs.END))


def png_with(*chunks):
    return pngs.flat(64, 64, extra=b"".join(chunks))


def packed(size):
    return zlib.compress(bytes(size), 9)


def four_byte_text():
    """Return a text that needs four bytes a character because one of them is rare."""
    return b"k\0\1\0\0\0" + zlib.compress("\U0001f431".encode() + b"a" * 1_000_000, 9)


def avif_with_a_wrong_size(width, height):
    """Return an AVIF of 64 x 64 pixels according to its boxes; the coded data contain more."""
    data = encoded(Image.new("L", (width, height)), "AVIF", speed=10, subsampling="4:0:0")
    return data.replace(boxes.size(width, height), boxes.size(64, 64))


def many_numbers(size):
    """Return EXIF with one tag: an orientation of so many fractions."""
    return crafted_exif.exif((crafted_exif.ORIENTATION, crafted_exif.RATIONAL, (size - 100) // 8, 64), size=size)


def avif_of_many_numbers():
    """Return an AVIF with this EXIF, which is inserted later: Pillow reads the orientation that it writes."""
    place = crafted_exif.exif((crafted_exif.NOTES, crafted_exif.UNDEFINED, 18 * MB, 64), size=19 * MB)
    return encoded(photo(64, 64), "AVIF", exif=place).replace(place, many_numbers(19 * MB))


def tagged(tag, kind, count, size):
    """Return a TIFF with a tag of so many numbers, and so many bytes after it."""
    return crafted_tiffs.grey(64, 64, crafted_tiffs.Entry(tag, kind, count=count, place=64)).ljust(size, b"\x01")


def avif_of_empty_extents():
    """Return an AVIF of 3,000 items, each with 65,535 extents of no bytes."""
    places = struct.pack(">HHH", 1, 0, 65_535) * 3_000
    located = boxes.box(b"iloc", bytes(4), b"\0\0", struct.pack(">H", 3_000), places)
    properties = boxes.box(b"iprp", boxes.box(b"ipco", boxes.size(64, 64)))
    return boxes.file_type() + boxes.box(b"meta", bytes(4), properties, located)


def avif_of_one_extent():
    """Return an AVIF of 10,000 items, each of which is the whole file."""
    places = b"".join(struct.pack(">HHHII", number, 0, 1, 0, 19 * MB) for number in range(10_000))
    located = boxes.box(b"iloc", bytes(4), b"\x44\0", struct.pack(">H", 10_000), places)
    properties = boxes.box(b"iprp", boxes.box(b"ipco", boxes.size(64, 64)))
    return boxes.file_type() + boxes.box(b"meta", bytes(4), properties, located) + boxes.box(b"free", bytes(19 * MB))


def avif_of_units():
    """Return an AVIF whose image comes after millions of empty units; the last box extends to the end."""
    data = encoded(photo(64, 64), "AVIF")
    start = data.index(b"mdat") + 4
    head, coded, units = data[: start - 8] + bytes(4) + b"mdat", data[start:], b"\x12\0" * 9_000_000
    before, after = (struct.pack(">II", start, size) for size in (len(coded), len(units) + len(coded)))
    assert before in head
    return head.replace(before, after) + units + coded


def nested(kind, depth):
    box = boxes.size(64, 64)
    for _ in range(depth):
        box = boxes.box(kind, bytes(4) if kind == b"meta" else b"", box)
    return boxes.file_type() + box


def strips_of_whole(count):
    whole = (crafted_tiffs.PIXELS_AT,) * count
    return crafted_tiffs.grey(
        64,
        64,
        crafted_tiffs.Entry(crafted_tiffs.STRIP_OFFSETS, crafted_tiffs.LONG, whole),
        crafted_tiffs.Entry(crafted_tiffs.STRIP_BYTES, crafted_tiffs.LONG, (64 * 64,) * count),
        crafted_tiffs.Entry(crafted_tiffs.ROWS_PER_STRIP, crafted_tiffs.LONG, (1,)),
    )


def values_of_one_offset(tags):
    """Return a TIFF in which the value of every tag is the whole file."""
    entries = [
        crafted_tiffs.Entry(tag, crafted_tiffs.UNDEFINED, count=18 * MB, place=8) for tag in range(400, 400 + tags)
    ]
    return crafted_tiffs.grey(64, 64, *entries).ljust(19 * MB, b"\x01")


def bmp_of_runs(pattern, *, bits=8):
    compression = crafted_bmps.RLE8 if bits == 8 else crafted_bmps.RLE4
    pixels = pattern * (8 * MB // len(pattern) - 8)
    return crafted_bmps.bmp(LARGE_PX, LARGE_PX, pixels, depth=bits, compression=compression)


TOO_LARGE, CORRUPT, UNSUPPORTED = "too-large", "corrupt", "unsupported"

# The result of each: a category, or None for an image.
BOMBS = {
    "jpeg-1000-empty-scans": (lambda: crafted_jpegs.progressive(LARGE_PX, LARGE_PX, further=1_000), TOO_LARGE),
    "jpeg-60-empty-scans": (lambda: crafted_jpegs.progressive(LARGE_PX, LARGE_PX, further=60), None),
    "jpeg-60-refinements": (lambda: repeated_refinements(60), None),
    "jpeg-the-same-scan-60-times": (lambda: baseline_again(60), CORRUPT),
    "jpeg-100000-comments": (lambda: jpeg_with(crafted_jpegs.segment(0xFE, b"") * 100_000), CORRUPT),
    "jpeg-comments-of-19-mb": (lambda: jpeg_with(*many_segments(0xFE, lambda *_: b"", 19 * MB)), None),
    "jpeg-fill-bytes-of-19-mb": (lambda: jpeg_with(b"\xff" * 19 * MB), CORRUPT),
    "jpeg-empty-markers-of-19-mb": (lambda: jpeg_with(b"\xff\0" * (19 * MB // 2)), CORRUPT),
    "jpeg-profile-of-15-mb": (
        lambda: jpeg_with(*many_segments(0xE2, lambda *of: b"ICC_PROFILE\0" + bytes(of), 15 * MB)),
        TOO_LARGE,
    ),
    "jpeg-exif-of-15-mb": (lambda: jpeg_with(*many_segments(0xE1, lambda *_: b"Exif\0\0", 15 * MB)), TOO_LARGE),
    "jpeg-exif-loop": (lambda: jpeg_with(crafted_jpegs.segment(0xE1, b"Exif\0\0" + crafted_exif.loop())), None),
    "jpeg-quantization-tables-of-18-mb": (
        lambda: jpeg_with(*[crafted_jpegs.segment(0xDB, (b"\0" + b"\1" * 64) * 1_000)] * 290),
        None,
    ),
    "jpeg-restarts-of-19-mb": (
        lambda: crafted_jpegs.baseline(64, 64)[:-2] + b"\xff\xd0" * (19 * MB // 2) + crafted_jpegs.END,
        None,
    ),
    "png-text-of-200-mb": (lambda: png_with(pngs.chunk(b"zTXt", b"k\0\0" + packed(200 * MB))), TOO_LARGE),
    "png-international-text-of-200-mb": (
        lambda: png_with(pngs.chunk(b"iTXt", b"k\0\1\0\0\0" + packed(200 * MB))),
        TOO_LARGE,
    ),
    "png-profile-of-200-mb": (lambda: png_with(pngs.chunk(b"iCCP", b"k\0\0" + packed(200 * MB))), TOO_LARGE),
    "png-texts-of-4-bytes-a-character": (lambda: png_with(pngs.chunk(b"iTXt", four_byte_text()) * 60), TOO_LARGE),
    "png-15000-texts-of-1-mb": (lambda: png_with(pngs.chunk(b"zTXt", b"k\0\0" + packed(MB)) * 15_000), TOO_LARGE),
    "png-15000-profiles-of-1-mb": (lambda: png_with(pngs.chunk(b"iCCP", b"k\0\0" + packed(MB)) * 15_000), TOO_LARGE),
    "png-text-of-19-mb": (lambda: png_with(pngs.chunk(b"tEXt", b"k\0" + b"a" * 19 * MB)), None),
    "png-1000000-tiny-chunks": (lambda: png_with(pngs.chunk(b"teSt", b"") * 1_000_000), CORRUPT),
    "png-49000-tiny-chunks": (lambda: png_with(pngs.chunk(b"tEXt", b"k\0v") * 49_000), None),
    "png-exif-of-millions-of-numbers": (lambda: png_with(pngs.chunk(b"eXIf", many_numbers(19 * MB))), None),
    "png-exif-of-headers": (lambda: png_with(pngs.chunk(b"eXIf", b"Exif\0\0" * (3 * MB))), None),
    "png-2-billion-frames": (lambda: png_with(pngs.chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))), None),
    "gif-49-million-pixels": (
        lambda: crafted_gifs.gif(LARGE_PX, LARGE_PX, crafted_gifs.image(LARGE_PX, LARGE_PX)),
        None,
    ),
    "gif-frame-beyond-the-screen": (lambda: crafted_gifs.gif(1, 1, crafted_gifs.image(LARGE_PX, LARGE_PX)), TOO_LARGE),
    "gif-comment-in-parts-of-one": (
        lambda: crafted_gifs.gif(64, 64, b"!\xfe" + crafted_gifs.parts_of_one(9 * MB), crafted_gifs.image(64, 64)),
        CORRUPT,
    ),
    "gif-6000000-empty-extensions": (
        lambda: crafted_gifs.gif(64, 64, b"!\xfe\0" * 6_000_000, crafted_gifs.image(64, 64)),
        CORRUPT,
    ),
    "gif-image-in-parts-of-one": (
        lambda: crafted_gifs.gif(64, 64, crafted_gifs.image(64, 64, crafted_gifs.parts_of_one(9 * MB))),
        None,
    ),
    "webp-a-code-for-every-block": (crafted_webps.of_many_codes, TOO_LARGE),
    "webp-2000000-empty-chunks": (lambda: crafted_webps.riff(*[(b"NONE", b"")] * 2_000_000), CORRUPT),
    "webp-profile-of-19-mb": (lambda: encoded(photo(64, 64), "WEBP", icc_profile=bytes(19 * MB)), TOO_LARGE),
    "webp-exif-of-millions-of-numbers": (
        lambda: encoded(photo(64, 64), "WEBP", exif=b"Exif\0\0" + many_numbers(19 * MB)),
        None,
    ),
    "avif-exif-of-millions-of-numbers": (avif_of_many_numbers, TOO_LARGE),
    "webp-16383-wide": (lambda: encoded(Image.new("RGB", (16_383, 1_300)), "WEBP", lossless=True), None),
    "avif-data-larger-than-declared": (lambda: avif_with_a_wrong_size(9_000, 9_000), TOO_LARGE),
    "avif-nested-meta": (lambda: nested(b"meta", 3_000), CORRUPT),
    "avif-nested-properties": (lambda: nested(b"iprp", 3_000), CORRUPT),
    "avif-1000000-boxes": (lambda: boxes.file_type() + boxes.box(b"free") * 1_000_000, CORRUPT),
    "avif-boxes-without-length": (lambda: boxes.file_type() + bytes(8) * 1_000, CORRUPT),
    "avif-items-of-no-bytes": (avif_of_empty_extents, CORRUPT),
    "avif-10000-items-of-the-whole-file": (avif_of_one_extent, CORRUPT),
    "avif-9-million-units": (avif_of_units, CORRUPT),
    "tiff-directory-loop": (lambda: crafted_tiffs.grey(64, 64, following=8 + 64 * 64), None),
    "tiff-tile-of-10-to-the-12": (lambda: crafted_tiffs.tiled(64, 64, 10**6, bytes(99)), CORRUPT),
    "tiff-1000000-strips": (
        lambda: crafted_tiffs.grey(
            64, 64, crafted_tiffs.Entry(crafted_tiffs.STRIP_OFFSETS, crafted_tiffs.LONG, count=10**6, place=8)
        ),
        CORRUPT,
    ),
    "tiff-199999-strips-of-the-whole": (lambda: strips_of_whole(199_999), None),
    "tiff-60000-tags-of-2-gb": (
        lambda: crafted_tiffs.grey(
            64, 64, *(crafted_tiffs.Entry(tag, crafted_tiffs.UNDEFINED, count=2**31, place=8) for tag in range(60_000))
        ),
        CORRUPT,
    ),
    "tiff-4000-tags-of-the-whole-file": (lambda: values_of_one_offset(4_000), None),
    "tiff-samples-of-9-million-numbers": (
        lambda: tagged(crafted_tiffs.SAMPLE_FORMAT, crafted_tiffs.SHORT, 9_000_000, 19 * MB),
        CORRUPT,
    ),
    "tiff-notes-of-18-mb": (lambda: tagged(37_510, crafted_tiffs.UNDEFINED, 18 * MB, 19 * MB), None),
    "tiff-strip-packed-by-a-thousand": (
        lambda: crafted_tiffs.grey(
            5_000,
            5_000,
            crafted_tiffs.Entry(crafted_tiffs.COMPRESSION, crafted_tiffs.SHORT, (8,)),
            pixels=packed(25_000_000),
        ),
        None,
    ),
    "bmp-endless-steps": (lambda: bmp_of_runs(crafted_bmps.STEP + b"\0\0"), CORRUPT),
    "bmp-empty-rows": (lambda: bmp_of_runs(crafted_bmps.END_OF_ROW), None),
    "bmp-a-pixel-a-row": (lambda: bmp_of_runs(b"\1\1" + crafted_bmps.END_OF_ROW), None),
    "bmp-more-than-a-row": (lambda: bmp_of_runs(b"\xff\1"), CORRUPT),
    "bmp-halves-of-bytes": (lambda: bmp_of_runs(b"\xff\x12" * 28 + crafted_bmps.END_OF_ROW, bits=4), None),
    "bmp-runs-of-9-mb": (lambda: bmp_of_runs(b"\1\1") + bytes(MB), TOO_LARGE),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_ends_within_the_memory_limit(name, tmp_path):
    make, category = BOMBS[name]

    end = ended(tmp_path, {name: make()}, {"sizes_px": [512, 128]}, memory_mb=MEMORY_MB)[name]

    assert (category, end.refusal is None) == (end.category, category is None), end.refusal
    assert end.peak_bytes < MEMORY_MB * MB - CLIENTS_BYTES
