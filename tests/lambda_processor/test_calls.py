"""Which calls of AWS the function makes in which mode: what its role has to allow, and all of it.

HeadObject is allowed by s3:GetObject; naming a version makes both reads s3:GetObjectVersion ("Actions defined by
Amazon S3", Service Authorization Reference, read 2026-11).
"""

from dataclasses import replace

import botocore.session
import pytest
from botocore.stub import ANY, Stubber

from imgpipe_processor.aws import PUBLISH_CONFIG, PUBLISH_MS
from imgpipe_processor.events import read_event
from imgpipe_processor.reports import Reporter
from imgpipe_processor.settings import ThumbnailSettings
from imgpipe_processor.storage import look_at_source
from tests.lambda_processor.fakes import (
    METADATA_ONLY,
    SETTINGS,
    SOURCE,
    THUMBNAILS,
    TOPIC,
    Aws,
    encoded,
    event,
    photo,
    record,
    send,
)

SEVERAL = replace(SETTINGS, thumbnails=ThumbnailSettings(THUMBNAILS, "thumbnails/", (128, 256)))
TABLE = {"GetItem", "PutItem", "UpdateItem"}


def client(service):
    return botocore.session.Session().create_client(
        service, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )


@pytest.mark.parametrize("user_id_from", [None, "first-folder", "metadata"])
@pytest.mark.parametrize(
    ("settings", "reports", "calls"),
    [
        (SETTINGS, None, {"GetObject", "PutObject"}),
        (SEVERAL, None, {"GetObject", "PutObject"}),
        (METADATA_ONLY, None, {"HeadObject", "GetObject"}),
        (SETTINGS, "failures", {"GetObject", "PutObject", "Publish"}),
        (METADATA_ONLY, "always", {"HeadObject", "GetObject", "Publish"}),
    ],
)
def test_001_29_000_17_every_mode_makes_just_these_calls(settings, reports, calls, user_id_from):
    aws = Aws()
    aws.objects[SOURCE, "a/good.jpg", "v1"] = (encoded(photo()), "image/jpeg")
    aws.objects[SOURCE, "a/bad.jpg", "v1"] = (b"no image", "image/jpeg")

    send(
        aws,
        event(*(record(f"a/{name}.jpg") for name in ("good", "bad", "gone", "good"))),
        settings=replace(settings, user_id_from=user_id_from),
        reports=reports,
    )

    assert calls | TABLE == set(aws.calls)


@pytest.mark.parametrize(
    ("version_id", "named"),
    [("v1", {"VersionId": "v1"}), (None, {"IfMatch": '"0123abcd"'}), ("null", {"IfMatch": ANY})],
)
def test_001_20_the_look_is_a_valid_call_for_the_content_of_the_event(version_id, named):
    s3 = client("s3")
    (upload,) = read_event(event(record(version_id=version_id)))
    with Stubber(s3) as stubbed:
        answer = {"ContentLength": 7, "Metadata": {"user-id": "alice"}}
        stubbed.add_response("head_object", answer, {"Bucket": SOURCE, "Key": "cat.jpg", **named})

        about = look_at_source(s3, upload)

    assert (about.size, about.content_type, about.metadata) == (7, "unknown", {"user-id": "alice"})


def test_001_23_the_report_is_a_valid_call():
    sns = client("sns")
    with Stubber(sns) as stubbed:
        expected = {"TopicArn": TOPIC, "Subject": "Image Processing Report", "Message": ANY}
        stubbed.add_response("publish", {"MessageId": "m"}, expected)

        Reporter(sns, TOPIC, "always").report(1, [], SETTINGS, request_id="r-1")

        stubbed.assert_no_pending_responses()


def test_the_time_kept_for_a_report_is_what_it_can_take():
    attempts = PUBLISH_CONFIG.retries["total_max_attempts"]

    assert attempts * (PUBLISH_CONFIG.connect_timeout + PUBLISH_CONFIG.read_timeout) * 1000 + 1000 == PUBLISH_MS
