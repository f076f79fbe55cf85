"""Lists: everything exactly once, newest first, however it is spread over days, shards and pages."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lambda_retrieval_api.fakes import NOW, SETTINGS, Dynamodb, api, ask, event, image, image_id, listed, pages

# Few moments, so that many images share one; up to a month ago, and on both sides of midnights.
MOMENTS = st.builds(
    lambda days, ms: NOW.replace(hour=0) - timedelta(days=days) + timedelta(milliseconds=ms),
    st.sampled_from([0, 0, 1, 2, 3, 27, 28, 29, 40]),
    st.sampled_from([-1, 0, 1, 2, 3_600_000]),
)
STATUSES = st.sampled_from(["processed", "processed", "failed", "processing", "deleted"])
IMAGES = st.lists(st.tuples(MOMENTS, STATUSES, st.sampled_from(["anna", "berta"])), max_size=60)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def filled(drawn, *, most_at_once=1000) -> Dynamodb:
    dynamodb = Dynamodb(most_at_once=most_at_once)
    dynamodb.add(
        *(
            image(number, stamp(moment), status=status, UserId={"S": user})
            for number, (moment, status, user) in enumerate(drawn)
        )
    )
    return dynamodb


def expected(dynamodb, **wanted):
    return {
        identifier: item["UploadTimestamp"]["S"]
        for identifier, item in dynamodb.items.items()
        if item["Status"]["S"] != "deleted" and all(item[name]["S"] == value for name, value in wanted.items())
    }


def assert_all_once_newest_first(found, times):
    assert sorted(found) == sorted(times)
    assert [times[identifier] for identifier in found] == sorted(times.values(), reverse=True)


@pytest.mark.line("002-16", "002-17")
@settings(deadline=None, max_examples=60)
@given(drawn=IMAGES, limit=st.integers(1, 12), most_at_once=st.sampled_from([1, 3, 1000]))
def test_all_images_are_listed_once_newest_first(drawn, limit, most_at_once):
    dynamodb = filled(drawn, most_at_once=most_at_once)
    reading = api(dynamodb, dataclasses.replace(SETTINGS, max_empty_days=50))

    found = pages(reading, limit=str(limit))

    assert_all_once_newest_first([one for page in found for one in page], expected(dynamodb))
    assert max(map(len, found)) <= limit


@pytest.mark.line("002-15", "002-17")
@settings(deadline=None, max_examples=40)
@given(drawn=IMAGES, limit=st.integers(1, 12), most_at_once=st.sampled_from([1, 3, 1000]))
def test_a_users_images_are_listed_once_newest_first(drawn, limit, most_at_once):
    dynamodb = filled(drawn, most_at_once=most_at_once)

    found = listed(api(dynamodb), user="anna", limit=str(limit))

    assert_all_once_newest_first(found, expected(dynamodb, UserId="anna"))


@pytest.mark.line("002-17")
@settings(deadline=None, max_examples=40)
@given(drawn=IMAGES, limit=st.integers(1, 12), status=st.sampled_from(["failed", "processing", "processed"]))
def test_images_of_a_status_are_listed_once_newest_first(drawn, limit, status):
    dynamodb = filled(drawn)

    assert_all_once_newest_first(
        listed(api(dynamodb), status=status, limit=str(limit)), expected(dynamodb, Status=status)
    )
    found = listed(api(dynamodb), status=status, user="berta", limit=str(limit))
    assert_all_once_newest_first(found, expected(dynamodb, Status=status, UserId="berta"))


@pytest.mark.line("002-17")
@pytest.mark.parametrize("limit", range(1, 12))
@pytest.mark.parametrize("parameters", [{}, {"user": "anna"}, {"status": "processed"}], ids=str)
def test_many_images_of_one_time_are_listed_once(parameters, limit):
    dynamodb = filled([(NOW + timedelta(milliseconds=number % 7), "processed", "anna") for number in range(80)])
    reading = api(dynamodb, dataclasses.replace(SETTINGS, max_empty_days=1))

    assert_all_once_newest_first(listed(reading, limit=str(limit), **parameters), expected(dynamodb))


@pytest.mark.line("002-16")
def test_no_list_scans():
    dynamodb = filled([(NOW, "processed", "anna")] * 5)
    for parameters in ({}, {"user": "anna"}, {"status": "processed"}):
        listed(api(dynamodb), **parameters)

    assert {"Query"} == {name for name, _ in dynamodb.calls}


@pytest.mark.line("002-16")
def test_a_day_is_one_query_for_each_shard():
    dynamodb = Dynamodb()
    listed(api(dynamodb, dataclasses.replace(SETTINGS, max_empty_days=1)))

    assert [f"{day}#{shard}" for day in ("2026-11-20", "2026-11-19") for shard in range(4)] == [
        request["ExpressionAttributeValues"][":partition"]["S"] for _, request in dynamodb.calls
    ]


@pytest.mark.line("002-17")
def test_a_request_looks_back_a_bounded_number_of_days_and_says_where_to_go_on():
    dynamodb = filled([(NOW - timedelta(days=60), "processed", "anna")])

    status, body = ask(api(dynamodb), event())

    assert (status, body["images"]) == (200, [])
    assert body["next"]
    assert len(dynamodb.calls) == 100  # 25 days of 4 shards
    assert [[], [], [image_id(0)]] == pages(api(dynamodb))[:3]


@pytest.mark.line("002-17")
@pytest.mark.parametrize("shards", [1, 3, 20])
def test_no_request_makes_more_than_a_hundred_queries(shards):
    dynamodb = Dynamodb(most_at_once=1)
    dynamodb.add(*(image(number, UserId={"S": "anna"}, status="deleted") for number in range(300)))
    reading = api(dynamodb, dataclasses.replace(SETTINGS, index_shards=shards))

    for parameters in ({}, {"user": "anna"}, {"status": "failed"}):
        dynamodb.calls.clear()
        ask(reading, event(**parameters))
        assert 0 < len(dynamodb.calls) <= 100


@pytest.mark.line("002-17")
def test_many_deleted_images_do_not_end_a_list():
    dynamodb = Dynamodb(most_at_once=1)
    dynamodb.add(*(image(number, status="deleted") for number in range(300)), image(300, "2026-11-20T07:00:00.000Z"))

    assert [image_id(300)] == listed(api(dynamodb), user="anna")
    assert [image_id(300)] == listed(api(dynamodb, dataclasses.replace(SETTINGS, max_empty_days=1)))


@pytest.mark.line("002-16")
def test_the_list_ends_where_so_many_days_in_a_row_were_empty():
    dynamodb = filled([(NOW - timedelta(days=days), "processed", "anna") for days in (3, 6, 10)])

    assert [image_id(0), image_id(1)] == listed(api(dynamodb, dataclasses.replace(SETTINGS, max_empty_days=3)))
    assert listed(api(dynamodb, dataclasses.replace(SETTINGS, max_empty_days=2))) == []


@pytest.mark.line("002-16")
def test_nothing_is_looked_for_before_s3_began():
    dynamodb = Dynamodb()
    reading = api(dynamodb, dataclasses.replace(SETTINGS, index_shards=1), now=datetime(2006, 3, 16, tzinfo=UTC))

    assert pages(reading) == [[]]
    assert [request["ExpressionAttributeValues"][":partition"]["S"] for _, request in dynamodb.calls] == [
        "2006-03-16#0",
        "2006-03-15#0",
        "2006-03-14#0",
    ]


@pytest.mark.line("002-17")
@pytest.mark.parametrize("parameters", [{}, {"user": "anna"}, {"status": "processed"}])
def test_what_is_uploaded_meanwhile_does_not_come_twice_nor_out_of_order(parameters):
    dynamodb = filled([(NOW - timedelta(minutes=minutes), "processed", "anna") for minutes in range(10)])
    reading = api(dynamodb)
    _, first = ask(reading, event(limit="4", **parameters))
    dynamodb.add(*(image(number, stamp(NOW + timedelta(seconds=number))) for number in range(100, 120)))

    rest = listed(reading, limit="4", next=first["next"], **parameters)

    assert [image_id(number) for number in range(4, 10)] == rest


@pytest.mark.line("002-17")
def test_the_page_size_may_change_from_page_to_page():
    dynamodb = filled([(NOW, "processed", "anna")] * 10)
    _, first = ask(api(dynamodb), event(limit="3", user="anna"))

    rest = listed(api(dynamodb), limit="5", user="anna", next=first["next"])

    assert len({*rest, *(one["ImageId"] for one in first["images"])}) == 10
