"""The project's rules as cfn-lint rule classes.

`cfn-lint TEMPLATE... -a imgpipe_templates.checks.cfnlint_rules` runs them beside cfn-lint's own, on any template.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from cfnlint.rules import CloudFormationLintRule, RuleMatch

from imgpipe_templates.checks.model import Fault, Profile, Rule
from imgpipe_templates.checks.profiles import profile_of
from imgpipe_templates.checks.rules import RULES
from imgpipe_templates.checks.rules.tags import TAGS
from imgpipe_templates.checks.template import Template

# One view for all rules of a template, and no longer than cfn-lint keeps the template.
_VIEWS: WeakKeyDictionary[Any, Template] = WeakKeyDictionary()
# cfn-lint passes a rule only the template, so the profile of a run is kept here. None: the template's own Metadata
# decides.
_PROFILE: ContextVar[Profile | None] = ContextVar("profile", default=None)


# All stacks of the layout that a template is one of, as one; None for a template alone.
_TOGETHER: ContextVar[Template | None] = ContextVar("together", default=None)


@contextmanager
def held_to(profile: Profile | None, together: Template | None = None) -> Iterator[None]:
    """Ask the rules by one profile meanwhile; None asks by what each template says of itself.

    Args:
        profile: What to ask in addition to what AWS asks.
        together: All stacks of the layout as one template; what a rule says of a resource is said by it.
    """
    tokens = _PROFILE.set(profile), _TOGETHER.set(together)
    try:
        yield
    finally:
        _PROFILE.reset(tokens[0])
        _TOGETHER.reset(tokens[1])


class ProjectRule(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """The base of the classes below; it has no id, and cfn-lint leaves a rule without an id out."""

    rule: ClassVar[Rule]

    def __init__(self) -> None:
        super().__init__()
        self.config_definition = _settings(self.rule) if self.id else {}  # cfn-lint makes one of the base as well

    def match(self, cfn: Any) -> Iterator[RuleMatch]:
        """The faults of one template, in cfn-lint's form."""
        if cfn not in _VIEWS:
            profile = _PROFILE.get() or profile_of(cfn.template)
            _VIEWS[cfn] = Template(cfn.template, today=datetime.now(UTC).date(), profile=profile)
        view, together = _VIEWS[cfn], _TOGETHER.get()
        for fault in self._faults(view):
            if together is None or not _is_of_resource(fault):
                yield RuleMatch(list(fault.path), fault.message)
        for fault in () if together is None else self._faults(together):
            if _is_of_resource(fault) and fault.path[1] in view.resources:
                yield RuleMatch(list(fault.path), fault.message)

    def _faults(self, view: Template) -> Iterable[Fault]:
        return self.rule.faults(view.held_to(self._asked(view.profile)))

    def _asked(self, profile: Profile) -> Profile:
        """The profile with what the settings of the user's cfn-lint add to it for this rule."""
        tags = [tag for setting in self.config.get("tags", ()) for tag in setting.split(";")]
        required = {key: value if equals else None for key, equals, value in (tag.partition("=") for tag in tags)}
        return Profile({**profile.tags, **required}, profile.conventions or self.config.get("convention", False))


def _is_of_resource(fault: Fault) -> bool:
    return len(fault.path) > 1 and fault.path[0] == "Resources"


def rule_class(rule: Rule) -> type[ProjectRule]:
    """The cfn-lint class of one rule."""
    named = named_class(rule.id, rule.short, rule.description, rule.source)
    return type(f"Rule{rule.id}", (named, ProjectRule), {"rule": rule, "__module__": __name__})


def named_class(rule_id: str, short: str, description: str, source: str) -> type[Any]:
    """A cfn-lint class with the name and the source of a rule, which finds nothing of itself."""
    attributes = {
        "id": rule_id,
        "shortdesc": short,
        "description": description,
        "source_url": source,
        "tags": ["imgpipe"],
        "__module__": __name__,
        "__doc__": short,
    }
    return type(f"Named{rule_id}", (CloudFormationLintRule,), attributes)


def _settings(rule: Rule) -> dict[str, Any]:
    """What a user's cfn-lint can set for a rule, as in `-x E9512:convention=true`."""
    if rule.id == TAGS:
        return {"tags": {"default": [], "type": "list", "itemtype": "string"}}
    return {"convention": {"default": False, "type": "boolean"}} if rule.convention else {}


# cfn-lint collects the classes that it finds as attributes of this module.
globals().update({f"Rule{rule.id}": rule_class(rule) for rule in RULES})
