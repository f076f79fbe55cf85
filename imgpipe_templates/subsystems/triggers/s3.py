"""The native trigger: S3 itself invokes the processor.

The bucket carries the notification, so it names the function, whose role names the bucket: a cycle, if any of them
did it by reference. Here the bucket says the function's known name and everybody else says the bucket's.
"""

from __future__ import annotations

from troposphere import AccountId, awslambda

from imgpipe_templates.core.handles import Bucket, Function
from imgpipe_templates.core.naming import Names, arn_text, substituted
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns.buckets import UploadNotification

PERMISSION = "LambdaInvokePermission"


def upload_notification(names: Names, *, prefix: str, extensions: tuple[str, ...]) -> UploadNotification:
    """What the source bucket must carry so that an upload with one of `extensions` invokes the processor.

    S3 compares suffixes by case and knows no wildcards, so each extension is named in lower and in upper case; a camera
    writes `IMG_0001.JPG`.
    """
    spelled = dict.fromkeys(text for extension in extensions for text in (extension.lower(), extension.upper()))
    arn = arn_text("lambda", f"function:{names.text('ImageProcessorFunction')}")
    return UploadNotification(substituted(arn), PERMISSION, prefix, tuple(f".{text}" for text in spelled))


def add_s3_trigger(scope: Scope, *, source: Bucket, processor: Function) -> None:
    """Add the permission for S3 to invoke `processor` for `source`, in this account only.

    A bucket's ARN names no account: without `SourceAccount` whoever takes over the name could invoke the function.
    """
    scope.add(
        awslambda.Permission(
            PERMISSION,
            Action="lambda:InvokeFunction",
            FunctionName=processor.name,
            Principal="s3.amazonaws.com",
            SourceAccount=AccountId,
            SourceArn=source.arn,
        )
    )
