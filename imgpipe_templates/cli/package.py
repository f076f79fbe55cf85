"""`imgpipe package`: build the functions and layers of a pipeline as Lambda takes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from imgpipe_templates.cli.selection import selected, selection_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imgpipe_templates.packaging import Package
    from imgpipe_templates.packaging.bytecode import BytecodeRule


@click.command("package")
@selection_options
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("build"), help="Where to write.", show_default=True
)
@click.option(
    "--bytecode",
    type=click.Choice(["auto", "require", "none"]),
    default="auto",
    help="Compile the modules: where the runtime's Python is on this machine, always, or never.",
    show_default=True,
)
def command(
    presets: tuple[str, ...], config_file: Path | None, overrides: tuple[str, ...], out: Path, bytecode: BytecodeRule
) -> None:
    """Build the package of every function and every layer, for its runtime and architecture, and verify it.

    The wheels of the dependencies are fetched with pip on the first build and kept for the next. A file is written only
    if everything can be built.
    """
    from imgpipe_templates.library import render_pipeline
    from imgpipe_templates.packaging import build_code

    pipelines = [render_pipeline(config) for config in selected(presets, config_file, overrides)]
    built = build_code(pipelines, out, report=_report, bytecode=bytecode)
    for packages in built.values():
        for package in packages:
            click.echo(package.path)
    _summarise(built)


def _report(line: str) -> None:
    click.echo(line, err=True)


def _summarise(built: Mapping[str, Sequence[Package]]) -> None:
    from imgpipe_templates.cli.tables import console, table

    shown = table("Built and verified", ("package", "for"), ("zip\nbytes", "unzipped\nbytes"))
    needed: list[str] = []
    bytecode: dict[str, str] = {}
    for pipeline, packages in built.items():
        layers = {package.name for package in packages if package.kind == "layer"}
        for package in packages:
            name = f"{pipeline}/{package.name}"
            shown.add_row(
                f"{name} layer" if package.kind == "layer" else name,
                str(package.target),
                f"{package.zipped_bytes:,}",
                f"{package.unzipped_bytes:,}",
            )
            bytecode[package.target.runtime] = package.bytecode
            if package.left_out and package.name not in layers:
                needed.append(f"{name} needs {', '.join(package.left_out)} below python/ of the layer that you name.")
    to = console()
    to.print(shown)
    for runtime, version in sorted(bytecode.items()):
        said = f"compiled by Python {version}" if version else "none, so every cold start compiles the modules"
        to.print(f"Bytecode for {runtime}: {said}.", markup=False, soft_wrap=True)
    for line in needed:
        to.print(line, markup=False, soft_wrap=True)
    to.print("Next: upload to a bucket in the stack's Region; bucket and keys are parameters.")
