"""Stacks, and the scope through which one subsystem adds to a stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeVar

from troposphere import AWSHelperFn, AWSObject, Output, Parameter, Ref, Template

from imgpipe_templates.core.naming import Names, Value
from imgpipe_templates.core.parameters import Interface, ParameterSpec
from imgpipe_templates.core.tags import apply_tags
from imgpipe_templates.errors import TemplateConflictError

ResourceT = TypeVar("ResourceT", bound=AWSObject)


class StackLinks(Protocol):
    """The part of a layout that connects stacks."""

    def link(self, home: Stack, reader: Stack, title: str, value: Value) -> Value:
        """Return `value` of the stack `home` as the template of the stack `reader` writes it."""

    def output(self, home: Stack, title: str, value: Value, *, export: str = "") -> Output:
        """Return the output of a value.

        Args:
            home: The stack that contains the value.
            title: Name of the output.
            value: Value of the output.
            export: The part of the export name after the stack name; empty means `title`.
        """


@dataclass(frozen=True)
class FunctionCode:
    """The package of a Lambda function, and the parameter for its S3 object key.

    Attributes:
        stack: Name of the stack that contains the function.
        function: Logical id of the function.
        package: Name of the package; its source is the folder of that name in `lambda/`.
        key_parameter: The parameter for the object key of the package.
        runtime: Lambda's identifier of the runtime, such as `python3.13`.
        architecture: `arm64` or `x86_64`.
        dependencies: Location of the package's dependencies: the package itself or a layer.
        extras: Optional dependencies of the package, such as `heic`.
    """

    stack: str
    function: str
    package: str
    key_parameter: str
    runtime: str
    architecture: str
    dependencies: Literal["package", "layer"] = "package"
    extras: tuple[str, ...] = ()


@dataclass(frozen=True)
class LayerCode:
    """A Lambda layer with the dependencies of a package, and the parameter for its S3 object key.

    Attributes:
        stack: Name of the stack that contains the layer.
        layer: Logical id of the layer.
        package: Name of the package whose dependencies the layer contains.
        key_parameter: The parameter for the object key of the layer's zip file.
        runtime: Lambda's identifier of the runtime.
        architecture: `arm64` or `x86_64`.
        extras: Optional dependencies of the package.
    """

    stack: str
    layer: str
    package: str
    key_parameter: str
    runtime: str
    architecture: str
    extras: tuple[str, ...] = ()


@dataclass(eq=False)  # compared by identity: `home is reader` decides how a handle is read
class Stack:
    """One template that is deployed as one CloudFormation stack.

    Attributes:
        owners: Subsystem of each resource, by logical id.
        output_owners: Subsystem of each output that a subsystem added, by name.
        handle_kinds: Class name of the handle of each resource that has one, by logical id.
        reads_from: Names of the stacks whose values this stack reads.
    """

    name: str
    layout: StackLinks
    template: Template = field(default_factory=Template)
    interface: Interface = field(default_factory=Interface)
    functions: list[FunctionCode] = field(default_factory=list[FunctionCode])
    layers: list[LayerCode] = field(default_factory=list[LayerCode])
    owners: dict[str, str] = field(default_factory=dict[str, str])
    output_owners: dict[str, str] = field(default_factory=dict[str, str])
    handle_kinds: dict[str, str] = field(default_factory=dict[str, str])
    reads_from: set[str] = field(default_factory=set[str])

    def to_dict(self, description: str, metadata: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
        """Return the finished template.

        Args:
            description: Description of the stack, at most 1,024 bytes.
            metadata: Entries of Metadata in addition to the parameters' interface.
        """
        return {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": description,
            "Metadata": {**self.interface.to_dict(), **metadata},
            **self.template.to_dict(),
        }

    def remove_unused_parameters(self) -> None:
        """Remove common parameters that this stack does not use."""
        sections = self.template.to_dict()
        sections.pop("Parameters", None)
        text = json.dumps(sections)
        for title in [title for title in self.template.parameters if title not in text]:
            del self.template.parameters[title]
            self.interface.remove(title)

    def linked_output(self, title: str, value: Value) -> Output:
        """Return the output `title` for other stacks; add it on first use.

        The title consists of a logical id and an attribute, so an existing output has the same value.
        """
        return self.template.outputs.setdefault(title, self.layout.output(self, title, value))


@dataclass(frozen=True)
class Scope:
    """The part of a stack that one subsystem adds: the only way to change the template."""

    stack: Stack
    subsystem: str
    names: Names
    tags: Mapping[str, Value] = field(default_factory=dict[str, Value])

    def add(self, resource: ResourceT) -> ResourceT:
        """Name and tag `resource`, add it to the template and return it.

        Raises:
            TemplateConflictError: The stack already has a resource of that logical id.
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
        self.stack.owners[title] = self.subsystem
        return resource

    def parameter(self, spec: ParameterSpec) -> Ref:
        """Declare a parameter and return its reference; the same declaration may repeat.

        Raises:
            TemplateConflictError: The stack has a parameter of that name with another definition.
        """
        parameter = spec.declaration()
        existing = self.stack.template.parameters.setdefault(spec.title, parameter)
        if existing.to_dict() != parameter.to_dict():
            raise _conflict(self.stack.name, existing, parameter)
        self.stack.interface.place(spec.title, spec.group, spec.label)
        return Ref(spec.title)

    def condition(self, title: str, test: AWSHelperFn) -> str:
        """Add a condition on parameter values and return its name.

        Raises:
            TemplateConflictError: The stack already has a condition of that name.
        """
        if title in self.stack.template.conditions:
            raise TemplateConflictError(f"{self.stack.name}: condition {title} is declared twice")
        self.stack.template.add_condition(title, test)
        return title

    def output(self, title: str, value: Value, description: str, *, export: str = "") -> None:
        """Add an output for operators, exported for stacks outside this pipeline.

        Args:
            title: Name of the output.
            value: Value of the output.
            description: One sentence for the CloudFormation console.
            export: The part of the export name after the stack name; empty means `title`.

        Raises:
            TemplateConflictError: The stack already has an output of that name.
        """
        output = self.stack.layout.output(self.stack, title, value, export=export)
        output.Description = description
        if title in self.stack.template.outputs:
            raise _conflict(self.stack.name, self.stack.template.outputs[title], output)
        self.stack.template.add_output(output)
        self.stack.output_owners[title] = self.subsystem


def _conflict(stack_name: str, existing: Output | Parameter, other: Output | Parameter) -> TemplateConflictError:
    kind = type(other).__name__.lower()
    return TemplateConflictError(
        f"{stack_name}: {kind} {other.title} is declared twice with different definitions: "
        f"{existing.to_dict()} and {other.to_dict()}"
    )
