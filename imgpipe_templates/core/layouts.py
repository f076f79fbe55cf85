"""Layouts: the stack of each subsystem, and references between stacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from troposphere import Export, GetAtt, ImportValue, Join, Output, Parameter, Ref, Sub, cloudformation

from imgpipe_templates.core.handles import handles_for
from imgpipe_templates.core.naming import Names, Value
from imgpipe_templates.core.references import check_references
from imgpipe_templates.core.stack import Scope, Stack, StackLinks
from imgpipe_templates.errors import TemplateConflictError

P = ParamSpec("P")
R = TypeVar("R")


class Layout(StackLinks, Protocol):
    """How a pipeline is divided into stacks."""

    @property
    def name(self) -> str:
        """The name of the layout on the command line."""

    def stack_name(self, subsystem: str) -> str:
        """Return the name of the stack that contains `subsystem`."""

    def finish(self, stacks: dict[str, Stack], scope: Callable[[Stack], Scope]) -> None:
        """Add the stacks that the layout requires in addition to the subsystems.

        Args:
            stacks: All stacks; changed in place.
            scope: Makes the scope of an added stack.
        """


@dataclass(frozen=True)
class SingleStack:
    """One template with all subsystems: references are Ref and Fn::GetAtt."""

    name: str = "single"

    def stack_name(self, subsystem: str) -> str:  # noqa: ARG002 - all subsystems share one stack
        """Return the name of the only stack."""
        return "pipeline"

    def link(self, home: Stack, reader: Stack, title: str, value: Value) -> Value:
        """Fail: with one stack, the reader is always the home stack."""
        raise AssertionError(f"{reader.name}: {title} of {home.name} needs a link for {value}, but there is one stack")

    def output(self, home: Stack, title: str, value: Value, *, export: str = "") -> Output:  # noqa: ARG002 - one stack
        """Return an output whose export name starts with the stack name."""
        return Output(title, Value=value, Export=Export(Sub(f"${{AWS::StackName}}-{export or title}")))

    def finish(self, stacks: dict[str, Stack], scope: Callable[[Stack], Scope]) -> None:
        """Add nothing."""


@dataclass(frozen=True)
class ExportedStacks:
    """A stack per subsystem; a reference is an export and an ImportValue.

    CloudFormation rejects a change of an imported value, and the deletion of its stack, while a stack imports it.

    Attributes:
        pipeline: Start of every export name. Export names are unique in an account and Region.
        groups: Subsystem -> the subsystem whose stack it shares.
    """

    pipeline: str
    groups: Mapping[str, str]
    name: str = "exports"

    def stack_name(self, subsystem: str) -> str:
        """Return the name of the subsystem's own stack, or of the stack that it shares."""
        return self.groups.get(subsystem, subsystem)

    def link(self, home: Stack, reader: Stack, title: str, value: Value) -> Value:  # noqa: ARG002 - same for all readers
        """Return an import of the output; add the output on first use."""
        home.linked_output(title, value)
        return ImportValue(self._export(title))

    def output(self, home: Stack, title: str, value: Value, *, export: str = "") -> Output:  # noqa: ARG002 - as above
        """Return an output with the export name that readers import."""
        return Output(title, Value=value, Export=Export(self._export(title)))

    def finish(self, stacks: dict[str, Stack], scope: Callable[[Stack], Scope]) -> None:
        """Add nothing: the stacks are deployed one after the other."""

    def _export(self, title: str) -> Sub:
        return Sub(f"{self.pipeline}-${{EnvironmentSuffix}}-{title}")


