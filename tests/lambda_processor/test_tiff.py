"""TIFF files with odd parts, of which every byte of the first image is in the file."""

import struct
import zlib

import pytest
from PIL import Image

from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Limits, Recipe, make_thumbnails
from tests.lambda_processor import judge, scenes, tiffs
from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.hostile.crafted_tiffs import (
    BITS,
    BYTE,
    COMPRESSION,
    LONG,
    PHOTOMETRIC,
    PIXELS_AT,
    ROWS_PER_STRIP,
    SAMPLES,
    SHORT,
    STRIP_BYTES,
    STRIP_OFFSETS,
    TILE_BYTES,
    TILE_HEIGHT,
    TILE_OFFSETS,
    TILE_WIDTH,
    Entry,
    grey,
    tiled,
)

LIMITS = Limits(max_pixels=1_000_000, max_frames=100, memory_bytes=512 * 2**20)
IMAGE = scenes.greys()
SIZE, PIXELS = IMAGE.size, IMAGE.tobytes()
DEFLATE, ICC_PROFILE, MAKER_NOTE = 8, 34675, 50_000
SUBFILE_TYPE, T4_OPTIONS, PREDICTOR, INK_SET, JPEG_TABLES, REFERENCE_BLACK_WHITE = 254, 292, 317, 332, 347, 532
OF_OTHER_IMAGES = (SUBFILE_TYPE, T4_OPTIONS, PREDICTOR, tiffs.COLOUR_MAP, TILE_OFFSETS, TILE_WIDTH, INK_SET)
OF_OTHER_IMAGES += (JPEG_TABLES, tiffs.EXTRA_SAMPLES, tiffs.SUBSAMPLING, REFERENCE_BLACK_WHITE, tiffs.PLANES)
PAST_THE_END = {"count": 9, "place": 2**31}
UNKNOWN_TYPE, ASCII = 99, 2


def made(data):
    return make_thumbnails(data, Recipe((1_000,), output_format="png"), LIMITS)


def shown(data):
    """Return the grey values of the thumbnail."""
    return judge.seen(made(data).thumbnails[0].data).getchannel("R").tobytes()


def refusal(data):
    with pytest.raises(ImageRejectedError) as refused:
        made(data)
    return refused.value.category


def odd(*more, pixels=PIXELS, following=0):
    return grey(*SIZE, *more, pixels=pixels, following=following)


