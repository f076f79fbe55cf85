"""Each protection taken out of a rendered pipeline is missed by exactly the rules that are meant for it.

The rules are asked without cfn-lint, which finds none of these.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from imgpipe_templates.checks.facts.template import Template
from imgpipe_templates.checks.profiles import PROJECT
from imgpipe_templates.checks.rules import RULES

BUILD = Path(__file__).parents[2] / "build"
TODAY = date(2026, 11, 20)


@cache
def rendered(preset: str) -> dict[str, Any]:
    return json.loads((BUILD / preset / "single" / "pipeline.template.json").read_text(encoding="utf-8"))


def found(body: dict[str, Any]) -> set[str]:
    view = Template(body, today=TODAY, profile=PROJECT)
    return {rule.id for rule in RULES if any(True for _ in rule.violations(view))}


def drop(*path: str | int) -> Callable[[dict[str, Any]], None]:
    """Take out what is at a path below Resources."""

    def change(resources: dict[str, Any]) -> None:
        holder: Any = resources
        for key in path[:-1]:
            holder = holder[key]
        del holder[path[-1]]

    return change


def put(value: Any, *path: str | int) -> Callable[[dict[str, Any]], None]:
    """Put something at a path below Resources."""

    def change(resources: dict[str, Any]) -> None:
        holder: Any = resources
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = value

    return change


def statement(resource: str, sid: str, *path: str, value: Any = None) -> Callable[[dict[str, Any]], None]:
    """Take a statement, or a part of it, out of a resource's policy; or put something else there."""

    def change(resources: dict[str, Any]) -> None:
        properties = resources[resource]["Properties"]
        statements_in = properties.get("PolicyDocument", properties.get("KeyPolicy"))["Statement"]
        (chosen,) = [entry for entry in statements_in if entry.get("Sid") == sid]
        if not path:
            statements_in.remove(chosen)
        elif value is None:
            del chosen[path[0]]
        else:
            chosen[path[0]] = value

    return change


def say(old: str, new: str) -> Callable[[dict[str, Any]], None]:
    """Replace some text in the dashboard's body."""

    def change(resources: dict[str, Any]) -> None:
        body = resources["MonitoringDashboard"]["Properties"]["DashboardBody"]
        assert old in body["Fn::Sub"]
        body["Fn::Sub"] = body["Fn::Sub"].replace(old, new, 1)

    return change


