"""Line art, text, logos and other images of few colours are as sharp, and as small, as with other programs."""

from io import BytesIO

import pytest
import pyvips
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from imgpipe_processor.imaging import Limits, Recipe, make_thumbnails
from imgpipe_processor.imaging.recipe import LIBVIPS, PILLOW
from tests.lambda_processor import judge, scenes
from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.writers import PADDING

LIMITS = Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20)
SIDE_PX = 1000


def thumbnail(data, size_px, engine=PILLOW, output_format="png"):
    (made,) = make_thumbnails(data, Recipe((size_px,), output_format, engine=engine), LIMITS).thumbnails
    return made


def hatching():
    """Return oblique lines of 2 px at distances of 5 px, with smooth edges."""
    sheet = Image.new("L", (2 * SIDE_PX, 2 * SIDE_PX), 250)
    draw = ImageDraw.Draw(sheet)
    for x in range(-SIDE_PX, 2 * SIDE_PX, 10):
        draw.line((x, 0, x + SIDE_PX, 2 * SIDE_PX), fill=20, width=4)
    return sheet.reduce(2)


def rings():
    """Return circles of 2 px at distances of 7 px."""
    sheet = Image.new("L", (2 * SIDE_PX, 2 * SIDE_PX), 250)
    draw = ImageDraw.Draw(sheet)
    for radius in range(20, SIDE_PX, 14):
        draw.ellipse((SIDE_PX - radius, SIDE_PX - radius, SIDE_PX + radius, SIDE_PX + radius), outline=20, width=4)
    return sheet.reduce(2)


def in_mode(image, mode):
    """Return the grey image in colours, in a palette, or as the alpha of one ink."""
    if mode == "RGBA":
        ink = Image.new("RGBA", image.size, (30, 40, 120, 255))
        ink.putalpha(ImageChops.invert(image))
        return ink
    coloured = Image.merge("RGB", (image, image.point(lambda value: 255 - value // 2), image))
    return {"L": image, "RGB": coloured, "P": coloured.quantize(64)}[mode]


def off(data, made):
    """Return the root of the mean square difference to an exact reduction, with colours weighted by alpha."""
    source = Image.open(BytesIO(data))
    exact = source.convert("RGBA").convert("RGBa").resize(made.size, Image.Resampling.LANCZOS)
    return max(ImageStat.Stat(ImageChops.difference(exact, made.convert("RGBA").convert("RGBa"))).rms)


@pytest.mark.parametrize("size_px", [64, 100, 128, 160, 200, 256, 300, 330, 420])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
@pytest.mark.parametrize("image", [hatching(), rings()], ids=["hatching", "rings"])
def test_fine_lines_are_as_close_to_an_exact_reduction_as_those_of_libvips(image, mode, size_px):
    data = encoded(in_mode(image, mode), "PNG") + PADDING
    by_libvips = pyvips.Image.thumbnail_buffer(data, size_px, height=size_px, size="force").write_to_buffer(".png")

    actual = off(data, judge.seen(thumbnail(data, size_px).data))

    assert actual <= 1.05 * off(data, judge.seen(by_libvips)) + 1


def logo(mode, side_px=500):
    """Return a badge with a hole and a soft shadow, on white for modes without alpha."""
    badge = Image.new("L", (side_px, side_px))
    draw = ImageDraw.Draw(badge)
    draw.rounded_rectangle((side_px // 5, side_px // 5, side_px * 3 // 4, side_px * 3 // 4), side_px // 12, fill=255)
    draw.ellipse((side_px // 3, side_px // 3, side_px // 2, side_px // 2), fill=0)
    shadow = badge.filter(ImageFilter.GaussianBlur(side_px / 14)).point(lambda value: value * 0.6)
    image = Image.new("RGBA", badge.size)
    image.putalpha(shadow)
    image.alpha_composite(Image.composite(Image.new("RGBA", badge.size, (24, 90, 190, 255)), image, badge))
    if mode in {"RGB", "L"}:
        ground = Image.new("RGBA", badge.size, "white")
        ground.alpha_composite(image)
        return ground.convert(mode)
    return image.convert(mode)


@pytest.mark.parametrize("size_px", [96, 128, 256, 400])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_logo_with_a_soft_shadow_is_as_small_as_with_other_programs(mode, size_px):
    made = thumbnail(encoded(logo(mode), "PNG") + PADDING, size_px)

    pixels = Image.open(BytesIO(made.data))
    ordinary = len(encoded(pixels, "PNG"))
    by_libvips = len(judge.of_pillow(pixels).pngsave_buffer(compression=6, filter="none"))
    assert pixels.mode == mode
    assert len(made.data) <= 1.07 * min(ordinary, by_libvips)


@pytest.mark.parametrize("side_px", [40, 128, 500])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("engine", [PILLOW, LIBVIPS])
def test_logo_of_the_thumbnail_size_keeps_every_pixel(engine, mode, side_px):
    image = logo(mode, side_px)

    made = thumbnail(encoded(image, "PNG") + PADDING, side_px, engine)

    assert judge.read(made.data).write_to_memory() == image.tobytes()


@pytest.mark.parametrize("engine", [PILLOW, LIBVIPS])
def test_colours_of_faint_pixels_are_kept_and_those_of_transparent_pixels_are_removed(engine):
    faint = scenes.colours().convert("RGBA")
    alpha = Image.new("L", faint.size, 3)
    alpha.paste(0, (0, 0, 48, 32))
    faint.putalpha(alpha)

    made = Image.open(BytesIO(thumbnail(encoded(faint, "PNG") + PADDING, 96, engine).data))

    faint.paste((0, 0, 0, 0), (0, 0, 48, 32))
    assert made.mode == "RGBA"
    assert made.tobytes() == faint.tobytes()
