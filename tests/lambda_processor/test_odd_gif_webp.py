"""GIF and WebP files with odd parts: the first image is shown, and later frames up to the first damage."""

import struct
from dataclasses import replace

import pytest
from PIL import Image

from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Animation, Limits, Recipe, make_thumbnails
from imgpipe_processor.imaging.recipe import ENGINES
from tests.lambda_processor import gifs, judge
from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.hostile import crafted_webps
from tests.lambda_processor.kinds import COLOURS

LIMITS = Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20)
RED, LIME, BLUE, CLEAR = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0)
PALETTE = [colour[:3] for colour in (RED, LIME, BLUE)]
SCREEN = (96, 64)


def flat(number, size=SCREEN, **options):
    return gifs.Frame(*size, bytes((number,)) * (size[0] * size[1]), **options)


def still(data, engine="pillow"):
    """Return the result, and the pixels of its thumbnail at the left and at the right."""
    result = make_thumbnails(data, Recipe((96,), output_format="png", engine=engine), LIMITS)
    seen = judge.seen(result.thumbnails[0].data)
    return result, [seen.getpixel((x, 32)) for x in (10, 85)]


def moving(data):
    """Return the pixel in the middle of each frame of an animated thumbnail."""
    result = make_thumbnails(data, Recipe((96,), animation=Animation(10, 10**6)), LIMITS)
    thumbnail = result.thumbnails[0].data
    image = judge.read(thumbnail, **({"n": -1} if thumbnail.startswith(b"RIFF") else {}))
    frames = judge.rgba(image)
    return [frames.getpixel((48, 32 + 64 * number)) for number in range(image.height // 64)]


def near(pixels, *expected):
    return len(pixels) == len(expected) and all(
        abs(one - other) < 8
        for pixel, colour in zip(pixels, expected, strict=True)
        for one, other in zip(pixel, colour, strict=True)
    )


def category(data):
    with pytest.raises(ImageRejectedError) as refused:
        still(data)
    return refused.value.category


ONE, TWO = gifs.gif(SCREEN, PALETTE, flat(0)), gifs.gif(SCREEN, PALETTE, flat(0), flat(2), loops=3)
HEAD = 13 + 3 * 4  # of these files: the screen, and the palette of four colours
FIRST = ONE[HEAD:-1]
SECOND = TWO[len(gifs.gif(SCREEN, PALETTE, flat(0), loops=3)) - 1 : -1]
EMPTY = gifs.gif(SCREEN, PALETTE, flat(1, (0, 0), transparent=0))[HEAD:-1]
OLD = b"GIF87a" + ONE[6:]


def between(extra, file=ONE):
    """Return the file with bytes before its first block."""
    return file[:HEAD] + extra + file[HEAD:]


ODD_GIFS = {
    "no trailer": ONE[:-1],
    "no end of the frame": ONE[:-2],
    "zeros before the frame": between(bytes(99)),
    "bytes before the frame": between(b"junk"),
    "bytes before the frame of version 87a": between(b"junk", OLD),
    "zeros after the frame": ONE[:-1] + bytes(99) + b";",
    "bytes after the frame": ONE[:-1] + b"junk" + b";",
    "bytes after the frame of version 87a": OLD[:-1] + b"junk" + b";",
    "extension of no parts": between(b"!\xff\0"),
    "unknown extension of no parts": between(b"!\x07\0"),
    "control of no parts": between(b"!\xf9\0"),
    "control of one byte": between(b"!\xf9\1\1\0"),
    "control of three bytes": between(b"!\xf9\3\1\0\0\0"),
    "control before another": between(b"!\xf9\4\1\0\0\0\0"),
    "loops without a count": between(b"!\xff\x0bNETSCAPE2.0\0"),
    "loops of one byte": between(b"!\xff\x0bNETSCAPE2.0\1\1\0"),
    "frame without pixels before the first": between(EMPTY),
    "two frames without pixels before the first": between(EMPTY + EMPTY),
    "extension cut off after the frame": ONE[:-1] + b"!\xfe\x99abc",
    "extension of 60000 parts after the frame": ONE[:-1] + b"!\xfe" + b"\1a" * 60_000 + b"\0;",
    "beginning of a frame after the frame": ONE[:-1] + b",\0\0",
    "second frame cut off": ONE[:-1] + SECOND[: len(SECOND) // 2],
    "palette of the second frame cut off": ONE[:-1] + b"," + struct.pack("<4HB", 0, 0, *SCREEN, 0x87) + b"abc",
    "size of the screen is zero": ONE[:6] + bytes(4) + ONE[10:],
}


@pytest.mark.parametrize("name", ODD_GIFS)
def test_gif_with_odd_parts_shows_its_first_frame(name):
    result, pixels = still(ODD_GIFS[name])

    assert (pixels, result.frames, result.width, result.height) == ([RED, RED], 1, *SCREEN)
    assert near(moving(ODD_GIFS[name]), RED)


DAMAGED_GIFS = {
    "half of its first frame": ONE[: HEAD + len(FIRST) // 2],
    "half of its first frame with a trailer": ONE[: HEAD + len(FIRST) // 2] + b"\0;",
    "no code size": ONE[: HEAD + 18],
    "extension cut off before the frame": ONE[:HEAD] + b"!\xfe\x99abc",
    "frames without pixels only": ONE[:HEAD] + EMPTY + b";",
    "no frame": ONE[:HEAD] + b";",
    "palette cut off": ONE[: HEAD - 3],
}


@pytest.mark.parametrize("name", DAMAGED_GIFS)
def test_gif_without_all_pixels_of_a_frame_is_corrupt(name):
    assert category(DAMAGED_GIFS[name]) == "corrupt"


SEEN_ONLY_AS = {
    "zeros between": (TWO[: -1 - len(SECOND)] + bytes(9) + SECOND + b";", [RED, BLUE]),
    "bytes between in version 87a": (b"GIF87a" + (TWO[: -1 - len(SECOND)] + b"junk" + SECOND + b";")[6:], [RED, BLUE]),
    "bytes between in version 89a end it": (TWO[: -1 - len(SECOND)] + b"junk" + SECOND + b";", [RED]),
    "frame without pixels before the first": (between(EMPTY, TWO), [RED, BLUE]),
    "third frame cut off": (TWO[:-1] + SECOND[:-20], [RED, BLUE]),
    "third frame of damaged codes": (TWO[:-1] + SECOND[:-300] + b"\0;", [RED, BLUE]),
    "second frame of damaged codes": (TWO[: -1 - 300] + b"\0;", [RED]),
    "no trailer": (TWO[:-1], [RED, BLUE]),
}


@pytest.mark.parametrize("name", SEEN_ONLY_AS)
def test_gif_stays_animated_up_to_its_first_damage(name):
    data, colours = SEEN_ONLY_AS[name]

    assert near(moving(data), *colours)
    assert still(data)[1] == [RED, RED]


def test_gif_with_an_odd_extension_keeps_its_loop_count():
    data = between(b"!\x07\0", TWO)

    result = make_thumbnails(data, Recipe((96,), animation=Animation(10, 10**6)), LIMITS)

    assert judge.read(result.thumbnails[0].data, n=-1).get("loop") == 4


def test_gif_with_an_odd_extension_keeps_its_transparency():
    data = between(b"!\x07\0", gifs.gif(SCREEN, PALETTE, replace(flat(0), transparent=0)))

    assert still(data)[1] == [CLEAR, CLEAR]


def chunks(data):
    """Return the chunks of a WebP."""
    found, at = [], 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        found.append((kind, data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return found


def extended(*following, flags=0, size=SCREEN, more=b""):
    sides = b"".join((side - 1).to_bytes(3, "little") for side in size)
    return crafted_webps.riff((b"VP8X", struct.pack("<I", flags) + sides + more), *following)


def lossless(colour, size=SCREEN):
    return chunks(encoded(Image.new("RGB" if colour[3] == 255 else "RGBA", size, colour), "WEBP", lossless=True))[-1]


def frame(colour, at=(0, 0), size=SCREEN, flags=0, coded=None):
    """Return a frame as a chunk: position, size, a duration of 100 ms, flags, and its image."""
    numbers = (at[0] // 2, at[1] // 2, size[0] - 1, size[1] - 1, 100)
    head = b"".join(number.to_bytes(3, "little") for number in numbers) + bytes((flags,))
    kind, data = coded or lossless(colour, size)
    return b"ANMF", head + kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


(SCENE,) = chunks(encoded(COLOURS, "WEBP", lossless=True))
SIMPLE = crafted_webps.riff(SCENE)
CONTROL = (b"ANIM", b"\xff\xff\xff\xff\0\0")  # white under all frames
ANIMATED, ALPHA, PROFILE, CLEARED = 2, 16, 32, 1


def with_length(data, length):
    return data[:4] + struct.pack("<I", length) + data[8:]


ODD_WEBPS = {
    "length too large": with_length(SIMPLE, len(SIMPLE) + 100),
    "length too small": with_length(SIMPLE, len(SIMPLE) - 20),
    "length of zero": with_length(SIMPLE, 0),
    "unknown chunk before the image": crafted_webps.riff((b"ABCD", b"?"), SCENE),
    "alpha without its header": crafted_webps.riff((b"ALPH", b"?"), SCENE),
    "chunk cut off after the image": SIMPLE + b"EXIF\x99\0\0\0abc",
    "chunk cut off after the image, in its length": with_length(SIMPLE + b"EXIF\x99\0\0\0abc", len(SIMPLE) + 153),
    "second image": crafted_webps.riff(SCENE, lossless(RED)),
    "longer header": extended(SCENE, more=b"??"),
    "header of a smaller size": extended(SCENE, size=(20, 20)),
    "header of far too large a size": extended(SCENE, size=(2**24, 2**24)),
    "header cut short": crafted_webps.riff((b"VP8X", bytes(6)), SCENE),
    "header of nothing": crafted_webps.riff((b"VP8X", b""), SCENE),
    "second header": extended((b"VP8X", bytes(10)), SCENE),
    "header after the image": crafted_webps.riff(SCENE, (b"VP8X", bytes(10))),
    "reserved flags": extended(SCENE, flags=0xC1),
    "flag of an animation": extended(SCENE, flags=ANIMATED),
    "control of an animation": extended(CONTROL, SCENE),
    "frame after the image": extended(SCENE, frame(RED)),
    "profile that is none": extended((b"ICCP", b"?"), SCENE, flags=PROFILE),
    "2000 chunks after the image": crafted_webps.riff(SCENE, *[(b"ABCD", b"")] * 2_000),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ODD_WEBPS)
def test_webp_with_odd_chunks_shows_its_image(name, engine):
    result = make_thumbnails(ODD_WEBPS[name], Recipe((96,), output_format="png", engine=engine), LIMITS)

    assert judge.difference(COLOURS.convert("RGBA"), judge.seen(result.thumbnails[0].data)) == 0
    assert result.frames == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_transparency_of_lossless_webp_does_not_depend_on_flags(engine):
    half = (*RED[:3], 128)

    assert near(still(extended(lossless(half, (96, 64))), engine)[1], half, half)


LEFT_HALF = frame(RED, size=(48, 64))
PARTS = {
    "whole first frame": (frame(RED), [RED, RED]),
    "left half": (LEFT_HALF, [RED, CLEAR]),
    "right half": (frame(RED, at=(48, 0), size=(48, 64)), [CLEAR, RED]),
    "transparent data": (frame((*RED[:3], 128)), [(*RED[:3], 128)] * 2),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("later", [(), (frame(BLUE),)], ids=["alone", "first-of-two"])
@pytest.mark.parametrize("flags", [ANIMATED, ANIMATED | ALPHA, 0])
@pytest.mark.parametrize("name", PARTS)
def test_webp_is_transparent_where_its_first_frame_is_transparent_or_missing(name, flags, later, engine):
    first, expected = PARTS[name]

    result, pixels = still(extended(CONTROL, first, *later, flags=flags), engine)

    assert near(pixels, *expected)
    assert result.frames == 1 + len(later)


def test_animated_webp_is_transparent_where_a_frame_was_cleared():
    data = extended(CONTROL, frame(RED, flags=CLEARED), frame(BLUE, size=(20, 64)), flags=ANIMATED)

    assert near(moving(data), RED, CLEAR)


WHOLE = extended(CONTROL, frame(RED), frame(BLUE), flags=ANIMATED)
BROKEN_WEBPS = {
    "no header": (crafted_webps.riff(CONTROL, frame(RED), frame(BLUE)), [RED, BLUE]),
    "header cut short": (crafted_webps.riff((b"VP8X", b"\2\0\0\0"), CONTROL, frame(RED), frame(BLUE)), [RED, BLUE]),
    "header of a smaller size": (
        extended(CONTROL, frame(RED), frame(BLUE), flags=ANIMATED, size=(20, 20)),
        [RED, BLUE],
    ),
    "no control": (extended(frame(RED), frame(BLUE), flags=ANIMATED), [RED, BLUE]),
    "third frame cut off": (WHOLE + frame(LIME)[0] + b"\x99\0\0\0abc", [RED, BLUE]),
    "third frame beyond the canvas": (
        extended(CONTROL, frame(RED), frame(BLUE), frame(LIME, at=(2, 0)), flags=ANIMATED),
        [RED, BLUE],
    ),
    "third frame without an image": (
        extended(CONTROL, frame(RED), frame(BLUE), frame(LIME, coded=(b"ABCD", b"")), flags=ANIMATED),
        [RED, BLUE],
    ),
    "second frame of damaged codes": (
        extended(CONTROL, frame(RED), frame(BLUE, coded=(b"VP8L", lossless(BLUE)[1][:6])), flags=ANIMATED),
        [RED],
    ),
}


@pytest.mark.parametrize("name", BROKEN_WEBPS)
def test_webp_stays_animated_up_to_its_first_damage(name):
    data, colours = BROKEN_WEBPS[name]

    assert near(moving(data), *colours)
    assert near(still(data)[1], RED, RED)


@pytest.mark.parametrize(
    "data",
    [
        SIMPLE[:-40],
        with_length(SIMPLE[:-40], len(SIMPLE) - 48),
        extended(CONTROL, frame(RED), flags=ANIMATED)[:-9],
        extended((b"ABCD", b""), flags=0),
    ],
    ids=["cut-off", "cut-off-with-its-length", "first-frame-cut-off", "no-image"],
)
def test_webp_with_an_incomplete_first_image_is_corrupt(data):
    assert category(data) == "corrupt"
