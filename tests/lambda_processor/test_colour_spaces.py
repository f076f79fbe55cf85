"""Embedded and named colour spaces are converted to sRGB: expected values by arithmetic, thumbnails read by libvips."""

import struct
from io import BytesIO

import pytest
import pyvips
from PIL import ExifTags, Image, ImageCms

from imgpipe_processor.imaging import Limits, Recipe, icc, make_thumbnails
from tests.lambda_processor import avifs, judge, pngs, profiles, spaces
from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.kinds import COLOURS, GREYS, VEILED

LIMITS = Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20)
SPACES = {
    "adobe-rgb": spaces.ADOBE_RGB,
    "display-p3": spaces.DISPLAY_P3,
    "bt-2020": spaces.BT_2020,
    "prophoto": spaces.PROPHOTO,
}

# Of a channel, in steps of 255, on average: 8 bits of a wide space are coarser than those of sRGB. If a profile is
# ignored, the difference is more than three times as large.
CLOSE = 2

# H.273: primaries, and transfer curves.
BT_709, BT_2020, DISPLAY_P3 = 1, 9, 12
UNSPECIFIED, SRGB, TEN_BITS, PQ, HLG = 2, 13, 14, 16, 18


def off(data, image, size_px=96):
    """Return the difference of the thumbnail from the image."""
    (made,) = make_thumbnails(data, Recipe((size_px,), "png"), LIMITS).thumbnails
    return judge.difference(judge.reduced(image, made.width, made.height), judge.seen(made.data))


def by_libvips(image, suffix, profile, **options):
    made = image.copy()
    made.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return bytes(made.write_to_buffer(suffix, **options))


WRITERS = {
    "jpeg": lambda image, profile: encoded(
        image.convert("RGB"), "JPEG", quality=100, subsampling=0, icc_profile=profile
    ),
    "png": lambda image, profile: encoded(image, "PNG", icc_profile=profile),
    "png-palette": lambda image, profile: encoded(image.convert("RGB").quantize(64), "PNG", icc_profile=profile),
    "png-16": lambda image, profile: by_libvips(
        (judge.of_pillow(image) * 257).cast("ushort").copy(interpretation="rgb16"), ".png", profile
    ),
    "webp": lambda image, profile: encoded(image, "WEBP", lossless=True, icc_profile=profile),
    "avif": lambda image, profile: encoded(image, "AVIF", quality=100, subsampling="4:4:4", icc_profile=profile),
    "tiff": lambda image, profile: encoded(image, "TIFF", icc_profile=profile),
    "tiff-libvips": lambda image, profile: by_libvips(judge.of_pillow(image), ".tif", profile, compression="lzw"),
}


@pytest.mark.parametrize("image", [COLOURS, VEILED], ids=["opaque", "veiled"])
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("space", SPACES)
def test_embedded_profile_is_converted_to_srgb(space, writer, image):
    if writer in {"jpeg", "png-palette"}:
        image = image.convert("RGB")
    stored = spaces.converted(image, SPACES[space])

    assert off(WRITERS[writer](stored, profiles.of_space(SPACES[space])), image) < CLOSE


@pytest.mark.parametrize("space", SPACES)
def test_image_without_its_profile_has_wrong_colours(space):
    assert off(encoded(spaces.converted(COLOURS, SPACES[space]), "PNG"), COLOURS) > 3 * CLOSE


@pytest.mark.parametrize("space", SPACES)
def test_another_program_reads_the_test_profiles_the_same_way(space):
    stored = spaces.converted(COLOURS, SPACES[space])
    data = encoded(stored, "PNG", icc_profile=profiles.of_space(SPACES[space]))

    managed = judge.read(data).icc_transform("srgb", embedded=True)

    assert judge.difference(judge.reduced(COLOURS, 96, 64), judge.rgba(managed)) < CLOSE


