"""Document 000, one bucket: what can be read off the template of `single-bucket`, and what holds for `production` too.

What the function does is tested where it runs; docs/requirements.md says where.
"""

from __future__ import annotations

import pytest

from imgpipe_templates import load_preset
from imgpipe_templates.errors import ConfigError
from tests.requirements.reading import (
    BLOCKED,
    PRESETS,
    TOPIC,
    fires,
    indexes,
    keys,
    on,
    outputs,
    properties,
    reached,
    runs_a_day,
    shown,
    with_options,
)
from tests.templates import of_type, said, tags, waits_for

BUCKET = "image-storage-bucket-${EnvironmentSuffix}-${AWS::AccountId}"
BUCKET_ARN = f"arn:${{AWS::Partition}}:s3:::{BUCKET}"
FUNCTION_ARN = (
    "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:ImageProcessor-${EnvironmentSuffix}"
)
TABLE_ACTIONS = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}

on_both = on("single-bucket", "production")
on_its_own = on("single-bucket")


@pytest.fixture
def permission(template):
    return properties(template, "LambdaInvokePermission")


@on(*PRESETS)
def test_000_01_uploads_keep_their_versions(bucket):
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}


@on(*PRESETS)
def test_000_02_the_bucket_is_private(bucket):
    assert bucket["PublicAccessBlockConfiguration"] == BLOCKED


@on_its_own
def test_000_03_a_new_object_invokes_the_processor(bucket):
    entries = bucket["NotificationConfiguration"]["LambdaConfigurations"]
    assert {(entry["Event"], said(entry["Function"])) for entry in entries} == {("s3:ObjectCreated:*", FUNCTION_ARN)}


@on("production")
def test_000_03_a_new_object_reaches_the_processor_through_rule_and_queue(template, bucket):
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    (target,) = properties(template, "UploadRule")["Targets"]
    assert said(target["Arn"]) == "UploadQueue.Arn"
    mapping = properties(template, "UploadQueueMapping")
    assert (said(mapping["EventSourceArn"]), said(mapping["FunctionName"])) == (
        "UploadQueue.Arn",
        "ImageProcessorFunction",
    )


@on_both
def test_000_04_jpg_and_png_start_the_processor_however_they_are_spelled(template):
    heeds = fires(template)
    assert all(map(heeds, ("uploads/a.jpg", "uploads/a.JPG", "uploads/b/c.jpeg", "uploads/a.png", "uploads/A.PNG")))
    assert not any(map(heeds, ("uploads/a.gif", "uploads/jpg", "uploads/a.jpg.txt", "uploads/")))


@on_both
def test_000_05_only_uploads_start_the_processor(template):
    """D3, D13: no two entries heed one key, and nothing that the function writes is an upload."""
    heeds = fires(template)
    assert heeds("uploads/a.jpg")
    assert not any(
        map(heeds, ("a.jpg", "thumbnails/a.jpg", "thumbnails/uploads/a.jpg", "uploads.jpg", "Uploads/a.jpg"))
    )
    assert properties(template, "ImageProcessorFunction")["Environment"]["Variables"]["UPLOAD_PREFIX"] == "uploads/"


@pytest.mark.parametrize("prefixes", [("uploads/", "uploads/"), ("", "thumbnails/")])
def test_000_05_000_27_an_output_prefix_that_overlaps_the_uploads_is_refused(prefixes):
    uploads, output = prefixes
    with pytest.raises(ConfigError, match=r"uploads\.prefix"):
        load_preset("single-bucket", [f"uploads.prefix={uploads}", f"storage.output_prefix={output}"])


@on(*PRESETS)
def test_000_06_the_bucket_is_tagged(bucket):
    assert tags(bucket).keys() >= {"Environment", "Project", "Purpose", "iac-rlhf-amazon"}


@on(*PRESETS)
def test_000_07_only_lambda_takes_the_processors_role(resources, function):
    role = resources["ImageProcessorRole"]
    assert role["Type"] == "AWS::IAM::Role"
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Principal": {"Service": ["lambda.amazonaws.com"]},
        "Action": ["sts:AssumeRole"],
    }
    assert said(function["Role"]) == "ImageProcessorRole.Arn"


