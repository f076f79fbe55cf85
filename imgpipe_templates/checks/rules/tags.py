"""The rule of the tags that the profile requires on every taggable resource."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates.checks.model import Fault, Rule
from imgpipe_templates.checks.taggable import TAGGABLE
from imgpipe_templates.checks.template import (
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, entries, mapping

TAGS = "E9541"


def _untagged(template: Template) -> Iterator[Fault]:
    if not template.profile.tags:
        return
    for resource in template.resources.values():
        place = TAGGABLE.get(resource.type)
        if place is None and "Tags" in resource.properties:
            place = ("Tags", "")
        if place is not None:
            yield from _missing(resource, template.profile.tags, *place)


def _missing(resource: Resource, required: Mapping[str, str | None], key: str, spelling: str) -> Iterator[Fault]:
    tags = dict(_tags(resource.properties.get(key)))
    absent = [name for name in required if name not in tags]
    if absent:
        form = f" (a {spelling})" if spelling else ""
        path = resource.at(key) if key in resource.properties else resource.path
        yield Fault(path, f"{resource.type} lacks the tags {', '.join(absent)}; add them to {key}{form}")
    for name, value in required.items():
        if value is not None and name in tags and tags[name] != value:
            yield Fault(resource.at(key), f"tag {name} is {tags[name]!r}; it must be {value!r}")


def _tags(value: Any) -> Iterator[tuple[str, str]]:
    """The tags of a list of {Key, Value} or of a map."""
    if isinstance(value, Mapping) and "Key" not in value:
        for name, text in value.items():
            yield str(name), canonical(text)
        return
    for _, entry in entries(value):
        if isinstance(entry, Mapping):
            yield canonical(entry.get("Key")), canonical(entry.get("Value"))


# How a budget names a tag (AWS CloudFormation Template Reference, "AWS::Budgets::Budget BudgetData", CostFilters, read
# 2026-12).
_COST_TAG = re.compile(r"(?:user|aws):[^$]+\$.*")


def _uncounted(template: Template) -> Iterator[Fault]:
    for budget in template.of_type("AWS::Budgets::Budget"):
        filters = mapping(mapping(budget.properties.get("Budget")).get("CostFilters"))
        for position, value in entries(filters.get("TagKeyValue")):
            text = template.with_defaults(canonical(value))
            if not text.startswith("${") and not _COST_TAG.fullmatch(text):
                yield Fault(
                    budget.at("Budget", "CostFilters", "TagKeyValue", *position),
                    f"{text!r} matches no cost; write user:KEY$VALUE",
                )


RULES = (
    Rule(
        "E9567",
        "Budget filter that matches no cost",
        "A budget whose filter matches nothing counts zero, so it never sends a notification.",
        # AWS CloudFormation Template Reference, "AWS::Budgets::Budget BudgetData", read 2026-12
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-budgets-budget-budgetdata.html",
        _uncounted,
    ),
    Rule(
        TAGS,
        "Taggable resource without a required tag",
        "Cost allocation, access by tag and clean-up find only what is tagged, under whatever name the type has tags.",
        # AWS Resource Groups Tagging API Reference, overview, read 2026-11
        "https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/overview.html",
        _untagged,
    ),
)
