"""The project's rules as cfn-lint rule classes.

`cfn-lint TEMPLATE... -a imgpipe_templates.checks.cfnlint_rules` runs them beside cfn-lint's own, on any template.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from cfnlint.rules import CloudFormationLintRule, RuleMatch

from imgpipe_templates.checks.model import Rule
from imgpipe_templates.checks.rules import RULES
from imgpipe_templates.checks.template import Template

# One view for all rules of a template, and no longer than cfn-lint keeps the template.
_VIEWS: WeakKeyDictionary[Any, Template] = WeakKeyDictionary()


class ProjectRule(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """The base of the classes below; it has no id, and cfn-lint leaves a rule without an id out."""

    rule: ClassVar[Rule]

    def match(self, cfn: Any) -> Iterator[RuleMatch]:
        """The faults of one template, in cfn-lint's form."""
        if cfn not in _VIEWS:
            _VIEWS[cfn] = Template(cfn.template, today=datetime.now(UTC).date())
        for fault in self.rule.find(_VIEWS[cfn]):
            yield RuleMatch(list(fault.path), fault.message)


def rule_class(rule: Rule) -> type[ProjectRule]:
    """The cfn-lint class of one rule."""
    attributes = {
        "rule": rule,
        "id": rule.id,
        "shortdesc": rule.short,
        "description": rule.description,
        "source_url": rule.source,
        "tags": ["imgpipe"],
        "__module__": __name__,
        "__doc__": rule.short,
    }
    return type(f"Rule{rule.id}", (ProjectRule,), attributes)


# cfn-lint collects the classes that it finds as attributes of this module.
globals().update({f"Rule{rule.id}": rule_class(rule) for rule in RULES})
