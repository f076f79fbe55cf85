"""Validation of rendered templates before a command writes or deploys them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import click

from imgpipe_templates.checks import Finding
from imgpipe_templates.cli.tables import working
from imgpipe_templates.errors import ImgpipeError
from imgpipe_templates.render.manifest import RenderedPipeline
from imgpipe_templates.validation import validate_pipeline


def check_templates(
    pipelines: Sequence[RenderedPipeline], *, use_cache: bool = True, shows_progress: bool = False
) -> None:
    """Check all templates of `pipelines` and print the findings to stderr.

    Args:
        pipelines: The rendered pipelines.
        use_cache: True to use the kept result of a template text that was checked before.
        shows_progress: True if the caller already shows the progress on the terminal.

    Raises:
        ImgpipeError: There are findings.
    """
    findings: list[Finding] = []
    with nullcontext(lambda _: None) if shows_progress else working("checking the templates") as announce:
        for pipeline in pipelines:
            announce(f"checking {pipeline.pipeline}")
            findings += validate_pipeline(pipeline, use_cache=use_cache)
    for finding in findings:
        click.echo(finding.text(), err=True)
    if findings:
        count = sum(len(pipeline.stacks) for pipeline in pipelines)
        raise ImgpipeError(f"{len(findings)} findings in {count} templates; nothing was written")
