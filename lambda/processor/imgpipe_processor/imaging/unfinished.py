"""Pictures whose end is missing though their file has one: decoders fill in what is not there, and say nothing.

A JPEG is grey from there on, and a PNG black. Only where a picture ends so is it looked at more closely.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from .structures import Structure, jpeg, png
from .structures.structure import corrupt

_FILLED_IN = frozenset({127, 128})  # the middle of the range, which some inks have inverted


def refuse_unfinished(pixels: Image.Image, structure: Structure, data: bytes, again: Callable[[bytes], bytes]) -> None:
    """Refuse a picture that is not all there.

    Args:
        pixels: as decoded.
        structure: of the file.
        data: the file.
        again: decodes another file in the same way, to pixels.

    Raises:
        ImageRejectedError: what its end shows is not in the file.
    """
    if structure.format == "PNG" and _ends_black(pixels) and not png.has_all_rows(data):
        corrupt("the last rows of the PNG are missing")
    if structure.format == "JPEG" and _ends_grey(pixels):
        longer = jpeg.prolonged(data)  # what comes after a whole picture changes nothing
        if longer is not None and again(longer) != pixels.tobytes():
            corrupt("the last rows of the JPEG are missing")


def _ends_black(pixels: Image.Image) -> bool:
    """Whether one of the last two rows is; an interlaced image may miss every other row."""
    width, height = pixels.size
    rows = (pixels.crop((0, y, width, y + 1)) for y in range(max(0, height - 2), height))
    return any(row.getbbox(alpha_only=False) is None for row in rows)


def _ends_grey(pixels: Image.Image) -> bool:
    last = pixels.getpixel((pixels.width - 1, pixels.height - 1))
    return _FILLED_IN.issuperset(last if isinstance(last, tuple) else (last,))
