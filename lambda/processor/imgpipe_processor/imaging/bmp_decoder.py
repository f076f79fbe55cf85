"""Decode a BMP: rows by Pillow's raw modes, channels of other masks by their bits, and run lengths by their codes."""

from __future__ import annotations

from PIL import Image

from .structures.bmp import PALETTE_DEPTH, RAW, BmpHeader, read_header
from .structures.structure import corrupt
from .unpacking import LazyImage, unpack_samples

_BYTE, _COLOURS = 8, 256

# Raw modes for the depths of a palette, and for masks of red, green, blue and alpha.
_INDICES = {1: "P;1", 2: "P;2", 4: "P;4", 8: "P"}
_CHANNELS = {
    (16, (0x7C00, 0x3E0, 0x1F, 0)): "BGR;15",
    (16, (0xF800, 0x7E0, 0x1F, 0)): "BGR;16",
    (24, (0xFF0000, 0xFF00, 0xFF, 0)): "BGR",
    (32, (0xFF0000, 0xFF00, 0xFF, 0)): "BGRX",
    (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)): "BGRA",
}

# Bytes of rows that are unpacked at once, in addition to the decoded image.
_BAND_BYTES = 2**18

_END_OF_ROW, _END, _DELTA = range(3)
_PAIRS = [bytes((value >> 4, value & 15)) for value in range(256)]
_DIGITS = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))


def open_bmp(data: bytes) -> Image.Image:
    """Return the image, not decoded yet."""
    header = read_header(data)
    image = LazyImage("BMP", (header.width, header.height), lambda: _decoded(data, header))
    if header.profile:
        image.info["icc_profile"] = header.profile
    return image


def _decoded(data: bytes, header: BmpHeader) -> Image.Image:
    if header.compression != RAW:
        return _decode_runs(data, header)
    if header.depth <= PALETTE_DEPTH:
        image = _decode_rows(data, header, "P", _INDICES[header.depth])
        image.putpalette(_palette(header))
        return image.convert("L") if header.is_grey else image
    raw_mode = _CHANNELS.get((header.depth, header.masks))
    if raw_mode is None:
        return _decode_masks(data, header)
    return _without_empty_alpha(_decode_rows(data, header, "RGBA" if "A" in raw_mode else "RGB", raw_mode))


def _decode_rows(data: bytes, header: BmpHeader, mode: str, raw_mode: str) -> Image.Image:
    pixels = memoryview(data)[header.start :]
    direction = 1 if header.top_down else -1
    return Image.frombytes(mode, (header.width, header.height), pixels, "raw", raw_mode, header.row_bytes, direction)


def _palette(header: BmpHeader) -> bytes:
    """Return red, green and blue of every index; indices without a colour in the file are black."""
    return b"".join(colour[::-1] for colour in header.palette).ljust(3 * _COLOURS, b"\0")


def _without_empty_alpha(image: Image.Image) -> Image.Image:
    """Drop an alpha of zeros: programs without support for alpha write it, and nothing would be visible."""
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (0, 0):
        return image.convert("RGB")
    return image


