"""Document 003, parameters, alarms, outputs and deployment, off `thumbnails` and off `production` too."""

from __future__ import annotations

import pytest

from imgpipe_templates import load_preset
from imgpipe_templates.errors import ConfigError
from imgpipe_templates.subsystems.processing import THUMBNAIL_SIZE_PX
from tests.requirements.reading import PRESETS, TOPIC, on, properties, with_options
from tests.templates import said

DATA = ("SourceBucket", "ThumbnailBucket", "ImageMetadataTable")
on_both = on("thumbnails", "production")
on_its_own = on("thumbnails")


@pytest.mark.line("003-36")
@pytest.mark.parametrize(
    ("template", "default"),
    [(preset, "production" if preset in {"thumbnails", "production"} else "development") for preset in PRESETS],
    indirect=["template"],
)
def test_environment_parameter(template, default):
    parameter = template["Parameters"]["Environment"]
    assert (parameter["Type"], parameter["Default"]) == ("String", default)
    assert parameter["AllowedValues"] == ["development", "staging", "production"]
    assert parameter["Description"]


@pytest.mark.line("003-37")
@on_its_own
def test_source_bucket_name_parameter(template):
    parameter = template["Parameters"]["SourceBucketName"]
    assert parameter["Type"] == "String"
    assert (parameter["MinLength"], parameter["MaxLength"]) == (3, 63)
    assert parameter["AllowedPattern"] == "^[a-z0-9][a-z0-9-]*[a-z0-9]$"
    assert parameter["ConstraintDescription"]
    assert "Default" not in parameter


@pytest.mark.line("003-38")
@on("single-bucket", "media-library", "thumbnails", "production")
def test_thumbnail_size_parameter(template):
    parameter = template["Parameters"]["ThumbnailSize"]
    assert (parameter["Type"], parameter["Default"]) == ("Number", 128)
    assert (parameter["MinValue"], parameter["MaxValue"]) == (64, 512)
    assert THUMBNAIL_SIZE_PX.limits() == {"MinValue": 64, "MaxValue": 512}


@pytest.mark.line("003-39")
@on(*PRESETS)
def test_alarm_on_processing_errors(alarms):
    """D33: the dimension set that the code emits, no data is no fault, and an action both ways."""
    alarm = alarms["ProcessingErrorAlarm"]
    assert alarm["AlarmName"] == {"Fn::Sub": "ImageProcessor-ProcessingErrors-${EnvironmentSuffix}"}
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == (
        "ImageProcessing",
        "ProcessingErrors",
        "Sum",
    )
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Threshold"]) == (300, 1, 5)
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarm["Dimensions"] == [
        {"Name": "Environment", "Value": {"Ref": "Environment"}},
        {"Name": "EnvironmentSuffix", "Value": {"Ref": "EnvironmentSuffix"}},
    ]
    assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.line("003-40")
@pytest.mark.parametrize(
    ("template", "threshold_ms"), [("thumbnails", 30_000), ("production", 48_000)], indirect=["template"]
)
def test_alarm_on_duration_is_a_share_of_the_timeout(alarms, threshold_ms):
    """D12: the slowest invocation, and a limit that can be reached."""
    alarm = alarms["LambdaDurationAlarm"]
    assert alarm["AlarmName"] == {"Fn::Sub": "ImageProcessor-Duration-${EnvironmentSuffix}"}
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "Duration", "Maximum")
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Threshold"]) == (300, 2, threshold_ms)
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "ImageProcessorFunction"}}]


@pytest.mark.line("003-40")
def test_the_threshold_follows_the_timeout_and_can_be_reached():
    slower = with_options("thumbnails", "processing.timeout_seconds=100")
    assert properties(slower, "LambdaDurationAlarm")["Threshold"] == 50_000
    with pytest.raises(ConfigError):
        load_preset("thumbnails", ["monitoring.max_duration_percent_of_timeout=100"])


@pytest.mark.line("003-41")
@on(*PRESETS)
def test_alarm_on_throttles(alarms):
    alarm = alarms["LambdaThrottleAlarm"]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == ("AWS/Lambda", "Throttles", 0)


@pytest.mark.line("003-39", "003-40", "003-41")
@on(*PRESETS)
@pytest.mark.parametrize("direction", ["AlarmActions", "OKActions"])
def test_every_alarm_tells_the_topic(alarms, direction):
    assert {
        "DeadLetterQueueAlarm",
        "LambdaDurationAlarm",
        "LambdaErrorAlarm",
        "LambdaThrottleAlarm",
        "ProcessingErrorAlarm",
    } <= set(alarms)
    assert all(alarm[direction] == TOPIC for alarm in alarms.values())


