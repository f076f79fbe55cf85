"""PNG files with odd chunks: both engines decode the same image as without them."""

import struct
import zlib

import pytest
from PIL import Image

from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Animation, Limits, Recipe, make_thumbnails
from imgpipe_processor.imaging.recipe import ENGINES
from tests.lambda_processor import judge, pngs, profiles
from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.kinds import COLOURS
from tests.lambda_processor.writers import exif

LIMITS = Limits(4_000_000, max_frames=100, memory_bytes=512 * 2**20)
SIZE = WIDTH, HEIGHT = COLOURS.size
ROWS = b"".join(b"\0" + COLOURS.convert("RGB").crop((0, y, WIDTH, y + 1)).tobytes() for y in range(COLOURS.height))
HEADER, PACKED, END = pngs.header(*SIZE), zlib.compress(ROWS), pngs.chunk(b"IEND", b"")
PIXELS = pngs.chunk(b"IDAT", PACKED)
LARGER = struct.pack(">IIBBBBB", 2 * WIDTH, HEIGHT, 8, pngs.RGB, 0, 0, 0)


def made(data, engine="pillow", **recipe):
    """Return the result, and its thumbnail as decoded by libvips."""
    result = make_thumbnails(data, Recipe((WIDTH,), output_format="png", engine=engine, **recipe), LIMITS)
    return result, judge.seen(result.thumbnails[0].data)


def category(data, engine="pillow"):
    with pytest.raises(ImageRejectedError) as refused:
        made(data, engine)
    return refused.value.category


def wrong_checksum(kind, data):
    return pngs.chunk(kind, data)[:-1] + b"?"


def with_window(cinfo):
    """Return the compressed rows, with a header that declares a window of 2^(8 + cinfo) bytes."""
    method = cinfo << 4 | 8
    return bytes((method, -(method << 8) % 31)) + PACKED[2:]


