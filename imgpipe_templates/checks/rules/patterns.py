"""Rules about EventBridge event patterns: that EventBridge takes them, and that they choose."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates.checks.event_patterns import flaws
from imgpipe_templates.checks.model import Fault, Rule
from imgpipe_templates.checks.template import RULE, Resource, Template, entries, is_function, mapping

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
        "W9508",
        "Event pattern that matches every object",
        "A bucket sends all its events; only the pattern keeps those from the target that are not meant for it.",
        # Amazon EventBridge User Guide, "Best practices when defining event patterns", read 2026-11
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-patterns-best-practices.html",
        _everything,
    ),
)
