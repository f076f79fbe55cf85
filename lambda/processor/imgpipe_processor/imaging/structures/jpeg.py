"""JPEG: the markers of ITU-T T.81, annex B."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from .jpeg_head import END, FRAMES, SOS, START, Head
from .structure import Structure, corrupt, refuse_empty_end, too_large, unsupported

SIGNATURE = b"\xff\xd8\xff"

# A marker; not a stuffed or a fill byte, nor one of the restart markers that entropy-coded data holds.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_SOI, _EOI = 0xD8, 0xD9
_STANDALONE = frozenset({0x01, _SOI, _EOI})
_CUT_OFF = 0  # no marker: the end of the image is missing
_SEQUENTIAL = frozenset({0xC0, 0xC1, 0xC9})
_PROGRESSIVE = frozenset({0xC2, 0xCA})
_ARITHMETIC = frozenset({0xC9, 0xCA})

# Every pass goes over the whole image however few bytes it has. libjpeg's own progressive script has 10; a tool for
# the smallest files may choose a few dozen. Endless ones are an attack.
MAX_PASSES = 64

# Cameras write a few dozen; a profile in pieces of 64 KB some more.
MAX_SEGMENTS = 2_000

# Before a marker there may be any number of fill bytes, which decoders skip one by one; encoders write none or a few.
MAX_FILL_BYTES = 1_024

# What comes before the pixels usually has less, even with a small picture and a profile in it.
_USUAL_HEAD_BYTES = 2**20

# Coded data do not end in so many zeros, unless they were never written.
_EMPTY_BYTES = 64

_COEFFICIENTS = 64  # of a block
_MISSING = 16  # higher than the lowest bit of any pass

# What a decoder takes for pixels, if it still waits for some, or for the next of the restart markers. It begins with
# ones: where data are missing, decoders fill in zeros.
_PIXELS = bytes(range(254, 0, -1)) * 2
_MORE = _PIXELS + b"".join(bytes((0xFF, marker)) + _PIXELS for marker in range(0xD0, 0xD8))

# Bytes of a pixel: what is kept of one of several passes for every component, and of what only streams through.
_COEFFICIENT_BYTES = 2
_STREAMED_BYTES = 0.1
_WHOLE_BYTES = 4  # of a picture without its end, which is decoded at its full size to see whether it is whole


def read_jpeg(data: bytes, _max_frames: int) -> Structure:
    """Follow the markers to the end of the image; what comes after it (more pictures, trailers) is not looked at.

    A file without an end marker may have all pixels: `Structure.has_end` is False then.

    Raises:
        ImageRejectedError: there is no frame or no scan, or more passes than anybody needs; or passes are missing.
    """
    frame: _Frame | None = None
    cut_at = None
    head = Head(data)
    for marker, position in _segments(data):
        cut_at = _cut_at(frame, marker, position)
        if cut_at is not None:
            break
        head.add(marker, position)
        if marker in FRAMES:
            if frame is not None:
                corrupt("the JPEG has two frames")
            frame = _frame(marker, data, position)
        elif marker == SOS:
            if frame is None:
                corrupt("the JPEG has data before its frame")
            frame.add_scan(data, position)
            if frame.is_whole and data.endswith(END):
                break  # the only pass, and the file ends as it should: spares the search through its data
    if frame is None or not frame.passes:
        corrupt("the JPEG holds no picture")
    if cut_at is not None:
        cut_at = len(data[:cut_at].rstrip(b"\xff"))  # the first byte of the end marker, or of what is cut off
        _refuse_missing(data, frame, cut_at)
    # The decoder keeps every segment, and puts those of EXIF and of the profile together.
    kept_bytes = 2 * head.size if head.size > _USUAL_HEAD_BYTES else 0
    whole_bytes = 0 if cut_at is None else _WHOLE_BYTES * frame.width * frame.height
    return Structure(
        "JPEG",
        frame.width,
        frame.height,
        frame.decoded_bytes() + kept_bytes + whole_bytes,
        decodable=head.decodable(cut_at),
        has_end=cut_at is None,
    )


def _cut_at(frame: _Frame | None, marker: int, position: int) -> int | None:
    """Return where the image ends if its end marker is missing; None if it is not, or comes later."""
    if marker == _CUT_OFF:
        return position
    if frame is not None and frame.is_whole and marker != _EOI:  # nothing after the only scan belongs to the picture
        return position - len(END)
    return None


def _refuse_missing(data: bytes, frame: _Frame, end: int) -> None:
    """Refuse a JPEG that ends at `end`, without its end marker, if that is in the middle of it."""
    if not frame.has_all_passes():
        corrupt("the end of the JPEG is missing")
    refuse_empty_end(data, end, _EMPTY_BYTES)


def prolonged(data: bytes) -> bytes | None:
    """Return the JPEG with more data before its end, which mean nothing if it was whole.

    Return None if they might mean something. Without an end marker, its end is that of its last scan.
    """
    for marker, position in _segments(data):
        if marker in _ARITHMETIC:  # zeros at the end of its data need not be written, and others mean something
            return None
        end = position if marker == _CUT_OFF else position - len(END)
    # Fill bytes before the end marker would make a marker of what follows.
    return b"".join((data[:end].rstrip(b"\xff"), _MORE, END))


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Every marker up to the end of the image, and where its parameters begin.

    If that end is missing though there is a scan, the last one is `_CUT_OFF`, with the place where the end should be.
    """
    position, furthest = len(START), len(START) + MAX_FILL_BYTES
    has_scan = in_scan = False
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, position, furthest)
        if found is None:
            if has_scan:
                yield _CUT_OFF, len(data) if in_scan else position
                return
            corrupt("the end of the JPEG is missing" if furthest >= len(data) else "a JPEG marker is missing")
        start, marker, position = found.start(), data[found.end() - 1], found.end()
        length = 0 if marker in _STANDALONE else max(2, int.from_bytes(data[position : position + 2]))
        if marker == _SOI or position + length > len(data):
            if has_scan:
                yield _CUT_OFF, start
                return
            corrupt("a JPEG marker is out of place" if marker == _SOI else "it is cut off")
        yield marker, position
        if marker == _EOI:
            return
        position += length
        in_scan = marker == SOS
        has_scan = has_scan or in_scan
        furthest = len(data) if in_scan else position + MAX_FILL_BYTES
    corrupt("the JPEG has too many segments")


