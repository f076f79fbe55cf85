"""The house pattern for a bucket: private, encrypted, versioned, TLS-only, with its clean-up rules."""

from __future__ import annotations

from collections.abc import Sequence

import awacs.s3
from awacs.aws import Action, PolicyDocument
from troposphere import GetAtt, Ref, Sub, s3

from imgpipe_templates import grants
from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.records import record
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns.retention import DeletionPolicy, keep_data

UPLOAD_EVENTS = "s3:ObjectCreated:*"


@record
class UploadNotification:
    """What a bucket must carry so that S3 itself starts a function for an upload.

    Attributes:
        function_arn: The function's ARN made of its known name; a reference would close a cycle.
        permission: Logical id of the permission that S3 tests when it accepts the notification.
        prefix: Keys that do not start with it are ignored; empty means any.
        suffixes: Keys that end with none of them are ignored.
    """

    function_arn: Value
    permission: str
    prefix: str
    suffixes: tuple[str, ...]


def private_bucket(title: str, rules: Sequence[s3.LifecycleRule], deletion_policy: DeletionPolicy) -> s3.Bucket:
    """A bucket that nobody outside of IAM reaches, with versions kept and `rules` to clean up after them."""
    bucket = s3.Bucket(
        title,
        BucketEncryption=s3.BucketEncryption(
            ServerSideEncryptionConfiguration=[
                s3.ServerSideEncryptionRule(
                    ServerSideEncryptionByDefault=s3.ServerSideEncryptionByDefault(SSEAlgorithm="AES256")
                )
            ]
        ),
        LifecycleConfiguration=s3.LifecycleConfiguration(Rules=list(rules)),
        OwnershipControls=s3.OwnershipControls(
            Rules=[s3.OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")],
        ),
        PublicAccessBlockConfiguration=s3.PublicAccessBlockConfiguration(
            BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
        ),
        VersioningConfiguration=s3.VersioningConfiguration(Status="Enabled"),
    )
    keep_data(bucket, deletion_policy)
    return bucket


def notify(bucket: s3.Bucket, notification: UploadNotification) -> None:
    """Make `bucket` start a function for every upload that `notification` lets through."""
    bucket.NotificationConfiguration = s3.NotificationConfiguration(
        LambdaConfigurations=[
            s3.LambdaConfigurations(
                Event=UPLOAD_EVENTS,
                Filter=s3.Filter(S3Key=s3.S3Key(Rules=_filter_rules(notification.prefix, suffix))),
                Function=notification.function_arn,
            )
            for suffix in notification.suffixes
        ]
    )
    # S3 tries the destination when it takes the configuration, so the permission must stand before the bucket.
    bucket.DependsOn = [notification.permission]


def refuse_plain_http(scope: Scope, bucket: s3.Bucket) -> None:
    """Add the policy that denies every request to `bucket` which does not come over TLS."""
    everything = Sub(f"${{{bucket.title}.Arn}}/*")
    statement = grants.refuse_plain_http([Action(awacs.s3.prefix, "*")], [GetAtt(bucket, "Arn"), everything])
    scope.add(
        s3.BucketPolicy(
            f"{bucket.title}Policy",
            Bucket=Ref(bucket),
            PolicyDocument=PolicyDocument(Version="2012-10-17", Statement=[statement]),
        )
    )


def _filter_rules(prefix: str, suffix: str) -> list[s3.Rules]:
    rules = [s3.Rules(Name="suffix", Value=suffix)]
    if prefix:
        rules.insert(0, s3.Rules(Name="prefix", Value=prefix))
    return rules
