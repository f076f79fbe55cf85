"""Whatever comes in: an answer, never an exception; one line in the log, without what must not be there."""

import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lambda_retrieval_api.fakes import (
    SETTINGS,
    Dynamodb,
    api,
    ask,
    client_error,
    event,
    image,
    image_id,
    one,
)

OWN = dataclasses.replace(SETTINGS, own_images_only=True)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
ANY_TEXT = st.text(st.characters(), max_size=30)  # surrogates too, as JSON may hold them
REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "version": ANYTHING,
        "routeKey": st.sampled_from(["GET /images", "GET /images/{id}", "ANY /images", "$default"]) | ANYTHING,
        "rawPath": st.sampled_from(["/images", f"/images/{image_id(1)}", "/"]) | ANYTHING,
        "pathParameters": st.fixed_dictionaries({"id": st.just(image_id(1)) | ANY_TEXT | ANYTHING}) | ANYTHING,
        "queryStringParameters": st.dictionaries(
            st.sampled_from(["user", "status", "limit", "next", "x"]),
            st.sampled_from(["anna", "failed", "5"]) | ANY_TEXT,
            max_size=3,
        )
        | ANYTHING,
        "requestContext": st.fixed_dictionaries(
            {},
            optional={
                "http": st.fixed_dictionaries({"method": st.sampled_from(["GET", "POST"]) | ANYTHING}) | ANYTHING,
                "stage": st.just("$default") | ANYTHING,
                "authorizer": st.fixed_dictionaries(
                    {"jwt": st.fixed_dictionaries({"claims": st.fixed_dictionaries({"sub": ANY_TEXT}) | ANYTHING})}
                )
                | ANYTHING,
            },
        )
        | ANYTHING,
        "body": ANYTHING,
        "isBase64Encoded": ANYTHING,
    },
)
HTTP = {"http": {"method": "GET"}}


def table():
    dynamodb = Dynamodb()
    dynamodb.add(image(1), image(2, status="failed"))
    return dynamodb


def lines(capsys):
    out = capsys.readouterr().out
    assert out.isascii()
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.line("002-18", "004-19")
@settings(deadline=None, max_examples=300)
@given(request=REQUESTS | ANYTHING, own=st.booleans())
def test_any_event_has_an_answer_and_no_event_is_a_fault(request, own):
    status, _ = ask(api(table(), OWN if own else SETTINGS), request)

    assert status in {200, 400, 401, 404, 405}


@pytest.mark.line("002-18")
def test_an_event_of_any_depth_has_an_answer():
    deep: dict = {}
    for _ in range(100_000):
        deep = {"jwt": deep, "http": deep}

    for hostile, status in [
        (deep, 400),
        (event() | {"requestContext": deep}, 400),
        (event() | {"requestContext": HTTP, "routeKey": deep, "rawPath": deep}, 404),
        (event() | {"queryStringParameters": deep}, 400),
        (event() | {"queryStringParameters": {"limit": deep}}, 400),
    ]:
        assert ask(api(table()), hostile)[0] == status


@pytest.mark.line("002-18")
@pytest.mark.parametrize("request_", [None, [], "GET /images", 7, {}, {"httpMethod": "GET", "path": "/images"}])
def test_what_is_no_request_of_an_http_api_is_400(request_):
    assert ask(api(table()), request_)[0] == 400


@pytest.mark.line("002-10")
@pytest.mark.parametrize(
    ("request_", "facts"),
    [
        (event(user="anna"), {"event": "answered", "status": 200, "index": "UserIndex", "images": 2}),
        (
            event("GET /images/{id}", identifier=image_id(1)),
            {"event": "answered", "status": 200, "image_id": image_id(1), "images": 1},
        ),
        (
            event("GET /images/{id}", identifier=image_id(9)),
            {"event": "refused", "status": 404, "code": "image-not-found", "image_id": image_id(9)},
        ),
        (event(limit="0"), {"event": "refused", "status": 400, "code": "invalid-limit"}),
    ],
)
def test_each_request_is_one_line(capsys, request_, facts):
    ask(api(table()), request_)

    (line,) = lines(capsys)
    assert {"level": "INFO", "request_id": "r-1", "duration_ms": 0.0, **facts}.items() <= line.items()


@pytest.mark.line("002-11")
def test_a_fault_is_logged_with_its_place_and_without_its_text(capsys):
    dynamodb = table()
    dynamodb.error = client_error("ThrottlingException", "secret words")

    one(api(dynamodb))

    (line,) = lines(capsys)
    assert {
        "level": "ERROR",
        "event": "failed",
        "status": 500,
        "error": "ClientError: ThrottlingException",
        "image_id": image_id(1),
    }.items() <= line.items()
    assert "table.py:" in line["place"]
    assert "secret" not in json.dumps(line)


@pytest.mark.line("002-10")
def test_no_line_holds_a_link_a_token_or_a_callers_words(capsys):
    reading = api(table())
    _, body = ask(reading, event(limit="1"))
    ask(reading, event(limit="1", next=body["next"]))
    ask(reading, event(next="words\n{}"))
    ask(reading, event(user="words\u2028\x1b[31m"))
    ask(reading, event("GET /images/{id}", identifier="words"))
    ask(reading, event("GET /words"))
    ask(api(table(), OWN), event(sub="words"))

    out = capsys.readouterr().out
    assert len(out.splitlines()) == 7
    assert all(word not in out for word in ("words", "X-Amz", "http", body["next"], "uploads/"))


def test_a_log_that_cannot_be_written_fails_no_request(monkeypatch):
    class Broken:
        def write(self, _text):
            raise OSError("no space left")

    monkeypatch.setattr("sys.stdout", Broken())

    assert one(api(table()))[0] == 200
