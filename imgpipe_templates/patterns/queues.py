"""The house pattern for a dead-letter queue."""

from __future__ import annotations

import awacs.sqs
from awacs.aws import Action, PolicyDocument
from troposphere import GetAtt, Ref, sqs

from imgpipe_templates import grants
from imgpipe_templates.core.handles import Key, Queue
from imgpipe_templates.core.stack import Scope

# The longest that SQS keeps a message, 14 days (SQS Developer Guide, "Amazon SQS message quotas", read 2026-11).
LONGEST_RETENTION_SECONDS = 1_209_600


def add_dead_letter_queue(scope: Scope, title: str, key: Key | None) -> Queue:
    """Add a queue that keeps what could not be processed, encrypted and TLS-only, for as long as SQS allows.

    Args:
        scope: Where it goes.
        title: Its logical id.
        key: Encrypts its messages; None means the key that SQS manages.
    """
    queue = sqs.Queue(title, MessageRetentionPeriod=LONGEST_RETENTION_SECONDS)
    if key:
        queue.KmsMasterKeyId = key.arn
    else:
        queue.SqsManagedSseEnabled = True
    # A failed event is worth nothing without the stack it failed in, and a kept queue would keep its name taken.
    queue.DeletionPolicy = "Delete"
    queue.UpdateReplacePolicy = "Delete"
    handle = Queue.of(scope, queue)
    statement = grants.refuse_plain_http([Action(awacs.sqs.prefix, "*")], [GetAtt(queue, "Arn")])
    scope.add(
        sqs.QueuePolicy(
            f"{title}Policy",
            Queues=[Ref(queue)],
            PolicyDocument=PolicyDocument(Version="2012-10-17", Statement=[statement]),
        )
    )
    return handle
