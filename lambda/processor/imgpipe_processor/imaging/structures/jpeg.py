"""JPEG: the markers of ITU-T T.81, annex B."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from .structure import Structure, corrupt, too_large, unsupported

SIGNATURE = b"\xff\xd8\xff"
_START = b"\xff\xd8"
_END = b"\xff\xd9"

# A marker; not a stuffed or a fill byte, nor one of the restart markers that entropy-coded data holds.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_EOI, _SOS = 0xD9, 0xDA
_STANDALONE = frozenset({0x01, 0xD8})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # DHT, JPG and DAC lie in between
_SEQUENTIAL = frozenset({0xC0, 0xC1, 0xC9})
_PROGRESSIVE = frozenset({0xC2, 0xCA})

# Every pass goes over the whole image however few bytes it has. libjpeg's own progressive script has 10; a tool for
# the smallest files may choose a few dozen. Endless ones are an attack.
MAX_PASSES = 64

# Cameras write a few dozen; a profile in pieces of 64 KB some more.
MAX_SEGMENTS = 2_000

# Bytes of a pixel: what is kept of one of several passes for every component, and of what only streams through.
_COEFFICIENT_BYTES = 2
_STREAMED_BYTES = 0.1


def read_jpeg(data: bytes, _max_frames: int) -> Structure:
    """Follow the markers to the end of the image; what comes after it (more pictures, trailers) is not looked at.

    Raises:
        ImageRejectedError: there is no end, no frame or no scan, or more passes than anybody needs.
    """
    passes, frame = 0, None
    for marker, position in _segments(data):
        if marker in _FRAMES:
            if frame is not None:
                corrupt("the JPEG has two frames")
            frame = _frame(marker, data, position)
        elif marker == _SOS:
            passes += 1
            if passes > MAX_PASSES:
                too_large(f"the JPEG is coded in more than {MAX_PASSES} passes")
            if frame is None:
                corrupt("the JPEG has data before its frame")
            if frame.is_whole_in(data[position + 2]) and data.endswith(_END):
                break  # the only pass, and the file ends as it should: spares the search through its data
    if frame is None or not passes:
        corrupt("the JPEG holds no picture")
    return Structure("JPEG", frame.width, frame.height, frame.decoded_bytes(passes))


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Every marker up to the end of the image, and where its parameters begin."""
    position = len(_START)
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, position)
        if found is None:
            corrupt("the end of the JPEG is missing")
        marker, position = data[found.end() - 1], found.end()
        if marker == _EOI:
            return
        if marker in _STANDALONE:
            corrupt("a JPEG marker is out of place")
        yield marker, position
        (length,) = struct.unpack_from(">H", data, position)
        position += length
    corrupt("the JPEG has too many segments")


class _Frame:
    """The frame header: size, and components with their sampling factors (T.81, B.2.2)."""

    def __init__(self, marker: int, height: int, width: int, samplings: list[tuple[int, int]]) -> None:
        self.progressive = marker in _PROGRESSIVE
        self.width, self.height, self.samplings = width, height, samplings

    def is_whole_in(self, components: int) -> bool:
        """Whether a scan of so many components is all there is of the picture."""
        return not self.progressive and components == len(self.samplings)

    def decoded_bytes(self, passes: int) -> float:
        """A picture of one pass streams through the decoder, and is shrunk on its way; of others all is kept."""
        pixels = self.width * self.height
        if passes == 1 and not self.progressive:
            return _STREAMED_BYTES * pixels
        widest = max(horizontal for horizontal, _ in self.samplings)
        highest = max(vertical for _, vertical in self.samplings)
        shares = sum(horizontal * vertical for horizontal, vertical in self.samplings) / (widest * highest)
        return (_COEFFICIENT_BYTES * shares + _STREAMED_BYTES) * pixels


def _frame(marker: int, data: bytes, position: int) -> _Frame:
    if marker not in _SEQUENTIAL | _PROGRESSIVE:
        unsupported("the JPEG is coded in a way that is not supported (lossless or hierarchical)")
    precision, height, width, components = struct.unpack_from(">BHHB", data, position + 2)
    if precision != 8:  # noqa: PLR2004  bits per sample: what Pillow decodes
        unsupported(f"the JPEG has {precision} bits per sample; 8 are supported")
    if not (height and width and components):
        corrupt("the JPEG's size is zero")
    samplings = []
    for index in range(components):
        factors = data[position + 9 + 3 * index]
        horizontal, vertical = factors >> 4, factors & 15
        if not (1 <= horizontal <= 4 and 1 <= vertical <= 4):  # noqa: PLR2004  T.81, table B.2
            corrupt("the JPEG's sampling is impossible")
        samplings.append((horizontal, vertical))
    return _Frame(marker, height, width, samplings)
