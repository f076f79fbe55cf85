"""The rule about protections that a rendered template's Metadata lists, and those of every preset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from imgpipe_templates import promises
from imgpipe_templates.checks.facts.allowed_actions import covers_action, names_service
from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping
from imgpipe_templates.checks.facts.invocations import EVENT_SOURCE_MAPPING
from imgpipe_templates.checks.facts.metric_series import ALARM, Series, dimension_resource, series_of
from imgpipe_templates.checks.facts.policy_statements import BUCKET_POLICY, resource_statements, statements_in
from imgpipe_templates.checks.facts.project_functions import CALLS, NOTIFIER_FUNCTION
from imgpipe_templates.checks.facts.service_deliveries import BUDGET, SUBSCRIPTION, deliveries
from imgpipe_templates.checks.facts.template import (
    BUCKET,
    FUNCTION,
    KEY,
    LOG_GROUP,
    QUEUE,
    RULE,
    TABLE,
    TOPIC,
    Resource,
    Template,
)
from imgpipe_templates.checks.findings import Path, Violation
from imgpipe_templates.checks.rule import template_rule

ROUTE = "AWS::ApiGatewayV2::Route"
STAGE = "AWS::ApiGatewayV2::Stage"
VAULT = "AWS::Backup::BackupVault"
GROUP = "AWS::EC2::SecurityGroup"
_SSE = "BucketEncryption.ServerSideEncryptionConfiguration.*.ServerSideEncryptionByDefault"


@dataclass(frozen=True)
class Protection:
    """A required property of the resources of a type.

    Attributes:
        type: The type.
        key: Path of the property, with dots; `*` means every entry of a list.
        effect: The protection that the property provides, as "no longer ..." continues.
        expected: The required value; "" for any value, `!` and the forbidden value, `@key` for a key of the template.
        listed_as: The name in the template's Metadata that requires it; "" for a protection of every preset.
        applies_to: True for the resources of the type that need it.
    """

    type: str
    key: str
    effect: str
    expected: str = ""
    listed_as: str = ""
    applies_to: Callable[[Template, Resource], bool] = lambda _template, _resource: True


def _receives_access_logs(template: Template, bucket: Resource) -> bool:
    """True for the destination bucket of access logs."""
    return any(
        template.find(BUCKET, statement.owner.properties.get("Bucket")) is bucket
        and names_service(statement, "logging.s3.amazonaws.com")
        for statement in resource_statements(template, BUCKET_POLICY)
    )


def _contains_images(template: Template, bucket: Resource) -> bool:
    return not _receives_access_logs(template, bucket)


def _is_dead_letter(template: Template, queue: Resource) -> bool:
    redrive_policies = [one.properties.get("RedrivePolicy") for one in template.of_type(QUEUE)]
    return any(template.find(QUEUE, mapping(policy).get("deadLetterTargetArn")) is queue for policy in redrive_policies)


PROTECTIONS = (
    Protection(BUCKET, f"{_SSE}.SSEAlgorithm", "sets the encryption of its objects"),
    Protection(BUCKET, "VersioningConfiguration.Status", "keeps old versions of objects", "Enabled"),
    Protection(BUCKET, "OwnershipControls.Rules.*.ObjectOwnership", "has no ACLs", "BucketOwnerEnforced"),
    Protection(BUCKET, "LoggingConfiguration", "has access logs", "", promises.ACCESS_LOGS, _contains_images),
    Protection(
        BUCKET, f"{_SSE}.KMSMasterKeyID", "uses the customer key", "@key", promises.CUSTOMER_KEY, _contains_images
    ),
    Protection(
        TABLE, "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", "has point-in-time recovery", "true"
    ),
    Protection(TABLE, "SSESpecification.KMSMasterKeyId", "uses the customer key", "@key", promises.CUSTOMER_KEY),
    Protection(TABLE, "SSESpecification.SSEEnabled", "is encrypted with a KMS key", "true", promises.TABLE_KEY),
    Protection(TABLE, "DeletionProtectionEnabled", "has deletion protection", "true", promises.DELETION_PROTECTION),
    Protection(QUEUE, "KmsMasterKeyId", "uses the customer key", "@key", promises.CUSTOMER_KEY),
    Protection(QUEUE, "MessageRetentionPeriod", "keeps messages for 14 days, the maximum of SQS", "1209600"),
    Protection(
        QUEUE,
        "RedriveAllowPolicy.redrivePermission",
        "limits the queues that send dead letters",
        "byQueue",
        promises.DEAD_LETTERS,
        _is_dead_letter,
    ),
    Protection(TOPIC, "KmsMasterKeyId", "uses the customer key", "@key", promises.CUSTOMER_KEY),
    Protection(LOG_GROUP, "KmsKeyId", "uses the customer key", "@key", promises.CUSTOMER_KEY),
    Protection(FUNCTION, "KmsKeyArn", "uses the customer key", "@key", promises.CUSTOMER_KEY),
    Protection(FUNCTION, "TracingConfig.Mode", "has X-Ray tracing", "Active", promises.TRACING),
    Protection(VAULT, "EncryptionKeyArn", "uses the customer key", "@key", promises.CUSTOMER_KEY),
    Protection(KEY, "EnableKeyRotation", "rotates every year", "true"),
    Protection(RULE, "Targets.*.DeadLetterConfig.Arn", "keeps undelivered events", "", promises.DEAD_LETTERS),
    Protection(RULE, "State", "is enabled", "ENABLED"),
    Protection(
        EVENT_SOURCE_MAPPING, "FunctionResponseTypes.*", "retries failed messages only", "ReportBatchItemFailures"
    ),
    Protection(EVENT_SOURCE_MAPPING, "ScalingConfig.MaximumConcurrency", "limits its concurrency"),
    Protection(STAGE, "AccessLogSettings.DestinationArn", "has access logs"),
    Protection(STAGE, "DefaultRouteSettings.ThrottlingRateLimit", "limits the cost of requests"),
    Protection(STAGE, "DefaultRouteSettings.ThrottlingBurstLimit", "limits the cost of requests"),
    Protection(ROUTE, "AuthorizationType", "requires authorization", "!NONE", promises.API_AUTHORIZATION),
    Protection(VAULT, "LockConfiguration.MinRetentionDays", "locks backups", "", promises.BACKUPS),
    Protection(BUDGET, "Budget.CostFilters", "counts the costs of this project only"),
    Protection(BUDGET, "NotificationsWithSubscribers.*.Subscribers.*.Address", "notifies a subscriber"),
    Protection(GROUP, "SecurityGroupEgress", "limits its egress traffic"),
)
# Name in the Metadata -> types of which the template must contain a resource.
_REQUIRED_TYPES = {
    promises.BACKUPS: (VAULT, "AWS::Backup::BackupPlan", "AWS::Backup::BackupSelection"),
    promises.BUDGET: (BUDGET,),
    promises.CUSTOMER_KEY: (KEY,),
}
PROCESSING_ERRORS = "ProcessingErrors"
# Metrics with an alarm for each function, table and queue, if a template has alarms at all.
_FUNCTION_METRICS = ("Errors", "Throttles", "Duration")
_TABLE_METRICS = ("ReadThrottleEvents", "WriteThrottleEvents")
_QUEUE_METRIC = "ApproximateAgeOfOldestMessage"

_EXPECTED_TEXT = {"": "", "@": " to the template's key", "!": ""}


@template_rule(
    "E9591",
    "Missing protection that the template's Metadata lists",
    "The template's Metadata lists its protections; an edit that removes one is usually an accident.",
    # AWS Well-Architected Framework, Security Pillar, read 2026-12
    "https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/welcome.html",
    convention=True,
)
def missing_promised_protection(template: Template) -> Iterator[Violation]:
    listed = promises.promised(template.body)
    if listed is None:
        return
    for protection in PROTECTIONS:
        if protection.listed_as in ("", *listed):
            for resource in template.of_type(protection.type):
                if protection.applies_to(template, resource) and not _has_protection(template, resource, protection):
                    value = _EXPECTED_TEXT.get(protection.expected[:1], f" to {protection.expected}")
                    yield Violation(
                        resource.path,
                        f"no longer {protection.effect}, a protection of this template; "
                        f"set {protection.key.replace('.*', '')}{value}",
                    )
    yield from _key_violations(template)
    yield from _open_security_groups(template)
    yield from _backup_violations(template, listed)
    if promises.is_whole(template.body):
        for name, types in _REQUIRED_TYPES.items():
            for kind in types if name in listed else ():
                if not template.of_type(kind):
                    yield Violation(
                        ("Resources",), f"the template has no {kind}, but its Metadata lists {name}; restore it"
                    )
        yield from _missing_alarms(template, listed)
        yield from _topics_without_subscription(template)


def _has_protection(template: Template, resource: Resource, protection: Protection) -> bool:
    found = list(_values(resource.properties, protection.key.split(".")))
    if protection.expected == "@key":
        return all(value is not None and _is_key(template, value) for value in found)
    if protection.expected.startswith("!"):
        return all(value is not None and canonical(value) != protection.expected[1:] for value in found)
    return all(value is not None and protection.expected in ("", canonical(value)) for value in found)


def _values(value: Any, keys: list[str]) -> Iterator[Any]:
    """Yield the values at a path of keys, None for each missing value."""
    if not keys or value is None:
        yield value
    elif keys[0] == "*":
        listed = [entry for _, entry in entries(value)]
        yield from (found for entry in listed or [None] for found in _values(entry, keys[1:]))
    else:
        yield from _values(mapping(value).get(keys[0]), keys[1:])


def _is_key(template: Template, value: Any) -> bool:
    # In a layout of several stacks the key is in another stack.
    return template.find_key(value) is not None or not promises.is_whole(template.body)


# Actions that a key policy denies in the whole account, and the condition key: use outside of services, and grants to
# principals other than services.
_DENIED = {"kms:Decrypt": "kms:viaservice", "kms:CreateGrant": "kms:grantisforawsresource"}


def _key_violations(template: Template) -> Iterator[Violation]:
    for key in template.of_type(KEY):
        denials = list(statements_in(key, key.at("KeyPolicy"), key.properties.get("KeyPolicy"), "Deny"))
        for action, condition in _DENIED.items():
            if not any(
                covers_action(denial, action) and any(name == condition for _, name, _ in denial.conditions())
                for denial in denials
            ):
                yield Violation(
                    key.at("KeyPolicy"),
                    f"no longer denies {action} by {condition}, a protection of this template; restore that Deny",
                )
        for statement in statements_in(key, key.at("KeyPolicy"), key.properties.get("KeyPolicy")):
            services = [value for kind, _, value in statement.principals() if kind == "Service"]
            unused = _unused(template, services)
            if unused and promises.is_whole(template.body):
                yield Violation(
                    statement.path,
                    f"{statement.name} allows {unused}, which has no delivery in this template; remove it",
                )
            if services and not list(statement.conditions()):
                yield Violation(
                    statement.path, f"{statement.name} allows a service without a Condition; add aws:SourceAccount"
                )


# Services that use a key for messages only (encryption.py, PRODUCERS).
_SENDERS = ("budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com", "s3.amazonaws.com")


def _unused(template: Template, services: list[Any]) -> str:
    sending = {delivery.service for delivery in deliveries(template) if delivery.target.type in (QUEUE, TOPIC)}
    names = [canonical(service) for service in services]
    return ", ".join(name for name in names if name in _SENDERS and name not in sending)


def _open_security_groups(template: Template) -> Iterator[Violation]:
    separate = [(rule, rule.at(), rule.properties) for rule in template.of_type("AWS::EC2::SecurityGroupIngress")]
    inline = [
        (group, group.at("SecurityGroupIngress", *position), mapping(rule))
        for group in template.of_type(GROUP)
        for position, rule in entries(group.properties.get("SecurityGroupIngress"))
    ]
    for group, path, rule in (*separate, *inline):
        if {canonical(rule.get(key)) for key in ("CidrIp", "CidrIpv6")} & {"0.0.0.0/0", "::/0"}:
            yield Violation(path, f"{group.id} allows traffic from any address; use a security group or a CIDR block")


def _backup_violations(template: Template, listed: frozenset[str]) -> Iterator[Violation]:
    selections = template.of_type("AWS::Backup::BackupSelection")
    if promises.BACKUPS not in listed or not selections:
        return
    selected = {
        found.id
        for selection in selections
        for _, value in entries(mapping(selection.properties.get("BackupSelection")).get("Resources"))
        if (found := template.find(BUCKET, value) or template.find(TABLE, value))
    }
    for resource in template.of_type(BUCKET, TABLE):
        if resource.id not in selected and (resource.type == TABLE or _contains_images(template, resource)):
            yield Violation(
                resource.path, "has no backup any more, a protection of this template; add it to the BackupSelection"
            )


def _missing_alarms(template: Template, listed: frozenset[str]) -> Iterator[Violation]:
    series = [metric for alarm in template.of_type(ALARM) for metric in series_of(alarm)]
    if not series:
        return
    monitored = {(metric.name, _monitored_resource(template, metric)) for metric in series}
    for path, owner, name in _required_alarms(template, listed):
        if (name, owner) not in monitored:
            yield Violation(path, f"has no alarm on {name} any more{f' of {owner}' if owner else ''}; restore it")


def _topics_without_subscription(template: Template) -> Iterator[Violation]:
    subscribed = {template.resolved(one.properties.get("TopicArn")) for one in template.of_type(SUBSCRIPTION)}
    for topic in template.of_type(TOPIC):
        if template.arn_of(topic) not in subscribed:
            yield Violation(topic.path, "has no subscription any more, so its messages are lost; restore it")


def _monitored_resource(template: Template, metric: Series) -> str:
    """Return the resource of a series, or an index of a table; "" for a series of the whole pipeline."""
    owner = next((it for name in _DIMENSIONS if (it := dimension_resource(template, metric, name))), None)
    if owner is not None:
        index = metric.dimensions.get("GlobalSecondaryIndexName")
        return owner.id if index is None else f"{owner.id}.{canonical(index[1])}"
    api = metric.dimensions.get("ApiId")
    return "" if api is None else template.resolved(api[1])


_DIMENSIONS = ("FunctionName", "QueueName", "TableName")


def _required_alarms(template: Template, listed: frozenset[str]) -> Iterator[tuple[Path, str, str]]:
    """Yield path, owner and metric name of each alarm of this project."""
    yield ("Resources",), "", PROCESSING_ERRORS
    for function in template.of_type(FUNCTION):
        if function.id in CALLS and function.id != NOTIFIER_FUNCTION:
            yield from ((function.path, function.id, name) for name in _FUNCTION_METRICS)
    for queue in template.of_type(QUEUE):
        if "RedrivePolicy" in queue.properties:
            yield queue.path, queue.id, _QUEUE_METRIC
    for api in template.of_type("AWS::ApiGatewayV2::Api"):
        yield api.path, f"${{{api.id}}}", "5xx"
    for table in template.of_type(TABLE) if promises.TABLE_ALARMS in listed else ():
        indexes = [mapping(index) for _, index in entries(table.properties.get("GlobalSecondaryIndexes"))]
        for owner in (table.id, *(f"{table.id}.{canonical(index.get('IndexName'))}" for index in indexes)):
            yield from ((table.path, owner, name) for name in _TABLE_METRICS)
