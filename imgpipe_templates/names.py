"""The physical name of everything that has one: the one place where names are decided.

Every name carries `EnvironmentSuffix`, so that stacks of different suffixes stand side by side in one account; the
source bucket alone is named by its own parameter.
"""

from __future__ import annotations

from imgpipe_templates.core.naming import Names

# The longest fixed part of a bucket name, `image-thumbnail-bucket-`, and `-` with an account id of 12 digits leave 27
# of a bucket name's 63 characters (S3 User Guide, "Bucket naming rules", read 2026-11) to the suffix.
LONGEST_SUFFIX = 20

NAMES = Names(
    {
        "DeadLetterQueueAlarm": "ImageProcessor-DeadLetters-${EnvironmentSuffix}",
        "ImageMetadataTable": "ImageMetadata-${EnvironmentSuffix}",
        "ImageProcessorFunction": "ImageProcessor-${EnvironmentSuffix}",
        "ImageProcessorLogGroup": "/aws/lambda/ImageProcessor-${EnvironmentSuffix}",
        "ImageProcessorPolicy": "ImageProcessorPolicy-${EnvironmentSuffix}",
        "LambdaDurationAlarm": "ImageProcessor-Duration-${EnvironmentSuffix}",
        "LambdaErrorAlarm": "ImageProcessor-Errors-${EnvironmentSuffix}",
        "LambdaThrottleAlarm": "ImageProcessor-Throttles-${EnvironmentSuffix}",
        "ProcessingErrorAlarm": "ImageProcessor-ProcessingErrors-${EnvironmentSuffix}",
        "ProcessingNotificationTopic": "ImageProcessing-${EnvironmentSuffix}",
        "ProcessorDeadLetterQueue": "ImageProcessor-DeadLetters-${EnvironmentSuffix}",
        "SourceBucket": "${SourceBucketName}",
        "ThumbnailBucket": "image-thumbnail-bucket-${EnvironmentSuffix}-${AWS::AccountId}",
    }
)
