"""JPEG files written marker by marker: every coefficient is zero, so that millions of pixels need few bytes.

Markers: ITU-T T.81, annex B. The Huffman table for DC has one word, "no difference"; the one for AC two: "end of this
block" and, in a progressive JPEG, "end of at least 2^14 blocks".
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

START, END = b"\xff\xd8", b"\xff\xd9"
BASELINE, PROGRESSIVE, LOSSLESS, HIERARCHICAL, ARITHMETIC = 0xC0, 0xC2, 0xC3, 0xC5, 0xC9

Samplings = Sequence[tuple[int, int]]
GREY: Samplings = ((1, 1),)
YCC_420: Samplings = ((2, 2), (1, 1), (1, 1))
YCC_444: Samplings = ((1, 1),) * 3
INKS: Samplings = ((1, 1),) * 4

_MANY = 2**14


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def tables() -> bytes:
    dc = b"\x00" + bytes([1] + [0] * 15) + b"\x00"
    ac = b"\x10" + bytes([1, 1] + [0] * 14) + b"\x00\xe0"
    return segment(0xDB, b"\x00" + b"\x01" * 64) + segment(0xC4, dc + ac)


def frame(width: int, height: int, samplings: Samplings, marker: int = BASELINE, precision: int = 8) -> bytes:
    components = b"".join(bytes((number, across << 4 | down, 0)) for number, (across, down) in enumerate(samplings, 1))
    return segment(marker, struct.pack(">BHHB", precision, height, width, len(samplings)) + components)


def scan(data: bytes, *components: int, band: tuple[int, int] = (0, 63), bits: tuple[int, int] = (0, 0)) -> bytes:
    """Return a scan of these components, counted from 1; `bits`: high and low bit of successive approximation."""
    chosen = b"".join(bytes((number, 0)) for number in components)
    return segment(0xDA, bytes([len(components)]) + chosen + bytes((*band, bits[0] << 4 | bits[1]))) + data


def blocks(width: int, height: int, samplings: Samplings, *components: int) -> int:
    """Return the blocks in a scan of these components; a scan of one component has no blocks that only fill a unit."""
    widest, highest = (max(sampling[axis] for sampling in samplings) for axis in (0, 1))
    chosen = [samplings[number - 1] for number in components]
    if len(chosen) == 1:
        ((across, down),) = chosen
        return -(-width * across // (8 * widest)) * -(-height * down // (8 * highest))
    units = -(-width // (8 * widest)) * -(-height // (8 * highest))
    return units * sum(across * down for across, down in chosen)


def zeros(count: int, bits_per_block: int) -> bytes:
    return bytes(-(-count * bits_per_block // 8))


def ends(count: int) -> bytes:
    """Return progressive AC data: so many blocks end at once."""
    words = ""
    while count >= _MANY:
        run = min(count, 2 * _MANY - 1)
        words += f"10{run - _MANY:014b}"
        count -= run
    words += "0" * count
    words += "1" * (-len(words) % 8)
    return int(words or "0", 2).to_bytes(len(words) // 8).replace(b"\xff", b"\xff\0")


def baseline(
    width: int, height: int, samplings: Samplings = YCC_420, *, before: bytes = b"", apart: bool = False
) -> bytes:
    """Return a grey image of one scan, or of one scan for each component; `before` are further segments."""
    numbers = range(1, len(samplings) + 1)
    scans = b"".join(
        scan(zeros(blocks(width, height, samplings, *chosen), 2), *chosen)
        for chosen in ([(number,) for number in numbers] if apart else [tuple(numbers)])
    )
    return START + before + tables() + frame(width, height, samplings) + scans + END


def progressive(width: int, height: int, samplings: Samplings = YCC_444, *, further: int = 0) -> bytes:
    """Return a grey image: one scan for DC, one for each component's AC, and `further` scans that repeat it."""
    numbers = tuple(range(1, len(samplings) + 1))
    dc = scan(zeros(blocks(width, height, samplings, *numbers), 1), *numbers, band=(0, 0))
    ac = [scan(ends(blocks(width, height, samplings, number)), number, band=(1, 63)) for number in numbers]
    scans = dc + b"".join(ac) + b"".join(ac[number % len(ac)] for number in range(further))
    return START + tables() + frame(width, height, samplings, PROGRESSIVE) + scans + END
