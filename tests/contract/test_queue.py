"""The upload queue and the processor against each other: SQS as the template configures it, the real handler."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from imgpipe_processor.aws import PUBLISH_MS
from imgpipe_processor.invocation import ANSWER_MS, handle
from imgpipe_processor.processing import Processor
from imgpipe_templates import load_preset
from imgpipe_templates.subsystems.triggers import queue as declared
from tests.lambda_processor.deliveries import eventbridge
from tests.lambda_processor.deliveries import queue as batch
from tests.lambda_processor.fakes import METADATA_ONLY, Aws, holding
from tests.templates import rendered


class UploadQueue:
    """The queue and its mapping; a batch is any messages of the queue, as SQS promises no order.

    Args:
        image_seconds: The time in which the processor works on one image, by the clock of the test.
    """

    def __init__(self, options: list[str], image_seconds: float) -> None:
        resources = rendered(load_preset("production", options))["Resources"]
        self.timeout_seconds = resources["ImageProcessorFunction"]["Properties"]["Timeout"]
        self.max_receive_count = resources["UploadQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"]
        self.batch_size = resources["UploadQueueMapping"]["Properties"]["BatchSize"]
        self.image_seconds = image_seconds
        self.receives: dict[str, int] = {}
        self.dead: list[str] = []
        self.aws = Aws()
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.aws.before = self._work
        self.random = random.Random(7)  # noqa: S311 - the same order in every run

    def upload(self, key: str) -> None:
        self.aws.objects.update(holding(key).objects)
        self.receives[key] = 0

    def invoke(self) -> None:
        keys = self.random.sample(sorted(self.receives), min(self.batch_size, len(self.receives)))
        event = batch(*(eventbridge(key) for key in keys))
        names = dict(zip(keys, event["Records"], strict=True))
        for key, message in names.items():
            self.receives[key] += 1
            message["attributes"] = {"ApproximateReceiveCount": str(self.receives[key])}
        started = self.now
        answer = handle(
            event,
            Processor(METADATA_ONLY, self.aws, self.aws, clock=lambda: self.now, new_id=lambda: "an-attempt"),
            None,
            request_id="a-request",
            remaining_ms=lambda: int((self.timeout_seconds - (self.now - started).total_seconds()) * 1000),
        )
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for key, message in names.items():
            if message["messageId"] not in failed:
                del self.receives[key]
            elif self.receives[key] >= self.max_receive_count:
                del self.receives[key]
                self.dead.append(key)

    def _work(self, call: str) -> None:
        if call == "GetObject":
            self.now += timedelta(seconds=self.image_seconds)


@pytest.mark.parametrize(
    ("options", "image_seconds", "uploads"),
    [
        (["queue.batch_size=10"], 21, 10),
        (["queue.batch_size=10", "queue.max_receives=1"], 50, 10),
        (["queue.batch_size=2", "queue.max_receives=1", "processing.timeout_seconds=20"], 10, 2),
        (["queue.batch_size=10", "queue.max_receives=1"], 50, 60),
    ],
    ids=["one batch", "one try", "two messages, one try", "more than one batch"],
)
def test_no_upload_reaches_the_dead_letter_queue_before_it_was_begun(options: list[str], image_seconds, uploads):
    queue = UploadQueue(options, image_seconds)
    waiting = [f"{number}.jpg" for number in range(uploads)]

    while waiting or queue.receives:
        while waiting and len(queue.receives) < 2 * queue.batch_size:  # others keep coming
            queue.upload(waiting.pop())
        queue.invoke()

    assert queue.dead == []
    assert len(queue.aws.items) == uploads


def test_time_that_the_processor_keeps_for_its_answer_is_planned():
    assert declared.RESERVED_SECONDS * 1000 == ANSWER_MS + PUBLISH_MS


@pytest.mark.parametrize(
    ("options", "receives"),
    [([], 5), (["queue.batch_size=10"], 60), (["queue.batch_size=2", "queue.max_receives=1"], 4)],
)
def test_receives_have_room_for_messages_that_were_left(options: list[str], receives: Any):
    queue = rendered(load_preset("production", options))["Resources"]["UploadQueue"]["Properties"]

    assert queue["RedrivePolicy"]["maxReceiveCount"] == receives
