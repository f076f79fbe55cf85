"""EXIF and XMP: nothing is read of them but the orientation, and no more than where it stands.

Libraries that read all of it turn a tag of some megabytes into some hundred, in seconds.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import Any

UPRIGHT = 1

_HEADER = b"Exif\0\0"
_ORIENTATION = 274
_NUMBERS = {1: "B", 3: "H", 4: "I"}  # BYTE, SHORT, LONG

# EXIF as old programs wrote it into a PNG: three lines about it, then hexadecimal.
_TEXT = "Raw profile type exif"
_LINES_ABOUT = 3

_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')


def orientation_in(exif: bytes | None, info: Mapping[Any, Any]) -> int:
    """The orientation, as EXIF counts; 1, which is upright, where none is told that makes sense.

    Args:
        exif: from the file; None where there is none.
        info: what Pillow found in the file beside the picture.
    """
    found = None if exif is None else _of_exif(exif)
    if exif is None and _TEXT in info:
        found = _of_exif(_from_hexadecimal(str(info[_TEXT])))
    if found is None:
        in_xmp = _XMP.search(info.get("xmp", b""))
        found = int(in_xmp[1]) if in_xmp else UPRIGHT
    return found


def _of_exif(exif: bytes) -> int | None:
    while exif.startswith(_HEADER):
        exif = exif[len(_HEADER) :]
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return None
    try:
        (offset,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, offset)
        for position in range(offset + 2, offset + 2 + 12 * count, 12):
            tag, kind, amount = struct.unpack_from(order + "HHI", exif, position)
            if tag == _ORIENTATION:
                number = struct.unpack_from(order + _NUMBERS[kind], exif, position + 8)
                return int(number[0]) if amount == 1 else None
    except (struct.error, KeyError):
        return None
    return None


def _from_hexadecimal(text: str) -> bytes:
    try:
        return bytes.fromhex("".join(text.split("\n")[_LINES_ABOUT:]))
    except ValueError:
        return b""
