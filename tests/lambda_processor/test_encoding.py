"""The format, quality, alpha and size in bytes of a thumbnail."""

from io import BytesIO

import pytest
from PIL import Image, ImageDraw

from imgpipe_processor.imaging import Animation, Limits, Recipe, make_thumbnails
from imgpipe_processor.imaging.encoding import encode
from imgpipe_processor.imaging.recipe import OUTPUT_FORMATS
from tests.lambda_processor import judge, scenes
from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.kinds import COLOURS, CUT_OUT, VEILED
from tests.lambda_processor.writers import PADDING, bmp_of_palette, paletted_pillow

LIMITS = Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20)
PAPER = "#f0e0d0"
PAPER_RGB = (0xF0, 0xE0, 0xD0)
WHITE = (255, 255, 255)


def thumbnail(data, output_format="auto", size_px=96, **options):
    (made,) = make_thumbnails(data, Recipe((size_px,), output_format, **options), LIMITS).thumbnails
    return made


def tables_of(jpeg):
    return Image.open(BytesIO(jpeg)).quantization


def tables_by_libvips(quality):
    return tables_of(judge.of_pillow(COLOURS).jpegsave_buffer(Q=quality))


@pytest.mark.parametrize(
    ("source", "output_format", "background", "expected", "ground"),
    [
        (COLOURS, "auto", None, "JPEG", None),
        (COLOURS, "jpeg", None, "JPEG", None),
        (COLOURS, "png", None, "PNG", None),
        (COLOURS, "webp", None, "WEBP", None),
        (COLOURS, "avif", None, "AVIF", None),
        (VEILED, "auto", None, "PNG", None),
        (VEILED, "png", None, "PNG", None),
        (VEILED, "webp", None, "WEBP", None),
        (VEILED, "avif", None, "AVIF", None),
        (VEILED, "jpeg", None, "JPEG", WHITE),
        (VEILED, "auto", PAPER, "JPEG", PAPER_RGB),
        (VEILED, "jpeg", PAPER, "JPEG", PAPER_RGB),
        (VEILED, "png", PAPER, "PNG", PAPER_RGB),
        (VEILED, "webp", PAPER, "WEBP", PAPER_RGB),
        (VEILED, "avif", PAPER, "AVIF", PAPER_RGB),
        (COLOURS, "auto", PAPER, "JPEG", None),
        (CUT_OUT, "auto", PAPER, "JPEG", PAPER_RGB),
    ],
)
def test_format_and_alpha_follow_the_recipe(source, output_format, background, expected, ground):
    data = encoded(source, "PNG") + PADDING

    made = thumbnail(data, output_format, 48, background=background, jpeg_quality=95, webp_quality=95, avif_quality=95)

    assert expected == made.format == Image.open(BytesIO(made.data)).format
    assert judge.difference(judge.reduced(source, 48, 32, ground), judge.seen(made.data)) < 4.5
    assert judge.read(made.data).hasalpha() == (source is VEILED and ground is None)


@pytest.mark.line("003-22")
@pytest.mark.parametrize(
    ("image_format", "content_type", "extension"),
    [
        ("jpeg", "image/jpeg", "jpg"),
        ("png", "image/png", "png"),
        ("webp", "image/webp", "webp"),
        ("avif", "image/avif", "avif"),
    ],
)
def test_thumbnail_has_the_content_type_and_extension_of_its_format(image_format, content_type, extension):
    made = thumbnail(encoded(COLOURS, "PNG"), image_format)

    assert (made.content_type, made.extension) == (content_type, extension)


def test_jpeg_has_the_quantization_tables_of_its_quality():
    data = encoded(scenes.spots(300, 200), "PNG")

    assert tables_of(thumbnail(data, "jpeg", jpeg_quality=63).data) == tables_by_libvips(63)


