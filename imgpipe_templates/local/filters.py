"""What the deployed trigger listens to: the source bucket's notifications, and rules on its events on EventBridge."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

_TARGETS = ("LambdaFunctionConfigurations", "QueueConfigurations", "TopicConfigurations")


class Listener(Protocol):
    """Something that hears of uploads with certain keys; its text says which."""

    def matches(self, key: str) -> bool:
        """Whether it hears of an upload under this key."""


@dataclass(frozen=True)
class Filter:
    """Prefix and suffix of one notification; S3 compares them letter by letter, case included."""

    prefix: str = ""
    suffix: str = ""

    def matches(self, key: str) -> bool:
        """Whether S3 sends an event for this key."""
        return key.startswith(self.prefix) and key.endswith(self.suffix)

    def __str__(self) -> str:
        return f"{self.prefix}*{self.suffix}"


@dataclass(frozen=True)
class RulePattern:
    """The event pattern of a rule.

    Attributes:
        bucket: Whose uploads are asked about.
        fits: (pattern, event) -> whether EventBridge finds that they match.
    """

    pattern: str
    bucket: str
    fits: Callable[[str, Mapping[str, Any]], bool]

    def matches(self, key: str) -> bool:
        """Whether the rule sends the event of an upload under this key to its targets."""
        event = {
            "id": "0",
            "source": "aws.s3",
            "detail-type": "Object Created",
            "account": "123456789012",
            "time": "2026-11-01T00:00:00Z",
            "region": "us-east-1",
            "resources": [f"arn:aws:s3:::{self.bucket}"],
            "detail": {"bucket": {"name": self.bucket}, "object": {"key": key}, "reason": "PutObject"},
        }
        return self.fits(self.pattern, event)

    def __str__(self) -> str:
        wanted = json.loads(self.pattern).get("detail", {}).get("object", {}).get("key", ["*"])
        return ", ".join(map(_spoken, wanted))


def notification_filters(configuration: Mapping[str, Any]) -> tuple[Filter, ...]:
    """The filters of a bucket, as GetBucketNotificationConfiguration tells them."""
    filters = [_filter(one) for target in _TARGETS for one in configuration.get(target, []) if _is_about_uploads(one)]
    return tuple(dict.fromkeys(filters))


def rule_patterns(events: Any, bucket: str) -> Iterator[RulePattern]:
    """The rules of the default bus that an upload to `bucket` could match.

    Args:
        events: A boto3 client of Amazon EventBridge.
        bucket: A bucket that sends its events there.
    """

    def fits(pattern: str, event: Mapping[str, Any]) -> bool:
        return bool(events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"])

    for page in events.get_paginator("list_rules").paginate():
        for rule in page["Rules"]:
            if rule["State"] == "ENABLED" and _may_be_about(rule.get("EventPattern"), bucket):
                yield RulePattern(rule["EventPattern"], bucket, fits)


def why_ignored(key: str, listeners: Iterable[Listener]) -> str | None:
    """Why nothing hears of an upload under a key, or None if something does."""
    filters = tuple(listeners)
    if any(one.matches(key) for one in filters):
        return None
    if not filters:
        return "the bucket sends no notification about uploads"
    return f"matches none of the trigger's filters: {', '.join(map(str, filters))}"


def _is_about_uploads(notification: Mapping[str, Any]) -> bool:
    return any(event.startswith("s3:ObjectCreated:") for event in notification.get("Events", []))


def _filter(notification: Mapping[str, Any]) -> Filter:
    rules = notification.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    values = {rule["Name"].lower(): rule["Value"] for rule in rules}
    return Filter(values.get("prefix", ""), values.get("suffix", ""))


def _may_be_about(pattern: str | None, bucket: str) -> bool:
    spoken = json.loads(pattern or "{}")
    names = spoken.get("detail", {}).get("bucket", {}).get("name", [bucket])
    about_s3 = "aws.s3" in spoken.get("source", ["aws.s3"] if spoken else [])
    return about_s3 and (bucket in names or any(isinstance(name, dict) for name in names))


def _spoken(condition: Any) -> str:
    """One alternative of a pattern, as a file name pattern where it is one."""
    match condition:
        case str():
            return condition
        case {"wildcard": str(text)}:
            return text
        case {"prefix": str(text)}:
            return f"{text}*"
        case {"suffix": str(text)}:
            return f"*{text}"
        case {"suffix": {"equals-ignore-case": str(text)}}:
            return f"*{text} (in any case)"
        case _:
            return json.dumps(condition)
