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


@pytest.mark.line("000-01")
@on(*PRESETS)
def test_uploads_keep_their_versions(bucket):
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}


@pytest.mark.line("000-02")
@on(*PRESETS)
def test_the_bucket_is_private(bucket):
    assert bucket["PublicAccessBlockConfiguration"] == BLOCKED


@pytest.mark.line("000-03")
@on_its_own
def test_a_new_object_invokes_the_processor(bucket):
    entries = bucket["NotificationConfiguration"]["LambdaConfigurations"]
    assert {(entry["Event"], said(entry["Function"])) for entry in entries} == {("s3:ObjectCreated:*", FUNCTION_ARN)}


@pytest.mark.line("000-03")
@on("production")
def test_a_new_object_reaches_the_processor_through_rule_and_queue(template, bucket):
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    (target,) = properties(template, "UploadRule")["Targets"]
    assert said(target["Arn"]) == "UploadQueue.Arn"
    mapping = properties(template, "UploadQueueMapping")
    assert (said(mapping["EventSourceArn"]), said(mapping["FunctionName"])) == (
        "UploadQueue.Arn",
        "ImageProcessorFunction",
    )


@pytest.mark.line("000-04")
@on_both
def test_jpg_and_png_start_the_processor_however_they_are_spelled(template):
    heeds = fires(template)
    assert all(map(heeds, ("uploads/a.jpg", "uploads/a.JPG", "uploads/b/c.jpeg", "uploads/a.png", "uploads/A.PNG")))
    assert not any(map(heeds, ("uploads/a.gif", "uploads/jpg", "uploads/a.jpg.txt", "uploads/")))


@pytest.mark.line("000-05")
@on_both
def test_only_uploads_start_the_processor(template):
    """D3, D13: no two entries heed one key, and nothing that the function writes is an upload."""
    heeds = fires(template)
    assert heeds("uploads/a.jpg")
    assert not any(
        map(heeds, ("a.jpg", "thumbnails/a.jpg", "thumbnails/uploads/a.jpg", "uploads.jpg", "Uploads/a.jpg"))
    )
    assert properties(template, "ImageProcessorFunction")["Environment"]["Variables"]["UPLOAD_PREFIX"] == "uploads/"


@pytest.mark.line("000-05", "000-27")
@pytest.mark.parametrize("prefixes", [("uploads/", "uploads/"), ("", "thumbnails/")])
def test_an_output_prefix_that_overlaps_the_uploads_is_refused(prefixes):
    uploads, output = prefixes
    with pytest.raises(ConfigError, match=r"uploads\.prefix"):
        load_preset("single-bucket", [f"uploads.prefix={uploads}", f"storage.output_prefix={output}"])


@pytest.mark.line("000-06")
@on(*PRESETS)
def test_the_bucket_is_tagged(bucket):
    assert tags(bucket).keys() >= {"Environment", "Project", "Purpose", "iac-rlhf-amazon"}


@pytest.mark.line("000-07")
@on(*PRESETS)
def test_only_lambda_takes_the_processors_role(resources, function):
    role = resources["ImageProcessorRole"]
    assert role["Type"] == "AWS::IAM::Role"
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Principal": {"Service": ["lambda.amazonaws.com"]},
        "Action": ["sts:AssumeRole"],
    }
    assert said(function["Role"]) == "ImageProcessorRole.Arn"


@pytest.mark.line("000-08")
@pytest.mark.parametrize(
    ("template", "objects"),
    [("single-bucket", f"{BUCKET_ARN}/uploads/*"), ("production", "${SourceBucket.Arn}/uploads/*")],
    indirect=["template"],
)
def test_the_processor_reads_uploads(granted, objects):
    assert {on for action, on in granted if action == "s3:GetObject"} == {objects}