@pytest.mark.parametrize("output_format", ["jpeg", "webp", "avif"])
def test_every_lossy_format_has_a_separate_quality(output_format):
    data = encoded(scenes.spots(300, 200), "PNG")
    qualities = [{f"{output_format}_quality": quality} for quality in (30, 60, 90)]
    others = {f"{other}_quality": 1 for other in ("jpeg", "webp", "avif") if other != output_format}

    low, middle, high = (thumbnail(data, output_format, **quality, **others) for quality in qualities)

    assert len(low.data) < len(middle.data) < len(high.data)
    reference = judge.reduced(Image.open(BytesIO(data)), middle.width, middle.height)
    far, near = (judge.difference(reference, judge.seen(made.data)) for made in (low, high))
    assert near < far


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize(
    ("source", "size"),
    [((1, 1), (1, 1)), ((1, 300), (1, 48)), ((300, 1), (48, 1)), ((900, 2), (48, 1))],
)
def test_images_with_a_side_of_one_pixel_work_in_every_format(source, size, mode, output_format):
    colour = {"L": 120, "RGB": (200, 90, 40), "RGBA": (200, 90, 40, 128)}[mode]
    result = Image.new(mode, source, colour)

    made = thumbnail(encoded(result, "PNG"), output_format, 48, avif_quality=90, webp_quality=90)

    ground = WHITE if made.format == "JPEG" else None
    assert (made.width, made.height) == size
    assert judge.difference(judge.reduced(result, *size, ground), judge.seen(made.data)) < 8


# No more bytes than the source, if possible.


@pytest.mark.parametrize("output_format", ["auto", "jpeg", "webp", "avif"])
@pytest.mark.parametrize("size_px", [300, 280])
def test_lossy_thumbnail_of_a_highly_compressed_photo_has_no_more_bytes(output_format, size_px):
    data = encoded(scenes.spots(300, 200), "JPEG" if output_format == "auto" else output_format.upper(), quality=37)
    qualities = {"jpeg_quality": 80, "webp_quality": 80, "avif_quality": 80}

    assert len(thumbnail(data + PADDING, output_format, size_px, **qualities).data) > len(data)
    assert len(thumbnail(data, output_format, size_px, **qualities).data) <= len(data)


def page(mode="P"):
    """Lines of text, dark on pale, with a transparent corner if the mode can: few colours, small files."""
    image = Image.new("RGBA", (300, 200), (250, 245, 230, 255))
    draw = ImageDraw.Draw(image)
    draw.fontmode = "1"
    for line in range(14):
        draw.text((8, 6 + 13 * line), f"{line}: the quick brown fox jumps over", (20, 20, 90, 255))
    if mode == "RGBA":
        image.paste((0, 0, 0, 0), (200, 0, 300, 40))
    return image if mode == "RGBA" else image.convert("RGB")


