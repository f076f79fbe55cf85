"""Files of a wheel at their installed paths, checked against the wheel's RECORD."""

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
from imgpipe_templates.packaging.zip_archive import Entry, is_safe, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from imgpipe_templates.packaging.wheels import Wheel

FileTransform: TypeAlias = "Callable[[str, bytes], Mapping[str, bytes]]"

_LOCAL_NAME_LENGTHS = struct.Struct("<26x2H")  # PKWARE APPNOTE.TXT 6.3.10, section 4.3.7
_NOT_PACKAGED = (".pyi", ".pyc", ".pyo")  # stubs serve type checkers; bytecode.py writes bytecode
_IMPORTABLE = {"purelib", "platlib"}  # parts of a .data folder; Lambda does not use scripts, headers and data


def _unchanged(name: str, content: bytes) -> Mapping[str, bytes]:
    """Return the file unchanged."""
    return {name: content}


def wheel_entries(wheel: Wheel, transform: FileTransform = _unchanged) -> list[Entry]:
    """Return the files of `wheel` that a function needs, with a RECORD that lists exactly these files.

    They are all importable files and the complete `.dist-info` (METADATA, WHEEL, licences, SBOMs). Type stubs,
    bytecode, scripts and headers are left out.

    Args:
        wheel: The wheel.
        transform: Returns the files to package for one file, by name: the file itself, further files, or none.

    Raises:
        PackagingError: The file is not a wheel, or a file in it differs from its RECORD.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
            return _entries(wheel, archive, transform)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise _broken(wheel, "contents", f"cannot be read ({error})") from error


def _entries(wheel: Wheel, archive: zipfile.ZipFile, transform: FileTransform) -> list[Entry]:
    files = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    record = next((name for name in files if name.endswith(".dist-info/RECORD") and name.count("/") == 1), None)
    if record is None:
        raise _broken(wheel, "RECORD", "is missing")
    rows = {row[0]: row[1] for row in csv.reader(io.StringIO(archive.read(record).decode("utf-8"))) if row}
    signatures = {record, f"{record}.jws", f"{record}.p7s"}
    for name in (rows.keys() - files.keys()) - signatures:
        raise _broken(wheel, name, "listed in RECORD but missing in the wheel")
    entries: list[Entry] = []
    new_record = io.StringIO()
    listing = csv.writer(new_record, lineterminator="\n")
    for name in sorted(files.keys() - signatures):
        content = archive.read(name)
        _check(wheel, name, content, rows.get(name))
        path = _installed_path(name)
        for name_in_package, data in transform(path, content).items() if path else ():
            if data is content:
                entries.append(_copied(wheel, files[name], content, name_in_package))
            else:
                entries.append(stored(name_in_package, data, str(wheel)))
            listing.writerow([name_in_package, f"sha256={record_digest(data)}", len(data)])
    listing.writerow([record, "", ""])
    return [*entries, stored(record, new_record.getvalue().encode(), str(wheel))]


def _check(wheel: Wheel, name: str, content: bytes, recorded: str | None) -> None:
    if not is_safe(name):
        raise _broken(wheel, name, "points outside of the package")
    if not recorded:
        raise _broken(wheel, name, "missing in RECORD")
    algorithm, _, digest = recorded.partition("=")
    if algorithm not in hashlib.algorithms_guaranteed:
        raise _broken(wheel, name, f"has a hash of the unknown algorithm {algorithm!r}")
    if record_digest(content, algorithm) != digest:
        raise _broken(wheel, name, "differs from its hash in RECORD")


def record_digest(content: bytes, algorithm: str = "sha256") -> str:
    """Return a hash in the format of RECORD."""
    return base64.urlsafe_b64encode(hashlib.new(algorithm, content).digest()).rstrip(b"=").decode()


def _broken(wheel: Wheel, name: str, problem: str) -> PackagingError:
    return PackagingError(f"{wheel.file}: {name}: {problem}; expected a wheel as its index published it")


def _installed_path(name: str) -> str | None:
    """Return the path in the package; None if the file is left out."""
    if name.endswith(_NOT_PACKAGED):
        return None
    top, _, rest = name.partition("/")
    if not top.endswith(".data"):
        return name
    scheme, _, path = rest.partition("/")
    return path if scheme in _IMPORTABLE else None


def _copied(wheel: Wheel, info: zipfile.ZipInfo, content: bytes, path: str) -> Entry:
    executable = bool(info.external_attr >> 16 & 0o111)
    if info.compress_type != zipfile.ZIP_DEFLATED:
        return stored(path, content, str(wheel), executable=executable)
    name_bytes, extra_bytes = _LOCAL_NAME_LENGTHS.unpack_from(wheel.content, info.header_offset)
    start = info.header_offset + _LOCAL_NAME_LENGTHS.size + name_bytes + extra_bytes
    payload = wheel.content[start : start + info.compress_size]
    return Entry(path, zipfile.ZIP_DEFLATED, payload, info.CRC, info.file_size, executable, str(wheel))