@pytest.mark.parametrize("suffix", [".jpg[Q=100,subsample-mode=off]", ".tif"])
def test_inks_are_converted_by_their_profile(suffix):
    inks = judge.of_pillow(COLOURS).icc_export(output_profile="cmyk")
    data = bytes(inks.write_to_buffer(suffix))

    (made,) = make_thumbnails(data, Recipe((96,), "png"), LIMITS).thumbnails

    managed = judge.read(data).icc_transform("srgb", embedded=True, intent="perceptual")
    assert judge.difference(judge.rgba(managed), judge.seen(made.data)) < CLOSE


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF"])
def test_greys_are_converted_by_their_profile(image_format):
    light = GREYS.point(lambda value: round(255 * spaces.SRGB.linear(value / 255)))

    assert off(encoded(light, image_format, icc_profile=profiles.linear_grey()), GREYS) < 3


def with_numbers(image, primaries, transfer):
    """Return an AVIF that names its colours by these numbers."""
    data = encoded(image, "AVIF", quality=100, subsampling="4:4:4")
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


def with_cicp(image, primaries, transfer, **options):
    """Return a PNG that names its colours by these numbers."""
    data = encoded(image, "PNG", **options)
    end_of_header = 8 + 25
    named = pngs.chunk(b"cICP", bytes((primaries, transfer, 0, 1)))
    return data[:end_of_header] + named + data[end_of_header:]


# Colours inside of all spaces.
MUTED = Image.blend(COLOURS, Image.new("RGB", COLOURS.size, (128, 128, 128)), 0.5).quantize(64).convert("RGB")

NAMED = {"avif": with_numbers, "png": with_cicp}


@pytest.mark.parametrize("transfer", [UNSPECIFIED, SRGB, TEN_BITS])
@pytest.mark.parametrize(("primaries", "space"), [(DISPLAY_P3, "display-p3"), (BT_2020, "bt-2020")])
@pytest.mark.parametrize("image", [COLOURS, VEILED], ids=["opaque", "veiled"])
@pytest.mark.parametrize("writer", NAMED)
def test_named_wide_gamut_is_converted_to_srgb(writer, image, primaries, space, transfer):
    data = NAMED[writer](spaces.converted(image, SPACES[space]), primaries, transfer)

    assert off(data, image) < CLOSE


@pytest.mark.parametrize("numbers", [(BT_709, SRGB), (BT_2020, PQ), (BT_2020, HLG), (DISPLAY_P3, PQ), (200, SRGB)])
@pytest.mark.parametrize("writer", NAMED)
def test_colour_names_without_a_conversion_do_not_change_the_pixels(writer, numbers):
    assert off(NAMED[writer](COLOURS, *numbers), COLOURS) < CLOSE


# A dark colour, three muted ones and a saturated one, as stored.
STORED = ((24, 16, 12), (180, 110, 100), (100, 170, 110), (100, 110, 180), (200, 40, 60))

