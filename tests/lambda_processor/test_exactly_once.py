"""Item, thumbnails and metrics agree after a crash at any moment, an answer that got lost, and a second delivery."""

from itertools import product

import pytest

from imgpipe_processor.settings import Settings
from tests.lambda_processor.deliveries import SOURCE, event, queue, record
from tests.lambda_processor.fakes import (
    CAT_ID,
    METADATA_ONLY,
    SETTINGS,
    THUMBNAILS,
    Aws,
    Crash,
    encoded,
    holding,
    log_lines,
    making,
    photo,
    run,
    send,
)

FOUR_SIZES = making(THUMBNAILS, "thumbnails/", (64, 128, 256, 512))
ONE_BUCKET = making(SOURCE, "thumbnails/", (128,))
every_mode = pytest.mark.parametrize(
    "settings", [SETTINGS, FOUR_SIZES, ONE_BUCKET, METADATA_ONLY], ids=["one", "four", "one-bucket", "metadata"]
)
every_content = pytest.mark.parametrize(
    ("data", "metric"),
    [(encoded(photo()), "ProcessedImages"), (b"no image", "ProcessingErrors"), (None, "ProcessingErrors")],
    ids=["processed", "failed", "missing"],
)


def with_cat(data: bytes | None) -> Aws:
    return Aws() if data is None else holding("cat.jpg", data=data)


def outcome(aws: Aws):
    """What is left behind; which attempt it was is all that may differ."""
    items = {
        image_id: {name: value for name, value in item.items() if name != "AttemptId"}
        for image_id, item in aws.items.items()
    }
    return items, aws.thumbnails


def undisturbed(data: bytes | None, settings: Settings) -> Aws:
    aws = with_cat(data)
    run(aws, record(), settings=settings)
    return aws


def stop(aws: Aws, number: int, moment: str) -> None:
    """Let the process end before or after its call of that number, counted from here and from 0."""
    number += len(aws.calls) + 1

    def told(_call: str) -> None:
        if len(aws.calls) == number:
            setattr(aws, moment, lambda _call: None)
            raise Crash

    setattr(aws, moment, told)


def counted(capsys, metric):
    return sum(line.get(metric, 0) for line in log_lines(capsys))


def named_thumbnails(aws: Aws):
    return {
        (each["M"]["Bucket"]["S"], each["M"]["Key"]["S"]): int(each["M"]["Bytes"]["N"])
        for item in aws.items.values()
        for each in item.get("Thumbnails", {"L": []})["L"]
    }


@pytest.mark.line("004-23")
@every_content
@every_mode
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_at_any_call_is_made_good_by_the_next_delivery(settings, data, metric, moment, capsys):
    """Only the count of an image is lost with a process that dies between its last call and its log line."""
    expected = undisturbed(data, settings)
    last = len(expected.calls) - 1
    for number in range(last + 1):
        aws = with_cat(data)
        stop(aws, number, moment)
        capsys.readouterr()

        with pytest.raises(Crash):
            run(aws, record(), settings=settings)
        run(aws, record(), settings=settings)

        assert outcome(expected) == outcome(aws), number
        assert {place: len(body) for place, body in aws.thumbnails.items()} == named_thumbnails(aws)
        assert (0 if (number, moment) == (last, "after") else 1) == counted(capsys, metric), number


@pytest.mark.parametrize(("first", "second"), [*product(["before", "after"], repeat=2)])
def test_one_crash_after_another_is_made_good(first, second, capsys):
    expected = undisturbed(encoded(photo()), SETTINGS)
    for one in range(4):
        if (one, first) == (3, "after"):
            continue  # done then
        calls = 4 if (one, first) == (0, "before") else 6  # of the second delivery
        for other in range(calls):
            aws = holding("cat.jpg")
            for number, moment in ((one, first), (other, second)):
                stop(aws, number, moment)
                with pytest.raises(Crash):
                    run(aws, record())
            capsys.readouterr()

            done = (other, second) == (calls - 1, "after")
            assert run(aws, record()) == ({"duplicate": 1} if done else {"processed": 1})

            assert outcome(expected) == outcome(aws)


@every_content
@every_mode
def test_a_lost_answer_is_no_other_delivery(settings, data, metric, capsys):
    """The client sends the call again, whose condition then fails because of what the first sending did."""
    expected = undisturbed(data, settings)
    capsys.readouterr()
    for call in dict.fromkeys(expected.calls):
        for times in (1, 2):
            aws = with_cat(data)
            aws.lost = [call] * times

            run(aws, record(), settings=settings)

            assert outcome(expected) == outcome(aws), call
            assert counted(capsys, metric) == 1, call


def test_an_end_by_another_delivery_is_not_taken_for_a_lost_answer(aws, capsys):
    def other_delivery(call):
        if call == "UpdateItem":
            aws.before = lambda _call: None
            run(aws, record())

    aws.before = other_delivery

    assert run(aws, record()) == {"duplicate": 1}
    assert counted(capsys, "ProcessedImages") == 1
    assert aws.items[CAT_ID]["AttemptId"] == {"S": "attempt-1"}


def test_the_attempt_that_ended_an_image_is_another_each_time(aws):
    aws.objects[SOURCE, "dog.jpg", "v1"] = aws.objects[SOURCE, "cat.jpg", "v1"]

    run(aws, record(), record("dog.jpg"))

    assert len({item["AttemptId"]["S"] for item in aws.items.values()}) == 2


def test_a_report_of_a_crash_is_sent_by_the_delivery_that_ends_the_image(aws):
    stop(aws, 2, "before")
    with pytest.raises(Crash):
        send(aws, queue(event(record())), reports="always")
    assert aws.reports == []

    send(aws, queue(event(record())), reports="always")

    assert len(aws.reports) == 1
