"""Events in any order, several times, late, and at once: what is uploaded last is what is seen."""

import io
import json
import threading
from collections import Counter
from contextlib import redirect_stdout
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgpipe_processor.events import read_event
from tests.lambda_processor.deliveries import ETAG, SEQUENCER, SOURCE, event, eventbridge, record
from tests.lambda_processor.fakes import (
    CAT_ID,
    Aws,
    Crash,
    client_error,
    decoded,
    encoded,
    log_lines,
    photo,
    raising,
    run,
    send,
)

KEY = "cat.jpg"
WIDTHS = {f"{number:032x}": 10 * number for number in (1, 2, 3)}  # of the contents, by their ETags
FIRST, SECOND, THIRD = WIDTHS
PHOTOS = {etag: encoded(photo(width, 20)) for etag, width in WIDTHS.items()}
NEWER = "0055AED6DCD90281E6"
OLDER = "0055AED6DCD90281E4"


def put(aws, etag, version_id=None):
    aws.objects[SOURCE, KEY, version_id] = (PHOTOS[etag], "image/jpeg")
    aws.etags[KEY] = etag


def about(etag, sequencer, version_id=None):
    return record(KEY, version_id=version_id, etag=etag, sequencer=sequencer)


def ends(aws):
    """How each content ended: the width that is recorded, or the category of the failure."""
    return {
        item["ETag"]["S"]: int(item["Width"]["N"]) if "Width" in item else item["ErrorCategory"]["S"]
        for item in aws.items.values()
    }


def timeless(aws):
    moments = {"ProcessedAt", "AttemptId"}
    return [
        {name: value for name, value in sorted(item.items()) if name not in moments}
        for _, item in sorted(aws.items.items())
    ], aws.thumbnails


def check_thumbnails(aws):
    """What an item names is there, and shows that item's content."""
    for item in aws.items.values():
        for each in item.get("Thumbnails", {"L": []})["L"]:
            made = aws.thumbnails[each["M"]["Bucket"]["S"], each["M"]["Key"]["S"]]
            assert decoded(made).width == WIDTHS[item["ETag"]["S"]] == int(item["Width"]["N"])


def orders(*things):
    return sorted(set(permutations(things)))


@pytest.mark.parametrize("shape", [event, lambda one: one], ids=["s3", "eventbridge"])
def test_three_versions_in_any_order_with_duplicates_are_three_images(shape):
    make = record if shape is event else eventbridge
    seen = []
    for order in orders(*range(3), *range(3)):
        aws = Aws()
        for number, etag in enumerate(WIDTHS):
            put(aws, etag, f"v{number}")
        for number in order:
            etag = list(WIDTHS)[number]
            send(aws, shape(make(KEY, version_id=f"v{number}", etag=etag, sequencer=f"00{number}")))
        assert ends(aws) == WIDTHS
        check_thumbnails(aws)
        seen.append(timeless(aws))

    assert all(seen[0] == other for other in seen)


def test_three_uploads_over_each_other_in_any_order_with_duplicates_leave_the_last():
    seen = []
    for order in orders(*range(3), *range(3)):
        aws = Aws()
        put(aws, THIRD)
        for number in order:
            run(aws, about(list(WIDTHS)[number], f"00{number}"))
        assert {FIRST: "missing", SECOND: "missing", THIRD: WIDTHS[THIRD]} == ends(aws)
        check_thumbnails(aws)
        seen.append(timeless(aws))

    assert all(seen[0] == other for other in seen)


steps = st.lists(st.sampled_from(sorted(WIDTHS)), min_size=1, max_size=4)
crash = st.none() | st.tuples(st.integers(0, 4), st.sampled_from(["before", "after"]))


def deliver(aws, message, crashes):
    """One delivery, which may be cut short; whether it was."""
    if crashes is None:
        run(aws, message)
        return False
    number, moment = crashes
    wanted = len(aws.calls) + number + 1

    def told(_call):
        if len(aws.calls) == wanted:
            raise Crash

    setattr(aws, moment, told)
    try:
        run(aws, message)
    except Crash:
        return True
    finally:
        aws.before = aws.after = lambda _call: None
    return False


@settings(max_examples=150, deadline=None)
@given(steps, st.data())
def test_whatever_arrives_first_the_last_upload_is_seen(uploads, data):
    """One key of a bucket without versions; the same content may be uploaded more than once.

    Every event is delivered at least once, at any time after its upload, and again after a crash.
    """
    aws, pending, out = Aws(), [], io.StringIO()
    with redirect_stdout(out):
        for number, etag in enumerate(uploads):
            put(aws, etag)
            pending += [about(etag, f"00{number:X}")] * data.draw(st.integers(1, 2), label="deliveries")
            pending = data.draw(st.permutations(pending), label="order")
            for _ in range(data.draw(st.integers(0, len(pending)), label="delivered by now")):
                message = pending.pop()
                if deliver(aws, message, data.draw(crash, label="crash")):
                    pending.insert(0, message)
        for message in pending:
            run(aws, message)

    processed = {etag for etag, end in ends(aws).items() if end != "missing"}
    assert uploads[-1] in processed
    assert set(uploads) == set(ends(aws))
    check_thumbnails(aws)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    counts = Counter(line["image_id"] for line in lines if line.get("ProcessedImages"))
    ids = {image_id for image_id, item in aws.items.items() if item["ETag"]["S"] in processed}
    assert set(counts) <= ids
    assert set(counts.values()) <= {1}


