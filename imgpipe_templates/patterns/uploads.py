"""Which keys are uploads to process, said in the words of each service that has to pick them out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from troposphere import GetAtt, Ref, events

from imgpipe_templates.core.handles import Bucket, Queue
from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.limits import MAX_BUCKET_NAME_CHARACTERS
from imgpipe_templates.patterns.queues import UPLOAD_RULE, has_fixed_name

# "Naming Amazon S3 objects", Amazon S3 User Guide, read 2026-12. A prefix leaves 256 of a key's 1,024 bytes to the
# rest of the key.
MAX_PREFIX_CHARACTERS = 768


@dataclass(frozen=True)
class UploadFilter:
    """Which objects of the source bucket are uploads to process.

    Attributes:
        prefix: Their keys start with it; empty means any.
        extensions: Their keys end with a dot and one of these, in lower or in upper case.
    """

    prefix: str
    extensions: tuple[str, ...]

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Every suffix in lower and in upper case.

        S3 compares by case and knows no wildcards; a camera writes `IMG_0001.JPG`.
        """
        spelled = (text for extension in self.extensions for text in (extension.lower(), extension.upper()))
        return tuple(dict.fromkeys(f".{text}" for text in spelled))

    def event_pattern(self, bucket_name: Value) -> dict[str, Any]:
        """The EventBridge pattern that lets through the creation of an upload, and nothing else.

        Conditions on one key are alternatives, so prefix and suffix together need wildcards ("Comparison operators",
        Amazon EventBridge User Guide, read 2026-11).
        """
        keys: list[Any]
        if self.prefix:
            keys = [{"wildcard": f"{self.prefix}*{suffix}"} for suffix in self.suffixes]
        else:
            lower = dict.fromkeys(suffix.lower() for suffix in self.suffixes)
            keys = [{"suffix": {"equals-ignore-case": suffix}} for suffix in lower]
        return {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [bucket_name]}, "object": {"key": keys}},
        }

    def longest_event_pattern(self) -> int:
        """Return how many characters the pattern of a bucket with the longest name has, as JSON."""
        return len(json.dumps(self.event_pattern("b" * MAX_BUCKET_NAME_CHARACTERS)))


def add_upload_rule(
    scope: Scope, uploads: UploadFilter, *, source: Bucket, target: events.Target, description: str, dead_letters: Queue
) -> Value:
    """Add the EventBridge rule that sends uploads to `target`; return its ARN.

    What EventBridge could not deliver within a day goes to `dead_letters`, whose policy lets the rule in by its name.
    """
    if has_fixed_name(scope.names, UPLOAD_RULE):
        target.DeadLetterConfig = events.DeadLetterConfig(Arn=dead_letters.arn)
    rule = events.Rule(
        UPLOAD_RULE,
        Description=description,
        EventPattern=uploads.event_pattern(source.name),
        State="ENABLED",
        Targets=[target],
    )
    scope.add(rule)
    scope.output("UploadRuleName", Ref(rule), "Name of the rule that picks out uploads")
    scope.output("UploadRuleArn", GetAtt(rule, "Arn"), "ARN of the rule that picks out uploads")
    return GetAtt(rule, "Arn")
