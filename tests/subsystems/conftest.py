"""Upstream handles of resources in another stack."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from troposphere import awslambda, dynamodb, iam, s3, sns, sqs

from imgpipe_templates.core.handles import Bucket, Function, Queue, Table, Topic
from tests.templates import scope_of


@dataclass(frozen=True)
class Upstream:
    """One handle of each kind."""

    source: Bucket
    thumbnails: Bucket
    images: Table
    processor: Function
    dead_letters: Queue
    operators: Topic


@pytest.fixture
def scope():
    return scope_of("subject")


@pytest.fixture
def upstream():
    """Handles that read as plain references, as they do in one stack."""
    elsewhere = scope_of("elsewhere")
    return Upstream(
        source=Bucket.by_name(elsewhere, s3.Bucket("SourceBucket")),
        thumbnails=Bucket.of(elsewhere, s3.Bucket("ThumbnailBucket")),
        images=Table.of(elsewhere, dynamodb.Table("ImageMetadataTable", KeySchema=[])),
        processor=Function.of(elsewhere, awslambda.Function("ImageProcessorFunction"), iam.Role("ImageProcessorRole")),
        dead_letters=Queue.of(elsewhere, sqs.Queue("ProcessorDeadLetterQueue")),
        operators=Topic.of(elsewhere, sns.Topic("ProcessingNotificationTopic")),
    )
