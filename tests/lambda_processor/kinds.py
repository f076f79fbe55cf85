"""Every kind of file, by format and mode, with the image that it contains."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from tests.lambda_processor import bmps, pngs, scenes, tiffs
from tests.lambda_processor.writers import (
    Write,
    after,
    bmp_of_16_bits,
    bmp_of_channels,
    bmp_of_masks,
    bmp_of_palette,
    bmp_of_runs,
    deep,
    deep_png_with_key,
    hand_png,
    hand_tiff,
    last_bit_first,
    libvips,
    packed_tiff,
    palette_tiff,
    paletted_pillow,
    paletted_png_with_alphas,
    pillow,
    premultiplied,
    premultiplied_grey,
    to_cmyk,
    to_lab,
    ycbcr_tiff,
    ycck_jpeg,
)


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of file.

    Args:
        image: the visible image, upright.
        write: the function that makes the file from the image as stored, and the orientation to name.
        turns: True if the format has an orientation.
        loss: the mean difference in steps of 255 that the file itself may have from the image.
    """

    name: str
    image: Image.Image
    write: Write
    turns: bool = True
    loss: float = 0.5

    def data(self, orientation: int = 1) -> bytes:
        """Return the file."""
        return self.write(scenes.stored(self.image, orientation), orientation)


def unturned(name: str, image: Image.Image, write: Write, loss: float = 0.5) -> Kind:
    """Return a kind of a format without orientation."""
    return Kind(name, image, write, turns=False, loss=loss)


COLOURS, GREYS, DRAWING = scenes.colours(), scenes.greys(), scenes.drawing()
FEW_COLOURS = scenes.colours(4, 4)
CUT_OUT, VEILED = scenes.cut_out(COLOURS), scenes.veiled(COLOURS)
FEW_GREYS = scenes.greys(4, 2)
GREY_VEILED = scenes.veiled(GREYS)
FEW_VEILED = scenes.veiled(FEW_COLOURS)

