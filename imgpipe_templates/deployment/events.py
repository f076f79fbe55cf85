"""Following CloudFormation's work by its stack events."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from imgpipe_templates.deployment.clients import Clients
from imgpipe_templates.deployment.plan import Pace, StackEvent
from imgpipe_templates.errors import DeploymentError

STACK = "AWS::CloudFormation::Stack"

_GOOD_ENDS = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"}
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
        DeploymentError: It failed; the text names the first resource that did and why. Or it takes too long.
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
            raise DeploymentError(f"{stack_name}: {_what_failed(events)}")
        if time.monotonic() > deadline:
            raise DeploymentError(
                f"{stack_name}: is not done after {pace.stack_timeout_seconds:.0f} seconds;"
                " CloudFormation goes on working, look at the stack's events"
            )
        time.sleep(pace.poll_seconds)


def _is_end(event: StackEvent) -> bool:
    return event.kind == STACK and not event.status.endswith("IN_PROGRESS") and _is_the_stack_itself(event)


def _is_the_stack_itself(event: StackEvent) -> bool:
    # A nested stack is a resource of this type too, but its physical id is another stack's name.
    return f":stack/{event.logical_id}/" in event.physical_id


def _what_failed(events: list[StackEvent]) -> str:
    failed = [event for event in events if event.status.endswith("_FAILED") and not _is_end(event)]
    causes = [event for event in failed if not any(word in event.reason.lower() for word in _CONSEQUENCES)]
    end = events[-1].status
    if not failed:
        return f"stack is {end}: {events[-1].reason or 'no reason given'}"
    first = (causes or failed)[0]
    return f"{first.logical_id}: {first.status}: {first.reason or 'no reason given'}; the stack is {end}"


def _event(raw: dict[str, Any]) -> StackEvent:
    return StackEvent(
        event_id=raw["EventId"],
        logical_id=raw["LogicalResourceId"],
        physical_id=raw.get("PhysicalResourceId", ""),
        kind=raw.get("ResourceType", ""),
        status=raw.get("ResourceStatus", ""),
        reason=raw.get("ResourceStatusReason", ""),
    )
