"""Processing and its native trigger."""

from __future__ import annotations

import dataclasses
import re

import pytest
from troposphere import kms

from imgpipe_templates.core.handles import Key
from imgpipe_templates.names import names
from imgpipe_templates.patterns.output import OutputConfig
from imgpipe_templates.patterns.queues import DeadLetterSenders
from imgpipe_templates.patterns.roles import FunctionDefaults
from imgpipe_templates.patterns.uploads import UploadFilter
from imgpipe_templates.subsystems.processing import Inputs, ProcessingConfig, add_processing
from imgpipe_templates.subsystems.triggers.s3 import add_s3_trigger, function_notification
from tests.templates import allowed, resources, said


def processing(scope, upstream, config=None, shared=FunctionDefaults(), **changes):  # noqa: B008 - it is frozen
    inputs = {
        "source": upstream.source,
        "thumbnails": upstream.thumbnails,
        "images": upstream.images,
        "index_shards": 4,
        "upload_prefix": "",
        "output_prefix": "thumbnails/",
        "user_id_from": "",
        "reports": None,
        "report_on": "off",
        "dead_letter_senders": DeadLetterSenders(upload_queue=True, upload_rule=True),
        **changes,
    }
    return add_processing(scope, config or ProcessingConfig(), shared, inputs=Inputs(**inputs))


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


