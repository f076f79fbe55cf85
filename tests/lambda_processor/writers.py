"""Files of an image as stored, with an orientation tag: by Pillow, by libvips, or by hand."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pyvips
from PIL import ExifTags, Image, ImageChops, ImageCms

from tests.lambda_processor import bmps, judge, pngs, tiffs
from tests.lambda_processor.fakes import encoded

# Bytes after an image, which decoders ignore. Thumbnails of a source of few bytes have lower quality.
PADDING = struct.pack(">I4s200000x", 200_008, b"free")

Write = Callable[[Image.Image, int], bytes]


def exif(orientation: int) -> Image.Exif:
    """Return EXIF with the orientation; no tag for 1, because files without one are the most common."""
    made = Image.Exif()
    if orientation != 1:
        made[ExifTags.Base.Orientation] = orientation
    return made


def pillow(image_format: str, mode: str | None = None, **options: Any) -> Write:
    """Return a writer by Pillow, in another mode if one is named."""

    def write(image: Image.Image, orientation: int) -> bytes:
        turned = {} if image_format == "GIF" else {"exif": exif(orientation)}
        return encoded(image.convert(mode) if mode else image, image_format, **turned, **options)

    return write


def libvips(
    suffix: str, prepare: Callable[[pyvips.Image], pyvips.Image] = lambda image: image, **options: Any
) -> Write:
    """Return a writer by libvips, of pixels changed by `prepare`."""

    def write(image: Image.Image, orientation: int) -> bytes:
        made = prepare(judge.of_pillow(image)).copy()
        made.set_type(pyvips.GValue.gint_type, "orientation", orientation)
        return bytes(made.write_to_buffer(suffix, **options))

    return write


def deep(image: pyvips.Image) -> pyvips.Image:
    """Convert to 16 bits a channel."""
    grey = image.interpretation == "b-w"
    return (image * 257).cast("ushort").copy(interpretation="grey16" if grey else "rgb16")


def paletted(image: Image.Image) -> Image.Image:
    """Convert to a palette of exactly these colours; index 0 is transparent."""
    rgba = image.convert("RGBA")
    pixels = list(rgba.get_flattened_data())
    colours = sorted(set(pixels), key=lambda pixel: (pixel[3], pixel))
    made = Image.new("P", image.size)
    made.putdata([colours.index(pixel) for pixel in pixels])
    made.putpalette([value for colour in colours for value in colour[:3]])
    return made


def paletted_pillow(image_format: str, **options: Any) -> Write:
    """Write a palette, in which index 0 is transparent if a pixel is."""

    def write(image: Image.Image, orientation: int) -> bytes:
        transparency = {"transparency": 0} if image.mode == "RGBA" else {}
        return pillow(image_format, **transparency, **options)(paletted(image), orientation)

    return write


def paletted_png_with_alphas(image: Image.Image, orientation: int) -> bytes:
    """Write a palette with an alpha for each colour."""
    alphas = bytes(alpha for *_, alpha in sorted(set(image.get_flattened_data()), key=lambda pixel: (pixel[3], pixel)))
    return pillow("PNG", transparency=alphas)(paletted(image), orientation)


def ycck_jpeg(image: Image.Image, orientation: int) -> bytes:
    """Write a JPEG like Photoshop: three inks as YCbCr, all inverted, and a 2 in Adobe's marker."""
    inks = image.convert("CMYK").split()
    planes = Image.merge("RGB", inks[:3]).convert("YCbCr").split()
    inverted = Image.merge("CMYK", (*map(ImageChops.invert, planes), inks[3]))  # Pillow inverts again
    data = encoded(inverted, exif=exif(orientation), quality=95, subsampling=0)
    at = data.index(b"Adobe") + 11
    return data[:at] + b"\2" + data[at + 1 :]


def to_lab(image: Image.Image) -> Image.Image:
    """Convert the colours to CIELAB."""
    transform = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        "RGB",
        "LAB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    return ImageCms.applyTransform(image, transform)


def to_cmyk(image: Image.Image) -> Image.Image:
    """Convert the colours to inks without black."""
    return image.convert("CMYK")


def premultiplied(image: Image.Image) -> Image.Image:
    """Multiply colours by alpha."""
    return image.convert("RGBa")


