"""The supported pixel formats of a TIFF, decoded by one of Pillow's raw modes or sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .structure import corrupt, unsupported
from .tiff_directory_reader import Directory
from .tiff_tags import (
    ALPHA,
    BITS,
    BLACK_IS_ZERO,
    CCITT,
    CMYK,
    COLOUR_MAP,
    CORELS_ALPHA,
    EXTRA_SAMPLES,
    FLOAT,
    INK_SET,
    JPEG,
    LAB,
    PALETTE,
    PHOTOMETRIC,
    PLANAR,
    PREMULTIPLIED_ALPHA,
    RGB,
    SAMPLE_FORMAT,
    SAMPLES,
    SEPARATE,
    SIGNED,
    UNDEFINED,
    UNSIGNED,
    WHITE_IS_ZERO,
    YCBCR,
)

_NONE = -1  # a tag that is absent
_CMYK_INKS = 1

# No image has more.
_MAX_SAMPLES = 32
_BYTE, _DEEP, _WIDEST = 8, 16, 32  # bits of a sample

_COLOURS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3, LAB: 3}
_OF_ONE_BYTE = frozenset({"1", "L", "P"})
_MODES = {WHITE_IS_ZERO: "L", BLACK_IS_ZERO: "L", RGB: "RGB", CMYK: "CMYK", LAB: "LAB"}
_ALPHAS = frozenset({PREMULTIPLIED_ALPHA, ALPHA, CORELS_ALPHA})

# Pillow's raw modes for one sample in the machine's byte order, in which libtiff returns samples: grey with a defined
# white, palettes, and numbers without a defined white. 16-bit floats have no raw mode.
_GREYS = {1: ("1", "1"), 2: ("L", "L;2"), 4: ("L", "L;4"), 8: ("L", "L"), 16: ("I;16", "I;16N")}
_PALETTES = {1: "P;1", 2: "P;2", 4: "P;4", 8: "P"}
_MEASURED = {
    (UNSIGNED, 32): "F;32N",
    (SIGNED, 16): "F;16NS",
    (SIGNED, 32): "F;32NS",
    (FLOAT, 32): "F;32NF",
    (FLOAT, 64): "F;64NF",
}
HALF = (FLOAT, 16)

# Raw modes of several samples of 8 bits, with the number of further samples that are left out; and those of 16 bits.
_LEFT_OUT = {"L": 1, "RGB": 3, "RGBA": 2, "RGBa": 2, "CMYK": 2}
_SEVERAL_DEEP = frozenset({"RGB", "RGBX", "RGBA", "RGBa", "CMYK"})

# The raw mode of colours that libtiff converts.
PLANES_IN_RGBA = "RGBX"

# Depths for which libtiff undoes a predictor: the horizontal one, and that of fractions.
_HORIZONTAL, _OF_FRACTIONS = 2, 3
_PREDICTED = {_HORIZONTAL: frozenset({8, 16, 32, 64}), _OF_FRACTIONS: frozenset({16, 24, 32, 64})}

# The modes of Pillow that pixels of so many bits are copied to unchanged.
COPIED = {8: "L", 16: "I;16", 24: "RGB", 32: "RGBA"}


_WITHOUT_PREDICTOR = "the TIFF's samples are not supported with its predictor; save it with LZW or Deflate without one"


class PixelFormat(NamedTuple):
    """The samples of an image, and how they are decoded.

    Args:
        photometric: the value of the tag.
        bits: of a sample.
        samples: of a pixel.
        separate: True if samples are stored plane by plane.
        planes: the number of needed planes; 1 if pixels are stored whole.
        mode: Pillow's mode of the decoded image.
        raw_mode: Pillow's raw mode, which decodes whole pixels; None if they are decoded sample by sample.
        inverted: True if the decoded colours must be inverted.
        channels: the samples that become bands; of a premultiplied image, the last one is its alpha.
        premultiplied: True if colours must be divided by alpha.
        measured: True if the file does not define white.
        number: the value of the tag for the format of samples.
    """

    photometric: int
    bits: int
    samples: int
    mode: str
    raw_mode: str | None
    separate: bool = False
    planes: int = 1
    inverted: bool = False
    channels: tuple[int, ...] = ()
    premultiplied: bool = False
    measured: bool = False
    number: int = UNSIGNED

    @property
    def bytes_per_pixel(self) -> float:
        """Return the memory of decoding, in addition to a part: measured for every format, and rounded up."""
        if self.measured:
            return 9.1  # the numbers, the same in a visible range, and their bytes
        if self.mode == "I;16":
            return 4.1 if self.inverted else 2.1
        decoded = 1.1 if self.mode in _OF_ONE_BYTE else 4.1
        if self.raw_mode is not None:
            return decoded
        return decoded + 0.1 + self.bits * (len(self.channels) if self.separate else self.samples) / 8


def read_pixel_format(directory: Directory, compression: int, predictor: int) -> PixelFormat:
    """Return how the image of a directory is decoded.

    Raises:
        ImageRejectedError: its format is not supported, or its tags contradict each other.
    """
    bits = directory.numbers(BITS) or (1,)
    photometric = directory.first(PHOTOMETRIC, _NONE)
    samples = directory.first(SAMPLES, _NONE)
    if samples == _NONE:
        samples = max(len(bits), 3 if compression == JPEG and photometric in {RGB, YCBCR} else 1)
    if photometric == _NONE:
        photometric = _likely_photometric(compression, samples, colour_map=COLOUR_MAP in directory)
    if photometric == YCBCR and samples == 1:
        photometric = BLACK_IS_ZERO
    colours = _COLOURS.get(photometric)
    if colours is None or samples > _MAX_SAMPLES:
        unsupported("the TIFF's colours are of a kind that is not supported; save it in RGB")
    if photometric == CMYK and directory.first(INK_SET, _CMYK_INKS) != _CMYK_INKS:
        unsupported("the TIFF has other inks than cyan, magenta, yellow and black; save it in RGB")
    if samples < colours:
        corrupt("the TIFF has fewer samples than colours")
    separate = samples > 1 and directory.first(PLANAR, 1) == SEPARATE
    tags = _Tags(compression, predictor, photometric, bits[0], samples, separate, colours)
    number = _number_format(directory, tags, bits)
    if predictor != 1 and not _is_undone(tags, number):
        unsupported(_WITHOUT_PREDICTOR)
    if tags.is_grey and samples == 1 and (number != UNSIGNED or tags.bits == _WIDEST):
        return _measured(tags, number)
    if number != UNSIGNED:
        unsupported("the TIFF's colours are signed numbers or fractions; save it with 8 or 16 bits per sample")
    alpha = _alpha(tags, directory.numbers(EXTRA_SAMPLES) if samples > colours else ())
    return _whole(tags, alpha) or _sampled(tags, alpha)


class _Tags(NamedTuple):
    compression: int
    predictor: int
    photometric: int
    bits: int
    samples: int
    separate: bool
    colours: int

    @property
    def is_grey(self) -> bool:
        return self.photometric in {WHITE_IS_ZERO, BLACK_IS_ZERO}

    @property
    def white_is_zero(self) -> bool:
        return self.photometric == WHITE_IS_ZERO

    def kind(self, mode: str, raw_mode: str | None, **others: Any) -> PixelFormat:
        return PixelFormat(self.photometric, self.bits, self.samples, mode, raw_mode, **others)


class _Alpha(NamedTuple):
    sample: int
    premultiplied: bool


def _likely_photometric(compression: int, samples: int, *, colour_map: bool) -> int:
    """Return the likely photometric value of a file without that tag; the same guess as libtiff's."""
    if colour_map and samples == 1:
        return PALETTE
    if samples >= _COLOURS[RGB]:
        return RGB
    return WHITE_IS_ZERO if compression in CCITT else BLACK_IS_ZERO


