"""`imgpipe render`: write the templates, checked."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import click

from imgpipe_templates.cli.checking import check_templates
from imgpipe_templates.cli.selection import program, repeated, selected, selection_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imgpipe_templates.render.files import Staleness
    from imgpipe_templates.render.manifest import RenderedPipeline
    from imgpipe_templates.render.summary import TemplateSummary

OUT = Path("build")
Layout = Literal["single", "nested", "exports"]
TextFormat = Literal["json", "yaml", "both", "compact-json"]


@click.command("render")
@selection_options
@click.option(
    "--layout", type=click.Choice(get_args(Layout)), default="single", help="How to divide the pipeline into stacks."
)
@click.option(
    "--format",
    "text_format",
    type=click.Choice(get_args(TextFormat)),
    default="both",
    help="What to write; `compact-json` has no indentation and no line breaks.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=OUT,
    help="Folder to write to; `-` prints one template, YAML unless --format is of JSON, and writes nothing.",
    show_default=True,
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if what is there is not what would be written.")
@click.option("--no-cache", is_flag=True, help="Validate again what was found valid before.")
def command(
    presets: tuple[str, ...],
    config_file: Path | None,
    overrides: tuple[str, ...],
    layout: Layout,
    text_format: TextFormat,
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
    if out == Path("-"):
        return _print(pipelines, text_format)
    formats: list[files.Format] = ["json"] if "json" in text_format else ["yaml"]
    if text_format == "both":
        formats = ["json", "yaml"]
    compact = text_format == "compact-json"
    plan = {
        path: text
        for pipeline in pipelines
        for path, text in files.plan_files(pipeline, formats, compact=compact).items()
    }
    if check:
        return _report_stale(files.stale_files(plan, out), out)
    files.write_files(plan, out)
    for path in plan:
        click.echo(out / path)
    _summarise(pipelines, plan)
    one = repeated(presets, config_file, overrides)
    # A local run is of one pipeline.
    tried = one if len(pipelines) == 1 else f" --preset NAME{repeated((), None, overrides)}"
    _say_what_is_next(out / pipelines[0].pipeline, tried, one if out == OUT else f"{one} --out {shlex.quote(str(out))}")
    return 0


def _print(pipelines: Sequence[RenderedPipeline], text_format: TextFormat) -> int:
    from imgpipe_templates.render.order import ordered
    from imgpipe_templates.render.text import emit_json, to_yaml

    stacks = [template for pipeline in pipelines for template in pipeline.stacks.values()]
    if len(stacks) != 1:
        raise click.BadParameter(f"'-' prints one template, not {len(stacks)}", param_hint="--out")
    if "json" in text_format:
        text = emit_json(ordered(stacks[0]), compact=text_format == "compact-json")
    else:
        text = to_yaml(stacks[0])
    click.echo(text, nl=False)
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
    from imgpipe_templates.render.summary import not_in_force, summarise

    rows: list[tuple[str, TemplateSummary]] = []
    for pipeline in pipelines:
        folder = Path(pipeline.pipeline, pipeline.layout)
        for stack, template in pipeline.stacks.items():
            named = {path: text for path, text in plan.items() if path.parent == folder}
            sizes = {path.suffix[1:]: len(text) for path, text in named.items() if path.stem == f"{stack}.template"}
            rows.append((f"{pipeline.pipeline}/{stack}", summarise(stack, template, sizes=sizes)))

    limits = [f"{figure.name}\nof {figure.limit:,}" for figure in rows[0][1].figures]
    shown = table("Rendered and checked", ("template",), limits)
    for name, summary in rows:
        shown.add_row(name, *(f"{figure.value:,}" for figure in summary.figures))
    to = console()
    to.print(shown)
    if large := [name for name, summary in rows if not summary.fits_request]:
        to.print(f"CloudFormation reads these only from S3, because they are over {MAX_REQUEST_BYTES:,} bytes:")
        to.print(f"  {', '.join(large)}")
    for name, summary in rows:
        if summary.size_bytes.value > MAX_REQUEST_BYTES and summary.fits_request:
            fitting = " and ".join(summary.fits_request).upper()
            to.print(f"{name}: only the {fitting} is within {MAX_REQUEST_BYTES:,} bytes and needs no S3")
    templates = [template for pipeline in pipelines for template in pipeline.stacks.values()]
    for line in dict.fromkeys(line for template in templates for line in not_in_force(template)):
        to.print(f"Not yet in force: {line}", soft_wrap=True, markup=False)


def _say_what_is_next(folder: Path, tried: str, packaged: str) -> None:
    from imgpipe_templates.cli.tables import console

    lines = (
        f"Read it:         {folder}",
        f"Try it here:     {program()} local run{tried} PHOTO...",
        f"Build its code:  {program()} package{packaged}",
    )
    for line in lines:
        console().print(line, soft_wrap=True, markup=False)
