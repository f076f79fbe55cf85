"""Metadata: the table with one item per uploaded image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field
from troposphere import GetAtt, Tags, dynamodb

from imgpipe_templates.configuration import Length, OnlyWith, Range, Section
from imgpipe_templates.core.handles import Key, Table
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns.retention import DeletionPolicy, backup_tag, keep_data

Index = Literal["upload-timestamp", "status", "user"]

# Name of the index and its hash key; the range key of each is the time of the upload, so that each answers
# newest first. The time alone, or the status alone, would be one hot partition or no range at all.
INDEXES = {
    "upload-timestamp": ("UploadTimestampIndex", "UploadShard"),
    "status": ("StatusIndex", "StatusShard"),
    "user": ("UserIndex", "UserId"),
}


class MetadataConfig(Section):
    """The table of image metadata."""

    indexes: Annotated[
        tuple[Index, ...],
        Length(0, 3, "indexes"),
        Field(
            description="Global secondary indexes, for queries of images by upload time, status or user, newest first."
        ),
    ] = ("upload-timestamp",)
    point_in_time_recovery_days: Annotated[
        int,
        Range(1, 35, "days"),
        Field(description="Days of point-in-time recovery, in which the table can be restored to any second."),
    ] = 35
    encryption: Annotated[
        Literal["aws-managed", "aws-owned"],
        Field(
            description="Key of the table without customer_managed_key. `aws-managed` records its use in CloudTrail and"
            " costs KMS requests; `aws-owned` is free."
        ),
        OnlyWith({"customer_managed_key": (False,)}),
    ] = "aws-managed"
    stream: Annotated[
        bool,
        Field(
            description="Enable a DynamoDB stream with old and new images for your own consumers. The pipeline does not"
            " read it. A stream costs nothing until it is read."
        ),
    ] = False
    deletion_protection: Annotated[
        bool,
        Field(
            description="Enable deletion protection of the table. Enable it after the stack is created, because a "
            "failed creation could not be rolled back."
        ),
    ] = False
    index_shards: Annotated[
        int,
        Range(1, 20, "shards"),
        Field(
            description="Partitions per day of an index. More partitions allow more writes per second and need as many "
            "queries to read a day."
        ),
        OnlyWith({"metadata.indexes": ("upload-timestamp", "status")}),
    ] = 4


@dataclass(frozen=True)
class Metadata:
    """What metadata offers: the table, its indexes, and over how many partitions they spread a day."""

    images: Table
    indexes: tuple[str, ...]
    index_shards: int


def add_metadata(
    scope: Scope, config: MetadataConfig, *, deletion_policy: DeletionPolicy, key: Key | None, backup: bool = False
) -> Metadata:
    """Add the table: paid by request, restorable, encrypted, with its indexes.

    Args:
        scope: Where it goes.
        config: Its indexes and how it is kept.
        deletion_policy: What becomes of it when the stack is deleted.
        key: Encrypts it; None means the key that the configuration says.
        backup: True if the backup plan selects it.
    """
    indexes = [INDEXES[index] for index in dict.fromkeys(config.indexes)]
    attributes = ["ImageId", *(hash_key for _, hash_key in indexes), *(["UploadTimestamp"] if indexes else [])]
    table = dynamodb.Table(
        "ImageMetadataTable",
        AttributeDefinitions=[
            dynamodb.AttributeDefinition(AttributeName=name, AttributeType="S") for name in attributes
        ],
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[dynamodb.KeySchema(AttributeName="ImageId", KeyType="HASH")],
        PointInTimeRecoverySpecification=dynamodb.PointInTimeRecoverySpecification(
            PointInTimeRecoveryEnabled=True, RecoveryPeriodInDays=config.point_in_time_recovery_days
        ),
        SSESpecification=_encryption(config, key),
    )
    if indexes:
        table.GlobalSecondaryIndexes = [_newest_first(name, hash_key) for name, hash_key in indexes]
    if config.stream:
        table.StreamSpecification = dynamodb.StreamSpecification(StreamViewType="NEW_AND_OLD_IMAGES")
    if config.deletion_protection:
        table.DeletionProtectionEnabled = True
    if backup:
        table.Tags = Tags(backup_tag())
    keep_data(table, deletion_policy)
    images = Table.of(scope, table)
    scope.output("ImageMetadataTableName", images.name, "Table with one item per uploaded image")
    scope.output("ImageMetadataTableArn", images.arn, "ARN of the table with one item per uploaded image")
    if config.stream:
        scope.output(
            "ImageMetadataTableStreamArn",
            GetAtt(table, "StreamArn"),
            "Stream of changed items for consumers of your own; the pipeline reads none",
        )
    return Metadata(images, tuple(name for name, _ in indexes), config.index_shards)


def _encryption(config: MetadataConfig, key: Key | None) -> dynamodb.SSESpecification:
    if key:
        return dynamodb.SSESpecification(KMSMasterKeyId=key.arn, SSEEnabled=True, SSEType="KMS")
    return dynamodb.SSESpecification(SSEEnabled=config.encryption == "aws-managed")


def _newest_first(name: str, hash_key: str) -> dynamodb.GlobalSecondaryIndex:
    return dynamodb.GlobalSecondaryIndex(
        IndexName=name,
        KeySchema=[
            dynamodb.KeySchema(AttributeName=hash_key, KeyType="HASH"),
            dynamodb.KeySchema(AttributeName="UploadTimestamp", KeyType="RANGE"),
        ],
        Projection=dynamodb.Projection(ProjectionType="ALL"),
    )
