"""What the function's variables turn on: metadata alone, more sizes, prefixes, whose image it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgpipe_processor.events import read_event
from imgpipe_processor.imaging import Thumbnail
from imgpipe_processor.keys import reason_to_ignore
from imgpipe_processor.processing import thumbnail_key
from imgpipe_processor.users import user_of_key, user_of_metadata
from tests.lambda_processor.deliveries import SOURCE, event, eventbridge, queue, record
from tests.lambda_processor.fakes import (
    CAT_ID,
    METADATA_ONLY,
    SETTINGS,
    THUMBNAILS,
    Aws,
    client_error,
    decoded,
    encoded,
    holding,
    log_lines,
    making,
    photo,
    raising,
    run,
    send,
)

SEVERAL = making(THUMBNAILS, "small/", (64, 128, 256, 512))
BY_FOLDER = SETTINGS._replace(upload_prefix="uploads/", user_id_from="first-folder")
BY_METADATA = SETTINGS._replace(user_id_from="metadata")


def plain(item):
    return {name: next(iter(value.values())) for name, value in item.items()}


@pytest.mark.line("001-20", "001-21")
def test_the_item_of_an_image_of_which_only_metadata_is_kept_is_exactly_this(aws):
    size = len(aws.objects[SOURCE, "cat.jpg", "v1"][0])

    assert run(aws, record(), settings=METADATA_ONLY) == {"processed": 1}

    assert {
        "ImageId": CAT_ID,
        "Status": "processed",
        "StatusShard": "processed#3",
        "BucketName": SOURCE,
        "ObjectKey": "cat.jpg",
        "VersionId": "v1",
        "ETag": "0123abcd",
        "Sequencer": "0055AED6DCD90281E5",
        "FileSize": str(size),
        "ContentType": "image/jpeg",
        "Format": "JPEG",
        "Width": "400",
        "Height": "200",
        "UploadTimestamp": "2026-11-19T23:59:58.007Z",
        "UploadDate": "2026-11-19",
        "UploadShard": "2026-11-19#3",
        "ProcessedAt": "2026-11-20T08:30:00.500Z",
        "AttemptId": "attempt-0",
        "Placeholder": aws.item["Placeholder"]["S"],
        "DominantColor": aws.item["DominantColor"]["S"],
    } == plain(aws.item)
    assert aws.uploads == []


@pytest.mark.line("001-20")
def test_the_very_version_is_looked_at_before_it_is_read(aws):
    run(aws, record(), settings=METADATA_ONLY)

    assert aws.calls == ["PutItem", "HeadObject", "GetObject", "UpdateItem"]
    assert aws.looks == [{"Bucket": SOURCE, "Key": "cat.jpg", "VersionId": "v1"}] == aws.reads


@pytest.mark.line("001-20")
def test_a_content_type_that_nobody_stored_is_unknown(aws):
    aws.objects[SOURCE, "cat.jpg", "v1"] = (encoded(photo()), None)

    run(aws, record(), settings=METADATA_ONLY)

    assert aws.item["ContentType"] == {"S": "unknown"}


@pytest.mark.line("001-20")
def test_what_is_too_large_is_recorded_with_type_and_size_and_never_read(aws):
    size = len(aws.objects[SOURCE, "cat.jpg", "v1"][0])

    assert run(aws, record(size=None), settings=METADATA_ONLY._replace(max_source_bytes=9)) == {"failed": 1}

    assert ("too-large", "image/jpeg", str(size)) == tuple(
        plain(aws.item)[name] for name in ("ErrorCategory", "ContentType", "FileSize")
    )
    assert aws.reads == []


@pytest.mark.line("001-20")
def test_the_read_tells_why_an_object_cannot_be_looked_at():
    aws = Aws()

    assert run(aws, record(), settings=METADATA_ONLY) == {"failed": 1}

    assert (plain(aws.item)["ErrorCategory"], plain(aws.item)["ContentType"]) == ("forbidden", "unknown")


def test_a_look_that_fails_for_a_time_is_left_to_a_retry(aws):
    aws.before = raising(client_error("503", 503, "HeadObject"), "HeadObject")

    assert send(aws, queue(event(record())), settings=METADATA_ONLY) == {
        "batchItemFailures": [{"itemIdentifier": "m0"}]
    }
    assert send(aws, queue(event(record())), settings=METADATA_ONLY) == {"batchItemFailures": []}


@pytest.mark.parametrize("data", [b"no image", encoded(photo())[:900], encoded(photo(), "PNG")[:300]])
def test_an_image_is_the_same_image_whether_a_thumbnail_is_made_of_it_or_not(data):
    with_thumbnail, without = holding("cat.jpg", data=data), holding("cat.jpg", data=data)

    assert run(with_thumbnail, record()) == run(without, record(), settings=METADATA_ONLY) == {"failed": 1}

    assert with_thumbnail.item == without.item


def test_metadata_alone_counts_no_thumbnail_bytes(aws, capsys):
    run(aws, record(), settings=METADATA_ONLY)

    (line,) = log_lines(capsys)
    assert line["ProcessedImages"] == 1
    assert "ThumbnailBytes" not in line


def test_every_size_is_made_recorded_and_stored_in_ascending_order(aws, capsys):
    run(aws, record(), settings=SEVERAL)

    expected = [(64, 32), (128, 64), (256, 128), (400, 200)]  # never larger than the image
    keys = [f"small/{CAT_ID}/{size_px}.jpg" for size_px in (64, 128, 256, 512)]
    recorded = [plain(each["M"]) for each in aws.item["Thumbnails"]["L"]]
    assert keys == [each["Key"] for each in recorded] == [upload["Key"] for upload in aws.uploads]
    assert expected == [(int(each["Width"]), int(each["Height"])) for each in recorded]
    assert expected == [decoded(upload["Body"]).size for upload in aws.uploads]
    assert [str(len(upload["Body"])) for upload in aws.uploads] == [each["Bytes"] for each in recorded]
    assert {THUMBNAILS} == {each["Bucket"] for each in recorded} == {upload["Bucket"] for upload in aws.uploads}
    assert sum(len(upload["Body"]) for upload in aws.uploads) == log_lines(capsys)[0]["ThumbnailBytes"]


def test_every_size_comes_of_one_read(aws):
    run(aws, record(), settings=SEVERAL)

    assert aws.calls == ["PutItem", "GetObject", *["PutObject"] * 4, "UpdateItem"]


@pytest.mark.parametrize("number", range(4))
def test_a_crash_between_the_sizes_is_made_good(aws, number):
    def told(call):
        if call == "PutObject" and len(aws.uploads) == number:
            aws.before = lambda _call: None
            raise client_error("SlowDown", 503)

    aws.before = told
    message = queue(event(record()))

    assert send(aws, message, settings=SEVERAL) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert "Thumbnails" not in aws.item
    assert send(aws, message, settings=SEVERAL) == {"batchItemFailures": []}
    assert {each["M"]["Key"]["S"] for each in aws.item["Thumbnails"]["L"]} == {each["Key"] for each in aws.uploads}


@pytest.mark.line("000-05")
@pytest.mark.parametrize(
    "key", ["uploadsX/cat.jpg", "Uploads/cat.jpg", "uploads", "/uploads/cat.jpg", "x/uploads/a.jpg"]
)
@pytest.mark.parametrize("shape", [lambda key: event(record(key)), eventbridge])
def test_what_is_not_below_the_upload_prefix_is_ignored_and_logged(key, shape, capsys):
    aws = holding(key)

    assert send(aws, shape(key), settings=BY_FOLDER) == {"ignored": 1}

    assert aws.calls == []
    (line,) = log_lines(capsys)
    assert ("WARNING", "ignored", "not below the upload prefix", SOURCE, key) == tuple(
        line[name] for name in ("level", "event", "reason", "bucket", "key")
    )


@pytest.mark.line("000-05")
@pytest.mark.parametrize("key", ["uploads/cat.jpg", "uploads/../cat.jpg", "uploads//cat.jpg", "uploads/uploads/a.jpg"])
def test_what_is_below_the_upload_prefix_is_processed(key):
    assert run(holding(key), record(key), settings=BY_FOLDER) == {"processed": 1}


@pytest.mark.line("000-27")
def test_an_output_is_never_an_upload(aws, capsys):
    own = making(SOURCE, "thumbnails/", (128,))
    run(aws, record(), settings=own)
    (upload,) = aws.uploads
    capsys.readouterr()

    assert run(aws, record(upload["Key"]), settings=own) == {"ignored": 1}
    assert log_lines(capsys)[0]["reason"] == "an output of the function"


def test_a_folder_of_that_name_in_another_bucket_is_an_upload():
    assert run(holding("thumbnails/cat.jpg"), record("thumbnails/cat.jpg")) == {"processed": 1}


folder = st.text("ab/", max_size=6).map(lambda text: f"{text}/")


@pytest.mark.line("000-27")
@given(folder | st.just(""), folder, st.integers(1, 5000), st.sampled_from(["JPEG", "PNG"]), st.text("ab/", min_size=1))
def test_no_prefixes_whatever_let_the_function_feed_itself(upload_prefix, output_prefix, size_px, kind, key):
    settings = making(SOURCE, output_prefix, (size_px,), SETTINGS._replace(upload_prefix=upload_prefix))
    (upload,) = read_event(event(record(key)))
    written = thumbnail_key(output_prefix, upload.image_id, size_px, Thumbnail(b"", kind, 1, 1))

    assert reason_to_ignore(upload._replace(key=written), settings) is not None


@pytest.mark.line("002-23")
@pytest.mark.parametrize(
    ("key", "user_id"),
    [
        ("uploads/alice/cat.jpg", "alice"),
        ("uploads/alice/2026/cat.jpg", "alice"),
        ("uploads/jürgen müller/cat.jpg", "jürgen müller"),
        ("uploads/a/cat.jpg", "a"),
        ("uploads/cat.jpg", None),
        ("uploads//cat.jpg", None),
        ("uploads/ /cat.jpg", None),
        ("uploads/" + "a" * 256 + "/cat.jpg", "a" * 256),
        ("uploads/" + "a" * 257 + "/cat.jpg", None),
        ("uploads/al\nice/cat.jpg", None),
        ("uploads/al\u202eice/cat.jpg", None),
        ("uploads/al\0ice/cat.jpg", None),
    ],
)
def test_the_user_is_the_first_folder(key, user_id):
    aws = holding(key)

    assert run(aws, record(key), settings=BY_FOLDER) == {"processed": 1}

    assert user_id == aws.item.get("UserId", {}).get("S")


@pytest.mark.line("002-23")
def test_an_image_belongs_to_its_user_from_the_start_and_when_it_fails():
    aws = holding("uploads/alice/cat.jpg", data=b"no image")
    seen = []
    aws.after = lambda call: seen.append((call, aws.items and aws.item["UserId"]["S"]))

    assert run(aws, record("uploads/alice/cat.jpg"), settings=BY_FOLDER) == {"failed": 1}

    assert seen == [("PutItem", "alice"), ("GetObject", "alice"), ("UpdateItem", "alice")]


@pytest.mark.line("002-23")
@pytest.mark.parametrize("settings", [BY_METADATA, METADATA_ONLY._replace(user_id_from="metadata")])
@pytest.mark.parametrize("data", [encoded(photo()), b"no image"])
@pytest.mark.parametrize(
    ("metadata", "user_id"),
    [
        ({"user-id": "alice@example.com", "caption": "x"}, "alice@example.com"),
        ({"user-id": ""}, None),
        ({"user-id": "a" * 257}, None),
        ({"caption": "x"}, None),
        ({}, None),
    ],
)
def test_the_user_is_what_the_uploader_stored(settings, data, metadata, user_id):
    aws = holding("alice/cat.jpg", data=data)
    aws.metadata = metadata

    run(aws, record("alice/cat.jpg"), settings=settings)

    assert user_id == aws.item.get("UserId", {}).get("S")


@pytest.mark.parametrize("settings", [BY_METADATA, METADATA_ONLY._replace(user_id_from="metadata")])
def test_the_user_of_what_is_too_large_to_be_read_is_known_as_well(aws, settings):
    aws.metadata = {"user-id": "alice"}

    run(aws, record(size=None), settings=settings._replace(max_source_bytes=9))

    assert (aws.item["ErrorCategory"], aws.item["UserId"]) == ({"S": "too-large"}, {"S": "alice"})


def test_nobodys_images_have_no_user(aws):
    aws.metadata = {"user-id": "alice"}
    aws.objects[SOURCE, "alice/cat.jpg", "v1"] = aws.objects[SOURCE, "cat.jpg", "v1"]

    run(aws, record("alice/cat.jpg"))

    assert "UserId" not in aws.item


@pytest.mark.line("002-23")
@given(st.text(max_size=600))
def test_a_user_id_is_taken_as_it_is_or_not_at_all(text):
    for user_id in (user_of_key(f"{text.replace('/', '')}/x.jpg", ""), user_of_metadata({"user-id": text})):
        assert user_id is None or (user_id in text.replace("/", "") + text and len(user_id.encode()) <= 2048)