class _Frame:
    """The frame header: size, and components with their sampling factors (T.81, B.2.2); and the scans so far.

    Args:
        samplings: with the number of each component.
    """

    def __init__(self, marker: int, height: int, width: int, samplings: list[tuple[int, tuple[int, int]]]) -> None:
        self.progressive = marker in _PROGRESSIVE
        self.width, self.height, self.samplings = width, height, [factors for _, factors in samplings]
        self.is_whole = False  # by one scan, which is then all of the picture
        self.passes = 0
        self._lowest_bits = {number: [_MISSING] * _COEFFICIENTS for number, _ in samplings}

    def add_scan(self, data: bytes, position: int) -> None:
        """Read the header of a scan (T.81, B.2.3).

        Raises:
            ImageRejectedError: there are more than anybody needs.
        """
        self.passes += 1
        if self.passes > MAX_PASSES:
            too_large(f"the JPEG is coded in more than {MAX_PASSES} passes; save it again")
        count = data[position + 2]
        numbers = data[position + 3 : position + 3 + 2 * count : 2]
        first, last, bits = struct.unpack_from(">BBB", data, position + 3 + 2 * count)
        self.is_whole = not self.progressive and count == len(self.samplings)
        if not self.progressive:
            first, last, bits = 0, _COEFFICIENTS - 1, 0
        for number in numbers:
            for place in range(first, min(last + 1, _COEFFICIENTS)):
                if number in self._lowest_bits:
                    self._lowest_bits[number][place] = bits & 15

    def has_all_passes(self) -> bool:
        """True if there were scans for every bit of every coefficient."""
        return not any(map(any, self._lowest_bits.values()))

    def decoded_bytes(self) -> float:
        """A picture of one pass streams through the decoder, and is shrunk on its way; of others all is kept."""
        pixels = self.width * self.height
        if self.passes == 1 and not self.progressive:
            return _STREAMED_BYTES * pixels
        widest = max(horizontal for horizontal, _ in self.samplings)
        highest = max(vertical for _, vertical in self.samplings)
        shares = sum(horizontal * vertical for horizontal, vertical in self.samplings) / (widest * highest)
        return (_COEFFICIENT_BYTES * shares + _STREAMED_BYTES) * pixels


def _frame(marker: int, data: bytes, position: int) -> _Frame:
    if marker not in _SEQUENTIAL | _PROGRESSIVE:
        unsupported("the JPEG is lossless or hierarchical, which is not supported; save it as a usual one")
    precision, height, width, components = struct.unpack_from(">BHHB", data, position + 2)
    if precision != 8:  # noqa: PLR2004  bits per sample: what Pillow decodes
        unsupported(f"the JPEG has {precision} bits per sample; expected 8")
    if not height and width and components:
        unsupported("the JPEG tells its height only after its pixels (DNL), which is not supported; save it again")
    if not (height and width and components):
        corrupt("the JPEG's size is zero")
    samplings = []
    for index in range(components):
        number, factors = struct.unpack_from(">BB", data, position + 8 + 3 * index)
        horizontal, vertical = factors >> 4, factors & 15
        if not (1 <= horizontal <= 4 and 1 <= vertical <= 4):  # noqa: PLR2004  T.81, table B.2
            corrupt("the JPEG's sampling is impossible")
        samplings.append((number, (horizontal, vertical)))
    return _Frame(marker, height, width, samplings)
