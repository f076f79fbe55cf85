"""Rules about S3 event notifications: overlapping filters, event types, targets and permissions."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import combinations
from typing import Any

from imgpipe_templates.checks.facts.allowed_actions import may_be_arn
from imgpipe_templates.checks.facts.bucket_notifications import (
    NOTIFIER,
    Notification,
    events_overlap,
    filters_overlap,
    notifications,
)
from imgpipe_templates.checks.facts.creation_order import created_before
from imgpipe_templates.checks.facts.expressions import canonical
from imgpipe_templates.checks.facts.invocations import PERMISSION, allows_invoke
from imgpipe_templates.checks.facts.template import BUCKET, FUNCTION, QUEUE, TOPIC, Resource, Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule


@template_rule(
    "E9501",
    "Overlapping S3 notification filters",
    "S3 rejects a notification configuration in which one event matches two entries.",
    # Amazon S3 User Guide, "Configuring event notifications using object key name filtering", read 2026-11
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html",
)
def overlapping_notification_filters(template: Template) -> Iterator[Violation]:
    for bucket in template.of_type(BUCKET):
        for one, other in combinations(notifications(template, bucket), 2):
            if not events_overlap(one.event, other.event):
                continue
            filters = [(template.with_defaults(n.prefix), template.with_defaults(n.suffix)) for n in (one, other)]
            if filters_overlap(*filters):
                first = ".".join(str(part) for part in one.path[-2:])
                yield Violation(
                    other.path,
                    f"{other.event} with {other.filter_text} overlaps {first} ({one.event} with {one.filter_text}); "
                    "use prefixes or suffixes that exclude each other, or merge the entries",
                )


# Event types of S3 notifications (Amazon S3 User Guide, "Event notification types and destinations", read 2026-12).
_EVENT_TYPES = {
    "s3:IntelligentTiering": (),
    "s3:LifecycleExpiration:": ("*", "Delete", "DeleteMarkerCreated"),
    "s3:LifecycleTransition": (),
    "s3:ObjectAcl:Put": (),
    "s3:ObjectAnnotation:": ("*", "Put", "Delete"),
    "s3:ObjectCreated:": ("*", "Put", "Post", "Copy", "CompleteMultipartUpload"),
    "s3:ObjectRemoved:": ("*", "Delete", "DeleteMarkerCreated"),
    "s3:ObjectRestore:": ("*", "Post", "Completed", "Delete"),
    "s3:ObjectTagging:": ("*", "Put", "Delete"),
    "s3:ReducedRedundancyLostObject": (),
    "s3:Replication:": (
        *("*", "OperationFailedReplication", "OperationMissedThreshold"),
        *("OperationReplicatedAfterThreshold", "OperationNotTracked"),
    ),
    "s3:TestEvent": (),
}
EVENTS = frozenset(start + end for start, ends in _EVENT_TYPES.items() for end in (ends or ("",)))
# Type -> property of FIFO queues and topics.
_FIFO = {QUEUE: "FifoQueue", TOPIC: "FifoTopic"}


@template_rule(
    "E9518",
    "Invalid S3 notification event type or target",
    "S3 rejects an unknown event type and a FIFO queue or topic as the target.",
    # Amazon S3 User Guide, "Event notification types and destinations", read 2026-12
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html",
)
def invalid_notification(template: Template) -> Iterator[Violation]:
    for bucket in template.of_type(BUCKET):
        for notification in notifications(template, bucket):
            if "${" not in notification.event and notification.event not in EVENTS:
                near = get_close_matches(notification.event, EVENTS, 1)
                yield Violation(
                    notification.path,
                    f"S3 has no event type {notification.event!r}; use {near[0] if near else 's3:ObjectCreated:*'}",
                )
            for kind, key in _FIFO.items():
                target = template.find(kind, notification.target)
                if target is not None and canonical(target.properties.get(key)) == "true":
                    yield Violation(
                        notification.path,
                        f"{target.id} is FIFO, which S3 does not support; use a standard queue or topic",
                    )
    for writer in template.of_type(NOTIFIER):
        text = template.resolved(writer.properties.get("BucketName"))
        if text.startswith("arn:"):
            yield Violation(
                writer.at("BucketName"),
                f"{text!r} is an ARN, but the custom resource needs a name; use Ref of the bucket",
            )


@template_rule(
    "E9503",
    "S3 notification without Lambda permission, source account or DependsOn",
    "S3 tests the permission when it sets the notification; a bucket's ARN contains no account id.",
    # Amazon S3 User Guide, "Granting permissions to publish event notification messages", read 2026-11
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html",
    absence=True,
)
def notification_without_permission(template: Template) -> Iterator[Violation]:
    for bucket in template.of_type(BUCKET):
        arn = template.resolved({"Fn::GetAtt": [bucket.id, "Arn"]})
        for function, notification in _first_notifications(template, bucket):
            permissions = [
                permission
                for permission in template.of_type(PERMISSION)
                if _allows_bucket(template, permission, notification.target, arn)
            ]
            if violation := _permission_violation(template, notification, function, permissions):
                yield violation


def _first_notifications(template: Template, bucket: Resource) -> list[tuple[Resource, Notification]]:
    """Return the functions of this template that a bucket notifies, each with its first notification."""
    found: dict[str, tuple[Resource, Notification]] = {}
    for notification in notifications(template, bucket):
        if notification.target_kind == "Function" and (function := template.find(FUNCTION, notification.target)):
            found.setdefault(function.id, (function, notification))
    return list(found.values())


def _allows_bucket(template: Template, permission: Resource, invoked: Any, bucket_arn: str) -> bool:
    properties = permission.properties
    source = properties.get("SourceArn")
    return (
        canonical(properties.get("Principal")) == "s3.amazonaws.com"
        and allows_invoke(permission)
        and template.same_function(properties.get("FunctionName"), invoked)
        and (source is None or may_be_arn(template, source, bucket_arn))
    )


def _permission_violation(
    template: Template, notification: Notification, function: Resource, permissions: list[Resource]
) -> Violation | None:
    if not permissions:
        return Violation(
            notification.path,
            f"S3 cannot invoke {function.id}; add an AWS::Lambda::Permission for s3.amazonaws.com with this "
            "bucket's ARN as SourceArn and the account as SourceAccount, for the alias or version of the notification",
        )
    with_account = [permission for permission in permissions if permission.properties.get("SourceAccount") is not None]
    if not with_account:
        return Violation(
            permissions[0].path,
            "a bucket ARN contains no account, so a later owner of the bucket name could invoke the function; "
            "add SourceAccount: {Ref: AWS::AccountId}",
        )
    if not created_before(template, notification.writer) & {permission.id for permission in with_account}:
        return Violation(
            notification.writer.path,
            f"S3 tests the target when it sets the notification, but {with_account[0].id} may be created later; add "
            f"DependsOn: {with_account[0].id}",
        )
    return None