def test_location_of_the_code_is_a_parameter_and_no_bucket_is_named(scope, upstream):
    processing(scope, upstream)

    code = resources(scope)["ImageProcessorFunction"]["Properties"]["Code"]
    assert code == {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Ref": "ImageProcessorCodeKey"}}
    for parameter in ("CodeBucket", "ImageProcessorCodeKey"):
        assert "Default" not in scope.stack.template.parameters[parameter].to_dict()
    (code_of,) = scope.stack.functions
    assert (code_of.function, code_of.package) == ("ImageProcessorFunction", "processor")
    assert code_of.key_parameter == "ImageProcessorCodeKey"


@pytest.mark.parametrize(
    ("options", "extras"),
    [({}, ()), ({"heic": True}, ("heic",)), ({"engine": "libvips", "heic": True}, ("heic", "libvips"))],
)
def test_the_package_or_its_layer_has_what_heic_and_the_engine_require(scope, upstream, options, extras):
    processing(scope, upstream, ProcessingConfig(pillow="layer", **options))

    (function,), (layer,) = scope.stack.functions, scope.stack.layers
    assert function.extras == layer.extras == extras


def test_failed_events_are_kept_as_long_as_sqs_can_encrypted_and_tls_only(scope, upstream):
    processing(scope, upstream)

    built = resources(scope)
    queue = built["ProcessorDeadLetterQueue"]["Properties"]
    assert (queue["MessageRetentionPeriod"], queue["SqsManagedSseEnabled"]) == (14 * 24 * 3600, True)
    *_, refusal = built["ProcessorDeadLetterQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (refusal["Effect"], refusal["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    function = built["ImageProcessorFunction"]["Properties"]
    assert said(function["DeadLetterConfig"]["TargetArn"]) == "ProcessorDeadLetterQueue.Arn"


def test_only_the_uploads_queue_and_rule_may_fail_into_the_dead_letter_queue(scope, upstream):
    processing(scope, upstream)

    built = resources(scope)
    redrive = built["ProcessorDeadLetterQueue"]["Properties"]["RedriveAllowPolicy"]
    assert redrive["redrivePermission"] == "byQueue"
    assert [said(arn) for arn in redrive["sourceQueueArns"]] == [
        "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:ImageUploads-${EnvironmentSuffix}"
    ]
    allow, _ = built["ProcessorDeadLetterQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (allow["Effect"], allow["Principal"]) == ("Allow", {"Service": ["events.amazonaws.com"]})
    assert allow["Action"] == ["sqs:SendMessage"]
    assert said(allow["Condition"]["ArnEquals"]["aws:SourceArn"]) == (
        "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/ImageUploads-${EnvironmentSuffix}"
    )


def test_a_sender_without_fixed_name_is_not_admitted_by_name(scope, upstream):
    generated = dataclasses.replace(scope, names=dataclasses.replace(scope.names, needed=frozenset()))
    processing(generated, upstream)

    built = resources(scope)
    assert "RedriveAllowPolicy" not in built["ProcessorDeadLetterQueue"]["Properties"]
    (refusal,) = built["ProcessorDeadLetterQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert refusal["Effect"] == "Deny"


def test_without_queue_and_rule_nothing_else_may_send_to_the_dead_letter_queue(scope, upstream):
    senders = DeadLetterSenders(upload_queue=False, upload_rule=False)
    processing(scope, upstream, dead_letter_senders=senders)

    built = resources(scope)
    assert built["ProcessorDeadLetterQueue"]["Properties"]["RedriveAllowPolicy"] == {"redrivePermission": "denyAll"}
    (refusal,) = built["ProcessorDeadLetterQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert refusal["Effect"] == "Deny"


def test_limits_that_the_memory_cannot_hold_are_a_conflict_that_says_what_would():
    assert list(ProcessingConfig().conflicts()) == []

    (conflict,) = ProcessingConfig(memory_mb=256).conflicts()
    assert conflict.keys == ("memory_mb", "max_source_pixels", "max_source_bytes")
    needed = int(re.search(r"at least (\d+) MB", conflict.message)[1])
    assert list(ProcessingConfig(memory_mb=needed).conflicts()) == []
    assert list(ProcessingConfig(memory_mb=needed - 1).conflicts())
    assert list(ProcessingConfig(memory_mb=256, max_source_pixels=12_000_000).conflicts()) == []


def test_large_thumbnails_of_newer_formats_need_more_memory():
    def needed_mb(output_format: str) -> int:
        config = ProcessingConfig(extra_thumbnail_sizes_px=(2048,), output=OutputConfig(format=output_format))
        (conflict,) = config.conflicts()
        return int(re.search(r"at least (\d+) MB", conflict.message)[1])

    assert needed_mb("auto") == needed_mb("jpeg") == needed_mb("png") < needed_mb("webp")
    assert needed_mb("auto") < needed_mb("avif")


@pytest.mark.parametrize(
    "larger",
    [
        {"output": OutputConfig(animation="webp", max_animation_frames=1000, max_animation_pixels=60_000_000)},
        {"output": OutputConfig(animation="webp", webp_quality=95)},
        {"output": OutputConfig(animation="webp"), "extra_thumbnail_sizes_px": (500,)},
    ],
    ids=["limits", "quality", "sizes"],
)
def test_animations_that_the_memory_cannot_hold_are_a_conflict_that_says_what_would(larger):
    assert list(ProcessingConfig(output=OutputConfig(animation="webp")).conflicts()) == []

    (conflict,) = ProcessingConfig(**larger).conflicts()
    assert conflict.keys == ("memory_mb", "output.max_animation_frames", "output.max_animation_pixels")
    needed = int(re.search(r"at least (\d+) MB", conflict.message)[1])
    assert list(ProcessingConfig(**larger, memory_mb=needed).conflicts()) == []
    assert list(ProcessingConfig(**larger, memory_mb=needed - 1).conflicts())


def test_all_threads_share_one_heap_that_keeps_its_pages_from_image_to_image(scope, upstream):
    processing(scope, upstream)

    variables = resources(scope)["ImageProcessorFunction"]["Properties"]["Environment"]["Variables"]
    assert {name: value for name, value in variables.items() if name.startswith("MALLOC_")} == {
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TRIM_THRESHOLD_": "268435456",
    }


def test_a_deployment_can_lower_the_limits_and_not_raise_them(scope, upstream):
    processing(scope, upstream, ProcessingConfig(max_source_pixels=24_000_000))

    parameter = scope.stack.template.parameters["MaxSourcePixels"].to_dict()
    assert parameter["Default"] == parameter["MaxValue"] == 24_000_000


def test_metadata_only_writes_nothing_and_has_no_bucket_variable(scope, upstream):
    processing(scope, upstream, thumbnails=None)

    variables = resources(scope)["ImageProcessorFunction"]["Properties"]["Environment"]["Variables"]
    assert not {"THUMBNAIL_BUCKET", "THUMBNAIL_SIZE", "OUTPUT_PREFIX"} & set(variables)
    assert "s3:PutObject" not in {action for action, _ in allowed(scope.stack.to_dict(""), "ImageProcessorRole")}


def test_in_one_bucket_the_role_writes_below_the_output_prefix_only(scope, upstream):
    processing(scope, upstream, thumbnails=upstream.source, upload_prefix="uploads/")

    permissions = allowed(scope.stack.to_dict(""), "ImageProcessorRole")
    bucket = "arn:aws:s3:::${SourceBucketName}".replace("arn:aws:", "arn:${AWS::Partition}:")
    assert ("s3:PutObject", f"{bucket}/thumbnails/*") in permissions
    assert ("s3:GetObject", f"{bucket}/uploads/*") in permissions
    variables = resources(scope)["ImageProcessorFunction"]["Properties"]["Environment"]["Variables"]
    assert (variables["UPLOAD_PREFIX"], variables["OUTPUT_PREFIX"]) == ("uploads/", "thumbnails/")


def test_reports_add_topic_rule_and_permission(scope, upstream):
    processing(scope, upstream, reports=upstream.operators, report_on="always", user_id_from="metadata")

    variables = resources(scope)["ImageProcessorFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["REPORTS"] == "always"
    assert said(variables["SNS_TOPIC_ARN"]) == "ProcessingNotificationTopic"
    assert variables["USER_ID_FROM"] == "metadata"
    assert ("sns:Publish", "ProcessingNotificationTopic") in allowed(scope.stack.to_dict(""), "ImageProcessorRole")


def test_metadata_only_has_no_output_variables(scope, upstream):
    processing(scope, upstream, ProcessingConfig(thumbnails=False, engine="libvips", heic=True), thumbnails=None)

    variables = resources(scope)["ImageProcessorFunction"]["Properties"]["Environment"]["Variables"]
    assert not {name for name in variables if "QUALITY" in name or "OUTPUT" in name or "ANIMATION" in name}
    assert (variables["ENGINE"], variables["HEIC"]) == ("libvips", "true")


def test_only_variables_that_differ_from_the_default_are_set(scope, upstream):
    processing(scope, upstream)

    variables = resources(scope)["ImageProcessorFunction"]["Properties"]["Environment"]["Variables"]
    assert not {"ENGINE", "HEIC", "BACKGROUND", "MAX_ANIMATION_FRAMES", "WEBP_QUALITY", "AVIF_QUALITY"} & set(variables)
    assert {"OUTPUT_FORMAT", "JPEG_QUALITY", "MAX_SOURCE_FRAMES"} <= set(variables)


def test_further_sizes_are_in_one_variable_and_count_in_the_memory(scope, upstream):
    processing(scope, upstream, ProcessingConfig(memory_mb=1024, extra_thumbnail_sizes_px=(256, 512)))

    variables = resources(scope)["ImageProcessorFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["EXTRA_THUMBNAIL_SIZES"] == "256,512"
    fits = {"memory_mb": 600, "max_source_pixels": 49_000_000}
    assert list(ProcessingConfig(**fits).conflicts()) == []
    assert list(ProcessingConfig(**fits, extra_thumbnail_sizes_px=(2048,)).conflicts())


def test_function_defaults_reach_function_role_and_log_group(scope, upstream):
    key = Key.of(scope, kms.Key("DataKey", KeyPolicy={}))
    shared = FunctionDefaults(
        key=key, policies="managed", permissions_boundary=True, basic_execution_policy=True, tracing=True
    )
    processing(scope, upstream, shared=shared)

    built = resources(scope)
    function, role = (built[title]["Properties"] for title in ("ImageProcessorFunction", "ImageProcessorRole"))
    assert (
        said(function["KmsKeyArn"]) == said(built["ImageProcessorLogGroup"]["Properties"]["KmsKeyId"]) == "DataKey.Arn"
    )
    assert said(built["ProcessorDeadLetterQueue"]["Properties"]["KmsMasterKeyId"]) == "DataKey.Arn"
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert role["PermissionsBoundary"] == {"Ref": "PermissionsBoundaryArn"}
    assert "Policies" not in role
    assert [said(arn) for arn in role["ManagedPolicyArns"]] == [
        "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        "ImageProcessorPolicy",
    ]
    permissions = allowed(scope.stack.to_dict(""), "ImageProcessorRole")
    assert {("kms:Decrypt", "DataKey.Arn"), ("xray:PutTraceSegments", "*")} <= permissions
    (use_key,) = [
        statement
        for statement in built["ImageProcessorPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        if statement["Sid"] == "UseDataKey"
    ]
    services = use_key["Condition"]["StringEquals"]["kms:ViaService"]
    assert {said(service).split(".")[0] for service in services} == {"dynamodb", "lambda", "s3", "sqs"}


def test_extensions_are_spelled_in_lower_and_upper_case_once():
    uploads = UploadFilter("in/", ("Jpg", "png", "PNG", "7z"))
    notification = function_notification(names("parameter"), uploads)

    assert notification.suffixes == (".jpg", ".JPG", ".png", ".PNG", ".7z", ".7Z")
    assert notification.prefix == "in/"


def test_s3_may_invoke_for_this_bucket_of_this_account_only(scope, upstream):
    add_s3_trigger(scope, source=upstream.source, processor=upstream.processor)

    (permission,) = resources(scope).values()
    properties = permission["Properties"]
    assert (properties["Action"], properties["Principal"]) == ("lambda:InvokeFunction", "s3.amazonaws.com")
    assert properties["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert said(properties["SourceArn"]) == "arn:${AWS::Partition}:s3:::${SourceBucketName}"
