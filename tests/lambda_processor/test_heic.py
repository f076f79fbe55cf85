"""HEIC: a picture like any other where its decoder is configured, and refused by name where it is not."""

from io import BytesIO

import pillow_heif
import pytest
from PIL import ExifTags, Image

from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Limits, Recipe, Thumbnail, make_thumbnails
from imgpipe_processor.imaging.shrinking import TRANSPOSITIONS
from tests.lambda_processor import profiles
from tests.lambda_processor.fakes import decoded, encoded, photo


def heic(image=None, **info):
    """A file as phones write it; its encoder is used by these tests alone."""
    file = pillow_heif.from_pillow(image or photo())
    file.info.update(info)
    out = BytesIO()
    file.save(out, quality=95, chroma=444)
    return out.getvalue()


def picture(data, *, heic=True, **recipe):
    limits = Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20, heic=heic)
    return make_thumbnails(data, Recipe((128,), **recipe), limits)


def corners(thumbnail):
    image = decoded(thumbnail.data)
    right, bottom = image.width - 20, image.height - 10
    return [image.getpixel(at) for at in ((20, 10), (right, 10), (20, bottom), (right, bottom))]


def close(expected, actual):
    return all(
        abs(a - b) <= 8 for one, other in zip(expected, actual, strict=True) for a, b in zip(one, other, strict=True)
    )


def test_a_heic_image_becomes_a_thumbnail():
    made = picture(heic())

    assert (made.format, made.width, made.height, made.frames) == ("HEIF", 400, 200, 1)
    assert (made.thumbnails[0].format, made.thumbnails[0].width, made.thumbnails[0].height) == ("JPEG", 128, 64)
    assert close([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)], corners(made.thumbnails[0]))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_of_a_heic_ends_upright(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored = photo()
    upright = stored.transpose(TRANSPOSITIONS[orientation]) if orientation in TRANSPOSITIONS else stored

    made = picture(heic(stored, exif=exif.tobytes()))

    assert (made.width, made.height) == upright.size
    expected = Thumbnail(
        encoded(upright.resize((made.thumbnails[0].width, made.thumbnails[0].height)), "PNG"), "", 0, 0
    )
    assert close(corners(expected), corners(made.thumbnails[0]))


def test_transparency_of_a_heic_is_kept():
    image = photo().convert("RGBA")
    image.putalpha(100)

    assert picture(heic(image)).thumbnails[0].format == "PNG"


def test_the_profile_of_a_heic_is_followed():
    plain = Image.new("RGB", (300, 200), (200, 100, 50))

    same, other = (picture(heic(plain, **info)) for info in ({}, {"icc_profile": profiles.wide_rgb()}))

    (red, _, _), (widened, _, _) = (decoded(made.thumbnails[0].data).getpixel((60, 40)) for made in (same, other))
    assert widened > red + 5


def test_nothing_but_pixels_gets_out_of_a_heic():
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "canary-of-the-test"

    made = picture(heic(exif=exif.tobytes(), xmp=b"<x:xmpmeta>canary-of-the-test</x:xmpmeta>"), output_format="webp")

    assert b"canary" not in made.thumbnails[0].data


@pytest.mark.parametrize("colours", [b"abcd", b"\0\0\0\0"])
def test_colours_that_a_heic_names_in_an_unknown_way_are_ignored(colours):
    data = heic()
    assert data.count(b"colrnclx") == 1

    made = picture(data.replace(b"colrnclx", b"colr" + colours))

    assert close([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)], corners(made.thumbnails[0]))


@pytest.mark.parametrize("kept", [0.05, 0.5, 0.99])
def test_a_heic_that_is_cut_off_is_corrupt(kept):
    data = heic()

    with pytest.raises(ImageRejectedError) as refused:
        picture(data[: int(len(data) * kept)])

    assert refused.value.category == "corrupt"


def test_a_heic_is_refused_by_name_where_its_decoder_is_not_configured():
    with pytest.raises(ImageRejectedError) as refused:
        picture(heic(), heic=False)

    assert refused.value.category == "unsupported"
    assert "HEIC" in refused.value.message


def test_a_heic_of_too_many_pixels_is_refused_on_its_header():
    with pytest.raises(ImageRejectedError) as refused:
        picture(heic(Image.new("RGB", (2100, 2000))))

    assert (refused.value.category, refused.value.message) == (
        "too-large",
        "the image has 2100 x 2000 pixels; at most 4,000,000 are allowed",
    )
