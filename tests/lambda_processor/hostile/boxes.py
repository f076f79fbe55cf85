"""The boxes of AVIF and HEIC files (ISO/IEC 14496-12)."""

from __future__ import annotations

import struct


def box(kind: bytes, *inside: bytes) -> bytes:
    data = b"".join(inside)
    return struct.pack(">I4s", 8 + len(data), kind) + data


def file_type(brand: bytes = b"avif") -> bytes:
    return box(b"ftyp", brand, bytes(4), brand, b"mif1")


def size(width: int, height: int) -> bytes:
    return box(b"ispe", bytes(4), struct.pack(">II", width, height))


def described(*properties: bytes, brand: bytes = b"avif") -> bytes:
    """Return a file of one image with these properties and no data."""
    return file_type(brand) + box(b"meta", bytes(4), box(b"iprp", box(b"ipco", *properties)))
