"""The physical name of everything that has one: the one place where names are decided.

Every name carries `EnvironmentSuffix`, so that stacks of different suffixes stand side by side in one account; the
source bucket alone may be named by a parameter of its own.
"""

from __future__ import annotations

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
_SOURCE_BUCKET = {
    "parameter": "${SourceBucketName}",
    "derived": "image-storage-bucket-${EnvironmentSuffix}-${AWS::AccountId}",
}


def names(source_bucket: Literal["parameter", "derived"], *, needed: frozenset[str] | None = None) -> Names:
    """The names of a pipeline.

    Args:
        source_bucket: Whether the source bucket is named by its parameter or like everything else.
        needed: The only things that are given their name, the rest being left to CloudFormation; None means all.
    """
    texts = {title: f"{name}-${{EnvironmentSuffix}}" for title, name in {**_ALARMS, **_OTHERS}.items()}
    return Names({**texts, **_GLOBAL, **_BUCKETS, "SourceBucket": _SOURCE_BUCKET[source_bucket]}, needed)
