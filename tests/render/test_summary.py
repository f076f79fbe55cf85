"""Counts and sizes of a template, with the limits of CloudFormation."""

import pytest

from imgpipe_templates import load_preset
from imgpipe_templates.config import PRESETS
from imgpipe_templates.render.summary import pending_actions, summarise
from tests.templates import rendered


def test_summary_has_counts_and_cloudformation_limits():
    template = {"Resources": dict.fromkeys("ABC"), "Parameters": {"P": {}}}

    summary = summarise("pipeline", template, sizes={"json": 25_600, "yaml": 20_000})

    assert [(figure.name, figure.value, figure.limit) for figure in summary.figures] == [
        ("resources", 3, 500),
        ("parameters", 1, 200),
        ("outputs", 0, 200),
        ("bytes", 25_600, 1_000_000),
    ]
    assert summary.resources.share == 0.006
    assert summary.fits_request == ("json", "yaml")


def test_each_format_is_compared_with_the_request_limit():
    assert summarise("pipeline", {}, sizes={"json": 51_201, "yaml": 51_200}).fits_request == ("yaml",)
    assert summarise("pipeline", {}, sizes={"json": 51_201}).fits_request == ()


@pytest.mark.parametrize(
    ("preset", "lines"),
    [
        ("thumbnails", ["alarms send no email until the parameter NotificationEmail is set"]),
        (
            "production",
            [
                "alarms send no email until the parameter NotificationEmail is set",
                "the budget counts no costs until the tag Project is activated as a cost allocation tag",
            ],
        ),
    ],
)
def test_features_that_require_an_action_are_listed(preset, lines):
    assert pending_actions(rendered(load_preset(preset))) == lines


def test_output_reports_alarms_without_an_email_address():
    output = rendered(load_preset("thumbnails"))["Outputs"]["ProcessingNotificationEmail"]

    assert output["Value"] == {
        "Fn::If": [
            "HasNotificationEmail",
            {"Ref": "NotificationEmail"},
            "no address, because the parameter NotificationEmail is empty",
        ]
    }


@pytest.mark.parametrize("preset", PRESETS.names)
def test_every_parameter_of_a_preset_is_in_the_reference(preset, repository):
    text = (repository / "docs" / "parameters.md").read_text(encoding="utf-8")

    for title, parameter in rendered(load_preset(preset))["Parameters"].items():
        assert f"| `{title}` |" in text
        assert parameter["Description"].split(";")[0] in text
