"""Which calls of AWS the function makes in which mode: what its role has to allow, and all of it."""

import ast
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name
from botocore.stub import ANY, Stubber

from imgpipe_processor.aws import PUBLISH_CONFIG, PUBLISH_MS
from imgpipe_processor.events import read_event
from imgpipe_processor.reports import Reporter
from imgpipe_processor.settings import ReportSettings
from imgpipe_processor.storage import look_at_source
from tests.lambda_processor.deliveries import SOURCE, event, record
from tests.lambda_processor.fakes import (
    ACTIONS,
    METADATA_ONLY,
    SETTINGS,
    THUMBNAILS,
    TOPIC,
    actions_needed,
    exercised,
    making,
)

PROCESSOR = Path(__file__).parents[2] / "lambda" / "processor"
SEVERAL = making(THUMBNAILS, "thumbnails/", (128, 256))
FAILURES, ALWAYS = ReportSettings(TOPIC, "failures"), ReportSettings(TOPIC, "always")
TABLE = {"GetItem", "PutItem", "UpdateItem"}
ALWAYS_ALLOWED = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "s3:GetObject", "s3:GetObjectVersion"}


def client(service):
    return botocore.session.Session().create_client(
        service, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )


@pytest.mark.line("000-17", "001-29")
@pytest.mark.parametrize("user_id_from", [None, "first-folder", "metadata"])
@pytest.mark.parametrize(
    ("settings", "calls", "actions"),
    [
        (SETTINGS, {"GetObject", "PutObject"}, {"s3:PutObject"}),
        (SEVERAL, {"GetObject", "PutObject"}, {"s3:PutObject"}),
        (METADATA_ONLY, {"HeadObject", "GetObject"}, set()),
        (
            SETTINGS._replace(reports=FAILURES),
            {"GetObject", "PutObject", "Publish"},
            {"s3:PutObject", "sns:Publish"},
        ),
        (METADATA_ONLY._replace(reports=ALWAYS), {"HeadObject", "GetObject", "Publish"}, {"sns:Publish"}),
    ],
)
def test_every_mode_makes_just_these_calls(settings, calls, actions, user_id_from):
    settings = settings._replace(user_id_from=user_id_from)

    assert calls | TABLE == set(exercised(settings).calls)
    assert ALWAYS_ALLOWED | actions == actions_needed(settings)


@pytest.mark.line("000-17")
def test_the_source_names_no_other_operation():
    trees = [ast.parse(path.read_text()) for path in PROCESSOR.rglob("*.py")]
    attributes = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    session = botocore.session.Session()

    assert set(ACTIONS) == {
        operation
        for service in ("s3", "dynamodb", "sns", "sqs", "cloudwatch", "kms", "events")
        for operation in session.get_service_model(service).operation_names
        if xform_name(operation) in attributes
    }


@pytest.mark.line("001-20")
@pytest.mark.parametrize(
    ("version_id", "named"),
    [("v1", {"VersionId": "v1"}), (None, {"IfMatch": '"0123abcd"'}), ("null", {"IfMatch": ANY})],
)
def test_the_look_is_a_valid_call_for_the_content_of_the_event(version_id, named):
    s3 = client("s3")
    (upload,) = read_event(event(record(version_id=version_id)))
    with Stubber(s3) as stubbed:
        answer = {"ContentLength": 7, "Metadata": {"user-id": "alice"}}
        stubbed.add_response("head_object", answer, {"Bucket": SOURCE, "Key": "cat.jpg", **named})

        about = look_at_source(s3, upload)

    assert (about.size, about.content_type, about.metadata) == (7, "unknown", {"user-id": "alice"})


@pytest.mark.line("001-23")
def test_the_report_is_a_valid_call():
    sns = client("sns")
    with Stubber(sns) as stubbed:
        expected = {"TopicArn": TOPIC, "Subject": "Image Processing Report", "Message": ANY}
        stubbed.add_response("publish", {"MessageId": "m"}, expected)

        Reporter(sns, TOPIC, "always").report(1, [], SETTINGS, request_id="r-1")

        stubbed.assert_no_pending_responses()


def test_the_time_kept_for_a_report_is_what_it_can_take():
    attempts = PUBLISH_CONFIG.retries["total_max_attempts"]

    assert attempts * (PUBLISH_CONFIG.connect_timeout + PUBLISH_CONFIG.read_timeout) * 1000 + 1000 == PUBLISH_MS
