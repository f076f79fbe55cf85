"""Permanent faults end as `failed`, the others come back, and none of them tells what is nobody's business."""

import pytest
from botocore.exceptions import ReadTimeoutError

from imgpipe_processor.failures import RecordsToRetryError
from tests.lambda_processor.deliveries import SOURCE, event, queue, record
from tests.lambda_processor.fakes import (
    METADATA_ONLY,
    SETTINGS,
    Aws,
    Body,
    Crash,
    client_error,
    encoded,
    holding,
    log_lines,
    photo,
    raising,
    run,
    send,
)

CANARY = "48.8584N 2.2945E"
REFUSAL = (
    "User: arn:aws:sts::111122223333:assumed-role/processor/fn is not authorized to perform: kms:Decrypt"
    " on resource: arn:aws:kms:eu-west-1:444455556666:key/k"
)
REFUSED = "the object may not be read, or is gone"
ENDS = [
    (client_error("NoSuchKey", 404), "missing", "the object is gone: NoSuchKey"),
    (client_error("NoSuchVersion", 404), "missing", "the object is gone: NoSuchVersion"),
    (client_error("NoSuchBucket", 404), "missing", "the object is gone: NoSuchBucket"),
    (client_error("MethodNotAllowed", 405), "missing", "the object is gone: MethodNotAllowed"),
    (client_error("PreconditionFailed", 412), "missing", "the object is gone: PreconditionFailed"),
    (client_error("InvalidArgument", 400), "missing", "the object is gone: InvalidArgument"),
    (client_error("AccessDenied", 403), "forbidden", f"{REFUSED}: AccessDenied"),
    (client_error("AllAccessDisabled", 403), "forbidden", f"{REFUSED}: AllAccessDisabled"),
    (client_error("InvalidObjectState", 403), "forbidden", f"{REFUSED}: InvalidObjectState"),
    (client_error("InvalidRequest", 400), "forbidden", f"{REFUSED}: InvalidRequest"),
]
TOO_MUCH_MEMORY = "the image takes more memory than the function has"
BUGGY = SETTINGS._replace(recipe=None)


def said_by_aws(message, code="AccessDenied", status=403, operation="PutObject"):
    error = client_error(code, status, operation)
    error.response["Error"]["Message"] = message
    return type(error)(error.response, operation)


def end_of(aws):
    return tuple(aws.item[name]["S"] for name in ("Status", "ErrorCategory", "ErrorMessage"))


@pytest.mark.line("004-09")
@pytest.mark.parametrize("shape", [event, queue])
@pytest.mark.parametrize(("error", "category", "message"), ENDS, ids=[error.args[0][19:40] for error, *_ in ENDS])
def test_what_s3_will_not_give_ends_as_failed_and_is_not_raised(shape, error, category, message, aws, capsys):
    aws.before = raising(error, "GetObject")
    given = record() if shape is event else event(record())

    assert send(aws, shape(given)) == ({"failed": 1} if shape is event else {"batchItemFailures": []})

    assert end_of(aws) == ("failed", category, message)
    (line,) = log_lines(capsys)
    assert (line["level"], line["category"], line["message"], line["ProcessingErrors"]) == (
        "ERROR",
        category,
        message,
        1,
    )
    assert ("detail" in line) == (category == "forbidden")  # a policy may have to be put right


class TooMuch(Body):
    """A body that there is no memory for."""

    def read(self, _amount):
        raise MemoryError


@pytest.mark.parametrize("settings", [SETTINGS, METADATA_ONLY])
def test_what_takes_too_much_memory_is_too_large_and_not_tried_again(aws, settings):
    aws.body = TooMuch

    assert run(aws, record(), settings=settings) == {"failed": 1}

    assert end_of(aws) == ("failed", "too-large", TOO_MUCH_MEMORY)
    assert aws.bodies[-1].closed
    assert run(aws, record(), settings=settings) == {"duplicate": 1}


def test_a_defect_that_the_bytes_bring_about_is_recorded_as_internal_and_not_tried_again(aws, capsys):
    assert run(aws, record(), settings=BUGGY) == {"failed": 1}

    status, category, message = end_of(aws)
    assert (status, category) == ("failed", "internal")
    assert message.startswith("the image made the function fail: ")
    (line,) = log_lines(capsys)
    assert "imaging" in line["detail"]
    assert run(aws, record(), settings=BUGGY) == {"duplicate": 1}


