"""Batches of messages as Lambda hands them from a queue to a function, and what becomes of each message.

Source: AWS Lambda Developer Guide, "Handling errors for an SQS event source in Lambda", read 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def failed_messages(messages: Sequence[str], answer: object, *, reports_failures: bool) -> set[str]:
    """Which messages of a batch come back to the queue after an invocation without error.

    Args:
        messages: The ids of the batch.
        answer: What the function returned.
        reports_failures: Whether the mapping has ReportBatchItemFailures.

    Returns:
        Ids of the batch; all of them if the answer is no valid report.
    """
    if not reports_failures or answer in (None, ""):
        return set()
    report = _decoded(answer)
    if not isinstance(report, dict):
        return set(messages)
    failures = report.get("batchItemFailures") or []
    named = {str(failure.get("itemIdentifier")) if isinstance(failure, dict) else "" for failure in failures}
    is_understood = named.issubset(messages)
    return named if is_understood else set(messages)


def redrive(attributes: Mapping[str, str]) -> tuple[int, str]:
    """How often a queue hands out a message, and the ARN of the queue that takes it afterwards.

    Returns:
        (0, "") for a queue that keeps messages until they expire.
    """
    policy = _decoded(attributes.get("RedrivePolicy", ""))
    if not isinstance(policy, dict):
        return 0, ""
    return int(policy.get("maxReceiveCount", 0)), str(policy.get("deadLetterTargetArn", ""))


def _decoded(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return None
