"""The sentences of alarms follow the options that they speak of."""

from __future__ import annotations

import pytest

from imgpipe_templates import load_preset
from tests.templates import rendered

SQS_TRIES = (
    "The processor tries each message of the upload queue {}; an event that still fails goes to the dead-letter queue."
)
LAMBDA_TRIES = "Lambda {}; an event that still fails goes to the dead-letter queue."


def text_of(alarm: str, preset: str, *options: str) -> str:
    text: str = rendered(load_preset(preset, options))["Resources"][alarm]["Properties"]["AlarmDescription"]
    return text


@pytest.mark.parametrize(
    ("preset", "options", "sentence"),
    [
        ("thumbnails", [], LAMBDA_TRIES.format("tries each event twice more")),
        ("media-library", ["processing.retry_attempts=1"], LAMBDA_TRIES.format("tries each event once more")),
        ("reporting", ["processing.retry_attempts=0"], LAMBDA_TRIES.format("does not try an event again")),
        ("production", [], SQS_TRIES.format("up to 5 times")),
        ("production", ["queue.fed_by=s3", "queue.max_receives=1"], SQS_TRIES.format("once")),
        ("production", ["queue.batch_size=10", "queue.max_receives=3"], SQS_TRIES.format("up to 3 times")),
    ],
)
def test_alarm_on_errors_says_how_often_an_event_is_tried(preset, options, sentence):
    assert text_of("LambdaErrorAlarm", preset, *options).endswith(f" {sentence}")


@pytest.mark.parametrize(
    ("preset", "since"),
    [
        ("production", "14 days after the upload, not after its move to this queue."),
        ("thumbnails", "14 days after it arrived in this queue."),
    ],
)
def test_alarm_on_dead_letters_says_from_when_their_retention_counts(preset, since):
    assert text_of("DeadLetterQueueAlarm", preset).endswith(f"SQS deletes a message {since}")


def test_alarm_on_duration_says_its_share_timeout_and_periods():
    options = ("processing.timeout_seconds=90", "monitoring.max_duration_percent_of_timeout=70")
    alarm = rendered(load_preset("thumbnails", options))["Resources"]["LambdaDurationAlarm"]["Properties"]

    assert "used more than 70 % of its 90 s in 2 periods of 5 minutes in a row." in alarm["AlarmDescription"]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"], alarm["Period"]) == (63_000, 2, 300)


@pytest.mark.parametrize(("option", "first"), [(0, "1 or more invocations"), (7, "8 or more invocations")])
def test_alarm_on_throttles_says_its_threshold(option, first):
    assert text_of("LambdaThrottleAlarm", "thumbnails", f"monitoring.max_throttles_per_5_minutes={option}").startswith(
        first
    )