TRUST = ("Properties", "AssumeRolePolicyDocument", "Statement", 0, "Principal", "Service")
KEYS = ("UploadRule", "Properties", "EventPattern", "detail", "object")
MUTANTS = {
    "a rule whose queue has no policy for it": (statement("UploadQueuePolicy", "SourceMaySend"), {"E9504"}),
    "a queue policy for another rule": (
        statement("UploadQueuePolicy", "SourceMaySend", "Condition", value={"ArnEquals": {"aws:SourceArn": "arn:x"}}),
        {"E9504"},
    ),
    "alarms that the topic refuses": (
        statement("ProcessingNotificationTopicPolicy", "AlarmsMayPublish"),
        {"E9504"},
    ),
    "budgets that the topic refuses": (
        statement("ProcessingNotificationTopicPolicy", "BudgetsMayPublish"),
        {"E9504"},
    ),
    "an API that may not invoke": (drop("ImageApiIntegration", "Properties", "CredentialsArn"), {"E9505"}),
    "a function's role that trusts EC2": (put("ec2.amazonaws.com", "ImageProcessorRole", *TRUST), {"E9552"}),
    "an API's role that trusts Lambda": (put("lambda.amazonaws.com", "ImageApiRole", *TRUST), {"E9552"}),
    "a backup role that trusts Lambda": (put("lambda.amazonaws.com", "BackupRole", *TRUST), {"E9552"}),
    "a principal that is misspelt": (
        statement("UploadQueuePolicy", "SourceMaySend", "Principal", value={"Servce": ["events.amazonaws.com"]}),
        {"E9504", "E9553"},
    ),
    "a role that may not receive": (
        statement("UploadQueueReceivePolicy", "ReceiveFromUploadQueue", "Action", value=["sqs:DeleteMessage"]),
        {"E9506"},
    ),
    "a queue that hides messages too briefly": (put(300, "UploadQueue", "Properties", "VisibilityTimeout"), {"E9507"}),
    "batches without partial answers": (
        lambda resources: resources["UploadQueueMapping"].update(
            Properties={
                **resources["UploadQueueMapping"]["Properties"],
                "BatchSize": 5,
                "FunctionResponseTypes": [],
            }
        ),
        {"E9507", "E9591"},
    ),
    "a queue without redrive": (drop("UploadQueue", "Properties", "RedrivePolicy"), {"E9507"}),
    "code at a fixed place": (put("code", "ImageProcessorFunction", "Properties", "Code", "S3Bucket"), {"W9523"}),
    "a policy of another bucket": (
        put({"Ref": "ThumbnailBucket"}, "SourceBucketPolicy", "Properties", "Bucket"),
        {"E9513", "E9515"},
    ),
    "dead letters that may not be sent": (
        statement("ImageProcessorPolicy", "SendToProcessorDeadLetterQueue"),
        {"E9555"},
    ),
    "a dead-letter queue that nobody watches": (drop("DeadLetterQueueAlarm"), {"E9536"}),
    "a dashboard that is no JSON": (say("{", "{,"), {"E9535"}),
    "a graph without a Region": (say('"region":"${AWS::Region}",', ""), {"E9535"}),
    "a graph of a metric that is misspelt": (say('"Invocations"', '"Invocation"'), {"E9535"}),
    "sizes by the hour": (say('"period":86400', '"period":3600'), {"E9535"}),
    "a protocol that SNS does not know": (
        put("mail", "ProcessingNotificationSubscription", "Properties", "Protocol"),
        {"E9509"},
    ),
    "images archived after three days": (
        put(
            3,
            *("SourceBucket", "Properties", "LifecycleConfiguration", "Rules", 0),
            *("Transitions", 0, "TransitionInDays"),
        ),
        {"E9511"},
    ),
    "a pattern that EventBridge refuses": (put([{"wildcard": "uploads/**"}], *KEYS, "key"), {"E9508"}),
    "a pattern of every object": (drop(*KEYS), {"W9508"}),
    "a key that shuts alarms out": (statement("DataKey", "AlarmsMayWriteEncrypted"), {"E9557"}),
    "a key that shuts budgets out": (statement("DataKey", "BudgetsMayWriteEncrypted"), {"E9557"}),
    "a key that shuts rules out": (statement("DataKey", "RulesMayWriteEncrypted"), {"E9557"}),
    "a key that shuts logs out": (statement("DataKey", "LogsMayUse"), {"E9557"}),
    "a key for alarms of any account": (
        statement("DataKey", "AlarmsMayWriteEncrypted", "Condition"),
        {"E9554", "E9591"},
    ),
    "access logs of any account": (statement("AccessLogBucketPolicy", "S3MayLog", "Condition"), {"E9554"}),
    "a key that is used directly": (statement("ImageProcessorPolicy", "UseDataKey", "Condition"), {"W9558"}),
    "a query of the table alone": (
        statement(
            "ImageRetrievalPolicy",
            "QueryImageMetadataTable",
            "Resource",
            value=[{"Fn::GetAtt": ["ImageMetadataTable", "Arn"]}],
        ),
        {"E9556", "E9592"},
    ),
    "a function that may not log": (statement("ImageProcessorPolicy", "WriteOwnLogs"), {"E9525"}),
    "a bucket with ACLs": (drop("SourceBucket", "Properties", "OwnershipControls"), {"E9514", "E9591"}),
    "a bucket that may be public": (drop("SourceBucket", "Properties", "PublicAccessBlockConfiguration"), {"E9514"}),
    "broken uploads that stay": (
        drop("ThumbnailBucket", "Properties", "LifecycleConfiguration", "Rules", 1),
        {"E9514"},
    ),
    "old versions that stay": (
        drop("ThumbnailBucket", "Properties", "LifecycleConfiguration", "Rules", 0),
        {"W9517"},
    ),
    "a bucket by plain HTTP": (statement("ThumbnailBucketPolicy", "RefusePlainHttp"), {"E9515"}),
    "a topic by plain HTTP": (statement("ProcessingNotificationTopicPolicy", "RefusePlainHttp"), {"E9515"}),
    "a queue by plain HTTP": (statement("UploadQueuePolicy", "RefusePlainHttp"), {"E9515"}),
    "an API for every web page": (
        put({"AllowOrigins": ["*"]}, "ImageApi", "Properties", "CorsConfiguration"),
        {"E9581"},
    ),
    "tokens without scopes": (put("JWT", "ImageApiGetRoute", "Properties", "AuthorizationType"), {"E9582"}),
    "access logs for ever": (drop("ImageApiLogGroup", "Properties", "RetentionInDays"), {"E9524"}),
    "a vault without a lock": (drop("BackupVault", "Properties", "LockConfiguration"), {"E9516", "E9591"}),
    "one role for two functions": (
        put({"Fn::GetAtt": ["ImageProcessorRole", "Arn"]}, "ImageRetrievalFunction", "Properties", "Role"),
        {"E9525", "E9592", "W9526"},
    ),
    "two queues of one name": (
        put({"Fn::Sub": "ImageUploads-${EnvironmentSuffix}"}, "ProcessorDeadLetterQueue", "Properties", "QueueName"),
        {"E9510", "E9562", "E9591"},
    ),
    "a name for one stack only": (put("images", "UploadQueue", "Properties", "QueueName"), {"E9510", "W9563"}),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_protection_taken_out_is_missed_by_its_rule_alone(name):
    change, rules = MUTANTS[name]
    body = copy.deepcopy(rendered("production"))
    change(body["Resources"])

    assert rules == found(body)


@pytest.mark.parametrize("preset", sorted(path.name for path in BUILD.iterdir() if path.is_dir()))
def test_a_rendered_pipeline_misses_nothing(preset):
    assert found(rendered(preset)) == set()
