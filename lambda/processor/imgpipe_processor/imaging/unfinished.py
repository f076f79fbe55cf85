"""Pictures whose end is damaged or missing: refused if pixels are missing, decoded otherwise.

Decoders fill in what is missing, and say nothing: a JPEG is grey from there on, and a PNG black. And they refuse a PNG
whose pixels are whole but whose compressed data end in a wrong way.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from imgpipe_processor.failures import ImageRejectedError

from .shrinking import Decoded
from .structures import Structure, jpeg, png_pixels
from .structures.structure import corrupt

_FILLED_IN = frozenset({127, 128})  # the middle of the range, which some inks have inverted


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
    made = decoded(data)
    if structure.format == "JPEG" and (not structure.has_end or _ends_grey(made.image)):
        longer = jpeg.prolonged(data)  # what comes after a whole picture changes nothing
        if longer is None and not structure.has_end:
            corrupt("the end of the JPEG is missing")
        if longer is not None and decoded(longer).image.tobytes() != made.image.tobytes():
            corrupt("the last rows of the JPEG are missing")
    return made


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
    """Whether one of the last two rows is; an interlaced image may miss every other row."""
    width, height = pixels.size
    rows = (pixels.crop((0, y, width, y + 1)) for y in range(max(0, height - 2), height))
    return any(row.getbbox(alpha_only=False) is None for row in rows)


def _ends_grey(pixels: Image.Image) -> bool:
    last = pixels.getpixel((pixels.width - 1, pixels.height - 1))
    return _FILLED_IN.issuperset(last if isinstance(last, tuple) else (last,))