def premultiplied_grey(image: Image.Image) -> Image.Image:
    """Multiply grey by alpha."""
    grey, alpha = image.split()
    return Image.merge("LA", (ImageChops.multiply(grey, alpha), alpha))


def after(conversion: Callable[[Image.Image], Image.Image], write: Write) -> Write:
    """Return another writer with converted colours."""
    return lambda image, orientation: write(conversion(image), orientation)


def hand_png(bits: int, colour_type: int) -> Write:
    """Write fewer bits than 8 a pixel, grey or of a palette."""

    def write(image: Image.Image, orientation: int) -> bytes:
        if colour_type == pngs.PALETTE:
            indexed = paletted(image)
            extra = pngs.chunk(b"PLTE", bytes(indexed.getpalette()))
        else:
            indexed, extra = image.point(lambda value: value >> 8 - bits), b""
        block = exif(orientation).tobytes().removeprefix(b"Exif\0\0")
        extra += pngs.chunk(b"eXIf", block)
        rows = bmps.packed(indexed, bits)
        return pngs.of_rows(*image.size, rows, bits=bits, colour_type=colour_type, extra=extra)

    return write


def deep_png_with_key(image: Image.Image, orientation: int) -> bytes:
    """Write greys of 16 bits, of which 0 is transparent."""
    grey = image.convert("L").convert("I").point(lambda value: value * 257)
    extra = pngs.chunk(b"tRNS", b"\0\0") + pngs.chunk(b"eXIf", exif(orientation).tobytes().removeprefix(b"Exif\0\0"))
    return pngs.of_rows(*image.size, bmps.packed(grey, 16), bits=16, colour_type=pngs.GREY, extra=extra)


def hand_tiff(
    photometric: int,
    code: str,
    bits: int,
    scale: float = 1,
    *,
    order: str = "<",
    big: bool = False,
    inverted: bool = False,
    more_samples: int = 0,
    **tags: int,
) -> Write:
    """Return a writer of an uncompressed TIFF, with more tags by name.

    The numbers are `scale` times the values of 0 to 255, packed by the `struct` module's `code`.

    Args:
        more_samples: further samples of a pixel, which are no part of the image.
    """

    def write(image: Image.Image, orientation: int) -> bytes:
        numbered = {getattr(tiffs, name.upper()): (value,) for name, value in tags.items()}
        planes = [list(channel.tobytes()) for channel in image.split()]
        planes += [[number % 256 for number in range(len(planes[0]))]] * more_samples
        parts = planes if "planes" in tags else [[value for pixel in zip(*planes, strict=True) for value in pixel]]
        per_strip = 16 * image.width * len(planes) // len(parts)
        strips = []
        for values in parts:
            numbers = [(255 - value if inverted else value) * scale for value in values]
            whole = numbers if code in "efd" else [round(number) for number in numbers]
            strips += [tiffs.samples(order, code, whole[at : at + per_strip]) for at in range(0, len(whole), per_strip)]
        if "sample_format" in tags:
            numbered[tiffs.SAMPLE_FORMAT] *= len(planes)
        numbered[tiffs.ORIENTATION] = (orientation,)
        every_bits = [bits] * len(planes)
        return tiffs.tiff(image.size, strips, numbered, bits=every_bits, photometric=photometric, order=order, big=big)

    return write


def packed_tiff(bits: int, *, order: str = "<", photometric: int = tiffs.BLACK_IS_ZERO) -> Write:
    """Write grey with so many bits a pixel."""

    def write(image: Image.Image, orientation: int) -> bytes:
        stored = ImageChops.invert(image) if photometric == tiffs.WHITE_IS_ZERO else image
        fewer = stored.convert("I").point(lambda value: value * ((1 << bits) - 1) / 255 + 0.5)
        data = b"".join(bmps.packed(fewer, bits))
        tags = {tiffs.ORIENTATION: (orientation,)}
        return tiffs.tiff(image.size, [data], tags, bits=[bits], photometric=photometric, order=order)

    return write


def last_bit_first(write: Write) -> Write:
    """Write the same bytes of pixels with their bits in reverse order, and the tag that declares it."""
    reversed_bits = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))

    def written(image: Image.Image, orientation: int) -> bytes:
        data = write(image, orientation)
        pixels = image.width * image.height * len(image.getbands())
        return data[:-pixels] + data[-pixels:].translate(reversed_bits)

    return written


