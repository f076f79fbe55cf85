"""BMP: the headers that Windows and OS/2 write ("BITMAPINFOHEADER structure", Microsoft's Win32 reference)."""

from __future__ import annotations

import struct

from .structure import Structure, corrupt, too_large, unsupported

SIGNATURE = b"BM"

_CORE_HEADER = 12  # bytes: OS/2's, with sizes of 16 bits
_HEADERS = frozenset({_CORE_HEADER, 40, 52, 56, 64, 108, 124})
_DEPTHS = frozenset({1, 4, 8, 16, 24, 32})
_PALETTE_DEPTH = 8
_UNCOMPRESSED, _RLE8, _RLE4, _BIT_FIELDS = range(4)

# Pillow follows run lengths in plain Python, two bytes at a time. Nobody writes large pictures so.
MAX_RUN_LENGTH_BYTES = 8 * 2**20


def read_bmp(data: bytes, _max_frames: int) -> Structure:
    """Read the headers, and see whether the pixels they tell of are there.

    Raises:
        ImageRejectedError: they are not, or are stored in a way that nobody writes.
    """
    start, header = struct.unpack_from("<II", data, 10)
    if header not in _HEADERS:
        unsupported("the object begins like a BMP, and is none that is known; save it as PNG instead")
    if header == _CORE_HEADER:
        width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
        compression = _UNCOMPRESSED
    else:
        width, height, _, depth, compression = struct.unpack_from("<iiHHI", data, 18)
    if width <= 0 or not height:
        corrupt("the BMP's size makes no sense")
    if depth not in _DEPTHS or compression > _BIT_FIELDS:
        unsupported("the BMP is stored in a way that is not supported; save it as PNG instead")
    height = abs(height)  # a negative one means that the first row comes first
    row_bytes = (width * depth + 31) // 32 * 4
    in_runs = compression in {_RLE8, _RLE4}
    if not in_runs and start + row_bytes * height > len(data):
        corrupt("the BMP is cut off")
    if in_runs and len(data) - start > MAX_RUN_LENGTH_BYTES:
        too_large(f"the BMP has more than {MAX_RUN_LENGTH_BYTES:,} bytes of run lengths; save it as PNG instead")
    pixel_bytes = 4 if depth > _PALETTE_DEPTH else 1
    # A run-length coded picture is spread out, and copied, before it becomes an image.
    return Structure("BMP", width, height, (pixel_bytes + 2 * in_runs) * width * height)
