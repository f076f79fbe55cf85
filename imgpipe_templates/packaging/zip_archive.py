"""A zip writer whose output depends only on the contents.

Deflate is not reproducible: zlib, zlib-ng and their versions compress the same input to different bytes, and the
machine decides which one Python uses. This module therefore compresses nothing. It copies the compressed data of a
wheel, whose bytes its sha256 fixes, and stores the few kilobytes of the function's own sources uncompressed. `zipfile`
cannot write data that is already compressed, so this module writes the headers. Without it, the
processor's package would have 27.6 MB instead of 12.5 MB (docs/packaging.md, "Sizes").
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from imgpipe_templates.errors import PackagingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# PKWARE APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_CENTRAL_HEADER = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_VERSION = 20  # the first with folders and deflate
_UNIX = 3  # 4.4.2.2: the permissions are Unix permissions
_UTF8_NAME = 0x800  # 4.4.4, bit 11
_FIRST_DAY = 1 << 5 | 1  # 1980-01-01, the earliest date that a zip can contain
MAX_FILES = 0xFFFF  # without ZIP64, 4.4.1.4
MAX_ARCHIVE_BYTES = 0xFFFFFFFF  # without ZIP64


@dataclass(frozen=True)
class Entry:
    """A file of a package, encoded for the zip.

    Attributes:
        name: Path with slashes between folders.
        method: `zipfile.ZIP_STORED` or `zipfile.ZIP_DEFLATED`.
        payload: Encoded bytes.
        crc: CRC-32 of the contents.
        size: Length of the contents in bytes.
        executable: True for permissions 0755 instead of 0644.
        origin: Wheel or function that contains the file, for messages.
    """

    name: str
    method: int
    payload: bytes
    crc: int
    size: int
    executable: bool
    origin: str

    @property
    def content(self) -> bytes:
        """The decoded contents."""
        if self.method == zipfile.ZIP_STORED:
            return self.payload
        return zlib.decompress(self.payload, wbits=-zlib.MAX_WBITS)


def stored(name: str, content: bytes, origin: str, *, executable: bool = False) -> Entry:
    """Return an entry that is stored uncompressed."""
    return Entry(name, zipfile.ZIP_STORED, content, zlib.crc32(content), len(content), executable, origin)


def write_zip(entries: Sequence[Entry], stream: BinaryIO) -> None:
    """Write the entries in the given order with a fixed date, permissions 0644 or 0755, and no extra fields.

    Raises:
        PackagingError: The entries exceed the limits of a zip without ZIP64.
    """
    if len(entries) > MAX_FILES or sum(len(entry.payload) for entry in entries) > MAX_ARCHIVE_BYTES:
        raise PackagingError(f"package: files: too many or too large; expected at most {MAX_FILES} files and 4 GB")
    directory = bytearray()
    offset = 0
    for entry in entries:
        name = entry.name.encode()
        common = (_VERSION, 0 if entry.name.isascii() else _UTF8_NAME, entry.method, 0, _FIRST_DAY)
        sizes = (entry.crc, len(entry.payload), entry.size)
        mode = stat.S_IFREG | (0o755 if entry.executable else 0o644)
        made_by = _UNIX << 8 | _VERSION
        local = _LOCAL_HEADER.pack(b"PK\3\4", *common, *sizes, len(name), 0) + name
        directory += _CENTRAL_HEADER.pack(
            b"PK\1\2", made_by, *common, *sizes, len(name), 0, 0, 0, 0, mode << 16, offset
        )
        directory += name
        stream.write(local)
        stream.write(entry.payload)
        offset += len(local) + len(entry.payload)
    stream.write(directory)
    stream.write(_END.pack(b"PK\5\6", 0, 0, len(entries), len(entries), len(directory), offset, 0))


def merge(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries sorted by name, without duplicates.

    Raises:
        PackagingError: Two entries have the same name and different contents.
    """
    by_name: dict[str, Entry] = {}
    for entry in entries:
        first = by_name.setdefault(entry.name, entry)
        if (first.crc, first.size) != (entry.crc, entry.size):
            raise PackagingError(
                f"package: {entry.name}: differs between {first.origin} and {entry.origin}; "
                "expected the file in one of them"
            )
    return [by_name[name] for name in sorted(by_name)]


def is_safe(name: str) -> bool:
    """Return True if the path of a zip entry stays inside the folder that the zip is unpacked to."""
    parts = name.split("/")
    return bool(name) and "\\" not in name and not any(part in {"", ".", ".."} for part in parts)
