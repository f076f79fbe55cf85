"""The physical name of everything that has one: the one place where names are decided.

Every name carries `EnvironmentSuffix`, so that stacks of different suffixes stand side by side in one account; the
source bucket alone may be named by a parameter of its own.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from imgpipe_templates.core.naming import Names

# The longest fixed part of a bucket name, `image-access-logs-bucket-`, and `-` with an account id of 12 digits leave 25
# of a bucket name's 63 characters (S3 User Guide, "Bucket naming rules", read 2026-11) to the suffix.
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
_OTHERS = {
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
# Known all over the account: without the Region the same stack could stand in one Region only.
_GLOBAL = {
    "MonitoringDashboard": "ImagePipeline-${EnvironmentSuffix}-${AWS::Region}",
    "ProjectBudget": "ImagePipeline-${EnvironmentSuffix}-${AWS::Region}",
}
_BUCKETS = {
    "AccessLogBucket": "image-access-logs-bucket-${EnvironmentSuffix}-${AWS::AccountId}",
    "ThumbnailBucket": "image-thumbnail-bucket-${EnvironmentSuffix}-${AWS::AccountId}",
}
_DERIVED_SOURCE_BUCKET = "image-storage-bucket-${EnvironmentSuffix}-${AWS::AccountId}"
# The longest fixed part, `image-storage-`, leaves the longest suffix, account id and Region (us-isof-south-1) 49 of 63.
_REGIONAL_BUCKETS = {
    title: f"{name}-${{EnvironmentSuffix}}-${{AWS::AccountId}}-${{AWS::Region}}"
    for title, name in {
        "AccessLogBucket": "image-logs",
        "SourceBucket": "image-storage",
        "ThumbnailBucket": "image-thumbs",
    }.items()
}
_SHORT_ENVIRONMENTS = {"development": "dev", "staging": "stage", "production": "prod"}
# The presets as they are: their suffix is `dev` by default.
PRESET_NAMES = frozenset({"media-library", "production", "reporting", "single-bucket", "thumbnails"})


def names(
    source_bucket: Literal["parameter", "derived"], *, needed: frozenset[str] | None = None, regional: bool = False
) -> Names:
    """The names of a pipeline.

    Args:
        source_bucket: Whether the source bucket is named by its parameter or like everything else.
        needed: The only things that are given their name, the rest being left to CloudFormation; None means all.
        regional: True if names of buckets contain the Region.
    """
    texts = {title: f"{name}-${{EnvironmentSuffix}}" for title, name in {**_ALARMS, **_OTHERS}.items()}
    buckets = _REGIONAL_BUCKETS if regional else {**_BUCKETS, "SourceBucket": _DERIVED_SOURCE_BUCKET}
    if source_bucket == "parameter":
        buckets = {**buckets, "SourceBucket": "${SourceBucketName}"}
    return Names({**texts, **_GLOBAL, **buckets}, needed)


def default_suffix(pipeline: str, environment: str) -> str:
    """Return the default of EnvironmentSuffix: another one for each pipeline and environment.

    Two pipelines of one account and Region would have the same names otherwise. A name that is too long is cut and
    continued with the start of its hash.

    Args:
        pipeline: Name of the pipeline.
        environment: `development`, `staging` or `production`.
    """
    if pipeline in PRESET_NAMES:
        return "dev"
    ending = f"-{_SHORT_ENVIRONMENTS[environment]}"
    room = LONGEST_SUFFIX - len(ending)
    if len(pipeline) > room:
        digest = hashlib.sha256(pipeline.encode()).hexdigest()[:6]
        pipeline = f"{pipeline[: room - len(digest) - 1].rstrip('-')}-{digest}"
    return f"{pipeline}{ending}"
