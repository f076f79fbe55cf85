"""Which keys the trigger heeds."""

from __future__ import annotations

import pytest

from imgpipe_templates.local.filters import Filter, notification_filters, why_ignored


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


def test_eventbridge_gets_every_event():
    assert why_ignored("anything", notification_filters({"EventBridgeConfiguration": {}})) is None
