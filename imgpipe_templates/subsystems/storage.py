"""Storage: the source bucket for uploads and the bucket for thumbnails, which can be the same bucket."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field
from troposphere import GetAtt, Ref, s3

from imgpipe_templates import grants
from imgpipe_templates.configuration import Conflict, Hint, Length, OnlyWith, Pattern, Range, Section
from imgpipe_templates.core.handles import Bucket
from imgpipe_templates.core.parameters import STORAGE, ParameterSpec
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.limits import MAX_PARAMETER_VALUE_BYTES
from imgpipe_templates.patterns import accepted
from imgpipe_templates.patterns.browsers import allowed_origins
from imgpipe_templates.patterns.buckets import (
    BucketSettings,
    UploadNotification,
    add_bucket_policy,
    clean_up_rules,
    notify,
    private_bucket,
    refuse_plain_http,
    refuse_plain_http_to,
    send_to_eventbridge,
)
from imgpipe_templates.patterns.suppressions import suppress
from imgpipe_templates.patterns.uploads import MAX_PREFIX_CHARACTERS

# S3 User Guide, "Transitioning objects using Amazon S3 Lifecycle", read 2026-11: an object is moved to Standard-IA no
# sooner than 30 days after its creation, and onwards no sooner than 30 days after that.
INFREQUENT_ACCESS_MINIMUM_DAYS = 30

THUMBNAILS = OnlyWith({"processing.thumbnails": (True,)})
ARCHIVE = OnlyWith({"storage.archive": (True,)})

# RFC 1035: a host has at most 253 characters.
Origin = Annotated[
    str, Pattern("^https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?$", "an origin such as https://photos.example.org")
]


class StorageConfig(Section):
    """Buckets, how long objects stay, and in which storage class."""

    buckets: Annotated[
        Literal["one", "two"],
        Field(
            description="`two`: thumbnails are in a separate bucket. `one`: thumbnails are in the bucket of the "
            "uploads, under output_prefix."
        ),
        THUMBNAILS,
    ] = "two"
    source_bucket_name: Annotated[
        Literal["parameter", "derived"],
        Field(
            description="`parameter`: the name of the source bucket is a template parameter. `derived`: it is derived "
            "from suffix and account."
        ),
        Hint("the name itself is the template parameter SourceBucketName, which is given at deployment"),
    ] = "parameter"
    output_prefix: Annotated[
        str,
        Length(2, MAX_PREFIX_CHARACTERS, "characters"),
        Pattern("^[A-Za-z0-9._-]+/$", "a folder and a slash at its end only, such as thumbnails/"),
        Field(description="Prefix of the thumbnails' keys."),
        THUMBNAILS,
    ] = "thumbnails/"
    cors_origins: Annotated[
        tuple[Origin, ...],
        Length(0, 20, "origins"),
        Field(description="Origins of web pages that may upload to and read from the buckets with pre-signed URLs."),
    ] = ()
    access_logs: Annotated[bool, Field(description="Create a bucket for S3 server access logs.")] = False
    access_logs_expire_after_days: Annotated[
        int,
        Range(1, 3650, "days"),
        Field(description="Delete access logs after this time."),
        OnlyWith({"storage.access_logs": (True,)}),
    ] = 365
    infrequent_access_after_days: Annotated[
        int,
        Range(INFREQUENT_ACCESS_MINIMUM_DAYS, 3650, "days"),
        Field(description="Move uploads to S3 Standard-IA after this time. S3 does not move objects under 128 KB."),
        ARCHIVE,
    ] = 30
    glacier_after_days: Annotated[
        int,
        Range(2 * INFREQUENT_ACCESS_MINIMUM_DAYS, 3650, "days"),
        Field(description="Move uploads from S3 Standard-IA to archive_class after this time."),
        ARCHIVE,
    ] = 90
    archive_class: Annotated[
        Literal["GLACIER_IR", "GLACIER"],
        Field(
            description="Storage class of old uploads. From `GLACIER_IR` (Glacier Instant Retrieval), objects can be "
            "read at once, so links to uploads, new thumbnails and AWS Backup work. `GLACIER` (Glacier "
            "Flexible Retrieval) costs less, but objects must be restored for hours before they can be "
            "read."
        ),
        ARCHIVE,
    ] = "GLACIER_IR"
    archive: Annotated[bool, Field(description="Move old uploads to colder storage classes.")] = True
    noncurrent_expire_after_days: Annotated[
        int, Range(1, 3650, "days"), Field(description="Delete noncurrent versions of uploads after this time.")
    ] = 30
    keep_noncurrent_versions: Annotated[
        int,
        Range(0, 100, "versions"),
        Field(description="Number of noncurrent versions of an upload to keep regardless of their age."),
    ] = 0
    thumbnails_noncurrent_expire_after_days: Annotated[
        int,
        Range(1, 3650, "days"),
        Field(description="Delete noncurrent versions of thumbnails after this time."),
        THUMBNAILS,
        OnlyWith({"storage.buckets": ("two",)}),
    ] = 30
    abort_multipart_after_days: Annotated[
        int,
        Range(1, 365, "days"),
        Field(description="Abort incomplete multipart uploads after this time."),
    ] = 7

    def conflicts(self) -> Iterator[Conflict]:
        """Days that S3 refuses together."""
        earliest = self.infrequent_access_after_days + INFREQUENT_ACCESS_MINIMUM_DAYS
        if self.archive and self.glacier_after_days < earliest:
            yield Conflict(
                ("glacier_after_days", "infrequent_access_after_days"),
                f"{self.glacier_after_days} and {self.infrequent_access_after_days} are too close; expected "
                f"glacier_after_days of at least {earliest} days, 30 after the move to Standard-IA",
            )
        if (length := len(",".join(self.cors_origins))) > MAX_PARAMETER_VALUE_BYTES:
            yield Conflict(
                ("cors_origins",),
                f"the origins have {length:,} characters together; expected at most {MAX_PARAMETER_VALUE_BYTES:,}, the "
                "limit of a template's parameter",
            )


@dataclass(frozen=True)
class Storage:
    """What storage offers: the two buckets; in one bucket they are the same."""

    source: Bucket
    thumbnails: Bucket

    @property
    def apart(self) -> bool:
        """True if thumbnails are in a separate bucket."""
        return self.source.title != self.thumbnails.title


@dataclass(frozen=True)
class UploadRoute:
    """How uploads leave the source bucket.

    Attributes:
        notification: S3 event notification; None if the trigger does not use one.
        eventbridge: Whether all events go to EventBridge.
        prefix: Prefix of uploads. If there is one bucket, its archive rule uses it.
    """

    notification: UploadNotification | None = None
    eventbridge: bool = False
    prefix: str = ""


def add_storage(
    scope: Scope, config: StorageConfig, settings: BucketSettings, *, route: UploadRoute, thumbnails: bool = True
) -> Storage:
    """Add the buckets, with the notification of uploads if S3 sends it.

    Args:
        scope: Where they go.
        config: Which buckets, and how long objects stay.
        settings: What all buckets share.
        route: How uploads leave the source bucket.
        thumbnails: Whether thumbnails are made at all.
    """
    if config.access_logs:
        settings = dataclasses.replace(settings, logs=_add_access_logs(scope, config, settings))
    if config.source_bucket_name == "parameter":
        scope.parameter(_source_bucket_name())
    bucket = private_bucket("SourceBucket", _source_rules(config, route.prefix), settings)
    _allow_pages(scope, bucket, config, ["GET", "PUT", "POST"])
    if route.eventbridge:
        send_to_eventbridge(bucket)
    if route.notification:
        notify(bucket, route.notification, settings)
        source = Bucket.by_name(scope, bucket)
    else:
        source = Bucket.of(scope, bucket)
    refuse_plain_http(scope, bucket, settings)
    scope.output("SourceBucketName", Ref(bucket), "Bucket for uploads", export="SourceBucket")
    scope.output("SourceBucketArn", GetAtt(bucket, "Arn"), "ARN of the bucket for uploads")
    if config.buckets == "one" or not thumbnails:
        return Storage(source, source)

    days = config.thumbnails_noncurrent_expire_after_days
    # No move to Standard-IA here: nearly every thumbnail is below the 128 KB that S3 moves.
    small = private_bucket("ThumbnailBucket", _clean_up(config, days, 0), settings)
    _allow_pages(scope, small, config, ["GET"])
    if settings.backup:
        send_to_eventbridge(small)
    own = Bucket.of(scope, small)
    refuse_plain_http(scope, small, settings)
    scope.output("ThumbnailBucketName", own.name, "Bucket that holds the thumbnails")
    scope.output("ThumbnailBucketArn", own.arn, "ARN of the bucket that holds the thumbnails")
    return Storage(source, own)


def _add_access_logs(scope: Scope, config: StorageConfig, settings: BucketSettings) -> Bucket:
    """The bucket that S3 writes its records into; S3 encrypts them with its own key only."""
    expire = s3.LifecycleRule(
        Id="DeleteOldRecords", Status="Enabled", ExpirationInDays=config.access_logs_expire_after_days
    )
    rules = [expire, *_clean_up(config, 1, 0)]
    bucket = private_bucket("AccessLogBucket", rules, BucketSettings(settings.deletion_policy))
    if settings.key:
        suppress(bucket, *accepted.ACCESS_LOGS)
    logs = Bucket.of(scope, bucket)
    statements = [refuse_plain_http_to(bucket), grants.s3_may_log(logs.objects_arn())]
    add_bucket_policy(scope, bucket, statements, hardened=settings.key is not None)
    scope.output("AccessLogBucketName", logs.name, "Bucket that keeps the records of requests")
    scope.output("AccessLogBucketArn", logs.arn, "ARN of the bucket that keeps the records of requests")
    return logs


def _source_rules(config: StorageConfig, prefix: str) -> list[s3.LifecycleRule]:
    clean_up = _clean_up(config, config.noncurrent_expire_after_days, config.keep_noncurrent_versions)
    return [*([_archive(config, prefix)] if config.archive else []), *clean_up]


def _archive(config: StorageConfig, prefix: str) -> s3.LifecycleRule:
    rule = s3.LifecycleRule(
        Id="ArchiveUploads",
        Status="Enabled",
        Transitions=[
            s3.LifecycleRuleTransition(
                StorageClass="STANDARD_IA", TransitionInDays=config.infrequent_access_after_days
            ),
            s3.LifecycleRuleTransition(StorageClass=config.archive_class, TransitionInDays=config.glacier_after_days),
        ],
    )
    if prefix and config.buckets == "one":
        rule.Prefix = prefix
    return rule


def _clean_up(config: StorageConfig, noncurrent_days: int, keep_versions: int) -> list[s3.LifecycleRule]:
    return clean_up_rules(noncurrent_days, keep_versions, config.abort_multipart_after_days)


def _allow_pages(scope: Scope, bucket: s3.Bucket, config: StorageConfig, methods: list[str]) -> None:
    if config.cors_origins:
        rule = s3.CorsRules(
            AllowedHeaders=["content-type", "x-amz-*"],
            AllowedMethods=methods,
            AllowedOrigins=scope.parameter(allowed_origins(config.cors_origins)),
            ExposedHeaders=["ETag"],
            MaxAge=3600,
        )
        bucket.CorsConfiguration = s3.CorsConfiguration(CorsRules=[rule])


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
