"""Options of the engine on any preset: what each changes, and what it excludes."""

from __future__ import annotations

import json
from datetime import date

import pytest

from imgpipe_templates import load_config, load_preset, to_json
from imgpipe_templates.checks import check_templates
from imgpipe_templates.config import PRESETS
from imgpipe_templates.errors import ConfigError
from tests.templates import of_type, rendered, said

TODAY = date(2026, 11, 20)
QUEUE_OF_S3 = ("trigger=queue", "queue.fed_by=s3")
VARIANTS = {
    "one bucket": ("thumbnails", "storage.buckets=one", 'uploads.prefix="in/"'),
    "one bucket, eventbridge": ("single-bucket", "trigger=eventbridge"),
    "one bucket, queue of S3": ("single-bucket", *QUEUE_OF_S3),
    "custom resource": ("thumbnails", "trigger=custom-resource"),
    "queue of S3 with a key": ("production", "queue.fed_by=s3"),
    "key and native trigger": ("thumbnails", "customer_managed_key=true"),
    "own VPC": ("production", "vpc=true"),
    "existing subnets": ("media-library", "vpc=true", "network.subnets=existing"),
    "generated names": ("production", "names=generated"),
    "regional names": ("production", "names=regional"),
    "generated names, native trigger": ("thumbnails", "names=generated"),
    "boundary and managed logs policy": (
        "reporting",
        "security.permissions_boundary=true",
        "security.basic_execution_policy=true",
    ),
    "tokens": ("production", "retrieval.authorization=jwt"),
    "snapshots": ("media-library", "retrieval.snap_start=true"),
    "provisioned": ("media-library", "retrieval.provisioned_concurrency=2", "retrieval.reserved_concurrency=5"),
    "several sizes, reserved": (
        "thumbnails",
        "processing.extra_thumbnail_sizes_px=[256, 512]",
        "processing.reserved_concurrency=10",
    ),
    "WebP on white, animated too": (
        "thumbnails",
        "processing.output.format=webp",
        "processing.output.webp_quality=70",
        "processing.output.background=#ffffff",
        "processing.output.animation=webp",
        "processing.output.max_animation_frames=50",
    ),
    "AVIF, HEIC and libvips": (
        "single-bucket",
        "processing.output.format=avif",
        "processing.engine=libvips",
        "processing.heic=true",
        'uploads.extensions=["jpg", "jpeg", "png", "gif", "webp", "avif", "tif", "tiff", "bmp", "heic", "heif"]',
    ),
    "every extension of an event's key": (
        "media-library",
        "processing.heic=true",
        "processing.pillow=layer",
        'uploads.extensions=["jpg", "jpeg", "png", "gif", "webp", "avif", "tif", "tiff", "bmp", "heic", "heif"]',
    ),
    "failed events with their error": ("thumbnails", "processing.failed_events=destination"),
    "own layer": ("thumbnails", "processing.pillow=layer"),
    "existing layer": ("thumbnails", "processing.pillow=existing-layer"),
    "everything deleted": ("production", "deletion_policy=delete", "metadata.deletion_protection=false"),
    "more tags": ("single-bucket", "tags.Team=web"),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_option_gives_a_template_without_a_finding(variant):
    preset, *overrides = VARIANTS[variant]

    text = to_json(rendered(load_preset(preset, overrides)))
    assert [finding.text() for finding in check_templates({variant: text}, today=TODAY)] == []


def resources(preset: str, *overrides: str):
    return rendered(load_preset(preset, overrides))["Resources"]


def changed(before, after) -> set[str]:
    return {title for title in {*before, *after} if before.get(title) != after.get(title)}


def test_from_s3_to_eventbridge_only_what_must_change_changes():
    before, after = resources("thumbnails"), resources("thumbnails", "trigger=eventbridge")

    # The processor, its role and the permission say the bucket by reference now that nothing waits for them.
    assert changed(before, after) == {
        "ProcessorDeadLetterQueuePolicy",
        "SourceBucket",
        "LambdaInvokePermission",
        "UploadRule",
        "ImageProcessorFunction",
        "ImageProcessorRole",
    }
    assert after["SourceBucket"]["Properties"]["NotificationConfiguration"] == {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }
    assert "DependsOn" not in after["SourceBucket"]
    assert after["LambdaInvokePermission"]["Properties"]["Principal"] == "events.amazonaws.com"


@pytest.mark.parametrize("preset", PRESETS.names)
@pytest.mark.parametrize(
    ("trigger", "by_name"),
    [
        (["trigger=s3"], True),
        (["trigger=custom-resource"], False),
        (["trigger=eventbridge"], False),
        (["trigger=queue", "queue.fed_by=eventbridge"], False),
        (QUEUE_OF_S3, True),
    ],
)
def test_processor_has_the_source_bucket_as_variable(preset, trigger, by_name):
    built = resources(preset, *trigger)

    variable = built["ImageProcessorFunction"]["Properties"]["Environment"]["Variables"]["SOURCE_BUCKET"]
    # Where the bucket waits for what it notifies, a reference to it would close a circle.
    assert variable == (built["SourceBucket"]["Properties"]["BucketName"] if by_name else {"Ref": "SourceBucket"})


def test_from_eventbridge_to_a_queue_the_bucket_stays_as_it_is():
    before, after = (
        resources("thumbnails", "trigger=eventbridge"),
        resources("thumbnails", "trigger=queue"),
    )

    assert changed(before, after) == {
        "LambdaInvokePermission",
        "ProcessorDeadLetterQueue",
        "UploadRule",
        "UploadQueue",
        "UploadQueueAgeAlarm",
        "UploadQueueMapping",
        "UploadQueuePolicy",
        "UploadQueueReceivePolicy",
        # Their texts say who tries an event again, and since when its message is kept.
        "DeadLetterQueueAlarm",
        "LambdaErrorAlarm",
    }
    assert "LambdaInvokePermission" not in after


def test_a_queue_gives_the_function_time_and_retries_only_failed_messages():
    built = resources("thumbnails", "trigger=queue", "queue.batch_size=5", "queue.max_concurrency=7")

    queue, mapping = built["UploadQueue"]["Properties"], built["UploadQueueMapping"]["Properties"]
    assert queue["VisibilityTimeout"] >= 6 * built["ImageProcessorFunction"]["Properties"]["Timeout"]
    assert said(queue["RedrivePolicy"]["deadLetterTargetArn"]) == "ProcessorDeadLetterQueue.Arn"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (mapping["BatchSize"], mapping["ScalingConfig"]) == (5, {"MaximumConcurrency": 7})


def test_an_event_pattern_lets_through_just_the_wanted_keys():
    without_prefix = resources("thumbnails", "trigger=eventbridge")["UploadRule"]["Properties"]["EventPattern"]
    below_prefix = resources("single-bucket", "trigger=eventbridge")["UploadRule"]["Properties"]["EventPattern"]

    assert without_prefix["detail"]["object"]["key"] == [
        {"suffix": {"equals-ignore-case": suffix}} for suffix in (".jpg", ".jpeg", ".png")
    ]
    assert below_prefix["detail"]["object"]["key"] == [
        {"wildcard": f"uploads/*{suffix}"} for suffix in (".jpg", ".JPG", ".jpeg", ".JPEG", ".png", ".PNG")
    ]
    for pattern in (without_prefix, below_prefix):
        assert (pattern["source"], pattern["detail-type"]) == (["aws.s3"], ["Object Created"])
        assert len(pattern["detail"]["bucket"]["name"]) == 1


def test_generated_names_keep_only_the_required_names():
    built = resources("production", "names=generated")

    assert "TableName" not in built["ImageMetadataTable"]["Properties"]
    assert "FunctionName" not in built["ImageProcessorFunction"]["Properties"]
    assert not any("AlarmName" in alarm for alarm in of_type({"Resources": built}, "AWS::CloudWatch::Alarm").values())
    # The native trigger closes its circle by the function's name.
    native = resources("thumbnails", "names=generated")
    assert said(native["ImageProcessorFunction"]["Properties"]["FunctionName"]).startswith("ImageProcessor-")


def test_the_helper_of_the_custom_resource_runs_outside_of_the_vpc():
    built = resources("reporting", "vpc=true", "network.subnets=existing")

    assert "VpcConfig" in built["ImageProcessorFunction"]["Properties"]
    assert "VpcConfig" not in built["S3NotificationLambda"]["Properties"]


def test_failed_events_reach_the_queue_alone_or_with_their_error():
    plain = resources("thumbnails")
    assert said(plain["ImageProcessorFunction"]["Properties"]["DeadLetterConfig"]["TargetArn"]) == (
        "ProcessorDeadLetterQueue.Arn"
    )
    assert "ImageProcessorInvokeConfig" not in plain

    built = resources("thumbnails", "processing.failed_events=destination", "processing.retry_attempts=1")
    config = built["ImageProcessorInvokeConfig"]["Properties"]
    assert said(config["DestinationConfig"]["OnFailure"]["Destination"]) == "ProcessorDeadLetterQueue.Arn"
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (1, 21_600)
    assert "DeadLetterConfig" not in built["ImageProcessorFunction"]["Properties"]


def test_snapshots_and_provisioned_concurrency_are_of_a_version_with_an_alias():
    for override in ("retrieval.snap_start=true", "retrieval.provisioned_concurrency=3"):
        built = resources("media-library", override)
        assert said(built["ImageRetrievalAlias"]["Properties"]["FunctionVersion"]) == "ImageRetrievalVersion.Version"
        assert built["ImageApiIntegration"]["Properties"]["IntegrationUri"] == {"Ref": "ImageRetrievalAlias"}


@pytest.mark.parametrize(
    ("preset", "overrides", "keys"),
    [
        ("thumbnails", ["storage.buckets=one"], ["uploads.prefix", "storage.buckets"]),
        (
            "single-bucket",
            ['uploads.prefix="thumbnails/"'],
            ["uploads.prefix", "storage.output_prefix"],
        ),
        ("media-library", ["uploads.user_id=none"], ["metadata.indexes", "uploads.user_id"]),
        ("media-library", ['metadata.indexes=["user"]'], ["retrieval.enabled", "metadata.indexes"]),
        (
            "media-library",
            ["retrieval.authorization=jwt", 'metadata.indexes=["upload-timestamp"]'],
            ["retrieval.authorization", "metadata.indexes"],
        ),
        (
            "media-library",
            ["retrieval.snap_start=true", "retrieval.provisioned_concurrency=1"],
            ["retrieval.snap_start", "retrieval.provisioned_concurrency"],
        ),
        (
            "reporting",
            ["processing.extra_thumbnail_sizes_px=[256]"],
            ["processing.extra_thumbnail_sizes_px", "processing.thumbnails"],
        ),
        ("reporting", ["processing.thumbnail_size_px=64"], ["processing.thumbnail_size_px", "processing.thumbnails"]),
        (
            "reporting",
            ["processing.output.format=webp"],
            ["processing.output.format", "processing.thumbnails"],
        ),
        (
            "thumbnails",
            ["processing.output.format=avif", "processing.output.animation=webp"],
            ["processing.output.format", "processing.output.animation"],
        ),
        (
            "thumbnails",
            ["processing.output.avif_quality=9"],
            ["processing.output.avif_quality", "processing.output.format"],
        ),
        (
            "thumbnails",
            ["processing.output.max_animation_frames=9"],
            ["processing.output.max_animation_frames", "processing.output.animation"],
        ),
        (
            "thumbnails",
            ["processing.output.animation=webp", "processing.max_source_frames=99"],
            ["processing.output.max_animation_frames", "processing.max_source_frames"],
        ),
        (
            "thumbnails",
            ["processing.output.animation=webp", "processing.output.max_animation_pixels=90000000"],
            [
                "processing.memory_mb",
                "processing.output.max_animation_frames",
                "processing.output.max_animation_pixels",
            ],
        ),
        ("thumbnails", ['uploads.extensions=["jpg", "HEIC"]'], ["uploads.extensions", "processing.heic"]),
        ("thumbnails", ["processing.heic=true"], ["processing.heic", "uploads.extensions"]),
        (
            "thumbnails",
            ["vpc=true", "network.subnets=existing", "network.cidr=10.1.0.0/16"],
            ["network.cidr", "network.subnets"],
        ),
        (
            "production",
            ["processing.failed_events=destination"],
            ["processing.failed_events", "trigger"],
        ),
        ("media-library", ["storage.archive_class=GLACIER"], ["storage.archive_class", "retrieval.originals"]),
        ("thumbnails", ["storage.archive_class=GLACIER", "backups=true"], ["storage.archive_class", "backups"]),
        ("production", ["metadata.encryption=aws-owned"], ["metadata.encryption", "customer_managed_key"]),
        ("thumbnails", ["tags.Project=mine"], ["tags.Project"]),
        ("thumbnails", ["tags.project=mine"], ["tags.project"]),
        ("thumbnails", ["tags.IAC-rlhf-Amazon=true"], ["tags.IAC-rlhf-Amazon"]),
        ("thumbnails", ["tags.team=a", "tags.Team=b"], ["tags.Team"]),
        ("production", ["tags.backup=daily"], ["tags.backup"]),
        ("production", ["vpc=true", "tags.name=mine"], ["tags.name"]),
        ("thumbnails", ['tags."aws:team"=a'], ['tags."aws:team"']),
        ("thumbnails", [f"tags.{'k' * 129}=a"], [f"tags.{'k' * 129}"]),
        ("thumbnails", [f"tags.Team={'v' * 257}"], ["tags.Team"]),
        ("thumbnails", ['tags.Team="a;b"'], ["tags.Team"]),
        ("thumbnails", [f"tags.t{number}=a" for number in range(47)], ["tags"]),
        ("thumbnails", ['project="photos*"'], ["project"]),
        (
            "production",
            ["queue.batch_size=10", "processing.timeout_seconds=51"],
            ["queue.batch_size", "processing.timeout_seconds"],
        ),
        ("production", ["queue.batch_size=10", "queue.max_receives=100"], ["queue.max_receives", "queue.batch_size"]),
        (
            "production",
            ["processing.reserved_concurrency=9"],
            ["processing.reserved_concurrency", "queue.max_concurrency"],
        ),
    ],
)
def test_options_that_exclude_each_other_are_refused_with_both_keys(preset, overrides, keys):
    with pytest.raises(ConfigError) as refused:
        load_preset(preset, overrides)

    (fault,) = refused.value.errors
    assert " and ".join(keys) in fault
    assert "; expected " in fault


@pytest.mark.parametrize(
    ("override", "help_"),
    [
        ("uploads.extensions=jpg, png", """; write --set 'uploads.extensions=["jpg", "png"]'"""),
        ("processing.extra_thumbnail_sizes_px=64,256", "; write --set 'processing.extra_thumbnail_sizes_px=[64, 256]'"),
        ("uploads.prefix=/uploads/", "; did you mean 'uploads/'?"),
        ("uploads.prefix=uploads", "; did you mean 'uploads/'?"),
        ('uploads.extensions=[".jpg"]', "; did you mean 'jpg'?"),
        ("name=Holiday Photos", "; did you mean 'holiday-photos'?"),
        (
            "storage.source_bucket_name=my-bucket",
            "is the template parameter SourceBucketName, which is given at deployment",
        ),
        ("network.subnets=subnet-1", "are the template parameter ExistingSubnetIds, which is given at deployment"),
    ],
)
def test_a_message_says_how_to_write_what_was_meant(override, help_):
    with pytest.raises(ConfigError) as refused:
        load_preset("thumbnails", [override])

    (fault,) = refused.value.errors
    assert fault.endswith(help_)


def test_an_empty_file_is_pointed_to_the_presets(tmp_path):
    (tmp_path / "imgpipe.toml").touch()

    with pytest.raises(
        ConfigError, match=r'name: is missing; .*, or preset = "<name>" with the name of a preset: media'
    ):
        load_config(tmp_path / "imgpipe.toml")


@pytest.mark.parametrize(
    ("preset", "overrides"),
    [
        ("production", ["queue.batch_size=10", "processing.timeout_seconds=52"]),
        ("production", ["queue.batch_size=10", "queue.max_receives=99"]),
        ("production", ["queue.max_receives=1000"]),
        ("production", ["processing.reserved_concurrency=10"]),
        ("thumbnails", ["processing.reserved_concurrency=1"]),
        ("thumbnails", ["storage.archive_class=GLACIER"]),
        ("media-library", ["storage.archive_class=GLACIER", "retrieval.originals=false"]),
        ("production", ["storage.archive_class=GLACIER", "storage.archive=false"]),
        ("thumbnails", ["tags.backup=daily", "tags.Name=mine", 'tags."Straße"=1', "tags.Team=", f"tags.{'k' * 128}=a"]),
        ("thumbnails", [f"tags.t{number}=a" for number in range(46)]),
    ],
    ids=str,
)
def test_options_at_their_limits_are_accepted(preset, overrides):
    assert load_preset(preset, overrides).name == preset


@pytest.mark.parametrize("preset", ["media-library", "production"])
def test_only_web_pages_that_the_deployment_names_may_ask(preset):
    built = rendered(load_preset(preset))

    assert built["Parameters"]["AllowedOrigins"]["Type"] == "CommaDelimitedList"
    assert built["Resources"]["ImageApi"]["Properties"]["CorsConfiguration"]["AllowOrigins"] == {
        "Ref": "AllowedOrigins"
    }
    assert "*" not in json.dumps(built["Resources"]["ImageApi"]["Properties"]["CorsConfiguration"]["AllowOrigins"])


def test_the_access_log_of_the_api_is_json_and_says_nothing_secret():
    built = resources("production")
    log = json.loads(built["ImageApiStage"]["Properties"]["AccessLogSettings"]["Format"])

    assert log["status"] == "$context.status"
    assert not [value for value in log.values() if "authorizer" in value or "header" in value.lower()]
