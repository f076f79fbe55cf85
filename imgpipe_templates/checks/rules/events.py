"""Rules about S3 event notifications: what S3 refuses, and what it needs beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from urllib.parse import unquote_plus

from imgpipe_templates.checks.model import Fault, Path, Rule
from imgpipe_templates.checks.template import BUCKET, FUNCTION, Resource, Template, canonical, entries, mapping

# Property of NotificationConfiguration -> property of its entries with the target.
TARGETS = {"LambdaConfigurations": "Function", "QueueConfigurations": "Queue", "TopicConfigurations": "Topic"}


@dataclass(frozen=True)
class Notification:
    """One entry of a bucket's notification configuration.

    Attributes:
        prefix: What a key must begin with, decoded; "" is any.
        suffix: What a key must end with, decoded; "" is any.
    """

    bucket: Resource
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


def notifications(bucket: Resource) -> Iterator[Notification]:
    """All entries of one bucket."""
    configuration = mapping(bucket.properties.get("NotificationConfiguration"))
    for kind, target in TARGETS.items():
        for position, entry in entries(configuration.get(kind)):
            if isinstance(entry, Mapping):
                names = dict(_filter_rules(entry))
                yield Notification(
                    bucket,
                    bucket.at("NotificationConfiguration", kind, *position),
                    canonical(entry.get("Event")),
                    names.get("prefix", ""),
                    names.get("suffix", ""),
                    target,
                    entry.get(target),
                )


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
    for _, rule in entries(mapping(mapping(entry.get("Filter")).get("S3Key")).get("Rules")):
        if isinstance(rule, Mapping):
            yield canonical(rule.get("Name")).lower(), unquote_plus(canonical(rule.get("Value")))


def _overlapping(template: Template) -> Iterator[Fault]:
    for bucket in template.of_type(BUCKET):
        for one, other in combinations(notifications(bucket), 2):
            if not events_overlap(one.event, other.event):
                continue
            mine, theirs = (tuple(template.with_defaults(text) for text in (n.prefix, n.suffix)) for n in (one, other))
            if filters_overlap((mine[0], mine[1]), (theirs[0], theirs[1])):
                first = ".".join(str(part) for part in one.path[4:])
                yield Fault(
                    other.path,
                    f"{other.event} with {other.filter_text} overlaps {first} ({one.event} with {one.filter_text}) and "
                    "S3 refuses both; make their prefixes or their suffixes exclude each other, or merge the two",
                )


def _unpermitted(template: Template) -> Iterator[Fault]:
    for bucket in template.of_type(BUCKET):
        arn = template.resolved({"Fn::GetAtt": [bucket.id, "Arn"]})
        waits_for = {str(name) for _, name in entries(bucket.body.get("DependsOn"))}
        for function, notification in _first_by_function(template, bucket):
            permissions = [
                permission
                for permission in template.of_type("AWS::Lambda::Permission")
                if _permits(template, permission, function, arn)
            ]
            if fault := _permission_fault(notification, function, permissions, waits_for):
                yield fault


def _first_by_function(template: Template, bucket: Resource) -> list[tuple[Resource, Notification]]:
    """The functions of this template that a bucket notifies, each with the first entry that does."""
    found: dict[str, tuple[Resource, Notification]] = {}
    for notification in notifications(bucket):
        if notification.target_property == "Function" and (function := template.find(FUNCTION, notification.target)):
            found.setdefault(function.id, (function, notification))
    return list(found.values())


def _permits(template: Template, permission: Resource, function: Resource, bucket_arn: str) -> bool:
    properties = permission.properties
    source = properties.get("SourceArn")
    return (
        canonical(properties.get("Principal")) == "s3.amazonaws.com"
        and template.find(FUNCTION, properties.get("FunctionName")) is function
        and (source is None or template.resolved(source) == bucket_arn)
    )


def _permission_fault(
    notification: Notification, function: Resource, permissions: list[Resource], waits_for: set[str]
) -> Fault | None:
    if not permissions:
        return Fault(
            notification.path,
            f"nothing lets S3 invoke {function.id}; add an AWS::Lambda::Permission for s3.amazonaws.com with this "
            "bucket's ARN as SourceArn and the account as SourceAccount",
        )
    owned = [permission for permission in permissions if permission.properties.get("SourceAccount") is not None]
    if not owned:
        return Fault(
            permissions[0].path,
            "a bucket's ARN names no account, so whoever owns the name could invoke the function; "
            "add SourceAccount: {Ref: AWS::AccountId}",
        )
    if not waits_for & {permission.id for permission in owned}:
        return Fault(
            notification.bucket.path,
            f"S3 tests the target when the notification is set, and nothing orders {owned[0].id} before it; "
            f"add DependsOn: {owned[0].id}",
        )
    return None


RULES = (
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
