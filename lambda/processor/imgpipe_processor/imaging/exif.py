"""EXIF and XMP: nothing is read of them but the orientation and a colour space, and no more than where they stand.

Libraries that read all of it turn a tag of some megabytes into some hundred, in seconds.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import Any

UPRIGHT = 1

_HEADER = b"Exif\0\0"
_ORDERS = {b"II": "<", b"MM": ">"}
_ORIENTATION = 274
_NUMBERS = {1: "B", 3: "H", 4: "I"}  # BYTE, SHORT, LONG

# "Design rule for Camera File system" 2.0: where a camera names Adobe RGB, and how.
_TO_INTEROPERABILITY = (0x8769, 0xA005)
_INDEX = 1
_ADOBE_RGB = b"R03"

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


def names_adobe_rgb(exif: bytes) -> bool:
    """Whether a camera says that the colours are Adobe RGB's, of which it embeds no profile."""
    if _ADOBE_RGB not in exif:
        return False
    try:
        exif, order = _without_headers(exif)
        (offset,) = struct.unpack_from(order + "I", exif, 4)
        for pointer in _TO_INTEROPERABILITY:
            (offset,) = struct.unpack_from(order + "I", exif, _entry(exif, order, offset, pointer) + 8)
        index = _entry(exif, order, offset, _INDEX) + 8
    except (struct.error, KeyError):
        return False
    return exif.startswith(_ADOBE_RGB, index)


def _of_exif(exif: bytes) -> int | None:
    try:
        exif, order = _without_headers(exif)
        (offset,) = struct.unpack_from(order + "I", exif, 4)
        position = _entry(exif, order, offset, _ORIENTATION)
        kind, amount = struct.unpack_from(order + "HI", exif, position + 2)
        number = struct.unpack_from(order + _NUMBERS[kind], exif, position + 8)
    except (struct.error, KeyError):
        return None
    return int(number[0]) if amount == 1 else None


def _without_headers(exif: bytes) -> tuple[bytes, str]:
    """The TIFF within, and its byte order.

    Raises:
        KeyError: it has none.
    """
    exif = exif.removeprefix(_HEADER).removeprefix(_HEADER)  # some programs write it once more
    return exif, _ORDERS[exif[:2]]


def _entry(exif: bytes, order: str, offset: int, wanted: int) -> int:
    """Where a tag stands in the directory at `offset`.

    Raises:
        KeyError: it has none.
    """
    (count,) = struct.unpack_from(order + "H", exif, offset)
    for position in range(offset + 2, offset + 2 + 12 * count, 12):
        if struct.unpack_from(order + "H", exif, position)[0] == wanted:
            return position
    raise KeyError(wanted)


def _from_hexadecimal(text: str) -> bytes:
    try:
        return bytes.fromhex("".join(text.split("\n")[_LINES_ABOUT:]))
    except ValueError:
        return b""