def _alpha(tags: _Tags, extras: Sequence[int]) -> _Alpha | None:
    """Return the alpha; None if the image has none that can be kept.

    A single extra sample without a description is alpha.
    """
    if tags.photometric in {CMYK, LAB, YCBCR}:
        return None
    if not extras and tags.samples == tags.colours + 1:
        extras = (ALPHA,)
    for sample, extra in enumerate(extras, tags.colours):
        if extra in _ALPHAS and sample < tags.samples:
            return _Alpha(sample, extra == PREMULTIPLIED_ALPHA)
    return None


def _number_format(directory: Directory, tags: _Tags, bits: Sequence[int]) -> int:
    """Return the format of the samples, which must all have the same format and the same number of bits."""
    formats = directory.numbers(SAMPLE_FORMAT)[: tags.samples]
    if len({*bits[: tags.samples]}) > 1 or len({*formats}) > 1 or tags.bits <= 0:
        unsupported("the TIFF's samples differ in depth or format; save it with 8 bits per sample")
    if (tags.compression == JPEG and tags.bits != _BYTE) or (
        tags.compression in CCITT and tags.bits * tags.samples != 1
    ):
        unsupported("the TIFF's compression is not supported with its depth; save it with LZW or Deflate")
    number = (*formats, UNSIGNED)[0]
    # Bytes are shown unchanged, as libtiff does.
    return UNSIGNED if number == UNDEFINED or (number == SIGNED and tags.bits == _BYTE) else number


