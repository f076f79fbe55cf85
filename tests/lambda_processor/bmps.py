"""BMP files of every header and depth, which Pillow does not write ("Bitmap Storage", Microsoft's Win32 reference)."""

from __future__ import annotations

import struct

from PIL import Image

CORE, INFO, V4, V5 = 12, 40, 108, 124  # bytes of the headers: OS/2's, and those of Windows
BGRA = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)  # masks of the usual order
RAW, RLE8, RLE4, BIT_FIELDS = range(4)

_DELTA, _END_OF_ROW, _END = b"\0\2", b"\0\0", b"\0\1"


def bmp(
    size: tuple[int, int],
    rows: list[bytes],
    *,
    bits: int,
    header: int = INFO,
    palette: list[tuple[int, ...]] | None = None,
    masks: tuple[int, ...] = (),
    top_down: bool = False,
) -> bytes:
    """Return an uncompressed BMP of packed rows; `masks` are those of its channels."""
    filled = [row + bytes(-len(row) % 4) for row in rows]
    pixels = b"".join(filled if top_down else reversed(filled))
    height = -size[1] if top_down else size[1]
    return _file(size[0], height, pixels, bits, BIT_FIELDS if masks else RAW, header, palette or [], masks)


def run_length_coded(image: Image.Image, bits: int, palette: list[tuple[int, ...]]) -> bytes:
    """Return the RLE4 or RLE8 of a palette image: runs, literal pixels, and deltas over pixels of index 0."""
    coded = b""
    for y in reversed(range(image.height)):
        row = bytes(image.crop((0, y, image.width, y + 1)).get_flattened_data())
        at = 0
        if 0 not in row[:4]:
            coded += _as_they_are(row[:4], bits)
            at = 4
        while at < len(row):
            run = len(row) - at - len(row[at:].lstrip(row[at : at + 1]))
            coded += _DELTA + bytes((run, 0)) if row[at] == 0 else bytes((run, row[at] * (1 if bits == 8 else 17)))
            at += run
        coded += _END_OF_ROW
    return _file(*image.size, coded + _END, bits, RLE8 if bits == 8 else RLE4, INFO, palette, ())


def packed(image: Image.Image, bits: int) -> list[bytes]:
    """Return the rows of an image of one channel, with so many bits a pixel."""
    rows = []
    for y in range(image.height):
        values = image.crop((0, y, image.width, y + 1)).get_flattened_data()
        digits = "".join(f"{value:0{bits}b}" for value in values)
        digits += "0" * (-len(digits) % 8)
        rows.append(int(digits, 2).to_bytes(len(digits) // 8, "big"))
    return rows


def _as_they_are(values: bytes, bits: int) -> bytes:
    data = values if bits == 8 else bytes(a << 4 | b for a, b in zip(values[::2], values[1::2], strict=True))
    return bytes((0, len(values))) + data + bytes(len(data) % 2)


def _file(
    width: int,
    height: int,
    pixels: bytes,
    bits: int,
    compression: int,
    header: int,
    palette: list[tuple[int, ...]],
    masks: tuple[int, ...],
) -> bytes:
    if header == CORE:
        about = struct.pack("<IHHHH", CORE, width, height, 1, bits)
        table = b"".join(bytes((blue, green, red)) for red, green, blue in palette)
    else:
        about = struct.pack("<IiiHHI", header, width, height, 1, bits, compression)
        about += struct.pack("<IiiII", len(pixels), 0, 0, len(palette), 0)
        about += struct.pack(f"<{len(masks)}I", *masks)
        about = about.ljust(header, b"\0")
        table = b"".join(bytes((blue, green, red, 0)) for red, green, blue in palette)
    start = 14 + len(about) + len(table)
    return struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start) + about + table + pixels
