"""Parameters of a stack, with their labels and groups for the CloudFormation console."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from troposphere import Parameter

from imgpipe_templates.records import record


@dataclass(frozen=True)
class ParameterGroup:
    """A headed group of parameters in the console. Groups are shown in ascending `rank`."""

    rank: int
    label: str


@dataclass
class Interface:
    """What the console shows of a stack's parameters (`AWS::CloudFormation::Interface`)."""

    groups: dict[ParameterGroup, list[str]] = field(default_factory=dict[ParameterGroup, list[str]])
    labels: dict[str, str] = field(default_factory=dict[str, str])

    def place(self, title: str, group: ParameterGroup, label: str) -> None:
        """Show the parameter `title` as `label` in `group`."""
        if title not in self.labels:
            self.groups.setdefault(group, []).append(title)
        self.labels[title] = label

    def remove(self, title: str) -> None:
        """Show the parameter `title` no longer."""
        self.labels.pop(title, None)
        for group, titles in list(self.groups.items()):
            if title in titles:
                titles.remove(title)
            if not titles:
                del self.groups[group]

    def to_dict(self) -> dict[str, Any]:
        """The metadata section of a template."""
        return {
            "AWS::CloudFormation::Interface": {
                "ParameterGroups": [
                    {"Label": {"default": group.label}, "Parameters": self.groups[group]}
                    for group in sorted(self.groups, key=lambda group: group.rank)
                ],
                "ParameterLabels": {title: {"default": label} for title, label in self.labels.items()},
            }
        }


@record
class ParameterSpec:
    """One parameter: a value that an operator may change without rendering again.

    Attributes:
        title: The parameter's name.
        group: Where the console shows it.
        label: What the console calls it.
        properties: Properties of the parameter in CloudFormation's own words.
    """

    title: str
    group: ParameterGroup
    label: str
    properties: dict[str, Any]

    def declaration(self) -> Parameter:
        """The parameter as troposphere writes it."""
        return Parameter(self.title, **self.properties)


# The groups of every pipeline, in the order in which an operator thinks of them.
ENVIRONMENT = ParameterGroup(1, "Environment")
STORAGE = ParameterGroup(2, "Storage")
PROCESSING = ParameterGroup(3, "Image processing")
NOTIFICATIONS = ParameterGroup(4, "Notifications")
NETWORK = ParameterGroup(5, "Network")
SECURITY = ParameterGroup(6, "Security")
CODE = ParameterGroup(7, "Function code")
