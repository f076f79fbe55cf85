"""Checks between template files: stacks of a layout of this project, and export names of other templates."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

# cfn-lint has annotations but no py.typed.
from cfnlint.rules import Match, RuleMatch
from cfnlint.template.template import Template as CfnTemplate

from imgpipe_templates.checks.cfnlint_rules import described_class
from imgpipe_templates.checks.facts.merged_layout import merge_stacks
from imgpipe_templates.checks.facts.stack_references import StackSet
from imgpipe_templates.checks.facts.template import Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rules import STACK_RULES
from imgpipe_templates.checks.rules.cross_stack_references import duplicate_exports, duplicate_stack_name
from imgpipe_templates.promises import promised

Bodies = Mapping[str, Mapping[str, Any]]


def stack_rule_classes() -> dict[str, Any]:
    """Return the rules across stacks as cfn-lint rules for its report formats, by id."""
    return {rule.id: described_class(rule)() for rule in STACK_RULES}


def merged_layouts(bodies: Bodies) -> dict[str, Template]:
    """Return, for each file of a layout of this project, the merged stacks of the layout.

    Args:
        bodies: Template by file name.
    """
    today = datetime.now(UTC).date()
    found: dict[str, Template] = {}
    for stacks in _layouts(bodies):
        layout = Template(merge_stacks({name: bodies[file] for name, file in stacks.items()}), today=today)
        found |= dict.fromkeys(stacks.values(), layout)
    return found


def matches_between_files(bodies: Bodies, rules: Mapping[str, Any]) -> Iterator[Match]:
    """Yield the violations between files in cfn-lint's form.

    All rules across stacks apply to the stacks of a layout of this project. Other templates may be deployed with stacks
    that are not among the files, so only duplicate export names are reported for them.

    Args:
        bodies: Template by file name.
        rules: Rules by id, including those of `stack_rule_classes`.
    """
    for stacks in _layouts(bodies):
        layout = StackSet({name: bodies[file] for name, file in stacks.items()}, {})
        for rule in STACK_RULES:
            yield from (_match(rules[rule.id], stacks[name], bodies, one) for name, one in rule.find(layout))
    others = {file: body for file, body in bodies.items() if promised(body) is None}
    for file, violation in duplicate_exports(StackSet(others, {})):
        yield _match(rules[duplicate_stack_name.id], file, bodies, violation)


def _layouts(bodies: Bodies) -> list[dict[str, str]]:
    """Return the layouts among the files, each as stack name to file: templates of this project in one folder."""
    folders: dict[pathlib.Path, dict[str, str]] = {}
    for file, body in bodies.items():
        path = pathlib.Path(file)
        if promised(body) is not None:
            # A stack may be present as JSON and as YAML; one of them is enough.
            folders.setdefault(path.parent, {}).setdefault(path.name.partition(".")[0], file)
    return [stacks for stacks in folders.values() if len(stacks) > 1]


def _match(rule: Any, file: str, bodies: Bodies, violation: Violation) -> Match:
    path, message = list(violation.path), violation.message
    start = CfnTemplate(file, bodies[file]).get_location_yaml(bodies[file], path) or (0, 0, 0, 0)
    return Match.create(message, file, rule, *(number + 1 for number in start), RuleMatch(path, message))
