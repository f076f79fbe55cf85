"""Page tokens: good for the list they came from, and for no other."""

import base64
import dataclasses
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lambda_retrieval_api.fakes import SETTINGS, Dynamodb, api, ask, code_of, event, image, image_id

OWN = dataclasses.replace(SETTINGS, own_images_only=True)
LISTS = [{}, {"user": "anna"}, {"user": "berta"}, {"status": "processed"}, {"status": "processed", "user": "anna"}]


@pytest.fixture(scope="module")
def dynamodb():
    dynamodb = Dynamodb()
    dynamodb.add(*(image(number, UserId={"S": ("anna", "berta")[number % 2]}) for number in range(20)))
    return dynamodb


def token(dynamodb, parameters, *, sub=None, settings=SETTINGS):
    status, body = ask(api(dynamodb, settings), event(sub=sub, limit="2", **parameters))
    assert status == 200
    return body["next"]


def opened(token):
    return json.loads(base64.urlsafe_b64decode(token + "=="))


def closed(fields):
    text = fields if isinstance(fields, str) else json.dumps(fields, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.line("002-17")
@pytest.mark.parametrize("one", LISTS, ids=str)
@pytest.mark.parametrize("other", LISTS, ids=str)
def test_a_token_of_another_list_is_400(dynamodb, one, other):
    answer = ask(api(dynamodb), event(**other, next=token(dynamodb, one)))

    if one == other:
        assert answer[0] == 200
    else:
        assert code_of(answer) == (400, "invalid-token")


@pytest.mark.line("002-17")
def test_a_token_is_of_no_use_to_another_caller(dynamodb):
    annas = token(dynamodb, {}, sub="anna", settings=OWN)

    assert ask(api(dynamodb, OWN), event(sub="anna", next=annas))[0] == 200
    assert code_of(ask(api(dynamodb, OWN), event(sub="berta", next=annas))) == (400, "invalid-token")


@pytest.mark.line("002-17")
def test_a_token_names_nobody_and_is_safe_in_a_url(dynamodb):
    annas = token(dynamodb, {"user": "anna"})

    assert re.fullmatch("[A-Za-z0-9_-]+", annas)
    assert "anna" not in json.dumps(opened(annas))


@pytest.mark.line("002-17")
@pytest.mark.parametrize(
    "change",
    [
        {"l": "0" * 16},
        {"u": None},
        {"u": 7},
        {"u": "yesterday"},
        {"u": "2026-11-19T08:00:00.000Z"},
        {"s": []},
        {"s": {}},
        {"s": [[4, image_id(1)]]},
        {"s": [[-1, image_id(1)]]},
        {"s": [[True, image_id(1)]]},
        {"s": [[0, "x"]]},
        {"s": [[0, 7]]},
        {"s": [[0, image_id(1)], [0, image_id(2)]]},
        {"s": 7},
        {"d": None},
        {"d": ""},
        {"d": 0},
        {"d": "2026-11-19"},
        {"d": "20261120"},
        {"d": "0001-01-01", "f": "0001-01-01", "u": None, "s": []},
        {"d": "2026-11-20", "f": "2026-11-19"},
        {"f": None},
        {"more": 1},
    ],
    ids=str,
)
def test_a_changed_token_is_400(dynamodb, change):
    forged = opened(token(dynamodb, {})) | change
    calls = len(dynamodb.calls)

    assert code_of(ask(api(dynamodb), event(next=closed(forged)))) == (400, "invalid-token")
    assert len(dynamodb.calls) == calls


@pytest.mark.line("002-17")
@pytest.mark.parametrize(
    "text",
    ["", "e30", "AA", "!!!!", "bnVsbA", "x" * 2049, "é", closed("[" * 1000), closed('{"l":NaN}'), closed("9" * 1400)],
    ids=lambda text: text[:8],
)
def test_what_is_no_token_is_400(dynamodb, text):
    assert code_of(ask(api(dynamodb), event(next=text))) == (400, "invalid-token")


@pytest.mark.line("002-17")
@pytest.mark.parametrize("spelling", ["{}=", "{}\n", " {}", "{}=="])
def test_a_token_has_one_spelling(dynamodb, spelling):
    assert code_of(ask(api(dynamodb), event(next=spelling.format(token(dynamodb, {}))))) == (400, "invalid-token")


@pytest.mark.line("002-17")
@settings(deadline=None, max_examples=200)
@given(text=st.text(max_size=200) | st.binary(max_size=200).map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_any_text_as_token_is_400(text):
    assert code_of(ask(api(Dynamodb()), event(next=text))) == (400, "invalid-token")


@pytest.mark.line("002-17")
def test_the_largest_token_is_accepted_again():
    """Twenty shards, each with an image of the page's last moment."""
    settings = dataclasses.replace(SETTINGS, index_shards=20)
    dynamodb = Dynamodb()
    dynamodb.add(*(image(number, UploadShard={"S": f"2026-11-20#{number % 20}"}) for number in range(60)))

    status, body = ask(api(dynamodb, settings), event(limit="50"))
    again, rest = ask(api(dynamodb, settings), event(limit="50", next=body["next"]))

    assert (status, again) == (200, 200)
    assert len({one["ImageId"] for one in body["images"] + rest["images"]}) == 60
