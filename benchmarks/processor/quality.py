"""Difference of a thumbnail from an exact reduction of the whole image, by Lanczos in floating point.

The reduction is implemented here, so that it is neither Pillow's nor libvips'.
"""

from __future__ import annotations

import functools
import io
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

Pixels = NDArray[np.float32]

LOBES = 3  # of the Lanczos window, as in both engines
PEAK = 255.0


def psnr(thumbnail: Path, source: Path) -> float:
    """Return decibels over all channels, colours weighted by alpha; infinite if all bits are equal."""
    with Image.open(thumbnail) as image:
        found = _pixels(image)
    error = float(np.mean((found - _reference(source, found.shape[1], found.shape[0])) ** 2, dtype=np.float64))
    return 10 * math.log10(PEAK**2 / error) if error else math.inf


@functools.lru_cache(maxsize=8)
def _reference(source: Path, width: int, height: int) -> Pixels:
    by_rows = _reduced(_decoded(source), height)
    return _reduced(by_rows.transpose(1, 0, 2), width).transpose(1, 0, 2)


@functools.lru_cache(maxsize=1)
def _decoded(source: Path) -> Pixels:
    """Return the whole image, upright and in sRGB."""
    with Image.open(source) as image:
        upright = ImageOps.exif_transpose(image)
        if profile := image.info.get("icc_profile"):
            srgb = ImageCms.createProfile("sRGB")
            upright = ImageCms.profileToProfile(upright, io.BytesIO(profile), srgb) or upright
    return _pixels(upright)


def _pixels(image: Image.Image) -> Pixels:
    """Return rows, columns, channels from 0 to 255."""
    if not image.has_transparency_data:
        return np.asarray(image.convert("RGB"), np.float32)
    pixels = np.array(image.convert("RGBA"), np.float32)
    pixels[..., :3] *= pixels[..., 3:] / PEAK
    return pixels


def _reduced(pixels: Pixels, rows: int) -> Pixels:
    """Return the image with so many rows."""
    scale = max(1.0, pixels.shape[0] / rows)
    reduced = np.empty((rows, *pixels.shape[1:]), np.float32)
    for row in range(rows):
        centre = (row + 0.5) * pixels.shape[0] / rows
        first = max(0, math.ceil(centre - LOBES * scale - 0.5))
        last = min(pixels.shape[0], math.floor(centre + LOBES * scale - 0.5) + 1)
        distance = (np.arange(first, last) + 0.5 - centre) / scale
        weights = np.sinc(distance) * np.sinc(distance / LOBES)
        reduced[row] = np.tensordot((weights / weights.sum()).astype(np.float32), pixels[first:last], axes=1)
    return reduced
