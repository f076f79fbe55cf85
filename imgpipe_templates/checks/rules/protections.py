"""The rule of what a rendered template promises: the protections that its Metadata names, and those of every preset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from imgpipe_templates import promises
from imgpipe_templates.checks.deliveries import deliveries
from imgpipe_templates.checks.model import Fault, Path, Rule
from imgpipe_templates.checks.policies import is_about, may_do, resource_statements, statements
from imgpipe_templates.checks.rules.alarms import ALARM, Metric, metrics_of, owner_of
from imgpipe_templates.checks.rules.own_roles import CALLS, NOTIFIER_FUNCTION
from imgpipe_templates.checks.template import (
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
from imgpipe_templates.checks.values import canonical, entries, mapping

MAPPING = "AWS::Lambda::EventSourceMapping"
ROUTE = "AWS::ApiGatewayV2::Route"
STAGE = "AWS::ApiGatewayV2::Stage"
VAULT = "AWS::Backup::BackupVault"
BUDGET = "AWS::Budgets::Budget"
GROUP = "AWS::EC2::SecurityGroup"
_SSE = "BucketEncryption.ServerSideEncryptionConfiguration.*.ServerSideEncryptionByDefault"


@dataclass(frozen=True)
class Promise:
    """A property that resources of a type have.

    Attributes:
        type: The type.
        place: Where the property is; a `*` is every entry of a list.
        why: What is lost without it.
        expected: The only value that will do; "" for any, `!` and the only one that will not, `@key` for a key of the
            template.
        asked_by: The protection that must be named in the template's Metadata; "" for one of every preset.
        of: Which resources of the type it is about.
    """

    type: str
    place: str
    why: str
    expected: str = ""
    asked_by: str = ""
    of: Callable[[Template, Resource], bool] = lambda _template, _resource: True


def _takes_logs(template: Template, bucket: Resource) -> bool:
    """True for the destination of access logs, which S3 writes to."""
    return any(
        template.find(BUCKET, statement.owner.properties.get("Bucket")) is bucket
        and is_about(statement, "logging.s3.amazonaws.com")
        for statement in resource_statements(template, "AWS::S3::BucketPolicy")
    )


def _holds_images(template: Template, bucket: Resource) -> bool:
    return not _takes_logs(template, bucket)


def _is_dead_letter(template: Template, queue: Resource) -> bool:
    named = [one.properties.get("RedrivePolicy") for one in template.of_type(QUEUE)]
    return any(template.find(QUEUE, mapping(policy).get("deadLetterTargetArn")) is queue for policy in named)


PROMISES = (
    Promise(BUCKET, f"{_SSE}.SSEAlgorithm", "says how its objects are encrypted"),
    Promise(BUCKET, "VersioningConfiguration.Status", "keeps what was overwritten or deleted", "Enabled"),
    Promise(BUCKET, "OwnershipControls.Rules.*.ObjectOwnership", "has no ACLs", "BucketOwnerEnforced"),
    Promise(BUCKET, "LoggingConfiguration", "has its requests recorded", "", promises.ACCESS_LOGS, _holds_images),
    Promise(BUCKET, f"{_SSE}.KMSMasterKeyID", "uses the key", "@key", promises.CUSTOMER_KEY, _holds_images),
    Promise(TABLE, "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", "can be restored", "true"),
    Promise(TABLE, "SSESpecification.KMSMasterKeyId", "uses the key", "@key", promises.CUSTOMER_KEY),
    Promise(TABLE, "SSESpecification.SSEEnabled", "uses a key of KMS", "true", promises.TABLE_KEY),
    Promise(TABLE, "DeletionProtectionEnabled", "is locked against deletion", "true", promises.DELETION_PROTECTION),
    Promise(QUEUE, "KmsMasterKeyId", "uses the key", "@key", promises.CUSTOMER_KEY),
    Promise(QUEUE, "MessageRetentionPeriod", "keeps messages as long as SQS does, 14 days", "1209600"),
    Promise(
        QUEUE,
        "RedriveAllowPolicy.redrivePermission",
        "takes its own dead letters",
        "byQueue",
        promises.DEAD_LETTERS,
        _is_dead_letter,
    ),
    Promise(TOPIC, "KmsMasterKeyId", "uses the key", "@key", promises.CUSTOMER_KEY),
    Promise(LOG_GROUP, "KmsKeyId", "uses the key", "@key", promises.CUSTOMER_KEY),
    Promise(FUNCTION, "KmsKeyArn", "uses the key", "@key", promises.CUSTOMER_KEY),
    Promise(FUNCTION, "TracingConfig.Mode", "is traced", "Active", promises.TRACING),
    Promise(VAULT, "EncryptionKeyArn", "uses the key", "@key", promises.CUSTOMER_KEY),
    Promise(KEY, "EnableKeyRotation", "rotates every year", "true"),
    Promise(RULE, "Targets.*.DeadLetterConfig.Arn", "keeps what it could not deliver", "", promises.DEAD_LETTERS),
    Promise(RULE, "State", "is on", "ENABLED"),
    Promise(MAPPING, "FunctionResponseTypes.*", "brings only failed messages back", "ReportBatchItemFailures"),
    Promise(MAPPING, "ScalingConfig.MaximumConcurrency", "leaves concurrency to other functions"),
    Promise(STAGE, "AccessLogSettings.DestinationArn", "has its requests recorded"),
    Promise(STAGE, "DefaultRouteSettings.ThrottlingRateLimit", "bounds what callers cost"),
    Promise(STAGE, "DefaultRouteSettings.ThrottlingBurstLimit", "bounds what callers cost"),
    Promise(ROUTE, "AuthorizationType", "asks who calls", "!NONE", promises.API_AUTHORIZATION),
    Promise(VAULT, "LockConfiguration.MinRetentionDays", "keeps backups until their end", "", promises.BACKUPS),
    Promise(BUDGET, "Budget.CostFilters", "counts the costs of this project alone"),
    Promise(BUDGET, "NotificationsWithSubscribers.*.Subscribers.*.Address", "tells somebody"),
    Promise(GROUP, "SecurityGroupEgress", "says where its traffic may go"),
)
# Protection -> types of which a template that has it has one.
_THERE = {
    promises.BACKUPS: (VAULT, "AWS::Backup::BackupPlan", "AWS::Backup::BackupSelection"),
    promises.BUDGET: (BUDGET,),
    promises.CUSTOMER_KEY: (KEY,),
}
PROCESSING_ERRORS = "ProcessingErrors"
# Type -> metrics by which each of its resources is watched, where a template watches anything at all.
_OF_FUNCTION = ("Errors", "Throttles", "Duration")
_OF_TABLE = ("ReadThrottleEvents", "WriteThrottleEvents")
_OF_QUEUE = "ApproximateAgeOfOldestMessage"


_IN_WORDS = {"": "", "@": " to the template's key", "!": ""}


def _broken(template: Template) -> Iterator[Fault]:
    promised = promises.promised(template.body)
    if promised is None:
        return
    for promise in PROMISES:
        if promise.asked_by in ("", *promised):
            for resource in template.of_type(promise.type):
                if promise.of(template, resource) and not _is_kept(template, resource, promise):
                    wanted = _IN_WORDS.get(promise.expected[:1], f" to {promise.expected}")
                    yield Fault(
                        resource.path,
                        f"no longer {promise.why}, as this template promises; "
                        f"set {promise.place.replace('.*', '')}{wanted}",
                    )
    yield from _of_keys(template)
    yield from _open_groups(template)
    yield from _of_backups(template, promised)
    if promises.is_whole(template.body):
        for protection, types in _THERE.items():
            for kind in types if protection in promised else ():
                if not template.of_type(kind):
                    yield Fault(("Resources",), f"has no {kind}, though it promises {protection}; add it back")
        yield from _unwatched(template, promised)
        yield from _unheard(template)


def _is_kept(template: Template, resource: Resource, promise: Promise) -> bool:
    found = list(_values(resource.properties, promise.place.split(".")))
    if promise.expected == "@key":
        return all(value is not None and _is_key(template, value) for value in found)
    if promise.expected.startswith("!"):
        return all(value is not None and canonical(value) != promise.expected[1:] for value in found)
    return all(value is not None and promise.expected in ("", canonical(value)) for value in found)


def _values(value: Any, keys: list[str]) -> Iterator[Any]:
    """The values at a place, None for each that is not there."""
    if not keys or value is None:
        yield value
    elif keys[0] == "*":
        listed = [entry for _, entry in entries(value)]
        yield from (found for entry in listed or [None] for found in _values(entry, keys[1:]))
    else:
        yield from _values(mapping(value).get(keys[0]), keys[1:])


def _is_key(template: Template, value: Any) -> bool:
    # In a layout of several stacks the key is another stack's.
    return template.find_key(value) is not None or not promises.is_whole(template.body)


# What a key refuses to everybody of the account: use outside of services, and grants to others than services.
_REFUSED = {"kms:Decrypt": "kms:viaservice", "kms:CreateGrant": "kms:grantisforawsresource"}


def _of_keys(template: Template) -> Iterator[Fault]:
    for key in template.of_type(KEY):
        denials = list(statements(key, key.at("KeyPolicy"), key.properties.get("KeyPolicy"), "Deny"))
        for action, condition in _REFUSED.items():
            if not any(
                may_do(denial, action) and any(name == condition for _, name, _ in denial.conditions())
                for denial in denials
            ):
                yield Fault(
                    key.at("KeyPolicy"),
                    f"no longer denies {action} by {condition}, as this template promises; add that Deny back",
                )
        for statement in statements(key, key.at("KeyPolicy"), key.properties.get("KeyPolicy")):
            services = [value for kind, _, value in statement.principals() if kind == "Service"]
            unused = _unused(template, services)
            if unused and promises.is_whole(template.body):
                yield Fault(
                    statement.path, f"{statement.name} allows {unused}, which sends nothing in this template; remove it"
                )
            if services and not list(statement.conditions()):
                yield Fault(
                    statement.path, f"{statement.name} allows a service without a Condition; add aws:SourceAccount"
                )


# Services that use a key only to send messages (encryption.py, PRODUCERS).
_SENDERS = ("budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com", "s3.amazonaws.com")


def _unused(template: Template, services: list[Any]) -> str:
    sending = {delivery.service for delivery in deliveries(template) if delivery.target.type in (QUEUE, TOPIC)}
    named = [canonical(service) for service in services]
    return ", ".join(name for name in named if name in _SENDERS and name not in sending)


def _open_groups(template: Template) -> Iterator[Fault]:
    apart = [(rule, rule.at(), rule.properties) for rule in template.of_type("AWS::EC2::SecurityGroupIngress")]
    own = [
        (group, group.at("SecurityGroupIngress", *position), mapping(rule))
        for group in template.of_type(GROUP)
        for position, rule in entries(group.properties.get("SecurityGroupIngress"))
    ]
    for group, path, rule in (*apart, *own):
        if {canonical(rule.get(key)) for key in ("CidrIp", "CidrIpv6")} & {"0.0.0.0/0", "::/0"}:
            yield Fault(path, f"{group.id} allows traffic from everywhere; name a security group or a CIDR block")


def _of_backups(template: Template, promised: frozenset[str]) -> Iterator[Fault]:
    selections = template.of_type("AWS::Backup::BackupSelection")
    if promises.BACKUPS not in promised or not selections:
        return
    chosen = {
        found.id
        for selection in selections
        for _, value in entries(mapping(selection.properties.get("BackupSelection")).get("Resources"))
        if (found := template.find(BUCKET, value) or template.find(TABLE, value))
    }
    for resource in template.of_type(BUCKET, TABLE):
        if resource.id not in chosen and (resource.type == TABLE or _holds_images(template, resource)):
            yield Fault(resource.path, "is no longer backed up, as this template promises; select it again")


def _unwatched(template: Template, promised: frozenset[str]) -> Iterator[Fault]:
    series = [metric for alarm in template.of_type(ALARM) for metric in metrics_of(alarm)]
    if not series:
        return
    watched = {(metric.name, _whose(template, metric)) for metric in series}
    for path, whose, name in _to_watch(template, promised):
        if (name, whose) not in watched:
            yield Fault(path, f"has no alarm on {name} any more{f' of {whose}' if whose else ''}; add it back")


def _unheard(template: Template) -> Iterator[Fault]:
    subscribed = {
        template.resolved(one.properties.get("TopicArn")) for one in template.of_type("AWS::SNS::Subscription")
    }
    for topic in template.of_type(TOPIC):
        if template.arn_of(topic) not in subscribed:
            yield Fault(topic.path, "no longer has a subscription, so nobody receives its messages; add it back")


def _whose(template: Template, metric: Metric) -> str:
    """What a series is of: a resource, or an index of a table; "" for one of the whole pipeline."""
    owner = next((it for name in _DIMENSIONS if (it := owner_of(template, metric, name))), None)
    if owner is not None:
        index = metric.dimensions.get("GlobalSecondaryIndexName")
        return owner.id if index is None else f"{owner.id}.{canonical(index[1])}"
    api = metric.dimensions.get("ApiId")
    return "" if api is None else template.resolved(api[1])


_DIMENSIONS = ("FunctionName", "QueueName", "TableName")


def _to_watch(template: Template, promised: frozenset[str]) -> Iterator[tuple[Path, str, str]]:
    """Place, owner and name of each series that this project's alarms watch."""
    yield ("Resources",), "", PROCESSING_ERRORS
    for function in template.of_type(FUNCTION):
        if function.id in CALLS and function.id != NOTIFIER_FUNCTION:
            yield from ((function.path, function.id, name) for name in _OF_FUNCTION)
    for queue in template.of_type(QUEUE):
        if "RedrivePolicy" in queue.properties:
            yield queue.path, queue.id, _OF_QUEUE
    for api in template.of_type("AWS::ApiGatewayV2::Api"):
        yield api.path, f"${{{api.id}}}", "5xx"
    for table in template.of_type(TABLE) if promises.TABLE_ALARMS in promised else ():
        indexes = [mapping(index) for _, index in entries(table.properties.get("GlobalSecondaryIndexes"))]
        for whose in (table.id, *(f"{table.id}.{canonical(index.get('IndexName'))}" for index in indexes)):
            yield from ((table.path, whose, name) for name in _OF_TABLE)


RULES = (
    Rule(
        "E9591",
        "Protection that the template promises and lacks",
        "The template's Metadata lists its protections; an edit that removes one is usually an accident.",
        # AWS Well-Architected Framework, Security Pillar, read 2026-12
        "https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/welcome.html",
        _broken,
        convention=True,
    ),
)
