"""Which files a run uploads, under which keys; everything that is wrong with them is told before anything starts."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgpipe_templates.errors import ImgpipeError

_MAX_KEY_BYTES = 1024  # Amazon S3 User Guide, "Naming Amazon S3 objects", read 2026-11
# File systems of Linux take names of 255 bytes (limits.h, NAME_MAX); 35 are left for `.thumbnail-5-2048.webp` and the
# like, which is put behind the name of a file.
_MAX_NAME_BYTES = 220
_DIGEST_LENGTH = 8
SHEET_MARK = "<!-- written by imgpipe local run -->"
_THUMBNAIL = re.compile(r"(?P<source>[^/]+)\.thumbnail-[^/]+", re.DOTALL)
_ITEM_KEYS = {"ImageId", "ObjectKey", "Status"}  # of a metadata item; other tools write photo.jpg.json too


class InputError(ImgpipeError):
    """The files or the output folder of a run are not usable."""


@dataclass(frozen=True)
class SourceFile:
    """A file and its name in a run, which its results are named after and its object key ends with."""

    path: Path
    key: str


@dataclass(frozen=True)
class Skipped:
    """A file below a given folder that is not uploaded."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Selection:
    """What a run uploads and what it leaves out."""

    files: tuple[SourceFile, ...]
    skipped: tuple[Skipped, ...]


def select_files(arguments: Sequence[Path], out: Path, *, key_prefix: str = "") -> Selection:
    """Find the files to upload.

    A file is uploaded under its name; of a folder, every regular file below it under its path relative to the folder.
    Hidden files, and what earlier runs wrote, are skipped.

    Args:
        arguments: Files and folders.
        out: Where results are to be written.
        key_prefix: What the object keys begin with, before the names.

    Raises:
        InputError: All faults, one per line: missing or unreadable files, folders without files, two files with one
            key, an output folder that cannot be written, or results that would overwrite a given file.
    """
    faults: list[str] = []
    found: list[SourceFile] = []
    skipped: list[Skipped] = []
    for argument in arguments:
        if argument.is_dir():
            inside, left_out = _below(argument, out)
            if not inside:
                faults.append(f"{argument}: holds no file to upload; expected photos ({_count(left_out)} skipped)")
            found += inside
            skipped += left_out
        elif not argument.exists():
            faults.append(f"{argument}: no such file or folder; expected an existing one")
        elif not argument.is_file():
            faults.append(f"{argument}: is not a regular file; expected a file or a folder")
        else:
            found.append(SourceFile(argument, argument.name))
    if not arguments:
        faults.append("files: none given; expected files or folders")
    files = _one_each(found)
    faults += [fault for file in files for fault in _file_faults(file, key_prefix)]
    faults += _key_faults(files)
    faults += _out_faults(out) or list(_overwritten(files, out))
    if faults:
        raise InputError("\n".join(faults))
    return Selection(tuple(files), tuple(skipped))


def json_path(out: Path, key: str) -> Path:
    """Where the metadata item of an object is written: a name that is too long for its results is cut."""
    folder, slash, name = key.rpartition("/")
    encoded = os.fsencode(name)
    if len(encoded) > _MAX_NAME_BYTES:
        digest = hashlib.sha256(encoded).hexdigest()[:_DIGEST_LENGTH]
        cut = encoded[: _MAX_NAME_BYTES - _DIGEST_LENGTH - 1].decode("utf-8", "ignore")
        name = f"{cut}~{digest}"
    return out / f"{folder}{slash}{name}.json"


def sheet_path(out: Path) -> Path:
    """Where the contact sheet of a run is written."""
    return out / "index.html"


def is_contact_sheet(path: Path) -> bool:
    """True if a run wrote the file."""
    try:
        return SHEET_MARK in path.read_text(encoding="utf-8")[:100]
    except (OSError, ValueError):
        return False


def read_result(path: Path) -> Mapping[str, Any] | None:
    """The metadata item that an earlier run wrote to `path`; None if it did not, whatever lies there."""
    try:
        item = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return item if isinstance(item, dict) and item.keys() >= _ITEM_KEYS else None