@pytest.mark.line("000-09")
@pytest.mark.parametrize(
    ("template", "objects"),
    [("single-bucket", f"{BUCKET_ARN}/thumbnails/*"), ("production", "${ThumbnailBucket.Arn}/thumbnails/*")],
    indirect=["template"],
)
def test_the_processor_writes_thumbnails_and_no_upload(granted, objects):
    assert {on for action, on in granted if action == "s3:PutObject"} == {objects}


@pytest.mark.line("000-10", "000-11", "000-13", "000-14")
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
def test_what_the_processor_never_calls_is_not_granted(granted, action):
    """D10: the function neither deletes nor lists nor searches."""
    assert granted
    assert action not in {granted_action for granted_action, _ in granted}


@pytest.mark.line("000-12")
@on(*PRESETS)
def test_the_processor_keeps_items_of_its_table(granted):
    assert {(action, "ImageMetadataTable.Arn") for action in TABLE_ACTIONS} == {
        (action, on) for action, on in granted if action.startswith("dynamodb:")
    }


@pytest.mark.line("000-15")
@on(*PRESETS)
def test_metrics_need_no_right_but_that_to_write_logs(granted, function):
    """D28: metrics are lines of the log, in embedded metric format."""
    assert not {action for action, _ in granted if action.startswith("cloudwatch:")}
    assert ("logs:PutLogEvents", "ImageProcessorLogGroup.Arn") in granted
    assert function["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": "ImageProcessorLogGroup"}}


@pytest.mark.line("000-16")
@on(*PRESETS)
def test_the_role_writes_into_its_own_log_group_only(template, granted):
    """D11: AWS's policy may create any log group, and so bring back one that its stack has deleted."""
    assert {on for action, on in granted if action.startswith("logs:")} == {"ImageProcessorLogGroup.Arn"}
    assert "logs:CreateLogGroup" not in {action for action, _ in granted}
    assert "AWSLambdaBasicExecutionRole" not in str(template)


@pytest.mark.line("000-16")
@pytest.mark.parametrize("preset", ["single-bucket", "production"])
def test_the_managed_policy_is_an_option(preset):
    role = properties(with_options(preset, "security.basic_execution_policy=true"), "ImageProcessorRole")
    policy = "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    assert policy in [said(arn) for arn in role["ManagedPolicyArns"]]


@pytest.mark.line("000-17")
@on_its_own
def test_the_processor_may_do_exactly_this(granted):
    assert granted == {
        ("s3:GetObject", f"{BUCKET_ARN}/uploads/*"),
        ("s3:GetObjectVersion", f"{BUCKET_ARN}/uploads/*"),
        ("s3:PutObject", f"{BUCKET_ARN}/thumbnails/*"),
        *((action, "ImageMetadataTable.Arn") for action in TABLE_ACTIONS),
        ("logs:CreateLogStream", "ImageProcessorLogGroup.Arn"),
        ("logs:PutLogEvents", "ImageProcessorLogGroup.Arn"),
        ("sqs:SendMessage", "ProcessorDeadLetterQueue.Arn"),
    }


