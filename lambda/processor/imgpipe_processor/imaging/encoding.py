"""Encode thumbnails: format, quality, and if possible no more bytes than the source."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO

from PIL import Image

from .colour import has_few_colours
from .placeholder import flatten
from .plugins import load_plugin
from .process_memory import raising_memory_errors
from .processed_image import Thumbnail
from .recipe import AUTO, JPEG, Recipe

WHITE = (255, 255, 255)

# The steps by which the quality is lowered if a thumbnail has more bytes than its source. Below 25 a JPEG shows blocks,
# and a small file that looks bad is no gain.
_LOWERED = (15, 30, 45)
_LOWEST_QUALITY = 25

# The speed scales of the encoders: faster is lower for WebP and higher for AVIF. Measured on thumbnails of photos of
# 128 to 1,024 pixels, bytes at equal PSNR and SSIM: WebP 2 needs half the time of the default 4 for 5 to 7 % more
# bytes; AVIF 8 needs 0.4 of the time of the default 6 for 2 to 5 % more, and 9 a quarter of that for another 4 to 5 %.
_WEBP_METHOD = 2
_AVIF_SPEED = 8

_PALETTE_COLOURS = 256
_PACKED_COLOURS = 16  # indices of 4 bits at most

# PNG specification, third edition, section 11.2.1 (IHDR): the colour type of each mode.
_PNG_COLOUR_TYPES = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# Pixels of a PNG that are compressed with and without filters, to select the smaller. Measured on drawings, logos with
# shadows, screenshots, text and line art of 200 to 1,024 pixels: the selection is right in 24 of 28 cases and at most 6
# % larger in the others. Bands of fewer rows, and twice or four times the pixels, select no better.
_ESTIMATED_PIXELS = 2**14
_ESTIMATED_BANDS = 4


def background_of(recipe: Recipe) -> tuple[int, int, int]:
    """Return the color under transparent pixels if they cannot stay transparent."""
    if recipe.background is None:
        return WHITE
    red, green, blue = bytes.fromhex(recipe.background.removeprefix("#"))
    return red, green, blue


def encode(image: Image.Image, recipe: Recipe, *, source_bytes: int) -> Thumbnail:
    """Encode sRGB pixels (L, LA, RGB, RGBA or YCbCr planes) without metadata."""
    if recipe.background is not None or recipe.output_format == JPEG:
        image = flatten(image, background_of(recipe))
    output_format = recipe.output_format.upper()
    if recipe.output_format == AUTO:
        output_format = "PNG" if image.mode in {"LA", "RGBA"} else "JPEG"
    load_plugin(output_format)
    data = _ENCODERS[output_format](image, recipe, source_bytes)
    return Thumbnail(data, output_format, *image.size)


def _first_small_enough(attempts: Iterator[bytes], source_bytes: int) -> bytes:
    """Return the first attempt that is no larger than the source, else the smallest of all."""
    smallest = next(attempts)
    while len(smallest) > source_bytes:
        attempt = next(attempts, None)
        if attempt is None:
            break
        smallest = min(smallest, attempt, key=len)
    return smallest


def _best_within(source_bytes: int, configured: bytes, lower: Sequence[int], encoded: Callable[[int], bytes]) -> bytes:
    """Return the best of the lower qualities that is no larger than the source, else the configured one.

    The lowest quality is tried first: if it is too large, the others are too.

    Args:
        source_bytes: size of the source.
        configured: the thumbnail in the configured quality.
        lower: the qualities to try, best first.
        encoded: the function that makes the thumbnail in a quality.
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
        return _encode_frame(image, "JPEG", quality=quality, subsampling="4:2:0", optimize=True)

    return _best_within(source_bytes, encoded(recipe.jpeg_quality), _lowered(recipe.jpeg_quality), encoded)


def _webp(image: Image.Image, recipe: Recipe, source_bytes: int) -> bytes:
    return encode_webp(source_bytes, [image], recipe, lambda **options: _encode_frame(image, "WEBP", **options))


def _avif(image: Image.Image, recipe: Recipe, source_bytes: int) -> bytes:
    def encoded(quality: int) -> bytes:
        return _encode_frame(image, "AVIF", quality=quality, speed=_AVIF_SPEED)

    return _best_within(source_bytes, encoded(recipe.avif_quality), _lowered(recipe.avif_quality), encoded)


def _png(image: Image.Image, _recipe: Recipe, source_bytes: int) -> bytes:
    return _first_small_enough(_pngs(image), source_bytes)


