"""Processing and its native trigger."""

from __future__ import annotations

import re

from imgpipe_templates.names import NAMES
from imgpipe_templates.subsystems.processing import ProcessingConfig, add_processing
from imgpipe_templates.subsystems.triggers.s3 import add_s3_trigger, upload_notification
from tests.templates import resources, said


def processing(scope, upstream, config=None, index_shards=4):
    return add_processing(
        scope,
        config or ProcessingConfig(),
        source=upstream.source,
        thumbnails=upstream.thumbnails,
        images=upstream.images,
        index_shards=index_shards,
    )


def test_a_function_comes_with_role_log_group_and_queue(scope, upstream):
    processing(scope, upstream)

    assert list(resources(scope)) == [
        "ProcessorDeadLetterQueue",
        "ProcessorDeadLetterQueuePolicy",
        "ImageProcessorLogGroup",
        "ImageProcessorRole",
        "ImageProcessorFunction",
    ]


def test_values_of_the_configuration_reach_the_function(scope, upstream):
    config = ProcessingConfig(
        timeout_seconds=90,
        memory_mb=2048,
        runtime="python3.14",
        architecture="x86_64",
        reserved_concurrency=7,
        log_retention_days=365,
        thumbnail_size_px=256,
    )
    processing(scope, upstream, config, index_shards=9)

    function = resources(scope)["ImageProcessorFunction"]["Properties"]
    assert (function["Timeout"], function["MemorySize"], function["ReservedConcurrentExecutions"]) == (90, 2048, 7)
    assert (function["Runtime"], function["Architectures"]) == ("python3.14", ["x86_64"])
    assert function["Environment"]["Variables"]["INDEX_SHARDS"] == "9"
    assert resources(scope)["ImageProcessorLogGroup"]["Properties"]["RetentionInDays"] == 365
    assert scope.stack.template.parameters["ThumbnailSize"].to_dict()["Default"] == 256


def test_where_the_code_lies_is_a_parameter_and_no_bucket_is_named(scope, upstream):
    processing(scope, upstream)

    code = resources(scope)["ImageProcessorFunction"]["Properties"]["Code"]
    assert code == {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Ref": "ImageProcessorCodeKey"}}
    for parameter in ("CodeBucket", "ImageProcessorCodeKey"):
        assert "Default" not in scope.stack.template.parameters[parameter].to_dict()
    (code_of,) = scope.stack.functions
    assert (code_of.function, code_of.package) == ("ImageProcessorFunction", "processor")
    assert code_of.key_parameter == "ImageProcessorCodeKey"


def test_failed_events_are_kept_as_long_as_sqs_can_encrypted_and_tls_only(scope, upstream):
    processing(scope, upstream)

    built = resources(scope)
    queue = built["ProcessorDeadLetterQueue"]["Properties"]
    assert (queue["MessageRetentionPeriod"], queue["SqsManagedSseEnabled"]) == (14 * 24 * 3600, True)
    (refusal,) = built["ProcessorDeadLetterQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (refusal["Effect"], refusal["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    function = built["ImageProcessorFunction"]["Properties"]
    assert said(function["DeadLetterConfig"]["TargetArn"]) == "ProcessorDeadLetterQueue.Arn"


def test_limits_that_the_memory_cannot_hold_are_a_conflict_that_says_what_would():
    assert list(ProcessingConfig().conflicts()) == []

    (conflict,) = ProcessingConfig(memory_mb=256).conflicts()
    assert conflict.keys == ("memory_mb", "max_source_pixels", "max_source_bytes")
    needed = int(re.search(r"at least (\d+) MB", conflict.message)[1])
    assert list(ProcessingConfig(memory_mb=needed).conflicts()) == []
    assert list(ProcessingConfig(memory_mb=needed - 1).conflicts())
    assert list(ProcessingConfig(memory_mb=256, max_source_pixels=12_000_000).conflicts()) == []


def test_a_deployment_can_lower_the_limits_and_not_raise_them(scope, upstream):
    processing(scope, upstream, ProcessingConfig(max_source_pixels=24_000_000))

    parameter = scope.stack.template.parameters["MaxSourcePixels"].to_dict()
    assert parameter["Default"] == parameter["MaxValue"] == 24_000_000


def test_extensions_are_spelled_in_lower_and_upper_case_once():
    notification = upload_notification(NAMES, prefix="in/", extensions=("Jpg", "png", "PNG", "7z"))

    assert notification.suffixes == (".jpg", ".JPG", ".png", ".PNG", ".7z", ".7Z")
    assert notification.prefix == "in/"


def test_s3_may_invoke_for_this_bucket_of_this_account_only(scope, upstream):
    add_s3_trigger(scope, source=upstream.source, processor=upstream.processor)

    (permission,) = resources(scope).values()
    properties = permission["Properties"]
    assert (properties["Action"], properties["Principal"]) == ("lambda:InvokeFunction", "s3.amazonaws.com")
    assert properties["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert said(properties["SourceArn"]) == "arn:${AWS::Partition}:s3:::${SourceBucketName}"
