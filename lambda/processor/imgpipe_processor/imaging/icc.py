"""ICC profiles for files that only name their colour space, as small as Little CMS accepts them.

Layout: "Specification ICC.1:2022", sections 7.2 (header), 7.3 (tag table) and 10 (tag types).
"""

from __future__ import annotations

import struct
from functools import cache

Vector = tuple[float, ...]
Matrix = tuple[Vector, ...]

# White points as x and y (ITU-T H.273, table 2): D65, illuminant C, equal energy, and that of cinemas.
_D65, _C, _E, _CINEMA = (0.3127, 0.329), (0.31, 0.316), (1 / 3, 1 / 3), (0.314, 0.351)

# Red, green, blue and white as x and y, by their numbers in ITU-T H.273, table 2. 0, 2, 3 and 13 to 21 name nothing.
_BT_709 = 1
_PRIMARIES: dict[int, Matrix] = {
    _BT_709: ((0.64, 0.33), (0.3, 0.6), (0.15, 0.06), _D65),
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),  # BT.470, system M
    5: ((0.64, 0.33), (0.29, 0.6), (0.15, 0.06), _D65),  # BT.470, systems B and G
    6: ((0.63, 0.34), (0.31, 0.595), (0.155, 0.07), _D65),  # SMPTE 170M
    7: ((0.63, 0.34), (0.31, 0.595), (0.155, 0.07), _D65),  # SMPTE 240M
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),  # film
    9: ((0.708, 0.292), (0.17, 0.797), (0.131, 0.046), _D65),  # BT.2020
    10: ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), _E),  # SMPTE ST 428-1: XYZ
    11: ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), _CINEMA),  # SMPTE RP 431-2
    12: ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), _D65),  # SMPTE EG 432-1: Display P3
    22: ((0.63, 0.34), (0.295, 0.605), (0.155, 0.077), _D65),
}
_UNSPECIFIED = 2  # as primaries: shown as those of BT.709, as Chromium does with an AVIF

# "Adobe RGB (1998) Color Image Encoding", sections 4.3.1.1 and 4.3.4.2.
_ADOBE_RGB: Matrix = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), _D65)

# Curves from stored values to light, as types and parameters of ICC.1:2022, section 10.18; H.273, table 3, defines
# them. The curve of sRGB is IEC 61966-2-1. The television curves of standard range are shown with the same curve, as
# Chromium does with an AVIF, and so is "unspecified"; 11 and 12 differ from them below black and above white only.
_SRGB_CURVE = (3, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
_SMPTE_240M_CURVE = (3, (1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 4 * 0.0228))
_ADOBE_CURVE = (0, (563 / 256,))
_CURVES: dict[int, tuple[int, Vector]] = {
    **dict.fromkeys((1, 2, 6, 11, 12, 13, 14, 15), _SRGB_CURVE),
    4: (0, (2.2,)),
    5: (0, (2.8,)),
    7: _SMPTE_240M_CURVE,
    8: (0, (1.0,)),
    17: (1, (2.6, (52.37 / 48) ** (1 / 2.6), 0.0)),  # SMPTE ST 428-1
}

# Logarithmic curves (H.273, table 3) by the powers of ten of their range. They need a table (ICC.1:2022, 10.6).
_DECADES = {9: 2.0, 10: 2.5}
_TABLE_ENTRIES = 1_024

_TAGS = (b"desc", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
_D50 = (0.9642, 1.0, 0.8249)  # ICC.1:2022, section 7.2.16

# The matrix from XYZ to the responses of the eye, in which a white point is adapted to another (ICC.1:2022, annex E.3).
_BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


@cache
def adobe_rgb() -> bytes:
    """Return the profile for photos whose EXIF names Adobe RGB."""
    return _profile("Adobe RGB", _ADOBE_RGB, _parametric(*_ADOBE_CURVE))


@cache
def profile_of_code_points(primaries: int, transfer: int) -> bytes | None:
    """Return the profile for the numbers in a file; None if they mean sRGB, or no profile fits.

    A curve alone cannot convert high dynamic range, PQ and HLG, to sRGB.
    """
    named = _BT_709 if primaries == _UNSPECIFIED else primaries
    if named not in _PRIMARIES:
        return None
    if transfer in _DECADES:
        return _profile("named by numbers", _PRIMARIES[named], _logarithmic(_DECADES[transfer]))
    curve = _CURVES.get(transfer)
    if curve is None or (named == _BT_709 and curve is _SRGB_CURVE):
        return None
    return _profile("named by numbers", _PRIMARIES[named], _parametric(*curve))


def _parametric(curve_type: int, parameters: Vector) -> bytes:
    return b"para" + struct.pack(">4xHxx", curve_type) + _fixed(*parameters)


def _logarithmic(decades: float) -> bytes:
    last = _TABLE_ENTRIES - 1
    light = (10 ** (decades * (index / last - 1)) if index else 0.0 for index in range(_TABLE_ENTRIES))
    return b"curv" + struct.pack(f">4xI{_TABLE_ENTRIES}H", _TABLE_ENTRIES, *(round(65_535 * value) for value in light))


def _columns(primaries: Matrix) -> Matrix:
    """Return red, green and blue as XYZ, adapted to D50 by Bradford's matrix."""
    *colours, (x, y, z) = ((x, y, 1 - x - y) for x, y in primaries)
    white = (x / y, 1.0, z / y)
    shares = _product(_inverse(_transposed(tuple(colours))), white)
    before, after = _product(_BRADFORD, white), _product(_BRADFORD, _D50)
    from_eye = _inverse(_BRADFORD)
    adapted = []
    for colour, share in zip(colours, shares, strict=True):
        seen = _product(_BRADFORD, colour)
        seen = tuple(share * value * new / old for value, new, old in zip(seen, after, before, strict=True))
        adapted.append(_product(from_eye, seen))
    return tuple(adapted)


def _product(matrix: Matrix, vector: Vector) -> Vector:
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)


def _transposed(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))


def _inverse(matrix: Matrix) -> Matrix:
    """Return the inverse by cross products of the rows: each column is at right angles to two of them."""
    rows = [(matrix[(index + 1) % 3], matrix[(index + 2) % 3]) for index in range(3)]
    columns = [(b * f - c * e, c * d - a * f, a * e - b * d) for (a, b, c), (d, e, f) in rows]
    whole = sum(a * b for a, b in zip(matrix[0], columns[0], strict=True))
    return _transposed(tuple(tuple(value / whole for value in column) for column in columns))


def _profile(name: str, primaries: Matrix, curve: bytes) -> bytes:
    text = name.encode("utf-16-be")
    described = b"mluc" + struct.pack(">4xII4sII", 1, 12, b"enUS", len(text), 28) + text
    values = [described, *(b"XYZ " + bytes(4) + _fixed(*column) for column in _columns(primaries)), curve]
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
    """Return numbers of 16.16 bits."""
    return struct.pack(f">{len(values)}i", *(round(value * 65_536) for value in values))