def next_directory_at(data):
    """Where the offset of the second directory is."""
    (first,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    return first + 2 + 12 * count


def with_swapped_entries():
    data = odd()
    (first,) = struct.unpack_from("<I", data, 4)
    start, end = first + 2, next_directory_at(data)
    entries = [data[at : at + 12] for at in range(start, end, 12)]
    return data[:start] + b"".join(reversed(entries)) + data[end:]


def pages(count):
    page = Image.new("L", (1, 1))
    return encoded(IMAGE, "TIFF", save_all=True, append_images=[page] * (count - 1))


@pytest.mark.parametrize(
    "data",
    [
        odd(following=2**32 - 1),
        odd(following=2**31),
        odd(following=PIXELS_AT),
        odd()[: next_directory_at(odd())],
        with_swapped_entries(),
        odd(Entry(MAKER_NOTE, UNKNOWN_TYPE, count=7, place=9)),
        odd(Entry(MAKER_NOTE, BYTE, count=2**32 - 1, place=2**32 - 1)),
        odd(Entry(ICC_PROFILE, BYTE, count=1_000_000, place=2**31)),
        odd(Entry(ICC_PROFILE, LONG, (1, 2, 3, 4))),
        odd(Entry(tiffs.ORIENTATION, SHORT, (99,))),
    ],
    ids=[
        "next-page-past-the-end",
        "next-page-far-past-the-end",
        "next-page-in-the-pixels",
        "no-offset-of-a-next-page",
        "tags-in-another-order",
        "a-tag-of-an-unknown-type",
        "a-private-tag-past-the-end",
        "a-profile-past-the-end",
        "a-profile-of-numbers",
        "an-orientation-that-is-none",
    ],
)
def test_parts_that_the_first_page_does_not_need_may_be_odd(data):
    assert shown(data) == PIXELS


@pytest.mark.parametrize(
    "more",
    [
        (Entry(STRIP_BYTES, LONG, (len(PIXELS) + 500,)),),
        (Entry(STRIP_BYTES, LONG, (0,)),),
        (Entry(STRIP_BYTES, LONG, (1,)),),
        (Entry(STRIP_BYTES, LONG, count=9_999, place=2**31),),
        (Entry(STRIP_BYTES, ASCII, count=1, place=0),),
        (Entry(ROWS_PER_STRIP, LONG, (2**32 - 1,)),),
        (Entry(ROWS_PER_STRIP, LONG, (0,)),),
        (Entry(ROWS_PER_STRIP, SHORT, (65_535,)),),
        (Entry(STRIP_OFFSETS, LONG, (PIXELS_AT, 2**32 - 1)),),
    ],
    ids=[
        "too-many-bytes",
        "no-bytes",
        "one-byte",
        "counts-past-the-end",
        "a-text",
        "rows-without-end",
        "no-rows",
        "more-rows-than-there-are",
        "a-second-strip-that-is-not-needed",
    ],
)
def test_strip_sizes_may_be_wrong_if_all_pixels_are_in_the_file(more):
    assert shown(odd(*more)) == PIXELS


@pytest.mark.parametrize(
    ("compression", "image"), [("tiff_adobe_deflate", IMAGE), ("tiff_lzw", IMAGE), ("group4", scenes.drawing())]
)
def test_sizes_of_compressed_strips_may_be_too_large_or_missing(compression, image):
    data = encoded(image, "TIFF", compression=compression)
    (first,) = struct.unpack_from("<I", data, 4)
    at = data.index(struct.pack("<HH", STRIP_BYTES, LONG), first) + 8

    assert shown(data) == image.convert("L").tobytes()
    assert shown(data[:at] + struct.pack("<I", 2**31) + data[at + 4 :]) == shown(data)
    assert shown(data[:at] + bytes(4) + data[at + 4 :]) == shown(data)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group3", "group4"])
def test_strip_truncated_by_the_end_of_the_file_is_corrupt(compression):
    image = scenes.drawing() if compression.startswith("group") else IMAGE
    data = encoded(image, "TIFF", compression=compression, strip_size=2**20)
    (first,) = struct.unpack_from("<I", data, 4)
    at = data.index(struct.pack("<HHI", STRIP_OFFSETS, LONG, 1), first) + 8
    (offset,) = struct.unpack_from("<I", data, at)
    (size,) = struct.unpack_from("<I", data, data.index(struct.pack("<HHI", STRIP_BYTES, LONG, 1), first) + 8)
    moved = data[:at] + struct.pack("<I", len(data)) + data[at + 4 :] + data[offset : offset + size]

    assert made(moved)
    assert refusal(moved[: -size // 2]) == "corrupt"


@pytest.mark.parametrize("more", [1, len(PIXELS)])
def test_pixels_past_the_end_of_the_file_are_corrupt(more):
    assert refusal(odd(Entry(STRIP_OFFSETS, LONG, (PIXELS_AT + more + 200,)))) == "corrupt"


@pytest.mark.parametrize(
    "tags",
    [
        [Entry(STRIP_OFFSETS, LONG, **PAST_THE_END)],
        [Entry(BITS, SHORT, **PAST_THE_END)],
        [Entry(tiffs.COLOUR_MAP, SHORT, **PAST_THE_END), Entry(PHOTOMETRIC, SHORT, (tiffs.PALETTE,))],
        [Entry(PREDICTOR, SHORT, **PAST_THE_END), Entry(COMPRESSION, SHORT, (DEFLATE,))],
    ],
    ids=["strips", "bits", "colours-of-a-palette", "predictor-of-deflate"],
)
def test_needed_tag_past_the_end_of_the_file_is_corrupt(tags):
    assert refusal(odd(*tags)) == "corrupt"


@pytest.mark.parametrize("tag", [*OF_OTHER_IMAGES, tiffs.ORIENTATION])
def test_unneeded_tag_may_be_past_the_end_of_the_file(tag):
    assert shown(odd(Entry(tag, SHORT, **PAST_THE_END))) == PIXELS


@pytest.mark.parametrize("inks", [0, 2, 34])
def test_ink_set_of_an_image_without_inks_is_ignored(inks):
    assert shown(odd(Entry(INK_SET, SHORT, (inks,)))) == PIXELS


def test_first_page_with_the_reduced_flag_is_an_image():
    assert shown(odd(Entry(SUBFILE_TYPE, LONG, (1,)))) == PIXELS


def test_tiles_may_be_stored_in_the_tags_of_strips():
    data = tiled(*SIZE, 32, bytes(range(256)) * 4)
    renamed = data
    for old, new in ((TILE_OFFSETS, STRIP_OFFSETS), (TILE_BYTES, STRIP_BYTES)):
        at = renamed.index(struct.pack("<HH", old, LONG))
        renamed = renamed[:at] + struct.pack("<HH", new, LONG) + renamed[at + 4 :]

    assert TILE_WIDTH < TILE_HEIGHT
    assert shown(renamed) == shown(data)
    assert shown(data)[: SIZE[0]] == bytes(range(32)) * 3


def test_grey_without_a_photometric_tag_is_black_at_zero():
    data = odd()
    at = data.index(struct.pack("<HH", PHOTOMETRIC, SHORT))

    assert shown(data[:at] + struct.pack("<HH", MAKER_NOTE, SHORT) + data[at + 4 :]) == PIXELS


@pytest.mark.parametrize(("count", "frames"), [(1, 1), (3, 3)])
def test_pages_are_counted(count, frames):
    assert made(pages(count)).frames == frames


def test_pages_in_a_circle_are_counted_once():
    data = pages(2)
    first, second = next_directory_at(data), struct.unpack_from("<I", data, next_directory_at(data))[0]
    again = second + 2 + 12 * struct.unpack_from("<H", data, second)[0]

    made_of_circle = made(data[:again] + data[4:8] + data[again + 4 :])

    assert first < again
    assert made_of_circle.frames == 2


def test_nan_does_not_count_for_the_white_value():
    values = [float("nan"), 0.0, 128.0, 255.0, float("inf"), -1.0]
    data = tiffs.tiff(
        (6, 1),
        [tiffs.samples("<", "f", values)],
        {tiffs.SAMPLE_FORMAT: (tiffs.FLOAT,)},
        bits=[32],
        photometric=tiffs.BLACK_IS_ZERO,
    )

    assert list(shown(data)[1:4]) == [0, 128, 255]
    assert shown(data)[4] == 255


@pytest.mark.parametrize(
    ("bits", "photometric", "predictor"),
    [
        (12, tiffs.BLACK_IS_ZERO, 2),
        (4, tiffs.BLACK_IS_ZERO, 2),
        (1, tiffs.WHITE_IS_ZERO, 2),
        (4, tiffs.PALETTE, 2),
        (8, tiffs.BLACK_IS_ZERO, 3),
        (8, tiffs.BLACK_IS_ZERO, 7),
    ],
)
def test_predictor_that_libtiff_does_not_undo_is_unsupported(bits, photometric, predictor):
    more = (
        Entry(BITS, SHORT, (bits,)),
        Entry(PHOTOMETRIC, SHORT, (photometric,)),
        Entry(tiffs.COLOUR_MAP, SHORT, (1,) * 3 * 2**bits),
        Entry(PREDICTOR, SHORT, (predictor,)),
        Entry(COMPRESSION, SHORT, (DEFLATE,)),
    )

    assert refusal(odd(*more, pixels=zlib.compress(PIXELS))) == "unsupported"


@pytest.mark.parametrize(
    "more",
    [
        (Entry(PHOTOMETRIC, SHORT, (9,)),),
        (Entry(PHOTOMETRIC, SHORT, (tiffs.CMYK,)), Entry(SAMPLES, SHORT, (4,)), Entry(INK_SET, SHORT, (2,))),
        (Entry(BITS, SHORT, (8, 5, 8)), Entry(277, SHORT, (3,)), Entry(PHOTOMETRIC, SHORT, (2,))),
        (Entry(259, SHORT, (6,)),),
        (Entry(BITS, SHORT, (64,)),),
    ],
    ids=["icc-lab", "other-inks", "depths-that-differ", "old-jpeg", "64-bits"],
)
def test_unsupported_kinds_are_rejected(more):
    assert refusal(odd(*more)) == "unsupported"
