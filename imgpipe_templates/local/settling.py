"""Waiting until every upload has reached its end, whichever that is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.local.deliveries import Delivery, ObjectVersion
from imgpipe_templates.local.inputs import SourceFile

_FIRST_POLL_SECONDS = 0.05
_LONGEST_POLL_SECONDS = 0.5
_EVENT_SECONDS = 5.0  # the engine sends events at once; S3 says "typically within seconds, sometimes a minute"
_UNFINISHED = "processing"


@dataclass(frozen=True)
class Upload:
    """A file that is in the source bucket."""

    file: SourceFile
    version: ObjectVersion


@dataclass(frozen=True)
class Settled:
    """The end of one upload: its metadata item with a final status, or why it is lost.

    Attributes:
        log: What the function logged on its last attempt.
    """

    upload: Upload
    item: Mapping[str, Any] | None
    reason: str = ""
    log: str = ""


def settle(
    uploads: Sequence[Upload],
    deliveries: Callable[[], list[Delivery]],
    items: Callable[[], Mapping[ObjectVersion, Mapping[str, Any]]],
    *,
    event_seconds: float = _EVENT_SECONDS,
) -> Iterator[Settled]:
    """Yield every upload once, as it ends.

    A function's time limit and its retries are bounded, so every delivery ends by itself; only an upload for which no
    event ever comes is given up after a time.

    Args:
        uploads: Objects that a notification filter matches.
        deliveries: The engine's journal.
        items: The metadata items by the object they describe.
        event_seconds: Wait for a first event after the last delivery has ended.
    """
    waiting = {upload.version: upload for upload in uploads}
    quiet_since = time.monotonic()
    pause = _FIRST_POLL_SECONDS
    ended_before = -1
    while waiting:
        # The journal first: an item that a delivery wrote before it ended is then certainly among the items.
        journal = deliveries()
        ended = sum(delivery.state != "waiting" for delivery in journal)
        if ended != ended_before or ended < len(journal):
            quiet_since = time.monotonic()
        if ended != ended_before:
            ended_before, pause = ended, _FIRST_POLL_SECONDS
            yield from _ended(waiting, journal, items())
        if waiting and time.monotonic() - quiet_since > event_seconds:
            final = items()
            for version, upload in list(waiting.items()):
                del waiting[version]
                yield _without_event(upload, final.get(version))
        elif waiting:
            time.sleep(pause)
            pause = min(pause * 1.2, _LONGEST_POLL_SECONDS)


def _ended(
    waiting: dict[ObjectVersion, Upload],
    journal: Sequence[Delivery],
    items: Mapping[ObjectVersion, Mapping[str, Any]],
) -> Iterator[Settled]:
    by_version: dict[ObjectVersion, list[Delivery]] = {}
    for delivery in journal:
        for version in delivery.objects:
            by_version.setdefault(version, []).append(delivery)
    for version, upload in list(waiting.items()):
        about = by_version.get(version, [])
        item = items.get(version)
        if item is not None and item["Status"] != _UNFINISHED:
            settled = Settled(upload, item)
        elif about and all(delivery.state != "waiting" for delivery in about):
            settled = _lost(upload, about[-1], item)
        else:
            continue
        del waiting[version]
        yield settled


def _lost(upload: Upload, delivery: Delivery, item: Mapping[str, Any] | None) -> Settled:
    if delivery.state == "succeeded":
        left = "no metadata item" if item is None else f"its item in status {item['Status']!r}"
        return Settled(upload, None, f"{delivery.function} ended without an error and left {left}")
    if delivery.state == "refused":
        return Settled(upload, None, delivery.error)
    times = "once" if delivery.attempts == 1 else f"{delivery.attempts} times"
    end = f"; its event is in {delivery.dead_letter}" if delivery.dead_letter else "; its event is gone"
    return Settled(upload, None, f"{delivery.function} failed {times}: {delivery.error}{end}", delivery.log)


def _without_event(upload: Upload, item: Mapping[str, Any] | None) -> Settled:
    if item is not None and item["Status"] != _UNFINISHED:
        return Settled(upload, item)
    return Settled(upload, None, "no event reached a function")
