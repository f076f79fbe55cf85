"""Decoding with Pillow: one decoder, chosen by content; no larger than needed; and whatever it says is a category."""

from __future__ import annotations

import logging
import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from io import BytesIO
from typing import cast

from PIL import GifImagePlugin, Image, ImageChops, JpegImagePlugin, PngImagePlugin, UnidentifiedImageError

from imgpipe_processor import failures
from imgpipe_processor.failures import ImageRejectedError

from .colour import PLANES, is_srgb, others_than
from .exif import UPRIGHT, names_adobe_rgb, orientation_in
from .gif_screen import in_own_colours, on_screen
from .icc import adobe_rgb, wide_gamut
from .plugins import load_plugin
from .process_memory import naming_refusals
from .shrinking import DRAFT_GAP, Decoded, Size
from .structures import Structure
from .structures.structure import MAX_PROFILE_BYTES, corrupt, damaged, refuse_profile_beyond

# Pillow unpacks a PNG's texts and its profile up to this.
PngImagePlugin.MAX_TEXT_CHUNK = MAX_PROFILE_BYTES

# What Pillow thinks of a file is no line of this function's log.
logging.getLogger("PIL").addHandler(logging.NullHandler())
logging.getLogger("PIL").propagate = False

# Pillow's raw modes for red, green and blue of 16 bits: the first byte of each, which is the upper one in a PNG, and
# the second.
_UPPER_BYTES, _LOWER_BYTES = "RGB;16B", "RGB;16L"

# Formats whose orientation the decoder itself follows.
_TURNED_BY_DECODER = frozenset({"HEIF"})


@contextmanager
def decoder_limits(max_pixels: int) -> Iterator[None]:
    """Make Pillow itself refuse, on the header, what has more pixels; its other warnings are no log lines."""
    usual = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        Image.MAX_IMAGE_PIXELS = max_pixels
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = usual


@contextmanager
def rejecting(structure: Structure) -> Iterator[None]:
    """Turn whatever the decoders say to bytes that they cannot decode into a category; nothing else belongs in here."""
    try:
        with _nothing_told() if structure.format == "TIFF" else nullcontext(), naming_refusals():
            yield
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise ImageRejectedError(failures.TOO_LARGE, "the image has more pixels than are allowed") from error
    except UnidentifiedImageError as error:
        message = f"the {structure.spoken} is damaged, or of a kind that is not supported; save it as PNG or JPEG"
        raise ImageRejectedError(failures.UNSUPPORTED, message) from error
    except (ImageRejectedError, MemoryError):
        raise
    except Exception as error:  # Pillow has no one base class for what damaged files make it raise
        raise ImageRejectedError(failures.CORRUPT, damaged(f"the {structure.spoken} cannot be decoded")) from error


@contextmanager
def _nothing_told() -> Iterator[None]:
    """Keep what libtiff thinks of a file out of the process's standard error, which is the log as well."""
    usual = os.dup(2)
    os.dup2(_nowhere(), 2)
    try:
        yield
    finally:
        os.dup2(usual, 2)
        os.close(usual)


@cache
def _nowhere() -> int:
    return os.open(os.devnull, os.O_WRONLY)


def opened(data: bytes, structure: Structure) -> Image.Image:
    """Let the decoder of this very format read the header.

    Raises:
        ImageRejectedError: its colour profile is too large, or the image larger than the file was thought to tell.
    """
    if structure.format == "TIFF":
        from .tiff_image import open_tiff  # noqa: PLC0415  few functions ever see one

        image = open_tiff(data)
    elif structure.format == "BMP":
        from .bmp_image import open_bmp  # noqa: PLC0415  as above

        image = open_bmp(data)
    elif structure.format == "JPEG":
        image = _opened_jpeg(data)
    else:
        load_plugin(structure.format)
        image = Image.open(BytesIO(data), formats=(structure.format,))
    if image.width * image.height > structure.width * structure.height:  # which memory was counted for
        corrupt("the image in it is larger than it tells")
    if isinstance(image, GifImagePlugin.GifImageFile):
        in_own_colours(image)
    if image.format == "PNG":
        image.info.pop("transparency", None)
        if structure.transparent is not None:
            image.info["transparency"] = structure.transparent
    profile = image.info.pop("icc_profile", None)
    if isinstance(profile, bytes):  # a TIFF may say that it is numbers
        refuse_profile_beyond(len(profile))
        image.info["icc_profile"] = profile
    named = _named_colours(image, structure)
    if named is not None and (profile is None or structure.format == "PNG"):  # there they outrank a profile
        image.info["icc_profile"] = named
    return image


