"""Rules about S3 event notifications: what S3 refuses, and what it needs beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import combinations
from typing import Any
from urllib.parse import unquote_plus

from imgpipe_templates.checks.deliveries import NOTIFIER, WRITTEN
from imgpipe_templates.checks.model import Fault, Path, Rule
from imgpipe_templates.checks.policies import may_name
from imgpipe_templates.checks.template import (
    BUCKET,
    FUNCTION,
    QUEUE,
    TOPIC,
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, entries, mapping
from imgpipe_templates.checks.waiting import waits_for

# Property of NotificationConfiguration -> property of its entries with the target.
TARGETS = {"LambdaConfigurations": "Function", "QueueConfigurations": "Queue", "TopicConfigurations": "Topic"}
# Property of the custom resource that sets a notification -> the property of a bucket's entries that it fills.
_OF = dict(zip(WRITTEN, TARGETS.values(), strict=True))


@dataclass(frozen=True)
class Notification:
    """One entry of a bucket's notification configuration.

    Attributes:
        writer: The resource that sets it: the bucket, or a custom resource.
        prefix: What a key must begin with, decoded; "" is any.
        suffix: What a key must end with, decoded; "" is any.
    """

    bucket: Resource
    writer: Resource
    path: Path
    event: str
    prefix: str
    suffix: str
    target_property: str
    target: Any

    @property
    def filter_text(self) -> str:
        """The filter in words."""
        return f"prefix {self.prefix!r} and suffix {self.suffix!r}"


def notifications(template: Template, bucket: Resource) -> Iterator[Notification]:
    """All entries of one bucket, those included that custom resources of this template write into it."""
    configuration = mapping(bucket.properties.get("NotificationConfiguration"))
    for kind, target in TARGETS.items():
        for position, entry in entries(configuration.get(kind)):
            if isinstance(entry, Mapping):
                path = bucket.at("NotificationConfiguration", kind, *position)
                yield _entry(bucket, bucket, path, entry, canonical(entry.get("Event")), target, entry.get(target))
    for writer in template.of_type(NOTIFIER):
        if template.find(BUCKET, writer.properties.get("BucketName")) is bucket:
            for kind, arn in WRITTEN.items():
                for position, entry in entries(writer.properties.get(kind)):
                    for _, event in entries(mapping(entry).get("Events")):
                        path = writer.at(kind, *position)
                        yield _entry(bucket, writer, path, entry, canonical(event), _OF[kind], mapping(entry).get(arn))


def _entry(
    bucket: Resource, writer: Resource, path: Path, entry: Mapping[str, Any], event: str, target: str, value: Any
) -> Notification:
    names = dict(_filter_rules(entry))
    return Notification(bucket, writer, path, event, names.get("prefix", ""), names.get("suffix", ""), target, value)


def events_overlap(one: str, other: str) -> bool:
    """Whether one S3 event can be of both types; `s3:ObjectCreated:*` contains `s3:ObjectCreated:Put`."""
    if one.endswith("*") and other.endswith("*"):
        return one[:-1].startswith(other[:-1]) or other[:-1].startswith(one[:-1])
    if one.endswith("*"):
        return other.startswith(one[:-1])
    return one == other or (other.endswith("*") and one.startswith(other[:-1]))


def filters_overlap(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether a key can pass two filters, each a prefix and a suffix. Keys are case-sensitive.

    Amazon S3 User Guide, "Configuring event notifications using object key name filtering", read 2026-11: prefixes
    overlap when one text can begin with both, suffixes when one text can end with both, and two configurations for
    one event type may overlap in one of them but not in both.
    """
    prefixes = one[0].startswith(other[0]) or other[0].startswith(one[0])
    suffixes = one[1].endswith(other[1]) or other[1].endswith(one[1])
    return prefixes and suffixes


