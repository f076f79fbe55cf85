"""Rules about EventBridge event patterns: that EventBridge takes them, and that they choose."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from imgpipe_templates.checks.event_patterns import flaws
from imgpipe_templates.checks.model import Fault, Rule
from imgpipe_templates.checks.template import (
    BUCKET,
    RULE,
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, entries, is_function, mapping

# `detail-type` of what S3 itself sends (Amazon S3 User Guide, "EventBridge event message structure", read 2026-12).
S3_EVENTS = (
    "Object Created",
    "Object Deleted",
    "Object Restore Initiated",
    "Object Restore Completed",
    "Object Restore Expired",
    "Object Storage Class Changed",
    "Object Access Tier Changed",
    "Object ACL Updated",
    "Object Tags Added",
    "Object Tags Deleted",
)
# Conditions that every key meets.
_ANY_KEY = ({"prefix": ""}, {"suffix": ""}, {"wildcard": "*"}, {"exists": True})


def _invalid(template: Template) -> Iterator[Fault]:
    for rule in template.of_type(RULE):
        pattern = rule.properties.get("EventPattern")
        if pattern is None or is_function(pattern):
            continue
        if isinstance(pattern, str):
            try:
                pattern = json.loads(pattern)
            except ValueError as error:
                yield Fault(rule.at("EventPattern"), f"is no JSON ({error}); write the pattern as an object")
                continue
            at_text = True
        else:
            at_text = False
        for path, text in flaws(pattern):
            where = ".".join(str(part) for part in path) or "the pattern"
            yield Fault(rule.at("EventPattern", *(() if at_text else path)), f"{where} {text}")


def _unmatched(template: Template) -> Iterator[Fault]:
    for rule in template.of_type(RULE):
        pattern = _pattern(rule)
        if pattern is None:
            continue
        path = rule.at("EventPattern")
        for field in pattern:
            if field not in _FIELDS:
                yield Fault(path, f"{field!r} is no field of an event, so that none matches; use {', '.join(_FIELDS)}")
        sources = [canonical(source) for _, source in entries(pattern.get("source")) if isinstance(source, str)]
        for source in sources:
            if source != _S3 and _LETTERS.sub("", source.lower()) in ("awss3", "s3", "amazons3", "s3amazonawscom"):
                yield Fault(path, f"no event has the source {source!r}; that of S3 is {_S3}")
        if sources == [_S3]:
            yield from ((Fault(path, text)) for text in _flaws_of_s3(template, pattern))


_S3 = "aws.s3"
_FIELDS = ("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "$or")
_LETTERS = re.compile(r"[^a-z0-9]")
# Fields of `detail` in what S3 sends (Amazon S3 User Guide, "EventBridge event message structure", read 2026-12).
_DETAILS = (
    *("version", "bucket", "object", "request-id", "requester", "source-ip-address", "reason", "deletion-type"),
    *("restore-expiry-time", "source-storage-class", "destination-storage-class", "destination-access-tier", "$or"),
)
_PARTS = {"bucket": ("name", "$or"), "object": ("key", "size", "etag", "version-id", "sequencer", "$or")}


def _flaws_of_s3(template: Template, pattern: Mapping[str, Any]) -> Iterator[str]:
    kinds = [kind for _, kind in entries(pattern.get("detail-type")) if isinstance(kind, str)]
    unknown = [kind for kind in kinds if kind not in (*S3_EVENTS, *_REPORTED)]
    for kind in unknown:
        near = get_close_matches(kind, S3_EVENTS, 1)
        yield f"S3 sends no {kind!r}, so that no event matches; use {near[0] if near else 'Object Created'}"
    if unknown or any(kind in _REPORTED for kind in kinds):
        return
    yield from _flaws_of_detail(template, mapping(pattern.get("detail")))


def _flaws_of_detail(template: Template, detail: Mapping[str, Any]) -> Iterator[str]:
    for field, value in detail.items():
        if field not in _DETAILS:
            yield f"detail.{field} is no field of what S3 sends, so that none matches; use bucket.name or object.key"
        for part in mapping(value) if field in _PARTS else ():
            if part not in _PARTS[field]:
                yield f"detail.{field}.{part} is no field of what S3 sends; use {', '.join(_PARTS[field][:-1])}"
    for _, name in entries(mapping(detail.get("bucket")).get("name")):
        text = template.resolved(name) if not isinstance(name, Mapping) or is_function(name) else ""
        if text.startswith("arn:"):
            yield f"detail.bucket.name is a name and never {text!r}; use Ref of the bucket"
    for _, key in entries(mapping(detail.get("object")).get("key")):
        for text in _beginnings(key):
            if text.startswith("/"):
                yield f"no key begins with a slash unless it is uploaded so, and {text!r} does; leave the slash out"


# What CloudTrail reports of S3 has that source, too.
_REPORTED = ("AWS API Call via CloudTrail", "AWS Service Event via CloudTrail", "AWS Console Action via CloudTrail")


def _beginnings(matcher: Any) -> Iterator[str]:
    if isinstance(matcher, str):
        yield matcher
    elif isinstance(matcher, Mapping):
        yield from (text for name in ("prefix", "wildcard") if isinstance(text := matcher.get(name), str))


def _unsent(template: Template) -> Iterator[Fault]:
    """Faults of rules that wait for a bucket of this template which sends nothing to EventBridge."""
    for rule in template.of_type(RULE):
        pattern = _pattern(rule) or {}
        kinds = [kind for _, kind in entries(pattern.get("detail-type"))]
        if _S3 not in [source for _, source in entries(pattern.get("source"))] or any(k in _REPORTED for k in kinds):
            continue
        for _, name in entries(mapping(mapping(pattern.get("detail")).get("bucket")).get("name")):
            bucket = template.find(BUCKET, name) if not isinstance(name, Mapping) or is_function(name) else None
            if bucket is None:
                continue
            sends = mapping(bucket.properties.get("NotificationConfiguration")).get("EventBridgeConfiguration")
            enabled = canonical(mapping(sends).get("EventBridgeEnabled", "true"))
            if (sends is None or enabled == "false") and not _is_switched_on(template, bucket):
                yield Fault(
                    rule.at("EventPattern"),
                    f"waits for events of {bucket.id}, which sends none to EventBridge; set "
                    "NotificationConfiguration.EventBridgeConfiguration there",
                )


def _is_switched_on(template: Template, bucket: Resource) -> bool:
    """True if a custom resource of the template changes the bucket's notification, maybe for EventBridge."""
    return any(
        resource.type.startswith(("Custom::", "AWS::CloudFormation::CustomResource"))
        and any(template.find(BUCKET, value) is bucket for value in resource.properties.values())
        for resource in template.resources.values()
    )


