"""A mistake is found in every layout: what crosses the stacks is resolved before the rules look."""

from __future__ import annotations

import copy
import json
from datetime import date
from functools import cache

import pytest

from imgpipe_templates.checks import check_templates
from imgpipe_templates.checks.facts.merged_layout import merge_stacks
from imgpipe_templates.checks.facts.template import Template
from imgpipe_templates.checks.profiles import PROJECT
from imgpipe_templates.checks.rules import RULES
from imgpipe_templates.config import load_preset
from imgpipe_templates.library import render_pipeline
from imgpipe_templates.render.text import to_json
from tests.checks.test_mutants import MUTANTS

LAYOUTS = ("single", "nested", "exports")
# Mistakes whose two sides are in two stacks.
CROSSING = (
    "a rule whose queue has no policy for it",
    "alarms that the topic refuses",
    "an API that may not invoke",
    "dead letters that may not be sent",
    "a key that shuts alarms out",
    "a query of the table alone",
    "a bucket by plain HTTP",
)


@cache
def stacks(layout):
    rendered = render_pipeline(load_preset("production"), layout)
    return {name: json.loads(to_json(template)) for name, template in rendered.stacks.items()}


def found(bodies):
    view = Template(merge_stacks(bodies), today=date(2026, 11, 20), profile=PROJECT)
    return {(rule.id, violation.path[1]) for rule in RULES for violation in rule.violations(view)}


def changed(layout, name):
    bodies = copy.deepcopy(stacks(layout))
    MUTANTS[name][0]({key: value for body in bodies.values() for key, value in body["Resources"].items()})
    return bodies


@pytest.mark.parametrize("name", CROSSING)
def test_a_mistake_is_found_alike_in_every_layout(name):
    single, nested, exports = (found(changed(layout, name)) for layout in LAYOUTS)

    assert single == nested == exports
    assert {rule for rule, _ in single} == MUTANTS[name][1]


def test_a_resource_of_another_stack_may_be_named_as_in_a_single_stack():
    bodies = copy.deepcopy(stacks("exports"))
    alarm = next(b["Resources"]["LambdaErrorAlarm"] for b in bodies.values() if "LambdaErrorAlarm" in b["Resources"])
    (dimension,) = alarm["Properties"]["Dimensions"]
    dimension["Value"] = {"Fn::Sub": "ImageProcessor-${EnvironmentSuffix}"}

    assert found(bodies) == set()

    dimension["Value"] = {"Fn::Sub": "ImageProcesor-${EnvironmentSuffix}"}
    assert found(bodies) == {("E9531", "LambdaErrorAlarm"), ("E9591", "ImageProcessorFunction")}


def test_stacks_checked_together_report_in_the_stack_of_the_resource():
    bodies = changed("exports", "alarms that the topic refuses")
    texts = {name: json.dumps(body) for name, body in bodies.items()}
    monitoring = {"monitoring": texts["monitoring"]}

    together = check_templates(monitoring, today=date(2026, 11, 20), use_cache=False, stacks=texts)

    assert {(finding.rule, finding.template) for finding in together} == {("E9504", "monitoring")}
    assert check_templates(monitoring, today=date(2026, 11, 20), use_cache=False) == []
