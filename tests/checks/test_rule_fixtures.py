from __future__ import annotations

from datetime import date

import pytest

from imgpipe_templates import limits
from imgpipe_templates.checks.facts.template import Template
from imgpipe_templates.checks.profiles import PROJECT
from imgpipe_templates.checks.rules import RULES
from tests.checks import samples

BY_ID = {rule.id: rule for rule in RULES}
TODAY = {"W9522": date(2027, 4, 1)}  # 90 days before python3.11 is deprecated


def violations(name):
    rule_id = name.partition("/")[0]
    view = Template(samples.template(name), today=TODAY.get(rule_id, date(2026, 11, 20)), profile=PROJECT)
    return list(BY_ID[rule_id].violations(view))


@pytest.mark.parametrize("name", samples.names("good*"))
def test_good_template_has_no_violation(name):
    assert violations(name) == []


@pytest.mark.parametrize("name", samples.names("bad*"))
def test_bad_template_has_violations_at_expected_paths(name):
    assert samples.expected_paths(name) == [
        ".".join(str(part) for part in violation.path) for violation in violations(name)
    ]


def test_every_rule_has_a_good_and_a_bad_template():
    assert set(BY_ID) == {name.partition("/")[0] for name in samples.names("good*")}
    assert set(BY_ID) == {name.partition("/")[0] for name in samples.names("bad*")}


def test_rules_have_unique_ids_and_an_aws_source():
    assert len(BY_ID) == len(RULES)
    for rule in RULES:
        assert rule.id[:3] in ("E95", "W95")
        assert rule.source.startswith("https://docs.aws.amazon.com/")


@pytest.mark.parametrize("name", samples.names("bad*"))
def test_messages_contain_error_and_remedy(name):
    for violation in violations(name):
        assert not violation.message.endswith(".")
        assert "\n" not in violation.message
        assert ";" in violation.message  # error; remedy


def test_deprecation_is_an_error_on_its_date_and_a_warning_ninety_days_before():
    body = {"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "python3.13"}}}}

    def found(year, month, day):
        view = Template(body, today=date(year, month, day))
        return [rule.id for rule in RULES if rule.dated and list(rule.find(view))]

    assert found(2029, 3, 31) == []
    assert found(2029, 4, 1) == ["W9522"]
    assert found(2029, 6, 29) == ["W9522"]
    assert found(2029, 6, 30) == ["E9522"]


def test_minified_template_above_one_megabyte_is_found():
    body = {"Resources": {}, "Metadata": {"Text": "x" * limits.MAX_S3_BYTES}}

    assert [violation.path for violation in BY_ID["E9561"].find(Template(body, today=date.min))] == [()]


def test_rules_ignore_malformed_templates():
    for body in (
        {},
        {"Resources": []},
        {"Resources": {"A": None, "B": {"Type": "AWS::S3::Bucket", "Properties": "x"}}},
        {"Metadata": {"Since": date(2026, 11, 20)}, "Resources": {}},  # YAML reads a date without quotes as one
    ):
        for rule in RULES:
            list(rule.find(Template(body, today=date.min)))
