"""Entries of a bucket's notification configuration, and when two of them are in each other's way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

# The kinds of entry that share a bucket's events, and what the S3 API calls the destination of each. EventBridge gets
# every event of the bucket beside them, so it is in nobody's way.
FUNCTIONS = "LambdaFunctionConfigurations"
DESTINATIONS = {FUNCTIONS: "LambdaFunctionArn", "QueueConfigurations": "QueueArn", "TopicConfigurations": "TopicArn"}


@dataclass(frozen=True)
class Entry:
    """One entry: which events of which keys go where.

    Args:
        prefix: what keys begin with, form-encoded as S3 wants it; empty for any.
        suffix: what keys end with, likewise.
    """

    id: str
    destination: str
    events: frozenset[str]
    prefix: str
    suffix: str

    @classmethod
    def of(cls, kind: str, entry: Mapping[str, Any]) -> Entry:
        """Read an entry as S3 shows it.

        S3 answers with `Prefix` and `Suffix` where it was given `prefix` and `suffix` (aws/aws-sdk issue 389).
        """
        rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
        values = {rule["Name"].lower(): rule["Value"] for rule in rules}
        return cls(
            id=entry.get("Id", ""),
            destination=entry[DESTINATIONS[kind]],
            events=frozenset(entry["Events"]),
            prefix=values.get("prefix", ""),
            suffix=values.get("suffix", ""),
        )

    def for_function(self) -> dict[str, Any]:
        """The entry in the S3 API's spelling, with a function as its destination."""
        entry: dict[str, Any] = {"Id": self.id, "LambdaFunctionArn": self.destination, "Events": sorted(self.events)}
        rules = [{"Name": name, "Value": value} for name, value in (("prefix", self.prefix), ("suffix", self.suffix))]
        if rules := [rule for rule in rules if rule["Value"]]:
            entry["Filter"] = {"Key": {"FilterRules": rules}}
        return entry

    def meaning(self) -> tuple[str, str, frozenset[str], str, str]:
        """What the entry does, however its filter is encoded."""
        return self.id, self.destination, self.events, unquote_plus(self.prefix), unquote_plus(self.suffix)

    def overlaps(self, other: Entry) -> bool:
        """Whether one event of one key could belong to both, which S3 refuses.

        Two entries for one event type may have overlapping prefixes or overlapping suffixes, but not both ("Configuring
        event notifications using object key name filtering", Amazon S3 User Guide, read 2026-11). It does not matter
        whether their destinations are functions, queues or topics.
        """
        _, _, events, prefix, suffix = self.meaning()
        _, _, other_events, other_prefix, other_suffix = other.meaning()
        return (
            any(events_overlap(one, two) for one in events for two in other_events)
            and (prefix.startswith(other_prefix) or other_prefix.startswith(prefix))
            and (suffix.endswith(other_suffix) or other_suffix.endswith(suffix))
        )

    def __str__(self) -> str:
        """The entry in words, for a reason."""
        return f"{', '.join(sorted(self.events))} with prefix {self.prefix!r} and suffix {self.suffix!r}"


def events_overlap(one: str, other: str) -> bool:
    """Whether an event can be of both types; `s3:ObjectCreated:*` contains `s3:ObjectCreated:Put`."""
    return _contains(one, other) or _contains(other, one)


def _contains(outer: str, inner: str) -> bool:
    return outer == inner or (outer.endswith("*") and inner.startswith(outer[:-1]))
