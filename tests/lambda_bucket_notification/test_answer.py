"""CloudFormation is answered: always, once, in its own form, and nobody else is."""

import json

import pytest

from imgpipe_bucket_notification.answer import make_body, read_url
from imgpipe_bucket_notification.errors import RequestError, ResponseError
from imgpipe_bucket_notification.invocation import Helper
from tests.lambda_bucket_notification.fakes import BUCKET, GET, SECRET, STACK, Fault, jpg, log_lines, properties

PHYSICAL_ID = f"{BUCKET}/S3BucketNotification"


@pytest.mark.line("001-17")
def test_success_in_cloudformations_form(bench):
    bench.create()

    assert bench.responses.only == {
        "Status": "SUCCESS",
        "PhysicalResourceId": PHYSICAL_ID,
        "StackId": STACK,
        "RequestId": "cfn-1",
        "LogicalResourceId": "S3BucketNotification",
    }


def test_the_request_is_one_that_the_signature_of_the_url_allows(bench):
    bench.create()

    (headers,) = bench.responses.headers
    assert (headers["content-type"], headers["content-length"]) == ("", str(len(bench.responses.bodies[0])))
    assert bench.responses.paths == [f"/answer%3A1?{SECRET}&Expires=1"]


@pytest.mark.line("001-17")
@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_failures_are_answered_with_their_reason_and_the_log_stream(bench, kind):
    bench.s3.faults[GET] = [Fault(400, "Broken")]

    answer = bench.send(bench.event(kind, PhysicalResourceId="p", OldResourceProperties=properties()))

    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == "p"
    assert "GetBucketNotificationConfiguration: Broken: words of S3" in answer["Reason"]
    assert answer["Reason"].endswith(" (log stream 2026/11/19/[$LATEST]0123)")


@pytest.mark.line("001-17")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"RequestType": "Frobnicate"}, "RequestType: 'Frobnicate' is unknown; expected Create, Update or Delete"),
        ({"RequestType": None}, "RequestType: is missing, empty or no text"),
        ({"RequestType": ["Create"]}, "RequestType: is missing, empty or no text"),
        ({"StackId": None}, "unknown stack: S3BucketNotification: StackId: is missing"),
        ({"StackId": "pipeline"}, "StackId: 'pipeline' is no stack"),
        ({"LogicalResourceId": None}, "pipeline: unknown resource: LogicalResourceId: is missing"),
        ({"ResourceProperties": None}, "ResourceProperties: is missing or no mapping"),
        ({"ResourceProperties": []}, "ResourceProperties: is missing or no mapping"),
        ({"RequestType": "Update", "PhysicalResourceId": "p"}, "OldResourceProperties: is missing or no mapping"),
        ({"RequestType": "Update"}, "PhysicalResourceId: is missing"),
        ({"RequestType": "Delete"}, "PhysicalResourceId: is missing"),
    ],
)
def test_malformed_requests_are_answered(bench, changes, reason):
    event = {name: value for name, value in (bench.event("Create") | changes).items() if value is not None}

    answer = bench.send(event)

    assert answer["Status"] == "FAILED"
    assert reason in answer["Reason"]
    assert answer["PhysicalResourceId"]
    assert bench.s3.calls == []


@pytest.mark.line("001-17")
def test_a_fault_of_the_helper_itself_is_answered(bench, capsys):
    def broken():
        raise ZeroDivisionError("secret words")

    bench.connect = broken

    answer = bench.create()

    assert answer["Status"] == "FAILED"
    assert "pipeline: S3BucketNotification: ZeroDivisionError" in answer["Reason"]
    assert "secret words" not in answer["Reason"]
    (line,) = log_lines(capsys)
    assert "in broken" in line["detail"]


@pytest.mark.parametrize("failures", [[500], [503, 503, 503], [403, 307]])
def test_an_answer_that_is_not_taken_is_sent_again(bench, failures):
    bench.responses.statuses.extend(failures)

    bench.create()

    assert bench.responses.only["Status"] == "SUCCESS"
    assert bench.context.slept[-len(failures) :] == [0.5, 1.0, 2.0][: len(failures)]


