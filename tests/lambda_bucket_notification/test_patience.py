"""What passes by itself is waited for, within the function's time; everything else is told at once."""

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from tests.lambda_bucket_notification.fakes import (
    BUCKET,
    FOREIGN,
    GET,
    PROCESSOR,
    PUT,
    QUEUE,
    Fault,
    log_lines,
    properties,
    unvalidated,
)

PHYSICAL_ID = f"{BUCKET}/S3BucketNotification"


def raising(error):
    def fault():
        raise error

    return fault


@pytest.mark.parametrize("method", [GET, PUT])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(409, "OperationAborted"),  # aws/aws-cdk issues 16811 and 27600
        Fault(409, "SomeOtherConflict"),
        Fault(503, "SlowDown"),
        Fault(500, "InternalError"),
        Fault(429, "TooManyRequests"),
        Fault(400, "RequestTimeout"),
        Fault(400, "ThrottlingException"),
        raising(ReadTimeoutError(endpoint_url="s3")),
        raising(ConnectTimeoutError(endpoint_url="s3")),
        raising(EndpointConnectionError(endpoint_url="s3")),
    ],
)
def test_what_passes_is_tried_again_with_growing_pauses(bench, method, fault):
    bench.s3.faults[method] = [fault] * 5

    assert bench.create()["Status"] == "SUCCESS"
    assert [pause for pause in bench.context.slept if pause] == [1, 2, 4, 8, 10]
    assert bench.s3.suffixes() == [".jpg", ".png"]


def test_s3_may_take_a_while_to_see_the_permission(bench):
    # aws/aws-cdk issues 18090 and 28915, zappa/Zappa pull request 1441
    bench.s3.faults[PUT] = [unvalidated(PROCESSOR)] * 3

    assert bench.create()["Status"] == "SUCCESS"


def test_a_destination_that_stays_dead_is_named_while_there_is_time_to_answer(bench):
    # matt-filion/serverless-external-s3-event issue 88: it need not be one of ours
    bench.s3.have(FOREIGN)
    bench.s3.dead.add(QUEUE)

    answer = bench.create()

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", PHYSICAL_ID)
    assert "Unable to validate the following destination configurations" in answer["Reason"]
    assert QUEUE in answer["Reason"]
    assert 60 < sum(bench.context.slept) < 95
    assert bench.s3.entries() == []


@pytest.mark.parametrize("young", [Fault(403, "AccessDenied"), Fault(404, "NoSuchBucket")])
def test_a_new_role_and_a_new_bucket_get_twenty_seconds(bench, young):
    # aws/aws-cdk issue 3318: the helper runs before its role's policy is known everywhere
    bench.s3.faults[GET] = [young] * 4
    assert bench.create()["Status"] == "SUCCESS"

    bench.s3.faults[GET] = [young] * 10
    answer = bench.create()
    assert answer["Status"] == "FAILED"
    assert young.code in answer["Reason"]
    assert sum(bench.context.slept) < 40


@pytest.mark.parametrize("method", [GET, PUT])
def test_what_does_not_pass_is_told_at_once(bench, method):
    bench.s3.faults[method] = [Fault(400, "InvalidArgument", "The ARN is not well formed")]

    answer = bench.create()

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(f"pipeline: S3BucketNotification: {BUCKET}: ")
    assert "BucketNotificationConfiguration: InvalidArgument: The ARN is not well formed" in answer["Reason"]
    assert [pause for pause in bench.context.slept if pause] == []


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_there_is_always_time_left_to_answer(bench, kind):
    bench.s3.faults[GET] = [Fault(503, "SlowDown")] * 100

    answer = bench.send(
        bench.event(kind, PhysicalResourceId=PHYSICAL_ID, OldResourceProperties=properties()),
    )

    assert answer["Status"] == "FAILED"
    assert "SlowDown" in answer["Reason"]
    assert "still so when the function's time was nearly over" in answer["Reason"]
    assert bench.context.get_remaining_time_in_millis() >= 25_000


def test_a_function_with_too_short_a_timeout_says_so(bench):
    bench.context.seconds = 20

    assert "expected more than 25 seconds left" in bench.create()["Reason"]
    assert bench.s3.calls == []


def test_a_read_that_is_behind_is_not_taken_for_a_loss(bench):
    # bucket configurations are eventually consistent
    bench.s3.after_write = lambda: setattr(bench.s3, "stale", 2)

    assert bench.create()["Status"] == "SUCCESS"
    assert bench.s3.writes() == 1
    assert [pause for pause in bench.context.slept if pause] == [1, 2]


def test_what_another_writer_has_undone_is_done_again_upon_theirs(bench):
    their_view = bench.s3.have(FOREIGN)
    theirs = [{"Id": "new", "QueueArn": QUEUE, "Events": ["s3:ObjectTagging:*"]}]

    def overwrite():
        bench.s3.client.put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={**their_view, "QueueConfigurations": theirs}
        )

    bench.s3.after_write = overwrite

    assert bench.create()["Status"] == "SUCCESS"
    assert bench.s3.suffixes() == [".jpg", ".png"]
    assert bench.s3.shown()["QueueConfigurations"] == theirs


def test_a_change_that_s3_never_shows_is_no_success(bench):
    def forget():
        bench.s3.buckets[BUCKET] = bench.s3.before[BUCKET]
        bench.s3.after_write = forget

    bench.s3.after_write = forget

    answer = bench.create()

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", PHYSICAL_ID)
    assert f"{BUCKET}: S3 does not show the change" in answer["Reason"]


def test_a_call_that_never_ends_is_answered_by_the_watch(bench, capsys):
    bench.s3.faults[PUT] = [lambda: (200 if bench.responses.arrived.wait(10) else 500, "")]

    answer = bench.send(bench.event("Create"), answer_begins_seconds=119.9)

    assert answer is bench.responses.only
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", PHYSICAL_ID)
    assert "pipeline: S3BucketNotification: the function's time is over" in answer["Reason"]
    (line,) = log_lines(capsys)
    assert line["status"] == "FAILED"
