"""What is said of a failed deployment."""

from __future__ import annotations

import pytest

from imgpipe_templates.deployment.events import follow
from imgpipe_templates.deployment.plan import Pace, StackEvent
from imgpipe_templates.errors import DeploymentError

STACK_ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/photos/1"
NESTED_ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/photos-Nested-2/3"


def event(logical_id: str, status: str, reason: str = "", physical_id: str = "") -> StackEvent:
    kind = "AWS::CloudFormation::Stack" if physical_id.startswith("arn:aws:cloudformation") else "AWS::SQS::Queue"
    return StackEvent(f"{logical_id}-{status}", logical_id, physical_id, kind, status, reason)


class Log:
    """Gives its events in portions, as polling does; `nested` has those of other stacks."""

    def __init__(self, *portions: list[StackEvent], **nested: list[StackEvent]) -> None:
        self.portions = list(portions)
        self.nested = nested

    def of(self, stack_id: str) -> Log:
        return Log(self.nested[stack_id.split("/")[1].partition("-")[2]])

    def news(self) -> list[StackEvent]:
        return self.portions.pop(0) if self.portions else []

    def validation_faults(self) -> list[str]:
        return []


def test_the_first_cause_is_named_and_not_what_was_cancelled_for_it():
    log = Log(
        [event("A", "CREATE_FAILED", "Resource creation cancelled")],
        [
            event("B", "CREATE_FAILED", "Queue name is taken"),
            event("C", "CREATE_FAILED", "Too late"),
            event("photos", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed", STACK_ID),
        ],
        [event("photos", "ROLLBACK_COMPLETE", "", STACK_ID)],
    )

    with pytest.raises(DeploymentError) as failure:
        follow(log, "photos", Pace(poll_seconds=0), lambda _: None)

    assert str(failure.value) == ("photos: B: CREATE_FAILED: Queue name is taken; the stack is ROLLBACK_COMPLETE")


def test_of_a_nested_stack_what_failed_inside_is_named():
    inside = [
        event("Queue", "CREATE_FAILED", "Queue name is taken"),
        event("photos-Nested-2", "ROLLBACK_COMPLETE", "", NESTED_ID),
    ]
    log = Log(
        [
            event("Nested", "CREATE_FAILED", "Embedded stack was not successfully created", NESTED_ID),
            event("photos", "ROLLBACK_COMPLETE", "", STACK_ID),
        ],
        **{"Nested-2": inside},
    )

    with pytest.raises(DeploymentError) as failure:
        follow(log, "photos", Pace(poll_seconds=0), lambda _: None)

    assert str(failure.value) == (
        "photos: Nested: Queue: CREATE_FAILED: Queue name is taken; the stack is ROLLBACK_COMPLETE"
    )


def test_the_end_of_a_nested_stack_is_not_the_end_of_the_stack():
    seen: list[StackEvent] = []
    log = Log(
        [event("Nested", "CREATE_COMPLETE", "", NESTED_ID)],
        [],
        [event("photos", "CREATE_COMPLETE", "", STACK_ID)],
    )

    assert follow(log, "photos", Pace(poll_seconds=0), seen.append) == seen
    assert [one.logical_id for one in seen] == ["Nested", "photos"]


def test_a_stack_that_never_ends_is_given_up_but_not_stopped():
    with pytest.raises(DeploymentError, match="photos: is not done after 0 seconds; CloudFormation goes on working"):
        follow(Log(), "photos", Pace(poll_seconds=0, stack_timeout_seconds=0), lambda _: None)
