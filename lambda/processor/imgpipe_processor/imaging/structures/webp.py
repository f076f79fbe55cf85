"""WebP: the chunks of "WebP Container Specification" (RFC 9649, section 2).

The decoders refuse a whole file for one chunk that is out of place, so they get a file of those chunks only that the
picture is made of, if there are others, or if the lengths or flags in the file are wrong.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .structure import Piece, Structure, corrupt, joined, refuse_empty_end

_HEADER = 12  # RIFF, its length, WEBP
_LOSSLESS = 0x2F
_PICTURES = frozenset({b"VP8 ", b"VP8L"})
_HEAD = frozenset({b"VP8X", b"ALPH", b"ANIM"})  # which mean nothing after the picture
_BEFORE, _AFTER = (b"ICCP",), (b"EXIF", b"XMP ")

# Flags of VP8X (section 2.7.1): those of profile, EXIF and XMP are kept as they are.
_ABOUT, _ALPHA, _ANIMATION = 0b101100, 0b010000, 0b000010
_EXTENDED_BYTES, _SIDE_BYTES = 10, 3
_CONTROL_BYTES = 6  # of an animation

# Of a frame: its place and size, its duration and flags (section 2.7.1.1).
_FRAME_BYTES = 16
_CLEARED = 1  # after it was shown

# Data of one colour may end in zeros: in some of little, and in a sixteenth of much, measured.
_EMPTY_BYTES = 1_024
_EMPTY_SHARE = 8

# Beside frames: a file has a handful.
MAX_OTHER_CHUNKS = 1_000

# libwebp holds a canvas for the frame and one for the picture, and Pillow a copy of it and the image.
PIXEL_BYTES = 17


class _Chunk(NamedTuple):
    """A whole chunk: its type, and where its data begin and end."""

    kind: bytes
    start: int
    end: int

    def pieces(self, data: bytes) -> list[Piece]:
        """Return all of it, padded to an even length."""
        odd = (self.end - self.start) % 2
        padding: list[Piece] = [b"\0"] if odd and self.end >= len(data) else []
        return [(self.start - 8, min(self.end + odd, len(data))), *padding]


def is_webp(data: bytes) -> bool:
    """Whether the file begins like a WebP."""
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def read_webp(data: bytes, max_frames: int) -> Structure:
    """Follow the chunks to the end, to the first damage after the picture, or until there are too many frames.

    Raises:
        ImageRejectedError: the picture, or a chunk before it, is cut off, or there is none.
    """
    once: dict[bytes, _Chunk] = {}
    frames: list[_Chunk] = []
    picture = None
    for each in _chunks(data):
        if each.kind == b"VP8X" and each.end - each.start < _EXTENDED_BYTES:
            continue
        if each.kind == b"ANMF" and picture is None:
            if frames and not _is_whole_frame(data, each, _canvas(data, once, frames[0])):
                break
            frames.append(each)
        elif each.kind in _PICTURES and not frames:
            picture = picture or each
        if each.kind not in _HEAD or not (picture or frames):
            once.setdefault(each.kind, each)
        if len(frames) > max_frames:
            break
    shown = picture or next(iter(frames), None)
    size = None if shown is None else _canvas(data, once, shown)
    if shown is None or size is None:
        corrupt("the WebP holds no picture")
    refuse_empty_end(data, shown.end, _emptiness(shown))
    width, height = size
    animation = None
    if picture is None:
        animation = tuple(_animation(data, once, frames, size))
        decodable: bytes | None = joined(data, _animation(data, once, frames[:1], size))
    else:
        decodable = _still(data, once, picture, size)
    # The decoder holds the source once more, and what is written about the picture apart from it.
    decoded_bytes = PIXEL_BYTES * width * height + 2 * len(data)
    return Structure(
        "WEBP", width, height, decoded_bytes, max(1, len(frames)), decodable=decodable, animation=animation
    )


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield every whole chunk to the end that the file names, or to its real end while there is no picture."""
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    position, others, has_picture = _HEADER, 0, False
    while position + 8 <= (min(end, len(data)) if has_picture else len(data)):
        kind, length = struct.unpack_from("<4sI", data, position)
        start = position + 8
        others += kind != b"ANMF"
        if start + length > len(data) or others > MAX_OTHER_CHUNKS:
            if has_picture:
                return
            corrupt("the WebP has too many chunks" if others > MAX_OTHER_CHUNKS else "the WebP is cut off")
        yield _Chunk(kind, start, start + length)
        has_picture = has_picture or kind == b"ANMF" or kind in _PICTURES
        position = start + length + length % 2


