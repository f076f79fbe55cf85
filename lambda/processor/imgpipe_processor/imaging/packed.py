"""What the decoders of TIFF and BMP share: a picture that is decoded on first use, and samples of any depth."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from PIL import Image

_BYTE = 8  # bits


class Undecoded(Image.Image):
    """A picture whose header is read, and whose pixels are decoded when they are first asked for."""

    def __init__(self, image_format: str, size: tuple[int, int], decode: Callable[[], Image.Image]) -> None:
        super().__init__()
        self.format = image_format
        self._size = size
        self._decode = decode

    def load(self) -> Any:
        """Decode, the first time."""
        if self._im is None:
            decoded = self._decode()
            self._mode, self.palette = decoded.mode, decoded.palette
            self.im = decoded.im
        return super().load()


def samples(pixels: bytes, step: int, first_bit: int, bits: int) -> bytes:
    """One sample of every pixel, scaled to 0..255; of more than 8 bits, the upper 8.

    Args:
        pixels: whole bytes, in which the highest bit is the first one.
        step: bytes from one pixel to the next.
        first_bit: of the sample in its pixel.
        bits: of the sample.
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
    """For each byte, its bits moved up by so many places (down where negative), and only those of the sample."""
    mask = (1 << bits) - 1
    return bytes((value << by if by >= 0 else value >> -by) & mask for value in range(256))


@lru_cache(maxsize=64)
def _scaled(after: int, bits: int) -> bytes:
    """For each byte, the value of the bits in it that `after` bits follow, scaled to 0..255."""
    highest = (1 << bits) - 1
    return bytes(((value >> after & highest) * 255 + highest // 2) // highest for value in range(256))