def _filter_rules(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    filters = mapping(entry.get("Filter"))
    written = [
        *entries(mapping(filters.get("S3Key")).get("Rules")),
        *entries(mapping(filters.get("Key")).get("FilterRules")),
    ]
    for _, rule in written:
        if isinstance(rule, Mapping):
            yield canonical(rule.get("Name")).lower(), unquote_plus(canonical(rule.get("Value")))


def _overlapping(template: Template) -> Iterator[Fault]:
    for bucket in template.of_type(BUCKET):
        for one, other in combinations(notifications(template, bucket), 2):
            if not events_overlap(one.event, other.event):
                continue
            mine, theirs = (tuple(template.with_defaults(text) for text in (n.prefix, n.suffix)) for n in (one, other))
            if filters_overlap((mine[0], mine[1]), (theirs[0], theirs[1])):
                first = ".".join(str(part) for part in one.path[-2:])
                yield Fault(
                    other.path,
                    f"{other.event} with {other.filter_text} overlaps {first} ({one.event} with {one.filter_text}) and "
                    "S3 refuses both; make their prefixes or their suffixes exclude each other, or merge the two",
                )


# Types of events that S3 notifies of (Amazon S3 User Guide, "Event notification types and destinations", read 2026-12).
_KINDS = {
    "s3:IntelligentTiering": (),
    "s3:LifecycleExpiration:": ("*", "Delete", "DeleteMarkerCreated"),
    "s3:LifecycleTransition": (),
    "s3:ObjectAcl:Put": (),
    "s3:ObjectAnnotation:": ("*", "Put", "Delete"),
    "s3:ObjectCreated:": ("*", "Put", "Post", "Copy", "CompleteMultipartUpload"),
    "s3:ObjectRemoved:": ("*", "Delete", "DeleteMarkerCreated"),
    "s3:ObjectRestore:": ("*", "Post", "Completed", "Delete"),
    "s3:ObjectTagging:": ("*", "Put", "Delete"),
    "s3:ReducedRedundancyLostObject": (),
    "s3:Replication:": (
        *("*", "OperationFailedReplication", "OperationMissedThreshold"),
        *("OperationReplicatedAfterThreshold", "OperationNotTracked"),
    ),
    "s3:TestEvent": (),
}
EVENTS = frozenset(kind + end for kind, ends in _KINDS.items() for end in (ends or ("",)))
# Whether a queue or a topic takes messages in order.
_IN_ORDER = {QUEUE: "FifoQueue", TOPIC: "FifoTopic"}


def _unknown(template: Template) -> Iterator[Fault]:
    for bucket in template.of_type(BUCKET):
        for notification in notifications(template, bucket):
            if "${" not in notification.event and notification.event not in EVENTS:
                near = get_close_matches(notification.event, EVENTS, 1)
                yield Fault(
                    notification.path,
                    f"S3 has no event {notification.event!r}; use {near[0] if near else 's3:ObjectCreated:*'}",
                )
            for kind, key in _IN_ORDER.items():
                target = template.find(kind, notification.target)
                if target is not None and canonical(target.properties.get(key)) == "true":
                    yield Fault(
                        notification.path,
                        f"S3 sends to no FIFO queue or topic, and {target.id} is one; use a standard one",
                    )
    for writer in template.of_type(NOTIFIER):
        text = template.resolved(writer.properties.get("BucketName"))
        if text.startswith("arn:"):
            yield Fault(writer.at("BucketName"), f"is {text!r}; the helper takes a name, so use Ref of the bucket")


def allows_invoke(permission: Resource) -> bool:
    """True if a permission is one to invoke."""
    return canonical(permission.properties.get("Action")).lower() in ("lambda:invokefunction", "lambda:*", "*", "")


def _unpermitted(template: Template) -> Iterator[Fault]:
    for bucket in template.of_type(BUCKET):
        arn = template.resolved({"Fn::GetAtt": [bucket.id, "Arn"]})
        for function, notification in _first_by_function(template, bucket):
            permissions = [
                permission
                for permission in template.of_type("AWS::Lambda::Permission")
                if _permits(template, permission, notification.target, arn)
            ]
            if fault := _permission_fault(template, notification, function, permissions):
                yield fault


def _first_by_function(template: Template, bucket: Resource) -> list[tuple[Resource, Notification]]:
    """The functions of this template that a bucket notifies, each with the first entry that does."""
    found: dict[str, tuple[Resource, Notification]] = {}
    for notification in notifications(template, bucket):
        if notification.target_property == "Function" and (function := template.find(FUNCTION, notification.target)):
            found.setdefault(function.id, (function, notification))
    return list(found.values())


def _permits(template: Template, permission: Resource, called: Any, bucket_arn: str) -> bool:
    properties = permission.properties
    source = properties.get("SourceArn")
    return (
        canonical(properties.get("Principal")) == "s3.amazonaws.com"
        and allows_invoke(permission)
        and template.same_function(properties.get("FunctionName"), called)
        and (source is None or may_name(template, source, bucket_arn))
    )


def _permission_fault(
    template: Template, notification: Notification, function: Resource, permissions: list[Resource]
) -> Fault | None:
    if not permissions:
        return Fault(
            notification.path,
            f"nothing lets S3 invoke {function.id}; add an AWS::Lambda::Permission for s3.amazonaws.com with this "
            "bucket's ARN as SourceArn and the account as SourceAccount, for the alias or version that is called",
        )
    owned = [permission for permission in permissions if permission.properties.get("SourceAccount") is not None]
    if not owned:
        return Fault(
            permissions[0].path,
            "a bucket's ARN names no account, so whoever owns the name could invoke the function; "
            "add SourceAccount: {Ref: AWS::AccountId}",
        )
    if not waits_for(template, notification.writer) & {permission.id for permission in owned}:
        return Fault(
            notification.writer.path,
            f"S3 tests the target when the notification is set, and nothing orders {owned[0].id} before it; "
            f"add DependsOn: {owned[0].id}",
        )
    return None


RULES = (
    Rule(
        "E9518",
        "Notification that S3 refuses",
        "A misspelt type of event, or a FIFO queue or topic as the target: S3 refuses the bucket's configuration.",
        # Amazon S3 User Guide, "Event notification types and destinations", read 2026-12
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html",
        _unknown,
    ),
    Rule(
        "E9501",
        "Notification filters of one bucket overlap",
        "S3 refuses a notification configuration in which one event could match two entries.",
        # Amazon S3 User Guide, "Configuring event notifications using object key name filtering", read 2026-11
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html",
        _overlapping,
    ),
    Rule(
        "E9503",
        "A native notification lacks its permission, its account or its order",
        "S3 checks that it may invoke the function when the notification is set; a bucket's ARN holds no account id.",
        # Amazon S3 User Guide, "Granting permissions to publish event notification messages", read 2026-11
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html",
        _unpermitted,
        absence=True,
    ),
)
