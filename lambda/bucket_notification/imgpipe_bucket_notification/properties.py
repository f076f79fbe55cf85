"""The custom resource's properties: checked, and brought into one form whichever spelling they come in.

The S3 API and CloudFormation's own bucket resource call the same things by different names; both are understood, at
every place by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from .entries import FUNCTIONS, Entry
from .errors import RequestError

OF_CLOUDFORMATION = frozenset({"ServiceToken", "ServiceTimeout"})  # handed through with the properties
LISTS = (FUNCTIONS, "LambdaConfigurations")
WRAPPER = "NotificationConfiguration"

BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
FUNCTION_ARN = re.compile(r"arn:[a-z0-9-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9-_$:]+")
MAX_FILTER_CHARACTERS = 1024  # "FilterRule", Amazon S3 API Reference, read 2026-11

# "Supported event types", Amazon S3 User Guide, and the S3 service model of botocore 1.43.106, read 2026-11.
EVENTS = frozenset(
    f"s3:{event}"
    for event in (
        "IntelligentTiering",
        "LifecycleExpiration:*",
        "LifecycleExpiration:Delete",
        "LifecycleExpiration:DeleteMarkerCreated",
        "LifecycleTransition",
        "ObjectAcl:Put",
        "ObjectAnnotation:*",
        "ObjectAnnotation:Delete",
        "ObjectAnnotation:Put",
        "ObjectCreated:*",
        "ObjectCreated:CompleteMultipartUpload",
        "ObjectCreated:Copy",
        "ObjectCreated:Post",
        "ObjectCreated:Put",
        "ObjectRemoved:*",
        "ObjectRemoved:Delete",
        "ObjectRemoved:DeleteMarkerCreated",
        "ObjectRestore:*",
        "ObjectRestore:Completed",
        "ObjectRestore:Delete",
        "ObjectRestore:Post",
        "ObjectRetention:Put",
        "ObjectTagging:*",
        "ObjectTagging:Delete",
        "ObjectTagging:Put",
        "ReducedRedundancyLostObject",
        "Replication:*",
        "Replication:OperationFailedReplication",
        "Replication:OperationMissedThreshold",
        "Replication:OperationNotTracked",
        "Replication:OperationReplicatedAfterThreshold",
    )
)


def read_bucket(properties: Mapping[str, Any]) -> str:
    """The name of the bucket.

    Raises:
        RequestError: there is none, or it cannot be one.
    """
    name = properties.get("BucketName")
    if not (isinstance(name, str) and BUCKET_NAME.fullmatch(name)):
        raise RequestError(f"BucketName: {name!r} is no name of a bucket; expected 3 to 63 characters a-z 0-9 . -")
    return name


def read_entries(properties: Mapping[str, Any]) -> tuple[Entry, ...]:
    """The wanted entries.

    Raises:
        RequestError: names the property that is missing, unknown or wrong, or the two entries that overlap.
    """
    if WRAPPER in properties:
        _refuse_unknown(properties, {"BucketName", WRAPPER} | OF_CLOUDFORMATION, "properties")
        name, raw = _one_of(_mapping(properties[WRAPPER], WRAPPER), LISTS, WRAPPER)
        name = f"{WRAPPER}.{name}"
        _refuse_unknown(properties[WRAPPER], LISTS, WRAPPER)
    else:
        _refuse_unknown(properties, {"BucketName", *LISTS} | OF_CLOUDFORMATION, "properties")
        name, raw = _one_of(properties, LISTS, "properties")
    places = [(f"{name}[{position}]", entry) for position, entry in enumerate(_list(raw, name))]
    entries = [
        (place, _entry(_mapping(entry, place), place, default_id=str(number)))
        for number, (place, entry) in enumerate(places, start=1)
    ]
    for (place, one), (other_place, other) in combinations(entries, 2):
        if one.id == other.id:
            raise RequestError(
                f"{other_place}: Id: {other.id!r} is that of {place} too; expected another for each entry"
            )
        if one.overlaps(other):
            raise RequestError(
                f"{other_place}: {other} overlaps {place}, {one}; expected no event of a key to be in two entries"
            )
    return tuple(entry for _, entry in entries)


def _entry(raw: Mapping[str, Any], place: str, *, default_id: str) -> Entry:
    _refuse_unknown(raw, {"Id", "LambdaFunctionArn", "Function", "Events", "Event", "Filter"}, place)
    name, function = _one_of(raw, ("LambdaFunctionArn", "Function"), place)
    if not (isinstance(function, str) and FUNCTION_ARN.fullmatch(function)):
        raise RequestError(f"{place}.{name}: {function!r} is no function; expected its ARN")
    events_name, events = _one_of(raw, ("Events", "Event"), place)
    filters = dict(_filters(raw["Filter"], f"{place}.Filter")) if "Filter" in raw else {}
    return Entry(
        id=_text(raw.get("Id", default_id), f"{place}.Id"),
        destination=function,
        events=frozenset(_events([events] if isinstance(events, str) else events, f"{place}.{events_name}")),
        prefix=filters.get("prefix", ""),
        suffix=filters.get("suffix", ""),
    )


def _events(raw: Any, place: str) -> Iterator[str]:
    for event in _list(raw, place):
        if not isinstance(event, str) or event not in EVENTS:
            raise RequestError(f"{place}: {event!r} is no event of S3; expected one such as 's3:ObjectCreated:*'")
        yield event


def _filters(raw: Any, place: str) -> Iterator[tuple[str, str]]:
    name, key = _one_of(_mapping(raw, place), ("Key", "S3Key"), place)
    _refuse_unknown(raw, {"Key", "S3Key"}, place)
    place = f"{place}.{name}"
    name, rules = _one_of(_mapping(key, place), ("FilterRules", "Rules"), place)
    _refuse_unknown(key, {"FilterRules", "Rules"}, place)
    place = f"{place}.{name}"
    seen = set()
    for rule in _list(rules, place):
        _refuse_unknown(_mapping(rule, place), {"Name", "Value"}, place)
        kind = _text(rule.get("Name"), f"{place}.Name").lower()
        if kind not in {"prefix", "suffix"} or kind in seen:
            raise RequestError(f"{place}.Name: {kind!r} is unknown or used twice; expected one prefix, one suffix")
        seen.add(kind)
        value = rule.get("Value")
        if not isinstance(value, str) or len(value) > MAX_FILTER_CHARACTERS:
            raise RequestError(
                f"{place}.Value: is no text that S3 takes; expected up to {MAX_FILTER_CHARACTERS} characters"
            )
        yield kind, value


def _one_of(raw: Mapping[str, Any], names: tuple[str, str], place: str) -> tuple[str, Any]:
    found = [name for name in names if name in raw]
    if len(found) != 1:
        raise RequestError(f"{place}: has {' and '.join(found) or 'neither'}; expected either {names[0]} or {names[1]}")
    return found[0], raw[found[0]]


def _refuse_unknown(raw: Mapping[str, Any], known: Sequence[str] | set[str] | frozenset[str], place: str) -> None:
    if unknown := sorted(set(raw) - set(known)):
        raise RequestError(f"{place}: {unknown[0]!r} is unknown; expected {', '.join(sorted(known))}")


def _mapping(raw: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise RequestError(f"{place}: is no mapping; expected names with values")
    return raw


def _list(raw: Any, place: str) -> Sequence[Any]:
    if not isinstance(raw, list) or not raw:
        raise RequestError(f"{place}: is empty or no list; expected a list with at least one item")
    return raw


def _text(raw: Any, place: str) -> str:
    if not isinstance(raw, str) or not raw:
        raise RequestError(f"{place}: is missing, empty or no text; expected text")
    return raw
