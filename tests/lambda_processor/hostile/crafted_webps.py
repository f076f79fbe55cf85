"""WebP files written bit by bit: lossless ones ("WebP Lossless Bitstream Specification", RFC 9649, section 3)."""

from __future__ import annotations

import struct

GROUPS = 2**16  # the maximum
_SIDE_PX = 1024  # one block of 4 x 4 pixels for each of them

_NOT_SIMPLE, _EVERY_SYMBOL = "0", "0"
# One symbol, of one bit: 0. Repeating it needs no bits.
_ALWAYS_ZERO = "1000"
# The lengths of twelve symbols of lengths: 0 and 8, of one bit each.
_LENGTHS_OF_0_AND_8 = f"{12 - 4:04b}"[::-1] + "000" * 2 + "100" + "000" * 8 + "100"


def of_many_codes() -> bytes:
    """Return one colour with separate prefix codes for each block: five tables, of which a decoder makes megabytes."""
    size = f"{_SIDE_PX - 1:014b}"[::-1]
    image = size + size + "0" + "000"  # no alpha, version 0
    image += "0" + "0" + "1" + "000"  # no transform, no colour cache; several codes, for blocks of 2^2 pixels
    eight_bits = _NOT_SIMPLE + _LENGTHS_OF_0_AND_8 + _EVERY_SYMBOL + "1" * 256
    which = "0" + eight_bits + "0" * 24 + eight_bits + _ALWAYS_ZERO * 3
    words = [f"{value:08b}" for value in range(256)]
    which += "".join(green + red for red in words for green in words)
    bits = image + which + _ALWAYS_ZERO * 5 * GROUPS
    return riff((b"VP8L", b"\x2f" + _packed(bits)))


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    inside = b"".join(struct.pack("<4sI", kind, len(data)) + data + bytes(len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(inside)) + b"WEBP" + inside


def _packed(bits: str) -> bytes:
    """The first bit is the lowest of the first byte."""
    filled = bits + "0" * (-len(bits) % 8)
    return int(filled[::-1], 2).to_bytes(len(filled) // 8, "little")
