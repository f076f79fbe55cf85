"""One invocation: every record of its event gets its turn before any failure is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from .aws import PUBLISH_MS
from .events import Delivery, Ignored, Upload, is_queue_event, read_deliveries
from .failures import RecordsToRetryError
from .keys import reason_to_ignore
from .lines import record_line
from .log import write_line
from .processing import LEFT, POSTPONED, RETRY, Outcome, Processor
from .records import FAILED, PROCESSED
from .reports import Failure, Reporter

# For the answer and the last log lines.
ANSWER_MS = 1_000


class Invocation:
    """What is known of an invocation, and what was done in it so far.

    Args:
        remaining_ms: tells how long Lambda lets it go on.
        reserved_ms: what is to be left of that after the last record.
    """

    def __init__(
        self, processor: Processor, request_id: str, remaining_ms: Callable[[], int], reserved_ms: int
    ) -> None:
        self.processor = processor
        self.request_id = request_id
        self.remaining_ms = remaining_ms
        self.reserved_ms = reserved_ms
        self.counts: Counter[str] = Counter()
        self.failures: list[Failure] = []
        self.unfinished: list[tuple[Delivery, str]] = []
        self.longest_ms = 0.0

    def attend_to_all(self, deliveries: Sequence[Delivery]) -> None:
        """Give every upload its turn, and last of all those that an earlier delivery has begun and not ended.

        One of these may be what killed the process that time, and would now again take the others with it.
        """
        work = [(delivery, upload) for delivery in deliveries for upload in delivery.uploads]
        postponed = [
            (delivery, upload)
            for delivery, upload in work
            if not self._attend_to(delivery, upload, postpone=len(work) > 1)
        ]
        for delivery, upload in postponed:
            self._attend_to(delivery, upload, postpone=False)

    def _attend_to(self, delivery: Delivery, upload: Upload | Ignored, *, postpone: bool) -> bool:
        """Bring one upload to its end, if it asks for work and there is time for it; False if it has to wait."""
        if isinstance(upload, Ignored):
            self._ignore(upload.reason)
            return True
        reason = reason_to_ignore(upload, self.processor.settings)
        if reason is not None:
            self._ignore(reason, bucket=upload.bucket, key=upload.key)
            return True
        outcome = self.processor.process(upload, postpone=postpone) if self._has_time() else Outcome(LEFT)
        if outcome.status == POSTPONED:
            return False
        self.longest_ms = max(self.longest_ms, outcome.duration_ms)
        self.counts[outcome.status] += 1
        clock, settings = self.processor.clock, self.processor.settings
        write_line(record_line(upload, outcome, settings, at=clock(), request_id=self.request_id))
        if outcome.status in {FAILED, RETRY}:
            self.failures.append(Failure(upload, outcome.category))
        if outcome.status in {RETRY, LEFT}:
            self.unfinished.append((delivery, f"{upload.image_id} ({outcome.category or LEFT})"))
        return True

    def _has_time(self) -> bool:
        """Whether a record may take twice as long as the longest before it; the first always may.

        A record that is not begun comes back with the next delivery, while one that is killed takes the others'
        answers with it.
        """
        return not self.longest_ms or self.remaining_ms() >= self.reserved_ms + 2 * self.longest_ms

    def _ignore(self, reason: str, **about: str) -> None:
        line = {"level": "WARNING", "event": "ignored", "request_id": self.request_id, "reason": reason}
        write_line(line | about)
        self.counts["ignored"] += 1


def handle(
    event: Any,
    processor: Processor,
    reporter: Reporter | None,
    *,
    request_id: str,
    remaining_ms: Callable[[], int],
) -> dict[str, Any]:
    """Process the uploads that an event tells of.

    The answer to a batch of SQS messages names those to deliver again ("Implementing partial batch responses", AWS
    Lambda Developer Guide, read 2026-11); the answer to any other event tells how many records ended in which way.

    Raises:
        RecordsToRetryError: after every record had its turn, if some did not come to an end; never for SQS messages.
    """
    reserved_ms = ANSWER_MS + (PUBLISH_MS if reporter else 0)
    invocation = Invocation(processor, request_id, remaining_ms, reserved_ms)
    invocation.attend_to_all(read_deliveries(event))
    counts = invocation.counts
    if reporter is not None:
        reporter.report(counts[PROCESSED], invocation.failures, processor.settings, request_id=request_id)
    if is_queue_event(event):
        again = dict.fromkeys(delivery.message_id for delivery, _ in invocation.unfinished)
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}
    if invocation.unfinished:
        named = ", ".join(text for _, text in invocation.unfinished)
        raise RecordsToRetryError(f"{len(invocation.unfinished)} of {counts.total()} records to retry: {named}")
    return dict(counts)
