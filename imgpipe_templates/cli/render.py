"""`imgpipe render`: write the templates, checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import click

from imgpipe_templates.cli.checking import check_templates
from imgpipe_templates.cli.selection import repeated, selected, selection_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imgpipe_templates.render.files import Staleness
    from imgpipe_templates.render.manifest import RenderedPipeline
    from imgpipe_templates.render.summary import TemplateSummary

Layout = Literal["single", "nested", "exports"]


@click.command("render")
@selection_options
@click.option(
    "--layout", type=click.Choice(get_args(Layout)), default="single", help="How to divide the pipeline into stacks."
)
@click.option(
    "--format", "text_format", type=click.Choice(["json", "yaml", "both"]), default="both", help="What to write."
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("build"), help="Where to write.", show_default=True
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if what is there is not what would be written.")
@click.option("--no-cache", is_flag=True, help="Validate again what was found valid before.")
def command(
    presets: tuple[str, ...],
    config_file: Path | None,
    overrides: tuple[str, ...],
    layout: Layout,
    text_format: Literal["json", "yaml", "both"],
    out: Path,
    check: bool,  # noqa: FBT001 - click passes a flag by name
    no_cache: bool,  # noqa: FBT001 - click passes a flag by name
) -> int:
    """Write the checked templates of one or more pipelines.

    A file is written only if every template of every pipeline passes every check.
    """
    from imgpipe_templates.library import render_pipeline
    from imgpipe_templates.render import files

    pipelines = [
        render_pipeline(config, layout) for config in selected(presets, config_file, overrides, cached=not no_cache)
    ]
    check_templates(pipelines, use_cache=not no_cache)
    formats: list[files.Format] = ["json", "yaml"] if text_format == "both" else [text_format]
    plan = {path: text for pipeline in pipelines for path, text in files.plan_files(pipeline, formats).items()}
    if check:
        return _report_stale(files.stale_files(plan, out), out)
    files.write_files(plan, out)
    for path in plan:
        click.echo(out / path)
    _summarise(pipelines, plan)
    _say_what_is_next(pipelines, out, repeated(presets, config_file, overrides))
    return 0


def _report_stale(stale: Sequence[Staleness], out: Path) -> int:
    for file in stale:
        click.echo(f"stale: {out / file.path}: {file.reason}", err=True)
    if stale:
        click.echo("run the same command without --check to bring them up to date", err=True)
        return 1
    click.echo(f"{out} is up to date", err=True)
    return 0


def _summarise(pipelines: Sequence[RenderedPipeline], plan: Mapping[Path, bytes]) -> None:
    """Show what was written beside what CloudFormation takes."""
    from imgpipe_templates.cli.tables import console, table
    from imgpipe_templates.limits import MAX_REQUEST_BYTES
    from imgpipe_templates.render.summary import summarise

    rows: list[tuple[str, TemplateSummary]] = []
    for pipeline in pipelines:
        folder = Path(pipeline.pipeline, pipeline.layout)
        for stack, template in pipeline.stacks.items():
            texts = [text for path, text in plan.items() if path.parent == folder and path.stem == f"{stack}.template"]
            rows.append((f"{pipeline.pipeline}/{stack}", summarise(stack, template, size_bytes=max(map(len, texts)))))

    limits = [f"{figure.name}\nof {figure.limit:,}" for figure in rows[0][1].figures]
    shown = table("Rendered and checked", ("template",), limits)
    for name, summary in rows:
        shown.add_row(name, *(f"{figure.value:,}" for figure in summary.figures))
    to = console()
    to.print(shown)
    if large := [name for name, summary in rows if summary.needs_s3]:
        to.print(f"CloudFormation takes these only by way of S3, being over {MAX_REQUEST_BYTES:,} bytes:")
        to.print(f"  {', '.join(large)}")


def _say_what_is_next(pipelines: Sequence[RenderedPipeline], out: Path, selection: str) -> None:
    from imgpipe_templates.cli.tables import console
    from imgpipe_templates.render.summary import not_in_force

    templates = [template for pipeline in pipelines for template in pipeline.stacks.values()]
    for line in dict.fromkeys(line for template in templates for line in not_in_force(template)):
        console().print(f"Not yet in force: {line}", soft_wrap=True, markup=False)
    tried = selection if len(pipelines) == 1 else " --preset NAME"  # a local run is of one pipeline
    lines = (
        f"Read it:         {out / pipelines[0].pipeline}",
        f"Try it here:     python -m imgpipe_templates local run{tried} PHOTO...",
        f"Build its code:  python -m imgpipe_templates package{selection}",
    )
    for line in lines:
        console().print(line, soft_wrap=True, markup=False)
