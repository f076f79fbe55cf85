"""What a check is, what it finds, and how a finding reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imgpipe_templates.checks.template import Template

Path = tuple[str | int, ...]

_SEVERITIES = {"E": "error", "W": "warning", "I": "informational"}


def severity_of(rule_id: str) -> str:
    """The severity that cfn-lint reads off a rule id's first letter."""
    return _SEVERITIES.get(rule_id[:1], "error")


@dataclass(frozen=True)
class Fault:
    """One place in a template that breaks a rule.

    Attributes:
        path: Keys and list positions from the template's root.
        message: What is wrong and what to do, lower case, no full stop.
    """

    path: Path
    message: str


@dataclass(frozen=True)
class Rule:
    """One check of the project's own.

    Attributes:
        id: `E95nn` or `W95nn`. cfn-lint leaves the 9000s to its users and numbers the lines of a custom rules file
            from 9001; other published rule sets use 91 to 94.
        short: The meaning in a line.
        description: Why it matters.
        source: Address of the AWS page that says so.
        find: Yields the faults of a template.
        dated: The answer depends on the day, so it must not be remembered.
    """

    id: str
    short: str
    description: str
    source: str
    find: Callable[[Template], Iterable[Fault]]
    dated: bool = False

    @property
    def severity(self) -> str:
        """`error` or `warning`."""
        return severity_of(self.id)


@dataclass(frozen=True)
class Finding:
    """A fault with the rule and the template it belongs to."""

    rule: str
    severity: str
    template: str
    path: Path
    message: str
    source: str

    def text(self, *, with_source: bool = False) -> str:
        """The finding in one line: `<template>: <path>: <message> [<rule>]`."""
        path = ".".join(str(part) for part in self.path) or "template"
        line = f"{self.template}: {path}: {self.message} [{self.rule}]"
        return f"{line} {self.source}" if with_source and self.source else line
