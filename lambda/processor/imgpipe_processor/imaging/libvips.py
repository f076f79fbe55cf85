"""The libvips engine: libvips decodes and shrinks in one stream the formats for which it is measurably faster.

These are PNG and WebP of any size, and JPEG for thumbnails that are larger than its decoder shrinks to by itself.
Pillow does everything else, and also header, colours, orientation and encoding of these. So both engines reject the
same files, and differ only in the filter of their shrinking.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

from PIL import Image

from .plugins import CODEC_THREADS
from .shrinking import Decoded, Size
from .structures import Structure

_LOADERS = {"JPEG": "VipsForeignLoadJpeg", "PNG": "VipsForeignLoadPng", "WEBP": "VipsForeignLoadWebp"}

# Up to this size a JPEG's own decoder does nearly all of the shrinking, and Pillow is faster for the rest.
_PILLOW_IS_FASTER_PX = 512

# How many times the target a JPEG's decoder may shrink to. Measured at 1,024 pixels against sharp: 1.4 is never below
# its fidelity, 1.2 is 5 % faster and in one of five photos 0.2 dB below.
_DRAFT_GAP = 1.4

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # by bands


@cache
def prepare_libvips(largest_px: int) -> None:
    """Load libvips at cold start if every JPEG needs it; otherwise only check that it is in the package.

    It needs 9 MB and 10 ms, which a function for small thumbnails of JPEGs does not need.

    Raises:
        ImportError: it is not in the package.
    """
    if largest_px > _PILLOW_IS_FASTER_PX:
        _load_libvips()
    elif find_spec("pyvips") is None:
        raise ImportError("the package has no pyvips, which the engine libvips needs")


@cache
def _load_libvips() -> Any:
    """Import pyvips, and make libvips read only these formats, with one worker thread and no cache.

    Raises:
        ImportError: it is not in the package.
    """
    import pyvips  # noqa: PLC0415  in the package only if this engine is configured

    pyvips.cache_set_max(0)
    pyvips.concurrency_set(CODEC_THREADS)
    pyvips.operation_block_set("VipsForeignLoad", True)  # noqa: FBT003  libvips's argument
    for loader in _LOADERS.values():
        pyvips.operation_block_set(loader, False)  # noqa: FBT003  as above
    return pyvips


def decode_with_libvips(
    data: bytes, structure: Structure, image: Image.Image, target: Size, orientation: int
) -> Decoded | None:
    """Decode and shrink to `target` at once; None if Pillow must decode the image.

    Args:
        data: the file.
        structure: of the file.
        image: as opened by Pillow, not decoded.
        target: the requested size, before the orientation is applied.
        orientation: as in EXIF.
    """
    if structure.format not in _LOADERS or structure.animation is not None or image.mode == "CMYK":
        return None
    if structure.format == "JPEG" and max(target) <= _PILLOW_IS_FASTER_PX:
        return None
    if structure.format == "PNG" and image.info.get("interlace"):
        return None  # libvips keeps all of it, with up to 10 bytes a pixel
    try:
        small = _shrunk_jpeg(data, image.size, target) if structure.format == "JPEG" else _shrunk(data, target)
        values = memoryview(small.write_to_memory())
    except _load_libvips().Error:
        if structure.format != "JPEG":
            raise
        return None  # libvips rejects a JPEG of more than 100 warnings, which Pillow does not count
    size = target[0] * target[1] * small.bands
    pixels = Image.frombytes(_MODES[small.bands], target, values[:size])
    corner = tuple(values[size : size + small.bands]) or None
    return Decoded(pixels, (0, 0, *target), orientation, image.info.get("icc_profile"), corner)


def _shrunk(data: bytes, target: Size) -> Any:
    options = "fail-on=error"  # a separate argument does not reach every loader
    return _load_libvips().Image.thumbnail_buffer(
        data, target[0], height=target[1], size="force", no_rotate=True, option_string=options
    )


def _shrunk_jpeg(data: bytes, size: Size, target: Size) -> Any:
    """Make the decoder shrink as far as it can without a visible loss; libvips by itself stops a step earlier.

    A row is added below the result. It begins with the last pixel as it was decoded: after resampling, nothing shows
    if it was missing.
    """
    left_over = min(side / target_side for side, target_side in zip(size, target, strict=True)) / _DRAFT_GAP
    shrink = max(step for step in (1, 2, 4, 8) if step <= max(left_over, 1))
    image = _load_libvips().Image.jpegload_buffer(data, shrink=shrink, fail_on="error", access="sequential")
    small = image.thumbnail_image(target[0], height=target[1], size="force", no_rotate=True)
    corner = image.crop(image.width - 1, image.height - 1, 1, 1)
    return small.insert(corner, 0, target[1], expand=True)
