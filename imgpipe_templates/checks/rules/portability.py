"""The rule against templates that only fit one account, Region or partition."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates.checks.model import Fault, Path, Rule
from imgpipe_templates.checks.template import Template

_SUSPECT = re.compile(r"arn:aws|amazonaws|[0-9]{12}|[a-z]-[a-z]+-[0-9]")
_PARTITION = re.compile(r"\barn:(aws[a-z-]*):")
_PART = r"(?:\$\{[^}]*\}|[^:\s$])*:"
_ACCOUNT_IN_ARN = re.compile(rf"\barn:{_PART}{_PART}{_PART}([0-9]{{12}}):")
_ACCOUNT = re.compile(r"[0-9]{12}")
# The forms of the Region codes that cfn-lint 1.58.0 knows; tests/checks holds them together.
_REGION = re.compile(
    r"(?<![a-z0-9])((?:us|eu|ap|sa|ca|me|af|il|mx|cn|eusc-[a-z]{2})-(?:(?:gov|iso[a-z]?)-)?"
    r"(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-[0-9])(?![0-9])"
)
_URL_SUFFIX = re.compile(r"\bamazonaws\.com(?:\.cn)?\b")

# Free text, and names that a reader gives; no deployment depends on them.
_TEXT_KEYS = frozenset({"Description", "AlarmDescription", "GroupDescription", "Metadata", "Comment"})
# Code is no template; an event pattern and a condition say of events and requests what they are, wherever they come
# from.
_NOT_DEPLOYED_KEYS = frozenset({"ZipFile", "InlineCode", "EventPattern", "Condition"})
# What is chosen by a condition is one of several literals, and a list of Regions is there to name them.
_CHOSEN_KEYS = frozenset({"Fn::If", "Regions", "Replicas"})
# A service principal ends with amazonaws.com and is a name, not an address.
_PRINCIPAL_KEYS = frozenset({"Principal", "NotPrincipal", "Service"})
_PRINCIPAL = re.compile(r"[a-z0-9-]+\.amazonaws\.com(?:\.cn)?")
# A layer of another account is in that account, and so in its partition, wherever it is used.
_FOREIGN_LAYER = re.compile(rf"^arn:aws[a-z-]*:lambda:{_PART}[0-9]{{12}}:layer:")


def _literals(template: Template) -> Iterator[Fault]:
    for section in ("Resources", "Outputs"):
        for path, text in _strings((section,), template.section(section)):
            yield from _judge(path, text)
    for name, parameter in template.section("Parameters").items():
        default = parameter.get("Default") if isinstance(parameter, Mapping) else None
        if isinstance(default, str):
            yield from _judge(("Parameters", name, "Default"), default)


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


def _judge(path: Path, text: str) -> Iterator[Fault]:
    if _CHOSEN_KEYS & set(path):
        return
    if found := _REGION.search(text):
        yield Fault(path, f"Region {found[1]!r} is fixed in {text!r}; write ${{AWS::Region}} in a Fn::Sub")
    if _FOREIGN_LAYER.search(text):
        return
    if found := _PARTITION.search(text):
        yield Fault(path, f"partition {found[1]!r} is fixed in {text!r}; write arn:${{AWS::Partition}} in a Fn::Sub")
    if found := _ACCOUNT_IN_ARN.search(text):
        yield Fault(path, f"account {found[1]} is fixed in {text!r}; write ${{AWS::AccountId}} in a Fn::Sub")
    elif _ACCOUNT.fullmatch(text) and _means_account(path):
        yield Fault(path, f"account {text} is fixed; use Ref: AWS::AccountId, or a parameter for another account")
    if _URL_SUFFIX.search(text) and not _PRINCIPAL_KEYS & set(path) and not _PRINCIPAL.fullmatch(text):
        yield Fault(path, f"the domain of one partition is fixed in {text!r}; write ${{AWS::URLSuffix}} in a Fn::Sub")


def _means_account(path: Path) -> bool:
    """Whether a value of twelve digits stands where an account id does, and not a size or a time."""
    return any(isinstance(key, str) and (key in ("AWS", "Principal") or "account" in key.lower()) for key in path[2:])


RULES = (
    Rule(
        "E9542",
        "Account id, Region, partition or URL domain written out",
        "The template deploys in one place only; pseudo parameters say it for every place.",
        # AWS CloudFormation User Guide, "Get AWS values using pseudo parameters", read 2026-11
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html",
        _literals,
    ),
)
