"""Colour spaces by arithmetic, from their published chromaticities and curves, without a colour management library."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

Vector = tuple[float, ...]
Matrix = tuple[Vector, ...]

D65, D50 = (0.3127, 0.3290), (0.3457, 0.3585)
_BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


@dataclass(frozen=True)
class Space:
    """Chromaticities of red, green, blue and white, and the curve from stored values to light, both 0 to 1."""

    primaries: tuple[tuple[float, float], ...]
    white: tuple[float, float]
    linear: Callable[[float], float]
    stored: Callable[[float], float]

    @property
    def to_xyz(self) -> Matrix:
        """Return the matrix from linear RGB to XYZ."""
        columns = transposed(tuple(_xyz(*primary) for primary in self.primaries))
        shares = multiplied(inverse(columns), _xyz(*self.white))
        return tuple(tuple(value * share for value, share in zip(row, shares, strict=True)) for row in columns)


def _srgb_linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _srgb_stored(value: float) -> float:
    return value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def _power(gamma: float) -> tuple[Callable[[float], float], Callable[[float], float]]:
    return (lambda value: value**gamma), (lambda value: value ** (1 / gamma))


_CURVE = (_srgb_linear, _srgb_stored)
SRGB = Space(((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), D65, *_CURVE)
DISPLAY_P3 = Space(((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), D65, *_CURVE)
BT_2020 = Space(((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)), D65, *_CURVE)
ADOBE_RGB = Space(((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), D65, *_power(563 / 256))
C, E, CINEMA = (0.310, 0.316), (1 / 3, 1 / 3), (0.314, 0.351)


def _smpte_240m() -> tuple[Callable[[float], float], Callable[[float], float]]:
    return (
        lambda value: value / 4 if value < 4 * 0.0228 else ((value + 0.1115) / 1.1115) ** (1 / 0.45),
        lambda light: 4 * light if light < 0.0228 else 1.1115 * light**0.45 - 0.1115,
    )


def _cinema() -> tuple[Callable[[float], float], Callable[[float], float]]:
    return (
        lambda value: 52.37 / 48 * value**2.6,
        lambda light: (48 / 52.37 * light) ** (1 / 2.6),
    )


def _logarithmic(decades: float) -> tuple[Callable[[float], float], Callable[[float], float]]:
    return (
        lambda value: 10 ** (decades * (value - 1)) if value > 0 else 0.0,
        lambda light: max(0.0, 1 + math.log10(light) / decades) if light > 0 else 0.0,
    )


# By their numbers in ITU-T H.273, tables 2 and 3: those that are neither sRGB's nor shown like sRGB.
PRIMARIES = {
    4: (((0.67, 0.33), (0.21, 0.71), (0.14, 0.08)), C),
    5: (((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)), D65),
    6: (((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)), D65),
    7: (((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)), D65),
    8: (((0.681, 0.319), (0.243, 0.692), (0.145, 0.049)), C),
    9: (((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)), D65),
    11: (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), CINEMA),
    12: (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), D65),
    22: (((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)), D65),
}
CURVES = {
    4: _power(2.2),
    5: _power(2.8),
    7: _smpte_240m(),
    8: _power(1),
    9: _logarithmic(2),
    10: _logarithmic(2.5),
    17: _cinema(),
}
PROPHOTO = Space(((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), D50, *_power(1.8))


def converted(image: Image.Image, space: Space) -> Image.Image:
    """Return an sRGB image of few colours as stored in another space; alpha stays."""
    palette = {colour: _in(space, colour) for colour in set(image.convert("RGB").get_flattened_data())}
    made = Image.new("RGB", image.size)
    made.putdata([palette[pixel] for pixel in image.convert("RGB").get_flattened_data()])
    if image.mode == "RGBA":
        made.putalpha(image.getchannel("A"))
    return made


def to_d50(space: Space) -> Matrix:
    """Return the columns of red, green and blue of a profile: XYZ, adapted to D50 by Bradford's matrix."""
    return transposed(_product(_adaptation(space.white, D50), space.to_xyz))


def _in(space: Space, colour: Vector) -> tuple[int, ...]:
    light = tuple(SRGB.linear(value / 255) for value in colour)
    xyz = multiplied(_product(_adaptation(SRGB.white, space.white), SRGB.to_xyz), light)
    return tuple(round(255 * space.stored(min(1, max(0, value)))) for value in multiplied(inverse(space.to_xyz), xyz))


def _adaptation(source: tuple[float, float], target: tuple[float, float]) -> Matrix:
    scales = zip(multiplied(_BRADFORD, _xyz(*target)), multiplied(_BRADFORD, _xyz(*source)), strict=True)
    ratios = [after / before for after, before in scales]
    diagonal = tuple(tuple(ratio if row == column else 0.0 for column in range(3)) for row, ratio in enumerate(ratios))
    return _product(inverse(_BRADFORD), _product(diagonal, _BRADFORD))


def _xyz(x: float, y: float) -> Vector:
    return x / y, 1.0, (1 - x - y) / y


def transposed(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))


def multiplied(matrix: Matrix, vector: Vector) -> Vector:
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)


def _product(left: Matrix, right: Matrix) -> Matrix:
    return transposed(tuple(multiplied(left, column) for column in transposed(right)))


def inverse(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    whole = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    adjugate = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    return tuple(tuple(value / whole for value in row) for row in adjugate)
