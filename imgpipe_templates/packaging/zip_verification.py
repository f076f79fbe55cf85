"""Verification that a package can be imported on Lambda. All errors are reported together."""

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
from imgpipe_templates.packaging.function_sources import HANDLER_FILE
from imgpipe_templates.packaging.native_libraries import native_library_errors
from imgpipe_templates.packaging.zip_archive import is_safe

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from imgpipe_templates.packaging.target import Target

# AWS Lambda Developer Guide, "Lambda quotas", "Deployment package (.zip file archive) size", read 2026-11.
# 250 MB with layers, in binary megabytes: the service's message says "smaller than 262144000 bytes".
UNZIPPED_LIMIT_BYTES = 250 * 1024 * 1024
# Same row; only for code in the API call, not for code in a bucket, which these templates use.
DIRECT_UPLOAD_LIMIT_BYTES = 50 * 1024 * 1024

# AWS Lambda Developer Guide, "Working with layers for Python Lambda functions", read 2026-11: unpacked to /opt/python
LAYER_FOLDER = "python/"

Kind = Literal["function", "layer"]

HANDLER_FUNCTION = "lambda_handler"
_READABLE = 0o444  # another user unpacks the package than the one that runs the function
_UNIX = 3


def verify_package(path: Path, target: Target, *, layers_bytes: int = 0) -> None:
    """Verify that the package at `path` can be imported on `target`.

    Args:
        path: The zip.
        target: Runtime and architecture of the function.
        layers_bytes: Unzipped size of the function's layers. Lambda limits the total with the package.

    Raises:
        PackagingError: The verification fails. Each line of the message names a file, its wheel and the reason.
    """
    if errors := zip_errors(path, target, "function", layers_bytes=layers_bytes):
        raise PackagingError("\n".join(f"{path.name}: {error}" for error in errors))


def verify_layer(path: Path, target: Target) -> None:
    """Verify that the contents of the layer at `path` can be imported on `target`.

    Raises:
        PackagingError: The verification fails. Each line of the message names a file, its wheel and the reason.
    """
    if errors := zip_errors(path, target, "layer"):
        raise PackagingError("\n".join(f"{path.name}: {error}" for error in errors))


def zip_errors(path: Path, target: Target, kind: Kind, *, layers_bytes: int = 0) -> list[str]:
    """Return the reasons why the zip cannot be imported on `target`, one line each, without the zip's name.

    Args:
        path: The zip.
        target: Runtime and architecture of the function.
        kind: Function package or layer.
        layers_bytes: Unzipped size of the layers of a function package.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return list(_errors(archive, target, kind, layers_bytes))
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        return [f"package: cannot be read ({error}); expected a zip file"]


def _errors(archive: zipfile.ZipFile, target: Target, kind: Kind, layers_bytes: int) -> Iterator[str]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    unzipped = sum(info.file_size for info in infos)
    if unzipped + layers_bytes >= UNZIPPED_LIMIT_BYTES:
        layers = f" and its layers {layers_bytes}" if layers_bytes else ""
        yield (
            f"package: {unzipped} bytes unzipped{layers}; "
            f"expected less than {UNZIPPED_LIMIT_BYTES} bytes for a function and its layers"
        )
    for name, count in Counter(info.filename for info in infos).items():
        if count > 1:
            yield f"{name}: occurs {count} times; expected once"
    contents: dict[str, bytes] = {}
    for info in infos:
        try:
            contents[info.filename] = archive.read(info)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
            yield f"{info.filename}: cannot be unpacked ({error}); expected a valid zip entry"
    owners = _owners(contents)
    names = {PurePosixPath(name).name for name in contents}
    for info in infos:
        owner = f" ({owners[info.filename]})" if info.filename in owners else ""
        for problem in [*_entry_errors(info), *_content_errors(info.filename, contents, target, names)]:
            yield f"{info.filename}{owner}: {problem}"
    if kind == "function":
        yield from _handler_errors(contents.get(HANDLER_FILE), target)
    elif not any(name.startswith(LAYER_FOLDER) for name in contents):
        yield (
            f"{LAYER_FOLDER}: missing; "
            f"expected the layer's packages in this folder, from which {target.runtime} imports"
        )


def _owners(contents: Mapping[str, bytes]) -> dict[str, str]:
    """Return the wheel of each file, according to the RECORD files."""
    owners: dict[str, str] = {}
    for name, content in contents.items():
        info, _, file = name.rpartition("/")
        root, slash, folder = info.rpartition("/")
        if folder.endswith(".dist-info") and file == "RECORD":
            wheel = folder.removesuffix(".dist-info").replace("-", " ", 1)
            rows = csv.reader(content.decode("utf-8", "replace").splitlines())
            owners |= {f"{root}{slash}{row[0]}": wheel for row in rows if row}
    return owners


def _entry_errors(info: zipfile.ZipInfo) -> Iterator[str]:
    if not is_safe(info.filename):
        yield "points outside of the package; expected a path in it"
    mode = info.external_attr >> 16
    if info.create_system == _UNIX and mode & _READABLE != _READABLE:
        yield f"has permissions {mode & 0o777:04o}, which the function cannot read; expected 0644 or 0755"


def _content_errors(name: str, contents: Mapping[str, bytes], target: Target, names: Collection[str]) -> Iterator[str]:
    content = contents.get(name)
    if content is None:
        return
    yield from native_library_errors(name, content, target, names)
    if name.endswith((".pyc", ".pyo")):
        magic = int.from_bytes(content[:2], "little")
        if magic != target.bytecode:
            yield f"bytecode with magic number {magic}; expected {target.bytecode}, that of {target.runtime}"
    if name.endswith(".dist-info/WHEEL"):
        yield from _wheel_errors(content, target)


def _wheel_errors(content: bytes, target: Target) -> Iterator[str]:
    lines = content.decode("utf-8", "replace").splitlines()
    tags = [line.removeprefix("Tag:").strip() for line in lines if line.startswith("Tag:")]
    parsed = [parse_tag(tag) for tag in tags if tag.count("-") == 2]  # noqa: PLR2004 - python-abi-platform
    if not any(target.tags & some for some in parsed):
        yield f"has the tags {', '.join(tags) or 'none'}; expected a tag compatible with {target}"


def _handler_errors(content: bytes | None, target: Target) -> Iterator[str]:
    if content is None:
        yield f"{HANDLER_FILE}: missing; expected it at the root, with the function {HANDLER_FUNCTION}"
        return
    own_version = sys.version_info[:2]
    try:
        tree = ast.parse(content, HANDLER_FILE, feature_version=min(own_version, target.version))
    except (SyntaxError, ValueError) as error:
        builder = "" if own_version >= target.version else f", as parsed by Python {own_version[0]}.{own_version[1]}"
        yield f"{HANDLER_FILE}: does not parse ({error}); expected the syntax of {target.runtime}{builder}"
        return
    if not _names(tree) & {HANDLER_FUNCTION, "*"}:
        yield f"{HANDLER_FILE}: does not define {HANDLER_FUNCTION}; expected a definition or import of it"


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