JPEGS = [
    Kind("jpeg-grey", GREYS, pillow("JPEG", quality=95), loss=1),
    Kind("jpeg-444", COLOURS, pillow("JPEG", quality=95, subsampling=0), loss=2),
    Kind("jpeg-422", COLOURS, pillow("JPEG", quality=95, subsampling=1), loss=3),
    Kind("jpeg-420", COLOURS, pillow("JPEG", quality=95, subsampling=2), loss=4),
    Kind("jpeg-progressive", COLOURS, pillow("JPEG", quality=95, progressive=True, subsampling=0), loss=2),
    Kind("jpeg-rgb", COLOURS, pillow("JPEG", quality=95, keep_rgb=True), loss=2),
    Kind("jpeg-cmyk", COLOURS, pillow("JPEG", "CMYK", quality=95, subsampling=0), loss=2),
    Kind("jpeg-ycck", COLOURS, ycck_jpeg, loss=2),
    Kind("jpeg-libvips", COLOURS, libvips(".jpg", Q=95, subsample_mode="off", restart_interval=2), loss=2),
    Kind("jpeg-libvips-grey", GREYS, libvips(".jpg", Q=95, interlace=True), loss=1),
]
PNGS = [
    Kind("png-1", DRAWING, pillow("PNG")),
    Kind("png-grey-2-bits", scenes.greys(2, 2), hand_png(2, pngs.GREY)),
    Kind("png-grey-4-bits", scenes.greys(4, 4), hand_png(4, pngs.GREY)),
    Kind("png-grey", GREYS, pillow("PNG")),
    Kind("png-grey-alpha", GREY_VEILED, pillow("PNG")),
    Kind("png-grey-16", GREYS, libvips(".png", deep)),
    Kind("png-grey-alpha-16", GREY_VEILED, libvips(".png", deep)),
    Kind("png-grey-16-colour-key", scenes.cut_out(GREYS), deep_png_with_key),
    Kind("png-palette-1-bit", scenes.two_colours(), hand_png(1, pngs.PALETTE)),
    Kind("png-palette-2-bits", scenes.colours(2, 2), hand_png(2, pngs.PALETTE)),
    Kind("png-palette-4-bits", FEW_COLOURS, hand_png(4, pngs.PALETTE)),
    Kind("png-palette", COLOURS, paletted_pillow("PNG")),
    Kind("png-palette-cut-out", CUT_OUT, paletted_pillow("PNG")),
    Kind("png-palette-alpha", FEW_VEILED, paletted_png_with_alphas),
    Kind("png-rgb", COLOURS, pillow("PNG")),
    Kind("png-rgb-colour-key", CUT_OUT, pillow("PNG", "RGB", transparency=(0, 0, 0))),
    Kind("png-rgba", VEILED, pillow("PNG")),
    Kind("png-rgb-interlaced", COLOURS, libvips(".png", interlace=True)),
    Kind("png-rgb-16", COLOURS, libvips(".png", deep)),
    Kind("png-rgba-16", VEILED, libvips(".png", deep)),
]
GIFS = [
    unturned("gif", COLOURS, paletted_pillow("GIF")),
    unturned("gif-interlaced", COLOURS, paletted_pillow("GIF", interlace=1)),
    unturned("gif-cut-out", CUT_OUT, paletted_pillow("GIF")),
    unturned("gif-grey", GREYS, pillow("GIF")),
    unturned("gif-libvips", FEW_COLOURS, libvips(".gif", dither=0), loss=1),
]
WEBPS = [
    Kind("webp", COLOURS, pillow("WEBP", quality=95), loss=5),
    Kind("webp-alpha", VEILED, pillow("WEBP", quality=95), loss=5),
    Kind("webp-lossless", COLOURS, pillow("WEBP", lossless=True)),
    Kind("webp-lossless-alpha", CUT_OUT, pillow("WEBP", lossless=True)),
    Kind("webp-libvips", GREYS, libvips(".webp", Q=95), loss=2),
    Kind("webp-libvips-alpha", VEILED, libvips(".webp", lossless=True)),
]
AVIFS = [
    Kind("avif-grey", GREYS, pillow("AVIF", quality=95), loss=2),
    Kind("avif-444", COLOURS, pillow("AVIF", quality=95, subsampling="4:4:4"), loss=2),
    Kind("avif-422", COLOURS, pillow("AVIF", quality=95, subsampling="4:2:2"), loss=4),
    Kind("avif-420", COLOURS, pillow("AVIF", quality=95), loss=5),
    Kind("avif-limited-range", COLOURS, pillow("AVIF", quality=95, subsampling="4:4:4", range="limited"), loss=2),
    Kind("avif-alpha", VEILED, pillow("AVIF", quality=95, subsampling="4:4:4"), loss=2),
    Kind(
        "avif-premultiplied", VEILED, pillow("AVIF", quality=95, subsampling="4:4:4", alpha_premultiplied=True), loss=3
    ),
    Kind("avif-libvips", COLOURS, libvips(".avif", Q=95, subsample_mode="off"), loss=2),
    Kind("avif-libvips-alpha", VEILED, libvips(".avif", Q=95, subsample_mode="off"), loss=2),
    Kind("avif-10-bits", COLOURS, libvips(".avif", deep, Q=95, bitdepth=10, subsample_mode="off"), loss=2),
    Kind("avif-12-bits", COLOURS, libvips(".avif", deep, Q=95, bitdepth=12, subsample_mode="off"), loss=2),
]
TIFFS = [
    Kind("tiff-1", DRAWING, pillow("TIFF")),
    Kind("tiff-g4", DRAWING, pillow("TIFF", compression="group4")),
    Kind("tiff-g3", DRAWING, pillow("TIFF", compression="group3")),
    Kind("tiff-grey", GREYS, pillow("TIFF", compression="tiff_lzw")),
    Kind("tiff-grey-white-is-zero", GREYS, hand_tiff(tiffs.WHITE_IS_ZERO, "B", 8, inverted=True)),
    Kind("tiff-grey-alpha", GREY_VEILED, hand_tiff(tiffs.BLACK_IS_ZERO, "B", 8, extra_samples=2)),
    Kind("tiff-grey-4-bits", scenes.greys(4, 4), packed_tiff(4)),
    Kind("tiff-grey-12-bits", scenes.greys(4, 4), packed_tiff(12)),
    Kind("tiff-grey-16", GREYS, hand_tiff(tiffs.BLACK_IS_ZERO, "H", 16, 257)),
    Kind("tiff-grey-16-big-endian", GREYS, hand_tiff(tiffs.BLACK_IS_ZERO, "H", 16, 257, order=">")),
    Kind("tiff-grey-16-white-is-zero", GREYS, hand_tiff(tiffs.WHITE_IS_ZERO, "H", 16, 257, inverted=True)),
    Kind("tiff-grey-16-libvips", GREYS, libvips(".tif", deep, compression="deflate", predictor="horizontal")),
    Kind("tiff-grey-32", GREYS, hand_tiff(tiffs.BLACK_IS_ZERO, "I", 32, 1)),
    Kind(
        "tiff-grey-32-signed-big-endian",
        GREYS,
        hand_tiff(tiffs.BLACK_IS_ZERO, "i", 32, sample_format=tiffs.SIGNED, order=">"),
    ),
    Kind("tiff-grey-float", GREYS, hand_tiff(tiffs.BLACK_IS_ZERO, "f", 32, 1 / 255, sample_format=tiffs.FLOAT)),
    Kind(
        "tiff-grey-float-white-is-zero",
        GREYS,
        hand_tiff(tiffs.WHITE_IS_ZERO, "f", 32, 1 / 255, sample_format=tiffs.FLOAT, inverted=True),
    ),
    Kind(
        "tiff-grey-float-big-endian",
        GREYS,
        hand_tiff(tiffs.BLACK_IS_ZERO, "f", 32, 1 / 255, sample_format=tiffs.FLOAT, order=">"),
    ),
    Kind("tiff-grey-32-whole-range", GREYS, hand_tiff(tiffs.BLACK_IS_ZERO, "I", 32, 0x1010101)),
    Kind(
        "tiff-grey-32-big-endian-white-is-zero",
        GREYS,
        hand_tiff(tiffs.WHITE_IS_ZERO, "I", 32, 0x1010101, order=">", inverted=True),
    ),
    Kind("tiff-grey-32-signed", GREYS, hand_tiff(tiffs.BLACK_IS_ZERO, "i", 32, 257, sample_format=tiffs.SIGNED)),
    Kind(
        "tiff-grey-16-signed-big-endian",
        GREYS,
        hand_tiff(tiffs.BLACK_IS_ZERO, "h", 16, sample_format=tiffs.SIGNED, order=">"),
    ),
    Kind("tiff-grey-8-signed", GREYS, hand_tiff(tiffs.BLACK_IS_ZERO, "B", 8, sample_format=tiffs.SIGNED)),
    Kind("tiff-grey-half-float", GREYS, hand_tiff(tiffs.BLACK_IS_ZERO, "e", 16, 1 / 255, sample_format=tiffs.FLOAT)),
    Kind(
        "tiff-grey-double-big-endian",
        GREYS,
        hand_tiff(tiffs.BLACK_IS_ZERO, "d", 64, 1 / 255, sample_format=tiffs.FLOAT, order=">"),
    ),
    *[
        Kind(
            f"tiff-grey-{bits}-bits{order}{photometric}",
            image,
            packed_tiff(bits, order=order, photometric=photometric),
            loss=max(0.5, 128 / (1 << bits)),
        )
        for bits, image in (
            (3, FEW_GREYS),
            (5, GREYS),
            (7, GREYS),
            (10, GREYS),
            (12, GREYS),
            (14, GREYS),
            (24, GREYS),
        )
        for order, photometric in (("<", tiffs.BLACK_IS_ZERO), (">", tiffs.WHITE_IS_ZERO))
    ],
    Kind("tiff-grey-last-bit-first", GREYS, last_bit_first(hand_tiff(tiffs.BLACK_IS_ZERO, "B", 8, fill_order=2))),
    Kind(
        "tiff-grey-alpha-white-is-zero",
        GREYS,
        hand_tiff(tiffs.WHITE_IS_ZERO, "B", 8, inverted=True, more_samples=1, extra_samples=0),
    ),
    Kind(
        "tiff-grey-alpha-premultiplied",
        GREY_VEILED,
        after(premultiplied_grey, hand_tiff(tiffs.BLACK_IS_ZERO, "B", 8, extra_samples=1)),
        loss=1,
    ),
    Kind("tiff-grey-alpha-planes", GREY_VEILED, hand_tiff(tiffs.BLACK_IS_ZERO, "B", 8, extra_samples=2, planes=2)),
    Kind(
        "tiff-grey-more-planes",
        GREYS,
        hand_tiff(tiffs.BLACK_IS_ZERO, "B", 8, more_samples=2, extra_samples=0, planes=2),
    ),
    Kind("tiff-grey-alpha-16", GREY_VEILED, hand_tiff(tiffs.BLACK_IS_ZERO, "H", 16, 257, extra_samples=2)),
    Kind(
        "tiff-grey-alpha-16-big-endian",
        GREY_VEILED,
        hand_tiff(tiffs.BLACK_IS_ZERO, "H", 16, 257, extra_samples=2, order=">"),
    ),
    Kind(
        "tiff-grey-alpha-16-planes",
        GREY_VEILED,
        hand_tiff(tiffs.BLACK_IS_ZERO, "H", 16, 257, extra_samples=2, planes=2),
    ),
    Kind(
        "tiff-grey-alpha-16-predictor",
        GREY_VEILED,
        libvips(".tif", deep, compression="deflate", predictor="horizontal"),
    ),
    Kind("tiff-grey-alpha-16-tiles", GREY_VEILED, libvips(".tif", deep, tile=True, tile_width=32, tile_height=32)),
    Kind("tiff-palette", COLOURS, palette_tiff()),
    Kind("tiff-palette-of-8-bit-values", COLOURS, palette_tiff(scale=1)),
    Kind("tiff-palette-1-bit", scenes.two_colours(), palette_tiff(1)),
    Kind("tiff-palette-2-bits", scenes.colours(2, 2), palette_tiff(2)),
    Kind("tiff-palette-4-bits", FEW_COLOURS, palette_tiff(4)),
    Kind("tiff-rgb-big-big-endian", COLOURS, hand_tiff(tiffs.RGB, "B", 8, order=">", big=True)),
    Kind("tiff-rgb-more-samples", COLOURS, hand_tiff(tiffs.RGB, "B", 8, more_samples=4)),
    Kind("tiff-rgb-32", COLOURS, hand_tiff(tiffs.RGB, "I", 32, 0x1010101, order=">")),
    Kind("tiff-rgb", COLOURS, pillow("TIFF")),
    Kind("tiff-rgb-lzw", COLOURS, pillow("TIFF", compression="tiff_lzw")),
    Kind("tiff-rgb-deflate", COLOURS, pillow("TIFF", compression="tiff_adobe_deflate")),
    Kind("tiff-rgb-packbits", COLOURS, pillow("TIFF", compression="packbits")),
    Kind("tiff-rgb-jpeg", COLOURS, pillow("TIFF", compression="jpeg", quality=95), loss=3),
    Kind("tiff-rgb-tiles", COLOURS, libvips(".tif", tile=True, tile_width=32, tile_height=32)),
    Kind(
        "tiff-rgb-tiles-jpeg",
        COLOURS,
        libvips(".tif", tile=True, tile_width=32, tile_height=32, compression="jpeg", Q=95),
        loss=4,
    ),
    Kind("tiff-rgb-pyramid", COLOURS, libvips(".tif", tile=True, tile_width=32, tile_height=32, pyramid=True)),
    Kind("tiff-rgb-predictor", COLOURS, libvips(".tif", compression="lzw", predictor="horizontal")),
    Kind("tiff-rgb-big-endian", COLOURS, hand_tiff(tiffs.RGB, "B", 8, order=">")),
    Kind("tiff-rgb-planes", COLOURS, hand_tiff(tiffs.RGB, "B", 8, planes=2)),
    Kind("tiff-rgb-big", COLOURS, libvips(".tif", bigtiff=True)),
    Kind("tiff-rgb-16", COLOURS, libvips(".tif", deep)),
    Kind("tiff-rgb-16-big-endian", COLOURS, hand_tiff(tiffs.RGB, "H", 16, 257, order=">")),
    Kind("tiff-rgb-16-planes", COLOURS, hand_tiff(tiffs.RGB, "H", 16, 257, planes=2)),
    Kind("tiff-rgba", VEILED, pillow("TIFF")),
    Kind(
        "tiff-rgba-premultiplied", VEILED, after(premultiplied, hand_tiff(tiffs.RGB, "B", 8, extra_samples=1)), loss=1
    ),
    Kind("tiff-rgba-planes", VEILED, hand_tiff(tiffs.RGB, "B", 8, extra_samples=2, planes=2)),
    Kind("tiff-rgba-16", VEILED, libvips(".tif", deep)),
    Kind("tiff-rgba-16-big-endian", VEILED, hand_tiff(tiffs.RGB, "H", 16, 257, extra_samples=2, order=">")),
    Kind(
        "tiff-rgba-16-premultiplied-planes",
        VEILED,
        after(premultiplied, hand_tiff(tiffs.RGB, "H", 16, 257, extra_samples=1, planes=2)),
        loss=1,
    ),
    Kind("tiff-ycbcr", COLOURS, ycbcr_tiff(1, 1), loss=1),
    Kind("tiff-ycbcr-subsampled", COLOURS, ycbcr_tiff(2, 2), loss=1),
    Kind("tiff-cmyk", COLOURS, pillow("TIFF", "CMYK")),
    Kind("tiff-cmyk-16", COLOURS, after(to_cmyk, hand_tiff(tiffs.CMYK, "H", 16, 257))),
    Kind("tiff-cmyk-planes", COLOURS, after(to_cmyk, hand_tiff(tiffs.CMYK, "B", 8, planes=2))),
    Kind("tiff-cmyk-alpha", COLOURS, after(to_cmyk, hand_tiff(tiffs.CMYK, "B", 8, more_samples=1, extra_samples=2))),
    Kind(
        "tiff-cmyk-alpha-16",
        COLOURS,
        after(to_cmyk, hand_tiff(tiffs.CMYK, "H", 16, 257, more_samples=1, extra_samples=2)),
    ),
    Kind(
        "tiff-cmyk-alpha-planes",
        COLOURS,
        after(to_cmyk, hand_tiff(tiffs.CMYK, "B", 8, more_samples=1, extra_samples=2, planes=2)),
    ),
    Kind("tiff-lab", COLOURS, after(to_lab, pillow("TIFF")), loss=2),
]
BMPS = [
    unturned("bmp-1", DRAWING, pillow("BMP")),
    unturned("bmp-palette-1", scenes.two_colours(), bmp_of_palette(1)),
    unturned("bmp-palette-4", FEW_COLOURS, bmp_of_palette(4)),
    unturned("bmp-palette-4-os2", FEW_COLOURS, bmp_of_palette(4, header=bmps.CORE)),
    unturned("bmp-palette-8", COLOURS, bmp_of_palette(8)),
    unturned("bmp-palette-8-upper-row-first", COLOURS, bmp_of_palette(8, top_down=True)),
    unturned("bmp-grey", GREYS, pillow("BMP")),
    unturned("bmp-palette-2", scenes.colours(2, 2), bmp_of_palette(2)),
    unturned("bmp-rle4", scenes.cut_out(FEW_COLOURS).convert("RGB"), bmp_of_runs(4)),
    unturned("bmp-rle8", CUT_OUT.convert("RGB"), bmp_of_runs(8)),
    unturned("bmp-16-444", COLOURS, bmp_of_masks(16, (0xF00, 0xF0, 0xF)), loss=9),
    unturned("bmp-16-565-blue-first", COLOURS, bmp_of_masks(16, (0x1F, 0x7E0, 0xF800)), loss=4),
    unturned("bmp-16-4444", VEILED, bmp_of_masks(16, (0xF000, 0xF00, 0xF0, 0xF), header=bmps.V4), loss=9),
    unturned("bmp-32-red-first", COLOURS, bmp_of_masks(32, (0xFF, 0xFF00, 0xFF0000))),
    unturned("bmp-32-10-bits", COLOURS, bmp_of_masks(32, (0x3FF00000, 0xFFC00, 0x3FF))),
    unturned("bmp-16", COLOURS, bmp_of_16_bits(5), loss=4),
    unturned("bmp-16-565", COLOURS, bmp_of_16_bits(6, masks=(0xF800, 0x7E0, 0x1F)), loss=4),
    unturned("bmp-24", COLOURS, bmp_of_channels("BGR", 24)),
    unturned("bmp-24-os2", COLOURS, bmp_of_channels("BGR", 24, header=bmps.CORE)),
    unturned("bmp-24-upper-row-first", COLOURS, bmp_of_channels("BGR", 24, top_down=True)),
    unturned("bmp-32", COLOURS, bmp_of_channels("BGRX", 32)),
    unturned("bmp-32-masks", COLOURS, bmp_of_channels("XBGR", 32, masks=(0xFF000000, 0xFF0000, 0xFF00))),
    unturned("bmp-32-alpha", VEILED, bmp_of_channels("BGRA", 32, header=bmps.V4, masks=bmps.BGRA)),
    unturned(
        "bmp-32-alpha-v5",
        VEILED,
        bmp_of_channels("BGRA", 32, header=bmps.V5, masks=bmps.BGRA),
    ),
]
KINDS = [*JPEGS, *PNGS, *GIFS, *WEBPS, *AVIFS, *TIFFS, *BMPS]
