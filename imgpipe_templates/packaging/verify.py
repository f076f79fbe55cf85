"""Proof, before a package is called done, that it will import on Lambda: everything wrong with it at once."""

from __future__ import annotations

import ast
import csv
import sys
import zipfile
import zlib
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

from packaging.tags import parse_tag

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging.archive import is_safe
from imgpipe_templates.packaging.native import native_faults
from imgpipe_templates.packaging.sources import HANDLER_FILE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from imgpipe_templates.packaging.target import Target

# AWS Lambda Developer Guide, "Lambda quotas", "Deployment package (.zip file archive) size", read 2026-11.
# 250 MB with layers, in binary megabytes: the service's message says "smaller than 262144000 bytes".
UNZIPPED_LIMIT_BYTES = 250 * 1024 * 1024
# Same row; only for code sent with the call itself, not for code that is taken from a bucket as our templates do.
DIRECT_UPLOAD_LIMIT_BYTES = 50 * 1024 * 1024

# AWS Lambda Developer Guide, "Working with layers for Python Lambda functions", read 2026-11: unpacked to /opt/python
LAYER_FOLDER = "python/"

Kind = Literal["function", "layer"]

HANDLER_FUNCTION = "lambda_handler"
_READABLE = 0o444  # the user that runs a function is not the one that unpacks it
_UNIX = 3


def verify_package(path: Path, target: Target, *, layers_bytes: int = 0) -> None:
    """Make sure that the zip at `path` would import on `target`.

    Args:
        path: The package.
        target: Where it has to run.
        layers_bytes: What the function's layers are unpacked; Lambda limits them and the package together.

    Raises:
        PackagingError: It would not; one line per fault, each naming the file, its wheel and the reason.
    """
    if faults := zip_faults(path, target, "function", beside_bytes=layers_bytes):
        raise PackagingError("\n".join(f"{path.name}: {fault}" for fault in faults))


def verify_layer(path: Path, target: Target) -> None:
    """Make sure that what the layer's zip at `path` holds would import on `target`.

    Raises:
        PackagingError: It would not; one line per fault, each naming the file, its wheel and the reason.
    """
    if faults := zip_faults(path, target, "layer"):
        raise PackagingError("\n".join(f"{path.name}: {fault}" for fault in faults))


def zip_faults(path: Path, target: Target, kind: Kind, *, beside_bytes: int = 0) -> list[str]:
    """Everything that keeps the zip at `path` from importing on `target`, a line each, without the zip's name.

    Args:
        path: The zip.
        target: Where it has to run.
        kind: What Lambda takes it as.
        beside_bytes: What else is unpacked with it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return list(_faults(archive, target, kind, beside_bytes))
    except (OSError, zipfile.BadZipFile, ValueError) as fault:
        return [f"package: cannot be read ({fault}); expected a zip file"]


def _faults(archive: zipfile.ZipFile, target: Target, kind: Kind, beside_bytes: int) -> Iterator[str]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    unzipped = sum(info.file_size for info in infos)
    if unzipped + beside_bytes >= UNZIPPED_LIMIT_BYTES:
        layers = f" and its layers {beside_bytes}" if beside_bytes else ""
        yield (
            f"package: is {unzipped} bytes unzipped{layers}; "
            f"expected less than {UNZIPPED_LIMIT_BYTES} bytes for a function and its layers"
        )
    for name, count in Counter(info.filename for info in infos).items():
        if count > 1:
            yield f"{name}: is there {count} times; expected once"
    contents: dict[str, bytes] = {}
    for info in infos:
        try:
            contents[info.filename] = archive.read(info)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as fault:
            yield f"{info.filename}: cannot be unpacked ({fault}); expected a sound zip entry"
    owners = _owners(contents)
    beside = {PurePosixPath(name).name for name in contents}
    for info in infos:
        owner = f" ({owners[info.filename]})" if info.filename in owners else ""
        for problem in [*_entry_faults(info), *_content_faults(info.filename, contents, target, beside)]:
            yield f"{info.filename}{owner}: {problem}"
    if kind == "function":
        yield from _handler_faults(contents.get(HANDLER_FILE), target)
    elif not any(name.startswith(LAYER_FOLDER) for name in contents):
        yield f"{LAYER_FOLDER}: is missing; expected the layer's packages in it, where {target.runtime} looks"


def _owners(contents: Mapping[str, bytes]) -> dict[str, str]:
    """File name -> the wheel that brought it, by the RECORD files."""
    owners: dict[str, str] = {}
    for name, content in contents.items():
        info, _, file = name.rpartition("/")
        root, slash, folder = info.rpartition("/")
        if folder.endswith(".dist-info") and file == "RECORD":
            wheel = folder.removesuffix(".dist-info").replace("-", " ", 1)
            rows = csv.reader(content.decode("utf-8", "replace").splitlines())
            owners |= {f"{root}{slash}{row[0]}": wheel for row in rows if row}
    return owners


def _entry_faults(info: zipfile.ZipInfo) -> Iterator[str]:
    if not is_safe(info.filename):
        yield "leads out of the package; expected a path below its root"
    mode = info.external_attr >> 16
    if info.create_system == _UNIX and mode & _READABLE != _READABLE:
        yield f"has permissions {mode & 0o777:04o}, so the function cannot read it; expected 0644 or 0755"


def _content_faults(name: str, contents: Mapping[str, bytes], target: Target, beside: Collection[str]) -> Iterator[str]:
    content = contents.get(name)
    if content is None:
        return
    yield from native_faults(name, content, target, beside)
    if name.endswith((".pyc", ".pyo")):
        magic = int.from_bytes(content[:2], "little")
        if magic != target.bytecode:
            yield f"is bytecode with magic number {magic}; expected {target.bytecode}, that of {target.runtime}"
    if name.endswith(".dist-info/WHEEL"):
        yield from _wheel_faults(content, target)


def _wheel_faults(content: bytes, target: Target) -> Iterator[str]:
    lines = content.decode("utf-8", "replace").splitlines()
    tags = [line.removeprefix("Tag:").strip() for line in lines if line.startswith("Tag:")]
    parsed = [parse_tag(tag) for tag in tags if tag.count("-") == 2]  # noqa: PLR2004 - python-abi-platform
    if not any(target.tags & some for some in parsed):
        yield f"is tagged {', '.join(tags) or 'nothing'}; expected a tag that {target} can load"


def _handler_faults(content: bytes | None, target: Target) -> Iterator[str]:
    if content is None:
        yield f"{HANDLER_FILE}: is missing; expected it at the root, with the function {HANDLER_FUNCTION}"
        return
    mine = sys.version_info[:2]
    try:
        tree = ast.parse(content, HANDLER_FILE, feature_version=min(mine, target.version))
    except (SyntaxError, ValueError) as fault:
        builder = "" if mine >= target.version else f", as Python {mine[0]}.{mine[1]} reads it"
        yield f"{HANDLER_FILE}: does not parse ({fault}); expected the syntax of {target.runtime}{builder}"
        return
    if not _names(tree) & {HANDLER_FUNCTION, "*"}:
        yield f"{HANDLER_FILE}: does not define {HANDLER_FUNCTION}; expected it to be defined or imported there"


def _names(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names
