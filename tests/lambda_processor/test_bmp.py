"""BMP files with odd parts, of which every byte of the pixels is in the file."""

import struct

import pytest
from PIL import Image

from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Limits, Recipe, make_thumbnails
from tests.lambda_processor import bmps, judge, profiles
from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.hostile import crafted_bmps as runs

LIMITS = Limits(max_pixels=1_000_000, max_frames=100, memory_bytes=512 * 2**20)

RED, GREEN, BLUE, BLACK = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255), (0, 0, 0, 255)
PALETTE = [RED[:3], GREEN[:3], BLUE[:3]]
OFFSET_AT, FILE_SIZE_AT, HEADER_AT, COMPRESSION_AT, COLOURS_AT = 10, 2, 14, 30, 46


def shown(data):
    """Return the pixels, row by row."""
    thumbnail = make_thumbnails(data, Recipe((1_000,), output_format="png"), LIMITS).thumbnails[0]
    pixels = list(judge.seen(thumbnail.data).get_flattened_data())
    return [pixels[at : at + thumbnail.width] for at in range(0, len(pixels), thumbnail.width)]


def refusal(data):
    with pytest.raises(ImageRejectedError) as refused:
        shown(data)
    return refused.value.category


def of_runs(size, codes, *, bits=8, palette=PALETTE):
    """Return a BMP of run lengths from the lowest row up, with a palette."""
    data = runs.bmp(*size, codes, depth=bits, compression=bmps.RLE8 if bits == 8 else bmps.RLE4)
    table = b"".join(bytes((blue, green, red, 0)) for red, green, blue in palette)
    return data[:54] + table + data[54 + len(table) :]


def with_number(data, at, number, form="<I"):
    packed = struct.pack(form, number)
    return data[:at] + packed + data[at + len(packed) :]


def drawn():
    """Return 3 x 2 pixels of a palette: red, green, blue above blue, blue, red."""
    return bmps.bmp((3, 2), [b"\0\1\2", b"\2\2\0"], bits=8, palette=PALETTE)


DRAWN = [[RED, GREEN, BLUE], [BLUE, BLUE, RED]]


@pytest.mark.parametrize(
    ("bits", "codes"),
    [
        (8, b"\5\2" + runs.END_OF_ROW + b"\5\1" + runs.END),
        (4, b"\5\x22" + runs.END_OF_ROW + b"\5\x11" + runs.END),
        (8, b"\0\5\2\2\2\1\1\0" + runs.END_OF_ROW + b"\0\5\1\1\1\0\0\0" + runs.END),
        (4, b"\0\5\x22\x21\x10\0" + runs.END_OF_ROW + b"\0\5\x11\x10\0\0" + runs.END),
        (8, b"\3\2\xff\0" + runs.END_OF_ROW + b"\3\1\xff\0" + runs.END),
    ],
    ids=["rle8", "rle4", "rle8-as-they-are", "rle4-as-they-are", "rle8-a-second-run"],
)
def test_pixels_of_a_run_past_the_end_of_its_row_are_ignored(bits, codes):
    assert shown(of_runs((3, 2), codes, bits=bits)) == [[GREEN] * 3, [BLUE] * 3]


@pytest.mark.parametrize(
    ("bits", "codes"),
    [
        (8, b"\1\1" + b"\0\3\2\0\1\0" + runs.STEP + b"\1\0" + b"\2\2"),
        (4, b"\1\x10" + b"\0\3\x20\x10" + runs.STEP + b"\1\0" + b"\2\x22"),
    ],
    ids=["rle8", "rle4"],
)
def test_runs_literal_pixels_and_deltas_follow_each_other_in_a_row(bits, codes):
    assert shown(of_runs((7, 1), codes + runs.END, bits=bits)) == [[GREEN, BLUE, RED, GREEN, BLACK, BLUE, BLUE]]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (b"\2\1" + runs.END, [[BLACK, BLACK], [BLACK, BLACK], [GREEN, GREEN]]),
        (runs.END_OF_ROW * 2 + b"\2\1" + runs.END, [[GREEN, GREEN], [BLACK, BLACK], [BLACK, BLACK]]),
        (b"\1\1" + runs.STEP + b"\0\2" + b"\1\2" + runs.END, [[BLACK, BLUE], [BLACK, BLACK], [GREEN, BLACK]]),
        (runs.END, [[BLACK, BLACK]] * 3),
    ],
    ids=["ended-early", "empty-rows", "a-step", "nothing"],
)
def test_pixels_that_no_run_draws_are_black(codes, expected):
    assert shown(of_runs((2, 3), codes)) == expected


def test_runs_that_end_before_the_last_row_without_an_end_code_are_corrupt():
    whole = b"\2\1" + runs.END_OF_ROW + b"\2\2"

    assert shown(of_runs((2, 2), whole)) == [[BLUE, BLUE], [GREEN, GREEN]]
    assert refusal(of_runs((2, 2), whole[:-1])) == "corrupt"
    assert refusal(of_runs((2, 2), b"\2\1" + runs.END_OF_ROW)) == "corrupt"


