"""Keys as they really are, never decoded twice, folded, or turned into a path; and events of other buckets."""

import io
import json
import re
import unicodedata
from contextlib import redirect_stdout

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgpipe_processor.events import Ignored, read_event
from imgpipe_processor.imaging import Thumbnail
from imgpipe_processor.processing import thumbnail_key
from tests.lambda_processor.deliveries import SOURCE, event, eventbridge, queue, record
from tests.lambda_processor.fakes import Aws, encoded, holding, log_lines, photo, send

SMALL = encoded(photo(8, 4))
MAX_KEY_BYTES = 1024
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
SHAPES = {"s3": lambda key, **more: event(record(key, **more)), "eventbridge": eventbridge}
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)

PATHS = ["..", ".", "/", "//", "\\", "C:", "uploads"]
ENCODED = ["+", "%", "%2B", "%2f", "%00", " ", "&", "=", "?", "#"]
CONTROLS = ["\0", "\n", "\r", "\x1b[31m", "\x7f", "\u2028", "\u202e", "\ufeff", '"', "{"]
FORMS = ["é", "e\u0301", "ﬁ", "Å", "\u212b", "日本", "😀"]
pieces = st.sampled_from([*PATHS, *ENCODED, *CONTROLS, *FORMS])
characters = st.characters(exclude_categories=["Cs"])


def cut(text):
    """As much of it as a key may have."""
    return text.encode()[:MAX_KEY_BYTES].decode(errors="ignore")


keys = (
    st.lists(pieces | characters, min_size=1, max_size=40).map("".join)
    | st.text(characters, min_size=300).map(cut)
    | st.tuples(pieces, st.just(MAX_KEY_BYTES)).map(lambda drawn: cut(drawn[0] * drawn[1]))
)


@pytest.mark.line("003-18", "003-19")
@settings(max_examples=300, deadline=None)
@given(keys, st.sampled_from(sorted(SHAPES)))
def test_any_key_is_read_as_it_is_and_none_of_it_is_in_the_outputs_key(key, shape):
    aws, out = holding(key, data=SMALL), io.StringIO()

    with redirect_stdout(out):
        assert send(aws, SHAPES[shape](key)) == {"processed": 1}

    assert [request["Key"] for request in aws.reads] == [key]
    assert aws.item["ObjectKey"] == {"S": key}
    (place,) = aws.thumbnails
    assert re.fullmatch(rf"thumbnails/{UUID}/128\.(jpg|png|webp|avif)", place[1])
    (line,) = out.getvalue().splitlines()  # of all the line ends that there are
    assert line.isascii()
    assert json.loads(line)["key"] == key


@pytest.mark.line("003-19")
@given(keys, keys)
def test_different_keys_are_different_images(one, other):
    ids = {read_event(SHAPES[shape](key))[0].image_id for key in (one, other) for shape in SHAPES}

    assert len(ids) == len({one, other})


@pytest.mark.line("003-19")
@every_shape
@pytest.mark.parametrize("text", ["é", "Å", "ガ", "각", "ﬁ"])
def test_keys_that_look_the_same_stay_different_keys(shape, text):
    forms = {unicodedata.normalize(form, f"{text}.jpg") for form in ("NFC", "NFD", "NFKC", "NFKD")}
    aws = holding(*forms, data=SMALL)

    for key in forms:
        send(aws, shape(key))

    assert len(forms) > 1
    assert forms == {request["Key"] for request in aws.reads} == {item["ObjectKey"]["S"] for item in aws.items.values()}


@every_shape
@pytest.mark.parametrize("character", ["k", "é", "日", "😀"])
def test_a_key_has_at_most_1024_bytes(shape, character):
    longest = cut(character * 1024)

    assert read_event(shape(longest))[0].key == longest
    assert read_event(shape(longest + character)) == [Ignored("unknown record shape")]


