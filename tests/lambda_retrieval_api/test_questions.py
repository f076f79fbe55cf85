"""Routes, parameters, identities: what is asked, and what is refused."""

import dataclasses

import pytest

from imgpipe_retrieval_api.invocation import handle
from tests.lambda_retrieval_api.fakes import (
    SETTINGS,
    Dynamodb,
    api,
    ask,
    client_error,
    code_of,
    event,
    image,
    image_id,
    listed,
    one,
)

OWN = dataclasses.replace(SETTINGS, own_images_only=True)


@pytest.fixture
def dynamodb():
    dynamodb = Dynamodb()
    dynamodb.add(image(1), image(2, UserId={"S": "berta"}), image(3, status="deleted"))
    return dynamodb


@pytest.mark.line("002-14")
def test_an_image_is_found_by_its_id(dynamodb):
    status, body = one(api(dynamodb), 1)

    assert (200, image_id(1)) == (status, body["ImageId"])
    assert [("GetItem", {"TableName": "ImageMetadata-dev", "Key": {"ImageId": {"S": image_id(1)}}})] == dynamodb.calls


@pytest.mark.line("002-18")
@pytest.mark.parametrize("number", [3, 99], ids=["deleted", "missing"])
def test_an_image_that_is_not_there_is_404(dynamodb, number):
    message = {"error": {"code": "image-not-found", "message": "there is no such image"}}

    assert (404, message) == one(api(dynamodb), number)


@pytest.mark.parametrize("path", ["/images", "/images/", f"/images/{image_id(1)}", f"/live/images/{image_id(1)}"])
def test_a_catch_all_route_answers_by_the_path(dynamodb, path):
    request = event("GET " + path) | {"routeKey": "$default"}
    request["requestContext"]["stage"] = "live"

    assert ask(api(dynamodb), request)[0] == 200


@pytest.mark.line("002-18")
@pytest.mark.parametrize("path", ["/", "/image", "/images/a/b", "/imagesx", "/x/images"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_404(dynamodb, method, path):
    request = event(f"{method} {path}") | {"routeKey": "$default"}

    assert code_of(ask(api(dynamodb), request)) == (404, "no-such-route")


@pytest.mark.line("002-18")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "get"])
@pytest.mark.parametrize("path", ["/images", "/images/{id}"])
def test_every_other_method_is_405(dynamodb, method, path):
    assert code_of(ask(api(dynamodb), event(f"{method} {path}", identifier=image_id(1)))) == (405, "method-not-allowed")
    assert dynamodb.calls == []


@pytest.mark.line("002-18")
def test_a_405_says_which_method_is_allowed(dynamodb):
    assert handle(event("POST /images"), api(dynamodb), request_id="r-1")["headers"]["allow"] == "GET"


@pytest.mark.line("002-18")
@pytest.mark.parametrize(
    "identifier",
    ["", "1", image_id(1).upper(), image_id(1) + "\n", f"{image_id(1)}/", "../" + image_id(1), "*", "é" * 36, 7, ["x"]],
)
def test_an_id_that_is_no_id_is_400(dynamodb, identifier):
    assert code_of(ask(api(dynamodb), event("GET /images/{id}") | {"pathParameters": {"id": identifier}})) == (
        400,
        "invalid-id",
    )
    assert dynamodb.calls == []


@pytest.mark.line("002-17")
@pytest.mark.parametrize("limit", ["0", "-1", "51", "1.5", "1e1", "", "ten", "٣", "9" * 5000, " 5", "5,6"])
def test_a_limit_out_of_bounds_is_400(dynamodb, limit):
    answer = ask(api(dynamodb), event(limit=limit))

    assert code_of(answer) == (400, "invalid-limit")
    assert answer[1]["error"]["message"] == "limit is a whole number; expected 1..50 images"
    assert dynamodb.calls == []


