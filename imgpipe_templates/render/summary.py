"""Counts and size of a template, with the limits of CloudFormation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.limits import MAX_OUTPUTS, MAX_PARAMETERS, MAX_REQUEST_BYTES, MAX_RESOURCES, MAX_S3_BYTES


@dataclass(frozen=True)
class Figure:
    """One count or size, and the limit of CloudFormation."""

    name: str
    value: int
    limit: int

    @property
    def share(self) -> float:
        """The used share of the limit; 1.0 is all of it."""
        return self.value / self.limit


@dataclass(frozen=True)
class TemplateSummary:
    """Counts and size of a template.

    Attributes:
        size_bytes: Size of the largest written format.
        fits_request: The written formats that are small enough for a request without S3, such as `yaml`.
    """

    stack: str
    resources: Figure
    parameters: Figure
    outputs: Figure
    size_bytes: Figure
    fits_request: tuple[str, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All counts and sizes, in the order of the table."""
        return (self.resources, self.parameters, self.outputs, self.size_bytes)


def pending_actions(template: Mapping[str, Any]) -> list[str]:
    """Return one sentence for each feature of a template that requires an action by the user."""
    email = template.get("Parameters", {}).get("NotificationEmail", {})
    lines = ["alarms send no email until the parameter NotificationEmail is set"] if email.get("Default") == "" else []
    if any(resource["Type"] == "AWS::Budgets::Budget" for resource in template["Resources"].values()):
        lines.append("the budget counts no costs until the tag Project is activated as a cost allocation tag")
    return lines


def summarise(stack: str, template: Mapping[str, Any], *, sizes: Mapping[str, int]) -> TemplateSummary:
    """Count the resources, parameters and outputs of `template`.

    Args:
        stack: Name of the stack.
        template: The template.
        sizes: Size in bytes by written format, such as `yaml`.
    """
    return TemplateSummary(
        stack=stack,
        resources=Figure("resources", len(template.get("Resources", {})), MAX_RESOURCES),
        parameters=Figure("parameters", len(template.get("Parameters", {})), MAX_PARAMETERS),
        outputs=Figure("outputs", len(template.get("Outputs", {})), MAX_OUTPUTS),
        size_bytes=Figure("bytes", max(sizes.values()), MAX_S3_BYTES),
        fits_request=tuple(name for name, size in sizes.items() if size <= MAX_REQUEST_BYTES),
    )
