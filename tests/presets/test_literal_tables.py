"""Alarms, parameters and queue policies of every preset, compared with literal values and not with the code's own."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from imgpipe_templates import load_preset
from tests.templates import of_type, rendered

PRESETS = ("media-library", "production", "reporting", "single-bucket", "thumbnails")
LAMBDA, QUEUES, TABLES = "AWS/Lambda", "AWS/SQS", "AWS/DynamoDB"
# Alarm -> namespace, metric, statistic, evaluated periods, dimensions with the logical id that each value names.
ALARMS: dict[str, tuple[str, str, str, int, dict[str, str]]] = {
    "ProcessingErrorAlarm": (
        "ImageProcessing",
        "ProcessingErrors",
        "Sum",
        1,
        {"Environment": "Environment", "EnvironmentSuffix": "EnvironmentSuffix"},
    ),
    "LambdaErrorAlarm": (LAMBDA, "Errors", "Sum", 1, {"FunctionName": "ImageProcessorFunction"}),
    "LambdaDurationAlarm": (LAMBDA, "Duration", "Maximum", 2, {"FunctionName": "ImageProcessorFunction"}),
    "LambdaThrottleAlarm": (LAMBDA, "Throttles", "Sum", 1, {"FunctionName": "ImageProcessorFunction"}),
    "RetrievalErrorAlarm": (LAMBDA, "Errors", "Sum", 1, {"FunctionName": "ImageRetrievalFunction"}),
    "RetrievalDurationAlarm": (LAMBDA, "Duration", "Maximum", 2, {"FunctionName": "ImageRetrievalFunction"}),
    "RetrievalThrottleAlarm": (LAMBDA, "Throttles", "Sum", 1, {"FunctionName": "ImageRetrievalFunction"}),
    "ApiServerErrorAlarm": ("AWS/ApiGateway", "5xx", "Sum", 1, {"ApiId": "ImageApi"}),
    "DeadLetterQueueAlarm": (
        QUEUES,
        "ApproximateNumberOfMessagesVisible",
        "Maximum",
        1,
        {"QueueName": "ProcessorDeadLetterQueue"},
    ),
    "UploadQueueAgeAlarm": (QUEUES, "ApproximateAgeOfOldestMessage", "Maximum", 1, {"QueueName": "UploadQueue"}),
    "TableReadThrottleAlarm": (TABLES, "ReadThrottleEvents", "Sum", 1, {"TableName": "ImageMetadataTable"}),
    "TableWriteThrottleAlarm": (TABLES, "WriteThrottleEvents", "Sum", 1, {"TableName": "ImageMetadataTable"}),
    **{
        f"{index}{direction}ThrottleAlarm": (
            TABLES,
            f"{direction}ThrottleEvents",
            "Sum",
            1,
            {"TableName": "ImageMetadataTable", "GlobalSecondaryIndexName": index},
        )
        for index in ("StatusIndex", "UploadTimestampIndex", "UserIndex")
        for direction in ("Read", "Write")
    },
}
EVERY_PRESET = {
    "ProcessingErrorAlarm": 5,
    "LambdaErrorAlarm": 5,
    "LambdaThrottleAlarm": 0,
    "DeadLetterQueueAlarm": 0,
}
API = {"RetrievalErrorAlarm": 5, "RetrievalDurationAlarm": 8_000, "RetrievalThrottleAlarm": 0, "ApiServerErrorAlarm": 5}
TIME_INDEX = {
    "TableReadThrottleAlarm": 0,
    "TableWriteThrottleAlarm": 0,
    "UploadTimestampIndexReadThrottleAlarm": 0,
    "UploadTimestampIndexWriteThrottleAlarm": 0,
}
OTHER_INDEXES = {
    f"{index}{direction}ThrottleAlarm": 0 for index in ("StatusIndex", "UserIndex") for direction in ("Read", "Write")
}
# Preset -> its alarms, each with its threshold. Durations are milliseconds, ages seconds.
THRESHOLDS: dict[str, dict[str, int]] = {
    "media-library": {**EVERY_PRESET, "LambdaDurationAlarm": 48_000, **API},
    "production": {
        **EVERY_PRESET,
        "LambdaDurationAlarm": 48_000,
        "UploadQueueAgeAlarm": 900,
        **API,
        **TIME_INDEX,
        **OTHER_INDEXES,
    },
    "reporting": {**EVERY_PRESET, "LambdaDurationAlarm": 48_000, **TIME_INDEX},
    "single-bucket": {**EVERY_PRESET, "LambdaDurationAlarm": 240_000},
    "thumbnails": {**EVERY_PRESET, "LambdaDurationAlarm": 30_000},
}


@cache
def template_of(preset: str) -> dict[str, Any]:
    return rendered(load_preset(preset))


def logical_id(value: Any) -> str:
    """The logical id that a reference names; other values as they are."""
    if isinstance(value, dict):
        ((kind, target),) = value.items()
        return str(target if kind == "Ref" else target[0])
    return str(value)


@pytest.mark.parametrize("preset", PRESETS)
def test_each_alarm_watches_the_series_and_threshold_of_its_name(preset: str):
    expected = {
        alarm: (*ALARMS[alarm], "GreaterThanThreshold", threshold, 300, "notBreaching")
        for alarm, threshold in THRESHOLDS[preset].items()
    }

    assert {
        title: (
            alarm["Namespace"],
            alarm["MetricName"],
            alarm["Statistic"],
            alarm["EvaluationPeriods"],
            {dimension["Name"]: logical_id(dimension["Value"]) for dimension in alarm["Dimensions"]},
            alarm["ComparisonOperator"],
            alarm["Threshold"],
            alarm["Period"],
            alarm["TreatMissingData"],
        )
        for title, alarm in of_type(template_of(preset), "AWS::CloudWatch::Alarm").items()
    } == expected


def number(default: int, low: int, high: int) -> dict[str, Any]:
    return {"Type": "Number", "Default": default, "MinValue": low, "MaxValue": high}


CODE_KEY = {"Type": "String", "MinLength": 1, "MaxLength": 1_024}
ENVIRONMENTS = ["development", "staging", "production"]
COMMON = {
    "EnvironmentSuffix": {
        "Type": "String",
        "Default": "dev",
        "MaxLength": 20,
        "AllowedPattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
    },
    "NotificationEmail": {"Type": "String", "Default": "", "AllowedPattern": "^$|^[^@ ]+@[^@ ]+$"},
    "MaxSourceBytes": number(20_971_520, 1_024, 20_971_520),
    "MaxSourcePixels": number(49_000_000, 4_096, 49_000_000),
    "CodeBucket": {"Type": "String", "MinLength": 3, "MaxLength": 63},
    "ImageProcessorCodeKey": CODE_KEY,
}
SIZE = {"ThumbnailSize": number(128, 64, 512)}
SOURCE_BUCKET_NAME = {
    "Type": "String",
    "MinLength": 3,
    "MaxLength": 63,
    "AllowedPattern": "^[a-z0-9][a-z0-9-]*[a-z0-9]$",
}
# Preset -> default of Environment, and the parameters that not all presets have.
PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "media-library": (
        "development",
        {
            **SIZE,
            "AllowedOrigins": {"Type": "CommaDelimitedList", "Default": "http://localhost:3000"},
            "ImageRetrievalCodeKey": CODE_KEY,
        },
    ),
    "production": (
        "production",
        {
            **SIZE,
            "AllowedOrigins": {"Type": "CommaDelimitedList", "Default": "https://photos.example.org"},
            "ImageRetrievalCodeKey": CODE_KEY,
            "MonthlyBudgetUsd": number(50, 1, 1_000_000),
        },
    ),
    "reporting": ("development", {"S3NotificationCodeKey": CODE_KEY}),
    "single-bucket": ("development", SIZE),
    "thumbnails": ("production", {**SIZE, "SourceBucketName": SOURCE_BUCKET_NAME}),
}


@pytest.mark.parametrize("preset", PRESETS)
def test_each_parameter_has_these_limits_and_defaults(preset: str):
    environment, others = PARAMETERS[preset]
    texts = {"Description", "ConstraintDescription"}

    assert {
        title: {name: value for name, value in parameter.items() if name not in texts}
        for title, parameter in template_of(preset)["Parameters"].items()
    } == {
        "Environment": {"Type": "String", "Default": environment, "AllowedValues": ENVIRONMENTS},
        **COMMON,
        **others,
    }


RULE_BY_NAME = {
    "Fn::Sub": ("arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/ImageUploads-${EnvironmentSuffix}")
}
DEAD_LETTERS = "ProcessorDeadLetterQueue"
# Preset -> queue -> the only ARN from which a service may send; None: no service may.
SENDERS: dict[str, dict[str, Any]] = {
    "media-library": {DEAD_LETTERS: RULE_BY_NAME},
    "production": {DEAD_LETTERS: RULE_BY_NAME, "UploadQueue": {"Fn::GetAtt": ["UploadRule", "Arn"]}},
    "reporting": {DEAD_LETTERS: None},
    "single-bucket": {DEAD_LETTERS: None},
    "thumbnails": {DEAD_LETTERS: None},
}


@pytest.mark.parametrize("preset", PRESETS)
def test_only_the_rule_of_the_uploads_may_send_to_a_queue(preset: str):
    policies = of_type(template_of(preset), "AWS::SQS::QueuePolicy").values()

    assert {queue: policy_of(queue, source) for queue, source in SENDERS[preset].items()} == {
        policy["Queues"][0]["Ref"]: [
            {name: value for name, value in statement.items() if name != "Sid"}
            for statement in policy["PolicyDocument"]["Statement"]
        ]
        for policy in policies
    }


def policy_of(queue: str, source: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The statements of a queue's policy that lets one rule send, or no service at all, and refuses plain HTTP."""
    arn = [{"Fn::GetAtt": [queue, "Arn"]}]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": ["events.amazonaws.com"]},
        "Action": ["sqs:SendMessage"],
        "Resource": arn,
        "Condition": {
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
            "ArnEquals": {"aws:SourceArn": source},
        },
    }
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["sqs:*"],
        "Resource": arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return [allow, deny] if source else [deny]