def test_a_later_upload_of_what_a_defect_failed_is_begun_again():
    aws = Aws({(SOURCE, "cat.jpg", None): (encoded(photo()), None)})
    run(aws, record(version_id=None, sequencer="01"), settings=BUGGY)

    assert run(aws, record(version_id=None, sequencer="02")) == {"processed": 1}


@pytest.mark.parametrize(
    ("call", "error", "category"),
    [
        ("GetItem", client_error("AccessDeniedException", 400, "GetItem"), "internal"),
        ("PutItem", client_error("AccessDeniedException", 400, "PutItem"), "internal"),
        ("UpdateItem", client_error("AccessDeniedException", 400, "UpdateItem"), "internal"),
        ("UpdateItem", client_error("ResourceNotFoundException", 400, "UpdateItem"), "internal"),
        ("UpdateItem", client_error("ThrottlingException", 400, "UpdateItem"), "transient"),
        ("PutObject", client_error("AccessDenied", 403, "PutObject"), "internal"),
        ("PutObject", client_error("SlowDown", 503, "PutObject"), "transient"),
        ("GetObject", client_error("KMS.DisabledException", 400), "internal"),
        ("GetObject", ReadTimeoutError(endpoint_url=f"https://s3/{CANARY}"), "transient"),
    ],
)
def test_what_the_stack_or_the_time_is_to_blame_for_comes_back_and_ends_as_nothing(aws, call, error, category, capsys):
    aws.before = raising(Crash(), "GetObject")
    with pytest.raises(Crash):
        run(aws, record())
    aws.before = raising(error, call)  # of a second delivery, which makes all calls that there are

    with pytest.raises(RecordsToRetryError, match=category):
        run(aws, record())

    assert {item["Status"]["S"] for item in aws.items.values()} <= {"processing"}
    assert log_lines(capsys)[0]["category"] == category
    assert run(aws, record()) == {"processed": 1}


@pytest.mark.parametrize("call", ["GetObject", "PutObject", "UpdateItem"])
def test_aws_is_quoted_without_account_numbers_in_the_log_and_nowhere_else(aws, call, capsys):
    aws.before = raising(said_by_aws(REFUSAL, operation=call), call)
    told = ""
    try:
        send(aws, event(record()), reports="always")
    except RecordsToRetryError as error:
        told = str(error)

    (line,) = log_lines(capsys)
    detail = line.pop("detail")
    assert f"when calling the {call} operation: User: arn:aws:sts::************:assumed-role/processor/fn" in detail
    assert "kms:Decrypt on resource: arn:aws:kms:eu-west-1:************:key/k" in detail
    for text in (line, aws.items, aws.reports[0]["Message"], told):
        assert "arn:aws:kms" not in str(text)
        assert "111122223333" not in str(text).replace(SETTINGS.thumbnails.bucket, "")


@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"invalid literal for int() with base 10: {CANARY!r}"),
        KeyError(CANARY),
        ReadTimeoutError(endpoint_url=f"https://photos-in.s3/{CANARY}"),
    ],
)
def test_other_errors_are_told_by_type_and_place_only(aws, error, capsys):
    aws.before = raising(error, "GetObject")

    with pytest.raises(RecordsToRetryError) as raised:
        run(aws, record())

    (line,) = log_lines(capsys)
    assert "storage.py" in line["detail"]
    assert line["detail"].endswith(type(error).__name__)
    assert CANARY not in f"{line} {raised.value} {aws.items}"


def test_a_report_that_cannot_be_sent_is_told_without_account_numbers(aws, capsys):
    aws.before = raising(said_by_aws(REFUSAL, operation="Publish"), "Publish")

    send(aws, event(record()), reports="always")

    assert "sts::************:" in log_lines(capsys)[-1]["detail"]


@pytest.mark.parametrize("size", [None, 1])
def test_the_byte_limit_holds_while_reading_whatever_was_announced(size):
    aws = holding("cat.jpg", data=bytes(5_000_000))

    class Liar(Aws):
        def _found(self, request, refusal):
            data, about = super()._found(request, refusal)
            return data, about | {"ContentLength": 1}

    liar = Liar(aws.objects)

    assert run(liar, record(size=size)) == {"failed": 1}
    assert end_of(liar)[1] == "too-large"
    assert [body.taken for body in liar.bodies] == [SETTINGS.max_source_bytes + 1]