def test_an_upload_of_content_that_came_too_late_once_is_a_new_chance(capsys):
    aws = Aws()
    put(aws, SECOND)
    assert run(aws, about(FIRST, OLDER)) == {"failed": 1}
    put(aws, FIRST)

    assert run(aws, about(FIRST, SEQUENCER)) == {"processed": 1}

    (item,) = aws.items.values()
    assert (item["Status"], item["Sequencer"]) == ({"S": "processed"}, {"S": SEQUENCER})
    assert {"ErrorCategory", "ErrorMessage"}.isdisjoint(item)
    assert [line["event"] for line in log_lines(capsys)] == ["failed", "processed"]


@pytest.mark.parametrize(
    ("stored", "new", "begins"),
    [
        (SEQUENCER, NEWER, True),
        (SEQUENCER, SEQUENCER, False),
        (SEQUENCER, OLDER, False),
        (None, SEQUENCER, True),
        (SEQUENCER, None, False),
        (None, None, False),
        ("0A", "0A1", True),  # the shorter one counts as if zeros followed
        ("0A1", "0A", False),
        ("0A1FFF", "0B", True),
        ("0B", "0A1FFF", False),
    ],
)
def test_only_a_later_event_begins_again_what_was_missing(stored, new, begins):
    aws = Aws()
    put(aws, SECOND)
    run(aws, about(FIRST, stored))
    put(aws, FIRST)
    before = timeless(aws)

    assert run(aws, about(FIRST, new)) == ({"processed": 1} if begins else {"duplicate": 1})

    assert begins == (before != timeless(aws))


@pytest.mark.parametrize("error", [client_error("AccessDenied", 403), client_error("NoSuchKey", 404)])
def test_what_s3_refused_once_is_given_by_it_to_a_later_upload(error):
    aws = Aws()
    put(aws, FIRST)
    aws.before = raising(error, "GetObject")
    assert run(aws, about(FIRST, OLDER)) == {"failed": 1}

    assert run(aws, about(FIRST, SEQUENCER)) == {"processed": 1}


@pytest.mark.parametrize("data", [b"no image", encoded(photo())[:300], bytes(1_000_001), encoded(photo())])
def test_a_later_upload_of_the_same_content_changes_nothing_where_the_content_decides(data):
    aws = Aws()
    aws.objects[SOURCE, KEY, None] = (data, "image/jpeg")
    run(aws, about(ETAG, OLDER))
    before = timeless(aws)

    assert run(aws, about(ETAG, SEQUENCER)) == {"duplicate": 1}
    assert before == timeless(aws)


@pytest.mark.parametrize("sequencer", [OLDER, SEQUENCER, NEWER, None])
def test_what_was_deleted_is_begun_by_no_event(aws, sequencer):
    run(aws, record())
    aws.items[CAT_ID]["Status"] = {"S": "deleted"}

    assert run(aws, record(sequencer=sequencer)) == {"duplicate": 1}


def test_a_late_event_leaves_to_a_later_upload_what_that_one_has_begun():
    aws = Aws()
    put(aws, FIRST)
    deliver(aws, about(FIRST, SEQUENCER), (1, "before"))
    before = timeless(aws)

    assert run(aws, about(FIRST, OLDER)) == {"duplicate": 1}
    assert before == timeless(aws)
    assert run(aws, about(FIRST, SEQUENCER)) == {"processed": 1}


def test_what_an_earlier_upload_found_missing_does_not_end_a_later_one():
    """The later one begins while the earlier is at work, and dies: its next delivery has to find work to do."""
    aws = Aws()
    put(aws, SECOND)

    def later_upload(call):
        if call == "UpdateItem":
            put(aws, FIRST)
            assert deliver(aws, about(FIRST, SEQUENCER), (3, "before"))

    aws.before = later_upload

    assert run(aws, about(FIRST, OLDER)) == {"duplicate": 1}
    assert run(aws, about(FIRST, SEQUENCER)) == {"processed": 1}


class Turns:
    """Lets threads run from one call of AWS to the next, in a given order of their names; `x` removes the object."""

    def __init__(self, aws, order):
        self.aws, self.order = aws, list(order)
        self.holder, self.ended = None, set()
        self.changed = threading.Condition()

    def __call__(self, _call):
        me = threading.current_thread().name
        with self.changed:
            self._pass_on(me)
            assert self.changed.wait_for(lambda: self.holder is None and self._next() == me, timeout=10)
            self.holder = self.order.pop(0)

    def _pass_on(self, me):
        if self.holder == me:
            self.holder = None
            self.changed.notify_all()

    def _next(self):
        while self.order and (self.order[0] == "x" or self.order[0] in self.ended):
            if self.order.pop(0) == "x":
                self.aws.objects.clear()
        return self.order[0] if self.order else None

    def run(self, message):
        me = threading.current_thread().name
        try:
            run(self.aws, message)
        finally:
            with self.changed:
                self.ended.add(me)
                self._pass_on(me)


@settings(max_examples=150, deadline=None)
@given(st.permutations([*"aaaaaabbbbbbx"]))
def test_two_deliveries_at_once_end_as_one_that_did_read_the_object(order):
    """Each makes six calls at most, in any order between them, and the object is removed in the middle of it."""
    aws, out = Aws(), io.StringIO()
    put(aws, FIRST)
    aws.before = turns = Turns(aws, order)
    threads = [threading.Thread(target=turns.run, args=[about(FIRST, SEQUENCER)], name=name) for name in "ab"]

    with redirect_stdout(out):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(lines) == 2
    end = "processed" if aws.thumbnails else "failed"
    assert (aws.item["Status"]["S"], "ErrorCategory" in aws.item) == (end, end == "failed")
    assert sum(line.get("ProcessedImages", 0) for line in lines) == (end == "processed")
    check_thumbnails(aws)


def test_images_are_one_by_content_and_not_by_event():
    first, again = read_event(event(about(FIRST, OLDER), about(FIRST, NEWER)))

    assert first.image_id == again.image_id