def _pngs(image: Image.Image) -> Iterator[bytes]:
    """Yield PNGs of the same pixels: first the one that is probably smallest at a bounded cost, last the slowest."""
    if has_few_colours(image):
        yield from _pngs_by_size(image)
    else:
        # Z_RLE: a quarter of the default time for a photo with alpha of 512 pixels and 3 % more bytes, a fifth and 8 %
        # at 1,024.
        yield _encode_frame(image, "PNG", compress_type=zlib.Z_RLE)
        yield _filtered_png(image)
    paletted = _paletted(image)
    if paletted is not None:
        yield _encode_frame(paletted, "PNG")
        yield _encode_frame(paletted, "PNG", optimize=True)  # six times slower again, and saves 1 % at most


def _pngs_by_size(image: Image.Image) -> Iterator[bytes]:
    """Yield PNGs of a drawing, the smallest first as estimated from some of its rows."""
    rows = _some_rows(image)
    samples = {encoder: encoder(rows) for encoder in (_filtered_png, _unfiltered_png)}
    for encoder in sorted(samples, key=lambda encoder: len(samples[encoder])):
        yield samples[encoder] if rows is image else encoder(image)


def _some_rows(image: Image.Image) -> Image.Image:
    """Return bands of the image's rows, evenly spread, as a separate image; return a small image unchanged."""
    height = max(1, _ESTIMATED_PIXELS // _ESTIMATED_BANDS // image.width)
    if height * _ESTIMATED_BANDS >= image.height:
        return image
    rows = Image.new(image.mode, (image.width, height * _ESTIMATED_BANDS))
    for index in range(_ESTIMATED_BANDS):
        top = (2 * index + 1) * image.height // (2 * _ESTIMATED_BANDS) - height // 2
        rows.paste(image.crop((0, top, image.width, top + height)), (0, index * height))
    return rows


def _filtered_png(image: Image.Image) -> bytes:
    return _encode_frame(image, "PNG")


def _unfiltered_png(image: Image.Image) -> bytes:
    """Return a PNG whose rows have no filter, which compresses flat colours better; Pillow cannot write one."""
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
    """Return the same pixels in black and white, or as indices into a palette; None if that saves nothing.

    An index uses as many bytes as a grey value, unless there are so few that a byte contains two or more.
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
    indices = {pixel: index for index, pixel in enumerate(sorted(set(pixels)))}
    indexed = Image.frombytes("P", image.size, bytes(map(indices.__getitem__, pixels)))
    palette = b"".join(pixel.to_bytes(4, sys.byteorder) for pixel in indices)
    indexed.putpalette(palette, "RGBX" if opaque else "RGBA")
    return indexed


_ENCODERS: dict[str, Callable[[Image.Image, Recipe, int], bytes]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "AVIF": _avif,
}


def encode_webp(
    source_bytes: int, frames: Sequence[Image.Image], recipe: Recipe, encoded: Callable[..., bytes]
) -> bytes:
    """Return a WebP of these frames that is no larger than the source, else in the configured quality.

    Frames that are drawings may become a lossless WebP, which has the same pixels and may have fewer bytes.

    Args:
        source_bytes: size of the source.
        frames: one frame, or the frames of an animation.
        recipe: of the thumbnail.
        encoded: the function that makes the WebP with the encoder's options.
    """

    def lossy(quality: int) -> bytes:
        return encoded(quality=quality, method=_WEBP_METHOD)

    configured = lossy(recipe.webp_quality)
    if len(configured) > source_bytes and all(frame.getcolors(_PALETTE_COLOURS) for frame in frames):
        configured = min(configured, encoded(lossless=True), key=len)
    lower = _lowered(recipe.webp_quality)
    # An animation may need seconds for each quality.
    return _best_within(source_bytes, configured, lower if len(frames) == 1 else lower[-1:], lossy)


def _lowered(configured: int) -> list[int]:
    """Return the lower qualities to try for fewer bytes, best first."""
    return [configured - step for step in _LOWERED if configured - step >= _LOWEST_QUALITY]


def _encode_frame(image: Image.Image, output_format: str, **options: object) -> bytes:
    return encode_frames([image], output_format, **options)


def encode_frames(frames: Sequence[Image.Image], output_format: str, **options: object) -> bytes:
    """Encode the pixels of one frame or several, and empty each frame's `info`.

    Pillow's encoders write a comment, a profile and more from `info` by default, and each release may add to it. Every
    thumbnail is encoded here, so no metadata of a source reaches an encoder.

    Raises:
        MemoryError: the system refused memory.
    """
    for frame in frames:
        frame.info = {}
    others = {"save_all": True, "append_images": frames[1:]} if len(frames) > 1 else {}
    out = BytesIO()
    with raising_memory_errors():
        frames[0].save(out, output_format, **others, **options)
    return out.getvalue()
