"""Animated PNG: the chunks acTL, fcTL and fdAT ("PNG Specification, Third Edition", sections 4.9 and 11.3.6)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from .png_pixels import Chunk, chunk
from .structure import Piece

_CONTROL_BYTES = 8  # of the animation
_FRAME_BYTES = 26  # of the control of a frame
_DISPOSALS, _BLENDS = range(3), range(2)


class Found(NamedTuple):
    """The frames of an animation, up to the first damaged one.

    Args:
        frames: counted no further than one over the limit.
        before: what the decoder needs of it before the picture of the file.
        after: and after it.
    """

    frames: int
    before: list[Piece]
    after: list[Piece]


class _Frames:
    """The frames while their chunks are followed."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.before: list[Piece] = []
        self.after: list[Piece] = []
        self.whole = self._whole_pieces = self._sequence = 0
        self._has_data = False
        self._open = False

    def control(self, values: bytes, piece: Piece, *, has_picture: bool) -> bool:
        """Begin a frame; return False if its control is damaged."""
        self.end()
        if len(values) != _FRAME_BYTES or (self.before and not has_picture):
            return False
        sequence, width, height, left, top, _, _, disposal, blend = struct.unpack(">5I2H2B", values)
        fits = width and height and left + width <= self.size[0] and top + height <= self.size[1]
        known = disposal in _DISPOSALS and blend in _BLENDS and sequence == self._sequence
        if not (fits and known and (has_picture or (width, height) == self.size)):
            return False
        self._sequence += 1
        self._open, self._has_data = True, False
        (self.after if has_picture else self.before).append(piece)
        return True

    def picture(self) -> None:
        """Note that the picture of the file came, which is the first frame if that has begun."""
        self._has_data = self._open

    def data(self, values: bytes, piece: Piece) -> bool:
        """Add data to the frame; return False if they are not its next ones. Whether it is whole, its decoder sees."""
        if len(values) != 4 or not self._open or int.from_bytes(values) != self._sequence:  # noqa: PLR2004  a number
            return False
        self._sequence += 1
        self._has_data = True
        self.after.append(piece)
        return True

    def end(self) -> None:
        """Count the frame that has begun, if it has data."""
        if self._open and self._has_data:
            self.whole, self._whole_pieces = self.whole + 1, len(self.after)
        self._has_data = False

    def finished(self) -> list[Piece]:
        """Return the pieces of all frames that are whole."""
        return self.after[: self._whole_pieces]


def animation_in(data: bytes, chunks: Sequence[Chunk], size: tuple[int, int], max_frames: int) -> Found | None:
    """Return the frames of an animation; None if there are not at least two.

    Args:
        data: the file.
        chunks: all of it that are sound.
        size: width and height of the picture.
        max_frames: what frames are counted to.
    """
    told, followed, has_picture = None, _Frames(size), False
    for each in chunks:
        if each.kind == b"acTL" and told is None and not has_picture and each.size == _CONTROL_BYTES:
            told, plays = struct.unpack_from(">II", data, each.start)
        sound = True
        if told is not None and each.kind == b"fcTL":
            sound = followed.control(data[each.start : each.end], each.piece, has_picture=has_picture)
        elif told is not None and each.kind == b"fdAT":
            sound = followed.data(data[each.start : min(each.start + 4, each.end)], each.piece)
        elif each.kind == b"IDAT":
            has_picture = True
            followed.picture()
        if not sound or followed.whole > max_frames:
            break
    followed.end()
    frames = min(followed.whole, told or 0)
    if frames <= 1:
        return None
    control = chunk(b"acTL", struct.pack(">II", frames, plays))
    return Found(frames, [control, *followed.before], followed.finished())
