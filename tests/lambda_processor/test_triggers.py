"""Every way that an upload is told of: S3 notification, EventBridge event, and both of them through a queue."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgpipe_processor.events import Delivery, Ignored, Upload, is_queue_event, read_deliveries, read_event
from tests.lambda_processor.deliveries import SOURCE, event, eventbridge, record
from tests.lambda_processor.deliveries import queue as batch
from tests.lambda_processor.fakes import CAT_ID, holding, log_lines, send

SHAPES = {
    "s3": lambda key, **more: event(record(key, **more)),
    "eventbridge": eventbridge,
    "s3-queue": lambda key, **more: batch(event(record(key, **more))),
    "eventbridge-queue": lambda key, **more: batch(eventbridge(key, **more)),
}
HOSTILE_KEYS = [
    "my cat.jpg",
    "a+b.jpg",
    "100%.jpg",
    "a%2Bb%20c.jpg",
    "%",
    "ü/\uff21/😀.JPG",
    "é" * 512,  # 1,024 bytes, the most that a key may have
    "k" * 1024,
    "uploads/../x.jpg",
    "//a//b/",
    "C:\\x.jpg",
    "a\0b\nc\r\x1b[31m\x7f.jpg",
    'x\n{"level":"ERROR"}',
    "a\u2028b\u202ec.jpg",
    "&amp;<key>=?#.jpg",
]
every_shape = pytest.mark.parametrize("shape", SHAPES)


def only_upload(message):
    ((upload,),) = [delivery.uploads for delivery in read_deliveries(message)]
    assert isinstance(upload, Upload), upload
    return upload


@pytest.mark.line("000-24")
@every_shape
@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=range(len(HOSTILE_KEYS)))
def test_any_key_is_read_through_every_trigger_and_gives_the_same_image(shape, key):
    aws = holding(key)
    through_s3 = only_upload(event(record(key)))

    send(aws, SHAPES[shape](key))

    assert (key, "processed", through_s3.image_id) == tuple(
        aws.item[name]["S"] for name in ("ObjectKey", "Status", "ImageId")
    )


@pytest.mark.line("000-24", "003-18")
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), st.sampled_from(sorted(SHAPES)))
def test_keys_are_decoded_once_and_only_where_they_are_encoded(key, shape):
    assert key == only_upload(SHAPES[shape](key)).key


@pytest.mark.line("003-19")
@every_shape
@pytest.mark.parametrize("version_id", ["v1", "null", None])
def test_the_image_id_is_the_same_whatever_way_the_event_came(shape, version_id):
    expected = only_upload(event(record(version_id=version_id)))

    upload = only_upload(SHAPES[shape]("cat.jpg", version_id=version_id))

    assert expected.image_id == upload.image_id
    assert expected._replace(uploaded_at=upload.uploaded_at) == upload
    assert abs((expected.uploaded_at - upload.uploaded_at).total_seconds()) < 1  # EventBridge tells whole seconds


def test_the_same_upload_through_every_trigger_is_one_image(aws):
    assert [
        send(aws, SHAPES[shape]("cat.jpg")) for shape in ("eventbridge", "s3", "s3-queue", "eventbridge-queue")
    ] == [
        {"processed": 1},
        {"duplicate": 1},
        {"batchItemFailures": []},
        {"batchItemFailures": []},
    ]
    assert list(aws.items) == [CAT_ID]
    assert len(aws.uploads) == 1


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (eventbridge(source="com.example"), "not an S3 event"),
        (eventbridge(**{"detail-type": "Object Deleted"}), "not an Object Created event"),
        (eventbridge(**{"detail-type": None}), "not an Object Created event"),
        (eventbridge(detail={}), "unknown record shape"),
        (eventbridge(detail=None), "unknown record shape"),
        (eventbridge(time="yesterday"), "unknown record shape"),
        (eventbridge(time="0001-01-01T00:00:00+14:00"), "unknown record shape"),
        (eventbridge(size="12"), "unknown record shape"),
        (eventbridge(""), "unknown record shape"),
        (eventbridge("\ud83d.jpg"), "unknown record shape"),
        ({"detail-type": "Object Created"}, "unknown record shape"),
    ],
)
def test_what_is_no_upload_is_ignored_with_a_reason(message, reason):
    assert [Ignored(reason)] == read_event(message)


@pytest.mark.line("001-22")
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": SOURCE}, "s3:TestEvent"),
        ("", "the message is not JSON"),
        ("{", "the message is not JSON"),
        ("[" * 100_000, "the message is not JSON"),
        ("null", "unknown event shape"),
        ("[]", "unknown event shape"),
        ("7", "unknown event shape"),
        ("NaN", "unknown event shape"),
        ("{}", "unknown event shape"),
        (event("text"), "unknown record shape"),
        (batch(event(record())), "not an S3 event"),
        (eventbridge(source="aws.ec2"), "not an S3 event"),
    ],
)
def test_a_malformed_message_is_acknowledged_and_logged_and_stops_no_other(aws, body, reason, capsys):
    assert send(aws, batch(body, event(record()))) == {"batchItemFailures": []}

    first, second = log_lines(capsys)
    assert (first["event"], first["reason"], second["event"]) == ("ignored", reason, "processed")


def test_a_message_without_a_body_is_acknowledged():
    message = batch("x")
    del message["Records"][0]["body"]

    assert read_deliveries(message) == [Delivery([Ignored("the message is not JSON")], "m0")]


@pytest.mark.parametrize("message", [event(record()), event(), eventbridge(), {}, None, [], event("x"), {"Records": 7}])
def test_only_sqs_messages_are_a_queue_event(message):
    assert not is_queue_event(message)
    assert is_queue_event(batch(message))


members = ["Records", "eventSource", "s3", "object", "key", "detail", "detail-type", "source", "Event"]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(members), inner),
)


@given(anything)
def test_nothing_that_json_can_say_is_an_error(message):
    for delivery in [*read_deliveries(message), *read_deliveries(batch(json.dumps(message)))]:
        assert all(isinstance(upload, Ignored) for upload in delivery.uploads)
