"""`imgpipe package`: build the zip files of the functions and layers of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from imgpipe_templates.cli.selection import selected, selection_options
from imgpipe_templates.cli.tables import console, table
from imgpipe_templates.library import render_pipeline
from imgpipe_templates.packaging import Package, build_code
from imgpipe_templates.packaging.bytecode import BytecodeRule


@click.command("package")
@selection_options
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("build"), help="Folder to write to.", show_default=True
)
@click.option(
    "--bytecode",
    type=click.Choice(["auto", "require", "none"]),
    default="auto",
    help="Compile the modules: `auto` only if this machine has the runtime's Python version, or always, or never.",
    show_default=True,
)
def command(
    presets: tuple[str, ...], config_file: Path | None, overrides: tuple[str, ...], out: Path, bytecode: BytecodeRule
) -> None:
    """Build the package of every function and every layer, for its runtime and architecture, and verify it.

    The first build downloads the wheels of the dependencies with pip and keeps them for the next builds. Files are
    written only if every package can be built.
    """
    pipelines = [render_pipeline(config) for config in selected(presets, config_file, overrides)]
    built = build_code(pipelines, out, report=_report, bytecode=bytecode)
    for packages in built.values():
        for package in packages:
            click.echo(package.path)
    _summarise(built)


def _report(line: str) -> None:
    click.echo(line, err=True)


def _summarise(built: Mapping[str, Sequence[Package]]) -> None:
    sizes = table("Built and verified", ("package", "target"), ("zip\nbytes", "unzipped\nbytes"))
    layer_notes: list[str] = []
    bytecode: dict[str, str] = {}
    for pipeline, packages in built.items():
        layers = {package.name for package in packages if package.kind == "layer"}
        for package in packages:
            name = f"{pipeline}/{package.name}"
            sizes.add_row(
                f"{name} layer" if package.kind == "layer" else name,
                str(package.target),
                f"{package.zipped_bytes:,}",
                f"{package.unzipped_bytes:,}",
            )
            bytecode[package.target.runtime] = package.bytecode
            if package.left_out and package.name not in layers:
                layer_notes.append(f"{name} requires a layer with {', '.join(package.left_out)} in its folder python/.")
    output = console()
    output.print(sizes)
    for runtime, version in sorted(bytecode.items()):
        result = f"compiled by Python {version}" if version else "none, so every cold start compiles the modules"
        output.print(f"Bytecode for {runtime}: {result}.", markup=False, soft_wrap=True)
    for line in layer_notes:
        output.print(line, markup=False, soft_wrap=True)
    output.print("Next: upload the zip files to a bucket in the stack's Region; bucket and object keys are parameters.")
