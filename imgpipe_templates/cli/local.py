"""`imgpipe local`: the rendered pipeline on an engine on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from imgpipe_templates.cli.checking import check_templates
from imgpipe_templates.cli.selection import selected, selection_options
from imgpipe_templates.errors import ConfigError
from imgpipe_templates.library import render_pipeline
from imgpipe_templates.options import PipelineConfig
from imgpipe_templates.render.text import to_json

if TYPE_CHECKING:  # `imgpipe_templates.local` cannot be imported on Windows, so only this command imports it
    from imgpipe_templates.local.run import LocalPipeline

_USER = "local"  # user ID of the uploads of a run, if the pipeline stores a user ID


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
    help="Folder for the metadata and thumbnails of each file, and for the HTML page that shows them.",
)
@click.option("--verbose", is_flag=True, help="Print complete lists and logs, and the path of every written file.")
def run(
    presets: tuple[str, ...],
    config_file: Path | None,
    overrides: tuple[str, ...],
    files: tuple[Path, ...],
    out: Path,
    verbose: bool,  # noqa: FBT001 - click passes a flag by name
) -> int:
    """Deploy the rendered template on an embedded engine, upload files, and write the results.

    Writes the metadata item of every FILE, and of every file in a FOLDER, as JSON, its thumbnails, and index.html,
    which shows them all. Files that do not match the trigger's filter are uploaded too, and reported as `ignored`.
    Status 0 means that every other file was processed or rejected; 1 means that the result of a file is missing.
    """
    from imgpipe_templates.cli.progress import LiveProgress
    from imgpipe_templates.cli.report import RunSummary
    from imgpipe_templates.local.run import run_files

    pipelines = selected(presets, config_file, overrides)
    if len(pipelines) > 1:
        names = ", ".join(pipeline.name for pipeline in pipelines)
        raise ConfigError(f"local run: {len(pipelines)} pipelines are selected ({names}); expected one")

    with LiveProgress() as progress:
        progress.phase("check")
        report = run_files(_local_pipeline(pipelines[0]), files, out, progress)

    RunSummary(report, pipelines[0], verbose=verbose).show()
    if report.sheet:
        click.echo(report.sheet)
    if verbose:
        for result in report.results:
            for path in filter(None, (result.json_file, *result.thumbnails)):
                click.echo(path)
    return 1 if report.lost else 0


def _local_pipeline(config: PipelineConfig) -> LocalPipeline:
    from imgpipe_templates.local.packages import LocalFunction
    from imgpipe_templates.local.run import LocalPipeline

    rendered = render_pipeline(config)
    check_templates([rendered], shows_progress=True)
    (stack,) = rendered.deploy_order
    uploads = config.uploads
    return LocalPipeline(
        name=rendered.pipeline,
        template=to_json(rendered.stacks[stack]),
        functions=tuple(
            LocalFunction(
                code.package,
                code.key_parameter,
                code.runtime,
                has_layer=code.dependencies == "layer",
                extras=code.extras,
            )
            for code in rendered.functions
        ),
        layers=tuple(
            LocalFunction(code.package, code.key_parameter, code.runtime, extras=code.extras)
            for code in rendered.layers
        ),
        key_prefix=uploads.prefix + (f"{_USER}/" if uploads.user_id == "first-folder" else ""),
        user_metadata={"user-id": _USER} if uploads.user_id == "metadata" else {},
    )