@pytest.mark.parametrize(
    ("template", "objects"),
    [("single-bucket", f"{BUCKET_ARN}/uploads/*"), ("production", "${SourceBucket.Arn}/uploads/*")],
    indirect=["template"],
)
def test_000_08_the_processor_reads_uploads(granted, objects):
    assert {on for action, on in granted if action == "s3:GetObject"} == {objects}


@pytest.mark.parametrize(
    ("template", "objects"),
    [("single-bucket", f"{BUCKET_ARN}/thumbnails/*"), ("production", "${ThumbnailBucket.Arn}/thumbnails/*")],
    indirect=["template"],
)
def test_000_09_the_processor_writes_thumbnails_and_no_upload(granted, objects):
    assert {on for action, on in granted if action == "s3:PutObject"} == {objects}


@on(*PRESETS)
@pytest.mark.parametrize(
    "action",
    [
        pytest.param("s3:DeleteObject", id="000_10"),
        pytest.param("s3:ListBucket", id="000_11"),
        pytest.param("dynamodb:Query", id="000_13"),
        pytest.param("dynamodb:Scan", id="000_14"),
    ],
)
def test_000_10_000_11_000_13_000_14_what_the_processor_never_calls_is_not_granted(granted, action):
    """D10: the function neither deletes nor lists nor searches."""
    assert granted
    assert action not in {granted_action for granted_action, _ in granted}


@on(*PRESETS)
def test_000_12_the_processor_keeps_items_of_its_table(granted):
    assert {(action, "ImageMetadataTable.Arn") for action in TABLE_ACTIONS} == {
        (action, on) for action, on in granted if action.startswith("dynamodb:")
    }


@on(*PRESETS)
def test_000_15_metrics_need_no_right_but_that_to_write_logs(granted, function):
    """D28: metrics are lines of the log, in embedded metric format."""
    assert not {action for action, _ in granted if action.startswith("cloudwatch:")}
    assert ("logs:PutLogEvents", "ImageProcessorLogGroup.Arn") in granted
    assert function["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": "ImageProcessorLogGroup"}}


@on(*PRESETS)
def test_000_16_the_role_writes_into_its_own_log_group_only(template, granted):
    """D11: AWS's policy may create any log group, and so bring back one that its stack has deleted."""
    assert {on for action, on in granted if action.startswith("logs:")} == {"ImageProcessorLogGroup.Arn"}
    assert "logs:CreateLogGroup" not in {action for action, _ in granted}
    assert "AWSLambdaBasicExecutionRole" not in str(template)


@pytest.mark.parametrize("preset", ["single-bucket", "production"])
def test_000_16_the_managed_policy_is_an_option(preset):
    role = properties(with_options(preset, "security.basic_execution_policy=true"), "ImageProcessorRole")
    policy = "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    assert policy in [said(arn) for arn in role["ManagedPolicyArns"]]


@on_its_own
def test_000_17_the_processor_may_do_exactly_this(granted):
    assert granted == {
        ("s3:GetObject", f"{BUCKET_ARN}/uploads/*"),
        ("s3:GetObjectVersion", f"{BUCKET_ARN}/uploads/*"),
        ("s3:PutObject", f"{BUCKET_ARN}/thumbnails/*"),
        *((action, "ImageMetadataTable.Arn") for action in TABLE_ACTIONS),
        ("logs:CreateLogStream", "ImageProcessorLogGroup.Arn"),
        ("logs:PutLogEvents", "ImageProcessorLogGroup.Arn"),
        ("sqs:SendMessage", "ProcessorDeadLetterQueue.Arn"),
    }


