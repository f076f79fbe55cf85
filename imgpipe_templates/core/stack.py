"""Stacks, and the scope through which one subsystem writes into a stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeVar

from troposphere import AWSHelperFn, AWSObject, Output, Parameter, Ref, Template

from imgpipe_templates.core.naming import Names, Value
from imgpipe_templates.core.parameters import Interface, ParameterSpec
from imgpipe_templates.core.plain import plain
from imgpipe_templates.core.tags import apply_tags
from imgpipe_templates.errors import TemplateConflictError
from imgpipe_templates.records import record

ResourceT = TypeVar("ResourceT", bound=AWSObject)


class Linking(Protocol):
    """How a stack tells others its values."""

    def link(self, home: Stack, viewer: Stack, title: str, local: Value) -> Value:
        """The value `local` of the stack `home` as the stack `viewer` reads it."""

    def output(self, home: Stack, title: str, value: Value, *, export: str = "") -> Output:
        """The output with which `home` tells a value.

        Args:
            home: Whose value it is.
            title: Name of the output.
            value: What it says.
            export: What an operator's export is called after the stack; empty means `title`.
        """


@record
class FunctionCode:
    """Which package a function of a stack runs, and the parameter that says where the package lies.

    Attributes:
        function: Logical id of the function.
        package: Name of the package; its source is the folder of that name under `lambda/`.
        key_parameter: The parameter that takes the object key of the package.
        runtime: Lambda's identifier of the runtime, such as `python3.13`.
        architecture: `arm64` or `x86_64`.
        dependencies: Where what the package requires is: in the package itself, or in a layer.
        extras: What it requires beyond what it always does, such as `heic`.
    """

    function: str
    package: str
    key_parameter: str
    runtime: str
    architecture: str
    dependencies: Literal["package", "layer"] = "package"
    extras: tuple[str, ...] = ()


@record
class LayerCode:
    """A layer of a stack that holds what a package requires, and the parameter that says where it lies.

    Attributes:
        layer: Logical id of the layer.
        package: Name of the package whose requirements it holds.
        key_parameter: The parameter that takes the object key of the layer's zip.
        runtime: Lambda's identifier of the runtime.
        architecture: `arm64` or `x86_64`.
        extras: Of the package.
    """

    layer: str
    package: str
    key_parameter: str
    runtime: str
    architecture: str
    extras: tuple[str, ...] = ()


@dataclass(eq=False)  # two stacks are the same only if they are the same object
class Stack:
    """One template that is deployed as one CloudFormation stack."""

    name: str
    layout: Linking
    template: Template = field(default_factory=Template)
    interface: Interface = field(default_factory=Interface)
    functions: list[FunctionCode] = field(default_factory=list[FunctionCode])
    layers: list[LayerCode] = field(default_factory=list[LayerCode])
    reads_from: set[str] = field(default_factory=set[str])

    def to_dict(self, description: str, metadata: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
        """The finished template, in CloudFormation's own words.

        Args:
            description: What the console shows of the stack, at most 1,024 bytes.
            metadata: Entries of its Metadata in addition to the parameters' interface.
        """
        sections = {
            "Conditions": self.template.conditions,
            "Outputs": self.template.outputs,
            "Parameters": self.template.parameters,
        }
        return {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": description,
            "Metadata": {**self.interface.to_dict(), **metadata},
            **{name: plain(section) for name, section in sections.items() if section},
            "Resources": plain(self.template.resources),
        }

    def drop_unread(self) -> None:
        """Take out the parameters that nothing in the stack reads: of those that every stack declares, some may be."""
        sections = (self.template.conditions, self.template.outputs, self.template.resources)
        text = json.dumps([plain(section) for section in sections])
        for title in [title for title in self.template.parameters if title not in text]:
            del self.template.parameters[title]
            self.interface.remove(title)

    def offer(self, title: str, value: Value) -> Output:
        """The output `title`, added if nobody has offered it yet.

        A title is an id and an attribute, so the one that stands says the same, in whatever way it is written.
        """
        return self.template.outputs.setdefault(title, self.layout.output(self, title, value))


@record
class Scope:
    """The view of a stack given to one subsystem: the only way into the template."""

    stack: Stack
    subsystem: str
    names: Names
    tags: Mapping[str, Value] = field(default_factory=dict[str, Value])

    def add(self, resource: ResourceT) -> ResourceT:
        """Name and tag `resource`, add it to the template and return it.

        Raises:
            TemplateConflictError: The stack has a resource of that logical id.
        """
        title = str(resource.title)
        if title in self.stack.template.resources:
            raise TemplateConflictError(
                f"{self.subsystem}: resource {title} already exists in stack {self.stack.name}; "
                "logical ids are unique across all subsystems"
            )
        self.names.apply(resource)
        apply_tags(resource, self.tags)
        self.stack.template.add_resource(resource)
        return resource

    def parameter(self, spec: ParameterSpec) -> Ref:
        """Declare a parameter beside its use; declaring the same one again is fine.

        Raises:
            TemplateConflictError: The stack has a parameter of that name with another definition.
        """
        parameter = spec.declaration()
        standing = self.stack.template.parameters.setdefault(spec.title, parameter)
        if standing.to_dict() != parameter.to_dict():
            raise _conflict(self.stack.name, standing, parameter)
        self.stack.interface.place(spec.title, spec.group, spec.label)
        return Ref(spec.title)

    def condition(self, title: str, fact: AWSHelperFn) -> str:
        """Name a fact about parameters, for what depends on a value known only at deployment; return the name.

        Raises:
            TemplateConflictError: The stack has a condition of that name.
        """
        if title in self.stack.template.conditions:
            raise TemplateConflictError(f"{self.stack.name}: condition {title} is declared twice")
        self.stack.template.add_condition(title, fact)
        return title

    def output(self, title: str, value: Value, description: str, *, export: str = "") -> None:
        """Tell an operator `value`, exported for stacks that are not ours.

        Args:
            title: Name of the output.
            value: What it says.
            description: One sentence for the console.
            export: What the export is called after the stack; empty means `title`.

        Raises:
            TemplateConflictError: The stack has an output of that name.
        """
        output = self.stack.layout.output(self.stack, title, value, export=export)
        output.Description = description
        if title in self.stack.template.outputs:
            raise _conflict(self.stack.name, self.stack.template.outputs[title], output)
        self.stack.template.add_output(output)


def _conflict(stack_name: str, standing: Output | Parameter, other: Output | Parameter) -> TemplateConflictError:
    kind = type(other).__name__.lower()
    return TemplateConflictError(
        f"{stack_name}: {kind} {other.title} is declared twice with different definitions: "
        f"{standing.to_dict()} and {other.to_dict()}"
    )
