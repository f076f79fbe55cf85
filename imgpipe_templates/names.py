"""The naming policy: the physical name of every named resource.

Every name contains `EnvironmentSuffix`, so stacks with different suffixes can exist in one account. Only the source
bucket can have a name from a separate parameter.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from imgpipe_templates.core.naming import Names

# A bucket name has at most 63 characters (S3 User Guide, "Bucket naming rules", read 2026-11). The longest fixed part,
# `image-access-logs-bucket-`, and `-` with an account id of 12 digits leave 25 characters for the suffix.
LONGEST_SUFFIX = 20

_ALARMS = {
    "ApiServerErrorAlarm": "ImageApi-ServerErrors",
    "DeadLetterQueueAlarm": "ImageProcessor-DeadLetters",
    "LambdaDurationAlarm": "ImageProcessor-Duration",
    "LambdaErrorAlarm": "ImageProcessor-Errors",
    "LambdaThrottleAlarm": "ImageProcessor-Throttles",
    "ProcessingErrorAlarm": "ImageProcessor-ProcessingErrors",
    "RetrievalDurationAlarm": "ImageRetrieval-Duration",
    "RetrievalErrorAlarm": "ImageRetrieval-Errors",
    "RetrievalThrottleAlarm": "ImageRetrieval-Throttles",
    "UploadQueueAgeAlarm": "ImageUploads-Age",
    **{
        f"{index}{kind}ThrottleAlarm": f"ImageMetadata-{index}{kind}Throttles"
        for index in ("Table", "UploadTimestampIndex", "StatusIndex", "UserIndex")
        for kind in ("Read", "Write")
    },
}
_RESOURCES = {
    "BackupPlan": "ImagePipeline",
    "BackupVault": "image-pipeline",
    "DataKeyAlias": "alias/imgpipe",
    "FunctionVpc": "ImagePipeline",
    "ImageApi": "ImageApi",
    "ImageApiLogGroup": "/aws/apigateway/ImageApi",
    "ImageApiPolicy": "ImageApiPolicy",
    "ImageMetadataTable": "ImageMetadata",
    "ImageProcessorFunction": "ImageProcessor",
    "ImageProcessorLogGroup": "/aws/lambda/ImageProcessor",
    "ImageProcessorPolicy": "ImageProcessorPolicy",
    "ImageRetrievalFunction": "ImageRetrieval",
    "ImageRetrievalLogGroup": "/aws/lambda/ImageRetrieval",
    "ImageRetrievalPolicy": "ImageRetrievalPolicy",
    "ProcessingNotificationTopic": "ImageProcessing",
    "ProcessorDeadLetterQueue": "ImageProcessor-DeadLetters",
    "S3NotificationLambda": "S3Notification",
    "S3NotificationLogGroup": "/aws/lambda/S3Notification",
    "S3NotificationPolicy": "S3NotificationPolicy",
    "UploadQueue": "ImageUploads",
    "UploadQueueReceivePolicy": "UploadQueueReceivePolicy",
    "UploadRule": "ImageUploads",
}
# Unique in the account: without the Region in the name, the same stack could exist in one Region only.
_GLOBAL = {
    "MonitoringDashboard": "ImagePipeline-${EnvironmentSuffix}-${AWS::Region}",
    "ProjectBudget": "ImagePipeline-${EnvironmentSuffix}-${AWS::Region}",
}
_BUCKETS = {
    "AccessLogBucket": "image-access-logs-bucket-${EnvironmentSuffix}-${AWS::AccountId}",
    "ThumbnailBucket": "image-thumbnail-bucket-${EnvironmentSuffix}-${AWS::AccountId}",
}
_DERIVED_SOURCE_BUCKET = "image-storage-bucket-${EnvironmentSuffix}-${AWS::AccountId}"
# The longest fixed part is `image-storage-`: 49 of 63 characters remain for suffix, account id and Region
# (us-isof-south-1 is the longest).
_REGIONAL_BUCKETS = {
    title: f"{name}-${{EnvironmentSuffix}}-${{AWS::AccountId}}-${{AWS::Region}}"
    for title, name in {
        "AccessLogBucket": "image-logs",
        "SourceBucket": "image-storage",
        "ThumbnailBucket": "image-thumbs",
    }.items()
}
_SHORT_ENVIRONMENTS = {"development": "dev", "staging": "stage", "production": "prod"}
# The default suffix of an unchanged preset is `dev`.
PRESET_NAMES = frozenset(path.stem for path in (Path(__file__).parent / "presets").glob("*.toml"))


def names(
    source_bucket: Literal["parameter", "derived"], *, needed: frozenset[str] | None = None, regional: bool = False
) -> Names:
    """Return the names of a pipeline.

    Args:
        source_bucket: The source of the source bucket's name: its parameter, or the naming policy.
        needed: Logical ids of the only resources with a name of the policy; CloudFormation names the others. None
            means all.
        regional: True if bucket names contain the Region.
    """
    texts = {title: f"{name}-${{EnvironmentSuffix}}" for title, name in {**_ALARMS, **_RESOURCES}.items()}
    buckets = _REGIONAL_BUCKETS if regional else {**_BUCKETS, "SourceBucket": _DERIVED_SOURCE_BUCKET}
    if source_bucket == "parameter":
        buckets = {**buckets, "SourceBucket": "${SourceBucketName}"}
    return Names({**texts, **_GLOBAL, **buckets}, needed)


def default_suffix(pipeline: str, environment: str) -> str:
    """Return the default of EnvironmentSuffix, which differs for each pipeline and environment.

    Otherwise two pipelines in one account and Region would have the same names. A pipeline name that is too long is
    shortened and ends with the start of its hash.

    Args:
        pipeline: Name of the pipeline.
        environment: `development`, `staging` or `production`.
    """
    if pipeline in PRESET_NAMES:
        return "dev"
    ending = f"-{_SHORT_ENVIRONMENTS[environment]}"
    longest = LONGEST_SUFFIX - len(ending)
    if len(pipeline) > longest:
        digest = hashlib.sha256(pipeline.encode()).hexdigest()[:6]
        pipeline = f"{pipeline[: longest - len(digest) - 1].rstrip('-')}-{digest}"
    return f"{pipeline}{ending}"
