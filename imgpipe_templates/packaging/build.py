"""Builder of one function's deployment package and of a layer with its requirements, each a verified zip."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging.bytecode import compiled, find_compiler
from imgpipe_templates.packaging.function_sources import (
    TRIM_FILE,
    TRIMMED_REQUIREMENTS,
    function_source,
    packaged_files,
)
from imgpipe_templates.packaging.requirements import read_requirements
from imgpipe_templates.packaging.trimmed_client.request_check import check_requests
from imgpipe_templates.packaging.trimmed_client.trim_file import read_trim
from imgpipe_templates.packaging.wheel_files import wheel_entries
from imgpipe_templates.packaging.wheels import Wheel, fetch_wheels
from imgpipe_templates.packaging.zip_archive import merge, stored, write_zip
from imgpipe_templates.packaging.zip_verification import DIRECT_UPLOAD_LIMIT_BYTES, LAYER_FOLDER, zip_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from imgpipe_templates.packaging.bytecode import BytecodeRule
    from imgpipe_templates.packaging.function_sources import FunctionSource
    from imgpipe_templates.packaging.requirements import Pin
    from imgpipe_templates.packaging.target import Target
    from imgpipe_templates.packaging.zip_archive import Entry
    from imgpipe_templates.packaging.zip_verification import Kind


@dataclass(frozen=True)
class Contents:
    """Contents of a package or layer in addition to the function's own files and its requirements.txt.

    Attributes:
        extras: Names of further requirements files: each adds requirements-<extra>.txt.
        bytecode: `auto` compiles the modules if the runtime's Python is installed; `require` fails if it is not;
            `none` does not compile.
    """

    extras: tuple[str, ...] = ()
    bytecode: BytecodeRule = "auto"


NO_EXTRAS = Contents()

# AWS Lambda Developer Guide, "Working with layers for Python Lambda functions", read 2026-11: unpacking folders
ROOTS: Mapping[Kind, str] = {"function": "/var/task/", "layer": "/opt/"}


@dataclass(frozen=True)
class Package:
    """A verified package or layer on disk.

    Attributes:
        name: The function's folder; for a layer, the folder whose requirements it contains.
        wheels: The packaged wheels, by name.
        zipped_bytes: Size of the zip.
        unzipped_bytes: Size of its contents, which Lambda limits.
        files: Number of files in the zip.
        left_out: Pins that a layer must contain, such as `pillow==13.0.0`; empty if the package contains them.
        bytecode: Version of the Python that compiled the modules, such as `3.13.0`; empty without bytecode.
    """

    name: str
    kind: Kind
    target: Target
    path: Path
    sha256: str
    zipped_bytes: int
    unzipped_bytes: int
    files: int
    wheels: tuple[Wheel, ...]
    left_out: tuple[str, ...] = ()
    bytecode: str = ""


def _ignore(line: str, /) -> None:
    """Discard a progress line."""


def build_package(
    function: str,
    target: Target,
    destination: Path,
    *,
    dependencies: bool = True,
    contents: Contents = NO_EXTRAS,
    layers: Sequence[Package] = (),
    sources: Path | None = None,
    report: Callable[[str], None] = _ignore,
) -> Package:
    """Build and verify `<destination>/<function>.zip`. A failed build leaves no file.

    The bytes depend only on the function's sources, the wheels of its pins, this package's version and, with bytecode,
    the version of the Python that compiles. (An index may add another wheel of a pinned version later; a `--hash` in
    requirements.txt excludes that.)

    Args:
        function: Name of a folder in the sources, such as `processor`.
        target: Runtime and architecture of the function.
        destination: Folder for the zip; it is created if it does not exist.
        dependencies: True to package the requirements; False if a layer contains them. The wheels of
            requirements-trimmed.txt are always packaged.
        contents: Extras and bytecode.
        layers: Layers built for the function. Lambda limits the total size of package and layers.
        sources: Folder of the functions' folders; None for the project's functions.
        report: Called with one line per step.

    Raises:
        PackagingError: The function does not exist, pip finds no wheels, or the verification fails.
    """
    source = function_source(function, sources)
    label, pins = _requirements(source, contents.extras, target)

    def report_step(line: str) -> None:
        report(f"{function}: {line}")

    _check_layers(function, target, layers)
    wheels: tuple[Wheel, ...] = ()
    left_out: tuple[str, ...] = ()
    if dependencies:
        wheels = fetch_wheels(pins, target, label=label, report=report_step)
    elif pins:
        left_out = tuple(pin.requirement for pin in pins)
        report_step(f"leaving {', '.join(left_out)} to a layer")
        if layers:
            _check_layer_pins(pins, layers, label)
    own = [stored(name, content, function) for name, content in packaged_files(source).items()]
    trimmed, files = _trimmed(source, target, report_step)
    path = destination / f"{function}.zip"
    entries = merge([*own, *files, *_unpacked(wheels, report_step)])
    wheels = tuple(sorted([*wheels, *trimmed], key=lambda wheel: wheel.name))
    package = _finish(
        "function", target, path, entries, wheels, bytecode=contents.bytecode, report=report_step, layers=layers
    )
    return replace(package, left_out=left_out)


def build_layer(
    package: str,
    target: Target,
    destination: Path,
    *,
    contents: Contents = NO_EXTRAS,
    sources: Path | None = None,
    report: Callable[[str], None] = _ignore,
) -> Package:
    """Build and verify `<destination>/<package>.zip`, a layer with the requirements of a function.

    The bytes depend only on the wheels, this package's version and the version of the Python that compiles. They do not
    depend on the function's sources.

    Args:
        package: Name of the folder whose requirements the layer contains, such as `processor`.
        target: Runtime and architecture of the function.
        destination: Folder for the zip, different from the packages' folder; it is created if it does not exist.
        contents: Extras and bytecode.
        sources: Folder of the functions' folders; None for the project's functions.
        report: Called with one line per step.

    Raises:
        PackagingError: The function does not exist or requires nothing, pip finds no wheels, or the verification fails.
    """
    label, pins = _requirements(function_source(package, sources), contents.extras, target)
    if not pins:
        raise PackagingError(f"{label}: no pins for {target}; expected at least one for a layer")

    def report_step(line: str) -> None:
        report(f"{package} layer: {line}")

    wheels = fetch_wheels(pins, target, label=label, report=report_step)
    entries = [replace(entry, name=f"{LAYER_FOLDER}{entry.name}") for entry in merge(_unpacked(wheels, report_step))]
    path = destination / f"{package}.zip"
    return _finish("layer", target, path, entries, wheels, bytecode=contents.bytecode, report=report_step)


def _requirements(source: FunctionSource, extras: Sequence[str], target: Target) -> tuple[str, tuple[Pin, ...]]:
    """Return the names of the requirements files, for messages, and their pins."""
    labels = [f"{source.name}/{file}" for file in source.requirement_files(extras)]
    pins = [pin for label in labels for pin in read_requirements(source.folder / Path(label).name, target, label)]
    return ", ".join(labels), tuple(sorted(pins, key=lambda pin: pin.line))


def _trimmed(
    source: FunctionSource, target: Target, report: Callable[[str], None]
) -> tuple[tuple[Wheel, ...], list[Entry]]:
    """Return the wheels of requirements-trimmed.txt and their reduced files.

    They are never part of a layer: other functions would import them from there instead of from their runtime.
    """
    label = f"{source.name}/{TRIMMED_REQUIREMENTS}"
    pins = read_requirements(source.folder / TRIMMED_REQUIREMENTS, target, label)
    wheels = fetch_wheels(pins, target, label=label, report=report)
    trim = read_trim(source.folder / TRIM_FILE, f"{source.name}/{TRIM_FILE}")
    for name in trim.tables.keys() - {wheel.name for wheel in wheels}:
        raise PackagingError(f"{trim.label}: {name}: not found in {label}; expected the wheels of that file")
    files: list[Entry] = []
    for wheel in wheels:
        report(f"adding {wheel}{', trimmed' if wheel.name in trim.tables else ''} ({wheel.file})")
        files += trim.entries(wheel)
    if trim.operations:
        report("creating every request with the reduced botocore, without sending")
        check_requests(files, trim.operations, trim.label)
    return wheels, files


def _unpacked(wheels: Sequence[Wheel], report: Callable[[str], None]) -> list[Entry]:
    entries: list[Entry] = []
    for wheel in wheels:
        report(f"adding {wheel} ({wheel.file})")
        entries += wheel_entries(wheel)
    return entries


def _check_layers(function: str, target: Target, layers: Sequence[Package]) -> None:
    for layer in layers:
        if layer.target != target:
            raise PackagingError(f"{function}: {layer.name} layer: built for {layer.target}; expected {target}")


def _check_layer_pins(pins: Sequence[Pin], layers: Sequence[Package], label: str) -> None:
    versions = {wheel.name: wheel.version for layer in layers for wheel in layer.wheels}
    errors = [
        f"{label}: {pin.requirement}: missing in the function's layers (found: {found or 'none'}); "
        "expected a layer of the same requirements"
        for pin in pins
        if not (found := versions.get(pin.name, ""))
        or not Requirement(pin.requirement).specifier.contains(found, prereleases=True)
    ]
    if errors:
        raise PackagingError("\n".join(errors))


def _finish(
    kind: Kind,
    target: Target,
    path: Path,
    entries: Sequence[Entry],
    wheels: tuple[Wheel, ...],
    *,
    bytecode: BytecodeRule,
    report: Callable[[str], None],
    layers: Sequence[Package] = (),
) -> Package:
    """Compile, write to a temporary file next to the destination, verify, then rename."""
    if compiler := find_compiler(bytecode, target, report):
        entries = merge([*entries, *compiled(entries, compiler, target, ROOTS[kind])])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=".partial", dir=path.parent)
    except OSError as error:
        raise PackagingError(f"{path}: package: cannot be written ({error}); expected a writable folder") from error
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            write_zip(entries, stream)
        report(f"verifying for {target}")
        if errors := zip_errors(partial, target, kind, layers_bytes=sum(layer.unzipped_bytes for layer in layers)):
            file = path.name if kind == "function" else f"{path.stem} layer"
            raise PackagingError("\n".join(f"{file}: {error}" for error in errors))
        partial.chmod(0o644)
        sha256 = hashlib.sha256(partial.read_bytes()).hexdigest()
        partial.replace(path)
    except OSError as error:
        raise PackagingError(
            f"{path}: package: cannot be written ({error}); expected free space and a regular file"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    zipped_bytes = path.stat().st_size
    if zipped_bytes > DIRECT_UPLOAD_LIMIT_BYTES:
        report(f"{zipped_bytes} bytes; above {DIRECT_UPLOAD_LIMIT_BYTES} bytes, Lambda accepts it only from a bucket")
    return Package(
        name=path.stem,
        kind=kind,
        target=target,
        path=path,
        sha256=sha256,
        zipped_bytes=zipped_bytes,
        unzipped_bytes=sum(entry.size for entry in entries),
        files=len(entries),
        wheels=wheels,
        bytecode=compiler.number if compiler else "",
    )
