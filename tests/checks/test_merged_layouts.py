"""Every layout has the same violations, because references between stacks are resolved before the rules run."""

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
from tests.checks.test_mutated_templates import PRODUCTION

LAYOUTS = ("single", "nested", "exports")
# Changes that affect two stacks.
CROSS_STACK = (
    "queue policy without the rule",
    "topic policy without alarms",
    "API without permission to invoke",
    "role without permission to send dead letters",
    "key policy without alarms",
    "query permission for the table only",
    "bucket that accepts plain HTTP",
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
    PRODUCTION[name][0]({key: value for body in bodies.values() for key, value in body["Resources"].items()})
    return bodies


@pytest.mark.parametrize("name", CROSS_STACK)
def test_change_has_the_same_violations_in_every_layout(name):
    single, nested, exports = (found(changed(layout, name)) for layout in LAYOUTS)

    assert single == nested == exports
    assert {rule for rule, _ in single} == PRODUCTION[name][1]


def test_name_of_a_resource_in_another_stack_is_resolved():
    bodies = copy.deepcopy(stacks("exports"))
    alarm = next(b["Resources"]["LambdaErrorAlarm"] for b in bodies.values() if "LambdaErrorAlarm" in b["Resources"])
    (dimension,) = alarm["Properties"]["Dimensions"]
    dimension["Value"] = {"Fn::Sub": "ImageProcessor-${EnvironmentSuffix}"}

    assert found(bodies) == set()

    dimension["Value"] = {"Fn::Sub": "ImageProcesor-${EnvironmentSuffix}"}
    assert found(bodies) == {("E9531", "LambdaErrorAlarm"), ("E9591", "ImageProcessorFunction")}


def test_findings_of_merged_stacks_belong_to_the_stack_of_the_resource():
    bodies = changed("exports", "topic policy without alarms")
    texts = {name: json.dumps(body) for name, body in bodies.items()}
    monitoring = {"monitoring": texts["monitoring"]}

    together = check_templates(monitoring, today=date(2026, 11, 20), use_cache=False, stacks=texts)

    assert {(finding.rule, finding.template) for finding in together} == {("E9504", "monitoring")}
    assert check_templates(monitoring, today=date(2026, 11, 20), use_cache=False) == []
