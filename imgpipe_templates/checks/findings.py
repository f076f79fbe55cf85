"""Violations of rules, and findings as reports show them."""

from __future__ import annotations

from dataclasses import dataclass

Path = tuple[str | int, ...]

_SEVERITIES = {"E": "error", "W": "warning", "I": "informational"}


def severity_of(rule_id: str) -> str:
    """Return the severity that cfn-lint derives from the first letter of a rule id."""
    return _SEVERITIES.get(rule_id[:1], "error")


@dataclass(frozen=True)
class Violation:
    """One place in a template that breaks a rule.

    Attributes:
        path: Keys and list positions from the root of the template.
        message: The error and its remedy, lower case, no full stop.
    """

    path: Path
    message: str


@dataclass(frozen=True)
class Finding:
    """A violation with its rule and its template."""

    rule: str
    severity: str
    template: str
    path: Path
    message: str
    source: str

    def text(self, *, with_source: bool = False) -> str:
        """Return the finding as one line: `<template>: <path>: <message> [<rule>]`."""
        path = ".".join(str(part) for part in self.path) or "template"
        line = f"{self.template}: {path}: {self.message} [{self.rule}]"
        return f"{line} {self.source}" if with_source and self.source else line
