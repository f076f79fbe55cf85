"""Decode a TIFF: libtiff unpacks the samples of the first image, from a directory that describes only that image."""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Iterator

from PIL import Image, ImageChops

from .colour import scale_measured
from .structures import tiff_tags as tags
from .structures.structure import corrupt, unsupported
from .structures.tiff_first_image import TiffImage, read_first_image
from .structures.tiff_pixel_format import COPIED, PixelFormat
from .tiff_directory_writer import ImageDescription, add_directory
from .unpacking import LazyImage, unpack_samples

# Samples are extracted from rows of so many bytes at once, in addition to the decoded image.
_BAND_BYTES = 2**18

_BYTE = 8  # bits
_COLOURS, _WHITE = 256, 255  # of a palette


def open_tiff(data: bytes) -> Image.Image:
    """Return the first image of a TIFF as stored, not decoded yet."""
    tiff = read_first_image(data)
    image = LazyImage("TIFF", (tiff.width, tiff.height), lambda: _decoded(tiff))
    profile = tiff.directory.value(tags.ICC_PROFILE)
    if profile is not None:
        image.info["icc_profile"] = profile
    return image


def _decoded(tiff: TiffImage) -> Image.Image:
    pixel_format = tiff.pixel_format
    if pixel_format.raw_mode is None:
        return _sampled(tiff)
    description = ImageDescription(tiff.width, pixel_format.bits, pixel_format.samples, pixel_format.photometric)
    image = _unpacked(tiff, description, pixel_format.mode, pixel_format.raw_mode)
    if pixel_format.measured:
        visible = scale_measured(image if pixel_format.mode == "F" else _floats_of_halves(image))
        return ImageChops.invert(visible) if pixel_format.inverted else visible
    if pixel_format.photometric == tags.PALETTE:
        image.putpalette(_palette(tiff))
    return image.point(lambda value: value * -1 + 65_535) if pixel_format.inverted else image


def _unpacked(tiff: TiffImage, description: ImageDescription, mode: str, raw_mode: str) -> Image.Image:
    """Return the pixels that libtiff decodes when `description` describes the image."""
    file = add_directory(tiff, description)
    # The last arguments of the decoder are a file descriptor and the offset of a directory: none, and the first.
    return Image.frombytes(mode, (description.width, tiff.height), file, "libtiff", raw_mode, 0, 0)


def _floats_of_halves(image: Image.Image) -> Image.Image:
    """Convert 16-bit floats, for which Pillow has no mode, to 32-bit floats."""
    made = Image.new("F", image.size)
    for top, rows in _bands(image.height, 2 * image.width):
        band = image.crop((0, top, image.width, top + rows)).tobytes()
        numbers = array("f", struct.unpack(f"<{rows * image.width}e", band))  # Pillow's I;16 is little-endian
        made.paste(Image.frombytes("F", (image.width, rows), numbers.tobytes(), "raw", "F;32NF"), (0, top))
    return made


def _bands(height: int, row_bytes: int) -> Iterator[tuple[int, int]]:
    """Return the upper row and the height of parts of an image of about `_BAND_BYTES` each."""
    step = max(1, _BAND_BYTES // row_bytes)
    return ((top, min(step, height - top)) for top in range(0, height, step))


def _palette(tiff: TiffImage) -> bytes:
    """Return red, green and blue of each index; indices without a colour in the file are black."""
    numbers = tiff.directory.numbers(tags.COLOUR_MAP)
    if not numbers or min(numbers) < 0:
        corrupt("its palette is missing")
    # Some writers write 8 bits instead of 16; libtiff detects it by the same rule.
    values = bytes(min(value >> 8 if max(numbers) > _WHITE else value, _WHITE) for value in numbers)
    table = bytearray(3 * _COLOURS)
    colours = len(values) // 3
    for channel in range(3):
        entries = values[channel * colours : (channel + 1) * colours][:_COLOURS]
        table[channel : 3 * len(entries) : 3] = entries
    return bytes(table)


def _sampled(tiff: TiffImage) -> Image.Image:
    """Extract the samples from the pixels, or from the planes, one by one."""
    pixel_format = tiff.pixel_format
    pixel_bits = pixel_format.bits * (1 if pixel_format.separate else pixel_format.samples)
    group = math.lcm(pixel_bits, _BYTE) // _BYTE  # bytes until a pixel begins at a byte again
    copied = tiff.predictor != 1
    if copied:  # libtiff undoes a predictor only for pixels as they are
        mode, width = COPIED[pixel_bits], tiff.width
        description = ImageDescription(width, pixel_format.bits, pixel_bits // pixel_format.bits, tags.BLACK_IS_ZERO)
    else:
        if tiff.parts.tile and tiff.parts.tile[0] * pixel_bits % _BYTE:
            unsupported("the rows of the TIFF's tiles do not end with a byte; save it in strips")
        row_bytes = -(-tiff.width * pixel_bits // _BYTE)
        mode, width = "L", row_bytes + -row_bytes % group
        description = ImageDescription(row_bytes, _BYTE, 1, tags.BLACK_IS_ZERO, bits_of_pixel=pixel_bits)
    planes = pixel_format.channels if pixel_format.separate else (None,)
    raw_mode = "I;16N" if mode == "I;16" else mode
    stored = [_unpacked(tiff, description._replace(plane=plane), mode, raw_mode) for plane in planes]
    # libtiff returns numbers in the machine's byte order, and bytes as they are in the file.
    upper_bits = pixel_format.bits - _BYTE if copied or tiff.directory.order == "<" else 0
    made = Image.new(pixel_format.mode, (tiff.width, tiff.height))
    for top, rows in _bands(tiff.height, width * len(stored) * group):
        bands = [image.crop((0, top, width, top + rows)).tobytes() for image in stored]
        channels = []
        for number, channel in enumerate(pixel_format.channels):
            pixels, first = (bands[number], 0) if pixel_format.separate else (bands[0], channel * pixel_format.bits)
            if pixel_format.bits % _BYTE == 0:  # other depths are stored bit by bit, the highest first
                first += upper_bits
            channels.append(
                _channel(pixels, rows, group, pixel_bits, first, pixel_format.bits).crop((0, 0, made.width, rows))
            )
        made.paste(_merged(pixel_format, channels), (0, top))
    return made


def _channel(pixels: bytes, rows: int, group: int, pixel_bits: int, first: int, bits: int) -> Image.Image:
    """Return one sample of every pixel: the one that begins at bit `first` of the pixel."""
    in_group = group * _BYTE // pixel_bits
    values = bytearray(len(pixels) // group * in_group)
    for pixel in range(in_group):
        values[pixel::in_group] = unpack_samples(pixels, group, pixel * pixel_bits + first, bits)
    return Image.frombytes("L", (len(values) // rows, rows), bytes(values))


def _merged(pixel_format: PixelFormat, channels: list[Image.Image]) -> Image.Image:
    if pixel_format.inverted:
        channels[0] = ImageChops.invert(channels[0])
    if pixel_format.photometric == tags.LAB:  # its differences are signed numbers, which Pillow stores with an offset
        channels[1:] = [channel.point(lambda value: value ^ 128) for channel in channels[1:]]
    if len(channels) == 1:
        return channels[0]
    if pixel_format.premultiplied:
        return Image.merge(pixel_format.mode[:-1] + "a", channels).convert(pixel_format.mode)
    return Image.merge(pixel_format.mode, channels)