def thumbnail_files(item: Mapping[str, Any]) -> list[str]:
    """Names of the thumbnails that lie beside a written item."""
    thumbnails = item.get("Thumbnails")
    names = [one.get("File") for one in thumbnails if isinstance(one, dict)] if isinstance(thumbnails, list) else []
    return [name for name in names if isinstance(name, str) and _THUMBNAIL.fullmatch(name)]


def _below(folder: Path, out: Path) -> tuple[list[SourceFile], list[Skipped]]:
    found: list[SourceFile] = []
    skipped: list[Skipped] = []
    for path in _walk(folder, out, skipped):
        if path.name.startswith("."):
            skipped.append(Skipped(path, "hidden"))
        elif not path.is_file():
            skipped.append(Skipped(path, "not a regular file"))
        elif _is_earlier_result(path):
            skipped.append(Skipped(path, "written by an earlier run"))
        else:
            found.append(SourceFile(path, path.relative_to(folder).as_posix()))
    return found, skipped


def _walk(folder: Path, out: Path, skipped: list[Skipped]) -> Iterator[Path]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if not entry.is_dir(follow_symlinks=False):
            yield path
        elif entry.name.startswith("."):
            skipped.append(Skipped(path, "hidden"))
        elif path.resolve() == out.resolve():
            skipped.append(Skipped(path, "the folder that results are written to"))
        else:
            yield from _walk(path, out, skipped)


def _is_earlier_result(path: Path) -> bool:
    """True if a run with this folder as its output wrote the file: an item, a thumbnail of one, or its page."""
    if path.name == sheet_path(path).name:
        return is_contact_sheet(path)
    if path.suffix == ".json":
        return read_result(path) is not None
    match = _THUMBNAIL.fullmatch(path.name)
    item = read_result(path.with_name(f"{match['source']}.json")) if match else None
    return item is not None and path.name in thumbnail_files(item)


def _one_each(files: Sequence[SourceFile]) -> list[SourceFile]:
    """The files without repetitions of one and the same."""
    return list({(file.key, file.path.resolve()): file for file in files}.values())


def _file_faults(file: SourceFile, key_prefix: str) -> Iterator[str]:
    try:
        length = len(f"{key_prefix}{file.key}".encode())
    except UnicodeEncodeError:
        yield f"{os.fsencode(file.path)!r}: its name is not UTF-8; expected a name that can be an object key"
        return
    if length > _MAX_KEY_BYTES:
        yield f"{file.path}: its key has {length} bytes; expected at most {_MAX_KEY_BYTES} bytes"
    try:
        with file.path.open("rb") as content:
            if not stat.S_ISREG(os.fstat(content.fileno()).st_mode):
                yield f"{file.path}: is not a regular file; expected a file or a folder"
    except OSError as error:
        yield f"{file.path}: cannot be read: {error.strerror}; expected a readable file"


def _key_faults(files: Sequence[SourceFile]) -> Iterator[str]:
    first: dict[str, Path] = {}
    for file in files:
        if file.key in first:
            yield f"{first[file.key]} and {file.path}: both have the key {file.key!r}; expected one file per key"
        first.setdefault(file.key, file.path)


def _out_faults(out: Path) -> list[str]:
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        return [f"{out}: cannot be written to: {error.strerror}; expected a writable output folder"]
    return []


def _overwritten(files: Sequence[SourceFile], out: Path) -> Iterator[str]:
    given = {file.path.resolve(): file.path for file in files}
    sheet = sheet_path(out)
    if sheet.exists() and not is_contact_sheet(sheet):
        yield f"{sheet}: is there and was not written by a run; expected another output folder"
    for file in files:
        result = json_path(out, file.key)
        thumbnails = f"{result.stem}.thumbnail-"
        folder = result.parent.resolve()
        for path, shown in given.items():
            if path.parent == folder and (path.name == result.name or path.name.startswith(thumbnails)):
                yield f"{shown}: would be overwritten by a result of {file.path}; expected another output folder"
        if result.resolve() not in given and result.exists() and read_result(result) is None:
            yield f"{result}: is there and was not written by a run; expected another output folder"


def _count(skipped: Sequence[Skipped]) -> str:
    return f"{len(skipped)} file{'' if len(skipped) == 1 else 's'}"