@pytest.mark.line("000-17")
@on_both
def test_no_action_has_a_wildcard_and_every_resource_is_named(granted):
    assert not {action for action, _ in granted if "*" in action}
    # X-Ray knows no resource: Service Authorization Reference, "Actions defined by AWS X-Ray", read 2026-11.
    unnamed = {action for action, on in granted if on == "*"}
    assert unnamed <= {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


@pytest.mark.line("000-18", "000-19")
@on_both
def test_images_are_found_by_status_and_time(table):
    """D6: the status alone would put nearly every item into one partition."""
    index = indexes(table)["StatusIndex"]
    assert keys(index["KeySchema"]) == ["StatusShard", "UploadTimestamp"]
    assert index["Projection"] == {"ProjectionType": "ALL"}


@pytest.mark.line("000-20")
@on_its_own
def test_the_table_streams_old_and_new_images(table):
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


@pytest.mark.line("000-20")
def test_in_production_a_stream_is_an_option_for_whoever_reads_it():
    """D14: nothing in the pipeline does."""
    table = properties(with_options("production", "metadata.stream=true"), "ImageMetadataTable")
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


@pytest.mark.line("000-21")
@on(*PRESETS)
def test_the_table_can_be_restored_to_any_second(table):
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


@pytest.mark.line("000-22")
@on(*PRESETS)
def test_the_table_is_tagged(table):
    assert tags(table).keys() >= {"Environment", "Project", "Purpose", "iac-rlhf-amazon"}


@pytest.mark.line("000-23")
@on(*PRESETS)
def test_the_processor_is_python_of_a_supported_version(function):
    """D8: 3.9 has been out of support since December 2025."""
    assert function["Runtime"] == "python3.13"


@pytest.mark.line("000-30")
@pytest.mark.parametrize(("template", "timeout"), [("single-bucket", 300), ("production", 60)], indirect=["template"])
def test_time_and_memory_are_far_above_lambdas_own(function, timeout):
    """Lambda's own are 3 seconds and 128 MB; in production a queue tries again, so that one minute is enough."""
    assert (function["Timeout"], function["MemorySize"]) == (timeout, 1024)


@pytest.mark.line("000-31")
@on("single-bucket", "reporting", "thumbnails")
def test_s3_may_invoke_the_processor(permission):
    assert (permission["Action"], permission["Principal"]) == ("lambda:InvokeFunction", "s3.amazonaws.com")
    assert said(permission["FunctionName"]) == "ImageProcessorFunction"


@pytest.mark.line("000-32")
@on_its_own
def test_for_this_bucket_of_this_account_only(permission, bucket):
    """D15: the ARN of a bucket holds no account."""
    assert said(permission["SourceArn"]) == f"arn:${{AWS::Partition}}:s3:::{said(bucket['BucketName'])}"
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}


@pytest.mark.line("000-32")
@on("reporting")
def test_where_no_cycle_threatens_the_bucket_itself_is_named(permission):
    assert said(permission["SourceArn"]) == "SourceBucket.Arn"
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}


@pytest.mark.line("000-33")
@on_its_own
def test_the_permission_is_there_before_the_notification_and_waits_for_nothing_of_the_bucket(resources):
    assert "LambdaInvokePermission" in waits_for(resources["SourceBucket"])
    before = reached(resources, "SourceBucket")
    assert {"LambdaInvokePermission", "ImageProcessorFunction", "ImageProcessorRole"} <= before
    assert "SourceBucket" not in before


@pytest.mark.line("000-34")
@on(*PRESETS)
def test_alarm_on_more_than_five_errors(template):
    alarm = properties(template, "LambdaErrorAlarm")
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "Errors", "Sum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 5)
    assert said(alarm["Dimensions"][0]["Value"]) == "ImageProcessorFunction"
    assert alarm["AlarmActions"] == TOPIC


@pytest.mark.line("000-35")
@on_both
def test_alarm_on_four_fifths_of_the_timeout(template, function):
    """D12: 240 of the 300 seconds of `single-bucket`; a threshold above the timeout could never be reached."""
    alarm = properties(template, "LambdaDurationAlarm")
    assert (alarm["MetricName"], alarm["Statistic"]) == ("Duration", "Maximum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "GreaterThanThreshold",
        {300: 240_000, 60: 48_000}[function["Timeout"]],
    )


