"""Packages for a local run, kept for the next one: building them takes longer than all the rest of a run."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from imgpipe_templates.cache import cache_dir, code_version
from imgpipe_templates.deployment.plan import FunctionPackage
from imgpipe_templates.local.interpreters import Interpreter
from imgpipe_templates.packaging import Contents, Target, build_layer, build_package, function_source

_KEPT = 4  # files of each package: one for each of the last configurations


@dataclass(frozen=True)
class LocalFunction:
    """A function of the pipeline, or a layer with what it requires, as the packages and the engine need to know it.

    Attributes:
        name: As `build_package` and `build_layer` know it, such as `processor`.
        code_parameter: The template parameter that wants its object key.
        runtime: Lambda runtime, such as `python3.13`.
        has_layer: Whether what it requires is in a layer and not in its package.
        extras: What it requires beyond what it always does, such as `heic`.
    """

    name: str
    code_parameter: str
    runtime: str
    has_layer: bool = False
    extras: tuple[str, ...] = ()


def local_packages(
    functions: tuple[LocalFunction, ...],
    layers: tuple[LocalFunction, ...],
    interpreters: Mapping[str, Interpreter],
    folder: Path,
) -> Iterator[FunctionPackage]:
    """Build every layer and function for this machine, or take it from the cache.

    Args:
        functions: What to build.
        layers: The layers that are built for the functions.
        interpreters: What runs each Lambda runtime here.
        folder: Where to build.

    Raises:
        PackagingError: One cannot be built.
    """
    version = code_version()
    for layer in layers:
        yield FunctionPackage(
            f"{layer.name}-layer",
            layer.code_parameter,
            _built(layer, interpreters[layer.runtime], folder / "layers", version, is_layer=True),
        )
    for function in functions:
        path = _built(function, interpreters[function.runtime], folder / "packages", version, is_layer=False)
        yield FunctionPackage(function.name, function.code_parameter, path)


def _built(code: LocalFunction, interpreter: Interpreter, folder: Path, version: str, *, is_layer: bool) -> Path:
    target = Target.of_interpreter(str(interpreter.path))
    kind = "layer" if is_layer else "function"
    said = [version, kind, str(target), str(interpreter), str(code), *_state(function_source(code.name).folder)]
    digest = hashlib.sha256("\n".join(said).encode()).hexdigest()
    place = cache_dir() / "packages" / f"{kind}-{code.name}-{digest}.zip"
    try:
        os.utime(place)  # the last used are kept
    except OSError:
        contents = Contents(extras=code.extras)
        if is_layer:
            built = build_layer(code.name, target, folder, contents=contents)
        else:
            built = build_package(code.name, target, folder, dependencies=not code.has_layer, contents=contents)
        _keep(built.path, place, f"{kind}-{code.name}-*.zip")
        return built.path
    return place


def _state(folder: Path) -> Iterator[str]:
    """Names, sizes and times of the files, which stand in for their contents."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            stat = path.stat()
            yield f"{path} {stat.st_size} {stat.st_mtime_ns}"


def _keep(built: Path, place: Path, pattern: str) -> None:
    """Copy the package into the cache; where nothing can be written, nothing is kept."""
    partial = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(built, partial)
        partial.replace(place)
        latest = sorted(place.parent.glob(pattern), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for old in latest[_KEPT:]:
            old.unlink()
    except OSError:
        return
