"""BMP: the headers that Windows and OS/2 write ("BITMAPINFOHEADER structure", Microsoft's Win32 reference)."""

from __future__ import annotations

import struct

from .structure import Structure, corrupt, unsupported

SIGNATURE = b"BM"

_CORE_HEADER = 12  # bytes: OS/2's, with sizes of 16 bits
_DEPTHS = frozenset({1, 4, 8, 16, 24, 32})
_PALETTE_DEPTH = 8
_UNCOMPRESSED, _RLE8, _RLE4, _BIT_FIELDS = range(4)


def read_bmp(data: bytes, _max_frames: int) -> Structure:
    """Read the headers, and see whether the pixels they tell of are there.

    Raises:
        ImageRejectedError: they are not, or are stored in a way that nobody writes.
    """
    start, header = struct.unpack_from("<II", data, 10)
    if header == _CORE_HEADER:
        width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
        compression = _UNCOMPRESSED
    else:
        width, height, _, depth, compression = struct.unpack_from("<iiHHI", data, 18)
    if width <= 0 or not height:
        corrupt("the BMP's size makes no sense")
    if depth not in _DEPTHS or compression > _BIT_FIELDS:
        unsupported("the BMP is stored in a way that is not supported")
    height = abs(height)  # a negative one means that the first row comes first
    row_bytes = (width * depth + 31) // 32 * 4
    if compression in {_UNCOMPRESSED, _BIT_FIELDS} and start + row_bytes * height > len(data):
        corrupt("the BMP is cut off")
    pixel_bytes = 4 if depth > _PALETTE_DEPTH else 1
    # A run-length coded picture is spread out before it becomes an image.
    spread_bytes = 0 if compression in {_UNCOMPRESSED, _BIT_FIELDS} else 2
    return Structure("BMP", width, height, (pixel_bytes + spread_bytes) * width * height)
