"""The figures of the table: counts beside CloudFormation's limits."""

import pytest

from imgpipe_templates import load_preset
from imgpipe_templates.config import PRESETS
from imgpipe_templates.render.summary import not_in_force, summarise
from tests.templates import rendered


def test_counts_stand_beside_cloudformations_limits():
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


def test_each_form_is_compared_with_what_a_request_can_carry():
    assert summarise("pipeline", {}, sizes={"json": 51_201, "yaml": 51_200}).fits_request == ("yaml",)
    assert summarise("pipeline", {}, sizes={"json": 51_201}).fits_request == ()


@pytest.mark.parametrize(
    ("preset", "lines"),
    [
        ("thumbnails", ["alarms mail nobody until the parameter NotificationEmail is given"]),
        (
            "production",
            [
                "alarms mail nobody until the parameter NotificationEmail is given",
                "the budget counts zero until the tag Project is activated as a cost allocation tag",
            ],
        ),
    ],
)
def test_what_is_not_in_force_by_itself_is_listed(preset, lines):
    assert not_in_force(rendered(load_preset(preset))) == lines


def test_output_says_that_alarms_mail_nobody_without_an_address():
    output = rendered(load_preset("thumbnails"))["Outputs"]["ProcessingNotificationEmail"]

    assert output["Value"] == {
        "Fn::If": [
            "HasNotificationEmail",
            {"Ref": "NotificationEmail"},
            "nobody, because the parameter NotificationEmail is empty",
        ]
    }


@pytest.mark.parametrize("preset", PRESETS.names)
def test_every_parameter_of_a_preset_is_in_the_reference(preset, repository):
    text = (repository / "docs" / "parameters.md").read_text(encoding="utf-8")

    for title, parameter in rendered(load_preset(preset))["Parameters"].items():
        assert f"| `{title}` |" in text
        assert parameter["Description"].split(";")[0] in text