# The same in sRGB, calculated from the published chromaticities and curves (`spaces`), by the numbers in the file.
IN_SRGB = {
    (4, SRGB): ((27, 16, 11), (204, 107, 96), (32, 168, 107), (84, 117, 184), (237, 24, 50)),
    (5, SRGB): ((24, 16, 12), (182, 110, 100), (95, 170, 111), (100, 110, 179), (204, 40, 60)),
    (6, SRGB): ((24, 16, 12), (177, 112, 100), (105, 168, 110), (102, 111, 180), (195, 50, 59)),
    (7, SRGB): ((24, 16, 12), (177, 112, 100), (105, 168, 110), (102, 111, 180), (195, 50, 59)),
    (8, SRGB): ((26, 16, 11), (197, 105, 97), (52, 173, 105), (95, 109, 184), (227, 0, 53)),
    (9, SRGB): ((28, 15, 11), (212, 97, 97), (0, 177, 102), (83, 110, 186), (249, 0, 55)),
    (10, SRGB): ((37, 4, 12), (255, 0, 105), (0, 213, 90), (0, 122, 188), (255, 0, 82)),
    (11, SRGB): ((25, 16, 11), (188, 106, 97), (82, 172, 104), (98, 110, 185), (213, 0, 54)),
    (12, SRGB): ((26, 16, 11), (191, 106, 97), (72, 172, 104), (98, 110, 185), (218, 0, 54)),
    (22, SRGB): ((24, 16, 12), (181, 112, 100), (97, 167, 110), (100, 113, 180), (202, 51, 59)),
    (BT_709, 4): ((17, 7, 4), (181, 110, 100), (100, 171, 110), (100, 110, 181), (201, 35, 57)),
    (BT_709, 5): ((4, 1, 1), (165, 87, 76), (76, 154, 87), (76, 87, 165), (189, 17, 36)),
    (BT_709, 7): ((42, 34, 28), (188, 125, 115), (115, 179, 125), (115, 125, 188), (206, 58, 77)),
    (BT_709, 8): ((86, 71, 61), (219, 175, 168), (168, 213, 175), (168, 175, 219), (229, 110, 133)),
    (BT_709, 9): ((33, 31, 29), (139, 76, 70), (70, 128, 76), (70, 76, 139), (164, 39, 48)),
    (BT_709, 10): ((17, 14, 13), (119, 55, 49), (49, 107, 55), (49, 55, 119), (146, 22, 29)),
    (BT_709, 17): ((8, 3, 1), (177, 98, 87), (87, 166, 98), (87, 98, 177), (200, 23, 44)),
    **{
        (DISPLAY_P3, transfer): ((26, 16, 11), (191, 106, 97), (72, 172, 104), (98, 110, 185), (218, 0, 54))
        for transfer in (1, 2, 6, 11, 12, 14, 15)
    },
    **{
        (primaries, transfer): STORED
        for primaries in (BT_709, UNSPECIFIED)
        for transfer in (1, 2, 6, 11, 12, 13, 14, 15)
    },
    **{(reserved, SRGB): STORED for reserved in (0, 3, 13, 21, 23)},
    **{(DISPLAY_P3, reserved): STORED for reserved in (0, 3, 19)},
    **{(DISPLAY_P3, high_range): STORED for high_range in (PQ, HLG)},
}


# Black, and a colour in the linear part of sRGB's curve.
DARK = ((0, 0, 0), (10, 8, 6))
DARK_IN_SRGB = {
    (DISPLAY_P3, SRGB): ((0, 0, 0), (10, 8, 6)),
    (BT_2020, SRGB): ((0, 0, 0), (11, 8, 6)),
    (UNSPECIFIED, 4): ((0, 0, 0), (3, 2, 1)),
    (BT_709, 7): ((0, 0, 0), (25, 22, 18)),
    (BT_709, 9): ((0, 0, 0), (29, 28, 27)),
    (BT_709, 10): ((0, 0, 0), (13, 12, 12)),
}


def in_squares(colours):
    image = Image.new("RGB", (16 * len(colours), 16))
    for number, colour in enumerate(colours):
        image.paste(colour, (16 * number, 0, 16 * number + 16, 16))
    return image


def assert_squares(expected, data):
    (made,) = make_thumbnails(data, Recipe((16 * len(expected),), "png"), LIMITS).thumbnails
    shown = Image.open(BytesIO(made.data)).convert("RGB")
    values = [shown.getpixel((16 * number + 8, 8)) for number in range(len(expected))]
    assert values == [pytest.approx(colour, abs=1) for colour in expected]


@pytest.mark.parametrize("numbers", IN_SRGB, ids="{0[0]}-{0[1]}".format)
def test_every_named_space_of_a_png_has_exact_values_in_srgb(numbers):
    assert_squares(IN_SRGB[numbers], with_cicp(in_squares(STORED), *numbers))


@pytest.mark.parametrize("numbers", DARK_IN_SRGB, ids="{0[0]}-{0[1]}".format)
def test_dark_colours_of_a_png_have_exact_values_in_srgb(numbers):
    assert_squares(DARK_IN_SRGB[numbers], with_cicp(in_squares(DARK), *numbers))


def test_adobe_rgb_has_exact_values_in_srgb():
    expected = ((20, 7, 4), (202, 110, 100), (33, 172, 107), (96, 110, 184), (233, 35, 58))

    assert_squares(expected, encoded(in_squares(STORED), "PNG", icc_profile=icc.adobe_rgb()))


