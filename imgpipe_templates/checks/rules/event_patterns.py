"""Rules about EventBridge event patterns: syntax, patterns that match no event, and patterns that match all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from imgpipe_templates.checks.facts.event_pattern_syntax import syntax_errors
from imgpipe_templates.checks.facts.expressions import canonical, entries, is_function, mapping
from imgpipe_templates.checks.facts.template import BUCKET, RULE, Resource, Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule

# `detail-type` of the events of S3 (Amazon S3 User Guide, "EventBridge event message structure", read 2026-12).
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
# Conditions that every key matches.
_ANY_KEY = ({"prefix": ""}, {"suffix": ""}, {"wildcard": "*"}, {"exists": True})


@template_rule(
    "E9508",
    "Invalid event pattern",
    "CloudFormation does not check the pattern; EventBridge rejects it when the stack is created.",
    # Amazon EventBridge User Guide, "Comparison operators for use in event patterns", read 2026-11
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html",
)
def invalid_event_pattern(template: Template) -> Iterator[Violation]:
    for rule in template.of_type(RULE):
        pattern = rule.properties.get("EventPattern")
        if pattern is None or is_function(pattern):
            continue
        if isinstance(pattern, str):
            try:
                pattern = json.loads(pattern)
            except ValueError as error:
                yield Violation(rule.at("EventPattern"), f"is invalid JSON ({error}); write the pattern as an object")
                continue
            is_text = True
        else:
            is_text = False
        for path, text in syntax_errors(pattern):
            where = ".".join(str(part) for part in path) or "the pattern"
            yield Violation(rule.at("EventPattern", *(() if is_text else path)), f"{where} {text}")


@template_rule(
    "E9519",
    "Event pattern that matches no event",
    "EventBridge accepts any name: a misspelt source, type or field, or an ARN instead of a name, never matches.",
    # Amazon S3 User Guide, "EventBridge event message structure", read 2026-12
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html",
)
def event_pattern_matches_no_event(template: Template) -> Iterator[Violation]:
    for rule in template.of_type(RULE):
        pattern = _pattern(rule)
        if pattern is None:
            continue
        path = rule.at("EventPattern")
        for field in pattern:
            if field not in _FIELDS:
                yield Violation(
                    path, f"{field!r} is no field of an event, so no event matches; use {', '.join(_FIELDS)}"
                )
        sources = [canonical(source) for _, source in entries(pattern.get("source")) if isinstance(source, str)]
        for source in sources:
            if source != _S3 and _LETTERS.sub("", source.lower()) in ("awss3", "s3", "amazons3", "s3amazonawscom"):
                yield Violation(path, f"no event has the source {source!r}; use {_S3}")
        if sources == [_S3]:
            yield from ((Violation(path, text)) for text in _s3_problems(template, pattern))


_S3 = "aws.s3"
_FIELDS = ("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "$or")
_LETTERS = re.compile(r"[^a-z0-9]")
# Fields of `detail` in S3 events (Amazon S3 User Guide, "EventBridge event message structure", read 2026-12).
_DETAILS = (
    *("version", "bucket", "object", "request-id", "requester", "source-ip-address", "reason", "deletion-type"),
    *("restore-expiry-time", "source-storage-class", "destination-storage-class", "destination-access-tier", "$or"),
)
_PARTS = {"bucket": ("name", "$or"), "object": ("key", "size", "etag", "version-id", "sequencer", "$or")}


def _s3_problems(template: Template, pattern: Mapping[str, Any]) -> Iterator[str]:
    kinds = [kind for _, kind in entries(pattern.get("detail-type")) if isinstance(kind, str)]
    unknown = [kind for kind in kinds if kind not in (*S3_EVENTS, *_CLOUDTRAIL_TYPES)]
    for kind in unknown:
        near = get_close_matches(kind, S3_EVENTS, 1)
        yield f"S3 sends no {kind!r} event; use {near[0] if near else 'Object Created'}"
    if unknown or any(kind in _CLOUDTRAIL_TYPES for kind in kinds):
        return
    yield from _detail_problems(template, mapping(pattern.get("detail")))


def _detail_problems(template: Template, detail: Mapping[str, Any]) -> Iterator[str]:
    for field, value in detail.items():
        if field not in _DETAILS:
            yield f"detail.{field} is no field of an S3 event, so no event matches; use bucket.name or object.key"
        for part in mapping(value) if field in _PARTS else ():
            if part not in _PARTS[field]:
                yield f"detail.{field}.{part} is no field of an S3 event; use {', '.join(_PARTS[field][:-1])}"
    for _, name in entries(mapping(detail.get("bucket")).get("name")):
        text = template.resolved(name) if not isinstance(name, Mapping) or is_function(name) else ""
        if text.startswith("arn:"):
            yield f"detail.bucket.name is never an ARN such as {text!r}; use Ref of the bucket"
    for _, key in entries(mapping(detail.get("object")).get("key")):
        for text in _key_prefixes(key):
            if text.startswith("/"):
                yield f"S3 keys have no leading slash, but {text!r} has one; remove it"


# CloudTrail events about S3 have the same source.
_CLOUDTRAIL_TYPES = (
    "AWS API Call via CloudTrail",
    "AWS Service Event via CloudTrail",
    "AWS Console Action via CloudTrail",
)


def _key_prefixes(matcher: Any) -> Iterator[str]:
    if isinstance(matcher, str):
        yield matcher
    elif isinstance(matcher, Mapping):
        yield from (text for name in ("prefix", "wildcard") if isinstance(text := matcher.get(name), str))


@template_rule(
    "E9520",
    "Rule for a bucket that sends no events to EventBridge",
    "A bucket sends events to EventBridge only if its notification configuration enables EventBridge.",
    # Amazon S3 User Guide, "Enabling Amazon EventBridge", read 2026-12
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html",
)
def bucket_without_eventbridge(template: Template) -> Iterator[Violation]:
    """Report rules for a bucket of this template that sends no events to EventBridge."""
    for rule in template.of_type(RULE):
        pattern = _pattern(rule) or {}
        kinds = [kind for _, kind in entries(pattern.get("detail-type"))]
        if _S3 not in [source for _, source in entries(pattern.get("source"))] or any(
            k in _CLOUDTRAIL_TYPES for k in kinds
        ):
            continue
        for _, name in entries(mapping(mapping(pattern.get("detail")).get("bucket")).get("name")):
            bucket = template.find(BUCKET, name) if not isinstance(name, Mapping) or is_function(name) else None
            if bucket is None:
                continue
            sends = mapping(bucket.properties.get("NotificationConfiguration")).get("EventBridgeConfiguration")
            enabled = canonical(mapping(sends).get("EventBridgeEnabled", "true"))
            if (sends is None or enabled == "false") and not _may_be_enabled(template, bucket):
                yield Violation(
                    rule.at("EventPattern"),
                    f"{bucket.id} sends no events to EventBridge; set its "
                    "NotificationConfiguration.EventBridgeConfiguration",
                )


def _may_be_enabled(template: Template, bucket: Resource) -> bool:
    """True if a custom resource of the template refers to the bucket and may enable EventBridge."""
    return any(
        resource.type.startswith(("Custom::", "AWS::CloudFormation::CustomResource"))
        and any(template.find(BUCKET, value) is bucket for value in resource.properties.values())
        for resource in template.resources.values()
    )


@template_rule(
    "W9508",
    "Event pattern that matches every object",
    "A bucket sends all its events to EventBridge; only the pattern limits the events that reach the target.",
    # Amazon EventBridge User Guide, "Best practices when defining event patterns", read 2026-11
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-patterns-best-practices.html",
)
def event_pattern_matches_every_object(template: Template) -> Iterator[Violation]:
    for rule in template.of_type(RULE):
        pattern = _pattern(rule)
        if pattern is None or [source for _, source in entries(pattern.get("source"))] != ["aws.s3"]:
            continue
        detail = mapping(pattern.get("detail"))
        kinds = [str(kind) for _, kind in entries(pattern.get("detail-type"))]
        if kinds and not any(kind in S3_EVENTS for kind in kinds):  # CloudTrail events have the bucket in another field
            continue
        if "$or" in pattern or "$or" in detail:
            continue
        names = mapping(detail.get("bucket")).get("name")
        keys = mapping(detail.get("object")).get("key")
        if names is None:
            yield Violation(
                rule.at("EventPattern"),
                "matches objects of every bucket of the account; set detail.bucket.name",
            )
        elif keys is None or any(entry in _ANY_KEY for _, entry in entries(keys)):
            yield Violation(
                rule.at("EventPattern"),
                "matches every object of the bucket, so every write costs an event and an invocation; limit "
                "detail.object.key by prefix, suffix or wildcard",
            )


def _pattern(rule: Resource) -> Mapping[str, Any] | None:
    pattern = rule.properties.get("EventPattern")
    if isinstance(pattern, str):
        try:
            pattern = json.loads(pattern)
        except ValueError:
            return None
    return pattern if isinstance(pattern, Mapping) and not is_function(pattern) else None
