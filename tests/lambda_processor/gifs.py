"""GIF files block by block that Pillow does not write: frames outside of or beyond the screen, or no palette at all."""

from __future__ import annotations

import struct
from dataclasses import dataclass

KEEP, CLEAR, RESTORE = 1, 2, 3  # disposal methods


@dataclass(frozen=True)
class Frame:
    """A frame of palette indices.

    Args:
        at: the position of its upper left corner on the screen.
        transparent: the index that is transparent.
        palette: the local palette; None if the frame uses the global one.
    """

    width: int
    height: int
    indices: bytes
    at: tuple[int, int] = (0, 0)
    transparent: int | None = None
    disposal: int = 0
    duration_cs: int = 10
    palette: list[tuple[int, int, int]] | None = None


def gif(
    screen: tuple[int, int],
    palette: list[tuple[int, int, int]],
    *frames: Frame,
    loops: int | None = None,
    background: int = 0,
    comment: bytes = b"",
) -> bytes:
    """Return a GIF; `loops` as its extension counts: 0 for ever, otherwise the repetitions."""
    flags, table = _table(palette)
    data = b"GIF89a" + struct.pack("<HHBBB", *screen, flags, background, 0) + table
    if loops is not None:
        data += b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", loops) + b"\0"
    if comment:
        data += b"!\xfe" + in_parts(comment)
    for frame in frames:
        flags = frame.disposal << 2 | (frame.transparent is not None)
        data += b"!\xf9\x04" + struct.pack("<BHB", flags, frame.duration_cs, frame.transparent or 0) + b"\0"
        flags, own = _table(frame.palette) if frame.palette else (0, b"")
        data += b"," + struct.pack("<HHHHB", *frame.at, frame.width, frame.height, flags) + own
        data += _uncompressed(frame.indices)
    return data + b";"


def _table(palette: list[tuple[int, int, int]]) -> tuple[int, bytes]:
    bits = max(1, (len(palette) - 1).bit_length())
    return 0x80 | bits - 1, b"".join(map(bytes, palette)).ljust(3 << bits, b"\0")


def _uncompressed(indices: bytes) -> bytes:
    """Return literal LZW codes of 9 bits; the table is cleared before a reader would widen the codes."""
    clear, end, bits = 256, 257, 9
    codes = []
    for number, index in enumerate(indices):
        if number % 250 == 0:
            codes.append(clear)
        codes.append(index)
    packed = 0
    for place, code in enumerate([*codes, end]):
        packed |= code << bits * place
    return b"\x08" + in_parts(packed.to_bytes(-(-bits * (len(codes) + 1) // 8), "little"))


def in_parts(data: bytes) -> bytes:
    parts = [data[at : at + 255] for at in range(0, len(data), 255)]
    return b"".join(bytes((len(part),)) + part for part in parts) + b"\0"
