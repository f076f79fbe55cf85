"""From an event to items, thumbnails and log lines: one final status for each image, whatever happens on the way."""

import re

import botocore.session
import pytest
from botocore.stub import Stubber

from imgpipe_processor.events import read_event
from imgpipe_processor.failures import RecordsToRetryError
from imgpipe_processor.records import Records
from tests.lambda_processor.deliveries import SOURCE, event, record
from tests.lambda_processor.fakes import (
    CAT_ID,
    SETTINGS,
    THUMBNAILS,
    Aws,
    client_error,
    decoded,
    encoded,
    log_lines,
    photo,
    raising,
    run,
    ticking_clock,
)

SUCCESS = ["PutItem", "GetObject", "PutObject", "UpdateItem"]


def plain(item):
    return {name: next(iter(value.values())) for name, value in item.items()}


@pytest.mark.line("000-25", "003-23")
def test_the_item_of_a_processed_image_is_exactly_this(aws):
    size = len(aws.objects[SOURCE, "cat.jpg", "v1"][0])

    assert run(aws, record()) == {"processed": 1}

    (upload,) = aws.uploads
    assert {
        "ImageId": {"S": CAT_ID},
        "Status": {"S": "processed"},
        "StatusShard": {"S": "processed#3"},
        "BucketName": {"S": SOURCE},
        "ObjectKey": {"S": "cat.jpg"},
        "VersionId": {"S": "v1"},
        "ETag": {"S": "0123abcd"},
        "Sequencer": {"S": "0055AED6DCD90281E5"},
        "FileSize": {"N": str(size)},
        "ContentType": {"S": "image/jpeg"},
        "Format": {"S": "JPEG"},
        "Width": {"N": "400"},
        "Height": {"N": "200"},
        "UploadTimestamp": {"S": "2026-11-19T23:59:58.007Z"},
        "UploadDate": {"S": "2026-11-19"},
        "UploadShard": {"S": "2026-11-19#3"},
        "ProcessedAt": {"S": "2026-11-20T08:30:00.500Z"},
        "AttemptId": {"S": "attempt-0"},
        "Placeholder": aws.item["Placeholder"],  # tests of imaging say which is right
        "DominantColor": aws.item["DominantColor"],
        "Thumbnails": {
            "L": [
                {
                    "M": {
                        "Bucket": {"S": THUMBNAILS},
                        "Key": {"S": f"thumbnails/{CAT_ID}/128.jpg"},
                        "Width": {"N": "128"},
                        "Height": {"N": "64"},
                        "Format": {"S": "JPEG"},
                        "Bytes": {"N": str(len(upload["Body"]))},
                    }
                }
            ]
        },
    } == aws.item


@pytest.mark.line("000-28", "004-09")
def test_the_item_of_a_failed_image_is_exactly_this(aws):
    aws.objects[SOURCE, "cat.jpg", "v1"] = (b"Dear cat,", None)

    assert run(aws, record()) == {"failed": 1}

    assert plain(aws.item) == {
        "ImageId": CAT_ID,
        "Status": "failed",
        "StatusShard": "failed#3",
        "BucketName": SOURCE,
        "ObjectKey": "cat.jpg",
        "VersionId": "v1",
        "ETag": "0123abcd",
        "Sequencer": "0055AED6DCD90281E5",
        "FileSize": "9",
        "ContentType": "unknown",
        "UploadTimestamp": "2026-11-19T23:59:58.007Z",
        "UploadDate": "2026-11-19",
        "UploadShard": "2026-11-19#3",
        "ProcessedAt": "2026-11-20T08:30:00.500Z",
        "AttemptId": "attempt-0",
        "ErrorCategory": "unsupported",
        "ErrorMessage": "the object is a text; expected JPEG, PNG, GIF, WebP, AVIF, TIFF or BMP",
    }
    assert aws.uploads == []


def test_the_frames_of_an_animation_are_counted_and_those_of_a_still_image_are_not_told():
    others = [photo().rotate(90), photo().rotate(180)]  # equal ones are written as one
    frames = {"still.gif": [], "pair.gif": others[:1], "moving.gif": others}
    aws = Aws(
        {
            (SOURCE, key, "v1"): (encoded(photo(), "GIF", save_all=True, append_images=more), None)
            for key, more in frames.items()
        }
    )

    run(aws, *map(record, frames))

    assert {item["ObjectKey"]["S"]: item.get("FrameCount") for item in aws.items.values()} == {
        "still.gif": None,
        "pair.gif": {"N": "2"},
        "moving.gif": {"N": "3"},
    }


