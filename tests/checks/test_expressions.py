from __future__ import annotations

from datetime import date

import pytest

from imgpipe_templates.checks.facts.expressions import canonical, entries, split_arn
from imgpipe_templates.checks.facts.template import (
    BUCKET,
    FUNCTION,
    QUEUE,
    ROLE,
    Template,
)

LAMBDA = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function"


@pytest.fixture
def view():
    return Template(
        {
            "Parameters": {"Suffix": {"Default": "dev"}, "Link": {}, "Size": {"Default": "128"}},
            "Resources": {
                "Named": {"Type": FUNCTION, "Properties": {"FunctionName": {"Fn::Sub": "Fn-${Suffix}"}}},
                "Unnamed": {"Type": FUNCTION},
                "Live": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "Named"}}},
                "Bucket": {"Type": BUCKET, "Properties": {"BucketName": {"Ref": "Suffix"}}},
                "Queue": {"Type": QUEUE},
                "Role": {"Type": ROLE},
            },
        },
        today=date.min,
    )


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        (FUNCTION, {"Ref": "Named"}, "Named"),
        (FUNCTION, {"Fn::GetAtt": ["Named", "Arn"]}, "Named"),
        (FUNCTION, {"Fn::GetAtt": "Named.Arn"}, "Named"),
        (FUNCTION, {"Fn::Sub": "Fn-${Suffix}"}, "Named"),
        (FUNCTION, {"Fn::Join": ["-", ["Fn", {"Ref": "Suffix"}]]}, "Named"),
        (FUNCTION, {"Fn::Sub": f"{LAMBDA}:Fn-${{Suffix}}"}, "Named"),
        (FUNCTION, {"Fn::Sub": f"{LAMBDA}:Fn-${{Suffix}}:live"}, "Named"),
        (FUNCTION, {"Fn::Sub": [f"{LAMBDA}:${{Name}}", {"Name": {"Fn::Sub": "Fn-${Suffix}"}}]}, "Named"),
        (FUNCTION, {"Ref": "Live"}, "Named"),
        (FUNCTION, {"Fn::Sub": "${Unnamed.Arn}"}, "Unnamed"),
        (FUNCTION, "Fn-dev", None),
        (FUNCTION, {"Ref": "Bucket"}, None),
        (BUCKET, {"Ref": "Suffix"}, "Bucket"),
        (BUCKET, {"Fn::Sub": "arn:${AWS::Partition}:s3:::${Suffix}"}, "Bucket"),
        (QUEUE, {"Fn::GetAtt": ["Queue", "QueueName"]}, "Queue"),
        (QUEUE, {"Ref": "Queue"}, None),  # its URL, not its name
        (ROLE, {"Fn::GetAtt": ["Role", "Arn"]}, "Role"),
    ],
)
def test_resources_are_found_by_reference_name_and_arn(view, kind, value, found):
    resource = view.find(kind, value)

    assert found == (resource and resource.id)


def test_literal_dollar_brace_is_not_a_reference():
    assert canonical("${Named}") != canonical({"Ref": "Named"})
    assert canonical({"Fn::Sub": "${!Named}"}) == canonical("${Named}")


def test_numbers_come_from_literals_and_defaults_only(view):
    assert [view.number(value) for value in ({"Ref": "Size"}, "5", {"Ref": "Link"}, True, {"Fn::If": ["A", 1, 2]})] == [
        128.0,
        5.0,
        None,
        None,
        None,
    ]


def test_template_knows_values_without_imports_and_required_parameters(view):
    decided = [{"Ref": "Named"}, {"Ref": "Suffix"}, {"Fn::Sub": "x"}, "x"]

    assert all(view.knows(value) for value in decided)
    assert not view.knows({"Ref": "Link"})
    assert not view.knows({"Fn::ImportValue": "x"})


def test_arns_split_at_colons_outside_of_references_only():
    assert split_arn("arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:a:b") == [
        "arn",
        "${AWS::Partition}",
        "lambda",
        "${AWS::Region}",
        "${AWS::AccountId}",
        "function:a:b",
    ]
    assert split_arn("images") is None
    assert split_arn("arn:x") is None


def test_both_outcomes_of_a_condition_are_entries():
    value = ["a", {"Fn::If": ["Condition", ["b", "c"], {"Ref": "AWS::NoValue"}]}]

    assert list(entries(value)) == [((0,), "a"), ((1, "Fn::If", 1, 0), "b"), ((1, "Fn::If", 1, 1), "c")]
    assert list(entries("a")) == [((), "a")]
    assert list(entries(None)) == []
