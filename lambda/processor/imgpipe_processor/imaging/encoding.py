"""Encoding: which format, how good, and never more bytes than the source where that can be had."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO

from PIL import Image

from .placeholder import flattened
from .plugins import load_plugin
from .process_memory import naming_refusals
from .recipe import AUTO, JPEG, Recipe
from .thumbnail import Thumbnail

WHITE = (255, 255, 255)

# Tried one after the other while a thumbnail has more bytes than its source: what the quality is lowered by. Below
# 25 a JPEG falls into blocks, and a small file that nobody wants to look at is no gain.
_LOWERED = (15, 30, 45)
_LOWEST_QUALITY = 25

# The encoders' own scales: the faster, the lower for WebP and the higher for AVIF. Measured on thumbnails of photos of
# 128 to 1,024 pixels, bytes at equal PSNR and SSIM: WebP 2 takes half the time of the usual 4 for 5 to 7 % more bytes;
# AVIF 8 takes 0.4 of the time of the usual 6 for 2 to 5 % more, and 9 a quarter of that for another 4 to 5 %.
_WEBP_METHOD = 2
_AVIF_SPEED = 8

_PALETTE_COLOURS = 256


def background_of(recipe: Recipe) -> tuple[int, int, int]:
    """What shows through transparent pixels where nothing can stay transparent."""
    if recipe.background is None:
        return WHITE
    red, green, blue = bytes.fromhex(recipe.background.removeprefix("#"))
    return red, green, blue


def encode(image: Image.Image, recipe: Recipe, *, source_bytes: int) -> Thumbnail:
    """Encode plain sRGB pixels (L, LA, RGB, RGBA or planes), and nothing beside them."""
    if recipe.background is not None or recipe.output_format == JPEG:
        image = flattened(image, background_of(recipe))
    output_format = recipe.output_format.upper()
    if recipe.output_format == AUTO:
        output_format = "PNG" if image.mode in {"LA", "RGBA"} else "JPEG"
    load_plugin(output_format)
    data = smallest_needed(_ATTEMPTS[output_format](image, recipe), source_bytes)
    return Thumbnail(data, output_format, *image.size)


def smallest_needed(attempts: Iterator[bytes], source_bytes: int) -> bytes:
    """The first attempt that is no larger than the source, or else the smallest of all."""
    smallest = next(attempts)
    while len(smallest) > source_bytes:
        attempt = next(attempts, None)
        if attempt is None:
            break
        smallest = min(smallest, attempt, key=len)
    return smallest


def _jpegs(image: Image.Image, recipe: Recipe) -> Iterator[bytes]:
    for quality in _lowered(recipe.jpeg_quality):
        yield _saved(image, "JPEG", quality=quality, subsampling="4:2:0", optimize=True)


def _webps(image: Image.Image, recipe: Recipe) -> Iterator[bytes]:
    for options in webp_options([image], recipe):
        yield _saved(image, "WEBP", **options)


def _avifs(image: Image.Image, recipe: Recipe) -> Iterator[bytes]:
    for quality in _lowered(recipe.avif_quality):
        yield _saved(image, "AVIF", quality=quality, speed=_AVIF_SPEED)


def _pngs(image: Image.Image, _recipe: Recipe) -> Iterator[bytes]:
    # Z_RLE: a quarter of the usual time for a photo with alpha of 512 pixels and 3 % more bytes, a fifth and 8 % at
    # 1,024. The highest level takes another six times as long for drawings and saves 1 % at most: the last to try.
    yield _saved(image, "PNG", compress_type=zlib.Z_RLE)
    yield _saved(image, "PNG")  # for drawings, which repeat themselves
    few = _paletted(image)
    if few is not None:
        yield _saved(few, "PNG")
        yield _saved(few, "PNG", optimize=True)


def _paletted(image: Image.Image) -> Image.Image | None:
    """Exactly the same pixels in black and white, or by their numbers in a palette; None if they have many colours."""
    if image.mode == "L" and not any(image.histogram()[1:-1]):
        return image.convert("1")
    opaque = image.mode in {"L", "RGB"}
    image = image.convert("RGBA")
    if image.getcolors(_PALETTE_COLOURS) is None:
        return None
    pixels = memoryview(image.tobytes()).cast("I")
    numbers = {pixel: number for number, pixel in enumerate(sorted(set(pixels)))}
    made = Image.frombytes("P", image.size, bytes(map(numbers.__getitem__, pixels)))
    palette = b"".join(pixel.to_bytes(4, sys.byteorder) for pixel in numbers)
    made.putpalette(palette, "RGBX" if opaque else "RGBA")
    return made


_ATTEMPTS: dict[str, Callable[[Image.Image, Recipe], Iterator[bytes]]] = {
    "JPEG": _jpegs,
    "PNG": _pngs,
    "WEBP": _webps,
    "AVIF": _avifs,
}


def webp_options(frames: Sequence[Image.Image], recipe: Recipe) -> Iterator[dict[str, object]]:
    """What to try one after the other for a WebP of these frames; without a loss if they are drawings."""
    wanted, *lower = _lowered(recipe.webp_quality)
    yield {"quality": wanted, "method": _WEBP_METHOD}
    if all(frame.getcolors(_PALETTE_COLOURS) for frame in frames):
        yield {"lossless": True}
    for quality in lower if len(frames) == 1 else lower[-1:]:  # an animation may take seconds for each
        yield {"quality": quality, "method": _WEBP_METHOD}


def _lowered(wanted: int) -> Iterator[int]:
    """The quality that is wanted, and those to fall back on for fewer bytes."""
    yield wanted
    for lowered in _LOWERED:
        if wanted - lowered >= _LOWEST_QUALITY:
            yield wanted - lowered


def _saved(image: Image.Image, output_format: str, **options: object) -> bytes:
    return saved([image], output_format, **options)


def saved(frames: Sequence[Image.Image], output_format: str, **options: object) -> bytes:
    """Encode the pixels of one frame or several, and empty each frame's `info`.

    Pillow's encoders write a comment, a profile and more from `info` without being asked, and each release may add to
    it. Every thumbnail is encoded here, so nothing of a source's metadata reaches an encoder.

    Raises:
        MemoryError: memory was refused.
    """
    for frame in frames:
        frame.info = {}
    others = {"save_all": True, "append_images": frames[1:]} if len(frames) > 1 else {}
    out = BytesIO()
    with naming_refusals():
        frames[0].save(out, output_format, **others, **options)
    return out.getvalue()