def test_what_is_shown_while_a_thumbnail_is_loaded_is_recorded(aws):
    run(aws, record())

    assert re.fullmatch(r"[0-9A-Za-z#$%*+,\-.:;=?@\[\]^_{|}~]{6,}", aws.item["Placeholder"]["S"])  # BlurHash's alphabet
    assert re.fullmatch("#[0-9a-f]{6}", aws.item["DominantColor"]["S"])


def test_what_the_event_does_not_tell_is_absent():
    aws = Aws()
    aws.objects[SOURCE, "cat.jpg", None] = (encoded(photo()), "image/jpeg")
    bare = record(version_id=None, size=None)
    del bare["s3"]["object"]["sequencer"]

    run(aws, bare)

    assert {"VersionId", "Sequencer", "UserId", "ErrorCategory", "ErrorMessage"}.isdisjoint(aws.item)
    assert aws.item["FileSize"] == {"N": str(len(aws.objects[SOURCE, "cat.jpg", None][0]))}


def test_the_item_says_processing_while_the_work_is_done(aws):
    seen = []
    aws.before = lambda call: seen.append((call, [item["Status"]["S"] for item in aws.items.values()]))

    run(aws, record())

    assert seen[0] == ("PutItem", [])
    assert [(call, ["processing"]) for call in SUCCESS[1:]] == seen[1:]


@pytest.mark.line("003-18")
@pytest.mark.parametrize(
    "key", ["my cat.jpg", "a+b%2Fc.JPG", "100%.png", "ü/😀.Jpeg", "../../etc/x.png", "a\nb\x1b[31m\u2028.jpg"]
)
def test_any_key_is_read_and_recorded_and_none_gets_into_the_thumbnails_key(key, capsys):
    aws = Aws()
    aws.objects[SOURCE, key, "v1"] = (encoded(photo()), "image/jpeg")

    assert run(aws, record(key)) == {"processed": 1}

    image_id = aws.item["ImageId"]["S"]
    assert {"S": key} == aws.item["ObjectKey"]
    assert f"thumbnails/{image_id}/128.jpg" == aws.uploads[0]["Key"]
    (line,) = log_lines(capsys)
    assert key == line["key"]


@pytest.mark.line("000-26", "003-21")
def test_the_thumbnail_that_is_uploaded_is_the_one_that_is_recorded(aws):
    run(aws, record())

    (upload,) = aws.uploads
    assert decoded(upload["Body"]).size == (128, 64)
    assert (THUMBNAILS, f"thumbnails/{CAT_ID}/128.jpg", "image/jpeg") == (
        upload["Bucket"],
        upload["Key"],
        upload["ContentType"],
    )


@pytest.mark.parametrize(
    ("data", "final", "calls"),
    [
        (encoded(photo()), "processed", ["PutItem", "GetItem"]),
        (b"no image", "failed", ["PutItem", "GetItem", "PutItem"]),
    ],
)
def test_a_duplicate_or_late_event_changes_nothing_and_counts_nowhere(data, final, calls, capsys):
    aws = Aws()
    aws.objects[SOURCE, "cat.jpg", "v1"] = (data, "image/jpeg")
    run(aws, record())
    before, uploads = dict(aws.item), list(aws.uploads)
    aws.calls.clear()
    capsys.readouterr()

    assert run(aws, record(), record(eventTime="2026-11-20T09:00:00.000Z")) == {"duplicate": 2}

    assert (before, uploads, final) == (aws.item, aws.uploads, aws.item["Status"]["S"])
    assert aws.calls == calls * 2
    assert [(line["event"], "_aws" in line) for line in log_lines(capsys)] == [("duplicate", False)] * 2


def test_an_image_deleted_since_is_not_brought_back(aws):
    run(aws, record())
    aws.items[CAT_ID]["Status"] = {"S": "deleted"}

    assert run(aws, record()) == {"duplicate": 1}


def test_item_deleted_after_the_first_call_is_written_again(aws):
    """TTL or a person can delete the item that an earlier delivery left between PutItem and GetItem."""
    run(aws, record())

    def delete_item(call):
        if call == "GetItem":
            aws.items.clear()

    aws.before = delete_item

    assert run(aws, record()) == {"processed": 1}
    assert aws.item["Status"] == {"S": "processed"}


