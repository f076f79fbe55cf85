"""The native trigger: S3 itself invokes the processor.

The bucket carries the notification, so it names the function, whose role names the bucket: a cycle, if any of them
did it by reference. Here the bucket says the function's known name and everybody else says the bucket's.
"""

from __future__ import annotations

from imgpipe_templates.core.handles import Bucket, Function
from imgpipe_templates.core.naming import Names, arn_text, substituted
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns.buckets import UploadNotification
from imgpipe_templates.patterns.permissions import PROCESSOR_PERMISSION, add_invoke_permission
from imgpipe_templates.patterns.uploads import UploadFilter


def function_notification(names: Names, uploads: UploadFilter) -> UploadNotification:
    """What the source bucket must carry so that an upload invokes the processor."""
    arn = arn_text("lambda", f"function:{names.text('ImageProcessorFunction')}")
    return UploadNotification("function", substituted(arn), PROCESSOR_PERMISSION, uploads.prefix, uploads.suffixes)


def add_s3_trigger(scope: Scope, *, source: Bucket, processor: Function) -> None:
    """Let S3 invoke `processor` for `source`."""
    add_invoke_permission(scope, processor, service="s3.amazonaws.com", source_arn=source.arn)
