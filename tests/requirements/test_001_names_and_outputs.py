"""Document 001, parameters, names, outputs and standing costs, off `reporting` and off `production` too."""

from __future__ import annotations

import pytest

from tests.requirements.reading import PRESETS, fires, on, outputs
from tests.templates import of_type, references, said, tags

SPELLINGS = [".jpg", ".JPG", ".jpeg", ".JPEG", ".png", ".PNG"]
# What each type calls the name that must be unique in an account, or in the world.
PHYSICAL_NAMES = {
    "AWS::ApiGatewayV2::Api": ("Name",),
    "AWS::Backup::BackupPlan": ("BackupPlan", "BackupPlanName"),
    "AWS::Backup::BackupVault": ("BackupVaultName",),
    "AWS::Budgets::Budget": ("Budget", "BudgetName"),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::DynamoDB::Table": ("TableName",),
    "AWS::Events::Rule": ("Name",),
    "AWS::KMS::Alias": ("AliasName",),
    "AWS::Lambda::Function": ("FunctionName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::SNS::Topic": ("TopicName",),
    "AWS::SQS::Queue": ("QueueName",),
}
VOCABULARY = {
    "AccessLogBucket": "S3::Bucket",
    "DataKey": "KMS::Key",
    "ImageApi": "ApiGatewayV2::Api",
    "ImageMetadataTable": "DynamoDB::Table",
    "ImageProcessorFunction": "Lambda::Function",
    "ImageProcessorLogGroup": "Logs::LogGroup",
    "ImageProcessorRole": "IAM::Role",
    "ImageRetrievalFunction": "Lambda::Function",
    "ImageRetrievalLogGroup": "Logs::LogGroup",
    "ImageRetrievalRole": "IAM::Role",
    "LambdaDurationAlarm": "CloudWatch::Alarm",
    "LambdaErrorAlarm": "CloudWatch::Alarm",
    "LambdaInvokePermission": "Lambda::Permission",
    "LambdaThrottleAlarm": "CloudWatch::Alarm",
    "MonitoringDashboard": "CloudWatch::Dashboard",
    "ProcessingErrorAlarm": "CloudWatch::Alarm",
    "ProcessingNotificationTopic": "SNS::Topic",
    "ProcessorDeadLetterQueue": "SQS::Queue",
    "S3NotificationLambda": "Lambda::Function",
    "SourceBucket": "S3::Bucket",
    "ThumbnailBucket": "S3::Bucket",
}
# They cost by the hour whether images come or not.
ALWAYS_ON = {
    "AWS::ApiGateway::VpcLink",
    "AWS::DAX::Cluster",
    "AWS::EC2::Instance",
    "AWS::EC2::NatGateway",
    "AWS::EC2::VPCEndpoint",
    "AWS::ECS::Service",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::RDS::DBInstance",
}

on_both = on("reporting", "production")


@pytest.mark.line("001-35")
@on(*PRESETS)
def test_the_suffix_is_a_parameter(template):
    parameter = template["Parameters"]["EnvironmentSuffix"]
    assert (parameter["Type"], parameter["Default"]) == ("String", "dev")
    assert parameter["Description"]


@pytest.mark.line("001-26", "003-09")
@on(*PRESETS)
def test_logical_ids_are_the_same_in_every_preset(resources):
    """D18: a reader, a runbook and a test find the same thing under the same id everywhere."""
    assert {title: resources[title]["Type"] for title in resources if title in VOCABULARY} == {
        title: f"AWS::{kind}" for title, kind in VOCABULARY.items() if title in resources
    }
    assert set(resources) >= {
        "SourceBucket",
        "ImageMetadataTable",
        "ImageProcessorFunction",
        "ImageProcessorRole",
        "ImageProcessorLogGroup",
        "ProcessingNotificationTopic",
        "ProcessorDeadLetterQueue",
        "LambdaErrorAlarm",
        "LambdaDurationAlarm",
        "LambdaThrottleAlarm",
        "ProcessingErrorAlarm",
    }


@pytest.mark.line("001-36")
@on(*PRESETS)
def test_the_suffix_is_in_every_name(template):
    """The source bucket alone may be named by a parameter of its own."""
    for title, resource in template["Resources"].items():
        if resource["Type"] not in PHYSICAL_NAMES:
            continue
        name = resource["Properties"]
        for part in PHYSICAL_NAMES[resource["Type"]]:
            name = name[part]
        wanted = {"EnvironmentSuffix"} if said(name) != "SourceBucketName" else {"SourceBucketName"}
        assert wanted <= set(references(name)), title


@pytest.mark.line("001-36")
@on(*PRESETS)
def test_nothing_else_has_a_name_that_two_stacks_could_not_share(template):
    """A type with a name that this list does not know would escape the test above."""
    for title, resource in template["Resources"].items():
        if resource["Type"] in PHYSICAL_NAMES or resource["Type"].startswith("Custom::"):
            continue
        own_names = {
            key
            for key in resource["Properties"]
            if key in {"Name", "RoleName", "ManagedPolicyName", "GroupName", "LayerName"}
            or key == resource["Type"].rpartition("::")[2] + "Name"
        }
        # A stage is a part of its API.
        assert own_names <= ({"StageName"} if resource["Type"] == "AWS::ApiGatewayV2::Stage" else set()), title


@pytest.mark.line("001-37")
@on_both
def test_what_others_need_is_exported(template):
    handed = outputs(template)
    assert {
        "SourceBucket",
        "SourceBucket.Arn",
        "ImageMetadataTable",
        "ImageMetadataTable.Arn",
        "ImageProcessorFunction.Arn",
        "ProcessingNotificationTopic",
    } <= set(handed.values())
    assert all(output["Export"]["Name"] for output in template["Outputs"].values())


@pytest.mark.line("001-38")
@on(*PRESETS)
def test_costs_can_be_told_apart_by_tag(template, table):
    for properties_ in (table, *of_type(template, "AWS::S3::Bucket").values()):
        assert tags(properties_)["Project"] == "imgpipe"
        assert tags(properties_)["Environment"] == {"Ref": "Environment"}


@pytest.mark.line("001-39")
@on(*PRESETS)
def test_each_format_starts_the_processor(template):
    heeds = fires(template)
    assert all(heeds(f"uploads/photo{spelling}") for spelling in SPELLINGS)
    assert not heeds("uploads/photo.webp")


@pytest.mark.line("001-40")
@on(*PRESETS)
def test_nothing_is_always_on(template):
    assert not ALWAYS_ON & {resource["Type"] for resource in template["Resources"].values()}
    for standing in ("ProvisionedConcurrencyConfig", "ProvisionedThroughput"):
        assert standing not in str(template)
