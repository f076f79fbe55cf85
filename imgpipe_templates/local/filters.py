"""What the source bucket's notifications listen to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TARGETS = ("LambdaFunctionConfigurations", "QueueConfigurations", "TopicConfigurations")


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


def notification_filters(configuration: Mapping[str, Any]) -> tuple[Filter, ...]:
    """The filters of a bucket, as GetBucketNotificationConfiguration tells them."""
    filters = [_filter(one) for target in _TARGETS for one in configuration.get(target, []) if _is_about_uploads(one)]
    if "EventBridgeConfiguration" in configuration:
        filters.append(Filter())  # every event of the bucket leaves it; what listens is not the bucket's business
    return tuple(dict.fromkeys(filters))


def why_ignored(key: str, filters: tuple[Filter, ...]) -> str | None:
    """Why S3 sends no event for a key, or None if it does."""
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
