"""The files of a wheel at the places where an installer would put them, checked against the wheel's own RECORD."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, TypeAlias

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging.archive import Entry, is_safe, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from imgpipe_templates.packaging.wheels import Wheel

Cut: TypeAlias = "Callable[[str, bytes], Mapping[str, bytes]]"

_LOCAL_NAME_LENGTHS = struct.Struct("<26x2H")  # PKWARE APPNOTE.TXT 6.3.10, section 4.3.7
_NOT_SHIPPED = (".pyi", ".pyc", ".pyo")  # stubs are for type checkers; bytecode is the runtime's to write
_IMPORTABLE = {"purelib", "platlib"}  # of a .data folder; scripts, headers and data have no place on Lambda


def _uncut(name: str, content: bytes) -> Mapping[str, bytes]:
    """All as it is."""
    return {name: content}


def wheel_entries(wheel: Wheel, cut: Cut = _uncut) -> list[Entry]:
    """The files of `wheel` that a function needs, with a RECORD of just these.

    Kept is all that can be imported and the whole `.dist-info` (METADATA, WHEEL, licences, bills of material).
    Left out are type stubs, bytecode, scripts and headers.

    Args:
        wheel: Where they are from.
        cut: The files that are shipped for one of them, by name: itself, it and others, or none.

    Raises:
        PackagingError: The wheel is not one, or a file differs from its RECORD.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
            return _entries(wheel, archive, cut)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as fault:
        raise _broken(wheel, "contents", f"cannot be read ({fault})") from fault


def _entries(wheel: Wheel, archive: zipfile.ZipFile, cut: Cut) -> list[Entry]:
    files = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    record = next((name for name in files if name.endswith(".dist-info/RECORD") and name.count("/") == 1), None)
    if record is None:
        raise _broken(wheel, "RECORD", "is missing")
    rows = {row[0]: row[1] for row in csv.reader(io.StringIO(archive.read(record).decode("utf-8"))) if row}
    signatures = {record, f"{record}.jws", f"{record}.p7s"}
    for name in (rows.keys() - files.keys()) - signatures:
        raise _broken(wheel, name, "is in RECORD but not in the wheel")
    entries: list[Entry] = []
    kept = io.StringIO()
    listing = csv.writer(kept, lineterminator="\n")
    for name in sorted(files.keys() - signatures):
        content = archive.read(name)
        _check(wheel, name, content, rows.get(name))
        place = _place(name)
        for shipped, data in cut(place, content).items() if place else ():
            if data is content:
                entries.append(_copied(wheel, files[name], content, shipped))
            else:
                entries.append(stored(shipped, data, str(wheel)))
            listing.writerow([shipped, f"sha256={record_digest(data)}", len(data)])
    listing.writerow([record, "", ""])
    return [*entries, stored(record, kept.getvalue().encode(), str(wheel))]


def _check(wheel: Wheel, name: str, content: bytes, recorded: str | None) -> None:
    if not is_safe(name):
        raise _broken(wheel, name, "leads out of the package")
    if not recorded:
        raise _broken(wheel, name, "is not in RECORD")
    algorithm, _, digest = recorded.partition("=")
    if algorithm not in hashlib.algorithms_guaranteed:
        raise _broken(wheel, name, f"has a hash of unknown kind {algorithm!r}")
    if record_digest(content, algorithm) != digest:
        raise _broken(wheel, name, "differs from its hash in RECORD")


def record_digest(content: bytes, algorithm: str = "sha256") -> str:
    """A hash as RECORD has it."""
    return base64.urlsafe_b64encode(hashlib.new(algorithm, content).digest()).rstrip(b"=").decode()


def _broken(wheel: Wheel, name: str, problem: str) -> PackagingError:
    return PackagingError(f"{wheel.file}: {name}: {problem}; expected a wheel as its index published it")


def _place(name: str) -> str | None:
    """Where the file belongs in the package; None where it is not shipped."""
    if name.endswith(_NOT_SHIPPED):
        return None
    top, _, rest = name.partition("/")
    if not top.endswith(".data"):
        return name
    scheme, _, inside = rest.partition("/")
    return inside if scheme in _IMPORTABLE else None


def _copied(wheel: Wheel, info: zipfile.ZipInfo, content: bytes, place: str) -> Entry:
    executable = bool(info.external_attr >> 16 & 0o111)
    if info.compress_type != zipfile.ZIP_DEFLATED:
        return stored(place, content, str(wheel), executable=executable)
    name_bytes, extra_bytes = _LOCAL_NAME_LENGTHS.unpack_from(wheel.content, info.header_offset)
    start = info.header_offset + _LOCAL_NAME_LENGTHS.size + name_bytes + extra_bytes
    payload = wheel.content[start : start + info.compress_size]
    return Entry(place, zipfile.ZIP_DEFLATED, payload, info.CRC, info.file_size, executable, str(wheel))