def test_rows_far_apart_are_drawn_at_their_positions():
    codes = b"\2\1" + runs.STEP + b"\0\xff" + runs.END_OF_ROW + runs.STEP + b"\0\xff" + b"\2\2" + runs.END

    rows = shown(of_runs((2, 600), codes))

    assert (rows[-1], rows[-1 - 511]) == ([GREEN] * 2, [BLUE] * 2)
    assert sum(row != [BLACK] * 2 for row in rows) == 2


@pytest.mark.parametrize(
    "data",
    [
        with_number(drawn(), FILE_SIZE_AT, 0),
        with_number(drawn(), FILE_SIZE_AT, 2**32 - 1),
        with_number(drawn(), OFFSET_AT, 0),
        drawn() + b"something else",
        drawn()[:-1],
    ],
    ids=["no-size", "a-huge-size", "no-offset", "a-trailer", "no-padding-of-the-last-row"],
)
def test_numbers_that_no_pixel_depends_on_may_be_wrong(data):
    assert shown(data) == DRAWN


def with_profile(profile, *, kind=b"DEBM", length=None):
    """Return one orange pixel, after a header of Windows with a profile."""
    plain = bmps.bmp((1, 1), [bytes((50, 100, 200))], bits=24, header=bmps.V5)
    named = with_number(plain, HEADER_AT + 112, len(plain) - HEADER_AT)
    named = with_number(named, HEADER_AT + 116, len(profile) if length is None else length)
    return with_number(named, HEADER_AT + 56, *struct.unpack("<I", kind)) + profile


def test_bmp_profile_is_applied():
    profile = profiles.wide_rgb()

    assert shown(with_profile(profile)) == shown(
        encoded(Image.new("RGB", (1, 1), (200, 100, 50)), "PNG", icc_profile=profile)
    )
    assert shown(with_profile(profile)) != [[(200, 100, 50, 255)]]


@pytest.mark.parametrize(
    "data",
    [
        with_profile(b"no profile at all"),
        with_profile(b""),
        with_profile(b"C:\\a.icc\0", kind=b"KNIL"),
        with_profile(profiles.wide_rgb()[:99], length=2**32 - 1),
    ],
    ids=["broken", "empty", "linked", "beyond-the-file"],
)
def test_unusable_bmp_profile_does_not_change_the_pixels(data):
    assert shown(data) == [[(200, 100, 50, 255)]]


@pytest.mark.parametrize("size", [16, 64])
def test_os2_header_may_end_after_any_field(size):
    data = drawn()
    header = data[HEADER_AT:54][:size].ljust(size, b"\0")
    table = b"".join(bytes((blue, green, red, 0)) for red, green, blue in PALETTE)
    if size < 36:  # without a number of colours, the palette has one for every index
        table = table.ljust(4 * 256, b"\0")
    changed = with_number(data[:HEADER_AT] + header + table + data[-8:], HEADER_AT, size)

    assert shown(with_number(changed, OFFSET_AT, HEADER_AT + size + len(table))) == DRAWN


def test_index_without_a_colour_is_black():
    data = bmps.bmp((2, 1), [b"\1\xc8"], bits=8, palette=PALETTE)

    assert shown(data) == [[GREEN, (0, 0, 0, 255)]]


def test_colours_beyond_the_highest_index_are_ignored():
    data = bmps.bmp((3, 1), [b"\x18"], bits=2, palette=[*PALETTE, *[(9, 9, 9)] * 300])

    assert shown(data) == [[RED, GREEN, BLUE]]


@pytest.mark.parametrize(
    ("bits", "masks", "word", "expected"),
    [
        (16, (0xF00, 0xF0, 0xF), 0x0F80, (255, 136, 0, 255)),
        (16, (0x1F, 0x7E0, 0xF800), 0xF810, (132, 0, 255, 255)),
        (16, (0x7, 0x38, 0x40), 0x004B, (109, 36, 255, 255)),
        (32, (0xFF, 0xFF00, 0xFF0000), 0xAA0102FF, (255, 2, 1, 255)),
        (32, (0x3FF00000, 0xFFC00, 0x3FF), 0x3FF80200, (255, 128, 128, 255)),
        (32, (0xFE000000, 0x1FF0000, 0xFF), 0xFF000040, (255, 128, 64, 255)),
    ],
    ids=["444", "bgr-565", "331", "rgbx", "10-bits", "7-9-8"],
)
def test_channels_are_the_bits_of_their_masks(bits, masks, word, expected):
    data = bmps.bmp((1, 1), [word.to_bytes(bits // 8, "little")], bits=bits, masks=masks)
    if len(masks) == 3:  # they come after a header of 40 bytes
        data = with_number(data[:54] + struct.pack("<III", *masks) + data[-4:], OFFSET_AT, 66)

    assert shown(data) == [[expected]]


@pytest.mark.parametrize(
    ("bits", "compression"),
    [(24, 4), (24, 5), (1, 3), (4, bmps.RLE8), (64, 0)],
    ids=["jpeg-or-rle24", "png", "huffman", "runs-of-another-depth", "64-bits"],
)
def test_unsupported_kinds_are_rejected(bits, compression):
    data = bmps.bmp((8, 1), [bytes(64)], bits=24)

    assert refusal(with_number(with_number(data, COMPRESSION_AT, compression), 28, bits, "<H")) == "unsupported"
