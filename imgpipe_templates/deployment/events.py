"""Following CloudFormation's work by its stack events."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from imgpipe_templates.deployment.clients import Clients
from imgpipe_templates.deployment.plan import Pace, StackEvent
from imgpipe_templates.errors import DeploymentError

STACK = "AWS::CloudFormation::Stack"

# A stack that fails as a whole is rolled back by itself, so CREATE_FAILED and UPDATE_FAILED are no ends ("Stack status
# codes", AWS CloudFormation User Guide, read 2026-11).
_GOOD_ENDS = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"}
_BAD_ENDS = {
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_FAILED",
    "DELETE_FAILED",
}
_CONSEQUENCES = ("cancelled", "canceled")  # resources that were stopped because another one failed


class EventLog:
    """The events of one stack, each seen once."""

    def __init__(self, clients: Clients, stack_id: str) -> None:
        self._clients = clients
        self._stack_id = stack_id
        self._seen: set[str] = set()

    def news(self) -> list[StackEvent]:
        """Events since the last call, oldest first."""
        fresh = []
        for page in self._clients.cloudformation.get_paginator("describe_stack_events").paginate(
            StackName=self._stack_id
        ):
            unseen = [event for event in page["StackEvents"] if event["EventId"] not in self._seen]
            fresh += [_event(event) for event in unseen]
            if len(unseen) < len(page["StackEvents"]):
                break  # newest come first: the rest is known
        self._seen.update(event.event_id for event in fresh)
        return fresh[::-1]

    def of(self, stack_id: str) -> EventLog:
        """The events of another stack."""
        return EventLog(self._clients, stack_id)

    def validation_faults(self) -> list[str]:
        """What was wrong with the template before anything was created."""
        return validation_faults(self._clients, StackName=self._stack_id)


def follow(log: EventLog, stack_name: str, pace: Pace, progress: Callable[[StackEvent], None]) -> list[StackEvent]:
    """Report events until the stack is at rest.

    Args:
        log: Its earlier events are already read.
        stack_name: For messages.
        pace: Polling and patience.
        progress: Called with each event.

    Returns:
        All events of the operation.

    Raises:
        DeploymentError: The operation failed, with the first failed resource and its reason, or the wait timed out.
    """
    deadline = time.monotonic() + pace.stack_timeout_seconds
    events: list[StackEvent] = []
    while True:
        for event in log.news():
            events.append(event)
            progress(event)
        if events and _is_end(events[-1]):
            if events[-1].status in _GOOD_ENDS:
                return events
            raise DeploymentError(f"{stack_name}: {_what_failed(events, log)}")
        if time.monotonic() > deadline:
            raise DeploymentError(
                f"{stack_name}: is not done after {pace.stack_timeout_seconds:.0f} seconds;"
                " CloudFormation goes on working, look at the stack's events"
            )
        time.sleep(pace.poll_seconds)


def validation_faults(clients: Clients, **subject: str) -> list[str]:
    """Return the errors of CloudFormation's early validation; empty if there are none or they cannot be read.

    Args:
        clients: Of the account.
        subject: StackName or ChangeSetName.
    """
    faults = []
    try:
        for page in clients.cloudformation.get_paginator("describe_events").paginate(**subject):
            for event in page["OperationEvents"]:
                if event.get("EventType") == "VALIDATION_ERROR" and event.get("ValidationFailureMode") == "FAIL":
                    where = event.get("ValidationPath") or event.get("LogicalResourceId", "template")
                    faults.append(f"{where}: {event.get('ValidationStatusReason', 'is not valid')}")
    except ClientError:  # the call needs another permission; the error is reported without its result
        return faults
    return faults


def _is_end(event: StackEvent) -> bool:
    # A nested stack is a resource of this type too, but its physical id is another stack's name.
    is_the_stack_itself = event.kind == STACK and f":stack/{event.logical_id}/" in event.physical_id
    return is_the_stack_itself and event.status in _GOOD_ENDS | _BAD_ENDS


def _what_failed(events: list[StackEvent], log: EventLog) -> str:
    end = events[-1]
    if first := _first_failure(events):
        return f"{_failure_text(first, log)}; the stack is {end.status}"
    reasons = [event.reason for event in events if event.status.endswith("_FAILED") and event.reason]
    return f"{'; '.join(log.validation_faults() or reasons) or 'no reason given'}; the stack is {end.status}"


def _first_failure(events: list[StackEvent]) -> StackEvent | None:
    """The failure of a resource that the others followed from."""
    end = events[-1]
    failed = [event for event in events if event.status.endswith("_FAILED") and event.physical_id != end.physical_id]
    causes = [event for event in failed if not any(word in event.reason.lower() for word in _CONSEQUENCES)]
    return next(iter(causes or failed), None)


def _failure_text(failure: StackEvent, log: EventLog) -> str:
    """A failure, and where that is one of a nested stack, the one inside it."""
    if failure.kind == STACK and failure.physical_id:
        inside = log.of(failure.physical_id)
        events = inside.news()
        if events and (first := _first_failure(events)):
            return f"{failure.logical_id}: {_failure_text(first, inside)}"
    return f"{failure.logical_id}: {failure.status}: {failure.reason or 'no reason given'}"


def _event(raw: dict[str, Any]) -> StackEvent:
    return StackEvent(
        event_id=raw["EventId"],
        logical_id=raw["LogicalResourceId"],
        physical_id=raw.get("PhysicalResourceId", ""),
        kind=raw.get("ResourceType", ""),
        status=raw.get("ResourceStatus", ""),
        reason=raw.get("ResourceStatusReason", ""),
    )
