"""JPEG: the markers of ITU-T T.81, annex B."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from .jpeg_segments import END, FRAMES, SOS, START, HeaderSegments
from .structure import Structure, corrupt, reject_empty_end, too_large, unsupported

SIGNATURE = b"\xff\xd8\xff"

# A marker; not a stuffed byte, a fill byte, or a restart marker inside of entropy-coded data.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_SOI, _EOI = 0xD8, 0xD9
_STANDALONE = frozenset({0x01, _SOI, _EOI})
_CUT_OFF = 0  # no marker: the end of the image is missing
_SEQUENTIAL = frozenset({0xC0, 0xC1, 0xC9})
_PROGRESSIVE = frozenset({0xC2, 0xCA})
_ARITHMETIC = frozenset({0xC9, 0xCA})

# Every pass decodes the whole image, even if it has few bytes. libjpeg's own progressive script has 10; a tool for the
# smallest files may use a few dozen. Unlimited passes are an attack.
MAX_PASSES = 64

# Cameras write a few dozen; a profile in pieces of 64 KB some more.
MAX_SEGMENTS = 2_000

# Any number of fill bytes may precede a marker, and decoders skip them one by one; encoders write none or a few.
MAX_FILL_BYTES = 1_024

# The segments before the pixels usually have fewer bytes, even with a thumbnail and a profile.
_USUAL_HEAD_BYTES = 2**20

# Coded data end in so many zeros only if they were never written.
_EMPTY_BYTES = 64

_COEFFICIENTS = 64  # of a block
_MISSING = 16  # higher than the lowest bit of any pass

# Data that a decoder decodes as pixels if it still expects some, or expects the next restart marker. It begins with
# ones: decoders fill in zeros if data are missing.
_PIXELS = bytes(range(254, 0, -1)) * 2
_MORE = _PIXELS + b"".join(bytes((0xFF, marker)) + _PIXELS for marker in range(0xD0, 0xD8))

# Bytes of a pixel: the coefficients of several passes that are kept for every component, and an image that only streams
# through the decoder.
_COEFFICIENT_BYTES = 2
_STREAMED_BYTES = 0.1
_WHOLE_BYTES = 4  # of an image without its end, decoded at full size to check that it is whole


def read_jpeg(data: bytes, _max_frames: int) -> Structure:
    """Read the markers up to the end of the image; data after it (more images, trailers) are ignored.

    A file without an end marker may have all pixels: `Structure.has_end` is False then.

    Raises:
        ImageRejectedError: the file has no frame, no scan, or more than `MAX_PASSES` passes; or passes are missing.
    """
    frame: _Frame | None = None
    cut_at = None
    head = HeaderSegments(data)
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
                break  # the only pass, and the file ends with its end marker: skips the search
    if frame is None or not frame.passes:
        corrupt("the JPEG contains no image")
    if cut_at is not None:
        cut_at = len(data[:cut_at].rstrip(b"\xff"))  # the first byte of the end marker, or of the part that is cut off
        _reject_missing_parts(data, frame, cut_at)
    # The decoder keeps every segment, and joins those of EXIF and of the profile.
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
    if frame is not None and frame.is_whole and marker != _EOI:  # nothing after the only scan belongs to the image
        return position - len(END)
    return None


def _reject_missing_parts(data: bytes, frame: _Frame, end: int) -> None:
    """Reject a JPEG that ends at `end`, without its end marker, if parts of the image are missing."""
    if not frame.has_all_passes():
        corrupt("the end of the JPEG is missing")
    reject_empty_end(data, end, _EMPTY_BYTES)


def with_extra_data(data: bytes) -> bytes | None:
    """Return the JPEG with extra data before its end, which change nothing if it was whole.

    Return None if they may change something. Without an end marker, its end is the end of its last scan.
    """
    for marker, position in _segments(data):
        if marker in _ARITHMETIC:  # zeros at the end may be left out, and extra data change something
            return None
        end = position if marker == _CUT_OFF else position - len(END)
    # Fill bytes before the end marker would turn the next byte into a marker.
    return b"".join((data[:end].rstrip(b"\xff"), _MORE, END))


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield every marker up to the end of the image, and where its parameters begin.

    If the end marker is missing but the file has a scan, the last marker is `_CUT_OFF`, with the position where the end
    marker should be.
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
            corrupt("a JPEG marker is out of place" if marker == _SOI else "the file is truncated")
        yield marker, position
        if marker == _EOI:
            return
        position += length
        in_scan = marker == SOS
        has_scan = has_scan or in_scan
        furthest = len(data) if in_scan else position + MAX_FILL_BYTES
    corrupt("the JPEG has too many segments")


class _Frame:
    """The frame header, with size and components with their sampling factors (T.81, B.2.2), and the scans so far.

    Args:
        samplings: with the number of each component.
    """

    def __init__(self, marker: int, height: int, width: int, samplings: list[tuple[int, tuple[int, int]]]) -> None:
        self.progressive = marker in _PROGRESSIVE
        self.width, self.height, self.samplings = width, height, [factors for _, factors in samplings]
        self.is_whole = False  # by one scan, which then is the whole image
        self.passes = 0
        self._lowest_bits = {number: [_MISSING] * _COEFFICIENTS for number, _ in samplings}

    def add_scan(self, data: bytes, position: int) -> None:
        """Read the header of a scan (T.81, B.2.3).

        Raises:
            ImageRejectedError: the image has more than `MAX_PASSES` passes.
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
            for coefficient in range(first, min(last + 1, _COEFFICIENTS)):
                if number in self._lowest_bits:
                    self._lowest_bits[number][coefficient] = bits & 15

    def has_all_passes(self) -> bool:
        """Return True if the scans contain every bit of every coefficient."""
        return not any(map(any, self._lowest_bits.values()))

    def decoded_bytes(self) -> float:
        """Return the memory of decoding.

        An image of one pass streams through the decoder, and is shrunk on its way. Other images are kept as a whole.
        """
        pixels = self.width * self.height
        if self.passes == 1 and not self.progressive:
            return _STREAMED_BYTES * pixels
        widest = max(horizontal for horizontal, _ in self.samplings)
        highest = max(vertical for _, vertical in self.samplings)
        shares = sum(horizontal * vertical for horizontal, vertical in self.samplings) / (widest * highest)
        return (_COEFFICIENT_BYTES * shares + _STREAMED_BYTES) * pixels


def _frame(marker: int, data: bytes, position: int) -> _Frame:
    if marker not in _SEQUENTIAL | _PROGRESSIVE:
        unsupported("the JPEG is lossless or hierarchical, which is not supported; save it as a baseline JPEG")
    precision, height, width, components = struct.unpack_from(">BHHB", data, position + 2)
    if precision != 8:  # noqa: PLR2004  bits per sample: what Pillow decodes
        unsupported(f"the JPEG has {precision} bits per sample; expected 8")
    if not height and width and components:
        unsupported("the JPEG declares its height only after its pixels (DNL), which is not supported; save it again")
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