def _decode_masks(data: bytes, header: BmpHeader) -> Image.Image:
    """Decode pixels whose channels are any bits of a number."""
    mode = "RGBA" if header.masks[3] else "RGB"
    image = Image.new(mode, (header.width, header.height))
    step = max(1, _BAND_BYTES // header.row_bytes)
    for first in range(0, header.height, step):
        rows = min(step, header.height - first)
        at = header.start + first * header.row_bytes
        packed = data[at : at + rows * header.row_bytes].ljust(rows * header.row_bytes, b"\0")
        band = Image.merge(mode, [_channel(packed, rows, header, mask) for mask in header.masks[: len(mode)]])
        if not header.top_down:
            band = band.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
        image.paste(band, (0, first if header.top_down else header.height - first - rows))
    return _without_empty_alpha(image)


def _channel(packed: bytes, rows: int, header: BmpHeader, mask: int) -> Image.Image:
    """Return the bits of a mask in every pixel, scaled to 0..255; 0 for an empty mask."""
    size = (header.width, rows)
    mask &= (1 << header.depth) - 1
    if not mask:
        return Image.new("L", size)
    pixel_bytes = header.depth // _BYTE
    bits = mask.bit_length() - (mask & -mask).bit_length() + 1
    values = bytearray()
    for row in range(0, len(packed), header.row_bytes):
        pixels = packed[row : row + header.width * pixel_bytes][::-1]  # the highest byte first, the last pixel first
        values += unpack_samples(pixels, pixel_bytes, header.depth - mask.bit_length(), bits)[::-1]
    return Image.frombytes("L", size, bytes(values))


class _Band:
    """Rows that are being drawn, from the lowest up, and the image that they are pasted into."""

    def __init__(self, header: BmpHeader) -> None:
        self._header = header
        self._palette = _palette(header)
        self.image = Image.new("L" if header.is_grey else "RGB", (header.width, header.height))
        self._rows = max(1, min(header.height, _BAND_BYTES // header.width))
        self._first = 0
        self._begin()

    def _begin(self) -> None:
        self._indices = bytearray(self._header.width * self._rows)
        self._drawn = bytearray(len(self._indices))
        self._touched = False

    def draw(self, x: int, y: int, indices: bytearray) -> None:
        """Draw pixels of a row; those past its end are left out."""
        indices = indices[: max(0, self._header.width - x)]
        if not indices:
            return
        if y >= self._first + self._rows:
            self.finish()
            self._first = y
        at = (y - self._first) * self._header.width + x
        self._indices[at : at + len(indices)] = indices
        self._drawn[at : at + len(indices)] = b"\xff" * len(indices)
        self._touched = True

    def finish(self) -> None:
        """Paste the rows into the image."""
        if not self._touched:
            return
        size = (self._header.width, self._rows)
        band = Image.frombytes("P", size, bytes(self._indices))
        band.putpalette(self._palette)
        band = band.convert(self.image.mode)
        drawn = Image.frombytes("L", size, bytes(self._drawn))
        top = self._first
        if not self._header.top_down:
            band, drawn = (rows.transpose(Image.Transpose.FLIP_TOP_BOTTOM) for rows in (band, drawn))
            top = self._header.height - self._first - self._rows
        self.image.paste(band, (0, top), drawn)
        self._begin()


def _decode_runs(data: bytes, header: BmpHeader) -> Image.Image:
    """Decode the codes of RLE8 or RLE4; pixels that no code draws are black, as browsers show them.

    There may be millions of codes: runs that follow each other are drawn at once, and those past the end of the row are
    skipped.
    """
    band, halves, width = _Band(header), header.depth < _BYTE, header.width
    first, run = 0, bytearray()
    x, y, at = 0, 0, header.start
    while y < header.height:
        if at + 2 > len(data):
            if y == header.height - 1 and x >= width:
                break  # only the end marker is missing
            corrupt("the BMP is truncated")
        count, value = data[at], data[at + 1]
        at += 2
        if count:
            if x < width:
                run += (_PAIRS[value] * ((count + 1) // 2))[:count] if halves else data[at - 1 : at] * count
            x += count
        elif value > _DELTA:
            size = (value + 1) // 2 if halves else value
            indices = _read_bytes(data, at, size)
            if x < width:
                run += indices.hex().encode().translate(_DIGITS)[:value] if halves else indices
            x, at = x + value, at + size + size % 2
        else:
            band.draw(first, y, run)
            run.clear()
            if value == _END:
                break
            if value == _END_OF_ROW:
                x, y = 0, y + 1
            else:
                right, up = _read_bytes(data, at, 2)
                x, y, at = x + right, y + up, at + 2
            first = x
    band.draw(first, y, run)
    band.finish()
    return band.image


def _read_bytes(data: bytes, at: int, size: int) -> bytes:
    found = data[at : at + size]
    if len(found) < size:
        corrupt("the BMP is truncated")
    return found
