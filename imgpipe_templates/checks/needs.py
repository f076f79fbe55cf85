"""What a configuration needs of a role: one table for the checks of permissions and for those of order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.checks.deliveries import NOTIFIER
from imgpipe_templates.checks.model import Path
from imgpipe_templates.checks.policies import Statement, covers, may_do, statements_of
from imgpipe_templates.checks.template import (
    BUCKET,
    FUNCTION,
    QUEUE,
    ROLE,
    TABLE,
    TOPIC,
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, entries, mapping, places

MAPPING = "AWS::Lambda::EventSourceMapping"

# AWS Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC", read 2026-12.
_TO_JOIN_VPC = ("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface")
# AWS Lambda Developer Guide, "Visualize Lambda function invocations using AWS X-Ray", read 2026-12.
_TO_TRACE = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
# AWS Lambda Developer Guide, "Creating and configuring an Amazon SQS event source mapping" and "Process DynamoDB
# records with Lambda", read 2026-12.
TO_RECEIVE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_TO_READ_STREAM = ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream")
# Amazon S3 API Reference, "PutBucketNotificationConfiguration": it replaces all entries, so that they are read first.
_TO_NOTIFY = ("s3:GetBucketNotification", "s3:PutBucketNotification")
# Target type -> what a role needs to send there.
TO_SEND = {QUEUE: "sqs:SendMessage", TOPIC: "sns:Publish", FUNCTION: "lambda:InvokeFunction"}
# AWS Backup Developer Guide, "Managed policies for AWS Backup" (AWSBackupServiceRolePolicyForBackup and
# ...ForS3Backup), read 2026-12: what they allow on a table, on a bucket and on its objects.
_TO_COPY = {
    TABLE: ("dynamodb:DescribeTable", "dynamodb:CreateBackup"),
    BUCKET: (
        *("s3:GetBucketVersioning", "s3:GetBucketNotification", "s3:PutBucketNotification", "s3:GetBucketLocation"),
        *("s3:GetBucketTagging", "s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketAcl"),
        *("s3:GetInventoryConfiguration", "s3:PutInventoryConfiguration"),
    ),
}
_TO_COPY_OBJECTS = (
    *("s3:GetObject", "s3:GetObjectAcl", "s3:GetObjectTagging", "s3:GetObjectVersion"),
    *("s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"),
)
# Type -> what a copy needs besides: in words, the ARN for that of the resource, and the actions.
_BACKUP_RULES = (
    *("events:PutRule", "events:DeleteRule", "events:DescribeRule", "events:EnableRule", "events:DisableRule"),
    *("events:ListTargetsByRule", "events:PutTargets", "events:RemoveTargets"),
)
_PARTS_TO_COPY = {
    TABLE: (("the backups", "ARN/backup/id", ("dynamodb:DescribeBackup", "dynamodb:DeleteBackup")),),
    BUCKET: (
        ("the objects", "ARN/key", _TO_COPY_OBJECTS),
        (
            "the events",
            "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/AwsBackupManagedRule",
            _BACKUP_RULES,
        ),
        ("the metrics", "", ("cloudwatch:GetMetricData", "events:ListRules")),
    ),
}
# Type -> place of its key, the service that uses the key, and action -> what the caller needs of the key (Amazon S3
# User Guide, "Using server-side encryption with AWS KMS keys"; Amazon SQS and SNS Developer Guides, "Key management";
# Amazon DynamoDB Developer Guide, "How DynamoDB uses AWS KMS"; all read 2026-12).
_ENCRYPTED: dict[str, tuple[str, str, dict[str, tuple[str, ...]]]] = {
    BUCKET: (
        "BucketEncryption.ServerSideEncryptionConfiguration.*.ServerSideEncryptionByDefault.KMSMasterKeyID",
        "s3",
        {"s3:GetObject": ("kms:Decrypt",), "s3:PutObject": ("kms:GenerateDataKey",)},
    ),
    TABLE: (
        "SSESpecification.KMSMasterKeyId",
        "dynamodb",
        {f"dynamodb:{name}": ("kms:Decrypt",) for name in ("GetItem", "PutItem", "UpdateItem", "Query")},
    ),
    QUEUE: (
        "KmsMasterKeyId",
        "sqs",
        {"sqs:ReceiveMessage": ("kms:Decrypt",), "sqs:SendMessage": ("kms:GenerateDataKey", "kms:Decrypt")},
    ),
    TOPIC: ("KmsMasterKeyId", "sns", {"sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt")}),
}


@dataclass(frozen=True)
class Need:
    """Actions that a role must be allowed for a configuration to work.

    Attributes:
        holder: The resource with the configuration.
        path: Where the configuration is.
        role: The role's expression.
        actions: What it needs.
        arn: On which resource; "" where the actions take none.
        what: The resource in words, or "".
        purpose: What the role cannot do otherwise.
        when_made: AWS asks for the permission when the holder is made.
        told: Another rule reports that it lacks.
        service: The service through which a key is used, or "".
    """

    holder: Resource
    path: Path
    role: Any
    actions: tuple[str, ...]
    arn: str
    what: str
    purpose: str
    when_made: bool = False
    told: bool = False
    service: str = ""


def needs(template: Template) -> tuple[Need, ...]:
    """Return everything that the configurations of a template need of its roles."""
    return template.once(_needs)


def _needs(template: Template) -> Iterator[Need]:
    for function in template.of_type(FUNCTION):
        yield from _of_function(template, function)
    for mapped in template.of_type(MAPPING):
        yield from _of_mapping(template, mapped)
    for notifier in template.of_type(NOTIFIER):
        yield from _of_notifier(template, notifier)
    for selection in template.of_type("AWS::Backup::BackupSelection"):
        yield from _of_selection(template, selection)
    for role in template.of_type(ROLE):
        yield from _of_keys(template, role)


def _of_function(template: Template, function: Resource) -> Iterator[Need]:
    role = function.properties.get("Role")
    if any(True for _ in entries(mapping(function.properties.get("VpcConfig")).get("SubnetIds"))):
        path = function.at("VpcConfig")
        yield Need(function, path, role, _TO_JOIN_VPC, "", "", "make its network interfaces", when_made=True)
    if canonical(mapping(function.properties.get("TracingConfig")).get("Mode")) == "Active":
        yield Need(function, function.at("TracingConfig"), role, _TO_TRACE, "", "", "send its traces")
    target = mapping(function.properties.get("DeadLetterConfig")).get("TargetArn")
    yield from _sending(template, function, function.at("DeadLetterConfig", "TargetArn"), role, target)


def _sending(template: Template, holder: Resource, path: Path, role: Any, target: Any) -> Iterator[Need]:
    found = next((it for kind in TO_SEND if target is not None and (it := template.find(kind, target))), None)
    if found is not None:
        action = TO_SEND[found.type]
        arn = template.arn_of(found)
        yield Need(holder, path, role, (action,), arn, found.id, "send there", when_made=True, told=True)


def _of_mapping(template: Template, mapped: Resource) -> Iterator[Need]:
    function = template.find(FUNCTION, mapped.properties.get("FunctionName"))
    source = mapped.properties.get("EventSourceArn")
    if function is None or source is None:
        return
    role, path = function.properties.get("Role"), mapped.at("EventSourceArn")
    if queue := template.find(QUEUE, source):
        arn = template.arn_of(queue)
        yield Need(mapped, path, role, TO_RECEIVE, arn, queue.id, "take its messages", when_made=True, told=True)
    for table in template.of_type(TABLE):
        if template.resolved(source) == f"${{{table.id}.StreamArn}}":
            arn = f"{template.arn_of(table)}/stream/label"
            yield Need(mapped, path, role, _TO_READ_STREAM, arn, f"{table.id}'s stream", "read it", when_made=True)
    failure = mapping(mapping(mapped.properties.get("DestinationConfig")).get("OnFailure")).get("Destination")
    yield from _sending(template, mapped, mapped.at("DestinationConfig", "OnFailure", "Destination"), role, failure)


def _of_notifier(template: Template, notifier: Resource) -> Iterator[Need]:
    function = template.find(FUNCTION, notifier.properties.get("ServiceToken"))
    bucket = template.find(BUCKET, notifier.properties.get("BucketName"))
    if function is not None and bucket is not None:
        role, path, arn = function.properties.get("Role"), notifier.at("BucketName"), template.arn_of(bucket)
        yield Need(notifier, path, role, _TO_NOTIFY, arn, bucket.id, "write its notification", when_made=True)


def _of_selection(template: Template, selection: Resource) -> Iterator[Need]:
    chosen = mapping(selection.properties.get("BackupSelection"))
    for position, value in entries(chosen.get("Resources")):
        path = selection.at("BackupSelection", "Resources", *position)
        for kind, actions in _TO_COPY.items():
            if found := template.find(kind, value):
                arn, role = template.arn_of(found), chosen.get("IamRoleArn")
                yield Need(selection, path, role, actions, arn, found.id, "copy it")
                parts = _PARTS_TO_COPY[kind]
                yield from (
                    Need(selection, path, role, need, on.replace("ARN", arn), f"{what} of {found.id}", "copy it")
                    for what, on, need in parts
                )


def _of_keys(template: Template, role: Resource) -> Iterator[Need]:
    """What a role needs of the keys of what it may use."""
    allowed = list(statements_of(template, role))
    reference = {"Fn::GetAtt": [role.id, "Arn"]}
    for used in template.of_type(*_ENCRYPTED):
        place, service, actions = _ENCRYPTED[used.type]
        for path, chosen in places(used.at(), used.properties, place.split(".")):
            key = template.find_key(chosen)
            if key is None:
                continue
            needed = {
                need for action, of_key in actions.items() if _uses(template, allowed, action, used) for need in of_key
            }
            if needed:
                arn, purpose = template.arn_of(key), f"use {used.id}, which it encrypts"
                yield Need(role, path, reference, tuple(sorted(needed)), arn, key.id, purpose, service=service)


def _uses(template: Template, allowed: list[Statement], action: str, used: Resource) -> bool:
    """True if a statement names an action and the resource itself, or some of its objects."""
    arn = template.arn_of(used)
    named = [arn, f"{arn}/key"] if used.type == BUCKET else [arn]
    return any(
        may_do(statement, action)
        and any(template.resolved(value).startswith(arn) for _, value in statement.listed("Resource"))
        and any(covers(template, statement, text) or used.type == BUCKET for text in named)
        for statement in allowed
    )
