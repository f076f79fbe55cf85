"""One invocation: every record of its event is tried before any failure is raised."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .events import Ignored, read_event
from .failures import RecordsToRetryError
from .log import write_line
from .processing import RETRY, Processor
from .reporting import record_line


def handle(event: Any, processor: Processor, *, request_id: str) -> dict[str, int]:
    """Process the uploads that an event tells of; answer how many records ended in which way.

    Raises:
        RecordsToRetryError: after every record was tried, if some did not come to an end.
    """
    counts: Counter[str] = Counter()
    unfinished = []
    for upload in read_event(event):
        if isinstance(upload, Ignored):
            write_line({"level": "WARNING", "event": "ignored", "request_id": request_id, "reason": upload.reason})
            counts["ignored"] += 1
            continue
        outcome = processor.process(upload)
        write_line(record_line(upload, outcome, processor.settings, at=processor.clock(), request_id=request_id))
        counts[outcome.status] += 1
        if outcome.status == RETRY:
            unfinished.append(f"{upload.image_id} ({outcome.category})")
    if unfinished:
        raise RecordsToRetryError(f"{len(unfinished)} of {counts.total()} records to retry: {', '.join(unfinished)}")
    return dict(counts)