# 8 bits keep less of curves with few steps in the dark, and of wide spaces.
COARSE = {8: 4, 9: 4, 10: 4}


@pytest.mark.parametrize("primaries", [BT_709, BT_2020])
@pytest.mark.parametrize("transfer", spaces.CURVES)
def test_every_named_curve_of_an_avif_is_converted_to_srgb(transfer, primaries):
    space = spaces.BT_2020 if primaries == BT_2020 else spaces.SRGB
    stored = spaces.converted(COLOURS, spaces.Space(space.primaries, space.white, *spaces.CURVES[transfer]))

    assert off(with_numbers(stored, primaries, transfer), COLOURS) < COARSE.get(transfer, CLOSE)


@pytest.mark.parametrize("number", spaces.PRIMARIES)
def test_all_named_primaries_of_an_avif_are_converted_to_srgb(number):
    primaries, white = spaces.PRIMARIES[number]
    space = spaces.Space(primaries, white, spaces.SRGB.linear, spaces.SRGB.stored)

    stored = spaces.converted(MUTED, space)
    named = off(with_numbers(stored, number, SRGB), MUTED)

    assert named < CLOSE
    assert named < off(with_numbers(stored, BT_709, SRGB), MUTED)


def test_named_xyz_is_converted_to_srgb():
    """Chromium 156 shows these values."""
    data = with_cicp(Image.new("RGB", (96, 64), (128, 128, 128)), 10, SRGB)
    dark = with_cicp(Image.new("RGB", (96, 64), (30, 60, 20)), 10, SRGB)

    assert off(data, Image.new("RGB", (96, 64), (128, 128, 128))) < CLOSE
    assert off(dark, Image.new("RGB", (96, 64), (0, 78, 0))) < CLOSE


@pytest.mark.parametrize("numbers", [(1, 6), (1, 11), (1, 12), (1, 14), (1, 15), (2, 2), (3, 8), (9, 3), (9, 19)])
def test_television_curves_and_reserved_numbers_do_not_change_the_pixels_of_an_avif(numbers):
    assert off(with_numbers(COLOURS, *numbers), COLOURS) < CLOSE


def in_coded_data(image, primaries, transfer, **options):
    """Return an AVIF without a colour box: only its AV1 sequence header names the colours."""
    data = encoded(image, "AVIF", quality=100, **{"subsampling": "4:4:4", **options})
    at = data.index(b"mdat") + 4
    bits = f"{int.from_bytes(data[at : at + 32]):0256b}"
    usual = f"{UNSPECIFIED:08b}" * 2 if "icc_profile" in options else f"{BT_709:08b}{SRGB:08b}"
    assert bits.count(usual) == 1
    header = int(bits.replace(usual, f"{primaries:08b}{transfer:08b}"), 2).to_bytes(32)
    return data[:at].replace(b"colrnclx", b"skipnclx") + header + data[at + 32 :]


@pytest.mark.parametrize(
    ("primaries", "transfer", "space"),
    [
        (DISPLAY_P3, SRGB, spaces.DISPLAY_P3),
        (BT_2020, TEN_BITS, spaces.BT_2020),
        (BT_2020, 8, spaces.Space(spaces.BT_2020.primaries, spaces.D65, *spaces.CURVES[8])),
        (BT_709, 5, spaces.Space(spaces.SRGB.primaries, spaces.D65, *spaces.CURVES[5])),
    ],
)
def test_colours_named_only_in_the_coded_data_of_an_avif_are_converted(primaries, transfer, space):
    data = in_coded_data(spaces.converted(COLOURS, space), primaries, transfer)

    assert off(data, COLOURS) < COARSE.get(transfer, CLOSE)


