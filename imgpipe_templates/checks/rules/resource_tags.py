"""Rules about tags: the required tags of taggable resources, and tags in budget filters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping
from imgpipe_templates.checks.facts.service_deliveries import BUDGET
from imgpipe_templates.checks.facts.tag_properties import TAGGABLE
from imgpipe_templates.checks.facts.template import Resource, Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule

TAGS = "E9541"


@template_rule(
    "E9541",
    "Missing tag",
    "Cost allocation, tag-based access and clean-up find tagged resources only, by each type's own tag property.",
    # AWS Resource Groups Tagging API Reference, overview, read 2026-11
    "https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/overview.html",
)
def missing_tag(template: Template) -> Iterator[Violation]:
    if not template.profile.tags:
        return
    for resource in template.resources.values():
        tags = TAGGABLE.get(resource.type)
        if tags is None and "Tags" in resource.properties:
            tags = ("Tags", "")
        if tags is not None:
            yield from _tag_violations(resource, template.profile.tags, *tags)


def _tag_violations(resource: Resource, required: Mapping[str, str | None], key: str, form: str) -> Iterator[Violation]:
    tags = dict(_tags(resource.properties.get(key)))
    absent = [name for name in required if name not in tags]
    if absent:
        form_text = f" (a {form})" if form else ""
        path = resource.at(key) if key in resource.properties else resource.path
        yield Violation(path, f"{resource.type} lacks the tags {', '.join(absent)}; add them to {key}{form_text}")
    for name, value in required.items():
        if value is not None and name in tags and tags[name] != value:
            yield Violation(resource.at(key), f"tag {name} is {tags[name]!r}; set it to {value!r}")


def _tags(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the tags of a list of {Key, Value} or of a map."""
    if isinstance(value, Mapping) and "Key" not in value:
        for name, text in value.items():
            yield str(name), canonical(text)
        return
    for _, entry in entries(value):
        if isinstance(entry, Mapping):
            yield canonical(entry.get("Key")), canonical(entry.get("Value"))


# The form of a tag in a budget filter (AWS CloudFormation Template Reference, "AWS::Budgets::Budget BudgetData",
# CostFilters, read 2026-12).
_COST_TAG = re.compile(r"(?:user|aws):[^$]+\$.*")


@template_rule(
    "E9567",
    "Budget filter that matches no cost",
    "A budget whose filter matches no cost counts zero, so it never sends a notification.",
    # AWS CloudFormation Template Reference, "AWS::Budgets::Budget BudgetData", read 2026-12
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-budgets-budget-budgetdata.html",
)
def budget_filter_without_costs(template: Template) -> Iterator[Violation]:
    for budget in template.of_type(BUDGET):
        filters = mapping(mapping(budget.properties.get("Budget")).get("CostFilters"))
        for position, value in entries(filters.get("TagKeyValue")):
            text = template.with_defaults(canonical(value))
            if not text.startswith("${") and not _COST_TAG.fullmatch(text):
                yield Violation(
                    budget.at("Budget", "CostFilters", "TagKeyValue", *position),
                    f"{text!r} matches no cost; write user:KEY$VALUE",
                )
