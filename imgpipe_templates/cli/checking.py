"""Every check of every template, before anything is written or started."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from imgpipe_templates.errors import ImgpipeError

if TYPE_CHECKING:
    from imgpipe_templates.render.manifest import RenderedPipeline


def check_templates(
    pipelines: Sequence[RenderedPipeline], *, use_cache: bool = True, shows_progress: bool = False
) -> None:
    """Check all templates of `pipelines` and show what is wrong with them on stderr.

    Args:
        pipelines: What was rendered.
        use_cache: Whether a text that was found valid before is taken to be so.
        shows_progress: Whether the caller already shows on the terminal what is being done.

    Raises:
        ImgpipeError: Something was found.
    """
    from imgpipe_templates import checks
    from imgpipe_templates.cli.tables import working
    from imgpipe_templates.render.text import to_json

    texts = {
        f"{pipeline.pipeline}/{pipeline.layout}/{stack}.template.json": to_json(template)
        for pipeline in pipelines
        for stack, template in pipeline.stacks.items()
    }
    today = datetime.datetime.now(tz=datetime.UTC).date()
    findings = []
    with nullcontext(lambda _: None) if shows_progress else working("checking the templates") as announce:
        for name, text in texts.items():
            announce(f"checking {name}")
            findings += checks.check_templates({name: text}, today=today, use_cache=use_cache)
    for pipeline in pipelines:
        if len(pipeline.stacks) > 1:
            from imgpipe_templates.checks.assembly import check_assembly

            findings += check_assembly(pipeline.stacks, pipeline.reads_from)
    for finding in findings:
        click.echo(finding.text(), err=True)
    if findings:
        raise ImgpipeError(f"{len(findings)} findings in {len(texts)} templates; nothing was written")
