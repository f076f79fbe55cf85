"""HEIC is accepted if its decoder is configured, and rejected with its name otherwise."""

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
    """Return a file as phones write it; only these tests use its encoder."""
    file = pillow_heif.from_pillow(image or photo())
    file.info.update(info)
    out = BytesIO()
    file.save(out, quality=95, chroma=444)
    return out.getvalue()


def thumbnails_of(data, *, heic=True, **recipe):
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


def test_heic_image_becomes_a_thumbnail():
    made = thumbnails_of(heic())

    assert (made.format, made.width, made.height, made.frames) == ("HEIF", 400, 200, 1)
    assert (made.thumbnails[0].format, made.thumbnails[0].width, made.thumbnails[0].height) == ("JPEG", 128, 64)
    assert close([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)], corners(made.thumbnails[0]))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_thumbnail_is_upright_for_every_orientation(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored = photo()
    upright = stored.transpose(TRANSPOSITIONS[orientation]) if orientation in TRANSPOSITIONS else stored

    made = thumbnails_of(heic(stored, exif=exif.tobytes()))

    assert (made.width, made.height) == upright.size
    expected = Thumbnail(
        encoded(upright.resize((made.thumbnails[0].width, made.thumbnails[0].height)), "PNG"), "", 0, 0
    )
    assert close(corners(expected), corners(made.thumbnails[0]))


def test_heic_transparency_is_kept():
    image = photo().convert("RGBA")
    image.putalpha(100)

    assert thumbnails_of(heic(image)).thumbnails[0].format == "PNG"


def test_heic_profile_is_applied():
    plain = Image.new("RGB", (300, 200), (200, 100, 50))

    same, other = (thumbnails_of(heic(plain, **info)) for info in ({}, {"icc_profile": profiles.wide_rgb()}))

    (red, _, _), (widened, _, _) = (decoded(made.thumbnails[0].data).getpixel((60, 40)) for made in (same, other))
    assert widened > red + 5


def test_heic_thumbnail_contains_only_pixels():
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "canary-of-the-test"

    made = thumbnails_of(
        heic(exif=exif.tobytes(), xmp=b"<x:xmpmeta>canary-of-the-test</x:xmpmeta>"), output_format="webp"
    )

    assert b"canary" not in made.thumbnails[0].data


@pytest.mark.parametrize("colours", [b"abcd", b"\0\0\0\0"])
def test_unknown_colour_box_of_a_heic_is_ignored(colours):
    data = heic()
    assert data.count(b"colrnclx") == 1

    made = thumbnails_of(data.replace(b"colrnclx", b"colr" + colours))

    assert close([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)], corners(made.thumbnails[0]))


@pytest.mark.parametrize("kept", [0.05, 0.5, 0.99])
def test_truncated_heic_is_corrupt(kept):
    data = heic()

    with pytest.raises(ImageRejectedError) as refused:
        thumbnails_of(data[: int(len(data) * kept)])

    assert refused.value.category == "corrupt"


def test_message_names_heic_if_heic_is_not_enabled():
    with pytest.raises(ImageRejectedError) as refused:
        thumbnails_of(heic(), heic=False)

    assert refused.value.category == "unsupported"
    assert "HEIC" in refused.value.message


def test_heic_with_too_many_pixels_is_rejected_by_its_header():
    with pytest.raises(ImageRejectedError) as refused:
        thumbnails_of(heic(Image.new("RGB", (2100, 2000))))

    assert (refused.value.category, refused.value.message) == (
        "too-large",
        "the image has 2100 x 2000 pixels; at most 4,000,000 are allowed",
    )
