"""Custom resource trigger: a helper function sets the bucket's notification after all other resources exist.

Downstream of bucket, function and permission, so that no name needs to be known and no cycle can form; and entries of
others in the bucket's configuration stay as they are.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from troposphere import cloudformation

from imgpipe_templates import grants
from imgpipe_templates.core.handles import Bucket, Function, Queue
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns.buckets import UPLOAD_EVENTS
from imgpipe_templates.patterns.functions import FunctionPlan, FunctionSettings, add_function
from imgpipe_templates.patterns.permissions import add_invoke_permission
from imgpipe_templates.patterns.roles import FunctionDefaults
from imgpipe_templates.patterns.uploads import UploadFilter

HELPER_TIMEOUT_SECONDS = 120
HELPER_MEMORY_MB = 256

# How long CloudFormation waits for the answer; its own default is an hour.
SERVICE_TIMEOUT_SECONDS = 300


class S3BucketNotification(cloudformation.CustomResource):
    """`Custom::S3BucketNotification`, answered by lambda/bucket_notification."""

    resource_type = "Custom::S3BucketNotification"
    props = {  # noqa: RUF012 - troposphere declares it so
        **cloudformation.CustomResource.props,
        "BucketName": (str, True),
        "LambdaFunctionConfigurations": ([dict], True),
    }


def add_custom_resource_trigger(
    scope: Scope,
    *,
    source: Bucket,
    uploads: UploadFilter,
    processor: Function,
    settings: FunctionSettings,
    shared: FunctionDefaults,
    dead_letters: Queue,
) -> Function:
    """Add the helper with its own role, the permission, and last the notification; return the helper."""
    plan = FunctionPlan(
        "S3Notification",
        package="bucket_notification",
        description="Writes the notification of uploads into the bucket for CloudFormation",
        permissions=[grants.configure_notifications(source), grants.lock_notifications(source)],
        environment={},
        settings=settings,
        dead_letters=dead_letters,
        services=("sqs",),
        title="S3NotificationLambda",
    )
    # It sends its response to a bucket of AWS, which the VPC endpoints do not allow, so it runs outside of the VPC. Its
    # permissions are in the role: a separate policy could be deleted before the last call, that of Delete.
    helper = add_function(scope, plan, dataclasses.replace(shared, network=None, policies="inline"))
    permission = add_invoke_permission(scope, processor, service="s3.amazonaws.com", source_arn=source.arn)
    notification = S3BucketNotification(
        "S3BucketNotification",
        ServiceToken=helper.arn,
        ServiceTimeout=SERVICE_TIMEOUT_SECONDS,
        BucketName=source.name,
        LambdaFunctionConfigurations=[_configuration(processor, uploads.prefix, suffix) for suffix in uploads.suffixes],
    )
    # S3 tests the permission. It refuses two changes of one bucket at once, so its policy has to be there before; in
    # layouts of several stacks it is part of an earlier one.
    before = [str(permission.title), f"{source.title}Policy"]
    notification.DependsOn = [title for title in before if title in scope.stack.template.resources]
    scope.add(notification)
    return helper


def _configuration(processor: Function, prefix: str, suffix: str) -> dict[str, Any]:
    """One entry in the spelling of S3's own API, which the helper calls."""
    rules = [{"Name": "suffix", "Value": suffix}]
    if prefix:
        rules.insert(0, {"Name": "prefix", "Value": prefix})
    return {
        "Id": f"upload{suffix}",
        "LambdaFunctionArn": processor.arn,
        "Events": [UPLOAD_EVENTS],
        "Filter": {"Key": {"FilterRules": rules}},
    }
