"""Builds what Lambda takes of one function: its package, and the layer with what it requires, each a verified zip."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging.archive import merge, stored, write_zip
from imgpipe_templates.packaging.bytecode import compiled, find_compiler
from imgpipe_templates.packaging.proof import prove
from imgpipe_templates.packaging.requirements import read_requirements
from imgpipe_templates.packaging.sources import TRIM_FILE, TRIMMED_REQUIREMENTS, function_source, shipped_files
from imgpipe_templates.packaging.trimming import read_trim
from imgpipe_templates.packaging.unpacking import wheel_entries
from imgpipe_templates.packaging.verify import DIRECT_UPLOAD_LIMIT_BYTES, LAYER_FOLDER, zip_faults
from imgpipe_templates.packaging.wheels import Wheel, fetch_wheels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from imgpipe_templates.packaging.archive import Entry
    from imgpipe_templates.packaging.bytecode import BytecodeRule
    from imgpipe_templates.packaging.requirements import Pin
    from imgpipe_templates.packaging.sources import FunctionSource
    from imgpipe_templates.packaging.target import Target
    from imgpipe_templates.packaging.verify import Kind


@dataclass(frozen=True)
class Contents:
    """What a package or a layer holds besides the function's own files and its requirements.txt.

    Attributes:
        extras: What only some configurations need: of each, requirements-<extra>.txt beside requirements.txt.
        bytecode: Whether its modules are compiled: `auto`, where the runtime's Python is on this machine; `require`;
            `none`.
    """

    extras: tuple[str, ...] = ()
    bytecode: BytecodeRule = "auto"


PLAIN = Contents()

# AWS Lambda Developer Guide, "Working with layers for Python Lambda functions", read 2026-11: where they are unpacked
ROOTS: Mapping[Kind, str] = {"function": "/var/task/", "layer": "/opt/"}


@dataclass(frozen=True)
class Package:
    """A function's package, or a layer, as it was written and verified.

    Attributes:
        name: The function's folder; of a layer, the one whose requirements it holds.
        wheels: What is in it of the requirements, by name.
        zipped_bytes: Size of the file.
        unzipped_bytes: Size of its contents, which is what Lambda limits.
        files: How many there are inside.
        left_out: The pins that a layer has to bring, such as `pillow==13.0.0`; none where the package has them itself.
        bytecode: The version of the Python that compiled its modules, such as `3.13.0`; empty: they are not compiled.
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


def _silent(line: str, /) -> None:
    """Report nothing."""


def build_package(
    function: str,
    target: Target,
    destination: Path,
    *,
    dependencies: bool = True,
    contents: Contents = PLAIN,
    layers: Sequence[Package] = (),
    sources: Path | None = None,
    report: Callable[[str], None] = _silent,
) -> Package:
    """Write `<destination>/<function>.zip` for `target`, verified; nothing is left of a build that fails.

    The bytes depend on the function's sources, the wheels of its pins, this package's version and, where modules are
    compiled, on the version of the Python that does it; on nothing else of the machine, day or place. (An index may
    offer a further wheel of a pinned version later; a `--hash` in requirements.txt excludes even that.)

    Args:
        function: A folder's name below the sources, such as `processor`.
        target: Where it will run.
        destination: Folder for the zip, made if need be.
        dependencies: Whether what it requires goes in; if not, the function needs a layer with it. What its trim.toml
            cuts always goes in.
        contents: What it is built with.
        layers: The layers built for it; Lambda limits their size together with the package's.
        sources: The folder with the functions' folders; None: the project's own.
        report: Takes one line per step.

    Raises:
        PackagingError: There is no such function, its wheels cannot be had, or the package would not import.
    """
    source = function_source(function, sources)
    label, pins = _requirements(source, contents.extras, target)

    def say(line: str) -> None:
        report(f"{function}: {line}")

    _check_layers(function, target, layers)
    wheels: tuple[Wheel, ...] = ()
    left_out: tuple[str, ...] = ()
    if dependencies:
        wheels = fetch_wheels(pins, target, label=label, report=say)
    elif pins:
        left_out = tuple(pin.requirement for pin in pins)
        say(f"leaving {', '.join(left_out)} to a layer")
        if layers:
            _check_brought(pins, layers, label)
    own = [stored(name, content, function) for name, content in shipped_files(source).items()]
    trimmed, kept = _trimmed(source, target, say)
    path = destination / f"{function}.zip"
    entries = merge([*own, *kept, *_unpacked(wheels, say)])
    wheels = tuple(sorted([*wheels, *trimmed], key=lambda wheel: wheel.name))
    package = _finish("function", target, path, entries, wheels, bytecode=contents.bytecode, say=say, beside=layers)
    return replace(package, left_out=left_out)


