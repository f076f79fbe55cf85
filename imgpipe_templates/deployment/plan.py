"""What is to be deployed, decided before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class FunctionPackage:
    """A function's zip and the template parameter that wants its object key."""

    function: str
    parameter: str
    path: Path


@dataclass(frozen=True)
class Deployment:
    """One stack: template, values and packages.

    Attributes:
        template: The template as JSON or YAML text, sent unchanged if there are no nested templates.
        nested_templates: Templates of nested stacks by file name, the TemplateURL in `template`. They are uploaded,
            and each TemplateURL becomes the URL of the upload.
        parameters: Values for the template's parameters; those left out keep their defaults, and on an update their
            present values.
        packages: Uploaded before the change set is made; each sets its own parameter.
        code_bucket_parameter: The parameter that wants the name of the bucket with the packages.
    """

    stack_name: str
    template: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    packages: tuple[FunctionPackage, ...] = ()
    code_bucket_parameter: str = "CodeBucket"
    nested_templates: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """One line of a change set.

    Attributes:
        action: Add | Modify | Remove | Import | Dynamic.
        replacement: True | False | Conditional, empty where the question does not arise.
    """

    action: str
    logical_id: str
    kind: str
    replacement: str = ""

    def __str__(self) -> str:
        replaced = {"True": ", is replaced", "Conditional": ", may be replaced"}.get(self.replacement, "")
        return f"{self.action} {self.logical_id} ({self.kind}){replaced}"


@dataclass(frozen=True)
class StackEvent:
    """One step of CloudFormation's work.

    Attributes:
        reason: Why it failed or was skipped, empty otherwise.
    """

    event_id: str
    logical_id: str
    physical_id: str
    kind: str
    status: str
    reason: str = ""


@dataclass(frozen=True)
class DeployedStack:
    """A stack after a deployment.

    Attributes:
        changes: What the change set did; empty when there was nothing to do.
        outputs: The stack's outputs by name.
    """

    name: str
    stack_id: str
    changes: tuple[Change, ...]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Retained:
    """A resource that its deletion policy kept when the stack was deleted."""

    logical_id: str
    physical_id: str
    kind: str


@dataclass(frozen=True)
class Pace:
    """How often CloudFormation is asked and how long it is given, in seconds."""

    poll_seconds: float = 2.0
    change_set_timeout_seconds: float = 300.0
    stack_timeout_seconds: float = 3600.0
