"""Shared code of the TIFF and BMP decoders: an image that is decoded on first use, and samples of any depth."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from PIL import Image

_BYTE = 8  # bits


class LazyImage(Image.Image):
    """An image whose header is read, and whose pixels are decoded on first use."""

    def __init__(self, image_format: str, size: tuple[int, int], decode: Callable[[], Image.Image]) -> None:
        super().__init__()
        self.format = image_format
        self._size = size
        self._decode = decode

    def load(self) -> Any:
        """Decode the pixels on the first call."""
        if self._im is None:
            decoded = self._decode()
            self._mode, self.palette = decoded.mode, decoded.palette
            self.im = decoded.im
        return super().load()


def unpack_samples(pixels: bytes, step: int, first_bit: int, bits: int) -> bytes:
    """Return one sample of every pixel, scaled to 0..255; of more than 8 bits, the upper 8.

    Args:
        pixels: whole bytes, in which the highest bit is the first one.
        step: bytes from one pixel to the next.
        first_bit: the first bit of the sample in its pixel.
        bits: the bits of the sample.
    """
    bits = min(bits, _BYTE)
    at, before = divmod(first_bit, _BYTE)
    after = _BYTE - before - bits
    if after >= 0:
        return pixels[at::step].translate(_scaled(after, bits))
    high = pixels[at::step].translate(_shifted(-after, bits))
    low = pixels[at + 1 :: step].translate(_shifted(-after - _BYTE, bits))
    both = int.from_bytes(high, "little") | int.from_bytes(low, "little")
    return both.to_bytes(len(high), "little").translate(_scaled(0, bits))


@lru_cache(maxsize=64)
def _shifted(by: int, bits: int) -> bytes:
    """Return a table: for each byte, the bits of the sample moved up by so many bits (down if negative)."""
    mask = (1 << bits) - 1
    return bytes((value << by if by >= 0 else value >> -by) & mask for value in range(256))


@lru_cache(maxsize=64)
def _scaled(after: int, bits: int) -> bytes:
    """Return a table: for each byte, the value of the bits before its last `after` bits, scaled to 0..255."""
    highest = (1 << bits) - 1
    return bytes(((value >> after & highest) * 255 + highest // 2) // highest for value in range(256))
