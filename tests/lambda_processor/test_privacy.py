"""A thumbnail contains only pixels: no text, location or byte of the source before or after the image."""

from io import BytesIO

import pytest
from PIL import ExifTags, Image

from imgpipe_processor.imaging import Animation, Limits, Recipe, make_thumbnails
from imgpipe_processor.imaging.encoding import encode_frames
from imgpipe_processor.imaging.plugins import register_heic_decoder
from imgpipe_processor.imaging.recipe import ENGINES, OUTPUT_FORMATS
from tests.lambda_processor import anatomy
from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.kinds import COLOURS
from tests.lambda_processor.secrets_in_files import (
    CANARY,
    FILES,
    JPEG_PARTS,
    PROFILE,
    SECRET,
    jpeg,
    jpeg_with,
    png,
    segment,
)

LIMITS = Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20, heic=True)
ANIMATION = Animation(max_frames=10, max_pixels=10**6)

# The parts that a thumbnail may contain, in any number.
PARTS = {
    "JPEG": {"d8", "e0", "db", "c0", "c4", "da", "d9"},
    "PNG": {"IHDR", "PLTE", "tRNS", "IDAT", "IEND"},
    "WEBP": {"VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF"},
    "AVIF": {"ftyp", "meta", "mdat"},
}
JFIF = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"  # version 1.1, square pixels of no size, no thumbnail
WITH_METADATA = 0x20 | 0x08 | 0x04  # flags of VP8X: profile, EXIF, XMP


@pytest.mark.parametrize("name", FILES)
def test_files_contain_their_secrets_and_can_be_decoded(name):
    data = FILES[name]()
    if name.startswith("heic"):
        register_heic_decoder()
    image = Image.open(BytesIO(data))
    image.load()

    assert data.count(SECRET) >= 3
    assert data.endswith(SECRET) or name.startswith("jpeg")


def test_files_contain_a_location_smaller_images_and_texts():
    camera, drawing = Image.open(BytesIO(jpeg())), Image.open(BytesIO(png()))

    assert {"exif", "xmp", "photoshop", "comment", "icc_profile"} < camera.info.keys()
    assert jpeg().count(b"\xff\xd8\xff") == 3
    assert ExifTags.GPS.GPSLatitude in drawing.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    assert {"tEXt", "zTXt", "iTXt", "eXIf", "iCCP", "pHYs", "prVt"} < set(anatomy.parts(png().removesuffix(SECRET)))


def assert_only_pixels(made):
    assert SECRET not in made.data
    assert set(anatomy.parts(made.data)) <= PARTS[made.format]
    if made.format == "JPEG":
        assert made.data.startswith(JFIF)
    if made.format == "WEBP" and made.data[12:16] == b"VP8X":
        assert not made.data[20] & WITH_METADATA
    if made.format == "AVIF":
        assert set(anatomy.items(made.data)) == {"av01"}
        assert set(anatomy.properties(made.data)) <= {"ispe", "pixi", "av1C", "auxC", "colr:nclx"}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("animation", [None, ANIMATION], ids=["still", "animated"])
@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
@pytest.mark.parametrize("name", FILES)
def test_pains_29_thumbnail_contains_only_pixels(name, output_format, animation, engine):
    recipe = Recipe((600, 48), output_format, animation=animation, engine=engine)

    for made in make_thumbnails(FILES[name](), recipe, LIMITS).thumbnails:
        assert_only_pixels(made)


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
@pytest.mark.parametrize("part", JPEG_PARTS)
def test_pains_29_no_metadata_of_a_jpeg_reaches_a_thumbnail(part, output_format):
    data = jpeg_with(part)
    assert SECRET in data

    for made in make_thumbnails(data, Recipe((96, 48), output_format), LIMITS).thumbnails:
        assert_only_pixels(made)


def test_pains_29_long_comment_does_not_make_a_thumbnail_larger():
    comment = segment(0xFE, bytes(60_000))
    plain = encoded(COLOURS, quality=95)

    def thumbnail(data):
        return make_thumbnails(data, Recipe((48,)), LIMITS).thumbnails[0].data

    assert thumbnail(plain[:2] + comment + plain[2:]) == thumbnail(plain)


# The values that Pillow's decoders write to `info`, and that its encoders write to a file.
CARRIED = {
    "comment": SECRET,
    "exif": Image.Exif().tobytes() + SECRET,
    "xmp": SECRET,
    "icc_profile": PROFILE,
    "photoshop": {1028: SECRET},
    "dpi": (300, 300),
    "gamma": 0.5,
    "transparency": 0,
    "background": (1, 2, 3, 4),
    "duration": 70,
    "loop": 5,
    "default_image": True,
}


# The modes that each encoder is called with.
ENCODED_MODES = {
    "JPEG": ["L", "RGB", "YCbCr"],
    "PNG": ["1", "P", "L", "LA", "RGB", "RGBA"],
    "WEBP": ["L", "LA", "RGB", "RGBA"],
    "AVIF": ["L", "LA", "RGB", "RGBA"],
}


@pytest.mark.parametrize(
    ("output_format", "mode"), [(each, mode) for each, modes in ENCODED_MODES.items() for mode in modes]
)
def test_pains_29_encoder_receives_no_metadata_of_an_image(output_format, mode):
    bare, carrying = COLOURS.convert(mode), COLOURS.convert(mode)
    carrying.info = dict(CARRIED)

    assert encode_frames([bare], output_format) == encode_frames([carrying], output_format)


def test_pains_29_encoder_receives_no_metadata_of_frames():
    def frames(info):
        made = [COLOURS.copy(), COLOURS.transpose(Image.Transpose.ROTATE_180)]
        for frame in made:
            frame.info = dict(info)
        return made

    assert encode_frames(frames({}), "WEBP") == encode_frames(frames(CARRIED), "WEBP")


@pytest.mark.parametrize("name", FILES)
def test_pains_29_recorded_facts_contain_no_metadata(name):
    result = make_thumbnails(FILES[name](), Recipe(()), LIMITS)

    assert CANARY not in repr(result)


def test_thumbnail_of_a_file_that_is_also_an_archive_contains_no_archive():
    hidden = b"PK\x03\x04" + SECRET + b"PK\x05\x06" + bytes(18)

    (made,) = make_thumbnails(jpeg() + hidden, Recipe((48,)), LIMITS).thumbnails

    assert b"PK" not in made.data[-len(hidden) :]
    assert anatomy.parts(made.data)[-1] == "d9"
