"""What is to be made of an image, and what is refused on its header: plain values that need no decoder."""

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
    """How long an animation may be to stay one.

    Args:
        max_frames: of the source.
        max_pixels: width times height times frames of the source.
    """

    max_frames: int
    max_pixels: int


class Recipe(NamedTuple):
    """What thumbnails are made, and how.

    Args:
        sizes_px: the sides of the squares they fit in; empty where only metadata is wanted.
        output_format: `auto` is PNG where something is transparent, else JPEG.
        jpeg_quality: 1 to 100, as are the others.
        background: what shows through transparent pixels, as `#rrggbb`; None keeps them transparent where the output
            format can, and is white where it cannot.
        animation: None makes still thumbnails of the first frame; otherwise an animation within its limits becomes an
            animated WebP.
        engine: what decodes and shrinks: `pillow` or `libvips`.
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
    """What an image may ask of the function; decided on its header, before anything is decoded.

    Args:
        max_pixels: width times height.
        max_frames: of an animation, or pages of a document.
        memory_bytes: what the function has.
        heic: whether HEIC images are taken, which needs their decoder in the package.
    """

    max_pixels: int
    max_frames: int
    memory_bytes: int
    heic: bool = False
