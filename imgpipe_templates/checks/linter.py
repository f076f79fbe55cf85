"""cfn-lint with the project's rules, as a library. Importing this module costs what importing cfn-lint costs."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

# cfn-lint has annotations but no py.typed.
from cfnlint.config import _DEFAULT_RULESDIR, ConfigMixIn  # type: ignore[import-untyped]
from cfnlint.decode.mark import Mark  # type: ignore[import-untyped]
from cfnlint.decode.node import dict_node, list_node  # type: ignore[import-untyped]
from cfnlint.rules import Rules  # type: ignore[import-untyped]
from cfnlint.runner import run_template_by_data  # type: ignore[import-untyped]

from imgpipe_templates.checks.cfnlint_rules import rule_class
from imgpipe_templates.checks.model import Finding, severity_of
from imgpipe_templates.checks.rules import RULES

# The only rules of cfn-lint 1.58.0 that ask for the date: what they say of a text today may be wrong tomorrow. The
# project's own runtime rule says the same with a date that is passed in.
DATED_RULES = ("E2531", "E2533", "W2531")

# Every Region has its own schemas; the pipelines use nothing that one of them lacks.
REGION = "us-east-1"


def lint(name: str, body: Mapping[str, Any]) -> list[Finding]:
    """The findings of cfn-lint and of the project's rules in one template, those left out that depend on the day."""
    # No arguments of this process and no .cfnlintrc of the user or the folder: a config file that is no regular file
    # is read as an empty one.
    config = ConfigMixIn(["--config-file", os.devnull], regions=[REGION])
    with _without_collector():
        matches = list(run_template_by_data(_nodes(body), config, _rules()))
    return [
        Finding(
            match.rule.id,
            severity_of(match.rule.id),
            name,
            tuple(getattr(match, "path", ())),
            match.message,
            match.rule.source_url,
        )
        for match in matches
        if severity_of(match.rule.id) != "informational"
    ]


@cache
def _rules() -> Rules:
    """cfn-lint's rules and ours, loaded once for all templates of a process."""
    with _without_collector():
        rules = Rules.create_from_directory(_DEFAULT_RULESDIR)
        chosen = {rule_id: rule for rule_id, rule in rules.items() if rule_id not in DATED_RULES}
        own = {rule.id: rule_class(rule)() for rule in RULES if not rule.dated}
        return Rules({**chosen, **own})


def _nodes(value: Any) -> Any:
    """Parsed JSON in cfn-lint's node classes, all with one position: findings here have paths, not lines."""
    if isinstance(value, dict):
        return dict_node({key: _nodes(entry) for key, entry in value.items()}, _NOWHERE, _NOWHERE)
    if isinstance(value, list):
        return list_node([_nodes(entry) for entry in value], _NOWHERE, _NOWHERE)
    return value


_NOWHERE = Mark(0, 0)


@contextmanager
def _without_collector() -> Iterator[None]:
    """No garbage collection meanwhile: linting makes a million objects that live to its end, and little garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