class _Jpeg(JpegImagePlugin.JpegImageFile):
    """A JPEG of which no resolution is looked for in the EXIF: Pillow refuses the file if that is of another type."""

    def _read_dpi_from_exif(self) -> None:
        pass


def _opened_jpeg(data: bytes) -> JpegImagePlugin.JpegImageFile:
    """Open the first picture of a JPEG, as `Image.open` does; but that reads an index of more pictures too.

    It fails on some that are damaged, and nothing of them is needed.
    """
    try:
        return _Jpeg(BytesIO(data))
    except SyntaxError as error:
        raise UnidentifiedImageError from error


def _named_colours(image: Image.Image, structure: Structure) -> bytes | None:
    """The profile of a colour space that the file only gives the name of."""
    if structure.colours is not None:
        return wide_gamut(*structure.colours)
    exif = image.info.get("exif", b"") if structure.format == "JPEG" else b""
    return adobe_rgb() if names_adobe_rgb(exif) else None


def orientation_of(image: Image.Image, structure: Structure) -> int:
    """As EXIF counts; 1, which is upright, where there is none that makes sense, or the decoder sees to it."""
    if structure.orientation is not None:
        return structure.orientation
    if structure.format in _TURNED_BY_DECODER:
        return UPRIGHT
    beside = (
        {} if structure.format == "AVIF" else image.info
    )  # properties of its own count, and Pillow makes EXIF of them
    return orientation_in(structure.exif or image.info.get("exif"), beside)


def decode(image: Image.Image, largest: Size, orientation: int, *, as_planes: bool = False) -> Decoded:
    """Decode the picture that the image stands at, no larger than its format lets it be for `largest`.

    With `as_planes`, a JPEG that is stored in planes, and needs no other colours, stays in them.
    """
    icc_profile = image.info.get("icc_profile")
    planes = PLANES if as_planes and _is_in_planes(image) and is_srgb("RGB", icc_profile) else None
    drafted = image.draft(planes, (math.ceil(largest[0] * DRAFT_GAP), math.ceil(largest[1] * DRAFT_GAP)))
    drawn = image.tile[0].extents if isinstance(image, GifImagePlugin.GifImageFile) else None
    if isinstance(image, PngImagePlugin.PngImageFile) and image.tile[0].args == _UPPER_BYTES:
        _load_16_bits(image)
    image.load()
    if image.mode == "P" and image.palette is None:
        corrupt("its palette is missing")
    box = drafted[1] if drafted else (0, 0, *image.size)
    return Decoded(_as_meant(image, drawn), box, orientation, icc_profile)


def _load_16_bits(image: PngImagePlugin.PngImageFile) -> None:
    """Load a PNG of three channels of 16 bits, with alpha if one colour is transparent.

    Pillow keeps the upper bytes only. So the lower ones are decoded on their own, and compared first.
    """
    colour = image.info.pop("transparency", None)
    if colour is not None:
        lower = PngImagePlugin.PngImageFile(BytesIO(cast("BytesIO", image.fp).getvalue()))
        lower.tile = [lower.tile[0]._replace(args=_LOWER_BYTES)]
        opaque = others_than([value & 0xFF for value in colour], lower)
        lower.close()
        del lower
        upper = others_than([value >> 8 for value in colour], image)
        image.putalpha(ImageChops.lighter(opaque, upper))


def _is_in_planes(image: Image.Image) -> bool:
    """Whether libjpeg takes the JPEG's three components for planes, and not for red, green and blue."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or image.mode != "RGB":
        return False
    if "jfif" in image.info or "adobe_transform" not in image.info:
        return "jfif" in image.info or [number for number, *_ in image.layer] == [1, 2, 3]
    return bool(image.info["adobe_transform"])


def _as_meant(image: Image.Image, drawn: tuple[int, int, int, int] | None) -> Image.Image:
    """The pixels with what their format says of them and Pillow leaves aside; `drawn` is the part that a GIF fills."""
    if drawn is not None:
        return on_screen(image, drawn)
    return image
