"""Builds the package of one Lambda function: its sources and their wheels in one verified zip."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging.archive import merge, stored, write_zip
from imgpipe_templates.packaging.requirements import read_requirements
from imgpipe_templates.packaging.sources import REQUIREMENTS_FILE, function_source, shipped_files
from imgpipe_templates.packaging.unpacking import wheel_entries
from imgpipe_templates.packaging.verify import DIRECT_UPLOAD_LIMIT_BYTES, package_faults
from imgpipe_templates.packaging.wheels import Wheel, fetch_wheels

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgpipe_templates.packaging.archive import Entry
    from imgpipe_templates.packaging.target import Target


@dataclass(frozen=True)
class Package:
    """A function's package as it was written and verified.

    Attributes:
        wheels: What its requirements brought, by name.
        zipped_bytes: Size of the file.
        unzipped_bytes: Size of its contents, which is what Lambda limits.
        files: How many there are inside.
    """

    function: str
    target: Target
    path: Path
    sha256: str
    zipped_bytes: int
    unzipped_bytes: int
    files: int
    wheels: tuple[Wheel, ...]


def _silent(line: str, /) -> None:
    """Report nothing."""


def build_package(
    function: str,
    target: Target,
    destination: Path,
    *,
    sources: Path | None = None,
    report: Callable[[str], None] = _silent,
) -> Package:
    """Write `<destination>/<function>.zip` for `target`, verified; nothing is left of a build that fails.

    The bytes depend on the function's sources, the wheels of its pins and this package's version, and on nothing of the
    machine, day or place. (An index may offer a further wheel of a pinned version later; a `--hash` in requirements.txt
    excludes even that.)

    Args:
        function: A folder's name below the sources, such as `processor`.
        target: Where it will run.
        destination: Folder for the zip, made if need be.
        sources: The folder with the functions' folders; None: the project's own.
        report: Takes one line per step.

    Raises:
        PackagingError: There is no such function, its wheels cannot be had, or the package would not import.
    """
    source = function_source(function, sources)
    label = f"{function}/{REQUIREMENTS_FILE}"
    pins = read_requirements(source.folder / REQUIREMENTS_FILE, target, label)

    def say(line: str) -> None:
        report(f"{function}: {line}")

    wheels = fetch_wheels(pins, target, label=label, report=say)
    entries = [stored(name, content, function) for name, content in shipped_files(source).items()]
    for wheel in wheels:
        say(f"adding {wheel} ({wheel.file})")
        entries += wheel_entries(wheel)
    entries = merge(entries)
    path = destination / f"{function}.zip"
    sha256 = _write(entries, target, path, say)
    package = Package(
        function=function,
        target=target,
        path=path,
        sha256=sha256,
        zipped_bytes=path.stat().st_size,
        unzipped_bytes=sum(entry.size for entry in entries),
        files=len(entries),
        wheels=wheels,
    )
    if package.zipped_bytes > DIRECT_UPLOAD_LIMIT_BYTES:
        say(f"is {package.zipped_bytes} bytes: above {DIRECT_UPLOAD_LIMIT_BYTES} Lambda takes it from a bucket only")
    return package


def _write(entries: list[Entry], target: Target, path: Path, say: Callable[[str], None]) -> str:
    """Write beside the destination, verify, and only then put it in place; the file's sha256."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=".partial", dir=path.parent)
    except OSError as fault:
        raise PackagingError(f"{path}: package: cannot be written ({fault}); expected a writable folder") from fault
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            write_zip(entries, stream)
        say(f"verifying for {target}")
        if faults := package_faults(partial, target):
            raise PackagingError("\n".join(f"{path.name}: {fault}" for fault in faults))
        partial.chmod(0o644)
        sha256 = hashlib.sha256(partial.read_bytes()).hexdigest()
        partial.replace(path)
    except OSError as fault:
        raise PackagingError(f"{path}: package: cannot be written ({fault}); expected room and a plain file") from fault
    finally:
        partial.unlink(missing_ok=True)
    return sha256
