"""Validation of rendered templates before a command writes or starts anything."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from imgpipe_templates.errors import ImgpipeError

if TYPE_CHECKING:
    from imgpipe_templates.checks import Finding
    from imgpipe_templates.render.manifest import RenderedPipeline


def check_templates(
    pipelines: Sequence[RenderedPipeline], *, use_cache: bool = True, shows_progress: bool = False
) -> None:
    """Check all templates of `pipelines` and print the findings to stderr.

    Args:
        pipelines: The rendered pipelines.
        use_cache: Use cached results of earlier checks of the same text.
        shows_progress: True if the caller already shows progress on the terminal.

    Raises:
        ImgpipeError: A template has findings.
    """
    from imgpipe_templates import checks
    from imgpipe_templates.cli.tables import working
    from imgpipe_templates.render.text import to_json

    today = datetime.datetime.now(tz=datetime.UTC).date()
    findings: list[Finding] = []
    count = 0
    with nullcontext(lambda _: None) if shows_progress else working("checking the templates") as announce:
        for pipeline in pipelines:
            announce(f"checking {pipeline.pipeline}")
            stacks = {stack: to_json(template) for stack, template in pipeline.stacks.items()}
            folder = f"{pipeline.pipeline}/{pipeline.layout}"
            texts = {f"{folder}/{stack}.template.json": text for stack, text in stacks.items()}
            layout = stacks if len(stacks) > 1 else {}
            findings += checks.check_templates(texts, today=today, use_cache=use_cache, stacks=layout)
            count += len(texts)
            if layout:
                from imgpipe_templates.checks.template_validation import check_stacks

                findings += check_stacks(pipeline.stacks, pipeline.reads_from)
    for finding in findings:
        click.echo(finding.text(), err=True)
    if findings:
        raise ImgpipeError(f"{len(findings)} findings in {count} templates; nothing was written")
