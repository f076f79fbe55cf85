"""The rule about CloudFormation's limits for a template."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates import limits
from imgpipe_templates.checks.facts.expressions import mapping
from imgpipe_templates.checks.facts.template import Template
from imgpipe_templates.checks.findings import Path, Violation
from imgpipe_templates.checks.rule import template_rule

_MAX_ENTRIES = {
    "Resources": limits.MAX_RESOURCES,
    "Parameters": limits.MAX_PARAMETERS,
    "Outputs": limits.MAX_OUTPUTS,
    "Mappings": limits.MAX_MAPPINGS,
}


def size_violations(size_bytes: int, form: str) -> Iterator[Violation]:
    """Yield the violation of a template body that is too large for CloudFormation, even from S3."""
    if size_bytes > limits.MAX_S3_BYTES:
        yield Violation(
            (),
            f"the {form} has {size_bytes} bytes, above the maximum of {limits.MAX_S3_BYTES}; split it into stacks",
        )


@template_rule(
    "E9561",
    "Template exceeds a CloudFormation limit",
    "CloudFormation rejects the template before it creates a resource.",
    # AWS CloudFormation User Guide, "AWS CloudFormation quotas", text of 2023 read 2026-11
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html",
)
def template_exceeds_limit(template: Template) -> Iterator[Violation]:
    minified = json.dumps(template.body, separators=(",", ":"), ensure_ascii=False, default=str)
    yield from size_violations(len(minified.encode()), "minified template")
    yield from _description((), template.body)
    for name, allowed in _MAX_ENTRIES.items():
        section = template.section(name)
        if len(section) > allowed:
            yield Violation(
                (name,),
                f"{len(section)} {name.lower()} is above the maximum of {allowed}; split the stack",
            )
        for key, entry in section.items():
            yield from _entry((name, str(key)), mapping(entry))


def _entry(path: Path, entry: Mapping[str, Any]) -> Iterator[Violation]:
    section, name = str(path[0]), str(path[1])
    if len(name) > limits.MAX_NAME_CHARACTERS:
        yield Violation(path, f"the name has {len(name)} characters; use at most {limits.MAX_NAME_CHARACTERS}")
    if section == "Mappings" and len(entry) > limits.MAX_MAPPING_ATTRIBUTES:
        yield Violation(
            path, f"{len(entry)} attributes is above the maximum; use at most {limits.MAX_MAPPING_ATTRIBUTES}"
        )
    if section in ("Outputs", "Parameters"):
        yield from _description(path, entry)
    default = entry.get("Default") if section == "Parameters" else None
    if isinstance(default, str) and len(default.encode()) > limits.MAX_PARAMETER_VALUE_BYTES:
        yield Violation(
            (*path, "Default"),
            f"the value has {len(default.encode())} bytes; use at most {limits.MAX_PARAMETER_VALUE_BYTES}",
        )


def _description(path: Path, body: Mapping[str, Any]) -> Iterator[Violation]:
    text = body.get("Description")
    if isinstance(text, str) and len(text.encode()) > limits.MAX_DESCRIPTION_BYTES:
        yield Violation(
            (*path, "Description"),
            f"the description has {len(text.encode())} bytes; use at most {limits.MAX_DESCRIPTION_BYTES}",
        )
