"""`imgpipe local`: the rendered pipeline on an engine on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from imgpipe_templates.cli.checking import check_templates
from imgpipe_templates.cli.selection import selected, selection_options
from imgpipe_templates.errors import ConfigError

if TYPE_CHECKING:
    from imgpipe_templates.local.run import LocalPipeline
    from imgpipe_templates.options import PipelineConfig

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
    help="Where to write each file's metadata and thumbnails, and the page that shows them.",
)
@click.option("--verbose", is_flag=True, help="Print whole lists and logs, and the path of every file that is written.")
def run(
    presets: tuple[str, ...],
    config_file: Path | None,
    overrides: tuple[str, ...],
    files: tuple[Path, ...],
    out: Path,
    verbose: bool,  # noqa: FBT001 - click passes a flag by name
) -> int:
    """Deploy the rendered template on an embedded engine, send files through it, and write what came of each.

    For every FILE, and every file below a FOLDER, writes its metadata item as JSON and its thumbnails, and index.html,
    which shows them all. Status 0 means that every file the trigger heeds came to an end, be it processed or rejected;
    1 that something was lost.
    """
    pipelines = selected(presets, config_file, overrides)
    if len(pipelines) > 1:
        names = ", ".join(pipeline.name for pipeline in pipelines)
        raise ConfigError(f"local run: {len(pipelines)} pipelines are chosen ({names}); expected one")

    from imgpipe_templates.cli.progress import LiveProgress

    with LiveProgress() as progress:
        progress.phase("check")
        from imgpipe_templates.local.run import run_files

        report = run_files(_local_pipeline(pipelines[0]), files, out, progress)

    from imgpipe_templates.cli.report import RunSummary

    RunSummary(report, pipelines[0], verbose=verbose).show()
    if report.sheet:
        click.echo(report.sheet)
    if verbose:
        for result in report.results:
            for path in filter(None, (result.json_file, *result.thumbnails)):
                click.echo(path)
    return 1 if report.lost else 0


def _local_pipeline(config: PipelineConfig) -> LocalPipeline:
    from imgpipe_templates.library import render_pipeline
    from imgpipe_templates.local.packages import LocalFunction
    from imgpipe_templates.local.run import LocalPipeline
    from imgpipe_templates.render.text import to_json

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
