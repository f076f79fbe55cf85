"""JPEG files with odd segments: both engines decode the same image as without them."""

import struct

import pytest

from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Limits, Recipe, make_thumbnails
from imgpipe_processor.imaging.recipe import ENGINES
from tests.lambda_processor import judge, profiles
from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.hostile import crafted_jpegs
from tests.lambda_processor.kinds import COLOURS
from tests.lambda_processor.writers import exif

LIMITS = Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20)
IMAGE = COLOURS.resize((960, 640))  # large enough for libvips to decode it
WHOLE = encoded(IMAGE, quality=95)
PROGRESSIVE = encoded(IMAGE, quality=95, progressive=True)
IN_RED_GREEN_BLUE = encoded(IMAGE, quality=95, keep_rgb=True)  # no segment declares it


def made(data, engine="pillow", *, output_format="png"):
    result = make_thumbnails(data, Recipe((600,), output_format=output_format, engine=engine, jpeg_quality=95), LIMITS)
    return result, judge.seen(result.thumbnails[0].data)


def category(data, engine="pillow"):
    with pytest.raises(ImageRejectedError) as refused:
        made(data, engine)
    return refused.value.category


def with_segments(*segments, file=WHOLE):
    """Return the file with segments after its beginning."""
    return file[:2] + b"".join(segments) + file[2:]


def before_scan(segment, file=WHOLE):
    offset = file.index(b"\xff\xda")
    return file[:offset] + segment + file[offset:]


def app(number, data):
    return crafted_jpegs.segment(0xE0 + number, data)


PROFILE, RESOURCES = b"ICC_PROFILE\0", b"Photoshop 3.0\0"
# A directory with a unit of resolution and a resolution that is one byte of an undefined type.
RESOLUTION = struct.pack("<2sHIHHHIIHHIII", b"II", 42, 8, 2, 0x011A, 7, 1, 72, 0x0128, 3, 1, 2, 0)
ODD = {
    "JFIF of five bytes": with_segments(app(0, b"JFIF\0")),
    "JFIF of four bytes": with_segments(app(0, b"JFIF")),
    "JFIF of another name": with_segments(app(0, b"JFIFX" + bytes(20))),
    "profile of no bytes": with_segments(app(2, PROFILE)),
    "profile of one byte": with_segments(app(2, PROFILE + b"\1")),
    "profile without content": with_segments(app(2, PROFILE + b"\1\1")),
    "profile that is none": with_segments(app(2, PROFILE + b"\1\1?")),
    "second part of a profile": with_segments(app(2, PROFILE + b"\2\2?")),
    "Adobe of five bytes": with_segments(app(14, b"Adobe")),
    "Adobe without a transform": with_segments(app(14, b"Adobe\0d\0\0\0\0")),
    "EXIF of no bytes": with_segments(app(1, b"Exif\0\0")),
    "EXIF whose resolution is no number": with_segments(app(1, b"Exif\0\0" + RESOLUTION)),
    "EXIF that is none": with_segments(app(1, b"Exif\0\0?" * 3)),
    "XMP of no bytes": with_segments(app(1, b"http://ns.adobe.com/xap/1.0/\0")),
    "resource without a name": with_segments(app(13, RESOURCES + b"8BIM\4\4")),
    "resource without a length": with_segments(app(13, RESOURCES + b"8BIM\4\4\0\0")),
    "resource of too few bytes": with_segments(app(13, RESOURCES + b"8BIM\3\xed\0\0\0\0\0\1a")),
    "index of images without any": with_segments(app(2, b"MPF\0")),
    "index of images that is none": with_segments(app(2, b"MPF\0II*\0\x08\0\0\0" + b"\xff" * 99)),
    "FlashPix of no bytes": with_segments(app(2, b"FPXR\0")),
    **{f"APP{number} of no bytes": with_segments(app(number, b"")) for number in range(16)},
    **{f"APP{number} of no length": with_segments(bytes((0xFF, 0xE0 + number, 0, 0))) for number in range(16)},
    "comment of no length": with_segments(b"\xff\xfe\0\1"),
    "unknown segment": with_segments(crafted_jpegs.segment(0xF3, b"?")),
    "reserved segment": with_segments(crafted_jpegs.segment(0x02, b"?")),
    "standalone marker": with_segments(b"\xff\x01"),
    "restart marker": with_segments(b"\xff\xd3"),
    "fill bytes": with_segments(b"\xff" * 9),
    "bytes between segments": before_scan(b"junk"),
    "zeros between segments": before_scan(bytes(500)),
    "no end": WHOLE[:-2],
    "half of its end": WHOLE[:-1],
    "comment instead of its end": WHOLE[:-2] + crafted_jpegs.segment(0xFE, b"?"),
    "bytes after its end": WHOLE + b"\xff\xfe\xff\xff junk",
}


