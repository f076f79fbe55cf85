"""The house pattern for a dead-letter queue."""

from __future__ import annotations

import awacs.sqs
from awacs.aws import Action, PolicyDocument
from troposphere import GetAtt, Ref, sqs

from imgpipe_templates import grants
from imgpipe_templates.core.handles import Key, Queue
from imgpipe_templates.core.naming import Names, arn_text, substituted
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns import accepted
from imgpipe_templates.patterns.suppressions import suppress

# The longest that SQS keeps a message, 14 days (SQS Developer Guide, "Amazon SQS message quotas", read 2026-11).
LONGEST_RETENTION_SECONDS = 1_209_600

# Logical ids of what waits for the processor and of what picks it out of a bucket's events, where the trigger has them.
UPLOAD_QUEUE = "UploadQueue"
UPLOAD_RULE = "UploadRule"


def add_dead_letter_queue(scope: Scope, title: str, key: Key | None) -> Queue:
    """Add a queue that keeps what could not be processed, encrypted and TLS-only, for as long as SQS allows.

    Besides the role of the function that fails, two may leave messages in it, each known by its name: the queue of
    uploads moves there what failed too often, and the rule of uploads what it could not deliver. Whether there are
    such a queue and rule is up to the trigger, which is downstream.

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
    if is_known(scope.names, UPLOAD_QUEUE):
        source = substituted(arn_text("sqs", scope.names.text(UPLOAD_QUEUE)))
        queue.RedriveAllowPolicy = {"redrivePermission": "byQueue", "sourceQueueArns": [source]}
    if key:
        suppress(queue, accepted.DEAD_LETTER_QUEUE)
    handle = Queue.of(scope, queue)
    statements = [grants.refuse_plain_http([Action(awacs.sqs.prefix, "*")], [GetAtt(queue, "Arn")])]
    if is_known(scope.names, UPLOAD_RULE):
        rule = substituted(arn_text("events", f"rule/{scope.names.text(UPLOAD_RULE)}"))
        statements.insert(0, grants.service_may_send("events.amazonaws.com", GetAtt(queue, "Arn"), rule))
    scope.add(
        sqs.QueuePolicy(
            f"{title}Policy",
            Queues=[Ref(queue)],
            PolicyDocument=PolicyDocument(Version="2012-10-17", Statement=statements),
        )
    )
    return handle


def is_known(names: Names, title: str) -> bool:
    """Whether the thing of that logical id is given a name that others can say without a reference to it."""
    return title in names.texts and (names.needed is None or title in names.needed)
