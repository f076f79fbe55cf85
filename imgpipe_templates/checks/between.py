"""What is wrong between files that are checked together: the stacks of a layout, or templates of anybody."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

# cfn-lint has annotations but no py.typed.
from cfnlint.rules import Match, RuleMatch
from cfnlint.template.template import Template as CfnTemplate

from imgpipe_templates.checks.assembly import IN_TWO, RULES, Assembly, exported_twice
from imgpipe_templates.checks.cfnlint_rules import named_class
from imgpipe_templates.checks.merging import merged
from imgpipe_templates.checks.model import Fault
from imgpipe_templates.checks.template import Template
from imgpipe_templates.promises import promised

Bodies = Mapping[str, Mapping[str, Any]]


def named_rules() -> dict[str, Any]:
    """Return the rules of assemblies as cfn-lint's formatters list them, by id."""
    return {rule.id: named_class(rule.id, rule.short, rule.description, rule.source)() for rule in RULES}


def layouts(bodies: Bodies) -> dict[str, Template]:
    """Return, for each file of a layout of this project, all stacks of the layout as one template.

    Args:
        bodies: Template by file name.
    """
    today = datetime.now(UTC).date()
    found: dict[str, Template] = {}
    for stacks in _stacks(bodies):
        together = Template(merged({name: bodies[file] for name, file in stacks.items()}), today=today)
        found |= dict.fromkeys(stacks.values(), together)
    return found


def matches(bodies: Bodies, named: Mapping[str, Any]) -> Iterator[Match]:
    """Yield what is wrong between files, in cfn-lint's form.

    The stacks of a layout of this project are held to all rules of assemblies. Of other templates, which may be
    deployed with stacks that are not given, only that no two export one name.

    Args:
        bodies: Template by file name.
        named: Rules by id, those of `named_rules` among them.
    """
    for stacks in _stacks(bodies):
        layout = Assembly({name: bodies[file] for name, file in stacks.items()}, {})
        for rule in RULES:
            yield from (_match(named[rule.id], stacks[name], bodies, fault) for name, fault in rule.find(layout))
    others = {file: body for file, body in bodies.items() if promised(body) is None}
    yield from (_match(named[IN_TWO], file, bodies, fault) for file, fault in exported_twice(Assembly(others, {})))


def _stacks(bodies: Bodies) -> list[dict[str, str]]:
    """The layouts among the files: stack name to file, of what this project rendered into one folder."""
    folders: dict[pathlib.Path, dict[str, str]] = {}
    for file, body in bodies.items():
        path = pathlib.Path(file)
        if promised(body) is not None:
            # A stack is often given in both notations; one of them is enough.
            folders.setdefault(path.parent, {}).setdefault(path.name.partition(".")[0], file)
    return [stacks for stacks in folders.values() if len(stacks) > 1]


def _match(named: Any, file: str, bodies: Bodies, fault: Fault) -> Match:
    start = CfnTemplate(file, bodies[file]).get_location_yaml(bodies[file], list(fault.path)) or (0, 0, 0, 0)
    return Match.create(
        fault.message, file, named, *(number + 1 for number in start), RuleMatch(list(fault.path), fault.message)
    )
