"""AV1: how large the pictures in coded data really are ("AV1 Bitstream & Decoding Process Specification", section 5).

A decoder allocates what the data say, whatever the file around them says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .structure import corrupt

_SEQUENCE_HEADER = 1
_LENGTH_BYTES = 8  # of a number in LEB128, at most
_SEVERAL_LEVELS = 7  # from here on a level has two tiers
_HIGH, _PROFESSIONAL = 1, 2  # profiles
_BT709, _SRGB, _IDENTITY = 1, 13, 0
_HEADER_BYTES = 256  # a sequence header has a few dozen

# A picture has a handful of units, and the larger it is the larger they are.
MAX_UNITS = 1_000
_LEAST_BYTES_OF_UNIT = 64


class Coded(NamedTuple):
    """What one sequence header says of the frames after it.

    Args:
        width: of the largest frame, in pixels; `height` as well.
        planes: samples of a pixel: 1, or 1.5 to 3 with colours.
        deep: whether they have more than 8 bits.
        colours: the numbers of primaries and of the transfer curve in ITU-T H.273; None if it names none.
    """

    width: int
    height: int
    planes: float
    deep: bool
    colours: tuple[int, int] | None = None


def coded_in(data: bytes) -> Iterator[Coded]:
    """What every sequence header in coded data says.

    Raises:
        ImageRejectedError: the data cannot be followed to their end.
    """
    position, left = 0, MAX_UNITS + len(data) // _LEAST_BYTES_OF_UNIT
    while position < len(data):
        left -= 1
        if not left:
            corrupt("a coded picture in it has too many parts")
        header = data[position]
        kind, extended, sized = header >> 3 & 15, header >> 2 & 1, header >> 1 & 1
        position += 1 + extended
        length = len(data) - position
        if sized:
            length, position = _leb128(data, position)
        if length < 0 or position + length > len(data):
            corrupt("a coded picture in it is cut off")
        if kind == _SEQUENCE_HEADER:
            yield _sequence(data[position : position + min(length, _HEADER_BYTES)])
        position += length


def _leb128(data: bytes, position: int) -> tuple[int, int]:
    """A number of seven bits a byte, of which the last has no high bit, and where it ends."""
    value = 0
    for place in range(_LENGTH_BYTES):
        byte = data[position + place]
        value |= (byte & 127) << 7 * place
        if not byte & 128:
            break
    return value, position + place + 1


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data), 8 * len(data)

    def take(self, count: int = 1) -> int:
        self._left -= count
        if self._left < 0:
            corrupt("a coded picture in it is cut off")
        return self._value >> self._left & (1 << count) - 1

    def skip_uvlc(self) -> None:
        zeros = 0
        while not self.take():
            zeros += 1
        self.take(zeros)


def _sequence(data: bytes) -> Coded:
    bits = _Bits(data)
    profile, _still, reduced = bits.take(3), bits.take(), bits.take()
    if reduced:
        bits.take(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    width, height = bits.take(width_bits) + 1, bits.take(height_bits) + 1
    _skip_tools(bits, reduced=bool(reduced))
    deep = bits.take()
    twelve = bits.take() if deep and profile == _PROFESSIONAL else 0
    grey = profile != _HIGH and bits.take()
    named = (bits.take(8), bits.take(8), bits.take(8)) if bits.take() else None
    planes = 1 if grey else _planes(bits, profile, named, twelve=bool(twelve))
    return Coded(width, height, planes, bool(deep), named and named[:2])


def _skip_operating_points(bits: _Bits) -> None:
    has_timing, has_model, delay_bits = bits.take(), 0, 0
    if has_timing:
        bits.take(64)
        if bits.take():
            bits.skip_uvlc()
        has_model = bits.take()
        if has_model:
            delay_bits = bits.take(5) + 1
            bits.take(32 + 5 + 5)
    has_display_delay = bits.take()
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > _SEVERAL_LEVELS:
            bits.take()
        if has_model and bits.take():
            bits.take(2 * delay_bits + 1)
        if has_display_delay and bits.take():
            bits.take(4)


def _skip_tools(bits: _Bits, *, reduced: bool) -> None:
    if not reduced and bits.take():
        bits.take(4 + 3)  # frame ids
    bits.take(3)
    if not reduced:
        bits.take(4)
        ordered = bits.take()
        if ordered:
            bits.take(2)
        if bits.take() or bits.take():  # screen content tools: either as the frame says, or always
            bits.take() or bits.take()  # the same for whole pixels
        if ordered:
            bits.take(3)
    bits.take(3)


def _planes(bits: _Bits, profile: int, named: tuple[int, int, int] | None, *, twelve: bool) -> float:
    if profile == _HIGH or named == (_BT709, _SRGB, _IDENTITY):
        return 3
    bits.take()
    if profile != _PROFESSIONAL:
        return 1.5
    if not twelve:
        return 2
    halved = (bits.take(), bits.take())  # across and down; the second bit is only there where the first is 1
    return {(0, 0): 3, (0, 1): 3, (1, 0): 2, (1, 1): 1.5}[halved]
