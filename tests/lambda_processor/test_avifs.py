"""AVIF files are rejected only because of the parts of their image."""

import struct

import pytest
from PIL import Image

from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Limits, Recipe, make_thumbnails
from imgpipe_processor.imaging.structures.heif import read_avif
from tests.lambda_processor import avifs, judge
from tests.lambda_processor.avifs import ALPHA, Item, avif, grid, image_item
from tests.lambda_processor.fakes import encoded, photo
from tests.lambda_processor.hostile.boxes import box, size
from tests.lambda_processor.kinds import COLOURS, VEILED
from tests.lambda_processor.test_hostile_ends import scene

LIMITS = Limits(1_000_000, max_frames=100, memory_bytes=512 * 2**20)
CLOSE = 2
BEYOND = (10**8, 1_000)


def off(data, image, size_px=96):
    """Return the difference of the thumbnail from the image."""
    (made,) = make_thumbnails(data, Recipe((size_px,), "png"), LIMITS).thumbnails
    return judge.difference(judge.reduced(image, made.width, made.height), judge.seen(made.data))


def refusal(data, limits=LIMITS):
    with pytest.raises(ImageRejectedError) as caught:
        make_thumbnails(data, Recipe((64,)), limits)
    return caught.value.category


def tiled(tile, columns, rows):
    whole = Image.new("RGB", (columns * tile.width, rows * tile.height))
    for place in range(columns * rows):
        whole.paste(tile, (place % columns * tile.width, place // columns * tile.height))
    return whole


TILE = scene().resize((64, 64))


def test_tiles_of_a_grid_may_share_one_stored_part_of_the_file():
    tiles = [image_item(TILE) for _ in range(64)]

    assert off(avif(grid(8, 8, 512, 512, list(range(2, 66))), *tiles), tiled(TILE, 8, 8), 512) < CLOSE


def test_tiles_of_a_grid_may_be_one_item():
    assert off(avif(grid(8, 8, 512, 512, [2] * 64), image_item(TILE)), tiled(TILE, 8, 8), 512) < CLOSE


def test_alpha_of_a_grid_may_be_a_grid_of_equal_tiles():
    tiles = [image_item(TILE) for _ in range(4)]
    veils = [image_item(Image.new("L", (64, 64), 90), ALPHA, subsampling="4:0:0") for _ in range(4)]
    alpha = grid(2, 2, 128, 128, [7, 8, 9, 10])
    alpha.properties.append(ALPHA)
    alpha.references.append((b"auxl", [1]))
    expected = tiled(TILE, 2, 2)
    expected.putalpha(90)

    assert off(avif(grid(2, 2, 128, 128, [2, 3, 4, 5]), *tiles, alpha, *veils), expected) < CLOSE


def test_grid_with_a_missing_tile_is_corrupt():
    tiles = [image_item(TILE), image_item(TILE.transpose(Image.Transpose.ROTATE_90))]
    data = avif(grid(2, 1, 128, 64, [2, 3]), *tiles)

    assert refusal(data[:-1]) == "corrupt"
    tiles[1].place = BEYOND
    assert refusal(avif(grid(2, 1, 128, 64, [2, 3]), *tiles)) == "corrupt"


def test_tiles_that_each_contain_the_whole_file_are_corrupt():
    """A decoder would read 20 MB a thousand times for 64 pixels."""
    padding = b"\x7a" + b"\x80\x80\x80\x04" + bytes(8 * 2**20 - 1) + b"\x80"
    tile = image_item(Image.new("RGB", (16, 16)))
    tile.data = padding + tile.data
    data = avif(grid(32, 32, 512, 512, list(range(2, 1_026))), *[tile] * 1_024)

    assert refusal(data) == "corrupt"


DESCRIBES = [(b"cdsc", [1])]
EXIF = b"\0\0\0\0" + b"MM\0*" + bytes(20)
ODD = {
    "exif-outside-of-the-file": Item(b"Exif", references=DESCRIBES, place=BEYOND),
    "exif-of-gigabytes": Item(b"Exif", references=DESCRIBES, place=(0, 2**32 - 1)),
    "exif-without-a-header": Item(b"Exif", b"\0\0\0\0nothing like a header", references=DESCRIBES),
    "exif-at-another-place": Item(b"Exif", b"\0\0\0\x09" + EXIF[4:], references=DESCRIBES),
    "xmp-outside-of-the-file": Item(b"mime", references=DESCRIBES, place=BEYOND),
    "thumbnail-outside-of-the-file": Item(b"av01", properties=[size(9, 9)], references=[(b"thmb", [1])], place=BEYOND),
    "thumbnail-larger-than-allowed": Item(
        b"av01", b"no coded data", properties=[size(9_000, 9_000)], references=[(b"thmb", [1])]
    ),
    "thumbnail-empty": Item(b"av01", bytes(99), properties=[size(9, 9)], references=[(b"thmb", [1])]),
    "gain-map-outside-of-the-file": Item(b"tmap", properties=[size(9, 9)], references=[(b"dimg", [1])], place=BEYOND),
    "gain-map-of-nothing": Item(b"tmap", b"\0", properties=[size(9, 9)], references=[(b"dimg", [1])]),
    "depth-map-outside-of-the-file": Item(
        b"av01",
        properties=[size(9, 9), box(b"auxC", bytes(4), b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth\0")],
        references=[(b"auxl", [1])],
        place=BEYOND,
    ),
    "item-of-no-kind": Item(b"\xff\xff\xff\xff", place=BEYOND),
}


@pytest.mark.parametrize("name", ODD)
def test_items_that_are_not_decoded_may_be_odd(name):
    assert off(avif(image_item(COLOURS), ODD[name]), COLOURS) < CLOSE


SRGB, BT_2020 = (struct.pack(">4sHHHB", b"nclx", *numbers, 128) for numbers in ((1, 13, 6), (9, 1, 9)))
PROPERTIES = {
    "depth-cut-off": [box(b"pixi", bytes(4), b"\3\x08")],
    "another-depth": [box(b"pixi", bytes(4), b"\3\x0a\x0a\x0a")],
    "light-level-cut-off": [box(b"clli", b"\0")],
    "aspect-cut-off": [box(b"pasp", b"\0\0\0\1")],
    "layers-cut-off": [box(b"a1lx", b"\0")],
    "turn-of-no-bytes": [box(b"irot", b"")],
    "colours-cut-off": [box(b"colr", BT_2020[:9])],
    "colours-of-no-bytes": [box(b"colr", b"")],
    "profile-of-no-bytes": [box(b"colr", b"prof")],
    "profile-of-one-byte": [box(b"colr", b"prof\0")],
    "colours-named-twice": [box(b"colr", SRGB), box(b"colr", BT_2020)],
    "two-depths": [box(b"pixi", bytes(4), b"\3\x08\x08\x08"), box(b"pixi", bytes(4), b"\1\x08")],
    "operating-point-not-marked": [box(b"a1op", b"\0")],
}


@pytest.mark.parametrize("name", PROPERTIES)
def test_properties_that_no_pixel_depends_on_may_be_odd(name):
    assert off(avif(image_item(COLOURS, *PROPERTIES[name])), COLOURS) < CLOSE


@pytest.mark.parametrize("name", ["depth-cut-off", "colours-of-no-bytes"])
def test_properties_of_an_item_that_is_not_decoded_may_be_odd(name):
    thumbnail = image_item(TILE, *PROPERTIES[name], references=[(b"thmb", [1])])

    assert off(avif(image_item(COLOURS), thumbnail), COLOURS) < CLOSE


def test_image_that_refers_to_itself_as_a_thumbnail_is_accepted():
    assert off(avif(image_item(COLOURS, references=[(b"thmb", [1])])), COLOURS) < CLOSE


@pytest.mark.parametrize("kind", [b"iden", b"iovl"])
def test_derived_images_other_than_grids_are_unsupported(kind):
    layout = b"\0\0" + bytes(8) + struct.pack(">HHHH", *TILE.size, 0, 0)
    derived = Item(kind, layout if kind == b"iovl" else b"", [size(*TILE.size)], [(b"dimg", [2])])

    assert refusal(avif(derived, image_item(TILE))) == "unsupported"


@pytest.mark.parametrize(
    ("after", "claims"),
    [
        (struct.pack(">I4s", 9_999, b"free") + bytes(9), 0),
        (b"\0\0\0\3", 0),
        (bytes(3), 0),
        (b"\0\0\0\3odd and more", 0),
        (b"\xff" * 99, 0),
        (b"", 1),
        (b"", 10**9),
    ],
    ids=["cut-off-box", "half-a-header", "three-bytes", "short-box", "garbage", "claims-1-more", "claims-1-gb-more"],
)
def test_bytes_after_the_image_may_be_odd(after, claims):
    assert off(avif(image_item(COLOURS), after=after, media_claims=claims), COLOURS) < CLOSE


@pytest.mark.parametrize("tables_of_properties", [1, 2])
@pytest.mark.parametrize("sized", [True, False])
def test_alpha_without_a_size_or_with_a_separate_table_is_kept(sized, tables_of_properties):
    veil = image_item(VEILED.getchannel("A"), ALPHA, subsampling="4:0:0", references=[(b"auxl", [1])])
    if not sized:
        del veil.properties[0]

    data = avif(image_item(VEILED.convert("RGB")), veil, tables_of_properties=tables_of_properties)

    assert off(data, VEILED) < CLOSE


def test_missing_alpha_is_corrupt():
    veil = image_item(VEILED.getchannel("A"), ALPHA, subsampling="4:0:0", references=[(b"auxl", [1])])
    veil.place = BEYOND

    assert refusal(avif(image_item(VEILED.convert("RGB")), veil)) == "corrupt"


def test_coded_image_beyond_the_pixel_limit_is_rejected():
    assert refusal(avif(image_item(COLOURS)), LIMITS._replace(max_pixels=1_000)) == "too-large"


def sequence(count):
    frames = [Image.new("RGB", (64, 64), (200, 90, 40))] + [photo(64, 64)] * (count - 1)
    return encoded(frames[0], "AVIF", save_all=True, append_images=frames[1:], quality=100, subsampling="4:4:4"), frames


def test_sequence_truncated_in_a_later_frame_shows_its_first_frame():
    data, frames = sequence(3)

    assert off(data[:-1], frames[0]) < CLOSE


def test_sequence_truncated_in_its_first_frame_is_corrupt():
    data, _frames = sequence(3)

    assert refusal(data[: data.index(b"mdat") + 6]) == "corrupt"


@pytest.mark.parametrize("broken", [b"stco", b"stsc"])
def test_sequence_with_invalid_tables_shows_its_first_frame(broken):
    data, frames = sequence(3)
    at = data.index(broken) + 8

    assert off(data[:at] + b"\xff" * 8 + data[at + 8 :], frames[0]) < CLOSE


def test_sequence_beyond_the_frame_limit_shows_its_first_frame():
    data, frames = sequence(12)

    found = read_avif(data, 10)

    assert (found.width, found.height, found.frames) == (64, 64, 12)
    assert off(found.decodable, frames[0]) < CLOSE


def test_coded_data_that_contain_the_start_of_another_file_are_corrupt():
    data = avif(image_item(scene()))

    assert refusal(data[: len(data) // 2] + data) == "corrupt"
    assert avifs.coded(scene())[0] in data
