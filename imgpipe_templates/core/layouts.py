"""Layouts: which subsystem goes into which stack, and how a reference crosses stacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from troposphere import Export, GetAtt, ImportValue, Join, Output, Parameter, Ref, Sub

from imgpipe_templates.core.handles import seen_from
from imgpipe_templates.core.naming import Names, Value
from imgpipe_templates.core.stack import Linking, Scope, Stack
from imgpipe_templates.errors import TemplateConflictError
from imgpipe_templates.records import record

P = ParamSpec("P")
R = TypeVar("R")


class Layout(Linking, Protocol):
    """How a pipeline is divided into stacks."""

    @property
    def name(self) -> str:
        """What the layout is called on the command line."""

    def stack_name(self, subsystem: str) -> str:
        """The stack that holds `subsystem`."""

    def finish(self, stacks: dict[str, Stack], scope: Callable[[Stack], Scope]) -> None:
        """Add what the stacks need besides the subsystems in them.

        Args:
            stacks: All stacks; changed in place.
            scope: Makes the scope of a further stack.
        """


@record
class SingleStack:
    """Everything in one template: references are plain Ref and GetAtt."""

    name: str = "single"

    def stack_name(self, subsystem: str) -> str:  # noqa: ARG002 - every subsystem has the same answer
        """The one stack, whatever the subsystem."""
        return "pipeline"

    def link(self, home: Stack, viewer: Stack, title: str, local: Value) -> Value:
        """Never asked: a reader in the one stack is always at home."""
        raise AssertionError(f"{viewer.name}: {title} of {home.name} would need a link, {local} is at home")

    def output(self, home: Stack, title: str, value: Value, *, export: str = "") -> Output:  # noqa: ARG002 - one stack
        """An output that is exported after the stack."""
        return Output(title, Value=value, Export=Export(Sub(f"${{AWS::StackName}}-{export or title}")))

    def finish(self, stacks: dict[str, Stack], scope: Callable[[Stack], Scope]) -> None:
        """Nothing is missing."""


@record
class ExportedStacks:
    """A stack per subsystem; a reference is an export and an ImportValue.

    A value that is imported cannot change, and its stack cannot be deleted, before the importing stack.

    Attributes:
        pipeline: Begins the name of every export, which is unique in an account and Region.
        groups: Subsystems that share the stack of another.
    """

    pipeline: str
    groups: Mapping[str, str]
    name: str = "exports"

    def stack_name(self, subsystem: str) -> str:
        """The subsystem's own stack, or the one that it shares."""
        return self.groups.get(subsystem, subsystem)

    def link(self, home: Stack, viewer: Stack, title: str, local: Value) -> Value:  # noqa: ARG002 - the same for all
        """Import the output, offering it first if nobody has read it yet."""
        home.offer(title, local)
        return ImportValue(self._export(title))

    def output(self, home: Stack, title: str, value: Value, *, export: str = "") -> Output:  # noqa: ARG002 - as above
        """An output that is exported under a name which the readers know."""
        return Output(title, Value=value, Export=Export(self._export(title)))

    def finish(self, stacks: dict[str, Stack], scope: Callable[[Stack], Scope]) -> None:
        """Nothing is missing: the stacks are deployed one after the other."""

    def _export(self, title: str) -> Sub:
        return Sub(f"{self.pipeline}-${{EnvironmentSuffix}}-{title}")


