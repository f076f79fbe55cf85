"""The rule of CloudFormation's size limits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates import limits
from imgpipe_templates.checks.model import Fault, Path, Rule
from imgpipe_templates.checks.template import Template
from imgpipe_templates.checks.values import mapping

MAX_ENTRIES = {
    "Resources": limits.MAX_RESOURCES,
    "Parameters": limits.MAX_PARAMETERS,
    "Outputs": limits.MAX_OUTPUTS,
    "Mappings": limits.MAX_MAPPINGS,
}


def body_faults(size_bytes: int, form: str) -> Iterator[Fault]:
    """The fault of a body that CloudFormation does not take even from S3."""
    if size_bytes > limits.MAX_S3_BYTES:
        yield Fault(
            (),
            f"the {form} has {size_bytes} bytes; at most {limits.MAX_S3_BYTES}: split it into stacks",
        )


def _over(template: Template) -> Iterator[Fault]:
    minified = json.dumps(template.body, separators=(",", ":"), ensure_ascii=False, default=str)
    yield from body_faults(len(minified.encode()), "minified template")
    yield from _description((), template.body)
    for name, allowed in MAX_ENTRIES.items():
        section = template.section(name)
        if len(section) > allowed:
            yield Fault(
                (name,),
                f"{len(section)} {name.lower()}; CloudFormation takes {allowed} in a template, so split the stack",
            )
        for key, entry in section.items():
            yield from _entry((name, str(key)), mapping(entry))


def _entry(path: Path, entry: Mapping[str, Any]) -> Iterator[Fault]:
    section, name = str(path[0]), str(path[1])
    if len(name) > limits.MAX_NAME_CHARACTERS:
        yield Fault(path, f"a name of {len(name)} characters; CloudFormation takes {limits.MAX_NAME_CHARACTERS}")
    if section == "Mappings" and len(entry) > limits.MAX_MAPPING_ATTRIBUTES:
        yield Fault(path, f"{len(entry)} attributes; a mapping takes {limits.MAX_MAPPING_ATTRIBUTES}")
    if section in ("Outputs", "Parameters"):
        yield from _description(path, entry)
    default = entry.get("Default") if section == "Parameters" else None
    if isinstance(default, str) and len(default.encode()) > limits.MAX_PARAMETER_VALUE_BYTES:
        yield Fault(
            (*path, "Default"),
            f"a value of {len(default.encode())} bytes; CloudFormation takes {limits.MAX_PARAMETER_VALUE_BYTES} bytes",
        )


def _description(path: Path, body: Mapping[str, Any]) -> Iterator[Fault]:
    text = body.get("Description")
    if isinstance(text, str) and len(text.encode()) > limits.MAX_DESCRIPTION_BYTES:
        yield Fault(
            (*path, "Description"),
            f"a description of {len(text.encode())} bytes; CloudFormation takes {limits.MAX_DESCRIPTION_BYTES} bytes",
        )


RULES = (
    Rule(
        "E9561",
        "Over a limit of CloudFormation",
        "CloudFormation refuses the template before it creates anything.",
        # AWS CloudFormation User Guide, "AWS CloudFormation quotas", text of 2023 read 2026-11
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html",
        _over,
    ),
)
