"""S3 event notifications, set by a bucket's properties or by the custom resource of this project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping
from imgpipe_templates.checks.facts.template import BUCKET, Resource, Template
from imgpipe_templates.checks.findings import Path

# Property of NotificationConfiguration -> property of its entries with the target.
NOTIFICATION_TARGETS = {
    "LambdaConfigurations": "Function",
    "QueueConfigurations": "Queue",
    "TopicConfigurations": "Topic",
}
# The custom resource that sets a bucket's notification, and the same for its properties.
NOTIFIER = "Custom::S3BucketNotification"
NOTIFIER_TARGETS = {
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
    "QueueConfigurations": "QueueArn",
    "TopicConfigurations": "TopicArn",
}
# Property of the custom resource -> kind of target.
_KIND_OF_TARGET = dict(zip(NOTIFIER_TARGETS, NOTIFICATION_TARGETS.values(), strict=True))


@dataclass(frozen=True)
class Notification:
    """One event type of one entry of a bucket's notification configuration.

    Attributes:
        writer: The resource that sets the entry: the bucket, or a custom resource.
        path: Path of the entry.
        prefix: Required start of a key, decoded; "" matches any key.
        suffix: Required end of a key, decoded; "" matches any key.
        target_kind: `Function`, `Queue` or `Topic`.
        target: Expression of the target.
        target_path: Path of that expression.
    """

    bucket: Resource
    writer: Resource
    path: Path
    event: str
    prefix: str
    suffix: str
    target_kind: str
    target: Any
    target_path: Path

    @property
    def filter_text(self) -> str:
        """The filter in words."""
        return f"prefix {self.prefix!r} and suffix {self.suffix!r}"


def notifications(template: Template, bucket: Resource) -> Iterator[Notification]:
    """Yield the notifications of one bucket, including those that custom resources of the template set."""
    configuration = mapping(bucket.properties.get("NotificationConfiguration"))
    for key, target in NOTIFICATION_TARGETS.items():
        for position, entry in entries(configuration.get(key)):
            if isinstance(entry, Mapping):
                path = bucket.at("NotificationConfiguration", key, *position)
                yield _notification(bucket, bucket, path, entry, canonical(entry.get("Event")), target, target)
    for writer in notifiers_of(template, bucket):
        for key, target in NOTIFIER_TARGETS.items():
            for position, entry in entries(writer.properties.get(key)):
                for _, event in entries(mapping(entry).get("Events")):
                    path = writer.at(key, *position)
                    yield _notification(
                        bucket, writer, path, mapping(entry), canonical(event), _KIND_OF_TARGET[key], target
                    )


def notifiers_of(template: Template, bucket: Resource) -> list[Resource]:
    """Return the custom resources that set the notification of a bucket."""
    return [
        writer
        for writer in template.of_type(NOTIFIER)
        if template.find(BUCKET, writer.properties.get("BucketName")) is bucket
    ]


def _notification(
    bucket: Resource, writer: Resource, path: Path, entry: Mapping[str, Any], event: str, kind: str, target: str
) -> Notification:
    names = dict(_filter_rules(entry))
    return Notification(
        bucket,
        writer,
        path,
        event,
        names.get("prefix", ""),
        names.get("suffix", ""),
        kind,
        entry.get(target),
        (*path, target),
    )


def _filter_rules(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    filters = mapping(entry.get("Filter"))
    rules = [
        *entries(mapping(filters.get("S3Key")).get("Rules")),
        *entries(mapping(filters.get("Key")).get("FilterRules")),
    ]
    for _, rule in rules:
        if isinstance(rule, Mapping):
            yield canonical(rule.get("Name")).lower(), unquote_plus(canonical(rule.get("Value")))


def events_overlap(one: str, other: str) -> bool:
    """True if one S3 event can be of both types; `s3:ObjectCreated:*` contains `s3:ObjectCreated:Put`."""
    if one.endswith("*") and other.endswith("*"):
        return one[:-1].startswith(other[:-1]) or other[:-1].startswith(one[:-1])
    if one.endswith("*"):
        return other.startswith(one[:-1])
    return one == other or (other.endswith("*") and one.startswith(other[:-1]))


def filters_overlap(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """True if a key can match two filters, each a prefix and a suffix. Keys are case-sensitive.

    Amazon S3 User Guide, "Configuring event notifications using object key name filtering", read 2026-11: prefixes
    overlap when one text can begin with both, suffixes when one text can end with both, and two configurations for
    one event type may overlap in one of them but not in both.
    """
    prefixes = one[0].startswith(other[0]) or other[0].startswith(one[0])
    suffixes = one[1].endswith(other[1]) or other[1].endswith(one[1])
    return prefixes and suffixes
