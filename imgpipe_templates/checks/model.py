"""What a check is, what it finds, and how a finding reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
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
class Profile:
    """What is asked of a template in addition to what AWS asks of every template.

    Attributes:
        tags: Key of each required tag -> its required value, or None for any value.
        conventions: Apply the rules that are conventions of this project and not requirements of AWS.
    """

    tags: Mapping[str, str | None] = field(default_factory=dict)
    conventions: bool = False


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
        convention: A convention of this project; only a profile with conventions asks for it.
        absence: The faults are resources that the template lacks, so that a macro can still add them.
    """

    id: str
    short: str
    description: str
    source: str
    find: Callable[[Template], Iterable[Fault]]
    dated: bool = False
    convention: bool = False
    absence: bool = False

    def faults(self, template: Template) -> Iterable[Fault]:
        """Return the faults of a template, none where the template's profile does not ask for the rule."""
        if (self.convention and not template.profile.conventions) or (self.absence and template.may_grow):
            return ()
        return self.find(template)

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
