"""Document 002, a library of images: names, outputs and descriptions of `media-library`, and of `production` too."""

from __future__ import annotations

from itertools import chain

import pytest

from tests.requirements.reading import PRESETS, on, outputs, properties
from tests.templates import of_type, references

# What programs and other stacks address; roles, policies, alarms, log groups and the parts of an API are inner matters.
NAME_AND_ARN = {
    "AWS::S3::Bucket": ("{0}", "{0}.Arn"),
    "AWS::DynamoDB::Table": ("{0}", "{0}.Arn"),
    "AWS::Lambda::Function": ("{0}", "{0}.Arn"),
    "AWS::SNS::Topic": ("{0}.TopicName", "{0}"),
    "AWS::SQS::Queue": ("{0}.QueueName", "{0}.Arn"),
    "AWS::Events::Rule": ("{0}", "{0}.Arn"),
    "AWS::ApiGatewayV2::Api": ("{0}", "{0}.ApiEndpoint"),
}

on_both = on("media-library", "production")


@pytest.mark.line("002-28")
@on_both
def test_environments_are_kept_apart_by_the_suffix(template, table):
    assert template["Parameters"]["EnvironmentSuffix"]["Default"] == "dev"
    for name in (
        table["TableName"],
        properties(template, "ImageApi")["Name"],
        *(function["FunctionName"] for function in of_type(template, "AWS::Lambda::Function").values()),
    ):
        assert "EnvironmentSuffix" in set(references(name))


@pytest.mark.line("002-29")
@on_both
def test_programs_find_the_api_and_people_the_dashboard(template):
    assert outputs(template)["ImageApiUrl"] == "ImageApi.ApiEndpoint"
    assert "#dashboards/dashboard/${Name}" in template["Outputs"]["DashboardUrl"]["Value"]["Fn::Sub"][0]


@pytest.mark.line("002-29")
@on(*PRESETS)
def test_names_and_arns_of_everything_that_others_address_are_handed_out(template):
    handed = set(outputs(template).values())
    wanted = {
        form.format(title)
        for title, resource in template["Resources"].items()
        if title != "S3NotificationLambda"  # called by CloudFormation alone
        for form in NAME_AND_ARN.get(resource["Type"], ())
    }
    assert wanted - handed == set()


@pytest.mark.line("002-30")
@on(*PRESETS)
def test_the_template_says_what_everything_is(template):
    assert template["Description"]
    described = chain(template["Parameters"].values(), template["Outputs"].values())
    assert all(thing["Description"] for thing in described)
    for title, function in of_type(template, "AWS::Lambda::Function").items():
        assert function["Description"], title
    for title, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmDescription"], title


@pytest.mark.line("002-30")
@on(*PRESETS)
def test_roles_policies_and_rules_say_what_they_are_for(template):
    kinds = {
        "AWS::IAM::Role",
        "AWS::IAM::ManagedPolicy",
        "AWS::Events::Rule",
        "AWS::KMS::Key",
        "AWS::ApiGatewayV2::Api",
    }
    assert [
        title
        for title, resource in template["Resources"].items()
        if resource["Type"] in kinds and not resource["Properties"].get("Description")
    ] == []


@pytest.mark.line("002-30")
@on(*PRESETS)
def test_every_parameter_has_a_group_and_a_label(template):
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])
    assert set(interface["ParameterLabels"]) == set(template["Parameters"])
    assert all(group["Label"]["default"] for group in interface["ParameterGroups"])
    assert all(label["default"] for label in interface["ParameterLabels"].values())
