"""Which writes the table accepts, for every state of an item: the table in docs/processor.md, as literal values."""

import itertools

import pytest

from imgpipe_processor.events import read_event
from imgpipe_processor.records import Records
from tests.lambda_processor.deliveries import event, record
from tests.lambda_processor.fakes import CAT_ID, Aws, ticking_clock

FAILURES = ("unsupported", "corrupt", "too-large", "missing", "forbidden", "internal")
STATES = {"absent"} | {
    f"{status}{sequencer}"
    for status, sequencer in itertools.product(
        ("processing", "processed", "deleted", "deleted-missing", *FAILURES), ("", " 01", " 02", " 03")
    )
}
ANY_PROCESSING = {"processing", "processing 01", "processing 02", "processing 03"}
ACCEPTED = {
    # method of Records, sequencer of the event: the states in which the write is accepted
    ("begin", None): {"absent"},
    ("begin", "02"): {"absent"},
    ("begin_again", None): {"absent", *ANY_PROCESSING},
    ("begin_again", "02"): {
        "absent",
        *("processing", "processing 01", "processing 02"),
        *("missing", "missing 01"),
        *("forbidden", "forbidden 01"),
        *("internal", "internal 01"),
    },
    ("processed", None): {
        *ANY_PROCESSING,
        *("missing", "missing 01", "missing 02", "missing 03"),
        *("forbidden", "forbidden 01", "forbidden 02", "forbidden 03"),
        *("internal", "internal 01", "internal 02", "internal 03"),
    },
    ("failed", None): {"processing"},
    ("failed", "02"): {"processing 02"},
}
ACCEPTED["processed", "02"] = ACCEPTED["processed", None]


def item_in(state):
    """The item in this state, or None."""
    status, _, sequencer = state.partition(" ")
    if status == "absent":
        return None
    status, _, category = ("failed", "", status) if status in FAILURES else status.partition("-")
    return {
        "ImageId": {"S": CAT_ID},
        "Status": {"S": status},
        **({"AttemptId": {"S": "of another delivery"}} if status != "processing" else {}),
        **({"ErrorCategory": {"S": category}, "ErrorMessage": {"S": "..."}} if category else {}),
        **({"Sequencer": {"S": sequencer}} if sequencer else {}),
    }


def is_accepted(aws, method, sequencer):
    """True if the table accepts the write of this method for cat.jpg."""
    (upload,) = read_event(event(record(sequencer=sequencer)))
    records = Records(aws, "ImageMetadata-dev", 4)
    if method in {"processed", "failed"}:
        return records.finish(upload, method, {}, attempt_id="of this delivery", at=ticking_clock()())
    return getattr(records, method)(upload)


@pytest.mark.parametrize(("method", "sequencer"), ACCEPTED)
@pytest.mark.parametrize("state", sorted(STATES))
def test_table_accepts_a_write_in_these_states_only(method, sequencer, state):
    item = item_in(state)
    aws = Aws(items={} if item is None else {CAT_ID: item})

    accepted = is_accepted(aws, method, sequencer)

    assert (state in ACCEPTED[method, sequencer]) == accepted
    if accepted:
        status = {"begin": "processing", "begin_again": "processing"}.get(method, method)
        assert aws.item["Status"] == {"S": status}
        assert {"ErrorCategory", "ErrorMessage"}.isdisjoint(aws.item)
    else:
        assert aws.items == ({} if item is None else {CAT_ID: item_in(state)})


@pytest.mark.parametrize("method", ["processed", "failed"])
@pytest.mark.parametrize("status", ["processed", "failed"])
def test_final_item_of_the_same_attempt_counts_as_written(method, status):
    aws = Aws(items={CAT_ID: item_in("processed") | {"Status": {"S": status}, "AttemptId": {"S": "of this delivery"}}})

    assert is_accepted(aws, method, "02")


def test_refused_finish_without_an_item_is_not_this_deliverys():
    assert not is_accepted(Aws(), "failed", "02")
