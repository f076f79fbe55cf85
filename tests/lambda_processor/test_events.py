from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgpipe_processor.events import Ignored, Upload, read_event
from tests.lambda_processor.deliveries import SOURCE, event, record


def only_upload(*records):
    (upload,) = read_event(event(*records))
    assert isinstance(upload, Upload)
    return upload


def test_every_member_of_a_record_is_read():
    assert Upload(
        bucket=SOURCE,
        key="cat.jpg",
        etag="0123abcd",
        uploaded_at=datetime(2026, 11, 19, 23, 59, 58, 7000, UTC),
        version_id="v1",
        size=1000,
        sequencer="0055AED6DCD90281E5",
    ) == only_upload(record())


@pytest.mark.line("003-18")
@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("my+cat.jpg", "my cat.jpg"),
        ("a%2Bb.jpg", "a+b.jpg"),
        ("100%25.png", "100%.png"),
        ("a%2520b.png", "a%20b.png"),
        ("%C3%BC/%F0%9F%98%80.JPG", "ü/😀.JPG"),
        ("uploads/../x.jpg", "uploads/../x.jpg"),
    ],
)
def test_keys_are_decoded_like_a_form(written, key):
    given_record = record()
    given_record["s3"]["object"]["key"] = written

    assert key == only_upload(given_record).key


@pytest.mark.line("003-18")
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_key_survives_encoding_and_decoding(key):
    assert key == only_upload(record(key)).key


@pytest.mark.line("002-13", "003-19")
def test_the_image_id_is_the_same_in_every_delivery_and_never_changes_between_releases():
    assert only_upload(record()).image_id == "30454758-41c2-5cb7-b19a-6f3b584edc55"
    assert only_upload(record(version_id=None)).image_id == "f0560263-b393-5369-bd58-8ab4940e3acd"


@pytest.mark.line("003-19")
def test_another_bucket_key_or_version_is_another_image():
    other_bucket = record()
    other_bucket["s3"]["bucket"]["name"] = "elsewhere"
    records = [record(), record("dog.jpg"), record(version_id="v2"), other_bucket]

    assert len({upload.image_id for upload in read_event(event(*records))}) == 4


@pytest.mark.line("002-13")
@pytest.mark.parametrize("version_id", [None, "null", ""])
def test_without_versions_the_image_id_follows_the_etag(version_id):
    first, changed = record(version_id=version_id), record(version_id=version_id)
    changed["s3"]["object"]["eTag"] = "ffff"

    assert only_upload(first).version_id is None
    assert only_upload(first).image_id != only_upload(changed).image_id
    assert only_upload(first).image_id != only_upload(record(version_id="0123abcd")).image_id


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": SOURCE}, "s3:TestEvent"),
        ({}, "unknown event shape"),
        ([], "unknown event shape"),
        (None, "unknown event shape"),
        ({"Records": {}}, "unknown event shape"),
        (event(record(eventSource="aws:sqs")), "not an S3 event"),
        (event(record(eventName="ObjectRemoved:Delete")), "not an ObjectCreated event"),
        (event(record(eventTime="yesterday")), "unknown record shape"),
        (event(record(eventTime=None)), "unknown record shape"),
        (event(record(s3={})), "unknown record shape"),
        (event(record(s3={"bucket": {"name": ""}, "object": {"key": "k", "eTag": "e"}})), "unknown record shape"),
        (event(record(size="12")), "unknown record shape"),
        (event(record(size=-1)), "unknown record shape"),
        (event(record(size=True)), "unknown record shape"),
        (event(record(size=2**63)), "unknown record shape"),
        (event(record(etag="")), "unknown record shape"),
        (event(record(etag="a\r\nRange: bytes=0-9")), "unknown record shape"),
        (event(record(etag="é")), "unknown record shape"),
        (event(record(version_id="\ud83d")), "unknown record shape"),
        (event(record(sequencer="\ud83d")), "unknown record shape"),
        (event(record(sequencer=7)), "unknown record shape"),
        (event(record(version_id=7)), "unknown record shape"),
        (event("text"), "unknown record shape"),
        (event(None), "unknown record shape"),
    ],
)
def test_what_is_no_upload_is_ignored_with_a_reason(message, reason):
    assert [Ignored(reason)] == read_event(message)


def test_upload_time_is_in_utc():
    upload = only_upload(record(eventTime="2026-11-20T00:30:00.000+02:00"))

    assert upload.uploaded_at == datetime(2026, 11, 19, 22, 30, tzinfo=UTC)
    assert upload.uploaded_at.tzinfo is UTC


def test_no_records_are_no_work():
    assert read_event(event()) == []