@pytest.mark.line("000-27")
@given(keys, st.sampled_from(["", "small/", "a/b/"]), st.sampled_from(["JPEG", "PNG", "WEBP", "AVIF"]), st.integers(1))
def test_outputs_lie_in_a_folder_of_the_images_id(key, prefix, image_format, size_px):
    (upload,) = read_event(event(record(key)))

    made = thumbnail_key(prefix, upload.image_id, size_px, Thumbnail(b"", image_format, 1, 1))

    assert re.fullmatch(rf"{prefix}{UUID}/{size_px}\.(jpg|png|webp|avif)", made)


def foreign(shape, bucket):
    """An event like ours, about an object of the same name in another bucket."""
    message = SHAPES[shape]("cat.jpg")
    described = message["Records"][0]["s3"] if shape == "s3" else message["detail"]
    described["bucket"]["name"] = bucket
    return message


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bucket", ["elsewhere", f"{SOURCE}2", SOURCE.upper(), SOURCE[:-1], f"{SOURCE} ", "../x"])
def test_an_event_of_another_bucket_is_refused_and_logged_and_nothing_is_read(shape, bucket, capsys):
    aws = Aws({(bucket, "cat.jpg", "v1"): (SMALL, "image/jpeg")})

    assert send(aws, foreign(shape, bucket)) == {"ignored": 1}

    assert aws.calls == []
    (line,) = log_lines(capsys)
    assert ("WARNING", "ignored", "of another bucket", bucket) == tuple(
        line[name] for name in ("level", "event", "reason", "bucket")
    )
    assert "_aws" not in line


@pytest.mark.parametrize("shape", SHAPES)
def test_an_event_of_another_bucket_is_acknowledged_and_holds_up_none_of_ours(shape, aws):
    message = queue(foreign(shape, "elsewhere"), SHAPES[shape]("cat.jpg"))

    assert send(aws, message) == {"batchItemFailures": []}
    assert aws.item["Status"] == {"S": "processed"}


@every_shape
@pytest.mark.parametrize(
    ("trigger", "answer"),
    [(lambda message: message, {"ignored": 1}), (queue, {"batchItemFailures": []})],
    ids=["direct", "queue"],
)
@pytest.mark.parametrize("key", ["photos/holiday/", "photos//", "/", "photos_$folder$", "photos/holiday_$folder$"])
def test_folder_object_is_ignored_without_item_metric_or_report(shape, trigger, answer, key, capsys):
    aws = holding(key, data=b"")

    assert send(aws, trigger(shape(key, size=0)), reports="always") == answer

    assert (aws.calls, aws.items, aws.reports) == ([], {}, [])
    assert log_lines(capsys) == [
        {
            "level": "WARNING",
            "event": "ignored",
            "request_id": "r-1",
            "reason": "a zero-byte folder object",
            "bucket": "photos-in",
            "key": key,
        }
    ]


@every_shape
@pytest.mark.parametrize("size", [None, 1, len(SMALL)])
@pytest.mark.parametrize("key", ["photos/holiday/", "photos_$folder$"])
def test_object_with_the_key_of_a_folder_is_an_upload_unless_its_size_is_0(shape, key, size):
    aws = holding(key, data=SMALL)

    assert send(aws, shape(key, size=size)) == {"processed": 1}


@every_shape
@pytest.mark.parametrize("key", ["cat.jpg", "photos/holiday", "photos/_$folder$/cat", "photos_$FOLDER$", "photos\\"])
def test_zero_byte_object_with_the_key_of_a_file_is_a_failed_upload(shape, key, capsys):
    aws = holding(key, data=b"")

    assert send(aws, shape(key, size=0), reports="failures") == {"failed": 1}

    assert (aws.item["Status"], aws.item["ErrorCategory"]) == ({"S": "failed"}, {"S": "unsupported"})
    assert [line["ProcessingErrors"] for line in log_lines(capsys)] == [1]
    assert len(aws.reports) == 1
