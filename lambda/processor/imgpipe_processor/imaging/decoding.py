"""Decoding with Pillow: one decoder, selected by content; no larger than needed; decoder errors become categories."""

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

from .colour import PLANES, is_srgb, mask_of_other_values
from .exif import UPRIGHT, is_adobe_rgb, read_orientation
from .gif_frames import drop_foreign_palette, place_on_screen
from .icc import adobe_rgb, profile_of_code_points
from .plugins import load_plugin
from .process_memory import raising_memory_errors
from .shrinking import DRAFT_GAP, Decoded, Size
from .structures import Structure
from .structures.structure import MAX_PROFILE_BYTES, corrupt, damaged, reject_large_profile

# Pillow unpacks the texts and the profile of a PNG up to this size.
PngImagePlugin.MAX_TEXT_CHUNK = MAX_PROFILE_BYTES

# Keep Pillow's messages out of the log of this function.
logging.getLogger("PIL").addHandler(logging.NullHandler())
logging.getLogger("PIL").propagate = False

# Pillow's raw modes for red, green and blue of 16 bits: the first byte of each, which is the upper byte in a PNG, and
# the second.
_UPPER_BYTES, _LOWER_BYTES = "RGB;16B", "RGB;16L"

# Formats whose decoder applies the orientation.
_ROTATED_BY_DECODER = frozenset({"HEIF"})


@contextmanager
def decoder_limits(max_pixels: int) -> Iterator[None]:
    """Make Pillow reject images with more pixels on their header; drop its other warnings."""
    previous = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        Image.MAX_IMAGE_PIXELS = max_pixels
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = previous


@contextmanager
def rejecting_undecodable(structure: Structure) -> Iterator[None]:
    """Convert the errors of decoders into rejections with a category; do not run other code inside."""
    try:
        with _without_stderr() if structure.format == "TIFF" else nullcontext(), raising_memory_errors():
            yield
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise ImageRejectedError(failures.TOO_LARGE, "the image has more pixels than are allowed") from error
    except UnidentifiedImageError as error:
        message = f"the {structure.display_name} is damaged, or of a kind that is not supported; save it as PNG or JPEG"
        raise ImageRejectedError(failures.UNSUPPORTED, message) from error
    except (ImageRejectedError, MemoryError):
        raise
    except Exception as error:  # Pillow's errors for damaged files have no common base class
        raise ImageRejectedError(
            failures.CORRUPT, damaged(f"the {structure.display_name} cannot be decoded")
        ) from error


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Keep libtiff's messages out of standard error, which is the log of the function."""
    previous = os.dup(2)
    os.dup2(_null_device(), 2)
    try:
        yield
    finally:
        os.dup2(previous, 2)
        os.close(previous)


@cache
def _null_device() -> int:
    return os.open(os.devnull, os.O_WRONLY)


def open_image(data: bytes, structure: Structure) -> Image.Image:
    """Open an image with the decoder of exactly this format, which reads only the header.

    Raises:
        ImageRejectedError: the colour profile is too large, or the image is larger than its header declared.
    """
    if structure.format == "TIFF":
        from .tiff_decoder import open_tiff  # noqa: PLC0415  most functions never see one

        image = open_tiff(data)
    elif structure.format == "BMP":
        from .bmp_decoder import open_bmp  # noqa: PLC0415  as above

        image = open_bmp(data)
    elif structure.format == "JPEG":
        image = _open_jpeg(data)
    else:
        load_plugin(structure.format)
        image = Image.open(BytesIO(data), formats=(structure.format,))
    if image.width * image.height > structure.width * structure.height:  # the size that memory was counted for
        corrupt("the image is larger than its header declares")
    if isinstance(image, GifImagePlugin.GifImageFile):
        drop_foreign_palette(image)
    if image.format == "PNG":
        image.info.pop("transparency", None)
        if structure.transparent is not None:
            image.info["transparency"] = structure.transparent
    profile = image.info.pop("icc_profile", None)
    if isinstance(profile, bytes):  # the values of a TIFF tag may be numbers
        reject_large_profile(len(profile))
        image.info["icc_profile"] = profile
    named_profile = _profile_of_named_colours(image, structure)
    if named_profile is not None and (profile is None or structure.format == "PNG"):  # in a PNG they outrank a profile
        image.info["icc_profile"] = named_profile
    return image


