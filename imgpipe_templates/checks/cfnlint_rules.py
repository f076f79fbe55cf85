"""The project's rules as cfn-lint rule classes.

`cfn-lint TEMPLATE... -a imgpipe_templates.checks.cfnlint_rules` runs them in addition to cfn-lint's rules, on any
template. `render` and `validate` load the rules from this module in the same way.

cfn-lint does the following for these rules: it loads classes from a module (`--append-rules`), configures a rule
(`-x E9512:convention=true`), applies `ignore_checks` in Metadata, finds the line of a path, and writes reports. The
project has two other parts, for these reasons:

- `facts/`. cfn-lint passes the parsed template to a rule. It has no comparison of expressions such as an ARN built from
  a name and `Fn::GetAtt`, no IAM evaluation, and no deliveries; nearly every rule here compares several resources.
- `Rule` instead of `CloudFormationLintRule` in `rules/`. A rule must also run on the merged stacks of a layout, on a
  given date, with a profile, and without the import of cfn-lint. Custom rules files (`--custom-rules`) and JSON-schema
  rules of cfn-lint compare one property with constants, and have no place for the AWS source of a rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from cfnlint.rules import CloudFormationLintRule, RuleMatch

from imgpipe_templates.checks.facts.template import Profile, Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.profiles import profile_of
from imgpipe_templates.checks.rule import Rule, StackRule
from imgpipe_templates.checks.rules import RULES
from imgpipe_templates.checks.rules.resource_tags import missing_tag

# One Template for all rules, kept as long as cfn-lint keeps its own.
_TEMPLATES: WeakKeyDictionary[Any, Template] = WeakKeyDictionary()
# cfn-lint passes a rule only the template, so the profile of a run is kept here. None: the profile of the template's
# Metadata.
_PROFILE: ContextVar[Profile | None] = ContextVar("profile", default=None)
# The merged stacks of the template's layout; None for a single template.
_LAYOUT: ContextVar[Template | None] = ContextVar("layout", default=None)


@contextmanager
def validation_context(profile: Profile | None, layout: Template | None = None) -> Iterator[None]:
    """Set profile and layout for the rules.

    Args:
        profile: The requirements in addition to those of AWS; None uses the profile of each template's Metadata.
        layout: The merged stacks of the template's layout; violations of resources are found in it.
    """
    tokens = _PROFILE.set(profile), _LAYOUT.set(layout)
    try:
        yield
    finally:
        _PROFILE.reset(tokens[0])
        _LAYOUT.reset(tokens[1])


class ProjectRule(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """The base of the classes below; it has no id, so cfn-lint ignores it."""

    rule: ClassVar[Rule]

    def __init__(self) -> None:
        super().__init__()
        self.config_definition = _config_definition(self.rule) if self.id else {}  # cfn-lint also creates the base

    def match(self, cfn: Any) -> Iterator[RuleMatch]:
        """Yield the violations of one template in cfn-lint's form."""
        if cfn not in _TEMPLATES:
            profile = _PROFILE.get() or profile_of(cfn.template)
            _TEMPLATES[cfn] = Template(cfn.template, today=datetime.now(UTC).date(), profile=profile)
        template, layout = _TEMPLATES[cfn], _LAYOUT.get()
        for violation in self._violations(template):
            if layout is None or not _is_in_resource(violation):
                yield RuleMatch(list(violation.path), violation.message)
        for violation in () if layout is None else self._violations(layout):
            if _is_in_resource(violation) and violation.path[1] in template.resources:
                yield RuleMatch(list(violation.path), violation.message)

    def _violations(self, template: Template) -> Iterable[Violation]:
        return self.rule.violations(template.with_profile(self._configured(template.profile)))

    def _configured(self, profile: Profile) -> Profile:
        """Return the profile with the settings of the user's cfn-lint for this rule."""
        tags = [tag for setting in self.config.get("tags", ()) for tag in setting.split(";")]
        required = {key: value if equals else None for key, equals, value in (tag.partition("=") for tag in tags)}
        return Profile({**profile.tags, **required}, profile.conventions or self.config.get("convention", False))


def _is_in_resource(violation: Violation) -> bool:
    return len(violation.path) > 1 and violation.path[0] == "Resources"


def rule_class(rule: Rule) -> type[ProjectRule]:
    """Return the cfn-lint class of a rule."""
    return type(f"Rule{rule.id}", (described_class(rule), ProjectRule), {"rule": rule, "__module__": __name__})


def described_class(rule: Rule | StackRule) -> type[Any]:
    """Return a cfn-lint class with id, texts and source of a rule, and without a check."""
    attributes = {
        "id": rule.id,
        "shortdesc": rule.title,
        "description": rule.why,
        "source_url": rule.source,
        "tags": ["imgpipe"],
        "__module__": __name__,
        "__doc__": rule.title,
    }
    return type(f"Described{rule.id}", (CloudFormationLintRule,), attributes)


def _config_definition(rule: Rule) -> dict[str, Any]:
    """Return the settings of a rule in a user's cfn-lint, as in `-x E9512:convention=true`."""
    if rule is missing_tag:
        return {"tags": {"default": [], "type": "list", "itemtype": "string"}}
    return {"convention": {"default": False, "type": "boolean"}} if rule.convention else {}


# cfn-lint loads the classes that it finds as attributes of this module.
globals().update({f"Rule{rule.id}": rule_class(rule) for rule in RULES})
