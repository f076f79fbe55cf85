"""Encoding: which format, how good, and never more bytes than the source where that can be had."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO

from PIL import Image

from .colour import has_few_colours
from .placeholder import flattened
from .plugins import load_plugin
from .process_memory import naming_refusals
from .recipe import AUTO, JPEG, Recipe
from .thumbnail import Thumbnail

WHITE = (255, 255, 255)

# What the quality is lowered by where a thumbnail has more bytes than its source. Below 25 a JPEG falls into blocks,
# and a small file that nobody wants to look at is no gain.
_LOWERED = (15, 30, 45)
_LOWEST_QUALITY = 25

# The encoders' own scales: the faster, the lower for WebP and the higher for AVIF. Measured on thumbnails of photos of
# 128 to 1,024 pixels, bytes at equal PSNR and SSIM: WebP 2 takes half the time of the usual 4 for 5 to 7 % more bytes;
# AVIF 8 takes 0.4 of the time of the usual 6 for 2 to 5 % more, and 9 a quarter of that for another 4 to 5 %.
_WEBP_METHOD = 2
_AVIF_SPEED = 8

_PALETTE_COLOURS = 256
_PACKED_COLOURS = 16  # whose numbers take 4 bits at most

# PNG specification, third edition, section 11.2.1 (IHDR): the colour type of each mode.
_PNG_COLOUR_TYPES = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# How many pixels of a PNG are compressed with and without filters, to choose by what is smaller. Measured on drawings,
# logos with shadows, screenshots, text and line art of 200 to 1,024 pixels: the choice is right in 24 of 28 cases and
# at most 6 % larger in the others. Bands of fewer rows, and twice or four times the pixels, choose no better.
_ESTIMATED_PIXELS = 2**14
_ESTIMATED_BANDS = 4


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
    data = _ENCODERS[output_format](image, recipe, source_bytes)
    return Thumbnail(data, output_format, *image.size)


def _smallest_needed(attempts: Iterator[bytes], source_bytes: int) -> bytes:
    """Return the first attempt that is no larger than the source, or else the smallest of all."""
    smallest = next(attempts)
    while len(smallest) > source_bytes:
        attempt = next(attempts, None)
        if attempt is None:
            break
        smallest = min(smallest, attempt, key=len)
    return smallest


def _best_within(source_bytes: int, configured: bytes, lower: Sequence[int], encoded: Callable[[int], bytes]) -> bytes:
    """Return the best of the lower qualities that is no larger than the source, or else what is configured.

    The lowest quality is tried first: if it is too large as well, the others would be in vain.

    Args:
        source_bytes: of the source.
        configured: the thumbnail in the configured quality.
        lower: the qualities to try, best first.
        encoded: makes the thumbnail in a quality.
    """
    if len(configured) <= source_bytes or not lower:
        return configured
    *better, lowest = lower
    smallest = encoded(lowest)
    if len(smallest) > source_bytes:
        return configured
    fitting = (attempt for attempt in map(encoded, better) if len(attempt) <= source_bytes)
    return next(fitting, smallest)


def _jpeg(image: Image.Image, recipe: Recipe, source_bytes: int) -> bytes:
    def encoded(quality: int) -> bytes:
        return _saved(image, "JPEG", quality=quality, subsampling="4:2:0", optimize=True)

    return _best_within(source_bytes, encoded(recipe.jpeg_quality), _lowered(recipe.jpeg_quality), encoded)


def _webp(image: Image.Image, recipe: Recipe, source_bytes: int) -> bytes:
    return webp_within(source_bytes, [image], recipe, lambda **options: _saved(image, "WEBP", **options))


def _avif(image: Image.Image, recipe: Recipe, source_bytes: int) -> bytes:
    def encoded(quality: int) -> bytes:
        return _saved(image, "AVIF", quality=quality, speed=_AVIF_SPEED)

    return _best_within(source_bytes, encoded(recipe.avif_quality), _lowered(recipe.avif_quality), encoded)


def _png(image: Image.Image, _recipe: Recipe, source_bytes: int) -> bytes:
    return _smallest_needed(_pngs(image), source_bytes)


def _pngs(image: Image.Image) -> Iterator[bytes]:
    """Yield PNGs of the same pixels: what is probably the smallest at a bounded cost first, the slowest last."""
    if has_few_colours(image):
        yield from _pngs_by_size(image)
    else:
        # Z_RLE: a quarter of the usual time for a photo with alpha of 512 pixels and 3 % more bytes, a fifth and 8 %
        # at 1,024.
        yield _saved(image, "PNG", compress_type=zlib.Z_RLE)
        yield _filtered_png(image)
    few = _paletted(image)
    if few is not None:
        yield _saved(few, "PNG")
        yield _saved(few, "PNG", optimize=True)  # takes another six times as long, and saves 1 % at most


def _pngs_by_size(image: Image.Image) -> Iterator[bytes]:
    """Yield PNGs of a drawing, the smallest first as far as some of its rows tell."""
    rows = _some_rows(image)
    tried = {way: way(rows) for way in (_filtered_png, _unfiltered_png)}
    for way in sorted(tried, key=lambda way: len(tried[way])):
        yield tried[way] if rows is image else way(image)


def _some_rows(image: Image.Image) -> Image.Image:
    """Return bands of the image's rows, evenly spread, in an image of their own; a small image as it is."""
    height = max(1, _ESTIMATED_PIXELS // _ESTIMATED_BANDS // image.width)
    if height * _ESTIMATED_BANDS >= image.height:
        return image
    rows = Image.new(image.mode, (image.width, height * _ESTIMATED_BANDS))
    for number in range(_ESTIMATED_BANDS):
        top = (2 * number + 1) * image.height // (2 * _ESTIMATED_BANDS) - height // 2
        rows.paste(image.crop((0, top, image.width, top + height)), (0, number * height))
    return rows


def _filtered_png(image: Image.Image) -> bytes:
    return _saved(image, "PNG")


def _unfiltered_png(image: Image.Image) -> bytes:
    """Return a PNG whose rows have no filter, which Pillow cannot write: flat colours repeat themselves better so."""
    pixels = image.tobytes()
    row_bytes = len(pixels) // image.height
    deflate = zlib.compressobj()
    rows = (deflate.compress(b"\0" + pixels[at : at + row_bytes]) for at in range(0, len(pixels), row_bytes))
    header = struct.pack(">IIBBBBB", *image.size, 8, _PNG_COLOUR_TYPES[image.mode], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", b"".join(rows) + deflate.flush()), (b"IEND", b""))
    return _PNG_SIGNATURE + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def _paletted(image: Image.Image) -> Image.Image | None:
    """Exactly the same pixels in black and white, or by their numbers in a palette; None if that gains nothing.

    Numbers of greys take as much as greys, unless there are so few that a byte has two of them or more.
    """
    if image.mode == "L" and not any(image.histogram()[1:-1]):
        return image.convert("1")
    if image.mode == "L" and image.getcolors(_PACKED_COLOURS) is None:
        return None
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


_ENCODERS: dict[str, Callable[[Image.Image, Recipe, int], bytes]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "AVIF": _avif,
}


def webp_within(
    source_bytes: int, frames: Sequence[Image.Image], recipe: Recipe, encoded: Callable[..., bytes]
) -> bytes:
    """Return a WebP of these frames that is no larger than the source, or else in the configured quality.

    Frames that are drawings may become a lossless WebP, which has their pixels and may have fewer bytes.

    Args:
        source_bytes: of the source.
        frames: one, or those of an animation.
        recipe: of the thumbnail.
        encoded: makes the WebP with the encoder's options.
    """

    def lossy(quality: int) -> bytes:
        return encoded(quality=quality, method=_WEBP_METHOD)

    configured = lossy(recipe.webp_quality)
    if len(configured) > source_bytes and all(frame.getcolors(_PALETTE_COLOURS) for frame in frames):
        configured = min(configured, encoded(lossless=True), key=len)
    lower = _lowered(recipe.webp_quality)
    # An animation may take seconds for each.
    return _best_within(source_bytes, configured, lower if len(frames) == 1 else lower[-1:], lossy)


def _lowered(configured: int) -> list[int]:
    """Return the qualities to fall back on for fewer bytes, best first."""
    return [configured - step for step in _LOWERED if configured - step >= _LOWEST_QUALITY]


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
