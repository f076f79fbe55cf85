"""Read the orientation and the colour space from EXIF and XMP, and no more bytes than needed.

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

# "Design rule for Camera File system" 2.0: where and how a camera names Adobe RGB.
_TO_INTEROPERABILITY = (0x8769, 0xA005)
_INDEX = 1
_ADOBE_RGB = b"R03"

# EXIF as old programs wrote it into a PNG: three header lines, then hexadecimal.
_TEXT = "Raw profile type exif"
_HEADER_LINES = 3

_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')


def read_orientation(exif: bytes | None, info: Mapping[Any, Any]) -> int:
    """Return the orientation as in EXIF; 1 (upright) if there is no valid one.

    Args:
        exif: from the file; None without EXIF.
        info: the metadata that Pillow found in the file.
    """
    found = None if exif is None else _of_exif(exif)
    if exif is None and _TEXT in info:
        found = _of_exif(_from_hexadecimal(str(info[_TEXT])))
    if found is None:
        in_xmp = _XMP.search(info.get("xmp", b""))
        found = int(in_xmp[1]) if in_xmp else UPRIGHT
    return found


def is_adobe_rgb(exif: bytes) -> bool:
    """Return True if a camera names Adobe RGB as colour space, of which it embeds no profile."""
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
    """Return the TIFF inside the EXIF, and its byte order.

    Raises:
        KeyError: the EXIF contains no TIFF.
    """
    exif = exif.removeprefix(_HEADER).removeprefix(_HEADER)  # some programs write it twice
    return exif, _ORDERS[exif[:2]]


def _entry(exif: bytes, order: str, offset: int, tag: int) -> int:
    """Return the position of a tag in the directory at `offset`.

    Raises:
        KeyError: the directory does not contain the tag.
    """
    (count,) = struct.unpack_from(order + "H", exif, offset)
    for position in range(offset + 2, offset + 2 + 12 * count, 12):
        if struct.unpack_from(order + "H", exif, position)[0] == tag:
            return position
    raise KeyError(tag)


def _from_hexadecimal(text: str) -> bytes:
    try:
        return bytes.fromhex("".join(text.split("\n")[_HEADER_LINES:]))
    except ValueError:
        return b""
