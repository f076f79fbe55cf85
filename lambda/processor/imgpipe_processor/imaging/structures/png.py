"""PNG: the chunks of "Portable Network Graphics (PNG) Specification, Third Edition", sections 5 and 11.

The image consists of its header, palette, transparency and compressed rows. An image is rejected if one of these is
damaged. Any other chunk is removed from the input of the decoder, unless decoders read it and it is valid. Transparency
with a wrong checksum is removed too, as browsers do.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .apng import read_animation
from .png_pixels import (
    END,
    PASSES,
    SIGNATURE,
    Chunk,
    declares_small_window,
    make_chunk,
    unpacked_size,
    with_widest_window,
)
from .structure import (
    MAX_PROFILE_BYTES,
    Piece,
    Structure,
    corrupt,
    join_pieces,
    reject_large_profile,
    too_large,
    unsupported,
)

__all__ = ["SIGNATURE", "read_png"]

# A chunk of image data has some kilobytes; so many are enough for the largest file.
MAX_CHUNKS = 50_000

# Texts and profiles are compressed, and may unpack to a thousand times their size. The metadata of the largest images
# have a few MB.
MAX_UNPACKED_BYTES = 16 * 2**20
_PACKED_TEXTS = frozenset({b"zTXt", b"iTXt"})
_MAX_NAME_BYTES = 80  # of a profile, with the zero after it (section 11.3.2.3)

# EXIF as old programs wrote it.
_EXIF_TEXT = b"Raw profile type exif\0"
_MAX_EXIF_TEXT_BYTES = 2**20  # what Pillow unpacks of a text

# Chunks that decoders read, with their lengths (section 11.3).
_LENGTHS = {b"IHDR": 13, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4, b"pHYs": 9}

# By colour type: the allowed depths (section 11.2.1), and the bytes that Pillow keeps of a pixel; three channels use
# four bytes.
_GREY, _RGB, _PALETTE = 0, 2, 3
_DEPTHS = {_GREY: (1, 2, 4, 8, 16), _RGB: (8, 16), _PALETTE: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PIXEL_BYTES = {_GREY: 1, _RGB: 4, _PALETTE: 1, 4: 4, 6: 4}
_KEY_BYTES = {_GREY: 2, _RGB: 6}  # of the one transparent value
_DEEP = 16  # bits per sample
_COMPARED_BYTES = 3  # of a pixel, if 16 bits are compared with a transparent colour

_OPAQUE = 255


class _Header(NamedTuple):
    width: int
    height: int
    depth: int
    colour_type: int


class _HeaderChunks(NamedTuple):
    """The chunks that the decoder needs before the pixels, and their values."""

    pieces: list[Piece]
    transparent: int | tuple[int, ...] | bytes | None
    colours: tuple[int, int] | None


def read_png(data: bytes, max_frames: int) -> Structure:
    """Read the chunks, and verify their checksums.

    Raises:
        ImageRejectedError: a chunk that the image needs is missing or damaged, or a chunk unpacks to far too much.
    """
    if data[12:16] == b"CgBI":
        unsupported(
            "the PNG is in Apple's own variant (CgBI), which only Apple's tools read; save it as an ordinary one"
        )
    header = _header(data)
    chunks = list(_chunks(data, header))
    _reject_long_texts(data, chunks)
    first = next((number for number, each in enumerate(chunks) if each.kind == b"IDAT"), None)
    if first is None:
        corrupt("the PNG contains no image")
    head = _before_pixels(data, header, chunks[:first])
    head.pieces.extend([each.piece for each in chunks if _is_exif_text(data, each)][:1])
    pixels = _pixels(data, [each for each in chunks if each.kind == b"IDAT"])
    deep_key = header.depth == _DEEP and isinstance(head.transparent, tuple)
    frames, animation = 1, None
    found = read_animation(data, chunks, (header.width, header.height), max_frames)
    if found is not None:
        frames = found.frames
        if not deep_key:  # its frames cannot be composed: Pillow keeps 8 bits
            animation = (SIGNATURE, *head.pieces, *found.before, *pixels, *found.after, END)
    return Structure(
        "PNG",
        header.width,
        header.height,
        _decoded_bytes(header, deep_key=deep_key),
        frames,
        exif=next((data[each.start : each.end] for each in chunks if each.kind == b"eXIf"), None),
        colours=head.colours,
        decodable=_decodable(data, [*head.pieces, *pixels]),
        animation=animation,
        transparent=head.transparent,
    )


def _header(data: bytes) -> _Header:
    length, kind = struct.unpack_from(">I4s", data, len(SIGNATURE))
    if kind != b"IHDR" or length != _LENGTHS[kind]:
        corrupt("the PNG has no header")
    width, height, depth, colour_type, packed_by, filtered_by, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    known = depth in _DEPTHS.get(colour_type, ()) and interlaced in PASSES and not (packed_by or filtered_by)
    if not (width and height and known):
        corrupt("the PNG's header is invalid")
    return _Header(width, height, depth, colour_type)


def _chunks(data: bytes, header: _Header) -> Iterator[Chunk]:
    """Yield every chunk with a correct checksum, up to the last one, or to the first damage after the pixels began.

    The decoder then checks that the rows are whole.
    """
    view, position, has_pixels = memoryview(data), len(SIGNATURE), False
    needed = {b"IHDR", b"IDAT"} | ({b"PLTE"} if header.colour_type == _PALETTE else set())
    cut_off = wrong = False
    for _ in range(MAX_CHUNKS):
        start = position + 8
        length, kind = int.from_bytes(data[position : position + 4]), data[position + 4 : start]
        end = start + length
        position = end + 4
        if kind == b"IEND":
            return
        if position > len(data):
            cut_off = True
            if kind == b"IDAT" and start < len(data):
                yield Chunk(kind, start, min(end, len(data)), whole=False)
                return
            break
        if zlib.crc32(view[start - 4 : end]) == int.from_bytes(data[end:position]):
            has_pixels = has_pixels or kind == b"IDAT"
            yield Chunk(kind, start, end)
        elif kind in needed and (kind == b"IDAT" or not has_pixels):
            wrong = True
            break
    if not has_pixels:
        corrupt(
            "the PNG is truncated"
            if cut_off
            else "a checksum of the PNG is wrong"
            if wrong
            else "the PNG has too many chunks"
        )


def _reject_long_texts(data: bytes, chunks: Sequence[Chunk]) -> None:
    total = 0
    for each in chunks:
        if each.kind == b"iCCP":
            size = _profile_bytes(data, each)
            reject_large_profile(size)
            total += size
        elif each.kind in _PACKED_TEXTS:
            total += _text_bytes(data, each)
        if total > MAX_UNPACKED_BYTES:
            too_large(f"the texts in the PNG unpack to more than {MAX_UNPACKED_BYTES:,} bytes; leave them out")


def _before_pixels(data: bytes, header: _Header, chunks: Sequence[Chunk]) -> _HeaderChunks:
    kept: dict[bytes, Piece] = {}
    transparent = named_colours = None
    palette_size = 0
    for each in chunks:
        length = 0 if each.kind in kept else _needed_length(data, header, each, palette_size)
        if not 0 < length <= each.size:
            continue
        values = data[each.start : each.start + length]
        kept[each.kind] = each.piece if length == each.size else make_chunk(each.kind, values)
        if each.kind == b"PLTE":
            palette_size = length // 3
        elif each.kind == b"tRNS":
            transparent = _transparent(header, values)
        elif each.kind == b"cICP":
            named_colours = values[0], values[1]
    if header.colour_type == _PALETTE and not palette_size:
        corrupt("its palette is missing")
    return _HeaderChunks(list(kept.values()), transparent, named_colours)


def _needed_length(data: bytes, header: _Header, found: Chunk, palette_size: int) -> int:
    """Return the number of bytes of a chunk that the decoder needs; 0 if it would fail on it or ignore it.

    A palette has at most as many entries as the samples have values. Transparency without a palette before it has none.
    """
    length = _LENGTHS.get(found.kind, 0)
    if found.kind == b"PLTE" and header.colour_type == _PALETTE:
        length = 3 * min(found.size // 3, 1 << header.depth)
    elif found.kind == b"tRNS":
        length = min(found.size, palette_size) if palette_size else _KEY_BYTES.get(header.colour_type, 0)
    elif found.kind == b"iCCP":
        length = found.size if _profile_at(data, found) else 0
    elif found.size != length or (found.kind == b"cICP" and data[found.start + 2]):
        length = 0  # a matrix is for other values than red, green and blue (section 11.3.2.6)
    return length


def _transparent(header: _Header, values: bytes) -> int | tuple[int, ...] | bytes | None:
    """Return the transparency of a tRNS chunk (section 11.3.1.1), in the form of Pillow's decoded samples.

    Samples have as many bits as the image. Pillow scales those of less than 8 bits to 8.
    """
    if header.colour_type == _PALETTE:
        return values if values.strip(bytes((_OPAQUE,))) else None
    highest = (1 << header.depth) - 1
    scale = _OPAQUE // highest if highest < _OPAQUE else 1
    samples = tuple((value & highest) * scale for value in struct.unpack(f">{len(values) // 2}H", values))
    return samples if header.colour_type == _RGB else samples[0]


def _pixels(data: bytes, chunks: Sequence[Chunk]) -> list[Piece]:
    """Return the compressed rows, in one valid chunk if they are damaged or declare a small window."""
    stream_header = b"".join(data[each.start : min(each.start + 2, each.end)] for each in chunks[:4])[:2]
    small = len(stream_header) == 2 and declares_small_window(stream_header)  # noqa: PLR2004  bytes of its header
    if chunks[-1].whole and not small:
        return [each.piece for each in chunks]
    packed = join_pieces(data, [(each.start, each.end) for each in chunks])
    return [make_chunk(b"IDAT", with_widest_window(packed) if small else packed)]


def _decodable(data: bytes, pieces: Sequence[Piece]) -> bytes | None:
    """Return the file of these chunks only; None if it has no others."""
    position = len(SIGNATURE)
    for piece in pieces:
        if isinstance(piece, bytes) or piece[0] != position:
            position = len(data)
            break
        position = piece[1]
    if data.startswith(b"\0\0\0\0IEND", position):
        return None
    return join_pieces(data, [SIGNATURE, *pieces, END])


def _decoded_bytes(header: _Header, *, deep_key: bool) -> float:
    """Return the memory of decoding: the image and two rows; nearly every image has more than one row."""
    deep_grey = header.colour_type == _GREY and header.depth == _DEEP
    pixel_bytes = 2 if deep_grey else _PIXEL_BYTES[header.colour_type]
    return (pixel_bytes + (_COMPARED_BYTES if deep_key else 0) + 0.1) * header.width * header.height


def _profile_at(data: bytes, found: Chunk) -> int:
    """Return where a compressed profile begins: after its name and a zero for the method; 0 if it is damaged."""
    named_at = data.find(b"\0", found.start, min(found.end, found.start + _MAX_NAME_BYTES))
    return named_at + 2 if named_at > found.start and data[named_at + 1 : min(named_at + 2, found.end)] == b"\0" else 0


def _profile_bytes(data: bytes, found: Chunk) -> int:
    start = _profile_at(data, found)
    return unpacked_size(zlib.decompressobj(), memoryview(data)[start : found.end], MAX_PROFILE_BYTES) if start else 0


def _is_exif_text(data: bytes, found: Chunk) -> bool:
    if found.kind not in {b"tEXt", b"zTXt"} or not data.startswith(_EXIF_TEXT, found.start, found.end):
        return False
    after_name = found.start + len(_EXIF_TEXT)
    known = found.kind == b"tEXt" or data[after_name : min(after_name + 1, found.end)] == b"\0"  # its method
    return known and _text_bytes(data, found) <= _MAX_EXIF_TEXT_BYTES


def _text_bytes(data: bytes, found: Chunk) -> int:
    """Return the size of a text, counted up to a little more than `MAX_UNPACKED_BYTES` if it is compressed."""
    start = _packed_at(data, found)
    if start >= found.end:
        return found.size if found.kind == b"tEXt" else 0
    return unpacked_size(zlib.decompressobj(), memoryview(data)[start : found.end], MAX_UNPACKED_BYTES)


def _packed_at(data: bytes, found: Chunk) -> int:
    """Return where compressed data begin, after a name and their method; `end` if the chunk has none."""
    start, end = found.start, found.end
    at = data.find(b"\0", start, end) + 2
    if found.kind == b"tEXt" or at < start:
        return end
    if found.kind == b"iTXt":
        if data[at - 1 : at] != b"\1":  # not packed
            return end
        for _ in ("language", "translated name"):
            at = data.find(b"\0", at + 1, end)
            if at < 0:
                return end
        at += 1
    return min(at, end)