def test_an_answer_that_is_never_taken_makes_lambda_deliver_the_request_again(bench, capsys):
    bench.responses.statuses.extend([500] * 4)
    helper = Helper(
        connect=lambda: bench.s3.client, connect_locks=lambda: bench.s3.locks, sleep=bench.context.slept.append
    )

    with pytest.raises(ResponseError, match=r"^ResponseURL: took no answer: status 500; expected status 200$"):
        helper.handle(bench.event("Create"), bench.context)

    (line,) = log_lines(capsys)
    assert line["notes"] == ["ResponseURL: took no answer: status 500; expected status 200"]
    assert bench.create()["Status"] == "SUCCESS"
    assert bench.s3.writes() == 1


def test_nobody_listening_is_told_without_the_secret_url(bench, capsys):
    helper = Helper(
        connect=lambda: bench.s3.client, connect_locks=lambda: bench.s3.locks, sleep=bench.context.slept.append
    )

    with pytest.raises(ResponseError, match="took no answer: ConnectionRefusedError"):
        helper.handle(bench.event("Create", ResponseURL=f"http://127.0.0.1:9/?{SECRET}"), bench.context)

    assert SECRET not in capsys.readouterr().out


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        "",
        "http://cloudformation-response.example.com/x",
        "http://127.0.0.1.example.com/x",
        "http://localhost@example.com/x",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "https://",
        "https://[::1/x",
        "https://host:port/x",
    ],
)
def test_a_url_that_cannot_be_cloudformations_gets_nothing_and_changes_nothing(bench, url, capsys):
    helper = Helper(connect=lambda: bench.s3.client, connect_locks=lambda: bench.s3.locks)

    assert helper.handle(bench.event("Create", ResponseURL=url), bench.context) == {"Status": "FAILED"}

    assert bench.s3.calls == []
    (line,) = log_lines(capsys)
    assert line["reason"].startswith("ResponseURL: is missing or unusable")


@pytest.mark.parametrize("event", [None, [], "text", {}, 7])
def test_what_is_no_event_at_all_is_logged(bench, event, capsys):
    assert Helper(connect=lambda: bench.s3.client, connect_locks=lambda: bench.s3.locks).handle(
        event, bench.context
    ) == {"Status": "FAILED"}

    assert len(log_lines(capsys)) == 1


@pytest.mark.parametrize(
    "url",
    ["https://cloudformation-custom-resource-response-euwest1.s3-eu-west-1.amazonaws.com/x?y", "http://[::1]:1/x"],
)
def test_https_anywhere_and_http_on_this_machine_are_allowed(url):
    assert read_url({"ResponseURL": url}).geturl() == url


def test_the_url_is_not_repeated_when_it_is_refused():
    with pytest.raises(RequestError) as refused:
        read_url({"ResponseURL": f"http://example.com/?{SECRET}"})

    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("character", ["x", "ü", "😀", "\n"])
def test_an_answer_never_has_more_than_4096_bytes(bench, character):
    event = bench.event("Create")

    body = make_body(event, "FAILED", PHYSICAL_ID, character * 10_000, where="log stream here")

    assert 2500 < len(body) <= 4096
    assert json.loads(body)["Reason"].endswith(" (log stream here)")


def test_a_long_refusal_of_s3_is_cut(bench):
    bench.s3.faults[GET] = [Fault(400, "Broken", "ä" * 5000)]

    bench.create()

    assert len(bench.responses.bodies[0]) <= 4096


def test_the_log_has_one_line_for_each_request_and_no_secret(bench, capsys):
    answer = bench.create(properties(jpg()))

    out = capsys.readouterr().out
    assert SECRET not in out
    line = json.loads(out)
    assert line.pop("seconds") >= 0
    assert line == {
        "level": "INFO",
        "event": "Create",
        "request_id": "r-1",
        "stack_id": STACK,
        "logical_resource_id": "S3BucketNotification",
        "physical_resource_id": answer["PhysicalResourceId"],
        "bucket": BUCKET,
        "status": "SUCCESS",
    }
    bench.delete(answer["PhysicalResourceId"])
    bench.create({})
    assert [line["status"] for line in log_lines(capsys)] == ["SUCCESS", "FAILED"]


def test_a_log_that_cannot_be_written_fails_no_request(bench, monkeypatch):
    class Broken:
        def write(self, _text):
            raise OSError("no space left")

    monkeypatch.setattr("sys.stdout", Broken())

    assert bench.create()["Status"] == "SUCCESS"
