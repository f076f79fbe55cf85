"""BMP: the headers that Windows and OS/2 write ("BITMAPINFOHEADER structure", Microsoft's Win32 reference)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from .structure import Structure, corrupt, too_large, unsupported

SIGNATURE = b"BM"

_FILE_HEADER = 14  # bytes
_CORE_HEADER, _INFO_HEADER, _ALPHA_HEADER = 12, 40, 56  # bytes: OS/2's first one, Windows's, and its first with alpha
_WINDOWS_HEADERS = frozenset({_INFO_HEADER, 52, _ALPHA_HEADER, 108, 124})
_OS2_HEADERS = range(16, 65)  # OS/2 2.x: it may end after any field, and missing fields count as 0
_LONGEST_HEADER = 124

# Of the longest header ("BITMAPV5HEADER structure"): the kind of profile, its offset from the header's start, its
# length.
_PROFILE_KIND_AT, _PROFILE_AT = 56, 112
_EMBEDDED = b"MBED"[::-1]

_DEPTHS = frozenset({1, 2, 4, 8, 16, 24, 32})
PALETTE_DEPTH = 8
RAW, RLE8, RLE4, _BIT_FIELDS = range(4)
_ALPHA_BIT_FIELDS = 6
_RUNS = {RLE8: 8, RLE4: 4}
_MASKS_AT = _FILE_HEADER + _INFO_HEADER

# Red, green, blue and alpha if a header contains no masks.
USUAL_MASKS = {16: (0x7C00, 0x3E0, 0x1F, 0), 24: (0xFF0000, 0xFF00, 0xFF, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}

# Run lengths are decoded in plain Python, two bytes at a time. Large images are not stored this way.
MAX_RUN_LENGTH_BYTES = 8 * 2**20


class BmpHeader(NamedTuple):
    """The values of the headers that decoding needs.

    Args:
        width: in pixels; `height` as well.
        top_down: True if the upper row comes first.
        depth: bits of a pixel.
        compression: RAW, RLE8 or RLE4.
        masks: the bits of red, green, blue and alpha in a pixel of more than 8 bits.
        palette: blue, green and red of each colour.
        start: of the pixels in the file.
        profile: the ICC profile; empty without one.
    """

    width: int
    height: int
    top_down: bool
    depth: int
    compression: int
    masks: tuple[int, int, int, int]
    palette: tuple[bytes, ...]
    start: int
    profile: bytes

    @property
    def row_bytes(self) -> int:
        """Return the bytes from one row to the next, if the image has no run lengths."""
        return (self.width * self.depth + 31) // 32 * 4

    @property
    def is_grey(self) -> bool:
        """Return True if the palette contains only greys."""
        return all(len({*colour}) == 1 for colour in self.palette)


def read_bmp(data: bytes, _max_frames: int) -> Structure:
    """Read the headers, and check that the bytes of the pixels are in the file.

    Raises:
        ImageRejectedError: a part is missing, or the image is of a kind that is not supported.
    """
    header = read_header(data)
    width, height, depth = header.width, header.height, header.depth
    if header.compression != RAW:
        if len(data) - header.start > MAX_RUN_LENGTH_BYTES:
            too_large(f"the BMP has more than {MAX_RUN_LENGTH_BYTES:,} bytes of run lengths; save it as PNG instead")
        return Structure("BMP", width, height, (2.1 if header.is_grey else 4.1) * width * height)
    last_row = (width * depth + 7) // 8  # its padding may be missing
    if header.start + header.row_bytes * (height - 1) + last_row > len(data):
        corrupt("the BMP is truncated")
    pixel_bytes = 4.1 if depth > PALETTE_DEPTH else 2.1 if header.is_grey else 1.1
    return Structure("BMP", width, height, pixel_bytes * width * height)


def read_header(data: bytes) -> BmpHeader:
    """Read the headers, masks and palette before the pixels.

    Raises:
        ImageRejectedError: as `read_bmp`.
    """
    start, size = struct.unpack_from("<II", data, 10)
    if size != _CORE_HEADER and size not in _OS2_HEADERS and size not in _WINDOWS_HEADERS:
        unsupported("the object begins like a BMP, but its header is unknown; save it as PNG instead")
    if len(data) < _FILE_HEADER + size:
        corrupt("the BMP is truncated")
    if size == _CORE_HEADER:
        width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
        compression = colours = 0
    else:
        fields = data[_FILE_HEADER : _FILE_HEADER + size].ljust(_LONGEST_HEADER, b"\0")
        width, height, _, depth, compression = struct.unpack_from("<iiHHI", fields, 4)
        (colours,) = struct.unpack_from("<I", fields, 32)
    if width <= 0 or not height:
        corrupt("the BMP's size is invalid")
    masked = size in _WINDOWS_HEADERS and compression in {_BIT_FIELDS, _ALPHA_BIT_FIELDS} and depth > PALETTE_DEPTH
    if depth not in _DEPTHS or not (masked or compression == RAW or _RUNS.get(compression) == depth):
        unsupported("the BMP is stored in a way that is not supported; save it as PNG instead")
    masks, palette_at = USUAL_MASKS.get(depth, (0, 0, 0, 0)), _FILE_HEADER + size
    if masked:
        masks = _masks(data, size, compression) or masks
        if size == _INFO_HEADER:
            palette_at += 16 if compression == _ALPHA_BIT_FIELDS else 12
    entry_bytes = 3 if size == _CORE_HEADER else 4
    colours = min(colours or 1 << depth, 1 << depth) if depth <= PALETTE_DEPTH else 0
    if start < palette_at:  # some writers leave it 0
        start = palette_at + colours * entry_bytes
    palette = data[palette_at : min(start, palette_at + colours * entry_bytes)]
    return BmpHeader(
        width,
        abs(height),
        height < 0,
        depth,
        RAW if masked else compression,
        masks,
        tuple(palette[at : at + 3] for at in range(0, len(palette) - 2, entry_bytes)),
        start,
        _profile(data, size),
    )


def _profile(data: bytes, size: int) -> bytes:
    header = data[_FILE_HEADER : _FILE_HEADER + size]
    if size < _LONGEST_HEADER or header[_PROFILE_KIND_AT : _PROFILE_KIND_AT + 4] != _EMBEDDED:
        return b""
    start, length = struct.unpack_from("<II", header, _PROFILE_AT)
    return data[_FILE_HEADER + start : _FILE_HEADER + start + length]


def _masks(data: bytes, size: int, compression: int) -> tuple[int, int, int, int] | None:
    """Return the masks of red, green, blue and alpha; None if all are zero."""
    red, green, blue = struct.unpack_from("<III", data, _MASKS_AT)
    alpha = 0
    if size >= _ALPHA_HEADER or compression == _ALPHA_BIT_FIELDS:
        (alpha,) = struct.unpack_from("<I", data, _MASKS_AT + 12)
    return (red, green, blue, alpha) if red or green or blue else None