@on_both
def test_000_17_no_action_has_a_wildcard_and_every_resource_is_named(granted):
    assert not {action for action, _ in granted if "*" in action}
    # X-Ray knows no resource: Service Authorization Reference, "Actions defined by AWS X-Ray", read 2026-11.
    unnamed = {action for action, on in granted if on == "*"}
    assert unnamed <= {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


@on_both
def test_000_18_000_19_images_are_found_by_status_and_time(table):
    """D6: the status alone would put nearly every item into one partition."""
    index = indexes(table)["StatusIndex"]
    assert keys(index["KeySchema"]) == ["StatusShard", "UploadTimestamp"]
    assert index["Projection"] == {"ProjectionType": "ALL"}


@on_its_own
def test_000_20_the_table_streams_old_and_new_images(table):
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_000_20_in_production_a_stream_is_an_option_for_whoever_reads_it():
    """D14: nothing in the pipeline does."""
    table = properties(with_options("production", "metadata.stream=true"), "ImageMetadataTable")
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


@on(*PRESETS)
def test_000_21_the_table_can_be_restored_to_any_second(table):
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


@on(*PRESETS)
def test_000_22_the_table_is_tagged(table):
    assert tags(table).keys() >= {"Environment", "Project", "Purpose", "iac-rlhf-amazon"}


@on(*PRESETS)
def test_000_23_the_processor_is_python_of_a_supported_version(function):
    """D8: 3.9 has been out of support since December 2025."""
    assert function["Runtime"] == "python3.13"


@pytest.mark.parametrize(("template", "timeout"), [("single-bucket", 300), ("production", 60)], indirect=["template"])
def test_000_30_time_and_memory_are_far_above_lambdas_own(function, timeout):
    """Lambda's own are 3 seconds and 128 MB; in production a queue tries again, so that one minute is enough."""
    assert (function["Timeout"], function["MemorySize"]) == (timeout, 1024)


@on("single-bucket", "reporting", "thumbnails")
def test_000_31_s3_may_invoke_the_processor(permission):
    assert (permission["Action"], permission["Principal"]) == ("lambda:InvokeFunction", "s3.amazonaws.com")
    assert said(permission["FunctionName"]) == "ImageProcessorFunction"


@on_its_own
def test_000_32_for_this_bucket_of_this_account_only(permission, bucket):
    """D15: the ARN of a bucket holds no account."""
    assert said(permission["SourceArn"]) == f"arn:${{AWS::Partition}}:s3:::{said(bucket['BucketName'])}"
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}


@on("reporting")
def test_000_32_where_no_cycle_threatens_the_bucket_itself_is_named(permission):
    assert said(permission["SourceArn"]) == "SourceBucket.Arn"
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}


@on_its_own
def test_000_33_the_permission_is_there_before_the_notification_and_waits_for_nothing_of_the_bucket(resources):
    assert "LambdaInvokePermission" in waits_for(resources["SourceBucket"])
    before = reached(resources, "SourceBucket")
    assert {"LambdaInvokePermission", "ImageProcessorFunction", "ImageProcessorRole"} <= before
    assert "SourceBucket" not in before


@on(*PRESETS)
def test_000_34_alarm_on_more_than_five_errors(template):
    alarm = properties(template, "LambdaErrorAlarm")
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "Errors", "Sum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 5)
    assert said(alarm["Dimensions"][0]["Value"]) == "ImageProcessorFunction"
    assert alarm["AlarmActions"] == TOPIC


@on_both
def test_000_35_alarm_on_four_fifths_of_the_timeout(template, function):
    """D12: 240 of the 300 seconds of `single-bucket`; a threshold above the timeout could never be reached."""
    alarm = properties(template, "LambdaDurationAlarm")
    assert (alarm["MetricName"], alarm["Statistic"]) == ("Duration", "Maximum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "GreaterThanThreshold",
        {300: 240_000, 60: 48_000}[function["Timeout"]],
    )


