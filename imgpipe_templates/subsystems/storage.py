"""Storage: the source bucket, which takes the uploads, and the thumbnail bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from troposphere import Ref, s3

from imgpipe_templates.configuration import Conflict, Doc, Range, Section
from imgpipe_templates.core.handles import Bucket
from imgpipe_templates.core.parameters import STORAGE, ParameterSpec
from imgpipe_templates.core.records import record
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns.buckets import UploadNotification, notify, private_bucket, refuse_plain_http
from imgpipe_templates.patterns.retention import DeletionPolicy

# S3 User Guide, "Transitioning objects using Amazon S3 Lifecycle", read 2026-11: an object is moved to Standard-IA no
# sooner than 30 days after its creation, and onwards no sooner than 30 days after that.
INFREQUENT_ACCESS_MINIMUM_DAYS = 30


@dataclass(frozen=True)
class StorageConfig(Section):
    """How long objects stay, and in which storage class."""

    infrequent_access_after_days: Annotated[
        int,
        Range(INFREQUENT_ACCESS_MINIMUM_DAYS, 3650, "days"),
        Doc("When an upload moves to Standard-IA; S3 leaves objects below 128 KB where they are."),
    ] = 30
    glacier_after_days: Annotated[
        int,
        Range(2 * INFREQUENT_ACCESS_MINIMUM_DAYS, 3650, "days"),
        Doc("When an upload moves to Glacier Flexible Retrieval, from which reading it takes hours."),
    ] = 90
    noncurrent_expire_after_days: Annotated[
        int, Range(1, 3650, "days"), Doc("When an overwritten or deleted version is gone for good.")
    ] = 30
    abort_multipart_after_days: Annotated[
        int, Range(1, 365, "days"), Doc("When the parts of an upload that was never completed are removed.")
    ] = 7

    def conflicts(self) -> Iterator[Conflict]:
        """Days that S3 refuses together."""
        earliest = self.infrequent_access_after_days + INFREQUENT_ACCESS_MINIMUM_DAYS
        if self.glacier_after_days < earliest:
            yield Conflict(
                ("glacier_after_days", "infrequent_access_after_days"),
                f"{self.glacier_after_days} and {self.infrequent_access_after_days} are too close; expected "
                f"glacier_after_days of at least {earliest} days, 30 after the move to Standard-IA",
            )


@record
class Storage:
    """What storage offers: the two buckets."""

    source: Bucket
    thumbnails: Bucket


def add_storage(
    scope: Scope, config: StorageConfig, *, notification: UploadNotification | None, deletion_policy: DeletionPolicy
) -> Storage:
    """Add both buckets, and the notification of uploads where S3 itself sends it.

    Args:
        scope: Where they go.
        config: How long objects stay.
        notification: What S3 starts for an upload; None where something else watches the bucket.
        deletion_policy: What becomes of the buckets when the stack is deleted.
    """
    clean_up = _clean_up(config)
    scope.parameter(_source_bucket_name())
    bucket = private_bucket("SourceBucket", [_archive(config), *clean_up], deletion_policy)
    if notification:
        notify(bucket, notification)
        source = Bucket.by_name(scope, bucket)
    else:
        source = Bucket.of(scope, bucket)
    refuse_plain_http(scope, bucket)

    # No move to Standard-IA here: nearly every thumbnail is below the 128 KB that S3 moves.
    small = private_bucket("ThumbnailBucket", clean_up, deletion_policy)
    thumbnails = Bucket.of(scope, small)
    refuse_plain_http(scope, small)

    scope.output("SourceBucketName", Ref(bucket), "Bucket that takes the uploads", export="SourceBucket")
    scope.output("ThumbnailBucketName", thumbnails.name, "Bucket that holds the thumbnails")
    return Storage(source, thumbnails)


def _archive(config: StorageConfig) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        Id="ArchiveUploads",
        Status="Enabled",
        Transitions=[
            s3.LifecycleRuleTransition(
                StorageClass="STANDARD_IA", TransitionInDays=config.infrequent_access_after_days
            ),
            s3.LifecycleRuleTransition(StorageClass="GLACIER", TransitionInDays=config.glacier_after_days),
        ],
    )


def _clean_up(config: StorageConfig) -> list[s3.LifecycleRule]:
    return [
        s3.LifecycleRule(
            Id="DeleteOldVersions",
            Status="Enabled",
            ExpiredObjectDeleteMarker=True,
            NoncurrentVersionExpiration=s3.NoncurrentVersionExpiration(
                NoncurrentDays=config.noncurrent_expire_after_days
            ),
        ),
        s3.LifecycleRule(
            Id="AbortIncompleteUploads",
            Status="Enabled",
            AbortIncompleteMultipartUpload=s3.AbortIncompleteMultipartUpload(
                DaysAfterInitiation=config.abort_multipart_after_days
            ),
        ),
    ]


def _source_bucket_name() -> ParameterSpec:
    return ParameterSpec(
        "SourceBucketName",
        STORAGE,
        "Source bucket name",
        {
            "Type": "String",
            "Description": "Name of the bucket to create for uploads; no other bucket anywhere may have it",
            "MinLength": 3,
            "MaxLength": 63,
            "AllowedPattern": "^[a-z0-9][a-z0-9-]*[a-z0-9]$",
            "ConstraintDescription": "must be 3 to 63 lower-case letters, digits and hyphens, "
            "starting and ending with a letter or digit",
        },
    )
