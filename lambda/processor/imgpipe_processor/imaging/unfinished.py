"""Pictures whose end is damaged or missing: refused if pixels are missing, decoded otherwise.

Decoders fill in what is missing, and say nothing: a JPEG is grey from there on, and a PNG black. And they refuse a PNG
whose pixels are whole but whose compressed data end in a wrong way.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from PIL import Image

from imgpipe_processor.failures import ImageRejectedError

from .decoding import opened
from .shrinking import Decoded
from .structures import Structure, jpeg, png_pixels
from .structures.structure import corrupt

_FILLED_IN = frozenset({127, 128})  # the middle of the range, which some inks have inverted

# How many are summed up at once, so that little is held beside the image.
_SUMMED_PIXELS = 2**18


def decoded_whole(structure: Structure, data: bytes, decoded: Callable[[bytes], Decoded]) -> Decoded:
    """Decode a picture, and refuse it if pixels are missing.

    Args:
        structure: of the file.
        data: the file.
        decoded: decodes a file.

    Raises:
        ImageRejectedError: pixels are missing.
    """
    if structure.format == "PNG":
        return _whole_png(data, decoded)
    if not structure.has_end:
        _refuse_unfinished_jpeg(structure, data)
    made = decoded(data)
    if structure.format == "JPEG" and structure.has_end and _ends_grey(made):
        longer = jpeg.prolonged(data)  # what comes after a whole picture changes nothing
        if longer is not None and decoded(longer).image.tobytes() != made.image.tobytes():
            corrupt("the last rows of the JPEG are missing")
    return made


def _refuse_unfinished_jpeg(structure: Structure, data: bytes) -> None:
    """Refuse a JPEG without an end marker that more data would change.

    It is decoded at its full size: a smaller picture has nothing of the fine detail that the last passes are made of.
    """
    longer = jpeg.prolonged(data)
    if longer is None or _sum_of_pixels(structure, data) != _sum_of_pixels(structure, longer):
        corrupt("the end of the JPEG is missing")


def _sum_of_pixels(structure: Structure, data: bytes) -> int:
    checksum = 0
    with opened(data, structure) as image:
        rows = max(1, _SUMMED_PIXELS // image.width)
        for top in range(0, image.height, rows):
            strip = image.crop((0, top, image.width, min(top + rows, image.height)))
            checksum = zlib.crc32(strip.tobytes(), checksum)
    return checksum


def _whole_png(data: bytes, decoded: Callable[[bytes], Decoded]) -> Decoded:
    try:
        made = decoded(data)
    except (ImageRejectedError, MemoryError):
        raise
    except Exception:  # of either engine
        repacked = png_pixels.repacked(data)
        if repacked is None:
            raise
        return decoded(repacked)
    if _ends_black(made.image) and not png_pixels.has_all_rows(data):
        corrupt("the last rows of the PNG are missing")
    return made


def _ends_black(pixels: Image.Image) -> bool:
    """Whether one of the last two rows is; an interlaced image may miss every other row, or columns of its only one."""
    width, height = pixels.size
    if height == 1:
        return True
    rows = (pixels.crop((0, y, width, y + 1)) for y in range(max(0, height - 2), height))
    return any(row.getbbox(alpha_only=False) is None for row in rows)


def _ends_grey(made: Decoded) -> bool:
    last = made.corner or made.image.getpixel((made.image.width - 1, made.image.height - 1))
    return _FILLED_IN.issuperset(last if isinstance(last, tuple) else (last,))
