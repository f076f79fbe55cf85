"""HEIC files as phones write them: one coded image, or a grid of tiles (ISO/IEC 23008-12, section 6.6.2.3)."""

from __future__ import annotations

import struct
from io import BytesIO

import pillow_heif
from PIL import Image

from tests.lambda_processor.hostile.boxes import box, file_type, size

TILE_PX = 512  # an iPhone's
_FAST = {"preset": "ultrafast"}  # of x265; the decoder's memory does not depend on it


def single(image: Image.Image) -> bytes:
    """Return a HEIC of one coded image."""
    file, out = pillow_heif.from_pillow(image), BytesIO()
    file.save(out, quality=60, chroma=420, enc_params=_FAST)
    return out.getvalue()


def grid(tile: Image.Image, width: int, height: int) -> bytes:
    """Return an image of this size, made of as many copies of the tile as needed; each copy is stored."""
    across, down = -(-width // TILE_PX), -(-height // TILE_PX)
    alone = single(tile)
    configuration, coded = _box(alone, b"hvcC"), _box(alone, b"mdat")[8:]
    count = across * down
    grid_id = count + 1
    tiles = range(1, grid_id)
    entries = [box(b"infe", b"\2\0\0\1", struct.pack(">HH", each, 0), b"hvc1\0") for each in tiles]
    entries.append(box(b"infe", b"\2\0\0\0", struct.pack(">HH", grid_id, 0), b"grid\0"))
    properties = box(b"ipco", configuration, size(TILE_PX, TILE_PX), size(width, height))
    uses = b"".join(struct.pack(">HB", each, 2) + b"\x81\x02" for each in tiles)
    uses += struct.pack(">HB", grid_id, 1) + b"\x03"
    made_of = struct.pack(f">HH{count}H", grid_id, count, *tiles)
    layout = bytes((0, 0, down - 1, across - 1)) + struct.pack(">HH", width, height)

    def meta(start: int) -> bytes:
        places = [(each, 0, start + (each - 1) * len(coded), len(coded)) for each in tiles]
        places.append((grid_id, 1, 0, len(layout)))
        located = b"".join(
            struct.pack(">HHHHII", item, method, 0, 1, at, length) for item, method, at, length in places
        )
        return box(
            b"meta",
            bytes(4),
            box(b"hdlr", bytes(8), b"pict", bytes(13)),
            box(b"pitm", bytes(4), struct.pack(">H", grid_id)),
            box(b"iinf", bytes(4), struct.pack(">H", grid_id), *entries),
            box(b"iref", bytes(4), box(b"dimg", made_of)),
            box(b"iprp", properties, box(b"ipma", bytes(4), struct.pack(">I", grid_id), uses)),
            box(b"iloc", b"\1\0\0\0", b"\x44\0", struct.pack(">H", grid_id), located),
            box(b"idat", layout),
        )

    head = file_type(b"heic")
    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", coded * count)


def _box(data: bytes, kind: bytes) -> bytes:
    start = data.index(kind) - 4
    return data[start : start + int.from_bytes(data[start : start + 4])]
