"""The log: one line for each record, which is the only place where metrics are written."""

import pytest

from imgpipe_processor.failures import RecordsToRetryError
from tests.lambda_processor.deliveries import SOURCE, event, record
from tests.lambda_processor.fakes import CAT_ID, client_error, log_lines, raising, run, send


def metrics(*names_and_units):
    """The `_aws` member of a line with these metrics."""
    return {
        "Timestamp": 1795163401000,
        "CloudWatchMetrics": [
            {
                "Namespace": "ImageProcessing",
                "Dimensions": [["Environment", "EnvironmentSuffix"]],
                "Metrics": [{"Name": name, "Unit": unit} for name, unit in names_and_units],
            }
        ],
    }


@pytest.mark.line("000-29", "003-24", "003-26")
def test_the_line_of_a_processed_image_carries_its_metrics(aws, capsys):
    size = len(aws.objects[SOURCE, "cat.jpg", "v1"][0])

    run(aws, record())

    (line,) = log_lines(capsys)
    assert {
        "level": "INFO",
        "event": "processed",
        "request_id": "r-1",
        "image_id": CAT_ID,
        "bucket": SOURCE,
        "key": "cat.jpg",
        "version_id": "v1",
        "format": "JPEG",
        "_aws": metrics(
            ("ProcessedImages", "Count"),
            ("ProcessingDuration", "Milliseconds"),
            ("SourceBytes", "Bytes"),
            ("ThumbnailBytes", "Bytes"),
        ),
        "Environment": "staging",
        "EnvironmentSuffix": "dev",
        "ProcessedImages": 1,
        "ProcessingDuration": 500.0,
        "SourceBytes": size,
        "ThumbnailBytes": len(aws.uploads[0]["Body"]),
    } == line


@pytest.mark.line("000-28", "003-25")
def test_the_line_of_a_failed_image_counts_an_error(aws, capsys):
    aws.objects[SOURCE, "cat.jpg", "v1"] = (b"no image", "text/plain")

    run(aws, record())

    (line,) = log_lines(capsys)
    assert line == {
        "level": "ERROR",
        "event": "failed",
        "request_id": "r-1",
        "image_id": CAT_ID,
        "bucket": "photos-in",
        "key": "cat.jpg",
        "version_id": "v1",
        "category": "unsupported",
        "message": "the object is a text; expected JPEG, PNG, GIF, WebP, AVIF, TIFF or BMP",
        "_aws": metrics(
            ("ProcessingErrors", "Count"), ("ProcessingDuration", "Milliseconds"), ("SourceBytes", "Bytes")
        ),
        "Environment": "staging",
        "EnvironmentSuffix": "dev",
        "ProcessingErrors": 1,
        "ProcessingDuration": 500.0,
        "SourceBytes": 8,
    }


def test_line_of_an_image_to_retry_counts_an_error_and_names_the_fault(aws, capsys):
    aws.before = raising(client_error("SlowDown", 503), "GetObject")

    with pytest.raises(RecordsToRetryError):
        run(aws, record())

    (line,) = log_lines(capsys)
    assert line.pop("detail").endswith(
        "An error occurred (SlowDown) when calling the GetObject operation: secret words"
    )
    assert line == {
        "level": "ERROR",
        "event": "retry",
        "request_id": "r-1",
        "image_id": CAT_ID,
        "bucket": "photos-in",
        "key": "cat.jpg",
        "version_id": "v1",
        "category": "transient",
        "message": "ClientError",
        "_aws": metrics(("ProcessingErrors", "Count"), ("ProcessingDuration", "Milliseconds"))
        | {"Timestamp": 1795163400750},
        "Environment": "staging",
        "EnvironmentSuffix": "dev",
        "ProcessingErrors": 1,
        "ProcessingDuration": 250.0,
    }


def test_lines_of_a_duplicate_and_of_a_record_left_for_want_of_time_have_no_metrics(aws, capsys):
    run(aws, record())
    capsys.readouterr()

    with pytest.raises(RecordsToRetryError):
        send(aws, event(record(version_id=None), record()), remaining_ms=lambda: 0)

    shared = {"request_id": "r-1", "image_id": CAT_ID, "bucket": "photos-in", "key": "cat.jpg", "version_id": "v1"}
    assert log_lines(capsys)[1:] == [{"level": "WARNING", "event": "left", **shared}]
    run(aws, record())
    assert log_lines(capsys) == [{"level": "INFO", "event": "duplicate", **shared}]


@pytest.mark.line("003-26")
def test_a_log_that_cannot_be_written_fails_no_image(aws, monkeypatch):
    class Broken:
        def write(self, _text):
            raise OSError("no space left")

    monkeypatch.setattr("sys.stdout", Broken())

    assert run(aws, record()) == {"processed": 1}


def test_what_is_no_upload_is_told_in_one_line(aws, capsys):
    assert run(aws, record(eventName="ObjectRemoved:Delete"), record()) == {"ignored": 1, "processed": 1}
    assert send(aws, {"Event": "s3:TestEvent"}) == {"ignored": 1}
    assert send(aws, event({}, {})) == {"ignored": 2}

    assert [line.get("reason") for line in log_lines(capsys)] == [
        "not an ObjectCreated event",
        None,
        "s3:TestEvent",
        *["unknown record shape"] * 2,
    ]


def test_a_bug_leaves_its_place_in_one_line_of_the_log(aws, capsys):
    aws.before = raising(ZeroDivisionError("x"), "GetObject")

    with pytest.raises(RecordsToRetryError):
        run(aws, record())

    (line,) = log_lines(capsys)
    assert (line["category"], line["message"]) == ("internal", "ZeroDivisionError")
    assert "storage.py" in line["detail"]