@on_both
def test_000_36_the_dashboard_shows_what_counts_first(template):
    """How much was processed, how much failed, how long it took, what waits and what is stored."""
    assert {
        ("ImageProcessing", "ProcessedImages"),
        ("ImageProcessing", "ProcessingErrors"),
        ("ImageProcessing", "ProcessingDuration"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/S3", "NumberOfObjects"),
    } <= {(metric.namespace, metric.name) for metric in shown(template)}


@on_both
def test_000_37_custom_metrics_have_one_namespace(template):
    custom = {metric.namespace for metric in shown(template) if not metric.namespace.startswith("AWS/")}
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    monitored = {alarm["Namespace"] for alarm in alarms if not alarm["Namespace"].startswith("AWS/")}
    assert custom == monitored == {"ImageProcessing"}


@on_both
def test_000_38_the_dashboard_shows_the_processor(template):
    assert {"Invocations", "Errors", "Duration"} <= {
        metric.name
        for metric in shown(template)
        if metric.namespace == "AWS/Lambda" and metric.dimensions == {"FunctionName": "${ImageProcessorFunction}"}
    }


@on_both
def test_000_39_the_dashboard_shows_the_pipelines_own_metrics(template):
    own = [metric for metric in shown(template) if metric.namespace == "ImageProcessing"]
    assert {metric.name for metric in own} == {
        "ProcessedImages",
        "ProcessingErrors",
        "ProcessingDuration",
        "SourceBytes",
        "ThumbnailBytes",
    }
    for metric in own:
        assert metric.dimensions == {"Environment": "${Environment}", "EnvironmentSuffix": "${EnvironmentSuffix}"}


@on_both
def test_000_40_the_dashboard_shows_storage_by_the_day(template, bucket):
    """D16: S3 tells sizes once a day, and by storage class only."""
    stored = [metric for metric in shown(template) if metric.namespace == "AWS/S3"]
    assert {metric.period for metric in stored} == {86_400}
    sizes = [metric.dimensions for metric in stored if metric.name == "BucketSizeBytes"]
    names = {said(bucket["BucketName"]), "${SourceBucket}"}
    assert {"StandardStorage", "StandardIAStorage", "GlacierInstantRetrievalStorage", "GlacierStorage"} == {
        dimensions["StorageType"] for dimensions in sizes if dimensions["BucketName"] in names
    }


@on_both
def test_000_41_the_dashboard_shows_what_the_table_uses(template, table):
    used = [metric for metric in shown(template) if metric.namespace == "AWS/DynamoDB"]
    for index in (None, *indexes(table)):
        dimensions = {"TableName": "${ImageMetadataTable}", **({"GlobalSecondaryIndexName": index} if index else {})}
        assert {"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"} <= {
            metric.name for metric in used if metric.dimensions == dimensions
        }


@on_its_own
def test_000_42_logs_are_kept_for_30_days(template):
    assert properties(template, "ImageProcessorLogGroup")["RetentionInDays"] == 30


@on(*PRESETS)
def test_000_43_the_log_group_is_named_like_the_function_with_the_suffix(template, function):
    group = properties(template, "ImageProcessorLogGroup")
    assert said(function["FunctionName"]) == "ImageProcessor-${EnvironmentSuffix}"
    assert said(group["LogGroupName"]) == f"/aws/lambda/{said(function['FunctionName'])}"
    assert said(function["LoggingConfig"]["LogGroup"]) == "ImageProcessorLogGroup"


@on_both
def test_000_44_names_arns_and_the_dashboard_are_handed_out(template):
    handed = outputs(template)
    assert handed["SourceBucketName"] == "SourceBucket"
    assert handed["SourceBucketArn"] == "SourceBucket.Arn"
    assert handed["ImageMetadataTableName"] == "ImageMetadataTable"
    assert handed["ImageProcessorFunctionArn"] == "ImageProcessorFunction.Arn"
    address, values = template["Outputs"]["DashboardUrl"]["Value"]["Fn::Sub"]
    assert address.startswith("https://${AWS::Region}.console.${Domain}/cloudwatch/home?region=${AWS::Region}#")
    assert values["Name"] == {"Ref": "MonitoringDashboard"}


@on(*PRESETS)
def test_000_45_every_output_is_exported_under_the_stacks_name(template):
    exports = [said(output["Export"]["Name"]) for output in template["Outputs"].values()]
    assert all(name.startswith("${AWS::StackName}-") for name in exports)
    assert len(set(exports)) == len(exports) > 0


@on_both
def test_000_46_a_thousand_uploads_a_day_fit_even_if_each_takes_its_whole_time(template, table):
    assert runs_a_day(template) >= 1_000
    assert table["BillingMode"] == "PAY_PER_REQUEST"
