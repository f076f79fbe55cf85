"""PNG files written chunk by chunk, for what Pillow does not write: 16 bits a colour, wrong sizes, private chunks."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def header(width: int, height: int, bits: int = 8, colour_type: int = RGB) -> bytes:
    return SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0))


def without_data(width: int, height: int) -> bytes:
    """Return the signature and the header chunk, which declare the size."""
    return header(width, height) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def flat(
    width: int, height: int, *, bits: int = 8, colour_type: int = RGB, pixel: bytes = b"\x80", extra: bytes = b""
) -> bytes:
    """Return a PNG that repeats `pixel` (its samples); `extra` chunks come before the data."""
    pixels = width * bits * CHANNELS[colour_type] // 8 // len(pixel)
    packer = zlib.compressobj(1)
    data = b"".join(packer.compress(b"\0" + pixel * pixels) for _ in range(height)) + packer.flush()
    return header(width, height, bits, colour_type) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def of_rows(
    width: int, height: int, rows: list[bytes], *, bits: int = 8, colour_type: int = RGB, extra: bytes = b""
) -> bytes:
    """Return a PNG of these rows (packed, not filtered); `extra` chunks come before the data."""
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return header(width, height, bits, colour_type) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def chunks(png: bytes) -> list[bytes]:
    """Return the names of the chunks; they must fill the file."""
    assert png.startswith(SIGNATURE)
    names, at = [], len(SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        names.append(png[at + 4 : at + 8])
        at += 12 + length
    assert at == len(png)
    return names
