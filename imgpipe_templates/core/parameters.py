"""Parameters of a stack, with their labels and groups in the CloudFormation console."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from troposphere import Parameter


@dataclass(frozen=True)
class ParameterGroup:
    """A group of parameters in the console. Groups are shown in ascending `rank`."""

    rank: int
    label: str


@dataclass
class Interface:
    """Groups and labels of a stack's parameters (`AWS::CloudFormation::Interface`)."""

    groups: dict[ParameterGroup, list[str]] = field(default_factory=dict[ParameterGroup, list[str]])
    labels: dict[str, str] = field(default_factory=dict[str, str])

    def place(self, title: str, group: ParameterGroup, label: str) -> None:
        """Show the parameter `title` as `label` in `group`."""
        if title not in self.labels:
            self.groups.setdefault(group, []).append(title)
        self.labels[title] = label

    def remove(self, title: str) -> None:
        """Remove the parameter `title` from its group and from the labels."""
        self.labels.pop(title, None)
        for group, titles in list(self.groups.items()):
            if title in titles:
                titles.remove(title)
            if not titles:
                del self.groups[group]

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of the template's Metadata section."""
        return {
            "AWS::CloudFormation::Interface": {
                "ParameterGroups": [
                    {"Label": {"default": group.label}, "Parameters": self.groups[group]}
                    for group in sorted(self.groups, key=lambda group: group.rank)
                ],
                "ParameterLabels": {title: {"default": label} for title, label in self.labels.items()},
            }
        }


@dataclass(frozen=True)
class ParameterSpec:
    """One parameter: a value that an operator can change without rendering again.

    Attributes:
        title: The parameter's name.
        group: Its group in the console.
        label: Its label in the console.
        properties: CloudFormation's properties of the parameter.
    """

    title: str
    group: ParameterGroup
    label: str
    properties: dict[str, Any]

    def declaration(self) -> Parameter:
        """Return the parameter for a template."""
        return Parameter(self.title, **self.properties)


# The groups of every pipeline, in the order of the console.
ENVIRONMENT = ParameterGroup(1, "Environment")
STORAGE = ParameterGroup(2, "Storage")
PROCESSING = ParameterGroup(3, "Image processing")
NOTIFICATIONS = ParameterGroup(4, "Notifications")
NETWORK = ParameterGroup(5, "Network")
SECURITY = ParameterGroup(6, "Security")
CODE = ParameterGroup(7, "Function code")
