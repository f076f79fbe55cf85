"""The house pattern for a bucket: private, encrypted, versioned, TLS-only, with its clean-up rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import awacs.s3
from awacs.aws import Action, PolicyDocument, Statement
from troposphere import GetAtt, Join, Ref, Tags, s3

from imgpipe_templates import grants
from imgpipe_templates.core.handles import Bucket, Key
from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns import accepted
from imgpipe_templates.patterns.retention import DeletionPolicy, backup_tag, keep_data
from imgpipe_templates.patterns.suppressions import suppress

UPLOAD_EVENTS = "s3:ObjectCreated:*"


@dataclass(frozen=True)
class UploadNotification:
    """An S3 event notification of uploads.

    Attributes:
        kind: Type of the destination.
        target_arn: Its ARN made of its known name; a reference would close a cycle.
        after: Logical id of the permission; S3 tests the destination when it sets the notification.
        prefix: Keys that do not start with it are ignored; empty means any.
        suffixes: Keys that end with none of them are ignored.
    """

    kind: Literal["function", "queue"]
    target_arn: Value
    after: str
    prefix: str
    suffixes: tuple[str, ...]


@dataclass(frozen=True)
class BucketSettings:
    """What all buckets of a pipeline share.

    Attributes:
        deletion_policy: What becomes of them when the stack is deleted.
        key: Encrypts their objects; None means the key that S3 manages.
        logs: Bucket for access logs; None means no access logs.
        backup: Whether the backup plan copies them.
    """

    deletion_policy: DeletionPolicy
    key: Key | None = None
    logs: Bucket | None = None
    backup: bool = False


def private_bucket(title: str, rules: Sequence[s3.LifecycleRule], settings: BucketSettings) -> s3.Bucket:
    """Return a private bucket with versioning and the lifecycle rules `rules`."""
    bucket = s3.Bucket(
        title,
        BucketEncryption=_encryption(settings.key),
        LifecycleConfiguration=s3.LifecycleConfiguration(Rules=list(rules)),
        OwnershipControls=s3.OwnershipControls(
            Rules=[s3.OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")],
        ),
        PublicAccessBlockConfiguration=s3.PublicAccessBlockConfiguration(
            BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
        ),
        VersioningConfiguration=s3.VersioningConfiguration(Status="Enabled"),
    )
    if settings.backup:
        bucket.Tags = Tags(backup_tag())
    if settings.logs:
        bucket.LoggingConfiguration = s3.LoggingConfiguration(
            DestinationBucketName=settings.logs.name, LogFilePrefix=f"{title}/"
        )
    keep_data(bucket, settings.deletion_policy)
    if settings.key and settings.backup:
        suppress(bucket, *accepted.IMAGES)
    return bucket


def clean_up_rules(
    noncurrent_expire_after_days: int, keep_versions: int, abort_multipart_after_days: int
) -> list[s3.LifecycleRule]:
    """Delete old versions and the parts of uploads that were never completed.

    Args:
        noncurrent_expire_after_days: When an overwritten or deleted version is deleted, in days.
        keep_versions: Number of noncurrent versions to keep regardless of their age.
        abort_multipart_after_days: When the parts of an upload are deleted, in days.
    """
    expiration = s3.NoncurrentVersionExpiration(NoncurrentDays=noncurrent_expire_after_days)
    if keep_versions:
        expiration.NewerNoncurrentVersions = keep_versions
    return [
        s3.LifecycleRule(
            Id="DeleteOldVersions",
            Status="Enabled",
            ExpiredObjectDeleteMarker=True,
            NoncurrentVersionExpiration=expiration,
        ),
        s3.LifecycleRule(
            Id="AbortIncompleteUploads",
            Status="Enabled",
            AbortIncompleteMultipartUpload=s3.AbortIncompleteMultipartUpload(
                DaysAfterInitiation=abort_multipart_after_days
            ),
        ),
    ]


def notify(bucket: s3.Bucket, notification: UploadNotification, settings: BucketSettings) -> None:
    """Set `notification` on `bucket`."""
    filters = [
        s3.Filter(S3Key=s3.S3Key(Rules=_filter_rules(notification.prefix, suffix))) for suffix in notification.suffixes
    ]
    configuration = s3.NotificationConfiguration()
    if settings.backup:
        configuration.EventBridgeConfiguration = _events_to_eventbridge()
    if notification.kind == "function":
        configuration.LambdaConfigurations = [
            s3.LambdaConfigurations(Event=UPLOAD_EVENTS, Filter=keys, Function=notification.target_arn)
            for keys in filters
        ]
    else:
        configuration.QueueConfigurations = [
            s3.QueueConfigurations(Event=UPLOAD_EVENTS, Filter=keys, Queue=notification.target_arn) for keys in filters
        ]
    bucket.NotificationConfiguration = configuration
    # S3 tests the destination when it sets the configuration, so the permission must exist before the bucket.
    bucket.DependsOn = [notification.after]


def send_to_eventbridge(bucket: s3.Bucket) -> None:
    """Make `bucket` send all its events to the account's default event bus; a rule picks from them.

    AWS Backup copies a bucket by its events and switches them on by itself; a template that leaves them out would
    switch them off again with the next change of the bucket's notifications.
    """
    bucket.NotificationConfiguration = s3.NotificationConfiguration(EventBridgeConfiguration=_events_to_eventbridge())


def refuse_plain_http(scope: Scope, bucket: s3.Bucket, settings: BucketSettings) -> None:
    """Add the policy that denies every request to `bucket` which does not come over TLS."""
    add_bucket_policy(scope, bucket, [refuse_plain_http_to(bucket)], hardened=settings.key is not None)


def refuse_plain_http_to(bucket: s3.Bucket) -> Statement:
    """Deny every request to `bucket` and its objects that does not come over TLS.

    The objects are named by a join: Control Tower's CT.S3.PR.8 does not look into `Fn::Sub`.
    """
    objects = Join("", [GetAtt(bucket, "Arn"), "/*"])
    return grants.refuse_plain_http([Action(awacs.s3.prefix, "*")], [GetAtt(bucket, "Arn"), objects])


def add_bucket_policy(scope: Scope, bucket: s3.Bucket, statements: Sequence[Statement], *, hardened: bool) -> None:
    """Add the policy of a bucket.

    Args:
        scope: Where it goes.
        bucket: The bucket.
        statements: What its policy says; among them the refusal of plain HTTP.
        hardened: Whether the pipeline is held against all public scanners.
    """
    policy = s3.BucketPolicy(
        f"{bucket.title}Policy",
        Bucket=Ref(bucket),
        PolicyDocument=PolicyDocument(Version="2012-10-17", Statement=list(statements)),
    )
    if hardened:
        suppress(policy, accepted.TLS_ONLY)
    scope.add(policy)


def _events_to_eventbridge() -> s3.EventBridgeConfiguration:
    return s3.EventBridgeConfiguration(EventBridgeEnabled=True)


def _encryption(key: Key | None) -> s3.BucketEncryption:
    if key is None:
        rule = s3.ServerSideEncryptionRule(
            ServerSideEncryptionByDefault=s3.ServerSideEncryptionByDefault(SSEAlgorithm="AES256")
        )
    else:
        rule = s3.ServerSideEncryptionRule(
            BucketKeyEnabled=True,  # one call to KMS for many objects
            ServerSideEncryptionByDefault=s3.ServerSideEncryptionByDefault(
                KMSMasterKeyID=key.arn, SSEAlgorithm="aws:kms"
            ),
        )
    return s3.BucketEncryption(ServerSideEncryptionConfiguration=[rule])


def _filter_rules(prefix: str, suffix: str) -> list[s3.Rules]:
    rules = [s3.Rules(Name="suffix", Value=suffix)]
    if prefix:
        rules.insert(0, s3.Rules(Name="prefix", Value=prefix))
    return rules
