"""Metadata: the table with one item per uploaded image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from troposphere import dynamodb

from imgpipe_templates.configuration import Doc, Range, Section
from imgpipe_templates.core.handles import Table
from imgpipe_templates.core.records import record
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns.retention import DeletionPolicy, keep_data


@dataclass(frozen=True)
class MetadataConfig(Section):
    """The table of image metadata."""

    point_in_time_recovery_days: Annotated[
        int, Range(1, 35, "days"), Doc("How far back the table can be restored to any second.")
    ] = 35
    encryption: Annotated[
        Literal["aws-managed", "aws-owned"],
        Doc("Key of the table: `aws-managed` shows its use in CloudTrail and costs KMS requests, `aws-owned` is free."),
    ] = "aws-managed"
    stream: Annotated[bool, Doc("Whether changes of items can be read as a stream, with old and new image.")] = True
    index_shards: Annotated[
        int,
        Range(1, 20, "shards"),
        Doc("Partitions per day of an index; more take more writes a second, and as many queries to read a day."),
    ] = 4


@record
class Metadata:
    """What metadata offers: the table, and over how many partitions its indexes spread a day."""

    images: Table
    index_shards: int


def add_metadata(scope: Scope, config: MetadataConfig, *, deletion_policy: DeletionPolicy) -> Metadata:
    """Add the table: paid by request, restorable, encrypted, with images newest first by upload time."""
    table = dynamodb.Table(
        "ImageMetadataTable",
        AttributeDefinitions=[
            dynamodb.AttributeDefinition(AttributeName=name, AttributeType="S")
            for name in ("ImageId", "UploadShard", "UploadTimestamp")
        ],
        BillingMode="PAY_PER_REQUEST",
        # The time alone could only be looked up by equality. A day (and shard) as the hash key makes a range of it.
        GlobalSecondaryIndexes=[_newest_first("UploadTimestampIndex", "UploadShard")],
        KeySchema=[dynamodb.KeySchema(AttributeName="ImageId", KeyType="HASH")],
        PointInTimeRecoverySpecification=dynamodb.PointInTimeRecoverySpecification(
            PointInTimeRecoveryEnabled=True, RecoveryPeriodInDays=config.point_in_time_recovery_days
        ),
        SSESpecification=dynamodb.SSESpecification(SSEEnabled=config.encryption == "aws-managed"),
    )
    if config.stream:
        table.StreamSpecification = dynamodb.StreamSpecification(StreamViewType="NEW_AND_OLD_IMAGES")
    keep_data(table, deletion_policy)
    images = Table.of(scope, table)
    scope.output("ImageMetadataTableName", images.name, "Table with one item per uploaded image")
    return Metadata(images, config.index_shards)


def _newest_first(name: str, hash_key: str) -> dynamodb.GlobalSecondaryIndex:
    return dynamodb.GlobalSecondaryIndex(
        IndexName=name,
        KeySchema=[
            dynamodb.KeySchema(AttributeName=hash_key, KeyType="HASH"),
            dynamodb.KeySchema(AttributeName="UploadTimestamp", KeyType="RANGE"),
        ],
        Projection=dynamodb.Projection(ProjectionType="ALL"),
    )