@pytest.mark.line("000-36")
@on_both
def test_the_dashboard_shows_what_counts_first(template):
    """How much was processed, how much failed, how long it took, what waits and what is stored."""
    assert {
        ("ImageProcessing", "ProcessedImages"),
        ("ImageProcessing", "ProcessingErrors"),
        ("ImageProcessing", "ProcessingDuration"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/S3", "NumberOfObjects"),
    } <= {(metric.namespace, metric.name) for metric in shown(template)}


@pytest.mark.line("000-37")
@on_both
def test_custom_metrics_have_one_namespace(template):
    custom = {metric.namespace for metric in shown(template) if not metric.namespace.startswith("AWS/")}
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    monitored = {alarm["Namespace"] for alarm in alarms if not alarm["Namespace"].startswith("AWS/")}
    assert custom == monitored == {"ImageProcessing"}


@pytest.mark.line("000-38")
@on_both
def test_the_dashboard_shows_the_processor(template):
    assert {"Invocations", "Errors", "Duration"} <= {
        metric.name
        for metric in shown(template)
        if metric.namespace == "AWS/Lambda" and metric.dimensions == {"FunctionName": "${ImageProcessorFunction}"}
    }


@pytest.mark.line("000-39")
@on_both
def test_the_dashboard_shows_the_pipelines_own_metrics(template):
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


@pytest.mark.line("000-40")
@on_both
def test_the_dashboard_shows_storage_by_the_day(template, bucket):
    """D16: S3 tells sizes once a day, and by storage class only."""
    stored = [metric for metric in shown(template) if metric.namespace == "AWS/S3"]
    assert {metric.period for metric in stored} == {86_400}
    sizes = [metric.dimensions for metric in stored if metric.name == "BucketSizeBytes"]
    names = {said(bucket["BucketName"]), "${SourceBucket}"}
    assert {"StandardStorage", "StandardIAStorage", "GlacierInstantRetrievalStorage", "GlacierStorage"} == {
        dimensions["StorageType"] for dimensions in sizes if dimensions["BucketName"] in names
    }


@pytest.mark.line("000-41")
@on_both
def test_the_dashboard_shows_what_the_table_uses(template, table):
    used = [metric for metric in shown(template) if metric.namespace == "AWS/DynamoDB"]
    for index in (None, *indexes(table)):
        dimensions = {"TableName": "${ImageMetadataTable}", **({"GlobalSecondaryIndexName": index} if index else {})}
        assert {"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"} <= {
            metric.name for metric in used if metric.dimensions == dimensions
        }


@pytest.mark.line("000-42")
@on_its_own
def test_logs_are_kept_for_30_days(template):
    assert properties(template, "ImageProcessorLogGroup")["RetentionInDays"] == 30


@pytest.mark.line("000-43")
@on(*PRESETS)
def test_the_log_group_is_named_like_the_function_with_the_suffix(template, function):
    group = properties(template, "ImageProcessorLogGroup")
    assert said(function["FunctionName"]) == "ImageProcessor-${EnvironmentSuffix}"
    assert said(group["LogGroupName"]) == f"/aws/lambda/{said(function['FunctionName'])}"
    assert said(function["LoggingConfig"]["LogGroup"]) == "ImageProcessorLogGroup"


@pytest.mark.line("000-44")
@on_both
def test_names_arns_and_the_dashboard_are_handed_out(template):
    handed = outputs(template)
    assert handed["SourceBucketName"] == "SourceBucket"
    assert handed["SourceBucketArn"] == "SourceBucket.Arn"
    assert handed["ImageMetadataTableName"] == "ImageMetadataTable"
    assert handed["ImageProcessorFunctionArn"] == "ImageProcessorFunction.Arn"
    address, values = template["Outputs"]["DashboardUrl"]["Value"]["Fn::Sub"]
    assert address.startswith("https://${AWS::Region}.console.${Domain}/cloudwatch/home?region=${AWS::Region}#")
    assert values["Name"] == {"Ref": "MonitoringDashboard"}


@pytest.mark.line("000-45")
@on(*PRESETS)
def test_every_output_is_exported_under_the_stacks_name(template):
    exports = [said(output["Export"]["Name"]) for output in template["Outputs"].values()]
    assert all(name.startswith("${AWS::StackName}-") for name in exports)
    assert len(set(exports)) == len(exports) > 0


@pytest.mark.line("000-46")
@on_both
def test_a_thousand_uploads_a_day_fit_even_if_each_takes_its_whole_time(template, table):
    assert runs_a_day(template) >= 1_000
    assert table["BillingMode"] == "PAY_PER_REQUEST"
