"""ICC profiles for files that only name their colour space, as small as Little CMS takes them.

Layout: "Specification ICC.1:2022", sections 7.2 (header), 7.3 (tag table) and 10 (tag types).
"""

from __future__ import annotations

import struct
from functools import cache

# Red, green and blue as XYZ, adapted to D50 by Bradford's matrix from the chromaticities in ITU-R BT.2020, SMPTE
# EG 432-1 and "Adobe RGB (1998) Color Image Encoding"; tests/lambda_processor/test_colour_spaces.py works them out.
_BT_2020 = ((0.67348, 0.27904, -0.00193), (0.16567, 0.67534, 0.02998), (0.12505, 0.04561, 0.79685))
_DISPLAY_P3 = ((0.51512, 0.24119, -0.00105), (0.29198, 0.69224, 0.04188), (0.15710, 0.06657, 0.78407))
_ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20527, 0.62568, 0.06087), (0.14919, 0.06321, 0.74456))

# By their numbers in ITU-T H.273, table 2. That of sRGB and HD television needs no profile.
_PRIMARIES = {9: _BT_2020, 12: _DISPLAY_P3}

# H.273, table 3: sRGB's curve, those of television for standard range (shown with the same, as browsers do), and
# "unspecified". Those of high dynamic range, PQ and HLG, cannot be brought to sRGB by a curve alone.
_STANDARD_RANGE = frozenset({1, 2, 6, 13, 14, 15})

# Parametric curves (ICC.1:2022, section 10.18): type and parameters. IEC 61966-2-1; Adobe RGB, section 4.3.4.2.
_SRGB_CURVE = (3, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
_ADOBE_CURVE = (0, (563 / 256,))

_TAGS = (b"desc", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
_D50 = (0.9642, 1.0, 0.8249)


@cache
def adobe_rgb() -> bytes:
    """For photos that only say in their EXIF that they are in Adobe RGB."""
    return _profile("Adobe RGB", _ADOBE_RGB, *_ADOBE_CURVE)


@cache
def wide_gamut(primaries: int, transfer: int) -> bytes | None:
    """For the numbers that a file gives; None where they need no profile, or none would do."""
    if primaries not in _PRIMARIES or transfer not in _STANDARD_RANGE:
        return None
    return _profile("wide gamut", _PRIMARIES[primaries], *_SRGB_CURVE)


def _profile(
    name: str, columns: tuple[tuple[float, ...], ...], curve_type: int, parameters: tuple[float, ...]
) -> bytes:
    text = name.encode("utf-16-be")
    described = b"mluc" + struct.pack(">4xII4sII", 1, 12, b"enUS", len(text), 28) + text
    curve = b"para" + struct.pack(">4xHxx", curve_type) + _fixed(*parameters)
    values = [described, *(b"XYZ " + bytes(4) + _fixed(*column) for column in columns), curve]
    offsets, data = [], b""
    start = 128 + 4 + 12 * len(_TAGS)
    for value in values:
        offsets.append((start + len(data), len(value)))
        data += value + bytes(-len(value) % 4)
    table = struct.pack(">I", len(_TAGS))
    for tag, number in zip(_TAGS, (0, 1, 2, 3, 4, 4, 4), strict=True):
        table += tag + struct.pack(">II", *offsets[number])
    header = struct.pack(">I4xI4s4s4s12x4s28x", start + len(data), 0x04400000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    return (header + _fixed(*_D50)).ljust(128, b"\0") + table + data


def _fixed(*values: float) -> bytes:
    """Numbers of 16.16 bits."""
    return struct.pack(f">{len(values)}i", *(round(value * 65_536) for value in values))