def build_layer(
    package: str,
    target: Target,
    destination: Path,
    *,
    contents: Contents = PLAIN,
    sources: Path | None = None,
    report: Callable[[str], None] = _silent,
) -> Package:
    """Write `<destination>/<package>.zip`, a layer with what `package` requires on `target`, verified.

    Its bytes depend on the wheels, this package's version and that of the Python that compiles, and on nothing else: a
    function's sources can change without it.

    Args:
        package: The folder below the sources whose requirements it holds, such as `processor`.
        target: Where its functions will run.
        destination: Folder for the zip, made if need be; another one than the packages'.
        contents: What it is built with.
        sources: The folder with the functions' folders; None: the project's own.
        report: Takes one line per step.

    Raises:
        PackagingError: There is no such package, it requires nothing, or its wheels cannot be had or would not import.
    """
    label, pins = _requirements(function_source(package, sources), contents.extras, target)
    if not pins:
        raise PackagingError(f"{label}: pins: are none for {target}; expected at least one to make a layer of")

    def say(line: str) -> None:
        report(f"{package} layer: {line}")

    wheels = fetch_wheels(pins, target, label=label, report=say)
    entries = [replace(entry, name=f"{LAYER_FOLDER}{entry.name}") for entry in merge(_unpacked(wheels, say))]
    path = destination / f"{package}.zip"
    return _finish("layer", target, path, entries, wheels, bytecode=contents.bytecode, say=say)


def _requirements(source: FunctionSource, extras: Sequence[str], target: Target) -> tuple[str, tuple[Pin, ...]]:
    """The files of what the function requires, for messages, and their pins."""
    labels = [f"{source.name}/{file}" for file in source.requirement_files(extras)]
    pins = [pin for label in labels for pin in read_requirements(source.folder / Path(label).name, target, label)]
    return ", ".join(labels), tuple(sorted(pins, key=lambda pin: pin.line))


def _trimmed(
    source: FunctionSource, target: Target, say: Callable[[str], None]
) -> tuple[tuple[Wheel, ...], list[Entry]]:
    """The wheels that are always in the function's package, and what is left of their files.

    They never come in a layer: other functions would find them there before the whole ones of their runtime.
    """
    label = f"{source.name}/{TRIMMED_REQUIREMENTS}"
    pins = read_requirements(source.folder / TRIMMED_REQUIREMENTS, target, label)
    wheels = fetch_wheels(pins, target, label=label, report=say)
    trim = read_trim(source.folder / TRIM_FILE, f"{source.name}/{TRIM_FILE}")
    for name in trim.tables.keys() - {wheel.name for wheel in wheels}:
        raise PackagingError(f"{trim.label}: {name}: is not in {label}; expected the wheels of that file")
    kept: list[Entry] = []
    for wheel in wheels:
        say(f"adding {wheel}{', trimmed' if wheel.name in trim.tables else ''} ({wheel.file})")
        kept += trim.entries(wheel)
    if trim.operations:
        say("calling AWS with what is left, without sending")
        prove(kept, trim.operations, trim.label)
    return wheels, kept


def _unpacked(wheels: Sequence[Wheel], say: Callable[[str], None]) -> list[Entry]:
    entries: list[Entry] = []
    for wheel in wheels:
        say(f"adding {wheel} ({wheel.file})")
        entries += wheel_entries(wheel)
    return entries


def _check_layers(function: str, target: Target, layers: Sequence[Package]) -> None:
    for layer in layers:
        if layer.target != target:
            raise PackagingError(f"{function}: {layer.name} layer: is for {layer.target}; expected {target}")


def _check_brought(pins: Sequence[Pin], layers: Sequence[Package], label: str) -> None:
    brought = {wheel.name: wheel.version for layer in layers for wheel in layer.wheels}
    faults = [
        f"{label}: {pin.requirement}: is in none of the function's layers ({found or 'not at all'}); "
        "expected a layer of the same requirements"
        for pin in pins
        if not (found := brought.get(pin.name, ""))
        or not Requirement(pin.requirement).specifier.contains(found, prereleases=True)
    ]
    if faults:
        raise PackagingError("\n".join(faults))


def _finish(
    kind: Kind,
    target: Target,
    path: Path,
    entries: Sequence[Entry],
    wheels: tuple[Wheel, ...],
    *,
    bytecode: BytecodeRule,
    say: Callable[[str], None],
    beside: Sequence[Package] = (),
) -> Package:
    """Compile, write beside the destination, verify, and only then put it in place."""
    if compiler := find_compiler(bytecode, target, say):
        entries = merge([*entries, *compiled(entries, compiler, target, ROOTS[kind])])
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
        if faults := zip_faults(partial, target, kind, beside_bytes=sum(layer.unzipped_bytes for layer in beside)):
            file = path.name if kind == "function" else f"{path.stem} layer"
            raise PackagingError("\n".join(f"{file}: {fault}" for fault in faults))
        partial.chmod(0o644)
        sha256 = hashlib.sha256(partial.read_bytes()).hexdigest()
        partial.replace(path)
    except OSError as fault:
        raise PackagingError(f"{path}: package: cannot be written ({fault}); expected room and a plain file") from fault
    finally:
        partial.unlink(missing_ok=True)
    zipped_bytes = path.stat().st_size
    if zipped_bytes > DIRECT_UPLOAD_LIMIT_BYTES:
        say(f"is {zipped_bytes} bytes: above {DIRECT_UPLOAD_LIMIT_BYTES} Lambda takes it from a bucket only")
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