@pytest.mark.line("002-18")
@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"status": "deleted"}, "invalid-status"),
        ({"status": ""}, "invalid-status"),
        ({"user": ""}, "invalid-user"),
        ({"user": "x" * 1025}, "invalid-user"),
        ({"user": "\ud800"}, "invalid-user"),
        ({"owner": "anna"}, "unknown-parameter"),
        ({"next": ""}, "invalid-token"),
    ],
)
def test_a_wrong_parameter_is_400(dynamodb, parameters, code):
    assert (400, code) == code_of(ask(api(dynamodb), event(**parameters)))
    assert dynamodb.calls == []


@pytest.mark.line("002-18")
@pytest.mark.parametrize(
    ("parameters", "index"),
    [({}, "UploadTimestampIndex"), ({"user": "anna"}, "UserIndex"), ({"status": "failed"}, "StatusIndex")],
)
def test_a_list_whose_index_is_absent_is_400_and_named(dynamodb, parameters, index):
    settings = dataclasses.replace(SETTINGS, indexes=SETTINGS.indexes - {index})
    answer = ask(api(dynamodb, settings), event(**parameters))

    assert code_of(answer) == (400, "no-such-index")
    assert index in answer[1]["error"]["message"]
    assert dynamodb.calls == []


@pytest.mark.line("002-18")
@pytest.mark.parametrize("error", [client_error("ThrottlingException"), ZeroDivisionError("arn:secret"), KeyError("x")])
@pytest.mark.parametrize("request_", [event(), event("GET /images/{id}", identifier=image_id(1))])
def test_a_fault_is_500_and_says_nothing(dynamodb, error, request_):
    dynamodb.error = error

    message = {"error": {"code": "internal", "message": "the request failed here; try again later"}}
    assert (500, message) == ask(api(dynamodb), request_)


def test_own_images_only_others_images_are_as_if_they_were_not_there(dynamodb):
    """Every cell of callers and images: what is not the caller's has the answer, and the calls, of what is missing."""
    for caller, number, status in [("anna", 1, 200), ("anna", 2, 404), ("berta", 1, 404), ("berta", 2, 200)]:
        dynamodb.calls.clear()
        answer = one(api(dynamodb, OWN), number, sub=caller)
        assert answer[0] == status
        if status == 404:
            calls = len(dynamodb.calls)
            assert answer == one(api(dynamodb, OWN), 99, sub=caller)
            assert len(dynamodb.calls) == 2 * calls


@pytest.mark.parametrize("parameters", [{}, {"user": "anna"}, {"status": "processed"}, {"limit": "1"}])
def test_own_images_only_every_list_is_the_callers(dynamodb, parameters):
    assert [image_id(2)] == listed(api(dynamodb, OWN), sub="berta", **parameters)
    assert {"UserIndex"} == {request["IndexName"] for _, request in dynamodb.calls}


def test_own_images_only_an_image_of_nobody_is_nobodys(dynamodb):
    orphan = image(4)
    del orphan["UserId"]
    dynamodb.add(orphan)

    assert one(api(dynamodb, OWN), 4, sub="anna")[0] == 404
    assert one(api(dynamodb), 4)[0] == 200


@pytest.mark.parametrize("sub", [None, "", 7, ["anna"], {"anna": "anna"}, "\udc00", "x" * 2000])
def test_own_images_only_without_a_subject_nothing_is_answered(dynamodb, sub):
    request = event(sub=sub, user="anna") | {"headers": {"authorization": "anna", "x-user": "anna"}}

    assert code_of(ask(api(dynamodb, OWN), request)) == (401, "unauthorized")
    assert code_of(one(api(dynamodb, OWN), 1, sub=sub)) == (401, "unauthorized")
    assert dynamodb.calls == []


def test_without_own_images_only_a_token_limits_nothing(dynamodb):
    assert one(api(dynamodb), 2, sub="anna")[0] == 200
    assert {image_id(1), image_id(2)} == set(listed(api(dynamodb), sub="anna"))
