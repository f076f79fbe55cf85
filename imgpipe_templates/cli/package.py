"""`imgpipe package`: build the functions of a pipeline as Lambda takes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from imgpipe_templates.cli.selection import selected, selection_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imgpipe_templates.packaging import Package


@click.command("package")
@selection_options
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("build"), help="Where to write.", show_default=True
)
def command(presets: tuple[str, ...], config_file: Path | None, overrides: tuple[str, ...], out: Path) -> None:
    """Build the package of every function, for its runtime and architecture, and verify it.

    The wheels of the dependencies are fetched with pip on the first build and kept for the next.
    """
    from imgpipe_templates.packaging import Target, build_package
    from imgpipe_templates.pipeline import render_pipeline

    built: list[tuple[str, Package]] = []
    for config in selected(presets, config_file, overrides):
        rendered = render_pipeline(config)
        for function in rendered.functions:
            target = Target(function["runtime"], function["architecture"])
            destination = out / rendered.pipeline / "functions"
            package = build_package(function["package"], target, destination, report=_report)
            click.echo(package.path)
            built.append((rendered.pipeline, package))
    _summarise(built)


def _report(line: str) -> None:
    click.echo(line, err=True)


def _summarise(built: Sequence[tuple[str, Package]]) -> None:
    from imgpipe_templates.cli.tables import console, table

    shown = table("Built and verified", ("function", "for"), ("zip bytes", "unzipped bytes"))
    for pipeline, package in built:
        shown.add_row(
            f"{pipeline}/{package.function}",
            str(package.target),
            f"{package.zipped_bytes:,}",
            f"{package.unzipped_bytes:,}",
        )
    out = console()
    out.print(shown)
    out.print("Next: upload it to a bucket in the stack's Region; bucket and key are parameters.")
