"""`imgpipe render`: write checked templates."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

import click

from imgpipe_templates.cli.checking import check_templates
from imgpipe_templates.cli.selection import program, repeated, selected, selection_options
from imgpipe_templates.cli.tables import console, table
from imgpipe_templates.library import LayoutName, render_pipeline
from imgpipe_templates.limits import MAX_REQUEST_BYTES
from imgpipe_templates.render.files import Format, Staleness, plan_files, stale_files, write_files
from imgpipe_templates.render.manifest import RenderedPipeline
from imgpipe_templates.render.order import ordered
from imgpipe_templates.render.summary import TemplateSummary, pending_actions, summarise
from imgpipe_templates.render.text import emit_json, to_yaml

OUT = Path("build")
TextFormat = Literal["json", "yaml", "both", "compact-json"]


@click.command("render")
@selection_options
@click.option(
    "--layout",
    type=click.Choice(get_args(LayoutName)),
    default="single",
    help="Divide the pipeline into stacks: a single one, nested stacks, or stacks with exports.",
)
@click.option(
    "--format",
    "text_format",
    type=click.Choice(get_args(TextFormat)),
    default="both",
    help="Format of the templates; `compact-json` has no indentation and no line breaks.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=OUT,
    help="Folder to write to; `-` prints one template, in YAML unless --format is a JSON format, and writes no file.",
    show_default=True,
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if the files are not up to date.")
@click.option("--no-cache", is_flag=True, help="Check every template again, without cached results.")
def command(
    presets: tuple[str, ...],
    config_file: Path | None,
    overrides: tuple[str, ...],
    layout: LayoutName,
    text_format: TextFormat,
    out: Path,
    check: bool,  # noqa: FBT001 - click passes a flag by name
    no_cache: bool,  # noqa: FBT001 - click passes a flag by name
) -> int:
    """Write the checked templates of one or more pipelines.

    A file is written only if every template of every pipeline passes every check.
    """
    pipelines = [render_pipeline(config, layout) for config in selected(presets, config_file, overrides)]
    check_templates(pipelines, use_cache=not no_cache)
    if out == Path("-"):
        return _print(pipelines, text_format)
    formats: list[Format] = ["json"] if "json" in text_format else ["yaml"]
    if text_format == "both":
        formats = ["json", "yaml"]
    compact = text_format == "compact-json"
    plan = {
        path: text for pipeline in pipelines for path, text in plan_files(pipeline, formats, compact=compact).items()
    }
    if check:
        return _report_stale(stale_files(plan, out), out)
    write_files(plan, out)
    for path in plan:
        click.echo(out / path)
    _summarise(pipelines, plan)
    options = repeated(presets, config_file, overrides)
    # `local run` accepts one pipeline only.
    local_options = options if len(pipelines) == 1 else f" --preset NAME{repeated((), None, overrides)}"
    package_options = options if out == OUT else f"{options} --out {shlex.quote(str(out))}"
    _print_next_commands(out / pipelines[0].pipeline, local_options, package_options)
    return 0


def _print(pipelines: Sequence[RenderedPipeline], text_format: TextFormat) -> int:
    stacks = [template for pipeline in pipelines for template in pipeline.stacks.values()]
    if len(stacks) != 1:
        raise click.BadParameter(f"'-' prints one template, but {len(stacks)} are rendered", param_hint="--out")
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
        click.echo("run the same command without --check to update them", err=True)
        return 1
    click.echo(f"{out} is up to date", err=True)
    return 0


def _summarise(pipelines: Sequence[RenderedPipeline], plan: Mapping[Path, bytes]) -> None:
    """Print the size of each template and the limits of CloudFormation."""
    rows: list[tuple[str, TemplateSummary]] = []
    for pipeline in pipelines:
        folder = Path(pipeline.pipeline, pipeline.layout)
        for stack, template in pipeline.stacks.items():
            named = {path: text for path, text in plan.items() if path.parent == folder}
            sizes = {path.suffix[1:]: len(text) for path, text in named.items() if path.stem == f"{stack}.template"}
            rows.append((f"{pipeline.pipeline}/{stack}", summarise(stack, template, sizes=sizes)))

    limits = [f"{figure.name}\nof {figure.limit:,}" for figure in rows[0][1].figures]
    sizes_table = table("Rendered and checked", ("template",), limits)
    for name, summary in rows:
        sizes_table.add_row(name, *(f"{figure.value:,}" for figure in summary.figures))
    output = console()
    output.print(sizes_table)
    if large := [name for name, summary in rows if not summary.fits_request]:
        output.print(f"Upload these templates to S3 to deploy them, because they are over {MAX_REQUEST_BYTES:,} bytes:")
        output.print(f"  {', '.join(large)}")
    for name, summary in rows:
        if summary.size_bytes.value > MAX_REQUEST_BYTES and summary.fits_request:
            fitting = " and ".join(summary.fits_request).upper()
            output.print(f"{name}: only the {fitting} is within {MAX_REQUEST_BYTES:,} bytes and needs no S3")
    templates = [template for pipeline in pipelines for template in pipeline.stacks.values()]
    for line in dict.fromkeys(line for template in templates for line in pending_actions(template)):
        output.print(f"Not yet active: {line}", soft_wrap=True, markup=False)


def _print_next_commands(folder: Path, local_options: str, package_options: str) -> None:
    lines = (
        f"Read it:         {folder}",
        f"Try it here:     {program()} local run{local_options} PHOTO...",
        f"Build its code:  {program()} package{package_options}",
    )
    for line in lines:
        console().print(line, soft_wrap=True, markup=False)