DRAWINGS = {
    "gif": paletted_pillow("GIF")(page(), 1),
    "gif-cut-out": paletted_pillow("GIF")(page("RGBA"), 1),
    "png-palette": paletted_pillow("PNG")(page(), 1),
    "png-palette-cut-out": paletted_pillow("PNG")(page("RGBA"), 1),
    "png-black-and-white": encoded(page().convert("1", dither=Image.Dither.NONE), "PNG"),
    "png-grey": encoded(page().convert("L"), "PNG"),
    "bmp": bmp_of_palette(4)(page(), 1),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawing_keeps_its_pixels_in_a_png_of_no_more_bytes(name):
    data = DRAWINGS[name]

    made = thumbnail(data, "png", 300)

    assert len(made.data) <= len(data)
    assert judge.difference(judge.reduced(Image.open(BytesIO(data)), 300, 200), judge.seen(made.data)) == 0


def test_palette_is_used_only_if_the_png_is_larger_than_its_source():
    data = DRAWINGS["png-palette"]

    reduced, unreduced = thumbnail(data, "png", 300), thumbnail(data + PADDING, "png", 300)

    assert [Image.open(BytesIO(made.data)).mode for made in (reduced, unreduced)] == ["P", "RGB"]


@pytest.mark.parametrize("mode", ["P", "RGBA"])
def test_drawing_may_become_a_lossless_webp(mode):
    data = encoded(page(mode), "WEBP", lossless=True)

    made = thumbnail(data, "webp", 300)

    assert len(made.data) <= len(data) < len(thumbnail(data + PADDING, "webp", 300).data)
    assert judge.difference(judge.reduced(page(mode), 300, 200), judge.seen(made.data)) == 0


def test_configured_quality_is_kept_if_no_lower_quality_is_small_enough():
    source = encoded(scenes.spots(300, 200), quality=5)

    made = [
        thumbnail(source, "png", 300),
        thumbnail(source, "jpeg", 300, jpeg_quality=80),
        thumbnail(source, "jpeg", 300, jpeg_quality=39),
    ]

    assert [each.format for each in made] == ["PNG", "JPEG", "JPEG"]
    assert all(len(each.data) > len(source) for each in made)
    assert [tables_of(each.data) for each in made[1:]] == [tables_by_libvips(80), tables_by_libvips(39)]


@pytest.mark.parametrize("output_format", ["jpeg", "webp", "avif"])
def test_configured_quality_is_kept_if_the_lowest_quality_is_too_large(output_format):
    source = encoded(scenes.spots(300, 200), "AVIF", quality=1)
    qualities = {"jpeg_quality": 80, "webp_quality": 80, "avif_quality": 80}

    reduced, unreduced = (thumbnail(data, output_format, 300, **qualities) for data in (source, source + PADDING))

    assert len(source) < len(thumbnail(source + PADDING, output_format, 300, **dict.fromkeys(qualities, 35)).data)
    assert reduced.data == unreduced.data


def test_animation_keeps_the_configured_quality_if_the_lowest_is_too_large():
    frames = [scenes.spots(300, 200), scenes.spots(300, 200).transpose(Image.Transpose.ROTATE_180)]
    source = encoded(frames[0], "WEBP", quality=1, save_all=True, append_images=frames[1:], duration=100)
    animation = Animation(10, 1_000_000)

    reduced, unreduced = (
        thumbnail(data, "webp", 300, webp_quality=80, animation=animation) for data in (source, source + PADDING)
    )

    assert Image.open(BytesIO(reduced.data)).n_frames == 2
    assert len(source) < len(reduced.data)
    assert reduced.data == unreduced.data


def test_thumbnail_may_have_as_many_bytes_as_its_source():
    result, recipe = scenes.spots(96, 64), Recipe((96,), output_format="jpeg", jpeg_quality=80)
    configured = encode(result, recipe, source_bytes=10**6).data

    assert encode(result, recipe, source_bytes=len(configured)).data == configured
    assert encode(result, recipe, source_bytes=len(configured) - 1).data != configured


@pytest.mark.parametrize(("configured", "lowest"), [(80, 35), (70, 25), (69, 39), (40, 25), (39, 39)])
def test_quality_is_never_lowered_below_25(configured, lowest):
    result = scenes.spots(96, 64)
    recipes = [Recipe((96,), output_format="jpeg", jpeg_quality=quality) for quality in (configured, lowest)]
    expected = encode(result, recipes[1], source_bytes=10**6).data

    assert encode(result, recipes[0], source_bytes=len(expected)).data == expected


def test_thumbnail_that_only_a_quality_below_25_makes_small_enough_keeps_its_quality():
    result = scenes.spots(96, 64)
    configured, below = (Recipe((96,), output_format="jpeg", jpeg_quality=quality) for quality in (69, 24))
    too_few = len(encode(result, below, source_bytes=10**6).data)

    made = encode(result, configured, source_bytes=too_few).data

    assert made == encode(result, configured, source_bytes=10**6).data


@pytest.mark.parametrize(("source_quality", "expected"), [(60, 65), (46, 50), (30, 35)])
def test_quality_is_lowered_no_further_than_needed(source_quality, expected):
    source = encoded(scenes.spots(300, 200), quality=source_quality)

    made = thumbnail(source, "jpeg", 300, jpeg_quality=80)

    assert tables_of(made.data) == tables_by_libvips(expected)
    assert len(made.data) <= len(source)
