"""The options of the thumbnails and the limits of a source image: plain values that need no decoder."""

from __future__ import annotations

from typing import NamedTuple

AUTO = "auto"
JPEG = "jpeg"
PNG = "png"
WEBP = "webp"
AVIF = "avif"
OUTPUT_FORMATS = (AUTO, JPEG, PNG, WEBP, AVIF)

PILLOW = "pillow"
LIBVIPS = "libvips"
ENGINES = (PILLOW, LIBVIPS)


class Animation(NamedTuple):
    """The longest animation that stays an animation.

    Args:
        max_frames: frames of the source.
        max_pixels: width times height times frames of the source.
    """

    max_frames: int
    max_pixels: int


class Recipe(NamedTuple):
    """The thumbnails to make, and their options.

    Args:
        sizes_px: the sides of the squares that the thumbnails fit in; empty if only metadata is requested.
        output_format: `auto` is PNG if a pixel is transparent, else JPEG.
        jpeg_quality: 1 to 100, like the other qualities.
        background: the color under transparent pixels, as `#rrggbb`; None keeps them transparent if the output format
            can, and uses white if it cannot.
        animation: None makes still thumbnails of the first frame; otherwise an animation within these limits becomes an
            animated WebP.
        engine: the library that decodes and shrinks: `pillow` or `libvips`.
    """

    sizes_px: tuple[int, ...]
    output_format: str = AUTO
    jpeg_quality: int = 80
    webp_quality: int = 80
    avif_quality: int = 60
    background: str | None = None
    animation: Animation | None = None
    engine: str = PILLOW


class Limits(NamedTuple):
    """The limits of a source image, checked on its header before it is decoded.

    Args:
        max_pixels: width times height.
        max_frames: of an animation, or pages of a document.
        memory_bytes: the memory of the function.
        heic: True if HEIC images are accepted; their decoder must be in the package.
    """

    max_pixels: int
    max_frames: int
    memory_bytes: int
    heic: bool = False
