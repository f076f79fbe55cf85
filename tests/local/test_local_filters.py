"""Which keys the trigger heeds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from imgpipe_templates.local.engine import Engine
from imgpipe_templates.local.filters import Filter, notification_filters, rule_patterns, why_ignored
from tests.engine import client


def configured(*rules: dict[str, str], event: str = "s3:ObjectCreated:*") -> dict[str, object]:
    key = {"FilterRules": [{"Name": name, "Value": value} for rule in rules for name, value in rule.items()]}
    return {"LambdaFunctionConfigurations": [{"Events": [event], "Filter": {"Key": key}}]}


def test_prefix_and_suffix_hold_together_and_case_counts():
    filters = notification_filters(configured({"Prefix": "in/"}, {"Suffix": ".jpg"}))

    assert filters == (Filter("in/", ".jpg"),)
    assert why_ignored("in/a.jpg", filters) is None
    assert why_ignored("in/a.JPG", filters) == "matches none of the trigger's filters: in/*.jpg"
    assert why_ignored("a.jpg", filters) == "matches none of the trigger's filters: in/*.jpg"


@pytest.mark.parametrize("configuration", [{}, configured({"suffix": ".jpg"}, event="s3:ObjectRemoved:*")])
def test_a_bucket_that_says_nothing_about_uploads_ignores_everything(configuration):
    assert why_ignored("a.jpg", notification_filters(configuration)) == (
        "the bucket sends no notification about uploads"
    )


def rule(engine: Engine, name: str, key: list[Any], **more: Any) -> None:
    detail = {"bucket": {"name": ["photos"]}, "object": {"key": key}}
    pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail} | more
    client(engine, "events").put_rule(Name=name, EventPattern=json.dumps(pattern))


def test_the_rules_of_the_bus_decide_on_a_bucket_that_sends_its_events_there(engine):
    rule(engine, "filters", [{"wildcard": "in/*.jpg"}, {"suffix": {"equals-ignore-case": ".png"}}, {"prefix": "raw/"}])
    rule(engine, "filters-removed", [{"suffix": ".gif"}], **{"detail-type": ["Object Deleted"]})
    client(engine, "events").put_rule(Name="filters-off", State="DISABLED", EventPattern='{"source": ["aws.s3"]}')

    patterns = [one for one in rule_patterns(client(engine, "events"), "photos") if "photos" in one.pattern]

    heeded = {"in/a.jpg": True, "in/a.JPG": False, "a.PnG": True, "raw/x": True, "a.gif": False}
    assert {key: why_ignored(key, patterns) is None for key in heeded} == heeded
    reason = why_ignored("a.gif", patterns[:1])
    assert reason == "matches none of the trigger's filters: in/*.jpg, *.png (in any case), raw/*"


def test_a_rule_about_another_bucket_is_not_asked(engine):
    rule(engine, "filters-photos", ["a.jpg"])

    assert [one for one in rule_patterns(client(engine, "events"), "sounds") if "photos" in one.pattern] == []