CHUNKS = (
    b"pHYs",
    b"iCCP",
    b"tEXt",
    b"zTXt",
    b"iTXt",
    b"gAMA",
    b"cHRM",
    b"sRGB",
    b"cICP",
    b"eXIf",
    b"tRNS",
    b"acTL",
    b"bKGD",
)
TURNED = exif(6).tobytes().removeprefix(b"Exif\0\0")
ODD = {
    **{f"empty {kind.decode()}": HEADER + pngs.chunk(kind, b"") + PIXELS + END for kind in CHUNKS},
    **{
        f"long {kind.decode()}": HEADER + pngs.chunk(kind, b"?" * 99) + PIXELS + END
        for kind in CHUNKS
        if kind != b"tRNS"
    },
    **{
        f"{kind.decode()} of a wrong checksum": HEADER + wrong_checksum(kind, b"\0" * 8) + PIXELS + END
        for kind in CHUNKS
    },
    **{f"{kind.decode()} after the pixels": HEADER + PIXELS + pngs.chunk(kind, b"\0" * 6) + END for kind in CHUNKS},
    "profile of another method": HEADER + pngs.chunk(b"iCCP", b"name\0\1") + PIXELS + END,
    "broken profile of a right checksum": HEADER + pngs.chunk(b"iCCP", b"name\0\0no zlib") + PIXELS + END,
    "profile of a wrong checksum": HEADER
    + wrong_checksum(b"iCCP", b"name\0\0" + zlib.compress(profiles.wide_rgb()))
    + PIXELS
    + END,
    "turned by EXIF of a wrong checksum": HEADER + wrong_checksum(b"eXIf", TURNED) + PIXELS + END,
    "EXIF text of another method": HEADER + pngs.chunk(b"zTXt", b"Raw profile type exif\0\1") + PIXELS + END,
    "suggested palette of a wrong checksum": HEADER + wrong_checksum(b"PLTE", b"\0" * 9) + PIXELS + END,
    "chunk without a name": HEADER + pngs.chunk(b"a\0\xffb", b"?") + PIXELS + END,
    "second header": HEADER + pngs.chunk(b"IHDR", LARGER) + PIXELS + END,
    "text between the pixels": HEADER
    + pngs.chunk(b"IDAT", PACKED[:99])
    + pngs.chunk(b"tEXt", b"a\0b")
    + pngs.chunk(b"IDAT", PACKED[99:])
    + END,
    "no end": HEADER + PIXELS,
    "end of a wrong checksum": HEADER + PIXELS + END[:-1] + b"?",
    "chunk cut off after the pixels": HEADER + PIXELS + pngs.chunk(b"tEXt", b"a\0" + b"b" * 99)[:50],
    "cut off in the checksum of the chunk": HEADER + PIXELS[:-2],
    "cut off in the checksum of the rows": HEADER + PIXELS[:-6],
    "rows without their checksum": HEADER + pngs.chunk(b"IDAT", PACKED[:-4]) + END,
    "rows of a wrong checksum": HEADER + pngs.chunk(b"IDAT", PACKED[:-1] + bytes((PACKED[-1] ^ 1,))) + END,
    "bytes after the rows": HEADER + pngs.chunk(b"IDAT", PACKED + b"more") + END,
    "chunk after the rows": HEADER + PIXELS + pngs.chunk(b"IDAT", b"more") + END,
    "chunk of a wrong checksum after the rows": HEADER + PIXELS + wrong_checksum(b"IDAT", b"more") + END,
    "more rows": HEADER + pngs.chunk(b"IDAT", zlib.compress(2 * ROWS)) + END,
    "a chunk for each byte": HEADER + b"".join(pngs.chunk(b"IDAT", bytes((byte,))) for byte in with_window(0)) + END,
    "100000 chunks after the pixels": HEADER + PIXELS + pngs.chunk(b"teSt", b"") * 100_000 + END,
    **{f"window of 2^{8 + cinfo}": HEADER + pngs.chunk(b"IDAT", with_window(cinfo)) + END for cinfo in range(7)},
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ODD)
def test_png_with_odd_chunks_shows_its_image(name, engine):
    result, shown = made(ODD[name], engine)

    assert judge.difference(COLOURS.convert("RGBA"), shown) == 0
    assert (result.width, result.height, result.frames) == (WIDTH, HEIGHT, 1)


