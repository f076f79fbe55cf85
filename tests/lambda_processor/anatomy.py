"""The parts of a file, from its first to its last byte, by the specifications of the formats."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from tests.lambda_processor import pngs

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def parts(data: bytes) -> list[str]:
    """Return the parts of the file, in order; bytes that belong to no part are an error."""
    if data.startswith(b"\xff\xd8"):
        return list(_markers(data))
    if data.startswith(pngs.SIGNATURE):
        return [name.decode() for name in pngs.chunks(data)]
    if data.startswith(b"RIFF"):
        assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8
        return [name for name, _ in _chunks(data, 12)]
    return [name for name, _ in _boxes(data)]


def items(avif: bytes) -> list[str]:
    """Return the types of the items of an AVIF: images, metadata."""
    (meta,) = (body for name, body in _boxes(avif) if name == "meta")
    (about,) = (body for name, body in _boxes(meta[4:]) if name == "iinf")
    return [body[8:12].decode() for _, body in _boxes(about[6:])]


def properties(avif: bytes) -> list[str]:
    """Return the properties of the images in an AVIF; a colour property with its type."""
    (meta,) = (body for name, body in _boxes(avif) if name == "meta")
    (tables,) = (body for name, body in _boxes(meta[4:]) if name == "iprp")
    (listed,) = (body for name, body in _boxes(tables) if name == "ipco")
    return [name + (":" + body[:4].decode() if name == "colr" else "") for name, body in _boxes(listed)]


def _markers(jpeg: bytes) -> Iterator[str]:
    """ITU-T T.81, annex B."""
    at, name = 2, "d8"
    while name != "d9":
        yield name
        found = _MARKER.search(jpeg, at)
        assert found is not None
        assert found.start() == at or name == "da"  # only the data of a scan come between markers
        name = f"{found.group()[1]:02x}"
        at = found.end() + (0 if name == "d9" else struct.unpack_from(">H", jpeg, found.end())[0])
    yield name
    assert at == len(jpeg)


def _chunks(webp: bytes, at: int) -> Iterator[tuple[str, bytes]]:
    """RFC 9649."""
    while at < len(webp):
        name, length = struct.unpack_from("<4sI", webp, at)
        assert at + 8 + length <= len(webp)
        yield name.decode(), webp[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _boxes(data: bytes) -> Iterator[tuple[str, bytes]]:
    """ISO/IEC 14496-12."""
    at = 0
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        assert 8 <= length <= len(data) - at
        yield name.decode(), data[at + 8 : at + length]
        at += length
