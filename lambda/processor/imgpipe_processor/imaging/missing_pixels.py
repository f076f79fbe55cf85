"""Reject images with missing pixels; decode images of which only the end of the file is damaged or missing.

Decoders fill in missing pixels without an error: a JPEG is grey from there on, and a PNG is black. Decoders also reject
a PNG whose pixels are complete but whose compressed data end in a wrong way.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from PIL import Image

from imgpipe_processor.failures import ImageRejectedError

from .decoding import open_image
from .shrinking import Decoded
from .structures import Structure, jpeg, png_pixels
from .structures.structure import corrupt

_FILLED_IN = frozenset({127, 128})  # the middle of the range, which some inks have inverted

# Pixels of which one checksum is made at once, so that little memory is used in addition to the image.
_SUMMED_PIXELS = 2**18


def decode_complete(structure: Structure, data: bytes, decoded: Callable[[bytes], Decoded]) -> Decoded:
    """Decode an image, and reject it if pixels are missing.

    Args:
        structure: of the file.
        data: the file.
        decoded: the function that decodes a file.

    Raises:
        ImageRejectedError: pixels are missing.
    """
    if structure.format == "PNG":
        return _decode_complete_png(data, decoded)
    if not structure.has_end:
        _reject_incomplete_jpeg(structure, data)
    made = decoded(data)
    if structure.format == "JPEG" and structure.has_end and _ends_grey(made):
        longer = jpeg.with_extra_data(data)  # extra data after a complete image change nothing
        if longer is not None and decoded(longer).image.tobytes() != made.image.tobytes():
            corrupt("the last rows of the JPEG are missing")
    return made


def _reject_incomplete_jpeg(structure: Structure, data: bytes) -> None:
    """Reject a JPEG without an end marker if extra data would change it.

    It is decoded at its full size: a smaller image has none of the fine detail of the last passes.
    """
    longer = jpeg.with_extra_data(data)
    if longer is None or _pixel_checksum(structure, data) != _pixel_checksum(structure, longer):
        corrupt("the end of the JPEG is missing")


def _pixel_checksum(structure: Structure, data: bytes) -> int:
    checksum = 0
    with open_image(data, structure) as image:
        rows = max(1, _SUMMED_PIXELS // image.width)
        for top in range(0, image.height, rows):
            strip = image.crop((0, top, image.width, min(top + rows, image.height)))
            checksum = zlib.crc32(strip.tobytes(), checksum)
    return checksum


def _decode_complete_png(data: bytes, decoded: Callable[[bytes], Decoded]) -> Decoded:
    try:
        made = decoded(data)
    except (ImageRejectedError, MemoryError):
        raise
    except Exception:  # of either engine
        repack = png_pixels.repack(data)
        if repack is None:
            raise
        return decoded(repack)
    if _ends_black(made.image) and not png_pixels.has_all_rows(data):
        corrupt("the last rows of the PNG are missing")
    return made


def _ends_black(pixels: Image.Image) -> bool:
    """Return True if one of the last two rows is black.

    An interlaced image may miss every other row, or columns of its only row.
    """
    width, height = pixels.size
    if height == 1:
        return True
    rows = (pixels.crop((0, y, width, y + 1)) for y in range(max(0, height - 2), height))
    return any(row.getbbox(alpha_only=False) is None for row in rows)


def _ends_grey(made: Decoded) -> bool:
    last = made.corner or made.image.getpixel((made.image.width - 1, made.image.height - 1))
    return _FILLED_IN.issuperset(last if isinstance(last, tuple) else (last,))
