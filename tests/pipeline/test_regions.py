"""Every preset can be created in every Region that cfn-lint knows."""

from __future__ import annotations

import json

import pytest
from cfnlint.api import ManualArgs, lint
from cfnlint.helpers import REGIONS
from cfnlint.rules.resources.lmbd.SnapStartSupported import SnapStartSupported
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from imgpipe_templates import load_preset, render_pipeline
from imgpipe_templates.config import PRESETS
from tests.templates import rendered

# Together with the presets: every resource type that an option adds.
MORE = {
    "network, layer, tokens": (
        "production",
        "vpc=true",
        "processing.pillow=layer",
        "retrieval.authorization=jwt",
        "retrieval.provisioned_concurrency=2",
    ),
    "retries": ("thumbnails", "processing.retry_attempts=1"),
    "S3 feeds the queue": ("production", "queue.fed_by=s3", "names=generated"),
}
CASES = {**{name: (name,) for name in PRESETS.names}, **MORE}


def is_true(fact, conditions, region: str) -> bool:
    """Evaluate a condition in a Region, with parameters as they are by default."""
    match fact:
        case {"Fn::Or": facts}:
            return any(is_true(each, conditions, region) for each in facts)
        case {"Fn::Equals": [{"Ref": "AWS::Region"}, value]}:
            return value == region
        case {"Condition": title}:
            return is_true(conditions[title], conditions, region)
    raise AssertionError(f"{fact} is not about the Region")


def regions_of(template, title: str) -> set[str]:
    conditions = template["Conditions"]
    return {region for region in REGIONS if is_true(conditions[title], conditions, region)}


@pytest.mark.parametrize("case", CASES)
def test_template_can_be_created_in_every_region(case):
    preset, *overrides = CASES[case]
    text = json.dumps(rendered(load_preset(preset, overrides)))

    assert [str(match) for match in lint(text, config=ManualArgs(regions=list(REGIONS)))] == []


def test_budget_is_created_exactly_where_cloudformation_has_budgets():
    template = rendered(load_preset("production"))

    regions = regions_of(template, template["Resources"]["ProjectBudget"]["Condition"])
    assert {"us-east-1", "eu-central-1"} <= regions
    assert not {"eu-north-1", "eu-central-2", "us-gov-west-1"} & regions
    known = {
        region for region in REGIONS if "AWS::Budgets::Budget" in PROVIDER_SCHEMA_MANAGER.get_resource_types(region)
    }
    assert regions == known


def test_output_says_where_no_budget_was_created():
    template = rendered(load_preset("production"))

    condition, name, otherwise = template["Outputs"]["ProjectBudgetName"]["Value"]["Fn::If"]
    assert condition == template["Resources"]["ProjectBudget"]["Condition"]
    assert name == template["Resources"]["ProjectBudget"]["Properties"]["Budget"]["BudgetName"]
    assert otherwise == "none, because CloudFormation has no AWS::Budgets::Budget in this Region"


def test_snapshots_are_taken_exactly_where_lambda_has_snap_start():
    template = rendered(load_preset("media-library", ["retrieval.snap_start=true"]))

    condition, snap_start, otherwise = template["Resources"]["ImageRetrievalFunction"]["Properties"]["SnapStart"][
        "Fn::If"
    ]
    assert snap_start == {"ApplyOn": "PublishedVersions"}
    assert otherwise == {"Ref": "AWS::NoValue"}
    assert regions_of(template, condition) == set(SnapStartSupported().regions)


def test_conditions_have_no_more_alternatives_than_cloudformation_allows():
    def alternatives(fact):
        if isinstance(fact, dict) and "Fn::Or" in fact:
            yield len(fact["Fn::Or"])
            for each in fact["Fn::Or"]:
                yield from alternatives(each)

    template = rendered(load_preset("production", ["retrieval.snap_start=true"]))
    counts = [count for fact in template["Conditions"].values() for count in alternatives(fact)]
    assert counts
    assert all(2 <= count <= 10 for count in counts)


@pytest.mark.parametrize("layout", ["nested", "exports"])
def test_no_stack_has_only_conditional_resources(layout):
    """CloudFormation refuses a stack without resources."""
    stacks = render_pipeline(load_preset("production"), layout).stacks

    unconditional = {
        name: [title for title, resource in stack["Resources"].items() if "Condition" not in resource]
        for name, stack in stacks.items()
    }
    assert [name for name, titles in unconditional.items() if not titles] == []
