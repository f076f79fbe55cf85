"""cfn-lint as a library, with its rules and the project's."""

from __future__ import annotations

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

from imgpipe_templates.checks import cfnlint_rules
from imgpipe_templates.checks.facts.expressions import mapping
from imgpipe_templates.checks.facts.lambda_runtimes import runtime_uses
from imgpipe_templates.checks.facts.merged_layout import merge_stacks
from imgpipe_templates.checks.facts.template import Profile, Template
from imgpipe_templates.checks.findings import Finding, Path, severity_of
from imgpipe_templates.checks.rules import RULES
from imgpipe_templates.checks.rules.cloudformation_limits import size_violations, template_exceeds_limit

# The only rules of cfn-lint 1.58.0 that read the date, so their result for a text changes. The project's own runtime
# rules replace them, with the date as an argument.
DATED_RULES = ("E2531", "E2533", "W2531")

# Every Region has its own schemas; the pipelines use only properties that all Regions have.
REGION = "us-east-1"


def lint(
    name: str, text: str, profile: Profile, stacks: Mapping[str, str]
) -> tuple[list[Finding], dict[str, list[tuple[Path, str]]]]:
    """Return the findings that do not depend on the date, and the runtimes for the rules that do.

    Args:
        name: The template's name.
        text: Its JSON text.
        profile: The requirements in addition to those of AWS.
        stacks: All stacks of its layout by their names, itself included; empty for a single template.
    """
    body = json.loads(text)
    template = Template(body, today=date.min)
    size = template_exceeds_limit
    found = [
        Finding(size.id, size.severity, name, violation.path, violation.message, size.source)
        for violation in size_violations(len(text.encode()), "template text")
    ]
    runtimes = {
        rule.id: [use for use in runtime_uses(template) if not _is_ignored(template, rule.id, use[0])]
        for rule in RULES
        if rule.dated
    }
    layout = _merged(tuple(stacks.items())).with_profile(profile) if stacks else None
    return [*found, *_findings(name, body, profile, layout)], runtimes


@lru_cache(maxsize=1)
def _merged(stacks: tuple[tuple[str, str], ...]) -> Template:
    return Template(merge_stacks({stack: json.loads(text) for stack, text in stacks}), today=date.min)


def _findings(name: str, body: Mapping[str, Any], profile: Profile, layout: Template | None) -> Iterator[Finding]:
    # No arguments of this process and no .cfnlintrc of the user or the folder: cfn-lint reads a config file that is no
    # regular file as an empty one.
    config = ConfigMixIn(["--config-file", os.devnull], regions=[REGION])
    with cfnlint_rules.validation_context(profile, layout):
        matches = list(run_template_by_data(_nodes(body, count()), config, undated_rules()))
    for match in matches:
        rule, severity = match.rule, severity_of(match.rule.id)
        if severity != "informational":
            yield Finding(rule.id, severity, name, tuple(getattr(match, "path", ())), match.message, rule.source_url)


@cache
def undated_rules() -> Rules:
    """Return cfn-lint's rules and the project's, without those that depend on the date."""
    dated = {rule.id for rule in RULES if rule.dated}
    return Rules({rule_id: rule for rule_id, rule in load_rules().items() if rule_id not in dated})


@cache
def load_rules() -> Rules:
    """Return cfn-lint's rules without those that read the date, and the project's rules."""
    rules = Rules.create_from_directory(_DEFAULT_RULESDIR)
    rules.update(Rules.create_from_module(cfnlint_rules.__name__))
    return Rules({rule_id: rule for rule_id, rule in rules.items() if rule_id not in DATED_RULES})


def _is_ignored(template: Template, rule_id: str, path: Path) -> bool:
    """True if Metadata of the template or of the resource disables a rule, as in cfn-lint."""
    owner = template.resources[str(path[1])]
    everywhere = any(rule_id.startswith(str(prefix)) for prefix in _ignored(template.body))
    return everywhere or rule_id in _ignored(owner.body)


def _ignored(body: Mapping[str, Any]) -> list[Any]:
    settings = mapping(mapping(mapping(body.get("Metadata")).get("cfn-lint")).get("config"))
    ignored = settings.get("ignore_checks")
    return ignored if isinstance(ignored, list) else []


def _nodes(value: Any, line: Iterator[int]) -> Any:
    """Return parsed JSON as cfn-lint's node classes, each with a different line.

    cfn-lint merges two findings with one message and one line, so the lines must differ. The numbers themselves have no
    meaning, because findings have paths.
    """
    if isinstance(value, dict):
        mark = Mark(next(line), 0)
        return dict_node({_nodes(key, line): _nodes(entry, line) for key, entry in value.items()}, mark, mark)
    if isinstance(value, list):
        mark = Mark(next(line), 0)
        return list_node([_nodes(entry, line) for entry in value], mark, mark)
    if isinstance(value, str):
        mark = Mark(next(line), 0)
        return str_node(value, mark, mark)
    return value
