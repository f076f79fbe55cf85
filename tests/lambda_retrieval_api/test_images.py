"""An image as it is told: what the item holds, and nothing where it holds nothing."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lambda_retrieval_api.fakes import (
    NOW,
    SETTINGS,
    THUMBNAILS,
    Dynamodb,
    api,
    ask,
    event,
    image,
    image_id,
    one,
    thumbnail,
)


def told(item, settings=SETTINGS):
    dynamodb = Dynamodb()
    dynamodb.add(item)
    status, body = one(api(dynamodb, settings))
    assert status == 200
    return body


@pytest.mark.line("002-14")
def test_an_image_is_told_with_its_metadata():
    body = told(image(1))
    (small,) = body.pop("Thumbnails")

    assert body.pop("Original").keys() == {"Url", "ExpiresAt"}
    assert {
        "ImageId": image_id(1),
        "Status": "processed",
        "ObjectKey": "uploads/photo 1.jpg",
        "ContentType": "image/jpeg",
        "Format": "JPEG",
        "FileSize": 123456,
        "Width": 4000,
        "Height": 3000,
        "UserId": "anna",
        "UploadTimestamp": "2026-11-20T08:00:00.000Z",
        "UploadDate": "2026-11-20",
        "ProcessedAt": "2026-11-20T08:00:01.500Z",
    } == body
    assert {"Width": 128, "Height": 96, "Format": "JPEG", "Bytes": 4321}.items() <= small.items()
    assert small.keys() == {"Width", "Height", "Format", "Bytes", "Url", "ExpiresAt"}


def test_an_image_is_told_with_what_is_shown_while_its_thumbnail_is_loaded_and_with_its_frames():
    more = {"Placeholder": {"S": "LEHV6nWB2yk8"}, "DominantColor": {"S": "#c81414"}, "FrameCount": {"N": "12"}}

    body = told(image(1) | more)

    assert tuple(body[name] for name in more) == ("LEHV6nWB2yk8", "#c81414", 12)


@pytest.mark.line("002-16")
def test_a_list_tells_the_same_of_an_image():
    dynamodb = Dynamodb()
    dynamodb.add(image(1))
    (listed,) = ask(api(dynamodb), event(user="anna"))[1]["images"]

    assert listed.keys() == told(image(1)).keys()
    assert listed["Thumbnails"][0].keys() == told(image(1))["Thumbnails"][0].keys()


@pytest.mark.line("002-12")
@pytest.mark.parametrize("status", ["processing", "failed"])
def test_an_image_without_thumbnails_is_told_all_the_same(status):
    body = told(image(1, status=status))

    assert (status, []) == (body["Status"], body["Thumbnails"])
    assert body.get("ErrorCategory") == ("corrupt" if status == "failed" else None)


@pytest.mark.line("002-12")
def test_an_item_with_nothing_in_it_is_told():
    assert {"ImageId": image_id(1), "Status": "unknown", "Thumbnails": []} == told({"ImageId": {"S": image_id(1)}})


@pytest.mark.line("002-12")
@pytest.mark.parametrize(
    "thumbnails",
    [{"S": "x"}, {"L": []}, {"L": [{"S": "x"}]}, {"L": [{"M": 7}]}, {"L": "x"}, {"NULL": True}, {"M": {}}],
)
def test_thumbnails_of_another_shape_are_none(thumbnails):
    assert told(image(1) | {"Thumbnails": thumbnails})["Thumbnails"] == []


@pytest.mark.line("002-12")
@pytest.mark.parametrize("missing", ["Key", "Bucket"])
def test_a_thumbnail_without_a_place_has_no_link(missing):
    incomplete = thumbnail("thumbnails/a.jpg")
    del incomplete["M"][missing]

    assert (told(image(1) | {"Thumbnails": {"L": [incomplete]}})["Thumbnails"]) == [
        {"Width": 128, "Height": 96, "Format": "JPEG", "Bytes": 4321}
    ]


def test_all_thumbnails_are_told():
    several = [thumbnail(f"thumbnails/{size}.jpg") for size in (128, 256, 512)]

    body = told(image(1) | {"Thumbnails": {"L": several}})
    assert [one["Url"].partition("?")[0][-8:] for one in body["Thumbnails"]] == ["/128.jpg", "/256.jpg", "/512.jpg"]


def test_only_objects_of_the_pipelines_buckets_are_linked_to():
    foreign = image(1) | {"BucketName": {"S": "elsewhere"}, "Thumbnails": {"L": [thumbnail("a", bucket="elsewhere")]}}
    without = dataclasses.replace(SETTINGS, source_bucket=None, thumbnail_bucket=None)

    for body in (told(foreign), told(image(1), without)):
        assert "Original" not in body
        assert "Url" not in body["Thumbnails"][0]


@pytest.mark.line("002-19")
def test_what_is_asked_never_becomes_a_key_or_a_bucket():
    dynamodb = Dynamodb()
    dynamodb.add(image(1, UserId={"S": "../evil"}))

    _, body = ask(api(dynamodb), event(user="../evil"))
    (found,) = body["images"]
    assert all("evil" not in link["Url"] for link in (found["Original"], *found["Thumbnails"]))
    assert THUMBNAILS in found["Thumbnails"][0]["Url"]


@pytest.mark.parametrize(
    ("written", "number"),
    [("7", 7), ("7.0", 7), ("7.5", 7.5), ("1E+3", 1000), ("-1", -1), ("NaN", None), ("1E400", None), ("", None)],
)
def test_numbers_are_whole_where_they_can_be(written, number):
    found = told(image(1) | {"FileSize": {"N": written}}).get("FileSize")

    assert (number, type(number)) == (found, type(found))


VALUES = st.recursive(
    st.sampled_from([{"NULL": True}, {"BOOL": False}, {"S": ""}, {"S": "x"}, {"N": "1"}, {"B": b"x"}, {"SS": ["x"]}]),
    lambda values: st.one_of(
        st.lists(values, max_size=3).map(lambda several: {"L": several}),
        st.dictionaries(st.sampled_from(["Bucket", "Key", "Width", "x"]), values, max_size=3).map(
            lambda several: {"M": several}
        ),
    ),
    max_leaves=6,
)


@pytest.mark.line("002-12")
@settings(deadline=None, max_examples=150)
@given(changes=st.dictionaries(st.sampled_from([*image(1).keys() - {"ImageId"}, "Thumbnails", "x"]), VALUES))
def test_no_item_is_a_fault(changes):
    dynamodb = Dynamodb()
    dynamodb.add(image(1) | changes)

    assert one(api(dynamodb, now=NOW))[0] == 200
