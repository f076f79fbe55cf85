"""The report after an event: who is told of what, when, and within which bounds."""

import json

import pytest

from imgpipe_processor.events import read_event
from imgpipe_processor.failures import RecordsToRetryError
from imgpipe_processor.reports import Failure, report_text
from tests.lambda_processor.deliveries import SOURCE, event, queue, record
from tests.lambda_processor.fakes import CAT_ID, SETTINGS, TOPIC, Aws, client_error, log_lines, raising, send

TEST_EVENT = {"Event": "s3:TestEvent"}


def bodies(aws):
    return [json.loads(report["Message"]) for report in aws.reports]


def counts(aws):
    return [(body["processed"], body["failed"]) for body in bodies(aws)]


@pytest.mark.line("001-23")
def test_the_report_is_exactly_this(aws):
    aws.objects[SOURCE, "bad.jpg", "v1"] = (b"no image", None)
    (bad,) = read_event(event(record("bad.jpg")))

    send(aws, event(record("bad.jpg"), record()), reports="failures")

    (report,) = aws.reports
    assert (TOPIC, "Image Processing Report", {"TopicArn", "Subject", "Message"}) == (
        report["TopicArn"],
        report["Subject"],
        set(report),
    )
    assert {
        "environment": "staging",
        "environment_suffix": "dev",
        "request_id": "r-1",
        "processed": 1,
        "failed": 1,
        "failures": [{"category": "unsupported", "bucket": SOURCE, "key": "bad.jpg", "image_id": bad.image_id}],
        "failures_not_listed": 0,
    } == json.loads(report["Message"])
    assert report["Message"].startswith('{\n  "environment": "staging",\n')  # people read it as an e-mail


@pytest.mark.line("001-23")
def test_one_report_tells_of_a_whole_batch(aws):
    message = queue(event(record("gone.jpg"), record()), event(record("lost.jpg")), TEST_EVENT)

    assert send(aws, message, reports="failures") == {"batchItemFailures": []}
    assert counts(aws) == [(1, 2)]


@pytest.mark.line("001-23")
@pytest.mark.parametrize(("occasion", "told"), [("failures", []), ("always", [(1, 0)]), (None, [])])
def test_success_alone_is_told_only_where_it_is_asked_for(aws, occasion, told):
    send(aws, event(record()), reports=occasion)

    assert told == counts(aws)


@pytest.mark.line("001-23")
@pytest.mark.parametrize("occasion", ["failures", "always"])
def test_duplicates_and_what_is_ignored_are_not_told_of(aws, occasion):
    send(aws, event(record()))

    send(aws, event(record(), record(eventName="ObjectRemoved:Delete")), reports=occasion)
    send(aws, TEST_EVENT, reports=occasion)
    send(aws, event(record("thumbs/x.jpg")), reports=occasion, settings=SETTINGS._replace(upload_prefix="uploads/"))

    assert aws.reports == []


@pytest.mark.line("001-23")
@pytest.mark.parametrize(
    ("error", "category"), [(client_error("SlowDown", 503), "transient"), (KeyError("x"), "internal")]
)
def test_what_will_be_tried_again_is_told_of_before_it_is_raised(aws, error, category):
    aws.before = raising(error, "GetObject")

    with pytest.raises(RecordsToRetryError):
        send(aws, event(record()), reports="failures")

    assert [(CAT_ID, category)] == [(each["image_id"], each["category"]) for each in bodies(aws)[0]["failures"]]


def test_what_was_left_for_the_next_delivery_has_not_failed(aws):
    aws.objects[SOURCE, "dog.jpg", "v1"] = aws.objects[SOURCE, "cat.jpg", "v1"]
    message = queue(event(record()), event(record("dog.jpg")))

    send(aws, message, reports="always", remaining_ms=lambda: 0)

    assert counts(aws) == [(1, 0)]


@pytest.mark.line("001-23")
@pytest.mark.parametrize(
    "error", [client_error("AuthorizationError", 403, "Publish"), OSError("no route"), ValueError()]
)
def test_a_report_that_cannot_be_sent_fails_nothing(aws, error, capsys):
    aws.before = raising(error, "Publish")

    assert send(aws, event(record()), reports="always") == {"processed": 1}

    line = log_lines(capsys)[-1]
    assert line.pop("detail")
    assert line == {
        "level": "ERROR",
        "event": "report-not-sent",
        "request_id": "r-1",
        "message": type(error).__name__,
    }


@pytest.mark.line("001-23")
@pytest.mark.parametrize("key", ["\x01" * 1024, "😀" * 256, "k" * 1024, "x", '"' * 1024])
def test_a_report_stays_within_the_limit_and_counts_what_it_leaves_out(key):
    (upload,) = read_event(event(record(key)))

    text = report_text(0, [Failure(upload, "unsupported")] * 5000, SETTINGS, request_id="r-1")

    body = json.loads(text)
    assert len(text.encode()) < 262_144
    assert text.isascii()
    assert (body["failed"], len(body["failures"]) + body["failures_not_listed"]) == (5000, 5000)
    assert body["failures"][0]["key"] == key
    assert body["failures_not_listed"] > 0


def test_the_report_of_an_image_says_nothing_of_what_aws_answered():
    aws = Aws()
    aws.before = raising(client_error("SlowDown", 503), "GetObject")

    with pytest.raises(RecordsToRetryError):
        send(aws, event(record()), reports="failures")

    assert "secret" not in aws.reports[0]["Message"]
