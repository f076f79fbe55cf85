"""Several records at once: none holds up another, and only those that did not end come back, in time or not."""

import pytest

from imgpipe_processor.failures import RecordsToRetryError
from tests.lambda_processor.deliveries import SOURCE, event, eventbridge, record
from tests.lambda_processor.deliveries import queue as batch
from tests.lambda_processor.fakes import Crash, client_error, holding, log_lines, raising, run, send


def statuses(aws):
    return {item["ObjectKey"]["S"]: item["Status"]["S"] for item in aws.items.values()}


def killing(aws, key):
    """Ends the process each time that this object is read."""

    def told(call):
        if call == "GetObject" and aws.reads[-1]["Key"] == key:
            raise Crash

    aws.after = told


@pytest.mark.line("004-07")
def test_of_a_bad_a_good_a_transient_and_a_good_message_only_the_transient_comes_back(capsys):
    aws = holding("good.jpg", "slow.jpg", "fine.jpg")
    aws.objects[SOURCE, "bad.jpg", "v1"] = (b"no image", None)

    def told(call):
        if call == "GetObject" and aws.items and list(aws.items.values())[-1]["ObjectKey"]["S"] == "slow.jpg":
            aws.before = lambda _call: None
            raise client_error("SlowDown", 503)

    aws.before = told
    message = batch(*(event(record(key)) for key in ("bad.jpg", "good.jpg", "slow.jpg", "fine.jpg")))

    assert send(aws, message) == {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    assert statuses(aws) == {
        "bad.jpg": "failed",
        "good.jpg": "processed",
        "slow.jpg": "processing",
        "fine.jpg": "processed",
    }
    assert [line.get("category") for line in log_lines(capsys)] == ["unsupported", None, "transient", None]

    assert send(aws, {"Records": message["Records"][2:3]}) == {"batchItemFailures": []}
    assert statuses(aws)["slow.jpg"] == "processed"


@pytest.mark.line("001-22")
@pytest.mark.parametrize("shape", [batch, lambda *events: event(*(one["Records"][0] for one in events))])
def test_what_kills_the_process_is_tried_last_the_next_time(shape):
    aws = holding("killer.jpg", "a.jpg", "b.jpg")
    message = shape(*(event(record(key)) for key in ("killer.jpg", "a.jpg", "b.jpg")))
    killing(aws, "killer.jpg")
    with pytest.raises(Crash):
        send(aws, message)
    assert statuses(aws) == {"killer.jpg": "processing"}

    with pytest.raises(Crash):
        send(aws, message)

    assert statuses(aws) == {"killer.jpg": "processing", "a.jpg": "processed", "b.jpg": "processed"}


def test_what_was_only_interrupted_ends_after_the_others(capsys):
    aws = holding("first.jpg", "a.jpg")
    message = batch(event(record("first.jpg")), event(record("a.jpg")))
    killing(aws, "first.jpg")
    with pytest.raises(Crash):
        send(aws, message)
    aws.after = lambda _call: None

    assert send(aws, message) == {"batchItemFailures": []}

    assert [(line["event"], line["key"]) for line in log_lines(capsys)] == [
        ("processed", "a.jpg"),
        ("processed", "first.jpg"),
    ]


def test_a_lost_answer_of_the_first_call_is_no_other_delivery():
    aws = holding("a.jpg", "b.jpg")
    aws.lost = ["PutItem"]

    assert run(aws, record("a.jpg"), record("b.jpg")) == {"processed": 2}


def test_what_is_alone_waits_for_nobody(aws):
    killing(aws, "cat.jpg")
    with pytest.raises(Crash):
        send(aws, batch(event(record())))
    aws.after = lambda _call: None
    aws.calls.clear()

    send(aws, batch(event(record())))

    assert aws.calls == ["PutItem", "GetItem", "PutItem", "GetObject", "PutObject", "UpdateItem"]


def test_what_is_tried_last_is_left_where_no_time_is_left():
    aws = holding("killer.jpg", "a.jpg")
    message = batch(event(record("killer.jpg")), event(record("a.jpg")))
    killing(aws, "killer.jpg")
    with pytest.raises(Crash):
        send(aws, message)

    assert send(aws, message, remaining_ms=lambda: 1000) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert statuses(aws) == {"killer.jpg": "processing", "a.jpg": "processed"}


@pytest.mark.line("004-07")
@pytest.mark.parametrize("error", [client_error("SlowDown", 503), client_error("InvalidToken", 400), KeyError("x")])
def test_only_the_messages_that_did_not_come_to_an_end_are_delivered_again(error):
    aws = holding("a.jpg", "b.jpg", "c.jpg")
    aws.objects[SOURCE, "bad.jpg", "v1"] = (b"no image", None)
    aws.before = raising(error, "PutObject")
    message = batch(*(event(record(key)) for key in ("bad.jpg", "a.jpg", "b.jpg")), eventbridge("c.jpg"))

    assert send(aws, message) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    statuses = {item["ObjectKey"]["S"]: item["Status"]["S"] for item in aws.items.values()}
    assert statuses == {"bad.jpg": "failed", "a.jpg": "processing", "b.jpg": "processed", "c.jpg": "processed"}

    assert send(aws, message) == {"batchItemFailures": []}


def test_a_message_of_several_records_is_named_once_and_its_finished_ones_are_not_done_again():
    aws = holding("a.jpg", "b.jpg", "c.jpg")
    failing = [client_error("SlowDown", 503), client_error("SlowDown", 503)]

    def told(call):
        if call == "PutObject" and failing:
            raise failing.pop()

    aws.before = told
    message = batch(event(record("a.jpg"), record("b.jpg"), record("c.jpg")))

    assert send(aws, message) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert send(aws, message) == {"batchItemFailures": []}
    assert len(aws.uploads) == 3


@pytest.mark.line("003-25")
def test_without_a_queue_the_failure_is_raised(aws):
    aws.before = raising(client_error("SlowDown", 503), "GetObject")

    with pytest.raises(RecordsToRetryError, match="transient"):
        send(aws, eventbridge())


def test_records_that_could_not_end_in_time_are_not_begun_and_come_back(capsys):
    """Each record takes 500 ms here, so that the second may take 1,000 and the answer 1,000 more."""
    aws = holding("a.jpg", "b.jpg", "c.jpg")
    message = batch(*(event(record(key)) for key in ("a.jpg", "b.jpg", "c.jpg")))
    left_ms = iter([2000, 1999])

    answer = send(aws, message, remaining_ms=lambda: next(left_ms))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    assert {"a.jpg", "b.jpg"} == {item["ObjectKey"]["S"] for item in aws.items.values()}
    line = log_lines(capsys)[2]
    assert (line["level"], line["event"], line["key"], "_aws" in line) == ("WARNING", "left", "c.jpg", False)


def test_the_first_record_is_always_begun(aws):
    assert send(aws, event(record()), remaining_ms=lambda: 0) == {"processed": 1}


def test_what_is_left_is_raised_where_there_is_no_queue(aws):
    aws.objects[SOURCE, "dog.jpg", "v1"] = aws.objects[SOURCE, "cat.jpg", "v1"]

    with pytest.raises(RecordsToRetryError, match=r"^1 of 2 records to retry: [0-9a-f-]{36} \(left\)$"):
        send(aws, event(record(), record("dog.jpg")), remaining_ms=lambda: 0)
    assert run(aws, record(), record("dog.jpg")) == {"duplicate": 1, "processed": 1}


def test_every_unfinished_record_is_named_where_there_is_no_queue(aws):
    def throttle(_call):
        raise client_error("SlowDown", 503)

    aws.before = throttle

    with pytest.raises(
        RecordsToRetryError,
        match=r"^2 of 2 records to retry: [0-9a-f-]{36} \(transient\), [0-9a-f-]{36} \(transient\)$",
    ):
        run(aws, record(), record("dog.jpg"))


def test_time_for_a_report_is_kept():
    aws = holding("a.jpg", "b.jpg")
    message = batch(*(event(record(key)) for key in ("a.jpg", "b.jpg")))

    left = send(aws, message, reports="always", remaining_ms=lambda: 8999)

    assert left == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert send(aws, message, reports="always", remaining_ms=lambda: 9000) == {"batchItemFailures": []}


def received(event, *counts):
    """The batch with how often SQS has handed out each of its messages."""
    for message, count in zip(event["Records"], counts, strict=True):
        message["attributes"] = {"ApproximateReceiveCount": count}
    return event


def test_messages_received_most_often_are_processed_first(capsys):
    aws = holding("a.jpg", "b.jpg", "c.jpg", "d.jpg")
    message = batch(*(eventbridge(key) for key in ("a.jpg", "b.jpg", "c.jpg", "d.jpg")))

    send(aws, received(message, "1", "10", "9", "1"))

    assert [line["key"] for line in log_lines(capsys)] == ["b.jpg", "c.jpg", "a.jpg", "d.jpg"]


@pytest.mark.parametrize("count", [None, 3, "", "many", "²", "9" * 5000])
def test_message_without_usable_receive_count_is_processed(count):
    aws = holding("a.jpg", "b.jpg")
    message = batch(eventbridge("a.jpg"), eventbridge("b.jpg"))

    assert send(aws, received(message, count, "2")) == {"batchItemFailures": []}
    assert statuses(aws) == {"a.jpg": "processed", "b.jpg": "processed"}
