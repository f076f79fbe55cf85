"""BMP files of any pixel bytes, including run-length coded ones."""

from __future__ import annotations

import struct

RAW, RLE8, RLE4 = range(3)

# The codes between runs: end of a row, end of the image, and a delta to the right and up.
END_OF_ROW, END, STEP = b"\0\0", b"\0\x01", b"\0\x02"

_HEADER_BYTES = 40


def bmp(width: int, height: int, pixels: bytes, *, depth: int = 8, compression: int = RAW) -> bytes:
    palette = bytes(4 << depth) if depth <= 8 else b""
    start = 14 + _HEADER_BYTES + len(palette)
    size = struct.pack("<IiiHHI", _HEADER_BYTES, width, height, 1, depth, compression)
    header = size + struct.pack("<IiiII", len(pixels), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + palette + pixels
