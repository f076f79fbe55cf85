"""Builder of all packages and layers of rendered pipelines. It writes all of them or none."""

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

_PACKAGE_KEYS = ("runtime", "architecture", "dependencies", "extras")  # keys that decide a package's contents


def build_code(
    pipelines: Sequence[RenderedPipeline],
    out: Path,
    *,
    report: Callable[[str], None],
    bytecode: BytecodeRule = "auto",
    sources: Path | None = None,
) -> dict[str, tuple[Package, ...]]:
    """Write `<out>/<pipeline>/functions/*.zip` and `<out>/<pipeline>/layers/*.zip`.

    Nothing is written unless every package can be built and verified.

    Args:
        pipelines: Rendered pipelines.
        out: Folder for the pipelines' folders; it is created if it does not exist.
        report: Called with one line per step.
        bytecode: Rule for bytecode, as in `Contents`.
        sources: Folder of the functions' folders; None for the project's functions.

    Returns:
        The packages by pipeline.

    Raises:
        PackagingError: A package cannot be built, or a pipeline requires one package with two different settings.
    """
    with _staging(out) as staging:
        plan = _Plan(report, bytecode, sources)
        built = {one.pipeline: plan.build(one, staging / one.pipeline) for one in pipelines}
        return {
            name: tuple(_move(package, out / package.path.relative_to(staging)) for package in packages)
            for name, packages in built.items()
        }


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    """Yield a temporary folder on the disk of `out`. `out` itself is not created."""
    place = out.absolute()
    try:
        parent = next(folder for folder in (place, *place.parents) if folder.exists())
        folder = tempfile.TemporaryDirectory(prefix=".imgpipe-package-", dir=parent)
    except OSError as error:
        raise PackagingError(f"{out}: packages: cannot be written ({error}); expected a writable folder") from error
    with folder as name:
        yield Path(name)


@dataclass(frozen=True)
class _Plan:
    """Settings of one `build_code` call."""

    report: Callable[[str], None]
    bytecode: BytecodeRule
    sources: Path | None

    def build(self, rendered: RenderedPipeline, folder: Path) -> list[Package]:
        """Build the functions and layers of one pipeline in `folder`."""
        layers = {
            layer.package: build_layer(
                layer.package,
                _target(layer),
                folder / "layers",
                contents=self._contents(layer),
                sources=self.sources,
                report=self.report,
            )
            for layer in _unique(rendered.layers, rendered.pipeline)
        }
        functions: list[Package] = []
        for function in _unique(rendered.functions, rendered.pipeline):
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


def _unique(codes: Sequence[CodeT], pipeline: str) -> list[CodeT]:
    """Return each package once, even if several functions run it."""
    by_package: dict[str, CodeT] = {}
    for one in codes:
        first = by_package.setdefault(one.package, one)
        for key in _PACKAGE_KEYS:
            if getattr(first, key, None) != getattr(one, key, None):
                raise PackagingError(
                    f"{pipeline}: {one.package}: required with {key} {_key_text(first, key)} and "
                    f"{_key_text(one, key)}; expected the same value for all functions that run it"
                )
    return list(by_package.values())


def _key_text(code: FunctionCode | LayerCode, key: str) -> str:
    value = getattr(code, key) or "none"
    return value if isinstance(value, str) else " ".join(value)


def _target(code: FunctionCode | LayerCode) -> Target:
    return Target(code.runtime, code.architecture)


def _move(package: Package, path: Path) -> Package:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        package.path.replace(path)
    except OSError as error:
        raise PackagingError(f"{path}: package: cannot be written ({error}); expected a writable folder") from error
    return replace(package, path=path)