def _canvas(data: bytes, once: dict[bytes, _Chunk], shown: _Chunk) -> tuple[int, int] | None:
    """Return the size of the picture: its own, or that of the canvas if the first frame does not reach beyond it."""
    start = shown.start
    if shown.kind == b"ANMF":
        left, top, across, down = _place(data, shown)
        width, height = _named_size(data, once[b"VP8X"]) if b"VP8X" in once else (0, 0)
        return max(width, left + across), max(height, top + down)
    if shown.kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, start + 6)
        return width & 0x3FFF, height & 0x3FFF
    if data[start] == _LOSSLESS:
        (bits,) = struct.unpack_from("<I", data, start + 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def _named_size(data: bytes, header: _Chunk) -> tuple[int, int]:
    width, height = data[header.start + 4 : header.start + 7], data[header.start + 7 : header.start + 10]
    return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1


def _emptiness(picture: _Chunk) -> int:
    """Return the number of zeros at its end that no picture has."""
    return max(_EMPTY_BYTES, (picture.end - picture.start) // _EMPTY_SHARE)


def _still(data: bytes, once: dict[bytes, _Chunk], picture: _Chunk, size: tuple[int, int]) -> bytes | None:
    """Return a file of this picture; None if the file has nothing else."""
    if b"VP8X" not in once:
        pieces = picture.pieces(data)
    else:
        alpha = [once[b"ALPH"]] if b"ALPH" in once and picture.kind == b"VP8 " else []
        flags = data[once[b"VP8X"].start] & (_ABOUT | _ALPHA) | _ALPHA * _has_alpha(data, picture)
        pieces = [piece for each in [*alpha, picture] for piece in each.pieces(data)]
        pieces = _extended(data, once, size, flags, pieces)
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end <= len(data) and _are_one(pieces, end):
        return None
    return joined(data, _riff(pieces))


def _animation(data: bytes, once: dict[bytes, _Chunk], frames: Sequence[_Chunk], size: tuple[int, int]) -> list[Piece]:
    """Return a file of these frames.

    What no frame has drawn on is transparent. The decoder shows it in black if the flags of the file say that nothing
    is transparent.
    """
    named = data[once[b"VP8X"].start] & (_ABOUT | _ALPHA) if b"VP8X" in once else 0
    clear = not _covers(data, frames[0], size) or any(
        _has_alpha(data, each) or (len(frames) > 1 and data[each.start + _FRAME_BYTES - 1] & _CLEARED)
        for each in frames
    )
    control = once.get(b"ANIM")
    sound = control is not None and control.end - control.start == _CONTROL_BYTES
    pieces = control.pieces(data) if control is not None and sound else [_chunk(b"ANIM", bytes(_CONTROL_BYTES))]
    pieces += [piece for each in frames for piece in each.pieces(data)]
    return _riff(_extended(data, once, size, named | _ANIMATION | _ALPHA * clear, pieces))


def _extended(
    data: bytes, once: dict[bytes, _Chunk], size: tuple[int, int], flags: int, pieces: Sequence[Piece]
) -> list[Piece]:
    """Return what is written about the picture around the pieces that it is made of."""
    width, height = ((side - 1).to_bytes(_SIDE_BYTES, "little") for side in size)
    values = bytes((flags,)) + bytes(3) + width + height
    header = once.get(b"VP8X")
    before, after = ([once[kind] for kind in kinds if kind in once] for kinds in (_BEFORE, _AFTER))
    return [
        *(header.pieces(data) if header and data[header.start : header.end] == values else [_chunk(b"VP8X", values)]),
        *(piece for each in before for piece in each.pieces(data)),
        *pieces,
        *(piece for each in after for piece in each.pieces(data)),
    ]


def _riff(pieces: Sequence[Piece]) -> list[Piece]:
    size = 4 + sum(len(piece) if isinstance(piece, bytes) else piece[1] - piece[0] for piece in pieces)
    return [b"RIFF" + struct.pack("<I", size) + b"WEBP", *pieces]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data


def _are_one(pieces: Sequence[Piece], end: int) -> bool:
    """True if these pieces follow each other, from the header to the end."""
    position = _HEADER
    for piece in pieces:
        if isinstance(piece, bytes) or piece[0] != position:
            return False
        position = piece[1]
    return position == end


def _is_whole_frame(data: bytes, frame: _Chunk, canvas: tuple[int, int] | None) -> bool:
    """True if a later frame is inside the canvas and has a picture, as far as its chunks say."""
    if canvas is None or frame.end - frame.start < _FRAME_BYTES + 8:
        return False
    left, top, width, height = _place(data, frame)
    picture = _picture_in(data, frame)
    return (
        left + width <= canvas[0]
        and top + height <= canvas[1]
        and picture is not None
        and not data.endswith(bytes(_emptiness(frame)), 0, frame.end)
    )


def _covers(data: bytes, frame: _Chunk, size: tuple[int, int]) -> bool:
    return _place(data, frame) == (0, 0, *size)


def _place(data: bytes, frame: _Chunk) -> tuple[int, int, int, int]:
    left, top, width, height = (
        int.from_bytes(data[at : at + 3], "little") for at in range(frame.start, frame.start + 12, 3)
    )
    return 2 * left, 2 * top, width + 1, height + 1


def _picture_in(data: bytes, frame: _Chunk) -> _Chunk | None:
    """Return the first chunk of a frame, which is its alpha or its picture, if it is whole."""
    start = frame.start + _FRAME_BYTES
    kind, length = data[start : start + 4], int.from_bytes(data[start + 4 : start + 8], "little")
    if kind not in {b"ALPH", *_PICTURES} or start + 8 + length > frame.end:
        return None
    return _Chunk(kind, start + 8, start + 8 + length)


def _has_alpha(data: bytes, picture: _Chunk) -> bool:
    """True if the picture, or that of a frame, says that it is transparent (section 3.4 for the lossless one)."""
    inner = _picture_in(data, picture) if picture.kind == b"ANMF" else picture
    if inner is None or inner.kind == b"VP8 ":
        return False
    return inner.kind == b"ALPH" or bool(int.from_bytes(data[inner.start + 4 : inner.start + 5]) >> 4 & 1)