DAMAGED = {
    "header of a wrong checksum": HEADER[:-1] + b"?" + PIXELS + END,
    "header of an unknown compression": pngs.SIGNATURE
    + pngs.chunk(b"IHDR", struct.pack(">IIBBBBB", *SIZE, 8, pngs.RGB, 1, 0, 0))
    + PIXELS
    + END,
    "header of an impossible depth": pngs.header(*SIZE, 16, pngs.PALETTE)
    + pngs.chunk(b"PLTE", b"\0" * 6)
    + PIXELS
    + END,
    "pixels of a wrong checksum": HEADER + wrong_checksum(b"IDAT", PACKED) + END,
    "one row less": HEADER + pngs.chunk(b"IDAT", zlib.compress(ROWS[: -1 - 3 * WIDTH])) + END,
    "one byte less, cut off": HEADER + pngs.chunk(b"IDAT", zlib.compress(ROWS[:-1])),
    "bytes missing in the middle": HEADER + pngs.chunk(b"IDAT", PACKED[:100] + PACKED[140:]) + END,
    "cut off before the pixels": HEADER + pngs.chunk(b"tEXt", b"a\0" + b"b" * 99)[:50],
    "no pixels": HEADER + END,
    "no palette": pngs.header(*SIZE, 8, pngs.PALETTE) + PIXELS + END,
    "palette of a wrong checksum": pngs.header(*SIZE, 8, pngs.PALETTE)
    + wrong_checksum(b"PLTE", b"\0" * 6)
    + PIXELS
    + END,
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", DAMAGED)
def test_png_whose_pixels_are_damaged_is_corrupt(name, engine):
    assert category(DAMAGED[name], engine) == "corrupt"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("bits", "colour_type", "samples", "key", "transparent"),
    [
        (1, pngs.GREY, (0, 1), (1,), (False, True)),
        (1, pngs.GREY, (0, 1), (2,), (True, False)),  # samples of one bit: its lowest
        (2, pngs.GREY, (0, 1, 2, 3), (1,), (False, True, False, False)),
        (2, pngs.GREY, (0, 1, 2, 3), (3,), (False, False, False, True)),
        (4, pngs.GREY, (3, 4, 15), (15,), (False, False, True)),
        (4, pngs.GREY, (3, 4, 15), (0x13,), (True, False, False)),
        (8, pngs.GREY, (7, 8), (0x107,), (True, False)),
        (16, pngs.GREY, (0x1234, 0x1235, 0x1334), (0x1234,), (True, False, False)),
        (8, pngs.RGB, ((1, 2, 3), (1, 2, 4)), (1, 2, 3), (True, False)),
        (16, pngs.RGB, ((65535,) * 3, (65534,) * 3), (65535,) * 3, (True, False)),
        (16, pngs.RGB, ((0x1234,) * 3, (0x1235, 0x1234, 0x1234), (0x3412,) * 3), (0x1234,) * 3, (True, False, False)),
        (16, pngs.RGB, ((1, 2, 300), (1, 2, 44), (257, 2, 300)), (1, 2, 300), (True, False, False)),
    ],
)
def test_all_bits_of_a_transparent_value_are_compared(bits, colour_type, samples, key, transparent, engine):
    bands = 16
    values = [value if isinstance(value, tuple) else (value,) for value in samples for _ in range(bands)]
    packed = 0
    for value in (each for pixel in values for each in pixel):
        packed = packed << bits | value
    size = len(values) * len(values[0]) * bits
    row = (packed << -size % 8).to_bytes(-(-size // 8))
    extra = pngs.chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))
    data = pngs.of_rows(len(values), 8, [row] * 8, bits=bits, colour_type=colour_type, extra=extra)

    result = make_thumbnails(data, Recipe((len(values),), output_format="png", engine=engine), LIMITS)

    alpha = judge.seen(result.thumbnails[0].data).getchannel("A")
    seen = [alpha.getpixel((bands * number + bands // 2, 4)) for number in range(len(samples))]
    assert seen == [0 if clear else 255 for clear in transparent]


def paletted(colours, transparent, indices=(0, 1, 2, 3)):
    """Return stripes of 16 pixels of these colours."""
    row = bytes(index for index in indices for _ in range(16))
    extra = pngs.chunk(b"PLTE", bytes(value for colour in colours for value in colour)) + pngs.chunk(
        b"tRNS", transparent
    )
    return pngs.of_rows(len(row), 8, [row] * 8, colour_type=pngs.PALETTE, extra=extra)


FOUR = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("transparent", "alphas"),
    [
        (b"\0", (0, 255, 255, 255)),
        (b"\xff\0", (255, 0, 255, 255)),
        (b"\0\x0a", (0, 10, 255, 255)),
        (b"\x80\x80\x80\0", (128, 128, 128, 0)),
        (b"\x80\x80\x80\0\0\0\0", (128, 128, 128, 0)),
        (b"", (255, 255, 255, 255)),
    ],
)
def test_transparency_may_be_shorter_or_longer_than_the_palette(transparent, alphas, engine):
    result = make_thumbnails(paletted(FOUR, transparent), Recipe((64,), output_format="png", engine=engine), LIMITS)

    seen = judge.seen(result.thumbnails[0].data)
    assert tuple(seen.getpixel((16 * number + 8, 4))[3] for number in range(4)) == alphas


@pytest.mark.parametrize("engine", ENGINES)
def test_index_beyond_the_palette_is_black(engine):
    data = paletted(FOUR[:2], b"\xff")

    result = make_thumbnails(data, Recipe((64,), output_format="png", engine=engine), LIMITS)

    seen = judge.seen(result.thumbnails[0].data)
    assert [seen.getpixel((16 * number + 8, 4)) for number in range(4)] == [
        (255, 0, 0, 255),
        (0, 255, 0, 255),
        (0, 0, 0, 255),
        (0, 0, 0, 255),
    ]


def animation(*frames, **options):
    return encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], **options)


