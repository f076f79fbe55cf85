"""EXIF blocks with any tags."""

from __future__ import annotations

import struct

ORIENTATION, EXIF_DIRECTORY, NOTES = 0x0112, 0x8769, 0x927C
LONG, RATIONAL, UNDEFINED = 4, 5, 7

_FIRST = 8


def exif(*entries: tuple[int, int, int, int], following: int = 0, size: int = 0) -> bytes:
    """Return entries of tag, type, count and value (or offset), padded to a size; `following`: the next directory."""
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return (b"II*\0" + struct.pack("<I", _FIRST) + directory + struct.pack("<I", following)).ljust(size, b"\x07")


def loop() -> bytes:
    """Return EXIF in which every pointer to a directory points to the first one."""
    return exif((EXIF_DIRECTORY, LONG, 1, _FIRST), following=_FIRST)
