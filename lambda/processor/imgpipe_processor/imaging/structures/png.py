"""PNG: the chunks of "Portable Network Graphics (PNG) Specification, Third Edition", section 5."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from .structure import MAX_PROFILE_BYTES, Structure, corrupt, refuse_profile_beyond, too_large, unsupported

SIGNATURE = b"\x89PNG\r\n\x1a\n"

# A chunk of image data has some kilobytes; so many fit the largest file.
MAX_CHUNKS = 50_000

# Texts and profiles are packed, and may unpack to a thousand times their size. What is written about the largest
# pictures has a few MB.
MAX_UNPACKED_BYTES = 16 * 2**20
_PACKED = frozenset({b"iCCP", b"zTXt", b"iTXt"})
_PIECE_BYTES = 2**12

# What the decoder gets: texts are neither needed nor few nor small. One is kept: EXIF as old programs wrote it.
_NEEDED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"acTL", b"fcTL", b"fdAT"})
_EXIF_TEXT = b"Raw profile type exif\0"
_MAX_EXIF_TEXT_BYTES = 2**20  # what Pillow unpacks of a text

# By colour type: channels, and the bytes that Pillow keeps of a pixel, which has three channels in four of them.
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PIXEL_BYTES = {0: 1, 2: 4, 3: 1, 4: 4, 6: 4}
_GREY = 0
_DEEP = 16  # bits per sample

# Where the passes of an image begin, column and row, and their steps (section 8).
_PASSES = {
    0: ((0, 0, 1, 1),),
    1: ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
}

Chunk = tuple[bytes, int, int]  # its type, and where its data begin and end


def read_png(data: bytes, _max_frames: int) -> Structure:
    """Follow the chunks to the last, with their checksums.

    Raises:
        ImageRejectedError: a chunk is missing, cut off or damaged, or unpacks to far too much.
    """
    if data[12:16] == b"CgBI":
        unsupported("the PNG is in Apple's own variant (CgBI), which only its tools read; save it as an ordinary one")
    if data[12:16] != b"IHDR":
        corrupt("the PNG has no header")
    chunks = list(_chunks(data))
    frames, exif, colours, has_pixels = 1, None, None, False
    for kind, start, end in chunks:
        if kind == b"acTL" and end - start >= 4:  # noqa: PLR2004  the number of frames comes first
            frames = max(1, struct.unpack_from(">I", data, start)[0])
        elif kind == b"eXIf":
            exif = data[start:end]
        elif kind == b"cICP":
            colours = struct.unpack_from(">BB", data, start)
        has_pixels = has_pixels or kind == b"IDAT"
    if not has_pixels:
        corrupt("the PNG holds no picture")
    width, height, depth, colour_type, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    if not (width and height and colour_type in _PIXEL_BYTES and interlaced in _PASSES):
        corrupt("the PNG's header makes no sense")
    pixel_bytes = 2 if colour_type == _GREY and depth == _DEEP else _PIXEL_BYTES[colour_type]
    # A decoder holds two rows beside the image, and hardly any image has just one.
    decoded_bytes = (pixel_bytes + 0.1) * width * height
    return Structure("PNG", width, height, decoded_bytes, frames, exif, colours, _decodable(data, chunks))


def has_all_rows(data: bytes) -> bool:
    """Whether the packed pixels go on to the end of the image: a decoder leaves black what is not there."""
    width, height, depth, colour_type, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    expected = 0
    for left, top, across, down in _PASSES[interlaced]:
        columns, rows = len(range(left, width, across)), len(range(top, height, down))
        if columns:
            expected += rows * (1 + (columns * depth * _CHANNELS[colour_type] + 7) // 8)
    inflater = zlib.decompressobj()
    for kind, start, end in _chunks(data):
        if kind == b"IDAT":
            expected -= _unpacked_bytes(inflater, memoryview(data)[start:end], expected)
    return expected <= 0


def _chunks(data: bytes) -> Iterator[Chunk]:
    """Every chunk before the last; there is a last one, and all are sound."""
    view, position = memoryview(data), len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        length, kind = struct.unpack_from(">I4s", data, position)
        start = position + 8
        end = start + length
        if end + 4 > len(data):
            corrupt("the PNG is cut off")
        (checksum,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(view[position + 4 : end]) != checksum:
            corrupt("a checksum of the PNG is wrong")
        if kind == b"IEND":
            return
        yield kind, start, end
        position = end + 4
    corrupt("the PNG has too many chunks")


def _decodable(data: bytes, chunks: list[Chunk]) -> bytes | None:
    """The file with nothing in it but what its decoder needs; None where that is the whole of it."""
    needed, unpacked_bytes, once = [], 0, set()
    for kind, start, end in chunks:
        size = end - start
        if kind in _PACKED:
            packed = memoryview(data)[_packed_at(data, kind, start, end) : end]
            most = MAX_PROFILE_BYTES if kind == b"iCCP" else MAX_UNPACKED_BYTES
            size = _unpacked_bytes(zlib.decompressobj(), packed, most)
            if kind == b"iCCP":
                refuse_profile_beyond(size)
            unpacked_bytes += size
            if unpacked_bytes > MAX_UNPACKED_BYTES:
                too_large(f"the texts in the PNG unpack to more than {MAX_UNPACKED_BYTES:,} bytes; leave them out")
        is_exif = data.startswith(_EXIF_TEXT, start, end) and size <= _MAX_EXIF_TEXT_BYTES
        if kind in _NEEDED or (kind not in once and (kind == b"iCCP" or (kind in {b"tEXt", b"zTXt"} and is_exif))):
            needed.append((start - 8, end + 4))
            once.add(kind)
    if len(needed) == len(chunks):
        return None
    view = memoryview(data)
    return b"".join((SIGNATURE, *(view[start:end] for start, end in needed), b"\0\0\0\0IEND\xae\x42\x60\x82"))


def _packed_at(data: bytes, kind: bytes, start: int, end: int) -> int:
    """Where packed data begin: behind a name and their method; the same as `end` where there are none."""
    at = data.find(b"\0", start, end) + 2
    if kind == b"iTXt":
        if at < start or data[at - 1 : at] != b"\1":  # not packed
            return end
        for _ in ("language", "translated name"):
            at = data.find(b"\0", at + 1, end)
            if at < 0:
                return end
        at += 1
    return min(max(at, start), end)


def _unpacked_bytes(inflater: zlib._Decompress, packed: memoryview, most: int) -> int:
    """How many bytes come out, counted up to a little more than `most`; what is no packed data ends there."""
    size = 0
    try:
        for place in range(0, len(packed), _PIECE_BYTES):
            piece: bytes | memoryview = packed[place : place + _PIECE_BYTES]
            while piece and size <= most and not inflater.eof:
                size += len(inflater.decompress(piece, 2**16))
                piece = inflater.unconsumed_tail
            if size > most or inflater.eof:
                break
    except zlib.error:
        pass
    return size