FRAMES = [COLOURS, COLOURS.transpose(Image.Transpose.ROTATE_180), COLOURS.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
MOVING = animation(*FRAMES, duration=50)


def chunk_offsets(data, kind):
    """Return where the chunks of a kind begin."""
    found = [offset for offset in range(8, len(data)) if data.startswith(kind, offset + 4)]
    assert found
    return found


def changed(data, offset, value):
    return data[:offset] + value + data[offset + len(value) :]


def with_right_checksum(data, offset):
    length = struct.unpack_from(">I", data, offset)[0]
    return changed(data, offset, pngs.chunk(data[offset + 4 : offset + 8], data[offset + 8 : offset + 8 + length]))


CONTROLS, PARTS = chunk_offsets(MOVING, b"fcTL"), chunk_offsets(MOVING, b"fdAT")
BROKEN_FRAMES = {
    "control of a wrong checksum": (changed(MOVING, CONTROLS[2] + 20, b"\7"), 2),
    "frame beyond the image": (with_right_checksum(changed(MOVING, CONTROLS[1] + 20, b"\0\0\0\7"), CONTROLS[1]), 1),
    "first control of a part": (with_right_checksum(changed(MOVING, CONTROLS[0] + 12, b"\0\0\0\1"), CONTROLS[0]), 1),
    "wrong sequence": (with_right_checksum(changed(MOVING, CONTROLS[2] + 8, b"\0\0\0\1"), CONTROLS[2]), 2),
    "unknown disposal": (with_right_checksum(changed(MOVING, CONTROLS[2] + 32, b"\7"), CONTROLS[2]), 2),
    "data of a wrong checksum": (changed(MOVING, PARTS[0] + 20, b"\7\7\7"), 1),
    "cut off in the last frame": (MOVING[: PARTS[1] + 30], 2),
    "cut off after the image": (MOVING[: CONTROLS[1] + 4], 1),
    "count of no frames": (
        MOVING.replace(pngs.chunk(b"acTL", struct.pack(">II", 3, 0)), pngs.chunk(b"acTL", bytes(8))),
        1,
    ),
    "count of a billion frames": (
        MOVING.replace(
            pngs.chunk(b"acTL", struct.pack(">II", 3, 0)), pngs.chunk(b"acTL", struct.pack(">II", 10**9, 0))
        ),
        3,
    ),
}


@pytest.mark.parametrize("name", BROKEN_FRAMES)
def test_broken_frame_ends_the_animation_and_the_first_frame_is_shown(name):
    data, frames = BROKEN_FRAMES[name]

    result, shown = made(data)
    moving = make_thumbnails(data, Recipe((WIDTH,), animation=Animation(10, 10**6), webp_quality=95), LIMITS)

    assert judge.difference(COLOURS.convert("RGBA"), shown) == 0
    assert result.frames == moving.frames == frames
    image = judge.read(moving.thumbnails[0].data, **({"n": -1} if frames > 1 else {}))
    assert image.height // HEIGHT == frames


def test_frame_whose_rows_are_damaged_ends_the_animation_before_it():
    offset = PARTS[1]
    data = with_right_checksum(changed(MOVING, offset + 14, b"\xff" * 8), offset)

    moving = make_thumbnails(data, Recipe((WIDTH,), animation=Animation(10, 10**6)), LIMITS)

    assert moving.thumbnails[0].format == "WEBP"
    assert judge.read(moving.thumbnails[0].data, n=-1).height == 2 * HEIGHT
