"""Every mode and colour space is converted to sRGB."""

import struct

import pytest
from PIL import Image, ImageCms

from imgpipe_processor.imaging import Limits, Recipe, make_thumbnails
from imgpipe_processor.imaging.colour import colour_planes, planes_to_rgb, to_srgb
from imgpipe_processor.imaging.shrinking import shrink
from tests.lambda_processor import pngs, profiles
from tests.lambda_processor.fakes import decoded, encoded


def thumbnail(data):
    return make_thumbnails(data, Recipe((64,)), Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20)).thumbnails[
        0
    ]


def middle(data):
    """Return the mode and the middle pixel of the thumbnail; a palette counts as the mode of its colours."""
    image = decoded(thumbnail(data).data)
    if image.mode == "P":
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image.mode, image.getpixel((image.width // 2, image.height // 2))


def close(expected, actual, tolerance=2):
    expected = expected if isinstance(expected, tuple) else (expected,)
    actual = actual if isinstance(actual, tuple) else (actual,)
    return len(expected) == len(actual) and all(abs(a - b) <= tolerance for a, b in zip(expected, actual, strict=True))


def palette_image():
    image = Image.new("P", (300, 200), 1)
    image.putpalette([255, 0, 0, 10, 200, 90])
    return image


def trns(*samples):
    return pngs.chunk(b"tRNS", struct.pack(f">{len(samples)}H", *samples))


@pytest.mark.parametrize(
    ("data", "mode", "pixel"),
    [
        (encoded(Image.new("1", (300, 200), 1), "PNG"), "L", 255),
        (encoded(Image.new("L", (300, 200), 77), "PNG"), "L", 77),
        (encoded(Image.new("L", (300, 200), 77)), "L", 77),
        (encoded(Image.new("LA", (300, 200), (77, 100)), "PNG"), "LA", (77, 100)),
        (encoded(Image.new("LA", (300, 200), (77, 255)), "PNG"), "L", 77),
        (encoded(Image.new("I;16", (300, 200), 0x8000), "PNG"), "L", 128),
        (encoded(palette_image(), "PNG"), "RGB", (10, 200, 90)),
        (encoded(palette_image(), "PNG", transparency=b"\xff\x64"), "RGBA", (10, 200, 90, 100)),
        (encoded(palette_image(), "PNG", transparency=1), "RGBA", (0, 0, 0, 0)),
        (encoded(palette_image(), "PNG", transparency=0), "RGB", (10, 200, 90)),
        (encoded(Image.new("RGB", (300, 200), (10, 200, 90)), "PNG"), "RGB", (10, 200, 90)),
        (encoded(Image.new("RGBA", (300, 200), (10, 200, 90, 128)), "PNG"), "RGBA", (10, 200, 90, 128)),
        (encoded(Image.new("RGBA", (300, 200), (10, 200, 90, 255)), "PNG"), "RGB", (10, 200, 90)),
        (encoded(Image.new("CMYK", (300, 200), (255, 0, 0, 0))), "RGB", (0, 255, 255)),
        (pngs.flat(300, 200, bits=16, pixel=b"\x80\x40"), "RGB", (128, 128, 128)),
        (pngs.flat(300, 200, bits=16, colour_type=pngs.GREY_ALPHA, pixel=b"\x80\x40"), "RGBA", (128, 128, 128, 128)),
        (pngs.flat(300, 200, bits=16, colour_type=pngs.RGBA, pixel=b"\x80\x40"), "RGBA", (128, 128, 128, 128)),
        (pngs.flat(300, 200, bits=16, extra=trns(0x8080, 0x8080, 0x8080)), "RGBA", (0, 0, 0, 0)),
        (pngs.flat(300, 200, extra=trns(1, 2, 3)), "RGB", (128, 128, 128)),
        (pngs.flat(300, 200, colour_type=pngs.GREY, extra=trns(0x80)), "LA", (0, 0)),
        (pngs.flat(304, 200, bits=1, colour_type=pngs.GREY, pixel=b"\xff", extra=trns(1)), "LA", (0, 0)),
        (pngs.flat(300, 200, bits=16, colour_type=pngs.GREY, pixel=b"\x80\x40", extra=trns(0x8040)), "LA", (0, 0)),
        (pngs.flat(300, 200, bits=16, colour_type=pngs.GREY, pixel=b"\x80\x40", extra=trns(0x8041)), "L", 128),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_mode_of_a_file_is_converted_to_srgb(data, mode, pixel):
    made = middle(data)

    assert mode == made[0]
    assert close(pixel, made[1])


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("PA", 0, ("RGBA", (10, 20, 30, 64))),
        ("HSV", (0, 0, 255), ("RGB", (255, 255, 255))),
        ("LAB", (255, 128, 128), ("RGB", (255, 255, 255))),
        ("I;16", 0x8000, ("L", 128)),
        ("RGBX", (10, 200, 90, 0), ("RGB", (10, 200, 90))),
        ("RGBa", (5, 100, 45, 128), ("RGBA", (10, 199, 90, 128))),
        ("La", (50, 128), ("LA", (100, 128))),
    ],
)
def test_modes_of_other_formats_are_converted(mode, value, expected):
    image = Image.new(mode, (300, 200), value)
    if mode == "PA":
        image = Image.new("P", (300, 200))
        image.putpalette([10, 20, 30])
        image = image.convert("PA")
        image.putalpha(64)

    small = to_srgb(shrink(image, (0, 0, 300, 200), (64, 43)), None)

    assert ((64, 43), expected[0]) == (small.size, small.mode)
    assert close(expected[1], small.getpixel((30, 20)))


@pytest.mark.parametrize(
    ("rgb", "planes"),
    [
        ((200, 100, 50), (124, 86, 182)),
        ((40, 160, 220), (131, 178, 63)),
        ((128, 128, 128), (128, 128, 128)),
    ],
)
def test_planes_and_rgb_are_converted_by_the_jfif_matrix(rgb, planes):
    image = Image.new("RGB", (4, 3), rgb)

    assert planes[1:] == tuple(plane.getpixel((2, 1)) for plane in colour_planes(image))
    assert rgb == planes_to_rgb(Image.new("YCbCr", (4, 3), planes)).getpixel((2, 1))


def test_adobe_cmyk_jpeg_is_not_inverted():
    data = encoded(Image.new("CMYK", (300, 200), (0, 255, 255, 0)))
    assert b"Adobe" in data

    assert close((255, 0, 0), middle(data)[1], tolerance=3)


@pytest.mark.parametrize("marker", [b"Adobe", b"Other"])
def test_cmyk_jpeg_is_inverted_with_and_without_adobe_segment_as_in_browsers(marker):
    data = encoded(Image.new("CMYK", (300, 200), (0, 255, 255, 100)), quality=95).replace(b"Adobe", marker)

    assert close((155, 0, 0), middle(data)[1], tolerance=3)


def test_colours_of_transparent_pixels_neither_bleed_nor_remain():
    image = Image.new("RGBA", (300, 300), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 150, 300))

    small = decoded(thumbnail(encoded(image, "PNG")).data)

    assert {0} == {red for red, _green, _blue, _alpha in small.get_flattened_data()}


def test_conversion_in_tiles_leaves_no_seams():
    ramp = Image.linear_gradient("L").resize((1700, 1300))
    whole = shrink(ramp, (0, 0, 1700, 1300), (60, 46))

    tiled = shrink(Image.merge("LA", (ramp, Image.new("L", ramp.size, 255))), (0, 0, 1700, 1300), (60, 46))

    assert all(
        abs(a - b) <= 1
        for a, b in zip(whole.get_flattened_data(), tiled.getchannel(0).get_flattened_data(), strict=True)
    )


@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_wide_gamut_is_converted_to_srgb(image_format):
    image = Image.new("RGB", (300, 200), (200, 100, 50))

    plain = middle(encoded(image, image_format))[1]
    managed = middle(encoded(image, image_format, icc_profile=profiles.wide_rgb()))[1]

    assert close((200, 100, 50), plain)
    assert close((216, 93, 24), managed, tolerance=3)


def test_wide_gamut_image_keeps_its_alpha():
    data = encoded(Image.new("RGBA", (300, 200), (200, 100, 50, 128)), "PNG", icc_profile=profiles.wide_rgb())

    assert close((216, 93, 24, 128), middle(data)[1], tolerance=3)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_grey_profile_is_applied_and_the_thumbnail_stays_grey(image_format):
    made = middle(encoded(Image.new("L", (300, 200), 55), image_format, icc_profile=profiles.linear_grey()))

    assert made[0] == "L"
    assert close(128, made[1], tolerance=4)


def test_press_profile_is_applied_to_inks():
    data = encoded(Image.new("CMYK", (300, 200), (255, 0, 0, 0)), icc_profile=profiles.cmyk_without_colour())

    assert close((185, 185, 185), middle(data)[1], tolerance=4)


@pytest.mark.parametrize(
    "profile",
    [
        b"no profile at all",
        profiles.wide_rgb()[:200],
        profiles.linear_grey(),
        profiles.cmyk_without_colour(),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ],
    ids=["text", "cut", "grey", "cmyk", "srgb"],
)
def test_unusable_or_neutral_profile_does_not_change_the_pixels(profile):
    data = encoded(Image.new("RGB", (300, 200), (200, 100, 50)), icc_profile=profile)

    assert close((200, 100, 50), middle(data)[1])