def ycbcr_tiff(across: int, down: int) -> Write:
    """Write one pair of colour differences for so many pixels: their luminances come first (TIFF 6.0, section 21)."""

    def write(image: Image.Image, orientation: int) -> bytes:
        width, height = image.size
        luminance, blue, red = (plane.tobytes() for plane in image.convert("YCbCr").split())
        data = bytearray()
        for corner in (y * width + x for y in range(0, height, down) for x in range(0, width, across)):
            for row in range(down):
                data += luminance[corner + row * width : corner + row * width + across]
            data += bytes((blue[corner], red[corner]))
        tags = {tiffs.ORIENTATION: (orientation,), tiffs.SUBSAMPLING: (across, down)}
        return tiffs.tiff(image.size, [bytes(data)], tags, bits=[8, 8, 8], photometric=tiffs.YCBCR)

    return write


def palette_tiff(bits: int = 8, scale: int = 257) -> Write:
    """Write a palette, all red values first; of 16 bits unless `scale` is 1."""

    def write(image: Image.Image, orientation: int) -> bytes:
        indexed = paletted(image)
        table = indexed.getpalette()
        colours = 1 << bits
        channels = ((table[channel::3] + [0] * colours)[:colours] for channel in range(3))
        entries = [value * scale for channel in channels for value in channel]
        tags = {tiffs.ORIENTATION: (orientation,), tiffs.COLOUR_MAP: entries}
        rows = b"".join(bmps.packed(indexed, bits))
        return tiffs.tiff(image.size, [rows], tags, bits=[bits], photometric=tiffs.PALETTE)

    return write


def bmp_of_palette(bits: int, **options: Any) -> Write:
    """Write rows of indices."""

    def write(image: Image.Image, _orientation: int) -> bytes:
        indexed = paletted(image)
        return bmps.bmp(image.size, bmps.packed(indexed, bits), bits=bits, palette=_palette(indexed), **options)

    return write


def bmp_of_runs(bits: int) -> Write:
    """Write run-length coded indices."""

    def write(image: Image.Image, _orientation: int) -> bytes:
        indexed = paletted(image)
        return bmps.run_length_coded(indexed, bits, _palette(indexed))

    return write


def bmp_of_channels(raw_mode: str, bits: int, **options: Any) -> Write:
    """Write rows of pixels, packed in one of Pillow's raw modes."""

    def write(image: Image.Image, _orientation: int) -> bytes:
        rows = [image.crop((0, y, image.width, y + 1)).tobytes("raw", raw_mode) for y in range(image.height)]
        return bmps.bmp(image.size, rows, bits=bits, **options)

    return write


def _palette(indexed: Image.Image) -> list[tuple[int, ...]]:
    table = indexed.getpalette()
    return [tuple(table[at : at + 3]) for at in range(0, len(table), 3)]


def _five_bits(image: Image.Image, *, green: int, high: tuple[int, int]) -> list[bytes]:
    rows = []
    for y in range(image.height):
        row = b""
        for red_, green_, blue_ in image.crop((0, y, image.width, y + 1)).get_flattened_data():
            value = red_ >> 3 << high[0] | green_ >> 8 - green << high[1] | blue_ >> 3
            row += value.to_bytes(2, "little")
        rows.append(row)
    return rows


def bmp_of_masks(bits: int, masks: tuple[int, ...], **options: Any) -> Write:
    """Write pixels of so many bits, in which each channel has the bits of its mask."""

    def write(image: Image.Image, _orientation: int) -> bytes:
        rows = []
        for y in range(image.height):
            row = b""
            for channels in image.crop((0, y, image.width, y + 1)).get_flattened_data():
                word = 0
                for value, mask in zip(channels, masks, strict=True):
                    lowest = mask & -mask
                    word |= value * (mask // lowest) // 255 * lowest
                row += word.to_bytes(bits // 8, "little")
            rows.append(row)
        return bmps.bmp(image.size, rows, bits=bits, masks=masks, **options)

    return write


def bmp_of_16_bits(green: int, **options: Any) -> Write:
    """Write 5 bits of red and blue, and 5 or 6 of green."""

    def write(image: Image.Image, _orientation: int) -> bytes:
        return bmps.bmp(image.size, _five_bits(image, green=green, high=(5 + green, 5)), bits=16, **options)

    return write
