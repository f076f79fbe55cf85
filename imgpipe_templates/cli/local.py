"""`imgpipe local`: the rendered pipeline on an engine on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from imgpipe_templates.cli.checking import check_templates
from imgpipe_templates.cli.selection import selected, selection_options
from imgpipe_templates.errors import ConfigError

if TYPE_CHECKING:
    from imgpipe_templates.local.results import RunReport
    from imgpipe_templates.local.run import LocalPipeline
    from imgpipe_templates.options import PipelineConfig

_COLOURS = {"processed": "green", "failed": "yellow", "ignored": "dim", "lost": "bold red"}
_USER = "local"  # whose uploads a run makes, where a pipeline wants to know


@click.group("local")
def command() -> None:
    """Run the rendered pipeline on this machine, without AWS."""


@command.command("run")
@selection_options
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE_OR_FOLDER...")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("local-results"),
    show_default=True,
    help="Where to write each file's metadata and thumbnails.",
)
def run(
    presets: tuple[str, ...],
    config_file: Path | None,
    overrides: tuple[str, ...],
    files: tuple[Path, ...],
    out: Path,
) -> int:
    """Deploy the rendered template on an embedded engine, send files through it, and write what came of each.

    For every FILE, and every file below a FOLDER, writes its metadata item as JSON and its thumbnails. Status 0 means
    that every file the trigger heeds came to an end, be it processed or rejected; 1 that something was lost.
    """
    pipelines = selected(presets, config_file, overrides)
    if len(pipelines) > 1:
        names = ", ".join(pipeline.name for pipeline in pipelines)
        raise ConfigError(f"local run: {len(pipelines)} pipelines are chosen ({names}); expected one")
    pipeline = _local_pipeline(pipelines[0])

    from imgpipe_templates.cli.progress import LiveProgress
    from imgpipe_templates.local.run import run_files

    with LiveProgress() as progress:
        report = run_files(pipeline, files, out, progress)
    _show(report)
    return 1 if report.lost else 0


def _local_pipeline(config: PipelineConfig) -> LocalPipeline:
    from imgpipe_templates.library import render_pipeline
    from imgpipe_templates.local.run import LocalFunction, LocalPipeline
    from imgpipe_templates.render.text import to_json

    rendered = render_pipeline(config)
    check_templates([rendered])
    (stack,) = rendered.deploy_order
    uploads = config.uploads
    return LocalPipeline(
        name=rendered.pipeline,
        template=to_json(rendered.stacks[stack]),
        functions=tuple(
            LocalFunction(
                one["package"],
                one["key_parameter"],
                one["runtime"],
                has_layer=one["dependencies"] == "layer",
                extras=one["extras"],
            )
            for one in rendered.functions
        ),
        layers=tuple(
            LocalFunction(one["package"], one["key_parameter"], one["runtime"], extras=one["extras"])
            for one in rendered.layers
        ),
        key_prefix=uploads.prefix + (f"{_USER}/" if uploads.user_id == "first-folder" else ""),
        user_metadata={"user-id": _USER} if uploads.user_id == "metadata" else {},
    )


def _show(report: RunReport) -> None:
    from rich.text import Text

    from imgpipe_templates.cli.tables import console, table

    shown = table("What came of each file", ("file", "status", "image", "thumbnail or reason"))
    for result in report.results:
        item = result.item or {}
        size = f"{item['Width']} x {item['Height']} {item['Format']}" if "Width" in item else ""
        made = ", ".join(
            f"{thumbnail['Width']} x {thumbnail['Height']} {thumbnail['Format']}, {thumbnail['Bytes']:,} bytes"
            for thumbnail in item.get("Thumbnails", ())
        )
        # Text, not markup: a file may be called `[red].jpg`.
        shown.add_row(
            Text(result.file.key), Text(result.status, _COLOURS[result.status]), size, Text(made or result.reason)
        )
    to = console()
    to.print(shown)
    for skipped in report.skipped:
        to.print(f"skipped: {skipped.path}: {skipped.reason}", markup=False)
    for note in report.notes:
        to.print(note, markup=False)
    for result in report.lost:
        to.print(f"lost: {result.file.path}: {result.reason}", markup=False)
        if result.log:
            to.print(result.log, markup=False)
    to.print(f"{sum(report.seconds.values()):.1f} s in all", markup=False)
    for result in report.results:
        for path in filter(None, (result.json_file, *result.thumbnails)):
            click.echo(path)
