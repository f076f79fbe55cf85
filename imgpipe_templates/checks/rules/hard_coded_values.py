"""The rule about hard-coded account ids, Regions, partitions and URL suffixes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates.checks.facts.template import Template
from imgpipe_templates.checks.findings import Path, Violation
from imgpipe_templates.checks.rule import template_rule

_SUSPECT = re.compile(r"arn:aws|amazonaws|[0-9]{12}|[a-z]-[a-z]+-[0-9]")
_PARTITION = re.compile(r"\barn:(aws[a-z-]*):")
_PART = r"(?:\$\{[^}]*\}|[^:\s$])*:"
_ACCOUNT_IN_ARN = re.compile(rf"\barn:{_PART}{_PART}{_PART}([0-9]{{12}}):")
_ACCOUNT = re.compile(r"[0-9]{12}")
# The forms of the Region codes that cfn-lint 1.58.0 knows; tests/checks compares them.
_REGION = re.compile(
    r"(?<![a-z0-9])((?:us|eu|ap|sa|ca|me|af|il|mx|cn|eusc-[a-z]{2})-(?:(?:gov|iso[a-z]?)-)?"
    r"(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-[0-9])(?![0-9])"
)
_URL_SUFFIX = re.compile(r"\bamazonaws\.com(?:\.cn)?\b")

# Free text; no deployment depends on it.
_TEXT_KEYS = frozenset({"Description", "AlarmDescription", "GroupDescription", "Metadata", "Comment"})
# Code is no template; event patterns and conditions describe events and requests from any place.
_NOT_DEPLOYED_KEYS = frozenset({"ZipFile", "InlineCode", "EventPattern", "Condition"})
# A condition chooses among several literals, and a list of Regions must contain literals.
_CHOSEN_KEYS = frozenset({"Fn::If", "Regions", "Replicas"})
# A service principal ends with amazonaws.com and is a name, not a URL.
_PRINCIPAL_KEYS = frozenset({"Principal", "NotPrincipal", "Service"})
_PRINCIPAL = re.compile(r"[a-z0-9-]+\.amazonaws\.com(?:\.cn)?")
# A layer of another account keeps that account and partition in every deployment.
_FOREIGN_LAYER = re.compile(rf"^arn:aws[a-z-]*:lambda:{_PART}[0-9]{{12}}:layer:")


@template_rule(
    "E9542",
    "Hard-coded account id, Region, partition or URL suffix",
    "The template can be deployed in one place only; pseudo parameters make it portable.",
    # AWS CloudFormation User Guide, "Get AWS values using pseudo parameters", read 2026-11
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html",
)
def hard_coded_location(template: Template) -> Iterator[Violation]:
    for section in ("Resources", "Outputs"):
        for path, text in _strings((section,), template.section(section)):
            yield from _violations(path, text)
    for name, parameter in template.section("Parameters").items():
        default = parameter.get("Default") if isinstance(parameter, Mapping) else None
        if isinstance(default, str):
            yield from _violations(("Parameters", name, "Default"), default)


def _strings(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        if _SUSPECT.search(value):
            yield path, value
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            if key not in _TEXT_KEYS and key not in _NOT_DEPLOYED_KEYS:
                yield from _strings((*path, key), entry)
    elif isinstance(value, list | tuple):
        for position, entry in enumerate(value):
            yield from _strings((*path, position), entry)


def _violations(path: Path, text: str) -> Iterator[Violation]:
    if _CHOSEN_KEYS & set(path):
        return
    if found := _REGION.search(text):
        yield Violation(path, f"Region {found[1]!r} is hard-coded in {text!r}; write ${{AWS::Region}} in a Fn::Sub")
    if _FOREIGN_LAYER.search(text):
        return
    if found := _PARTITION.search(text):
        yield Violation(
            path, f"partition {found[1]!r} is hard-coded in {text!r}; write arn:${{AWS::Partition}} in a Fn::Sub"
        )
    if found := _ACCOUNT_IN_ARN.search(text):
        yield Violation(path, f"account {found[1]} is hard-coded in {text!r}; write ${{AWS::AccountId}} in a Fn::Sub")
    elif _ACCOUNT.fullmatch(text) and _is_account_id(path):
        yield Violation(
            path, f"account {text} is hard-coded; use Ref: AWS::AccountId, or a parameter for another account"
        )
    if _URL_SUFFIX.search(text) and not _PRINCIPAL_KEYS & set(path) and not _PRINCIPAL.fullmatch(text):
        yield Violation(
            path, f"the URL suffix of one partition is hard-coded in {text!r}; write ${{AWS::URLSuffix}} in a Fn::Sub"
        )


def _is_account_id(path: Path) -> bool:
    """True if twelve digits at a path are an account id and not a size or a time."""
    return any(isinstance(key, str) and (key in ("AWS", "Principal") or "account" in key.lower()) for key in path[2:])