def test_a_newer_version_is_an_image_of_its_own(aws):
    aws.objects[SOURCE, "cat.jpg", "v2"] = (encoded(photo(50, 50)), "image/jpeg")

    assert run(aws, record(version_id="v2"), record()) == {"processed": 2}
    assert {"50", "400"} == {item["Width"]["N"] for item in aws.items.values()}


@pytest.mark.line("001-22")
def test_a_poisoned_record_stops_none_of_the_others(aws, capsys):
    aws.objects[SOURCE, "bad.jpg", "v1"] = (encoded(photo())[:300], "image/jpeg")

    assert run(aws, record("bad.jpg"), record("gone.jpg"), record()) == {"processed": 1, "failed": 2}

    assert [line.get("category") for line in log_lines(capsys)] == ["corrupt", "forbidden", None]


@pytest.mark.parametrize(
    ("limits", "size", "read"),
    [
        ({"max_source_bytes": 999}, 1000, 0),
        ({"max_source_bytes": 500}, None, 0),
        ({"limits": SETTINGS.limits._replace(max_pixels=79_999)}, 1000, 1),
    ],
)
def test_what_is_too_large_is_failed_and_not_retried(aws, limits, size, read):
    assert run(aws, record(size=size), settings=SETTINGS._replace(**limits)) == {"failed": 1}

    assert aws.item["ErrorCategory"] == {"S": "too-large"}
    assert read == len([body for body in aws.bodies if body.taken])


@pytest.mark.line("003-25")
@pytest.mark.parametrize("call", SUCCESS)
@pytest.mark.parametrize(
    ("error", "category"),
    [(client_error("SlowDown", 503), "transient"), (client_error("InvalidToken", 400), "internal")],
)
def test_what_may_pass_is_counted_and_raised_once_after_the_others_and_then_retried(aws, call, error, category, capsys):
    aws.objects[SOURCE, "dog.jpg", "v1"] = aws.objects[SOURCE, "cat.jpg", "v1"]
    aws.before = raising(error, call)
    records = [record(), record("dog.jpg")]

    with pytest.raises(RecordsToRetryError, match=rf"^1 of 2 records to retry: {CAT_ID} \({category}\)$"):
        run(aws, *records)
    first, second = log_lines(capsys)
    assert (1, category, False) == (first["ProcessingErrors"], first["category"], "ProcessedImages" in first)
    assert second["ProcessedImages"] == 1

    assert run(aws, *records) == {"processed": 1, "duplicate": 1}


@pytest.mark.line("004-09")
def test_a_refused_upload_is_the_stacks_fault_and_not_the_images(aws):
    aws.before = raising(client_error("AccessDenied", 403, "PutObject"), "PutObject")

    with pytest.raises(RecordsToRetryError, match="internal"):
        run(aws, record())
    assert aws.item["Status"]["S"] == "processing"


def test_the_three_table_calls_are_valid_and_ask_for_nothing_else():
    client = botocore.session.Session().create_client(
        "dynamodb", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    (upload,) = read_event(event(record()))
    table, clock = Records(client, "ImageMetadata-dev", 4), ticking_clock()
    with Stubber(client) as stubbed:
        stubbed.add_client_error("put_item", "ConditionalCheckFailedException", http_status_code=400)
        stubbed.add_response("get_item", {"Item": {"Status": {"S": "processing"}}})
        stubbed.add_response("put_item", {})
        stubbed.add_response("update_item", {})
        stubbed.add_client_error("update_item", "ConditionalCheckFailedException", http_status_code=400)

        assert not table.begin(upload)
        assert table.status(upload.image_id) == "processing"
        assert table.begin_again(upload)
        assert table.finish(upload, "failed", {"ErrorCategory": {"S": "corrupt"}}, attempt_id="a", at=clock())
        assert not table.finish(upload, "failed", {}, attempt_id="a", at=clock())
        stubbed.assert_no_pending_responses()


def test_shards_spread_images_and_stay_where_they_are():
    (upload,) = read_event(event(record()))
    aws = Aws()
    for number in range(40):
        Records(aws, SETTINGS.metadata_table, 4).begin(upload._replace(key=f"{number}.jpg"))

    shards = {item["StatusShard"]["S"] for item in aws.items.values()}
    assert {f"processing#{shard}" for shard in range(4)} == shards
    assert {item["UploadShard"]["S"].split("#")[1] for item in aws.items.values()} == set("0123")