class _Jpeg(JpegImagePlugin.JpegImageFile):
    """A JPEG whose resolution is not read from its EXIF: Pillow rejects the file if that tag has another type."""

    def _read_dpi_from_exif(self) -> None:
        pass


def _open_jpeg(data: bytes) -> JpegImagePlugin.JpegImageFile:
    """Open the first image of a JPEG.

    `Image.open` also reads an index of further images. It fails on some damaged ones, and the index is not needed.
    """
    try:
        return _Jpeg(BytesIO(data))
    except SyntaxError as error:
        raise UnidentifiedImageError from error


def _profile_of_named_colours(image: Image.Image, structure: Structure) -> bytes | None:
    """Return the profile of a colour space that the file only names; None if it names none."""
    if structure.colours is not None:
        return profile_of_code_points(*structure.colours)
    exif = image.info.get("exif", b"") if structure.format == "JPEG" else b""
    return adobe_rgb() if is_adobe_rgb(exif) else None


def image_orientation(image: Image.Image, structure: Structure) -> int:
    """Return the orientation as in EXIF; 1 (upright) without a valid one, or if the decoder applies it."""
    if structure.orientation is not None:
        return structure.orientation
    if structure.format in _ROTATED_BY_DECODER:
        return UPRIGHT
    # AVIF has its own properties, which Pillow converts to EXIF.
    info = {} if structure.format == "AVIF" else image.info
    return read_orientation(structure.exif or image.info.get("exif"), info)


def decode(image: Image.Image, largest: Size, orientation: int, *, as_planes: bool = False) -> Decoded:
    """Decode the current frame of an image, no larger than its format allows for `largest`.

    With `as_planes`, a JPEG that is stored in YCbCr planes, and needs no colour conversion, stays in planes.
    """
    icc_profile = image.info.get("icc_profile")
    planes = PLANES if as_planes and _is_in_planes(image) and is_srgb("RGB", icc_profile) else None
    draft = image.draft(planes, (math.ceil(largest[0] * DRAFT_GAP), math.ceil(largest[1] * DRAFT_GAP)))
    drawn_box = image.tile[0].extents if isinstance(image, GifImagePlugin.GifImageFile) else None
    if isinstance(image, PngImagePlugin.PngImageFile) and image.tile[0].args == _UPPER_BYTES:
        _load_16_bits(image)
    image.load()
    if image.mode == "P" and image.palette is None:
        corrupt("its palette is missing")
    box = draft[1] if draft else (0, 0, *image.size)
    if drawn_box is not None:
        image = place_on_screen(image, drawn_box)
    return Decoded(image, box, orientation, icc_profile)


def _load_16_bits(image: PngImagePlugin.PngImageFile) -> None:
    """Load a PNG of three channels of 16 bits, with alpha if one colour is transparent.

    Pillow keeps only the upper bytes. The lower bytes are decoded separately and compared first.
    """
    colour = image.info.pop("transparency", None)
    if colour is not None:
        lower = PngImagePlugin.PngImageFile(BytesIO(cast("BytesIO", image.fp).getvalue()))
        lower.tile = [lower.tile[0]._replace(args=_LOWER_BYTES)]
        opaque = mask_of_other_values([value & 0xFF for value in colour], lower)
        lower.close()
        del lower
        upper = mask_of_other_values([value >> 8 for value in colour], image)
        image.putalpha(ImageChops.lighter(opaque, upper))


def _is_in_planes(image: Image.Image) -> bool:
    """Return True if libjpeg reads the three components of the JPEG as YCbCr planes, not as red, green and blue."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or image.mode != "RGB":
        return False
    if "jfif" in image.info or "adobe_transform" not in image.info:
        return "jfif" in image.info or [number for number, *_ in image.layer] == [1, 2, 3]
    return bool(image.info["adobe_transform"])