@dataclass(frozen=True)
class NestedStacks:
    """A root stack with one child per subsystem; the root passes outputs of one child to parameters of another.

    Attributes:
        groups: Subsystem -> the subsystem whose child it shares.
        links: Child -> parameter -> the output of another child that the root passes.
        exports: Output -> the part of its export name after the name of the root stack.
    """

    groups: Mapping[str, str]
    links: dict[str, dict[str, Value]] = field(default_factory=dict[str, dict[str, Value]])
    exports: dict[str, str] = field(default_factory=dict[str, str])
    name: str = "nested"

    def stack_name(self, subsystem: str) -> str:
        """Return the name of the subsystem's own child, or of the child that it shares."""
        return self.groups.get(subsystem, subsystem)

    def link(self, home: Stack, reader: Stack, title: str, value: Value) -> Value:
        """Return a parameter of the reader to which the root passes the output."""
        home.linked_output(title, value)
        self.links.setdefault(reader.name, {})[title] = GetAtt(_child_id(home.name), f"Outputs.{title}")
        parameter = Parameter(title, Type="String", Description=f"{title} of the stack {home.name}; the root fills it")
        reader.template.parameters.setdefault(title, parameter)
        return Ref(title)

    def output(self, home: Stack, title: str, value: Value, *, export: str = "") -> Output:  # noqa: ARG002 - for all
        """Return an output without an export; the root exports the described outputs under its own name."""
        self.exports.setdefault(title, export or title)
        return Output(title, Value=value)

    def finish(self, stacks: dict[str, Stack], scope: Callable[[Stack], Scope]) -> None:
        """Add the root stack."""
        root = Stack("root", self)
        root_scope = scope(root)
        for child in stacks.values():
            passed: dict[str, Any] = {}
            for title, parameter in child.template.parameters.items():
                if title in self.links.get(child.name, {}):
                    passed[title] = self.links[child.name][title]
                else:
                    passed[title] = _passed_parameter(root, child, title, parameter)
            nested = cloudformation.Stack(_child_id(child.name), TemplateURL=f"{child.name}.template.json")
            nested.Parameters = passed
            # `aws cloudformation package` and `deploy_pipeline` replace the file name with the URL of the upload.
            nested.Metadata = {"cfn-lint": {"config": {"ignore_checks": ["W3002"]}}}
            root_scope.add(nested)
            self._add_root_outputs(root, child)
        stacks["root"] = root

    def _add_root_outputs(self, root: Stack, child: Stack) -> None:
        """Export the described outputs of a child under the name of the root stack."""
        for title, output in child.template.outputs.items():
            description = output.to_dict().get("Description")
            if description:
                value = GetAtt(_child_id(child.name), f"Outputs.{title}")
                exported = Output(title, Description=description, Value=value)
                exported.Export = Export(Sub(f"${{AWS::StackName}}-{self.exports[title]}"))
                root.template.add_output(exported)


def _passed_parameter(root: Stack, child: Stack, title: str, parameter: Parameter) -> Value:
    """Declare a parameter of a child in the root too, and return the value that the root passes."""
    root.template.parameters.setdefault(title, parameter)
    group = next(group for group, titles in child.interface.groups.items() if title in titles)
    root.interface.place(title, group, child.interface.labels[title])
    is_list = parameter.to_dict()["Type"].startswith(("CommaDelimitedList", "List<"))
    return Join(",", Ref(title)) if is_list else Ref(title)


def _child_id(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-")) + "Stack"


@dataclass
class Assembly:
    """The stacks of one pipeline, built subsystem by subsystem.

    Attributes:
        layout: Chooses the stack of each subsystem.
        names: Physical names of resources.
        tags: Tags of every resource.
        common: Declares the parameters of every stack.
    """

    layout: Layout
    names: Names
    tags: Mapping[str, Value]
    common: Callable[[Scope], None]
    stacks: dict[str, Stack] = field(default_factory=dict[str, Stack])
    closed: bool = False

    def build(self, subsystem: str, add: Callable[Concatenate[Scope, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call `add` with a scope of the subsystem's stack; handles in the arguments are read from that stack.

        Raises:
            TemplateConflictError: The stacks are finished.
        """
        if self.closed:
            raise TemplateConflictError(f"{subsystem}: the pipeline is already rendered; add the subsystem before that")
        name = self.layout.stack_name(subsystem)
        if name not in self.stacks:
            self.stacks[name] = Stack(name, self.layout)
        stack = self.stacks[name]
        return add(self._scope(stack, subsystem), *handles_for(stack, args), **handles_for(stack, kwargs))

    def finished(self) -> dict[str, Stack]:
        """Return the stacks with those that the layout adds; `build` fails afterwards.

        Raises:
            LiteralReferenceError: A subsystem refers to a resource of another one without its handle.
        """
        if not self.closed:
            check_references(self.stacks)
            if len(self.stacks) > 1:
                for stack in self.stacks.values():
                    stack.remove_unused_parameters()
            self.layout.finish(self.stacks, lambda stack: self._scope(stack, stack.name))
            self.closed = True
        return self.stacks

    def _scope(self, stack: Stack, subsystem: str) -> Scope:
        scope = Scope(stack, subsystem, self.names, self.tags)
        self.common(scope)
        return scope
