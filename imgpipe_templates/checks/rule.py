"""The declaration of a rule: id, title, reason and AWS source next to the function that finds its violations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from imgpipe_templates.checks.facts.stack_references import StackSet
from imgpipe_templates.checks.facts.template import Template
from imgpipe_templates.checks.findings import Violation, severity_of


@dataclass(frozen=True)
class _Declaration:
    """The properties that rules of one template and rules across stacks have in common.

    Attributes:
        id: `E95nn` or `W95nn`. cfn-lint reserves the 9000s for its users and numbers the lines of a custom rules file
            from 9001; other published rule sets use 91 to 94.
        title: The meaning in one line.
        why: The consequence of a violation.
        source: Address of the AWS page that documents the fact.
    """

    id: str
    title: str
    why: str
    source: str

    @property
    def severity(self) -> str:
        """`error` or `warning`."""
        return severity_of(self.id)


@dataclass(frozen=True)
class Rule(_Declaration):
    """One check of a single template.

    Attributes:
        find: Yields the violations of a template.
        dated: The result depends on the date, so it must not be cached.
        convention: A convention of this project; only a profile with conventions applies it.
        absence: The violations are missing resources, which a macro such as SAM's can still add.
    """

    find: Callable[[Template], Iterable[Violation]]
    dated: bool = False
    convention: bool = False
    absence: bool = False

    def violations(self, template: Template) -> Iterable[Violation]:
        """Return the violations of a template; none if the template's profile does not apply the rule."""
        if (self.convention and not template.profile.conventions) or (self.absence and template.has_macro):
            return ()
        return self.find(template)


@dataclass(frozen=True)
class StackRule(_Declaration):
    """One check across the stacks of a layout.

    Attributes:
        find: Yields pairs of stack name and violation.
    """

    find: Callable[[StackSet], Iterable[tuple[str, Violation]]]


def template_rule(
    rule_id: str,
    title: str,
    why: str,
    source: str,
    *,
    dated: bool = False,
    convention: bool = False,
    absence: bool = False,
) -> Callable[[Callable[[Template], Iterable[Violation]]], Rule]:
    """Return a decorator that turns a function from template to violations into a rule."""

    def decorate(find: Callable[[Template], Iterable[Violation]]) -> Rule:
        return Rule(rule_id, title, why, source, find, dated=dated, convention=convention, absence=absence)

    return decorate


def stack_rule(
    rule_id: str, title: str, why: str, source: str
) -> Callable[[Callable[[StackSet], Iterable[tuple[str, Violation]]]], StackRule]:
    """Return a decorator that turns a function from stacks to violations into a rule across stacks."""

    def decorate(find: Callable[[StackSet], Iterable[tuple[str, Violation]]]) -> StackRule:
        return StackRule(rule_id, title, why, source, find)

    return decorate
