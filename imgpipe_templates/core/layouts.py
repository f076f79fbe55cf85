"""Layouts: which subsystem goes into which stack, and how a reference crosses stacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from imgpipe_templates.core.handles import seen_from
from imgpipe_templates.core.naming import Names, Value
from imgpipe_templates.core.records import record
from imgpipe_templates.core.stack import Scope, Stack

P = ParamSpec("P")
R = TypeVar("R")


class Layout(Protocol):
    """How a pipeline is divided into stacks."""

    @property
    def name(self) -> str:
        """What the layout is called on the command line."""

    def stack_name(self, subsystem: str) -> str:
        """The stack that holds `subsystem`."""

    def link(self, home: Stack, viewer: Stack, title: str, local: Value) -> Value:
        """The value `local` of the stack `home` as the stack `viewer` reads it."""


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

    def build(self, subsystem: str, add: Callable[Concatenate[Scope, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `add` in the stack the layout chose, with every handle seen from that stack."""
        name = self.layout.stack_name(subsystem)
        if name not in self.stacks:
            self.stacks[name] = Stack(name, self.layout.link)
        stack = self.stacks[name]
        scope = Scope(stack, subsystem, self.names, self.tags)
        self.common(scope)
        return add(scope, *seen_from(stack, args), **seen_from(stack, kwargs))
