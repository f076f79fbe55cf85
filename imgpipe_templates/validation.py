"""Validation of a rendered pipeline: every template, and the references between its stacks."""

from __future__ import annotations

import datetime

from imgpipe_templates.arguments import checked
from imgpipe_templates.checks import Finding, check_templates
from imgpipe_templates.checks.template_validation import check_stacks
from imgpipe_templates.render.manifest import RenderedPipeline
from imgpipe_templates.render.text import to_json


@checked(rendered=RenderedPipeline)
def validate_pipeline(
    rendered: RenderedPipeline, *, today: datetime.date | None = None, use_cache: bool = True
) -> list[Finding]:
    """Check all templates of a pipeline with cfn-lint and the rules of this project.

    Args:
        rendered: The pipeline.
        today: The date to compare with the deprecation dates of Lambda runtimes; None means the current date.
        use_cache: True to use the kept result of a template text that was checked before, and to keep new results.

    Returns:
        The findings; an empty list means that the templates are valid.

    Raises:
        ArgumentError: An argument has a wrong type.
    """
    day = today or datetime.datetime.now(tz=datetime.UTC).date()
    stacks = {stack: to_json(template) for stack, template in rendered.stacks.items()}
    folder = f"{rendered.pipeline}/{rendered.layout}"
    texts = {f"{folder}/{stack}.template.json": text for stack, text in stacks.items()}
    layout = stacks if len(stacks) > 1 else {}
    findings = check_templates(texts, today=day, use_cache=use_cache, stacks=layout)
    if layout:
        findings += check_stacks(rendered.stacks, rendered.reads_from)
    return findings
