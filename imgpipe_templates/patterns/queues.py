"""Pattern of a dead-letter queue."""

from __future__ import annotations

from dataclasses import dataclass

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

# Logical ids of the queue of uploads, and of the EventBridge rule that matches uploads, if the trigger has them.
UPLOAD_QUEUE = "UploadQueue"
UPLOAD_RULE = "UploadRule"


@dataclass(frozen=True)
class DeadLetterSenders:
    """Resources of the trigger that send messages to the dead-letter queue, in addition to the function's role.

    Attributes:
        upload_queue: True if the trigger has a queue of uploads, which moves messages after too many receives.
        upload_rule: True if the trigger has an EventBridge rule, which sends events that it could not deliver.
    """

    upload_queue: bool
    upload_rule: bool


def add_dead_letter_queue(scope: Scope, title: str, key: Key | None, senders: DeadLetterSenders) -> Queue:
    """Add a queue for failed events, encrypted and TLS-only, with the longest retention of SQS.

    Args:
        scope: Scope of the subsystem that adds the queue.
        title: Logical id of the queue.
        key: Encrypts the messages; None means the key that SQS manages.
        senders: The policies of the queue admit these senders, each by its name.
    """
    queue = sqs.Queue(title, MessageRetentionPeriod=LONGEST_RETENTION_SECONDS)
    if key:
        queue.KmsMasterKeyId = key.arn
    else:
        queue.SqsManagedSseEnabled = True
    # A failed event is useless without its stack, and a retained queue would block its name.
    queue.DeletionPolicy = "Delete"
    queue.UpdateReplacePolicy = "Delete"
    if not senders.upload_queue:
        queue.RedriveAllowPolicy = {"redrivePermission": "denyAll"}
    elif has_fixed_name(scope.names, UPLOAD_QUEUE):
        source = substituted(arn_text("sqs", scope.names.text(UPLOAD_QUEUE)))
        queue.RedriveAllowPolicy = {"redrivePermission": "byQueue", "sourceQueueArns": [source]}
    if key:
        suppress(queue, accepted.DEAD_LETTER_QUEUE)
    handle = Queue.of(scope, queue)
    statements = [grants.refuse_plain_http([Action(awacs.sqs.prefix, "*")], [GetAtt(queue, "Arn")])]
    if senders.upload_rule and has_fixed_name(scope.names, UPLOAD_RULE):
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


def has_fixed_name(names: Names, title: str) -> bool:
    """Return True if the resource has a physical name that others can use without a reference to it."""
    return title in names.texts and (names.needed is None or title in names.needed)
