"""When an upload has reached its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imgpipe_templates.local.deliveries import Delivery, ObjectVersion
from imgpipe_templates.local.inputs import SourceFile
from imgpipe_templates.local.settling import Settled, Upload, settle

VERSION = ObjectVersion("photos", "a.jpg", "1")
UPLOAD = Upload(SourceFile(Path("a.jpg"), "a.jpg"), VERSION)
PROCESSED = {"Status": "processed"}


def settled(journals: list[list[Delivery]], items: list[dict[ObjectVersion, Any]]) -> Settled:
    """The end of `UPLOAD`; the last journal and items stay."""

    def next_of(values: list[Any]) -> Any:
        return values.pop(0) if len(values) > 1 else values[0]

    found = list(settle([UPLOAD], lambda: next_of(journals), lambda: next_of(items), event_seconds=0.05))
    assert len(found) == 1
    return found[0]


def delivery(state: str, **more: Any) -> Delivery:
    return Delivery("resize", (VERSION,), state, **more)


def test_an_item_with_a_final_status_is_the_end():
    journals = [[], [delivery("waiting")], [delivery("succeeded")]]

    assert settled(journals, [{}, {VERSION: PROCESSED}]).item == PROCESSED


def test_a_failed_delivery_tells_attempts_error_and_where_the_event_is():
    failed = delivery("failed", attempts=3, error="ValueError: no", log="traceback", dead_letter="arn:aws:sqs:::dead")

    end = settled([[failed]], [{}])

    assert end.item is None
    assert end.reason == "resize failed 3 times: ValueError: no; its event is in arn:aws:sqs:::dead"
    assert end.log == "traceback"


def test_an_item_that_stays_unfinished_is_lost():
    end = settled([[delivery("succeeded")]], [{VERSION: {"Status": "processing"}}])

    assert end.reason == "resize ended without an error and left its item in status 'processing'"


def test_a_function_that_leaves_no_item_is_told():
    assert settled([[delivery("succeeded")]], [{}]).reason == "resize ended without an error and left no metadata item"


def test_a_refused_event_is_told():
    end = settled([[delivery("refused", error="no permission lets bucket photos invoke resize")]], [{}])

    assert end.reason == "no permission lets bucket photos invoke resize"


def test_an_upload_that_no_event_is_about_is_given_up():
    other = Delivery("resize", (ObjectVersion("photos", "b.jpg", "1"),), "succeeded")

    assert settled([[other]], [{}]).reason == "no event reached a function"
