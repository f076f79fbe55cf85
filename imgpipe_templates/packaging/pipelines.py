"""Builds all code of rendered pipelines, or nothing: the packages of their functions and the layers beside them."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from imgpipe_templates.core.stack import FunctionCode, LayerCode
from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging.build import Contents, Package, build_layer, build_package
from imgpipe_templates.packaging.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from imgpipe_templates.packaging.bytecode import BytecodeRule
    from imgpipe_templates.render.manifest import RenderedPipeline

CodeT = TypeVar("CodeT", FunctionCode, LayerCode)

_WHAT_DECIDES = ("runtime", "architecture", "dependencies", "extras")  # of a package's bytes, beside its name


def build_code(
    pipelines: Sequence[RenderedPipeline],
    out: Path,
    *,
    report: Callable[[str], None],
    bytecode: BytecodeRule = "auto",
    sources: Path | None = None,
) -> dict[str, tuple[Package, ...]]:
    """Write `<out>/<pipeline>/functions/*.zip` and `<out>/<pipeline>/layers/*.zip`; the packages by pipeline.

    Nothing is written unless all of it can be built and is sound.

    Args:
        pipelines: Whose functions and layers.
        out: Folder for the pipelines' folders, made if need be.
        report: Takes one line per step.
        bytecode: Whether modules are compiled, as in `Contents`.
        sources: The folder with the functions' folders; None: the project's own.

    Raises:
        PackagingError: One cannot be built, or a pipeline wants one package in two ways.
    """
    with _staging(out) as staging:
        plan = _Plan(report, bytecode, sources)
        built = {one.pipeline: plan.build(one, staging / one.pipeline) for one in pipelines}
        return {
            name: tuple(_place(package, out / package.path.relative_to(staging)) for package in packages)
            for name, packages in built.items()
        }


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    """A folder on the disk of `out`, gone in the end. `out` is not made for it."""
    place = out.absolute()
    try:
        near = next(folder for folder in (place, *place.parents) if folder.exists())
        folder = tempfile.TemporaryDirectory(prefix=".imgpipe-package-", dir=near)
    except OSError as fault:
        raise PackagingError(f"{out}: packages: cannot be written ({fault}); expected a writable folder") from fault
    with folder as name:
        yield Path(name)


@dataclass(frozen=True)
class _Plan:
    """How everything is built: what `build_code` was asked for."""

    report: Callable[[str], None]
    bytecode: BytecodeRule
    sources: Path | None

    def build(self, rendered: RenderedPipeline, folder: Path) -> list[Package]:
        """The functions and layers of one pipeline, in `folder`."""
        layers = {
            layer.package: build_layer(
                layer.package,
                _target(layer),
                folder / "layers",
                contents=self._contents(layer),
                sources=self.sources,
                report=self.report,
            )
            for layer in _once(rendered.layers, rendered.pipeline)
        }
        functions: list[Package] = []
        for function in _once(rendered.functions, rendered.pipeline):
            name, layered = function.package, function.dependencies == "layer"
            package = build_package(
                name,
                _target(function),
                folder / "functions",
                dependencies=not layered,
                contents=self._contents(function),
                layers=[layers[name]] if layered and name in layers else [],
                sources=self.sources,
                report=self.report,
            )
            functions.append(package)
        return [*functions, *layers.values()]

    def _contents(self, code: FunctionCode | LayerCode) -> Contents:
        return Contents(extras=code.extras, bytecode=self.bytecode)


def _once(wanted: Sequence[CodeT], pipeline: str) -> list[CodeT]:
    """Each package once, though several functions may run it."""
    by_package: dict[str, CodeT] = {}
    for one in wanted:
        first = by_package.setdefault(one.package, one)
        for key in _WHAT_DECIDES:
            if getattr(first, key, None) != getattr(one, key, None):
                raise PackagingError(
                    f"{pipeline}: {one.package}: is wanted with {key} {_said(first, key)} and {_said(one, key)}; "
                    "expected one for all that run it"
                )
    return list(by_package.values())


def _said(code: FunctionCode | LayerCode, key: str) -> str:
    value = getattr(code, key) or "none"
    return value if isinstance(value, str) else " ".join(value)


def _target(code: FunctionCode | LayerCode) -> Target:
    return Target(code.runtime, code.architecture)


def _place(package: Package, path: Path) -> Package:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        package.path.replace(path)
    except OSError as fault:
        raise PackagingError(f"{path}: package: cannot be written ({fault}); expected a writable folder") from fault
    return replace(package, path=path)
