"""The figures of a template beside CloudFormation's limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imgpipe_templates.limits import MAX_OUTPUTS, MAX_PARAMETERS, MAX_REQUEST_BYTES, MAX_RESOURCES, MAX_S3_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Figure:
    """One count or size, and the most that CloudFormation takes."""

    name: str
    value: int
    limit: int

    @property
    def share(self) -> float:
        """How much of the limit is used; 1.0 is all of it."""
        return self.value / self.limit


@dataclass(frozen=True)
class TemplateSummary:
    """What a template amounts to.

    Attributes:
        size_bytes: The largest of its written forms.
        fits_request: The written forms that are small enough to be sent with the request, such as `yaml`.
    """

    stack: str
    resources: Figure
    parameters: Figure
    outputs: Figure
    size_bytes: Figure
    fits_request: tuple[str, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures, in the order of the table."""
        return (self.resources, self.parameters, self.outputs, self.size_bytes)


def not_in_force(template: Mapping[str, Any]) -> list[str]:
    """Return what the stack of a template does not do until somebody does something else, one sentence each."""
    email = template.get("Parameters", {}).get("NotificationEmail", {})
    lines = ["alarms mail nobody until the parameter NotificationEmail is given"] if email.get("Default") == "" else []
    if any(resource["Type"] == "AWS::Budgets::Budget" for resource in template["Resources"].values()):
        lines.append("the budget counts zero until the tag Project is activated as a cost allocation tag")
    return lines


def summarise(stack: str, template: Mapping[str, Any], *, sizes: Mapping[str, int]) -> TemplateSummary:
    """Count what `template` declares.

    Args:
        stack: Its name.
        template: The template.
        sizes: Its size in bytes as written, by form, such as `yaml`.
    """
    return TemplateSummary(
        stack=stack,
        resources=Figure("resources", len(template.get("Resources", {})), MAX_RESOURCES),
        parameters=Figure("parameters", len(template.get("Parameters", {})), MAX_PARAMETERS),
        outputs=Figure("outputs", len(template.get("Outputs", {})), MAX_OUTPUTS),
        size_bytes=Figure("bytes", max(sizes.values()), MAX_S3_BYTES),
        fits_request=tuple(form for form, size in sizes.items() if size <= MAX_REQUEST_BYTES),
    )