@pytest.mark.parametrize("output_format", ["png", "jpeg"])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ODD)
def test_jpeg_with_odd_segments_shows_its_image(name, engine, output_format):
    expected = made(WHOLE, engine, output_format=output_format)[1]

    result, shown = made(ODD[name], engine, output_format=output_format)

    assert (result.width, result.height) == (960, 640)
    assert judge.difference(expected, shown) == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_both_engines_decode_jpeg_with_bytes_between_a_hundred_segments(engine):
    """Decoders warn about each; libvips rejects more warnings than that."""
    result, shown = made(with_segments(*[crafted_jpegs.segment(0xFE, b"?") + b"junk"] * 120), engine)

    assert (result.width, result.height) == (960, 640)
    assert judge.difference(made(WHOLE)[1], shown) < 1


@pytest.mark.parametrize("output_format", ["png", "jpeg"])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("segment", [app(0, b"JFIF\0\1\2\0"), app(0, b"JFIFX" + bytes(20)), app(14, b"Adobe\0d\0")])
def test_invalid_jfif_segment_does_not_change_colours(segment, engine, output_format):
    shown = made(with_segments(segment, file=IN_RED_GREEN_BLUE), engine, output_format=output_format)[1]

    assert judge.difference(judge.reduced(COLOURS, 600, 400), shown) < 6


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("odd", [app(2, PROFILE + b"\1"), app(0, b"JFIF\0"), b"\xff\x01"])
def test_odd_segment_does_not_disable_orientation_and_profile(odd, engine):
    data = encoded(IMAGE, quality=95, exif=exif(6), icc_profile=profiles.wide_rgb())
    expected, shown = (made(file, engine) for file in (data, with_segments(odd, file=data)))

    assert (shown[0].width, shown[0].height) == (640, 960)
    assert judge.difference(expected[1], shown[1]) == 0
    assert judge.difference(made(encoded(IMAGE, quality=95, exif=exif(6)), engine)[1], shown[1]) > 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("order", ["in-order", "out-of-order", "after-the-frame"])
def test_profile_parts_are_joined_in_any_order_and_position(order, engine):
    profile = profiles.wide_rgb()
    parts = [app(2, PROFILE + b"\1\2" + profile[:200]), app(2, PROFILE + b"\2\2" + profile[200:])]
    placed = before_scan if order == "after-the-frame" else with_segments
    data = placed(b"".join(reversed(parts) if order == "out-of-order" else parts))

    expected = made(encoded(IMAGE, quality=95, icc_profile=profile), engine)[1]

    assert judge.difference(expected, made(data, engine)[1]) == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_profile_with_a_missing_part_counts_as_srgb(engine):
    data = with_segments(app(2, PROFILE + b"\1\2" + profiles.wide_rgb()[:200]))

    assert judge.difference(made(WHOLE, engine)[1], made(data, engine)[1]) == 0


def passes(data):
    """Return where the scans of a progressive JPEG begin."""
    return [offset for offset in range(len(data)) if data.startswith(b"\xff\xda", offset)]


DAMAGED = {
    "cut off in its last rows": WHOLE[:-40],
    "cut off in the middle": WHOLE[: len(WHOLE) // 2],
    "cut off in the middle, before another image": WHOLE[: len(WHOLE) // 2].rstrip(b"\xff") + WHOLE,
    "cut off before its pixels": WHOLE[: WHOLE.index(b"\xff\xda")],
    "never written to its end": WHOLE[: len(WHOLE) // 2] + bytes(len(WHOLE) // 2),
    "without its last pass": PROGRESSIVE[: passes(PROGRESSIVE)[-1]],
    "cut off in its last pass": PROGRESSIVE[: (passes(PROGRESSIVE)[-1] + len(PROGRESSIVE)) // 2],
    "cut off in the head of its last pass": PROGRESSIVE[: passes(PROGRESSIVE)[-1] + 5],
    "cut off in its first pass": PROGRESSIVE[: passes(PROGRESSIVE)[0] + 100],
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", DAMAGED)
def test_jpeg_with_missing_pixels_is_corrupt(name, engine):
    assert category(DAMAGED[name], engine) == "corrupt"


@pytest.mark.parametrize("engine", ENGINES)
def test_progressive_jpeg_with_all_passes_needs_no_end_marker(engine):
    expected = made(PROGRESSIVE, engine)[1]

    assert judge.difference(expected, made(PROGRESSIVE[:-2], engine)[1]) == 0


def test_jpeg_without_end_marker_and_last_bits_is_corrupt():
    """The last byte contains bits of the last block, where zeros would mean other values."""
    lost = [cut for cut in range(3, 12) if category_or_none(WHOLE[:-cut]) is None]

    assert not lost


def category_or_none(data):
    try:
        make_thumbnails(data, Recipe((960,), output_format="png"), LIMITS)
    except ImageRejectedError as refusal:
        return refusal.category
    return None


def test_jpeg_ls_is_unsupported():
    frame = crafted_jpegs.segment(0xF7, struct.pack(">BHHB", 8, 9, 9, 1) + b"\1\x11\0")

    assert category(crafted_jpegs.START + frame + crafted_jpegs.scan(b"\0", 1) + crafted_jpegs.END) == "unsupported"
