"""Decoding a TIFF: libtiff unpacks its samples, by a directory that names nothing but its first picture."""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Iterator

from PIL import Image, ImageChops

from .colour import ranged
from .packed import Undecoded, samples
from .structures import tiff_tags as tags
from .structures.structure import corrupt, unsupported
from .structures.tiff_kinds import COPIED, Kind
from .structures.tiff_picture import TiffPicture, read_picture
from .tiff_directories import View, with_directory

# Samples are taken out of rows of so many bytes at once, besides the decoded picture.
_BAND_BYTES = 2**18

_BYTE = 8  # bits
_COLOURS, _WHITE = 256, 255  # of a palette


def open_tiff(data: bytes) -> Image.Image:
    """The first picture of a TIFF, not decoded yet, as it is stored."""
    picture = read_picture(data)
    image = Undecoded("TIFF", (picture.width, picture.height), lambda: _decoded(picture))
    profile = picture.directory.value(tags.ICC_PROFILE)
    if profile is not None:
        image.info["icc_profile"] = profile
    return image


def _decoded(picture: TiffPicture) -> Image.Image:
    kind = picture.kind
    if kind.raw_mode is None:
        return _sampled(picture)
    view = View(picture.width, kind.bits, kind.samples, kind.photometric)
    image = _unpacked(picture, view, kind.mode, kind.raw_mode)
    if kind.measured:
        visible = ranged(image if kind.mode == "F" else _of_halves(image))
        return ImageChops.invert(visible) if kind.inverted else visible
    if kind.photometric == tags.PALETTE:
        image.putpalette(_palette(picture))
    return image.point(lambda value: value * -1 + 65_535) if kind.inverted else image


def _unpacked(picture: TiffPicture, view: View, mode: str, raw_mode: str) -> Image.Image:
    """What libtiff makes of the picture as `view` describes it."""
    file = with_directory(picture, view)
    # The decoder's last arguments are a file's number and a directory's offset: none, and the first.
    return Image.frombytes(mode, (view.width, picture.height), file, "libtiff", raw_mode, 0, 0)


def _of_halves(image: Image.Image) -> Image.Image:
    """Fractions of 16 bits, which Pillow has no mode for, as fractions of 32."""
    made = Image.new("F", image.size)
    for top, rows in _bands(image.height, 2 * image.width):
        band = image.crop((0, top, image.width, top + rows)).tobytes()
        numbers = array("f", struct.unpack(f"<{rows * image.width}e", band))  # Pillow's I;16 is little-endian
        made.paste(Image.frombytes("F", (image.width, rows), numbers.tobytes(), "raw", "F;32NF"), (0, top))
    return made


def _bands(height: int, row_bytes: int) -> Iterator[tuple[int, int]]:
    """Upper row and height of parts of a picture that take about `_BAND_BYTES`."""
    step = max(1, _BAND_BYTES // row_bytes)
    return ((top, min(step, height - top)) for top in range(0, height, step))


def _palette(picture: TiffPicture) -> bytes:
    """Red, green and blue of each index; those that the file has no colour for are black."""
    numbers = picture.directory.numbers(tags.COLOUR_MAP)
    if not numbers or min(numbers) < 0:
        corrupt("its palette is missing")
    # Some writers give 8 bits where 16 are due; libtiff recognizes it by the same rule.
    values = bytes(min(value >> 8 if max(numbers) > _WHITE else value, _WHITE) for value in numbers)
    table = bytearray(3 * _COLOURS)
    colours = len(values) // 3
    for channel in range(3):
        entries = values[channel * colours : (channel + 1) * colours][:_COLOURS]
        table[channel : 3 * len(entries) : 3] = entries
    return bytes(table)


def _sampled(picture: TiffPicture) -> Image.Image:
    """Take the samples out of the pixels, or out of the planes, one by one."""
    kind = picture.kind
    pixel_bits = kind.bits * (1 if kind.separate else kind.samples)
    group = math.lcm(pixel_bits, _BYTE) // _BYTE  # bytes until a pixel begins with a byte again
    copied = picture.predictor != 1
    if copied:  # only as what they are can libtiff undo their predictor
        mode, width = COPIED[pixel_bits], picture.width
        view = View(width, kind.bits, pixel_bits // kind.bits, tags.BLACK_IS_ZERO)
    else:
        if picture.parts.tile and picture.parts.tile[0] * pixel_bits % _BYTE:
            unsupported("the rows of the TIFF's tiles do not end with a byte; save it in strips")
        row_bytes = -(-picture.width * pixel_bits // _BYTE)
        mode, width = "L", row_bytes + -row_bytes % group
        view = View(row_bytes, _BYTE, 1, tags.BLACK_IS_ZERO, bits_of_pixel=pixel_bits)
    planes = kind.channels if kind.separate else (None,)
    raw_mode = "I;16N" if mode == "I;16" else mode
    stored = [_unpacked(picture, view._replace(plane=plane), mode, raw_mode) for plane in planes]
    # libtiff gives numbers in the machine's byte order, and bytes as they are in the file.
    upper_bits = kind.bits - _BYTE if copied or picture.directory.order == "<" else 0
    made = Image.new(kind.mode, (picture.width, picture.height))
    for top, rows in _bands(picture.height, width * len(stored) * group):
        bands = [image.crop((0, top, width, top + rows)).tobytes() for image in stored]
        channels = []
        for number, channel in enumerate(kind.channels):
            pixels, first = (bands[number], 0) if kind.separate else (bands[0], channel * kind.bits)
            first += upper_bits if kind.bits % _BYTE == 0 else 0  # others are stored bit by bit, the highest first
            channels.append(_channel(pixels, rows, group, pixel_bits, first, kind.bits).crop((0, 0, made.width, rows)))
        made.paste(_merged(kind, channels), (0, top))
    return made


def _channel(pixels: bytes, rows: int, group: int, pixel_bits: int, first: int, bits: int) -> Image.Image:
    """One sample of every pixel: that which begins at bit `first` of the pixel."""
    in_group = group * _BYTE // pixel_bits
    values = bytearray(len(pixels) // group * in_group)
    for pixel in range(in_group):
        values[pixel::in_group] = samples(pixels, group, pixel * pixel_bits + first, bits)
    return Image.frombytes("L", (len(values) // rows, rows), bytes(values))


def _merged(kind: Kind, channels: list[Image.Image]) -> Image.Image:
    if kind.inverted:
        channels[0] = ImageChops.invert(channels[0])
    if kind.photometric == tags.LAB:  # whose differences are signed numbers, which Pillow keeps with an offset
        channels[1:] = [channel.point(lambda value: value ^ 128) for channel in channels[1:]]
    if len(channels) == 1:
        return channels[0]
    if kind.premultiplied:
        return Image.merge(kind.mode[:-1] + "a", channels).convert(kind.mode)
    return Image.merge(kind.mode, channels)
