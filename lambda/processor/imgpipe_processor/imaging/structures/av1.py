"""AV1: the real size of coded images ("AV1 Bitstream & Decoding Process Specification", section 5).

A decoder allocates what the coded data declare, not what the boxes of the file declare.
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

# An image has a handful of units, and larger images have larger units.
MAX_UNITS = 1_000
_LEAST_BYTES_OF_UNIT = 64


class SequenceHeader(NamedTuple):
    """The values of one sequence header, for the frames after it.

    Args:
        width: of the largest frame, in pixels; `height` as well.
        planes: samples of a pixel: 1, or 1.5 to 3 with colours.
        deep: True if samples have more than 8 bits.
        colours: the numbers of primaries and of the transfer curve in ITU-T H.273; None if it names none.
    """

    width: int
    height: int
    planes: float
    deep: bool
    colours: tuple[int, int] | None = None


def sequence_headers(data: bytes) -> Iterator[SequenceHeader]:
    """Yield every sequence header in coded data.

    Raises:
        ImageRejectedError: the coded data are damaged.
    """
    position, left = 0, MAX_UNITS + len(data) // _LEAST_BYTES_OF_UNIT
    while position < len(data):
        left -= 1
        if not left:
            corrupt("a coded image in the file has too many parts")
        header = data[position]
        kind, extended, sized = header >> 3 & 15, header >> 2 & 1, header >> 1 & 1
        position += 1 + extended
        length = len(data) - position
        if sized:
            length, position = _leb128(data, position)
        if length < 0 or position + length > len(data):
            corrupt("a coded image in the file is truncated")
        if kind == _SEQUENCE_HEADER:
            yield _sequence(data[position : position + min(length, _HEADER_BYTES)])
        position += length


def _leb128(data: bytes, position: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, of which the last has no high bit, and where it ends."""
    value = 0
    for index in range(_LENGTH_BYTES):
        byte = data[position + index]
        value |= (byte & 127) << 7 * index
        if not byte & 128:
            break
    return value, position + index + 1


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data), 8 * len(data)

    def read(self, count: int = 1) -> int:
        self._left -= count
        if self._left < 0:
            corrupt("a coded image in the file is truncated")
        return self._value >> self._left & (1 << count) - 1

    def skip_uvlc(self) -> None:
        zeros = 0
        while not self.read():
            zeros += 1
        self.read(zeros)


def _sequence(data: bytes) -> SequenceHeader:
    bits = _Bits(data)
    profile, _still, reduced = bits.read(3), bits.read(), bits.read()
    if reduced:
        bits.read(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
    width, height = bits.read(width_bits) + 1, bits.read(height_bits) + 1
    _skip_tools(bits, reduced=bool(reduced))
    deep = bits.read()
    twelve = bits.read() if deep and profile == _PROFESSIONAL else 0
    grey = profile != _HIGH and bits.read()
    named = (bits.read(8), bits.read(8), bits.read(8)) if bits.read() else None
    planes = 1 if grey else _planes(bits, profile, named, twelve=bool(twelve))
    return SequenceHeader(width, height, planes, bool(deep), named and named[:2])


def _skip_operating_points(bits: _Bits) -> None:
    has_timing, has_model, delay_bits = bits.read(), 0, 0
    if has_timing:
        bits.read(64)
        if bits.read():
            bits.skip_uvlc()
        has_model = bits.read()
        if has_model:
            delay_bits = bits.read(5) + 1
            bits.read(32 + 5 + 5)
    has_display_delay = bits.read()
    for _ in range(bits.read(5) + 1):
        bits.read(12)
        if bits.read(5) > _SEVERAL_LEVELS:
            bits.read()
        if has_model and bits.read():
            bits.read(2 * delay_bits + 1)
        if has_display_delay and bits.read():
            bits.read(4)


def _skip_tools(bits: _Bits, *, reduced: bool) -> None:
    if not reduced and bits.read():
        bits.read(4 + 3)  # frame ids
    bits.read(3)
    if not reduced:
        bits.read(4)
        ordered = bits.read()
        if ordered:
            bits.read(2)
        if bits.read() or bits.read():  # screen content tools: either as the frame declares, or always
            bits.read() or bits.read()  # the same for whole pixels
        if ordered:
            bits.read(3)
    bits.read(3)


def _planes(bits: _Bits, profile: int, named: tuple[int, int, int] | None, *, twelve: bool) -> float:
    if profile == _HIGH or named == (_BT709, _SRGB, _IDENTITY):
        return 3
    bits.read()
    if profile != _PROFESSIONAL:
        return 1.5
    if not twelve:
        return 2
    halved = (bits.read(), bits.read())  # across and down; the second bit exists only if the first is 1
    return {(0, 0): 3, (0, 1): 3, (1, 0): 2, (1, 1): 1.5}[halved]