def test_colours_named_only_in_the_coded_data_of_a_grid_are_converted():
    stored = spaces.converted(COLOURS, spaces.DISPLAY_P3).crop((0, 0, 64, 64))
    data = in_coded_data(stored, DISPLAY_P3, SRGB)
    start = data.index(b"mdat") + 4
    tile = avifs.image_item(stored)
    tile.data = data[start : start + len(tile.data)]

    grid = avifs.avif(avifs.grid(2, 1, 128, 64, [2, 3]), tile, tile)

    expected = Image.new("RGB", (128, 64))
    for across in (0, 64):
        expected.paste(COLOURS.crop((0, 0, 64, 64)), (across, 0))
    assert off(grid, expected) < CLOSE


def test_colour_box_of_an_avif_outranks_its_coded_data():
    plain = in_coded_data(COLOURS, BT_2020, SRGB).replace(b"skipnclx", b"colrnclx")
    wide = with_numbers(spaces.converted(COLOURS, spaces.DISPLAY_P3), DISPLAY_P3, SRGB)

    assert off(plain, COLOURS) < CLOSE
    assert off(wide, COLOURS) < CLOSE


def test_profile_of_an_avif_outranks_its_coded_data():
    stored = spaces.converted(COLOURS, spaces.DISPLAY_P3)

    data = in_coded_data(stored, BT_2020, SRGB, icc_profile=profiles.of_space(spaces.DISPLAY_P3))

    assert off(data, COLOURS) < CLOSE


def test_named_colours_outrank_the_profile_in_a_png_but_not_in_an_avif():
    stored = spaces.converted(COLOURS, spaces.DISPLAY_P3)
    png = with_cicp(stored, DISPLAY_P3, SRGB, icc_profile=profiles.of_space(spaces.PROPHOTO))
    avif = encoded(stored, "AVIF", quality=100, subsampling="4:4:4", icc_profile=profiles.of_space(spaces.DISPLAY_P3))
    at = avif.index(b"colrnclx") + 8

    assert off(png, COLOURS) < CLOSE
    assert off(avif[:at] + struct.pack(">H", BT_2020) + avif[at + 2 :], COLOURS) < CLOSE


def camera_exif(index):
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ColorSpace] = 65535
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.IFD.Interop] = {ExifTags.Interop.InteropIndex: index}
    return exif


def test_adobe_rgb_named_by_a_camera_is_converted():
    stored = spaces.converted(COLOURS, spaces.ADOBE_RGB)

    assert off(encoded(stored, quality=100, subsampling=0, exif=camera_exif("R03")), COLOURS) < CLOSE
    assert off(encoded(COLOURS, quality=100, subsampling=0, exif=camera_exif("R98")), COLOURS) < CLOSE


def test_embedded_profile_outranks_the_colour_space_named_by_a_camera():
    stored = spaces.converted(COLOURS, spaces.DISPLAY_P3)
    profile = profiles.of_space(spaces.DISPLAY_P3)

    data = encoded(stored, quality=100, subsampling=0, exif=camera_exif("R03"), icc_profile=profile)

    assert off(data, COLOURS) < CLOSE


def test_r03_elsewhere_in_the_exif_is_ignored():
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "R03"

    assert off(encoded(COLOURS, quality=100, subsampling=0, exif=exif), COLOURS) < CLOSE


@pytest.mark.parametrize(
    ("profile", "space", "name"),
    [
        (icc.profile_of_code_points(DISPLAY_P3, SRGB), spaces.DISPLAY_P3, "named by numbers"),
        (icc.profile_of_code_points(BT_2020, SRGB), spaces.BT_2020, "named by numbers"),
        (icc.adobe_rgb(), spaces.ADOBE_RGB, "Adobe RGB"),
    ],
    ids=["display-p3", "bt-2020", "adobe-rgb"],
)
def test_generated_profiles_have_the_published_values(profile, space, name):
    read = ImageCms.ImageCmsProfile(BytesIO(profile)).profile

    for column, (xyz, _xyy) in zip(
        spaces.to_d50(space), (read.red_colorant, read.green_colorant, read.blue_colorant), strict=True
    ):
        assert column == pytest.approx(xyz, abs=3e-4)
    assert name == read.profile_description
    assert b"acsp" in profile
