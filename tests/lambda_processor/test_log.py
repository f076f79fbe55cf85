"""The log: one line for each record, which is the only place where metrics are written."""

import pytest

from imgpipe_processor.failures import RecordsToRetryError
from tests.lambda_processor.deliveries import SOURCE, record
from tests.lambda_processor.fakes import CAT_ID, log_lines, raising, run, send


def test_003_24_003_26_the_line_of_a_processed_image_carries_its_metrics(aws, capsys):
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
        "_aws": {
            "Timestamp": 1795163401000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "ImageProcessing",
                    "Dimensions": [["Environment", "EnvironmentSuffix"]],
                    "Metrics": [
                        {"Name": "ProcessedImages", "Unit": "Count"},
                        {"Name": "ProcessingDuration", "Unit": "Milliseconds"},
                        {"Name": "SourceBytes", "Unit": "Bytes"},
                        {"Name": "ThumbnailBytes", "Unit": "Bytes"},
                    ],
                }
            ],
        },
        "Environment": "staging",
        "EnvironmentSuffix": "dev",
        "ProcessedImages": 1,
        "ProcessingDuration": 500.0,
        "SourceBytes": size,
        "ThumbnailBytes": len(aws.uploads[0]["Body"]),
    } == line


def test_003_25_the_line_of_a_failed_image_counts_an_error(aws, capsys):
    aws.objects[SOURCE, "cat.jpg", "v1"] = (b"no image", "text/plain")

    run(aws, record())

    (line,) = log_lines(capsys)
    assert (
        line["ProcessingErrors"],
        line["SourceBytes"],
        line["level"],
        line["category"],
    ) == (1, 8, "ERROR", "unsupported")
    assert {"ProcessedImages", "ThumbnailBytes"}.isdisjoint(line)


def test_003_26_a_log_that_cannot_be_written_fails_no_image(aws, monkeypatch):
    class Broken:
        def write(self, _text):
            raise OSError("no space left")

    monkeypatch.setattr("sys.stdout", Broken())

    assert run(aws, record()) == {"processed": 1}


def test_what_is_no_upload_is_told_in_one_line(aws, capsys):
    assert run(aws, record(eventName="ObjectRemoved:Delete"), record()) == {"ignored": 1, "processed": 1}
    assert send(aws, {"Event": "s3:TestEvent"}) == {"ignored": 1}

    assert [line.get("reason") for line in log_lines(capsys)] == ["not an ObjectCreated event", None, "s3:TestEvent"]


def test_a_bug_leaves_its_place_in_one_line_of_the_log(aws, capsys):
    aws.before = raising(ZeroDivisionError("x"), "GetObject")

    with pytest.raises(RecordsToRetryError):
        run(aws, record())

    (line,) = log_lines(capsys)
    assert (line["category"], line["message"]) == ("internal", "ZeroDivisionError")
    assert "storage.py" in line["detail"]
