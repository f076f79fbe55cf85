"""Links: signed with version 4, for one object, for its bucket's own host in its own Region, for a few minutes."""

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgpipe_retrieval_api.links import Links, attachment
from tests.lambda_retrieval_api.fakes import SECRET_KEY, SOURCE, THUMBNAILS, Dynamodb, api, image, image_id, one, s3

KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


def signature(url, method="GET"):
    """The signature that S3 computes ("Authenticating Requests: Using Query Parameters", read 2026-11)."""
    parts = urlsplit(url)
    parameters = [(name, value) for name, value in parse_qsl(parts.query) if name != "X-Amz-Signature"]
    given = dict(parameters)
    algorithm, moment, scope = given["X-Amz-Algorithm"], given["X-Amz-Date"], given["X-Amz-Credential"].split("/", 1)[1]
    query = "&".join(sorted(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters))
    request = "\n".join([method, parts.path, query, f"host:{parts.netloc}", "", "host", "UNSIGNED-PAYLOAD"])
    to_sign = "\n".join([algorithm, moment, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{SECRET_KEY}".encode()
    for part in [*scope.split("/"), to_sign]:
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


def query_of(url):
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


@pytest.fixture
def answered():
    dynamodb = Dynamodb()
    dynamodb.add(image(1))
    return one(api(dynamodb))[1]


@pytest.mark.line("002-19")
def test_every_thumbnail_has_a_link_to_its_object(answered):
    (thumbnail,) = answered["Thumbnails"]
    parts = urlsplit(thumbnail["Url"])

    assert (f"{THUMBNAILS}.s3.eu-west-1.amazonaws.com", f"/thumbnails/{image_id(1)}/128.jpg") == (
        parts.netloc,
        parts.path,
    )
    assert parts.scheme == "https"
    assert query_of(thumbnail["Url"])["response-content-type"] == "image/jpeg"


@pytest.mark.line("002-19")
def test_the_original_is_had_as_a_file_in_the_very_version_of_the_item(answered):
    parts, query = urlsplit(answered["Original"]["Url"]), query_of(answered["Original"]["Url"])

    assert (f"{SOURCE}.s3.eu-west-1.amazonaws.com", "/uploads/photo%201.jpg") == (parts.netloc, parts.path)
    assert query["versionId"] == "version-1"
    assert query["response-content-disposition"] == (
        "attachment; filename=\"photo 1.jpg\"; filename*=UTF-8''photo%201.jpg"
    )


@pytest.mark.line("002-19")
def test_a_link_is_signed_with_version_4_over_the_host_alone(answered):
    for link in (answered["Original"], *answered["Thumbnails"]):
        query = query_of(link["Url"])
        assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
        assert query["X-Amz-SignedHeaders"] == "host"
        assert query["X-Amz-Expires"] == "900"
        assert query["X-Amz-Credential"].endswith("/eu-west-1/s3/aws4_request")
        assert query["X-Amz-Signature"] == signature(link["Url"])


@pytest.mark.line("002-19")
def test_a_link_is_of_no_use_for_another_method_or_key(answered):
    url = answered["Original"]["Url"]
    signed = query_of(url)["X-Amz-Signature"]

    assert signed != signature(url, "PUT")
    assert signed != signature(url, "DELETE")
    assert signed != signature(url.replace("photo%201.jpg", "photo%202.jpg", 1))
    assert signed != signature(url.replace("version-1", "version-2"))
    assert signed != signature(url.replace("X-Amz-Expires=900", "X-Amz-Expires=9000"))
    assert signed != signature(url.replace("attachment", "inline"))


@pytest.mark.line("002-19")
@pytest.mark.parametrize("seconds", [1, 60, 900])
def test_a_link_says_when_it_ends(seconds):
    before = datetime.now(UTC).replace(microsecond=0)
    link = Links(s3(), seconds).to_thumbnail(THUMBNAILS, "a.jpg", "JPEG")

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", link["ExpiresAt"])
    left = datetime.fromisoformat(link["ExpiresAt"]) - before
    assert timedelta(seconds=seconds) <= left <= timedelta(seconds=seconds + 5)
    signed_at = datetime.strptime(query_of(link["Url"])["X-Amz-Date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
    assert timedelta(seconds=seconds) == datetime.fromisoformat(link["ExpiresAt"]) - signed_at


@pytest.mark.line("002-19")
@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", "photos-in.s3.us-east-1.amazonaws.com"),
        ("eu-central-1", "photos-in.s3.eu-central-1.amazonaws.com"),
        ("ap-southeast-7", "photos-in.s3.ap-southeast-7.amazonaws.com"),
        ("cn-north-1", "photos-in.s3.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "photos-in.s3.us-gov-west-1.amazonaws.com"),
    ],
)
def test_a_link_leads_to_the_regions_own_host(region, host):
    url = Links(s3(region), 900).to_thumbnail("photos-in", "a.jpg", "JPEG")["Url"]

    assert urlsplit(url).netloc == host


@pytest.mark.line("002-19")
def test_a_roles_session_is_part_of_the_link():
    url = Links(s3(token="session/token+="), 900).to_thumbnail(THUMBNAILS, "a.jpg", "JPEG")["Url"]

    assert query_of(url)["X-Amz-Security-Token"] == "session/token+="
    assert query_of(url)["X-Amz-Signature"] == signature(url)


def test_an_unknown_format_is_never_shown():
    links = Links(s3(), 900)

    assert "response-content-type" not in query_of(links.to_thumbnail(THUMBNAILS, "a", "SVG")["Url"])
    assert query_of(links.to_original(SOURCE, "a.html", None, "HTML")["Url"])["response-content-type"] == (
        "application/octet-stream"
    )
    assert "versionId" not in links.to_original(SOURCE, "a.jpg", None, "JPEG")["Url"]


@pytest.mark.line("002-19")
@settings(deadline=None, max_examples=60)
@given(key=KEYS)
def test_any_key_is_linked_to_exactly(key):
    url = Links(s3(), 900).to_original(SOURCE, key, "v", "JPEG")["Url"]

    assert urlsplit(url).path == "/" + quote(key, safe="/~")
    assert query_of(url)["X-Amz-Signature"] == signature(url)
    assert urlsplit(url).netloc == f"{SOURCE}.s3.eu-west-1.amazonaws.com"


@pytest.mark.line("002-19")
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("uploads/a b.jpg", "attachment; filename=\"a b.jpg\"; filename*=UTF-8''a%20b.jpg"),
        ("ä€.png", "attachment; filename=\"__.png\"; filename*=UTF-8''%C3%A4%E2%82%AC.png"),
        (
            'x"; filename=evil.exe',
            "attachment; filename=\"x_; filename=evil.exe\"; filename*=UTF-8''x_%3B%20filename%3Devil.exe",
        ),
        ("a\r\nSet-Cookie: b", "attachment; filename=\"a__Set-Cookie: b\"; filename*=UTF-8''a__Set-Cookie%3A%20b"),
        ("a\u202egpj.exe", "attachment; filename=\"a_gpj.exe\"; filename*=UTF-8''a_gpj.exe"),
        ("..\\..\\x", "attachment; filename=\".._.._x\"; filename*=UTF-8''.._.._x"),
        ("100%41.jpg", "attachment; filename=\"100_41.jpg\"; filename*=UTF-8''100%2541.jpg"),
        ("///", "attachment; filename=\"image\"; filename*=UTF-8''image"),
    ],
)
def test_a_files_name_comes_from_its_key_and_cannot_leave_the_header(key, value):
    assert value == attachment(key)


@pytest.mark.line("002-19")
@given(key=KEYS)
def test_any_files_name_is_one_parameter_in_ascii(key):
    value = attachment(key)
    message = EmailMessage()
    message["Content-Disposition"] = value

    assert value.isascii()
    assert value.isprintable()
    assert re.fullmatch(r'attachment; filename="[^"\\]*"; filename\*=UTF-8\'\'[A-Za-z0-9!#$&+.^_`|~%-]*', value)
    assert message.get_content_disposition() == "attachment"


def test_a_long_name_keeps_its_end():
    assert attachment("x" * 500 + ".jpg").count("x") == 2 * 96
