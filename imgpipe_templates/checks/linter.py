"""cfn-lint with the project's rules, as a library. Importing this module costs what importing cfn-lint costs."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache, lru_cache
from itertools import count
from typing import Any

# cfn-lint has annotations but no py.typed.
from cfnlint.config import _DEFAULT_RULESDIR, ConfigMixIn
from cfnlint.decode.mark import Mark
from cfnlint.decode.node import dict_node, list_node, str_node
from cfnlint.rules import Rules
from cfnlint.runner import run_template_by_data

from imgpipe_templates.checks.cfnlint_rules import held_to, rule_class
from imgpipe_templates.checks.merging import merged
from imgpipe_templates.checks.model import Finding, Path, Profile, severity_of
from imgpipe_templates.checks.rules import RULES, limits
from imgpipe_templates.checks.rules.functions import runtime_uses
from imgpipe_templates.checks.template import Template
from imgpipe_templates.checks.values import mapping

(_SIZE,) = limits.RULES

# The only rules of cfn-lint 1.58.0 that ask for the date: what they say of a text today may be wrong tomorrow. The
# project's own runtime rule says the same with a date that is passed in.
DATED_RULES = ("E2531", "E2533", "W2531")

# Every Region has its own schemas; the pipelines use nothing that one of them lacks.
REGION = "us-east-1"


def lint(
    name: str, text: str, profile: Profile, stacks: Mapping[str, str]
) -> tuple[list[Finding], dict[str, list[tuple[Path, str]]]]:
    """The findings in one template that hold on every day, and what the rules that depend on the day look at.

    Args:
        name: The template's name.
        text: Its JSON text.
        profile: What to ask in addition to what AWS asks.
        stacks: All stacks of its layout by their names in the layout, itself included; empty for a template alone.
    """
    body = json.loads(text)
    template = Template(body, today=date.min)
    size = limits.body_faults(len(text.encode()), "template as written")
    found = [Finding(_SIZE.id, _SIZE.severity, name, fault.path, fault.message, _SIZE.source) for fault in size]
    runtimes = {
        rule.id: [use for use in runtime_uses(template) if not _is_excused(template, rule.id, use[0])]
        for rule in RULES
        if rule.dated
    }
    together = _together(tuple(stacks.items())).held_to(profile) if stacks else None
    return [*found, *_matches(name, body, profile, together)], runtimes


@lru_cache(maxsize=1)
def _together(stacks: tuple[tuple[str, str], ...]) -> Template:
    return Template(merged({stack: json.loads(text) for stack, text in stacks}), today=date.min)


def _matches(name: str, body: Mapping[str, Any], profile: Profile, together: Template | None) -> Iterator[Finding]:
    # No arguments of this process and no .cfnlintrc of the user or the folder: a config file that is no regular file
    # is read as an empty one.
    config = ConfigMixIn(["--config-file", os.devnull], regions=[REGION])
    with held_to(profile, together):
        matches = list(run_template_by_data(_nodes(body, count()), config, project_rules()))
    for match in matches:
        rule, severity = match.rule, severity_of(match.rule.id)
        if severity != "informational":
            yield Finding(rule.id, severity, name, tuple(getattr(match, "path", ())), match.message, rule.source_url)


@cache
def project_rules() -> Rules:
    """cfn-lint's rules and ours, loaded once for all templates of a process, without those that depend on the day."""
    rules = Rules.create_from_directory(_DEFAULT_RULESDIR)
    chosen = {rule_id: rule for rule_id, rule in rules.items() if rule_id not in DATED_RULES}
    loaded = Rules({**chosen, **{rule.id: rule_class(rule)() for rule in RULES if not rule.dated}})
    # Modules and rules live as long as the process; the collector would look at each of their million objects again.
    gc.freeze()
    return loaded


def _is_excused(template: Template, rule_id: str, path: Path) -> bool:
    """Whether Metadata of the template or of the resource switches a rule off, as cfn-lint reads it."""
    owner = template.resources[str(path[1])]
    everywhere = any(rule_id.startswith(str(prefix)) for prefix in _ignored(template.body))
    return everywhere or rule_id in _ignored(owner.body)


def _ignored(body: Mapping[str, Any]) -> list[Any]:
    settings = mapping(mapping(mapping(body.get("Metadata")).get("cfn-lint")).get("config"))
    ignored = settings.get("ignore_checks")
    return ignored if isinstance(ignored, list) else []


def _nodes(value: Any, place: Iterator[int]) -> Any:
    """Parsed JSON in cfn-lint's node classes, each with a line of its own.

    cfn-lint takes two findings with one message and one line for the same, so the lines must differ; what they are
    does not matter, findings here have paths.
    """
    if isinstance(value, dict):
        mark = Mark(next(place), 0)
        return dict_node({_nodes(key, place): _nodes(entry, place) for key, entry in value.items()}, mark, mark)
    if isinstance(value, list):
        mark = Mark(next(place), 0)
        return list_node([_nodes(entry, place) for entry in value], mark, mark)
    if isinstance(value, str):
        mark = Mark(next(place), 0)
        return str_node(value, mark, mark)
    return value
