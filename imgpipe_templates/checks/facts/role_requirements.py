"""Actions that configurations require of a role, for the rules about permissions and about order of creation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.checks.facts.allowed_actions import covers_action, covers_resource
from imgpipe_templates.checks.facts.bucket_notifications import NOTIFIER
from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping, values_at
from imgpipe_templates.checks.facts.invocations import EVENT_SOURCE_MAPPING
from imgpipe_templates.checks.facts.policy_statements import Statement, role_statements
from imgpipe_templates.checks.facts.template import BUCKET, FUNCTION, QUEUE, ROLE, TABLE, TOPIC, Resource, Template
from imgpipe_templates.checks.findings import Path

# AWS Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC", read 2026-12.
_VPC_ACTIONS = ("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface")
# AWS Lambda Developer Guide, "Visualize Lambda function invocations using AWS X-Ray", read 2026-12.
_TRACE_ACTIONS = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
# AWS Lambda Developer Guide, "Creating and configuring an Amazon SQS event source mapping" and "Process DynamoDB
# records with Lambda", read 2026-12.
RECEIVE_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_STREAM_ACTIONS = ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream")
# Amazon S3 API Reference, "PutBucketNotificationConfiguration": it replaces all entries, so the code reads them first.
_NOTIFICATION_ACTIONS = ("s3:GetBucketNotification", "s3:PutBucketNotification")
# Target type -> action of a role that sends to it.
SEND_ACTIONS = {QUEUE: "sqs:SendMessage", TOPIC: "sns:Publish", FUNCTION: "lambda:InvokeFunction"}
# AWS Backup Developer Guide, "Managed policies for AWS Backup" (AWSBackupServiceRolePolicyForBackup and
# ...ForS3Backup), read 2026-12: their actions on a table, on a bucket and on its objects.
_BACKUP_ACTIONS = {
    TABLE: ("dynamodb:DescribeTable", "dynamodb:CreateBackup"),
    BUCKET: (
        *("s3:GetBucketVersioning", "s3:GetBucketNotification", "s3:PutBucketNotification", "s3:GetBucketLocation"),
        *("s3:GetBucketTagging", "s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketAcl"),
        *("s3:GetInventoryConfiguration", "s3:PutInventoryConfiguration"),
    ),
}
_BACKUP_OBJECT_ACTIONS = (
    *("s3:GetObject", "s3:GetObjectAcl", "s3:GetObjectTagging", "s3:GetObjectVersion"),
    *("s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"),
)
# Type -> additional requirements of a backup: description, ARN with `ARN` for that of the resource, and actions.
_BACKUP_RULE_ACTIONS = (
    *("events:PutRule", "events:DeleteRule", "events:DescribeRule", "events:EnableRule", "events:DisableRule"),
    *("events:ListTargetsByRule", "events:PutTargets", "events:RemoveTargets"),
)
_BACKUP_PARTS = {
    TABLE: (("the backups", "ARN/backup/id", ("dynamodb:DescribeBackup", "dynamodb:DeleteBackup")),),
    BUCKET: (
        ("the objects", "ARN/key", _BACKUP_OBJECT_ACTIONS),
        (
            "the events",
            "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/AwsBackupManagedRule",
            _BACKUP_RULE_ACTIONS,
        ),
        ("the metrics", "", ("cloudwatch:GetMetricData", "events:ListRules")),
    ),
}
# Type -> path of its key, the service that uses the key, and action -> actions on the key that it requires (Amazon S3
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
class Requirement:
    """Actions that a configuration requires of a role.

    Attributes:
        holder: The resource with the configuration.
        path: Path of the configuration.
        role: Expression of the role.
        actions: The required actions.
        arn: ARN of their resource; "" for actions without a resource.
        resource: Description of that resource, or "".
        purpose: The operation that fails without the actions.
        at_creation: AWS tests the permission when it creates the holder.
        reported_elsewhere: Another rule reports missing actions.
        service: The service through which a key is used, or "".
    """

    holder: Resource
    path: Path
    role: Any
    actions: tuple[str, ...]
    arn: str
    resource: str
    purpose: str
    at_creation: bool = False
    reported_elsewhere: bool = False
    service: str = ""


def role_requirements(template: Template) -> tuple[Requirement, ...]:
    """Return the requirements of all configurations of a template."""
    return template.cached(_role_requirements)


def _role_requirements(template: Template) -> Iterator[Requirement]:
    for function in template.of_type(FUNCTION):
        yield from _function_requirements(template, function)
    for mapped in template.of_type(EVENT_SOURCE_MAPPING):
        yield from _mapping_requirements(template, mapped)
    for notifier in template.of_type(NOTIFIER):
        yield from _notifier_requirements(template, notifier)
    for selection in template.of_type("AWS::Backup::BackupSelection"):
        yield from _backup_requirements(template, selection)
    for role in template.of_type(ROLE):
        yield from _key_requirements(template, role)


def _function_requirements(template: Template, function: Resource) -> Iterator[Requirement]:
    role = function.properties.get("Role")
    if any(True for _ in entries(mapping(function.properties.get("VpcConfig")).get("SubnetIds"))):
        path = function.at("VpcConfig")
        yield Requirement(function, path, role, _VPC_ACTIONS, "", "", "create its network interfaces", at_creation=True)
    if canonical(mapping(function.properties.get("TracingConfig")).get("Mode")) == "Active":
        yield Requirement(function, function.at("TracingConfig"), role, _TRACE_ACTIONS, "", "", "send its traces")
    target = mapping(function.properties.get("DeadLetterConfig")).get("TargetArn")
    yield from _send_requirement(template, function, function.at("DeadLetterConfig", "TargetArn"), role, target)


def _send_requirement(
    template: Template, holder: Resource, path: Path, role: Any, target: Any
) -> Iterator[Requirement]:
    found = next((it for kind in SEND_ACTIONS if target is not None and (it := template.find(kind, target))), None)
    if found is not None:
        action = SEND_ACTIONS[found.type]
        arn = template.arn_of(found)
        yield Requirement(
            holder, path, role, (action,), arn, found.id, "send there", at_creation=True, reported_elsewhere=True
        )


def _mapping_requirements(template: Template, mapped: Resource) -> Iterator[Requirement]:
    function = template.find(FUNCTION, mapped.properties.get("FunctionName"))
    source = mapped.properties.get("EventSourceArn")
    if function is None or source is None:
        return
    role, path = function.properties.get("Role"), mapped.at("EventSourceArn")
    if queue := template.find(QUEUE, source):
        arn = template.arn_of(queue)
        yield Requirement(
            mapped,
            path,
            role,
            RECEIVE_ACTIONS,
            arn,
            queue.id,
            "receive its messages",
            at_creation=True,
            reported_elsewhere=True,
        )
    for table in template.of_type(TABLE):
        if template.resolved(source) == f"${{{table.id}.StreamArn}}":
            arn = f"{template.arn_of(table)}/stream/label"
            yield Requirement(
                mapped, path, role, _STREAM_ACTIONS, arn, f"{table.id}'s stream", "read it", at_creation=True
            )
    failure = mapping(mapping(mapped.properties.get("DestinationConfig")).get("OnFailure")).get("Destination")
    yield from _send_requirement(
        template, mapped, mapped.at("DestinationConfig", "OnFailure", "Destination"), role, failure
    )


def _notifier_requirements(template: Template, notifier: Resource) -> Iterator[Requirement]:
    function = template.find(FUNCTION, notifier.properties.get("ServiceToken"))
    bucket = template.find(BUCKET, notifier.properties.get("BucketName"))
    if function is not None and bucket is not None:
        role, path, arn = function.properties.get("Role"), notifier.at("BucketName"), template.arn_of(bucket)
        yield Requirement(
            notifier, path, role, _NOTIFICATION_ACTIONS, arn, bucket.id, "set its notification", at_creation=True
        )


def _backup_requirements(template: Template, selection: Resource) -> Iterator[Requirement]:
    chosen = mapping(selection.properties.get("BackupSelection"))
    for position, value in entries(chosen.get("Resources")):
        path = selection.at("BackupSelection", "Resources", *position)
        for kind, actions in _BACKUP_ACTIONS.items():
            if found := template.find(kind, value):
                arn, role = template.arn_of(found), chosen.get("IamRoleArn")
                yield Requirement(selection, path, role, actions, arn, found.id, "copy it")
                parts = _BACKUP_PARTS[kind]
                yield from (
                    Requirement(
                        selection, path, role, required, part.replace("ARN", arn), f"{name} of {found.id}", "copy it"
                    )
                    for name, part, required in parts
                )


def _key_requirements(template: Template, role: Resource) -> Iterator[Requirement]:
    """Yield the requirements for the KMS keys of the resources that a role can use."""
    allowed = list(role_statements(template, role))
    reference = {"Fn::GetAtt": [role.id, "Arn"]}
    for used in template.of_type(*_ENCRYPTED):
        key_path, service, actions = _ENCRYPTED[used.type]
        for path, chosen in values_at(used.at(), used.properties, key_path.split(".")):
            key = template.find_key(chosen)
            if key is None:
                continue
            required = {
                key_action
                for action, key_actions in actions.items()
                if _uses(template, allowed, action, used)
                for key_action in key_actions
            }
            if required:
                arn, purpose = template.arn_of(key), f"use {used.id}, which it encrypts"
                yield Requirement(role, path, reference, tuple(sorted(required)), arn, key.id, purpose, service=service)


def _uses(template: Template, allowed: list[Statement], action: str, used: Resource) -> bool:
    """True if a statement allows an action on the resource itself, or on some of its objects."""
    arn = template.arn_of(used)
    arns = [arn, f"{arn}/key"] if used.type == BUCKET else [arn]
    return any(
        covers_action(statement, action)
        and any(template.resolved(value).startswith(arn) for _, value in statement.listed("Resource"))
        and any(covers_resource(template, statement, text) or used.type == BUCKET for text in arns)
        for statement in allowed
    )
