"""Animated PNG: the chunks acTL, fcTL and fdAT ("PNG Specification, Third Edition", sections 4.9 and 11.3.6)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from .png_pixels import Chunk, make_chunk
from .structure import Piece

_CONTROL_BYTES = 8  # of the animation
_FRAME_BYTES = 26  # of the control of a frame
_DISPOSALS, _BLENDS = range(3), range(2)


class AnimationChunks(NamedTuple):
    """The frames of an animation, up to the first damaged one.

    Args:
        frames: counted no further than one over the limit.
        before: the chunks that the decoder needs before the image of the file.
        after: the chunks that the decoder needs after it.
    """

    frames: int
    before: list[Piece]
    after: list[Piece]


class _Frames:
    """The frames while their chunks are read."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.before: list[Piece] = []
        self.after: list[Piece] = []
        self.whole = self._whole_pieces = self._sequence = 0
        self._has_data = False
        self._open = False

    def control(self, values: bytes, piece: Piece, *, has_image: bool) -> bool:
        """Begin a frame; return False if its control is damaged."""
        self.end()
        if len(values) != _FRAME_BYTES or (self.before and not has_image):
            return False
        sequence, width, height, left, top, _, _, disposal, blend = struct.unpack(">5I2H2B", values)
        fits = width and height and left + width <= self.size[0] and top + height <= self.size[1]
        known = disposal in _DISPOSALS and blend in _BLENDS and sequence == self._sequence
        if not (fits and known and (has_image or (width, height) == self.size)):
            return False
        self._sequence += 1
        self._open, self._has_data = True, False
        (self.after if has_image else self.before).append(piece)
        return True

    def add_image(self) -> None:
        """Record the image of the file, which is the first frame if that has begun."""
        self._has_data = self._open

    def data(self, values: bytes, piece: Piece) -> bool:
        """Add data to the frame; return False if they are not its next ones.

        The decoder of the frame checks if it is whole.
        """
        if len(values) != 4 or not self._open or int.from_bytes(values) != self._sequence:  # noqa: PLR2004  a number
            return False
        self._sequence += 1
        self._has_data = True
        self.after.append(piece)
        return True

    def end(self) -> None:
        """Count the current frame, if it has data."""
        if self._open and self._has_data:
            self.whole, self._whole_pieces = self.whole + 1, len(self.after)
        self._has_data = False

    def finished(self) -> list[Piece]:
        """Return the pieces of all frames that are whole."""
        return self.after[: self._whole_pieces]


def read_animation(
    data: bytes, chunks: Sequence[Chunk], size: tuple[int, int], max_frames: int
) -> AnimationChunks | None:
    """Return the frames of an animation; None if there are fewer than two.

    Args:
        data: the file.
        chunks: all intact chunks of the file.
        size: width and height of the image.
        max_frames: the limit of the frames; one more is counted.
    """
    declared, read_frames, has_image = None, _Frames(size), False
    for each in chunks:
        if each.kind == b"acTL" and declared is None and not has_image and each.size == _CONTROL_BYTES:
            declared, plays = struct.unpack_from(">II", data, each.start)
        intact = True
        if declared is not None and each.kind == b"fcTL":
            intact = read_frames.control(data[each.start : each.end], each.piece, has_image=has_image)
        elif declared is not None and each.kind == b"fdAT":
            intact = read_frames.data(data[each.start : min(each.start + 4, each.end)], each.piece)
        elif each.kind == b"IDAT":
            has_image = True
            read_frames.add_image()
        if not intact or read_frames.whole > max_frames:
            break
    read_frames.end()
    frames = min(read_frames.whole, declared or 0)
    if frames <= 1:
        return None
    control = make_chunk(b"acTL", struct.pack(">II", frames, plays))
    return AnimationChunks(frames, [control, *read_frames.before], read_frames.finished())