def _everything(template: Template) -> Iterator[Fault]:
    for rule in template.of_type(RULE):
        pattern = _pattern(rule)
        if pattern is None or [source for _, source in entries(pattern.get("source"))] != ["aws.s3"]:
            continue
        detail = mapping(pattern.get("detail"))
        kinds = [str(kind) for _, kind in entries(pattern.get("detail-type"))]
        if kinds and not any(kind in S3_EVENTS for kind in kinds):  # what CloudTrail reports names buckets elsewhere
            continue
        if "$or" in pattern or "$or" in detail:
            continue
        names = mapping(detail.get("bucket")).get("name")
        keys = mapping(detail.get("object")).get("key")
        if names is None:
            yield Fault(
                rule.at("EventPattern"),
                "matches objects of every bucket of the account; name one in detail.bucket.name",
            )
        elif keys is None or any(entry in _ANY_KEY for _, entry in entries(keys)):
            yield Fault(
                rule.at("EventPattern"),
                "matches every object of the bucket, so that every write costs an event and a target has to choose; "
                "narrow detail.object.key by prefix, suffix or wildcard",
            )


def _pattern(rule: Resource) -> Mapping[str, Any] | None:
    pattern = rule.properties.get("EventPattern")
    if isinstance(pattern, str):
        try:
            pattern = json.loads(pattern)
        except ValueError:
            return None
    return pattern if isinstance(pattern, Mapping) and not is_function(pattern) else None


RULES = (
    Rule(
        "E9508",
        "Event pattern that EventBridge refuses",
        "CloudFormation passes the pattern on; EventBridge reads it when the stack is created.",
        # Amazon EventBridge User Guide, "Comparison operators for use in event patterns", read 2026-11
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html",
        _invalid,
    ),
    Rule(
        "E9519",
        "Event pattern that no event matches",
        "EventBridge takes any name: a misspelt source, type or field, or an ARN for a name, matches nothing for ever.",
        # Amazon S3 User Guide, "EventBridge event message structure", read 2026-12
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html",
        _unmatched,
    ),
    Rule(
        "E9520",
        "Rule that waits for a bucket which sends nothing",
        "A bucket sends its events to EventBridge only once that is switched on in its notification configuration.",
        # Amazon S3 User Guide, "Enabling Amazon EventBridge", read 2026-12
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html",
        _unsent,
    ),
    Rule(
        "W9508",
        "Event pattern that matches every object",
        "A bucket sends all its events; only the pattern keeps those from the target that are not meant for it.",
        # Amazon EventBridge User Guide, "Best practices when defining event patterns", read 2026-11
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-patterns-best-practices.html",
        _everything,
    ),
)
