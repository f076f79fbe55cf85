"""Whatever others have on the bucket, they have it afterwards."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from imgpipe_bucket_notification.entries import events_overlap
from imgpipe_bucket_notification.properties import EVENTS
from imgpipe_templates.checks.facts.bucket_notifications import events_overlap as checked_at_render
from tests.lambda_bucket_notification.fakes import BUCKET, PROCESSOR, QUEUE, THEIR_FUNCTION, TOPIC, jpg, properties

PHYSICAL_ID = f"{BUCKET}/S3BucketNotification"
KINDS = {
    "LambdaFunctionConfigurations": ("LambdaFunctionArn", [THEIR_FUNCTION, PROCESSOR]),
    "QueueConfigurations": ("QueueArn", [QUEUE]),
    "TopicConfigurations": ("TopicArn", [TOPIC]),
}
TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=8)


@st.composite
def configurations(draw):
    """A configuration that S3 could hold: entries that do not overlap, because each has a prefix of its own."""
    configuration = {"EventBridgeConfiguration": {}} if draw(st.booleans()) else {}
    prefixes = iter(draw(st.permutations([f"{n}/" for n in range(9)])))
    for kind, (destination, arns) in KINDS.items():
        for _ in range(draw(st.integers(0, 3))):
            prefix = next(prefixes)
            rules = [{"Name": draw(st.sampled_from(["prefix", "Prefix"])), "Value": prefix + draw(TEXT)}]
            rules += draw(st.lists(TEXT.map(lambda text: {"Name": "Suffix", "Value": text}), max_size=1))
            entry = {
                destination: draw(st.sampled_from(arns)),
                "Events": draw(st.lists(st.sampled_from(sorted(EVENTS)), min_size=1, max_size=3, unique=True)),
                "Filter": {"Key": {"FilterRules": draw(st.permutations(rules))}},
            }
            if draw(st.booleans()):
                entry["Id"] = prefix + draw(TEXT)
            configuration.setdefault(kind, []).append(entry)
    return configuration


def wanted(suffixes):
    return properties(*(jpg(f".{n}{suffix}") for n, suffix in enumerate(suffixes)))


SUFFIXES = st.lists(st.sampled_from(["jpg", "JPG", "jpeg", "png"]), min_size=1, max_size=4).map(wanted)


@pytest.mark.line("001-17")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(foreign=configurations(), created=SUFFIXES, updated=SUFFIXES)
def test_create_update_and_delete_leave_others_exactly_as_they_were(bench, foreign, created, updated):
    bench.s3.reset()
    bench.responses.reset()
    bench.context.slept.clear()
    before = bench.s3.have(foreign)

    status = bench.create(created)["Status"]
    if status == "FAILED":
        assert "is already on the bucket" in bench.responses.only["Reason"]
        assert bench.s3.shown() == before
    assume(status == "SUCCESS")
    bench.update(updated, created, PHYSICAL_ID)
    bench.delete(PHYSICAL_ID, updated)

    assert bench.s3.shown() == before


@pytest.mark.parametrize("one", sorted(EVENTS))
def test_the_helper_and_the_check_at_render_agree_on_what_overlaps(one):
    assert [checked_at_render(one, other) for other in sorted(EVENTS)] == [
        events_overlap(one, other) for other in sorted(EVENTS)
    ]