@record
class NestedStacks:
    """A root stack with one child per subsystem; the root hands outputs of one to parameters of another.

    Attributes:
        groups: Subsystems that share the child of another.
        wired: By child, the parameters that the root fills from another child.
        exports: By output, what its export is called after the root stack.
    """

    groups: Mapping[str, str]
    wired: dict[str, dict[str, Value]] = field(default_factory=dict[str, dict[str, Value]])
    exports: dict[str, str] = field(default_factory=dict[str, str])
    name: str = "nested"

    def stack_name(self, subsystem: str) -> str:
        """The subsystem's own child, or the one that it shares."""
        return self.groups.get(subsystem, subsystem)

    def link(self, home: Stack, viewer: Stack, title: str, local: Value) -> Value:
        """A parameter of the reader, which the root fills with the output."""
        home.offer(title, local)
        self.wired.setdefault(viewer.name, {})[title] = GetAtt(_child_id(home.name), f"Outputs.{title}")
        parameter = Parameter(title, Type="String", Description=f"{title} of the stack {home.name}; the root fills it")
        viewer.template.parameters.setdefault(title, parameter)
        return Ref(title)

    def output(self, home: Stack, title: str, value: Value, *, export: str = "") -> Output:  # noqa: ARG002 - for all
        """An output for the root alone, which exports an operator's in its own name."""
        self.exports.setdefault(title, export or title)
        return Output(title, Value=value)

    def finish(self, stacks: dict[str, Stack], scope: Callable[[Stack], Scope]) -> None:
        """Add the root."""
        from troposphere import cloudformation  # noqa: PLC0415 - only this layout pays for it

        root = Stack("root", self)
        into = scope(root)
        for child in stacks.values():
            passed: dict[str, Any] = {}
            for title, parameter in child.template.parameters.items():
                if title in self.wired.get(child.name, {}):
                    passed[title] = self.wired[child.name][title]
                else:
                    passed[title] = _handed_on(root, child, title, parameter)
            nested = cloudformation.Stack(_child_id(child.name), TemplateURL=f"{child.name}.template.json")
            nested.Parameters = passed
            # A file name beside the root is what `aws cloudformation package` and our own deployment replace.
            nested.Metadata = {"cfn-lint": {"config": {"ignore_checks": ["W3002"]}}}
            into.add(nested)
            self._tell(root, child)
        stacks["root"] = root

    def _tell(self, root: Stack, child: Stack) -> None:
        """Tell an operator what the child tells: the described outputs, exported in the root's name."""
        for title, output in child.template.outputs.items():
            described = output.to_dict().get("Description")
            if described:
                told = Output(title, Description=described, Value=GetAtt(_child_id(child.name), f"Outputs.{title}"))
                told.Export = Export(Sub(f"${{AWS::StackName}}-{self.exports[title]}"))
                root.template.add_output(told)


def _handed_on(root: Stack, child: Stack, title: str, parameter: Parameter) -> Value:
    """A parameter that an operator fills: declared in the root too, and handed on as text."""
    root.template.parameters.setdefault(title, parameter)
    group = next(group for group, titles in child.interface.groups.items() if title in titles)
    root.interface.place(title, group, child.interface.labels[title])
    listed = parameter.to_dict()["Type"].startswith(("CommaDelimitedList", "List<"))
    return Join(",", Ref(title)) if listed else Ref(title)


def _child_id(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-")) + "Stack"


@dataclass
class Assembly:
    """The stacks of one pipeline, built subsystem by subsystem.

    Attributes:
        layout: Decides the stacks.
        names: Physical names of what has one.
        tags: Tags of every resource.
        common: Declares what every stack has, whatever its subsystems.
    """

    layout: Layout
    names: Names
    tags: Mapping[str, Value]
    common: Callable[[Scope], None]
    stacks: dict[str, Stack] = field(default_factory=dict[str, Stack])
    closed: bool = False

    def build(self, subsystem: str, add: Callable[Concatenate[Scope, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `add` in the stack the layout chose, with every handle seen from that stack.

        Raises:
            TemplateConflictError: The stacks are finished.
        """
        if self.closed:
            raise TemplateConflictError(f"{subsystem}: comes after the pipeline was rendered; expected it before")
        name = self.layout.stack_name(subsystem)
        if name not in self.stacks:
            self.stacks[name] = Stack(name, self.layout)
        stack = self.stacks[name]
        return add(self._scope(stack, subsystem), *seen_from(stack, args), **seen_from(stack, kwargs))

    def finished(self) -> dict[str, Stack]:
        """The stacks, with what the layout adds; nothing can be built afterwards."""
        if not self.closed:
            if len(self.stacks) > 1:
                for stack in self.stacks.values():
                    stack.drop_unread()
            self.layout.finish(self.stacks, lambda stack: self._scope(stack, stack.name))
            self.closed = True
        return self.stacks

    def _scope(self, stack: Stack, subsystem: str) -> Scope:
        scope = Scope(stack, subsystem, self.names, self.tags)
        self.common(scope)
        return scope
