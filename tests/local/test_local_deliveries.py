"""Asynchronous invocation: how often, how long, and what is noted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from imgpipe_templates.local.deliveries import Delivery, Journal, ObjectVersion, RetryPolicy, deliver

OK: Mapping[str, Any] = {"body": "done"}
FAILED: Mapping[str, Any] = {"error": True, "body": {"errorType": "ValueError", "errorMessage": "no"}, "log": "why"}
THROTTLED: Mapping[str, Any] = {"error": True, "throttle": True}


def attempt(results: list[Mapping[str, Any]], policy: RetryPolicy) -> tuple[Delivery, Any, list[float]]:
    delivery, waits, left = Delivery("f", ()), [], list(results)
    end = deliver(delivery, policy, lambda: left.pop(0), sleep=waits.append)
    return delivery, end, waits


def test_a_failing_function_is_tried_three_times_with_growing_waits():
    delivery, end, waits = attempt([FAILED, FAILED, FAILED], RetryPolicy(base_seconds=60))

    assert end == FAILED
    assert waits == [60, 120]
    assert (delivery.attempts, delivery.error, delivery.log) == (3, "ValueError: no", "why")


def test_success_after_a_failure_leaves_no_error():
    delivery, end, _ = attempt([FAILED, OK], RetryPolicy(base_seconds=60))

    assert end is None
    assert (delivery.attempts, delivery.error, delivery.log) == (2, "", "")


def test_throttled_events_wait_without_using_up_attempts():
    delivery, end, waits = attempt([THROTTLED] * 5 + [OK], RetryPolicy(base_seconds=60))

    assert end is None
    assert delivery.attempts == 1
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6]


def test_the_functions_own_retry_settings_count():
    policy = RetryPolicy.of({"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}, None, 1.0)

    assert attempt([FAILED], policy)[0].attempts == 1
    assert attempt([FAILED], RetryPolicy(base_seconds=90, max_age_seconds=60))[0].attempts == 1


def test_a_function_that_is_switched_off_is_not_tried():
    delivery, end, _ = attempt([], RetryPolicy.of(None, 0, 1.0))

    assert end is not None
    assert (delivery.attempts, delivery.error) == (0, "reserved concurrency is 0")


def test_the_journal_tells_the_objects_of_an_event_with_their_real_keys():
    thing = {"key": "a+b%2Bc+%C3%BC.jpg", "versionId": "1"}
    event = {"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": "photos"}, "object": thing}}]}
    journal = Journal()

    journal.open("f", event)
    journal.open("f", {"Event": "s3:TestEvent"})

    assert [one.objects for one in journal.entries] == [(ObjectVersion("photos", "a b+c ü.jpg", "1"),), ()]
    assert [one["state"] for one in json.loads(journal.as_json())] == ["waiting", "waiting"]