def _is_undone(tags: _Tags, number: int) -> bool:
    """Return True if libtiff undoes the predictor of such samples."""
    if tags.predictor == _OF_FRACTIONS and number != FLOAT:
        return False
    return tags.bits in _PREDICTED.get(tags.predictor, ())


def _measured(tags: _Tags, number: int) -> PixelFormat:
    if (number, tags.bits) == HALF:
        return tags.kind("I;16", "I;16N", inverted=tags.white_is_zero, measured=True, number=number)
    raw_mode = _MEASURED.get((number, tags.bits))
    if raw_mode is None:
        unsupported(f"grey of {tags.bits} bits in its number format is not supported; save the TIFF with 16 bits")
    return tags.kind("F", raw_mode, inverted=tags.white_is_zero, measured=True, number=number)


def _whole(tags: _Tags, alpha: _Alpha | None) -> PixelFormat | None:
    """Return a format whose pixels are decoded by one of Pillow's raw modes; None for others."""
    if tags.photometric == YCBCR:
        return _ycbcr(tags)
    if tags.photometric == PALETTE:
        return _palette(tags, alpha)
    if tags.samples == 1:
        return _grey(tags)
    if tags.separate or tags.white_is_zero or (alpha is not None and alpha.sample > tags.colours):
        return None
    return _several(tags, alpha)


def _grey(tags: _Tags) -> PixelFormat | None:
    if tags.bits not in _GREYS:
        return None
    mode, raw_mode = _GREYS[tags.bits]
    if tags.white_is_zero and tags.bits <= _BYTE:
        return tags.kind(mode, raw_mode + ("I" if ";" in raw_mode else ";I"))
    return tags.kind(mode, raw_mode, inverted=tags.white_is_zero)


def _several(tags: _Tags, alpha: _Alpha | None) -> PixelFormat | None:
    mode = _MODES[tags.photometric]
    if alpha is not None:
        mode += "a" if alpha.premultiplied else "A"
    left_out = tags.samples - tags.colours - (alpha is not None)
    raw_mode = mode + "X" * left_out
    decoded = {"RGBa": "RGBA"}.get(mode, mode)
    if tags.bits == _BYTE and left_out <= _LEFT_OUT.get(mode, 0):
        return tags.kind(decoded, raw_mode)
    if tags.bits == _DEEP and raw_mode in _SEVERAL_DEEP:
        return tags.kind(decoded, f"{raw_mode};16N")
    return None


def _ycbcr(tags: _Tags) -> PixelFormat:
    if tags.bits != _BYTE or tags.samples != tags.colours:
        unsupported("the TIFF's YCbCr colours are not of 8 bits, or have an alpha; save it in RGB")
    by_its_decoder = tags.compression == JPEG and not tags.separate
    return tags.kind(
        "RGB", "RGB" if by_its_decoder else PLANES_IN_RGBA, separate=tags.separate, planes=3 if tags.separate else 1
    )


def _palette(tags: _Tags, alpha: _Alpha | None) -> PixelFormat:
    if tags.samples == 1 and tags.bits in _PALETTES:
        return tags.kind("P", _PALETTES[tags.bits])
    if tags.samples > tags.colours + 1 or tags.bits != _BYTE or tags.separate:
        unsupported("the TIFF's palette is of a kind that is not supported; save it in RGB")
    return tags.kind("P", "PX") if alpha is None else tags.kind("PA", "PA")


def _sampled(tags: _Tags, alpha: _Alpha | None) -> PixelFormat:
    """Return a format whose samples are extracted from the pixels one by one."""
    pixel_bits = tags.bits * (1 if tags.separate else tags.samples)
    if tags.bits > _WIDEST or (tags.compression == JPEG and not tags.separate):
        unsupported("the TIFF's samples are of a kind that is not supported; save it with 8 bits per sample")
    if tags.predictor != 1 and pixel_bits not in COPIED:
        unsupported(_WITHOUT_PREDICTOR)
    mode = _MODES[tags.photometric]
    channels = tuple(range(tags.colours)) + (() if alpha is None else (alpha.sample,))
    return tags.kind(
        mode if alpha is None else mode + "A",
        None,
        separate=tags.separate,
        planes=channels[-1] + 1 if tags.separate else 1,
        inverted=tags.white_is_zero,
        channels=channels,
        premultiplied=alpha is not None and alpha.premultiplied,
    )
