"""The bounded read of the source and the upload of the thumbnail."""

import botocore.session
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber

from imgpipe_processor.aws import CLIENT_CONFIG, is_transient
from imgpipe_processor.events import read_event
from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.storage import About, open_source, write_thumbnail
from tests.lambda_processor.deliveries import SOURCE, event, record
from tests.lambda_processor.fakes import Body, client_error


class S3:
    """Answers one GetObject."""

    def __init__(self, body=None, *, length=None, error=None, content_type=None):
        self.answer = {"Body": body, **({"ContentLength": length} if length is not None else {})}
        if content_type:
            self.answer["ContentType"] = content_type
        self.error = error
        self.request = None

    def get_object(self, **request):
        self.request = request
        if self.error:
            raise self.error
        return self.answer


def read(s3, *, max_bytes=100, **described):
    (upload,) = read_event(event(record(**described)))
    return open_source(s3, upload).read(max_bytes=max_bytes)


def test_the_very_version_of_the_event_is_read():
    s3 = S3(Body(b"pixels"), length=6, content_type="image/png")

    assert read(s3, version_id="v7") == b"pixels"
    assert s3.request == {"Bucket": SOURCE, "Key": "cat.jpg", "VersionId": "v7"}


def test_without_versions_only_the_content_of_the_event_is_read():
    s3 = S3(Body(b"pixels"), length=6)

    read(s3, version_id=None)

    assert s3.request == {"Bucket": SOURCE, "Key": "cat.jpg", "IfMatch": '"0123abcd"'}


def test_a_content_type_that_s3_does_not_know_is_unknown():
    (upload,) = read_event(event(record()))

    assert open_source(S3(Body(b"pixels"), length=6), upload).about == About(6, "unknown")


def test_a_body_in_pieces_is_put_together():
    class Trickle(Body):
        def read(self, amount):
            return super().read(min(amount, 7))

    assert read(S3(Trickle(b"0123456789" * 10), length=100)) == b"0123456789" * 10


def test_a_body_is_read_to_its_end_so_that_its_checksum_is_compared():
    class Checked(Body):
        ended = False

        def read(self, amount):
            chunk = super().read(amount)
            self.ended = self.ended or not chunk
            return chunk

    body = Checked(b"x" * 100)

    read(S3(body, length=100))

    assert body.ended
    assert body.closed


@pytest.mark.line("004-18")
def test_an_announced_length_over_the_limit_is_refused_unread():
    body = Body(bytes(101))

    with pytest.raises(ImageRejectedError, match=r"^too-large: the object has more than 100 bytes$"):
        read(S3(body, length=101))
    assert (body.taken, body.closed) == (0, True)


@pytest.mark.parametrize("announced", [None, 100])
def test_a_body_that_is_longer_than_announced_is_read_to_one_byte_over_the_limit(announced):
    body = Body(bytes(5000))

    with pytest.raises(ImageRejectedError, match=r"^too-large"):
        read(S3(body, length=announced))
    assert (body.taken, body.closed) == (101, True)


@pytest.mark.parametrize(
    ("error", "category"),
    [
        (client_error("NoSuchKey", 404), "missing"),
        (client_error("NoSuchVersion", 404), "missing"),
        (client_error("MethodNotAllowed", 405), "missing"),
        (client_error("PreconditionFailed", 412), "missing"),
        (client_error("InvalidArgument", 400), "missing"),
        (client_error("AccessDenied", 403), "forbidden"),
        (client_error("InvalidObjectState", 403), "forbidden"),
        (client_error("InvalidRequest", 400), "forbidden"),
    ],
)
def test_what_will_never_be_readable_is_rejected(error, category):
    with pytest.raises(ImageRejectedError) as caught:
        read(S3(error=error))

    assert category == caught.value.category
    assert error.response["Error"]["Code"] in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (client_error("SlowDown", 503), True),
        (client_error("InternalError", 500), True),
        (client_error("TooManyRequestsException", 429), True),
        (client_error("RequestTimeout", 400), True),
        (client_error("RequestTimeTooSkewed", 403), True),
        (client_error("ProvisionedThroughputExceededException", 400), True),
        (client_error("ThrottlingException", 400), True),
        (ReadTimeoutError(endpoint_url="https://example.com"), True),
        (client_error("InvalidToken", 400), False),
        (client_error("SignatureDoesNotMatch", 403), False),
        (ValueError(), False),
    ],
)
def test_other_errors_are_left_to_a_retry(error, transient):
    with pytest.raises(type(error)):
        read(S3(error=error))

    assert transient == is_transient(error)


@pytest.mark.line("003-21")
def test_the_thumbnail_is_uploaded_with_type_and_cache_rules_and_without_an_acl():
    s3 = botocore.session.Session().create_client(
        "s3", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    with Stubber(s3) as stubbed:
        stubbed.add_response(
            "put_object",
            {},
            {
                "Bucket": "thumbs",
                "Key": "thumbnails/id/128.jpg",
                "Body": b"pixels",
                "ContentType": "image/jpeg",
                "CacheControl": "private, max-age=31536000, immutable",
            },
        )
        write_thumbnail(s3, bucket="thumbs", key="thumbnails/id/128.jpg", data=b"pixels", content_type="image/jpeg")
        stubbed.assert_no_pending_responses()


@pytest.mark.line("004-07")
def test_a_lost_connection_is_tried_again_within_the_timeout_of_the_function():
    attempts = CLIENT_CONFIG.retries["total_max_attempts"]

    assert attempts > 1
    assert attempts * (CLIENT_CONFIG.connect_timeout + CLIENT_CONFIG.read_timeout) < 60
