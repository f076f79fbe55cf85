"""What becomes of the messages of a batch."""

from __future__ import annotations

import json

import pytest

from imgpipe_templates.local.batches import failed_messages, redrive

BATCH = ["a", "b"]


def report(*identifiers: object) -> dict[str, object]:
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


@pytest.mark.parametrize("answer", [None, "", {}, {"batchItemFailures": None}, report()])
def test_an_answer_that_names_nothing_is_a_success(answer):
    assert failed_messages(BATCH, answer, reports_failures=True) == set()


def test_the_named_messages_come_back():
    assert failed_messages(BATCH, report("b"), reports_failures=True) == {"b"}
    assert failed_messages(BATCH, json.dumps(report("a")), reports_failures=True) == {"a"}


@pytest.mark.parametrize(
    "answer", ["no JSON", [], report(""), report(None), report("another"), {"batchItemFailures": ["a"]}]
)
def test_an_answer_that_is_no_report_fails_the_whole_batch(answer):
    assert failed_messages(BATCH, answer, reports_failures=True) == {"a", "b"}


def test_a_mapping_that_expects_no_report_reads_none():
    assert failed_messages(BATCH, report("a"), reports_failures=False) == set()


def test_the_redrive_policy_is_read_as_sqs_keeps_it():
    policy = {"maxReceiveCount": "5", "deadLetterTargetArn": "arn:aws:sqs:::dead"}

    assert redrive({"RedrivePolicy": json.dumps(policy)}) == (5, "arn:aws:sqs:::dead")
    assert redrive({}) == (0, "")
