"""Queue trigger: uploads wait in SQS, and Lambda polls the queue with a maximum concurrency.

The queue is fed by S3 itself or by an EventBridge rule. A message that fails is tried again by itself; after some
tries it goes to the dead-letter queue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import awacs.sqs
from awacs.aws import Action, PolicyDocument, Statement
from pydantic import Field
from troposphere import GetAtt, Ref, awslambda, events, sqs

from imgpipe_templates import grants
from imgpipe_templates.configuration import Conflict, Range, Section
from imgpipe_templates.core.handles import Bucket, Function, Queue
from imgpipe_templates.core.naming import Names, arn_text, substituted
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.core.upstream_gaps import QueueScalingConfig
from imgpipe_templates.patterns import accepted
from imgpipe_templates.patterns.buckets import UploadNotification
from imgpipe_templates.patterns.queues import LONGEST_RETENTION_SECONDS, UPLOAD_QUEUE
from imgpipe_templates.patterns.roles import FunctionDefaults, add_permission
from imgpipe_templates.patterns.suppressions import suppress
from imgpipe_templates.patterns.uploads import UploadFilter, add_upload_rule

# Lambda Developer Guide, "Using Lambda with Amazon SQS", read 2026-11: at least six times the function's timeout.
VISIBILITY_TIMEOUTS = 6

# SQS Developer Guide, "Using dead-letter queues in Amazon SQS", read 2026-12.
MAX_RECEIVE_COUNT = 1_000

# What the processor keeps for the report and its answer: PUBLISH_MS and ANSWER_MS of lambda/processor.
RESERVED_SECONDS = 8
# For planning a batch. A PNG of 49 megapixels, the largest that is accepted by default, needs about as long with
# 512 MB: docs/performance.md has 71 ms for 3 megapixels on a whole core, and 512 MB are 0.29 of one.
SECONDS_PER_UPLOAD = 4


class QueueConfig(Section):
    """The queue between bucket and processor, for `trigger = "queue"`."""

    fed_by: Annotated[
        Literal["eventbridge", "s3"],
        Field(description="What sends uploads to the queue: an EventBridge rule or a bucket notification."),
    ] = "eventbridge"
    batch_size: Annotated[
        int,
        Range(1, 10, "messages"),
        Field(
            description="Maximum number of uploads in one invocation. processing.timeout_seconds must be sufficient for"
            " all of them."
        ),
    ] = 1
    max_concurrency: Annotated[
        int,
        Range(2, 1_000, "invocations"),
        Field(description="Maximum number of concurrent invocations for the queue."),
    ] = 10
    max_receives: Annotated[
        int,
        Range(1, MAX_RECEIVE_COUNT, "tries"),
        Field(
            description="Number of attempts for one upload before it is sent to the dead-letter queue. SQS also counts "
            "receives in which an invocation had no time left for a message; maxReceiveCount includes "
            "these."
        ),
    ] = 5

    @property
    def receives(self) -> int:
        """The queue's maxReceiveCount.

        An invocation finishes at least one message of its batch and begins with those that were received most often.
        Even if each invocation finishes only one, a message is begun within twice `batch_size` receives. So every
        further try has `batch_size` receives, and the first one twice as many.
        """
        return self.max_receives if self.batch_size == 1 else (self.max_receives + 1) * self.batch_size

    @property
    def shortest_timeout_seconds(self) -> int:
        """The shortest timeout of the processor in which a whole batch is planned.

        A message is begun if there is time for twice the longest before it.
        """
        return 1 if self.batch_size == 1 else RESERVED_SECONDS + SECONDS_PER_UPLOAD * (self.batch_size + 1)

    def conflicts(self) -> Iterator[Conflict]:
        """More receives than SQS counts."""
        if self.receives > MAX_RECEIVE_COUNT:
            yield Conflict(
                ("max_receives", "batch_size"),
                f"{self.max_receives} tries of batches of {self.batch_size} messages need a maxReceiveCount of "
                f"{self.receives:,}, which SQS limits to {MAX_RECEIVE_COUNT:,}; expected max_receives of at most "
                f"{MAX_RECEIVE_COUNT // self.batch_size - 1}, or a smaller batch_size",
            )


@dataclass(frozen=True)
class QueueTrigger:
    """What the queue trigger offers: the queue, and how often it has an upload tried."""

    uploads: Queue
    max_receives: int


def queue_notification(names: Names, uploads: UploadFilter) -> UploadNotification:
    """What the source bucket must carry so that S3 itself feeds the queue."""
    arn = arn_text("sqs", names.text(UPLOAD_QUEUE))
    return UploadNotification("queue", substituted(arn), f"{UPLOAD_QUEUE}Policy", uploads.prefix, uploads.suffixes)


def add_queue_trigger(
    scope: Scope,
    config: QueueConfig,
    *,
    source: Bucket,
    uploads: UploadFilter,
    processor: Function,
    timeout_seconds: int,
    dead_letters: Queue,
    shared: FunctionDefaults,
) -> QueueTrigger:
    """Add the queue, its source and the event source mapping."""
    queue = sqs.Queue(
        UPLOAD_QUEUE,
        MessageRetentionPeriod=LONGEST_RETENTION_SECONDS,
        RedrivePolicy=sqs.RedrivePolicy(deadLetterTargetArn=dead_letters.arn, maxReceiveCount=config.receives),
        VisibilityTimeout=VISIBILITY_TIMEOUTS * timeout_seconds,
    )
    if shared.key:
        queue.KmsMasterKeyId = shared.key.arn
    else:
        queue.SqsManagedSseEnabled = True
    queue.DeletionPolicy = "Delete"
    queue.UpdateReplacePolicy = "Delete"
    handle = Queue.of(scope, queue)
    if config.fed_by == "eventbridge":
        sender = _feed_by_rule(scope, queue, source, uploads, dead_letters)
    else:
        sender = grants.service_may_send("s3.amazonaws.com", GetAtt(queue, "Arn"), source.arn)
    scope.add(
        sqs.QueuePolicy(
            f"{UPLOAD_QUEUE}Policy",
            Queues=[Ref(queue)],
            PolicyDocument=PolicyDocument(
                Version="2012-10-17",
                Statement=[
                    sender,
                    grants.refuse_plain_http([Action(awacs.sqs.prefix, "*")], [GetAtt(queue, "Arn")]),
                ],
            ),
        )
    )
    right = add_permission(scope, "UploadQueueReceivePolicy", processor, grants.receive_messages(handle), shared)
    mapping = awslambda.EventSourceMapping(
        "UploadQueueMapping",
        BatchSize=config.batch_size,
        EventSourceArn=GetAtt(queue, "Arn"),
        FunctionName=processor.name,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig=QueueScalingConfig(MaximumConcurrency=config.max_concurrency),
    )
    if shared.key:
        suppress(mapping, accepted.QUEUE_MAPPING)
    mapping.DependsOn = [str(right.title)]  # Lambda tries to receive when it creates the mapping
    scope.add(mapping)
    scope.output("UploadQueueName", handle.name, "Name of the queue in which uploads wait for the processor")
    scope.output("UploadQueueArn", GetAtt(queue, "Arn"), "Queue in which uploads wait for the processor")
    return QueueTrigger(handle, config.max_receives)


def _feed_by_rule(
    scope: Scope, queue: sqs.Queue, source: Bucket, uploads: UploadFilter, dead_letters: Queue
) -> Statement:
    """Add the rule that feeds `queue`; the statement lets just this rule."""
    arn = add_upload_rule(
        scope,
        uploads,
        source=source,
        target=events.Target(Id=UPLOAD_QUEUE, Arn=GetAtt(queue, "Arn")),
        description="Uploads that wait for the processor",
        dead_letters=dead_letters,
    )
    return grants.service_may_send("events.amazonaws.com", GetAtt(queue, "Arn"), arn)