@pytest.mark.line("003-39", "003-40", "003-41")
@on(*PRESETS)
def test_every_alarm_can_go_off_and_rests_when_nothing_happens(alarms):
    """D33: without data, or below the threshold, there is nothing to tell."""
    named = {
        "ImageProcessing": {"Environment", "EnvironmentSuffix"},
        "AWS/Lambda": {"FunctionName"},
        "AWS/SQS": {"QueueName"},
        "AWS/DynamoDB": {"TableName", "GlobalSecondaryIndexName"},
        "AWS/ApiGateway": {"ApiId"},
    }
    for title, alarm in alarms.items():
        assert alarm["TreatMissingData"] == "notBreaching", title
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold", title
        assert (alarm["Period"], alarm["EvaluationPeriods"] in {1, 2}) == (300, True), title
        assert alarm["Statistic"] in {"Sum", "Maximum"}, title
        dimensions = {dimension["Name"] for dimension in alarm["Dimensions"]}
        assert dimensions <= named[alarm["Namespace"]], title
        assert dimensions == named[alarm["Namespace"]] or alarm["Namespace"] == "AWS/DynamoDB", title


@pytest.mark.line("003-42")
@pytest.mark.parametrize(("template", "days"), [("thumbnails", 30), ("production", 365)], indirect=["template"])
def test_function_logs_into_its_own_group(resources, function, days):
    group = resources["ImageProcessorLogGroup"]["Properties"]
    assert group["LogGroupName"] == {"Fn::Sub": "/aws/lambda/ImageProcessor-${EnvironmentSuffix}"}
    assert group["RetentionInDays"] == days
    assert function["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": "ImageProcessorLogGroup"}}


@pytest.mark.line("003-43")
@on(*PRESETS)
def test_source_bucket_name_is_exported(template):
    output = template["Outputs"]["SourceBucketName"]
    assert output["Value"] == {"Ref": "SourceBucket"}
    assert output["Export"] == {"Name": {"Fn::Sub": "${AWS::StackName}-SourceBucket"}}


@pytest.mark.line("003-44")
@on(*PRESETS)
def test_function_arn_is_exported(template):
    output = template["Outputs"]["ImageProcessorFunctionArn"]
    assert said(output["Value"]) == "ImageProcessorFunction.Arn"
    assert output["Export"] == {"Name": {"Fn::Sub": "${AWS::StackName}-ProcessorFunctionArn"}}


@pytest.mark.line("003-45")
@on(*PRESETS)
def test_every_output_is_described_and_exported_under_the_stacks_name(template):
    names = [output["Export"]["Name"]["Fn::Sub"] for output in template["Outputs"].values()]
    assert all(name.startswith("${AWS::StackName}-") for name in names)
    assert len(set(names)) == len(names) > 0
    assert all(output["Description"] for output in template["Outputs"].values())


@pytest.mark.line("003-46")
@on(*PRESETS)
def test_environments_share_a_template_and_no_name(template):
    """Every physical name carries the suffix, the source bucket's alone excepted."""
    types = ("Alarm", "Bucket", "Dashboard", "Function", "LogGroup", "Queue", "Table", "Topic")
    names = {
        title: said(resource["Properties"][f"{kind}Name"])
        for title, resource in template["Resources"].items()
        for kind in types
        if resource["Type"].endswith(f"::{kind}")
    }
    assert {"SourceBucket", "ImageMetadataTable", "ImageProcessorFunction", "LambdaErrorAlarm"} <= set(names)
    if names["SourceBucket"] == "SourceBucketName":
        del names["SourceBucket"]
    assert all("${EnvironmentSuffix}" in name for name in names.values())
    assert template["Parameters"]["EnvironmentSuffix"]["Default"] == "dev"


@pytest.mark.line("003-46")
@on(*PRESETS)
def test_limits_are_parameters(template):
    """D42: nothing about size is fixed in the code."""
    variables = template["Resources"]["ImageProcessorFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["MAX_SOURCE_BYTES"] == {"Ref": "MaxSourceBytes"}
    assert variables["MAX_SOURCE_PIXELS"] == {"Ref": "MaxSourcePixels"}


@pytest.mark.line("003-46")
@on_both
def test_a_failed_or_deleted_stack_leaves_data_and_takes_the_rest(resources):
    """D39: data is kept, but not what a rolled-back creation has just made; nothing else keeps its name taken."""
    for title in DATA:
        assert resources[title]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resources[title]["UpdateReplacePolicy"] == "Retain"
    for title in ("ImageProcessorLogGroup", "ProcessorDeadLetterQueue"):
        assert resources[title]["DeletionPolicy"] == "Delete"


@pytest.mark.line("003-46")
def test_data_too_can_be_disposable():
    disposable = with_options("thumbnails", "deletion_policy=delete")["Resources"]
    assert {disposable[title]["DeletionPolicy"] for title in DATA} == {"Delete"}
