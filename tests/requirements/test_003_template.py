"""Document 003, the lines that can be read off the template of `thumbnails`, in their corrected form.

The lines about what the function does are tested where it is run: tests/lambda_processor and tests/local.
"""

from __future__ import annotations

import re

import pytest

from imgpipe_templates import load_preset
from imgpipe_templates.errors import ConfigError
from imgpipe_templates.subsystems.processing import THUMBNAIL_SIZE_PX
from tests.templates import allowed, of_type, references, rendered, said, tags, waits_for

FUNCTION_ARN = (
    "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:ImageProcessor-${EnvironmentSuffix}"
)
SOURCE_BUCKET_ARN = "arn:${AWS::Partition}:s3:::${SourceBucketName}"
TOPIC = [{"Ref": "ProcessingNotificationTopic"}]


@pytest.fixture(scope="module")
def resources(thumbnails):
    return thumbnails["Resources"]


@pytest.fixture(scope="module")
def buckets(thumbnails):
    return of_type(thumbnails, "AWS::S3::Bucket")


@pytest.fixture(scope="module")
def function(resources):
    return resources["ImageProcessorFunction"]["Properties"]


@pytest.fixture(scope="module")
def table(resources):
    return resources["ImageMetadataTable"]["Properties"]


@pytest.fixture(scope="module")
def alarms(thumbnails):
    return of_type(thumbnails, "AWS::CloudWatch::Alarm")


def rules(bucket):
    return {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}


def test_003_01_source_bucket_is_named_by_its_parameter(buckets):
    assert buckets["SourceBucket"]["BucketName"] == {"Ref": "SourceBucketName"}


def test_003_02_thumbnails_have_a_bucket_of_their_own(buckets):
    assert set(buckets) == {"SourceBucket", "ThumbnailBucket"}


def test_003_03_both_buckets_are_encrypted_and_private(buckets):
    for bucket in buckets.values():
        (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        assert bucket["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }


def test_003_04_uploads_move_to_infrequent_access_after_30_days(buckets):
    transitions = rules(buckets["SourceBucket"])["ArchiveUploads"]["Transitions"]
    assert {"StorageClass": "STANDARD_IA", "TransitionInDays": 30} in transitions
    # D25: S3 moves nothing below 128 KB, so the same rule would do nothing for thumbnails.
    assert not any("Transitions" in rule for rule in rules(buckets["ThumbnailBucket"]).values())


def test_003_05_uploads_move_to_glacier_30_days_later_at_the_earliest(buckets):
    days = {
        move["StorageClass"]: move["TransitionInDays"]
        for move in rules(buckets["SourceBucket"])["ArchiveUploads"]["Transitions"]
    }
    assert days["GLACIER"] >= days["STANDARD_IA"] + 30
    with pytest.raises(ConfigError, match="glacier_after_days"):
        load_preset("thumbnails", ["storage.glacier_after_days=60", "storage.infrequent_access_after_days=31"])


def test_003_06_old_versions_and_abandoned_uploads_are_cleaned_up(buckets):
    for bucket in buckets.values():
        assert rules(bucket)["DeleteOldVersions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
        assert rules(bucket)["DeleteOldVersions"]["ExpiredObjectDeleteMarker"] is True
        assert rules(bucket)["AbortIncompleteUploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


def test_003_07_every_spelling_of_the_three_extensions_triggers(resources):
    notifications = resources["SourceBucket"]["Properties"]["NotificationConfiguration"]["LambdaConfigurations"]
    assert {"s3:ObjectCreated:*"} == {notification["Event"] for notification in notifications}
    suffixes = [notification["Filter"]["S3Key"]["Rules"] for notification in notifications]
    spellings = [".jpg", ".JPG", ".jpeg", ".JPEG", ".png", ".PNG"]
    assert suffixes == [[{"Name": "suffix", "Value": text}] for text in spellings]
    assert {FUNCTION_ARN} == {said(notification["Function"]) for notification in notifications}


def test_003_07_the_trigger_is_ordered_and_closes_no_cycle(resources):
    """D1, D15: permission before notification, and nothing that the bucket waits for waits for the bucket."""
    assert "LambdaInvokePermission" in resources["SourceBucket"]["DependsOn"]
    permission = resources["LambdaInvokePermission"]["Properties"]
    assert permission["Principal"] == "s3.amazonaws.com"
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert said(permission["SourceArn"]) == SOURCE_BUCKET_ARN
    reached, ahead = set[str](), {"SourceBucket"}
    while ahead:
        reached |= ahead
        ahead = {name for title in ahead for name in waits_for(resources[title]) if name in resources} - reached
        assert "SourceBucket" not in ahead
    assert {"LambdaInvokePermission", "ImageProcessorFunction", "ImageProcessorRole"} <= reached
    assert not any("SourceBucket" in references(resources[title]["Properties"]) for title in reached)


def test_003_08_buckets_carry_the_mandatory_tags(buckets):
    for bucket in buckets.values():
        assert tags(bucket)["Environment"] == {"Ref": "Environment"}
        assert tags(bucket)["iac-rlhf-amazon"] == "true"


def test_003_09_function_is_named_by_suffix(function):
    assert function["FunctionName"] == {"Fn::Sub": "ImageProcessor-${EnvironmentSuffix}"}


def test_003_10_handler_is_index_lambda_handler(function):
    assert function["Handler"] == "index.lambda_handler"


def test_003_11_runtime_is_one_that_lambda_supports(function):
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    for runtime in ("python3.12", "python3.14"):
        template = rendered(load_preset("thumbnails", [f"processing.runtime={runtime}"]))
        assert template["Resources"]["ImageProcessorFunction"]["Properties"]["Runtime"] == runtime
    with pytest.raises(ConfigError, match=r"python3\.9"):
        load_preset("thumbnails", ["processing.runtime=python3.9"])


def test_003_12_timeout_and_memory(function):
    assert (function["Timeout"], function["MemorySize"]) == (60, 512)


def test_003_13_function_runs_with_its_role(function):
    assert said(function["Role"]) == "ImageProcessorRole.Arn"


def test_003_14_pillow_comes_with_the_package_not_from_a_layer(function, repository):
    """D27: a layer that must already exist keeps the stack out of a new account."""
    assert "Layers" not in function
    assert re.search(r"(?mi)^pillow==", (repository / "lambda/processor/requirements.txt").read_text())


def test_003_15_function_variables(function, thumbnails):
    variables = function["Environment"]["Variables"]
    assert said(variables["THUMBNAIL_BUCKET"]) == "ThumbnailBucket"
    assert said(variables["METADATA_TABLE"]) == "ImageMetadataTable"
    assert said(variables["THUMBNAIL_SIZE"]) == "ThumbnailSize"
    assert said(variables["ENVIRONMENT"]) == "Environment"
    assert thumbnails["Parameters"]["ThumbnailSize"]["Default"] == 128


def test_003_16_function_carries_the_mandatory_tags(function):
    assert tags(function)["Environment"] == {"Ref": "Environment"}
    assert tags(function)["iac-rlhf-amazon"] == "true"


def test_003_17_reserved_concurrency_is_an_option_and_off_by_default(function):
    assert "ReservedConcurrentExecutions" not in function
    template = rendered(load_preset("thumbnails", ["processing.reserved_concurrency=20"]))
    assert template["Resources"]["ImageProcessorFunction"]["Properties"]["ReservedConcurrentExecutions"] == 20
    with pytest.raises(ConfigError):  # D29: none at all would send every event to the dead-letter queue
        load_preset("thumbnails", ["processing.reserved_concurrency=0"])


def test_003_27_no_credentials_and_no_fixed_configuration_in_template_or_code(thumbnails, repository):
    sources = [path.read_text() for path in (repository / "lambda/processor").rglob("*.py")]
    for text in [str(thumbnails), *sources]:
        assert not re.search(r"AKIA|ASIA|aws_secret|password", text, re.IGNORECASE)
    readers = {
        path.name for path in (repository / "lambda/processor").rglob("*.py") if "os.environ" in path.read_text()
    }
    assert readers == {"settings.py"}


def test_003_28_table_is_keyed_by_image_id(table):
    assert table["KeySchema"] == [{"AttributeName": "ImageId", "KeyType": "HASH"}]


def test_003_29_images_are_found_by_a_range_of_time(table):
    """D5: the time alone as hash key could only be matched by equality."""
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "UploadTimestampIndex"
    assert index["KeySchema"] == [
        {"AttributeName": "UploadShard", "KeyType": "HASH"},
        {"AttributeName": "UploadTimestamp", "KeyType": "RANGE"},
    ]
    assert index["Projection"] == {"ProjectionType": "ALL"}


def test_003_30_table_can_be_restored_is_encrypted_and_streams(table):
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    bare = rendered(load_preset("thumbnails", ["metadata.stream=false", "metadata.encryption=aws-owned"]))
    properties = bare["Resources"]["ImageMetadataTable"]["Properties"]
    assert "StreamSpecification" not in properties
    assert properties["SSESpecification"] == {"SSEEnabled": False}


def test_003_31_role_has_one_policy_of_its_own_and_no_managed_one(resources):
    """D11: the managed policy could create any log group, and so bring back one that its stack has deleted."""
    role = resources["ImageProcessorRole"]["Properties"]
    assert "ManagedPolicyArns" not in role
    assert [said(policy["PolicyName"]) for policy in role["Policies"]] == ["ImageProcessorPolicy-${EnvironmentSuffix}"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": ["lambda.amazonaws.com"]}
    assert trust["Action"] == ["sts:AssumeRole"]


def test_003_32_to_35_role_allows_exactly_what_the_processor_does(thumbnails):
    assert allowed(thumbnails, "ImageProcessorRole") == {
        ("s3:GetObject", f"{SOURCE_BUCKET_ARN}/*"),
        ("s3:GetObjectVersion", f"{SOURCE_BUCKET_ARN}/*"),
        ("s3:PutObject", "${ThumbnailBucket.Arn}/*"),
        ("dynamodb:GetItem", "ImageMetadataTable.Arn"),
        ("dynamodb:PutItem", "ImageMetadataTable.Arn"),
        ("dynamodb:UpdateItem", "ImageMetadataTable.Arn"),
        ("logs:CreateLogStream", "ImageProcessorLogGroup.Arn"),
        ("logs:PutLogEvents", "ImageProcessorLogGroup.Arn"),
        ("sqs:SendMessage", "ProcessorDeadLetterQueue.Arn"),
    }


def test_003_32_role_reads_the_uploads(thumbnails):
    assert {("s3:GetObject", f"{SOURCE_BUCKET_ARN}/*"), ("s3:GetObjectVersion", f"{SOURCE_BUCKET_ARN}/*")} <= allowed(
        thumbnails, "ImageProcessorRole"
    )


def test_003_33_role_writes_thumbnails_without_acls(thumbnails, resources):
    """D32: the buckets have no ACLs, and a request that sets one fails."""
    actions = {action for action, _ in allowed(thumbnails, "ImageProcessorRole")}
    assert ("s3:PutObject", "${ThumbnailBucket.Arn}/*") in allowed(thumbnails, "ImageProcessorRole")
    assert "s3:PutObjectAcl" not in actions
    for title in ("SourceBucket", "ThumbnailBucket"):
        ownership = resources[title]["Properties"]["OwnershipControls"]
        assert ownership == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_003_34_role_keeps_items_of_the_table(thumbnails):
    table_actions = {
        action for action, on in allowed(thumbnails, "ImageProcessorRole") if on == "ImageMetadataTable.Arn"
    }
    assert table_actions == {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:GetItem"}


def test_003_35_role_writes_its_logs_and_with_them_its_metrics(thumbnails):
    """D28: metrics travel in log lines, so that no further permission is needed."""
    actions = {action for action, _ in allowed(thumbnails, "ImageProcessorRole")}
    assert {"logs:CreateLogStream", "logs:PutLogEvents"} <= actions
    assert "cloudwatch:PutMetricData" not in actions


def test_003_36_environment_parameter(thumbnails):
    parameter = thumbnails["Parameters"]["Environment"]
    assert parameter["Type"] == "String"
    assert parameter["Default"] == "production"
    assert parameter["AllowedValues"] == ["development", "staging", "production"]
    assert parameter["Description"]


def test_003_37_source_bucket_name_parameter(thumbnails):
    parameter = thumbnails["Parameters"]["SourceBucketName"]
    assert parameter["Type"] == "String"
    assert (parameter["MinLength"], parameter["MaxLength"]) == (3, 63)
    assert parameter["AllowedPattern"] == "^[a-z0-9][a-z0-9-]*[a-z0-9]$"
    assert parameter["ConstraintDescription"]
    assert "Default" not in parameter


def test_003_38_thumbnail_size_parameter(thumbnails):
    parameter = thumbnails["Parameters"]["ThumbnailSize"]
    assert (parameter["Type"], parameter["Default"]) == ("Number", 128)
    assert (parameter["MinValue"], parameter["MaxValue"]) == (64, 512)
    assert THUMBNAIL_SIZE_PX.limits() == {"MinValue": 64, "MaxValue": 512}


def test_003_39_alarm_on_processing_errors(alarms):
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


def test_003_40_alarm_on_duration_is_a_share_of_the_timeout(alarms):
    """D12: the slowest invocation, and a limit that can be reached."""
    alarm = alarms["LambdaDurationAlarm"]
    assert alarm["AlarmName"] == {"Fn::Sub": "ImageProcessor-Duration-${EnvironmentSuffix}"}
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "Duration", "Maximum")
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Threshold"]) == (300, 2, 30_000)
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "ImageProcessorFunction"}}]
    slower = rendered(load_preset("thumbnails", ["processing.timeout_seconds=100"]))
    assert slower["Resources"]["LambdaDurationAlarm"]["Properties"]["Threshold"] == 50_000
    with pytest.raises(ConfigError):
        load_preset("thumbnails", ["monitoring.max_duration_percent_of_timeout=100"])


def test_003_41_alarm_on_throttles(alarms):
    alarm = alarms["LambdaThrottleAlarm"]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == ("AWS/Lambda", "Throttles", 0)


@pytest.mark.parametrize("direction", ["AlarmActions", "OKActions"])
def test_003_39_to_41_every_alarm_tells_the_topic(alarms, direction):
    assert all(alarm[direction] == TOPIC for alarm in alarms.values())
    assert set(alarms) == {
        "DeadLetterQueueAlarm",
        "LambdaDurationAlarm",
        "LambdaErrorAlarm",
        "LambdaThrottleAlarm",
        "ProcessingErrorAlarm",
    }


def test_003_42_function_logs_into_its_own_group(resources, function):
    group = resources["ImageProcessorLogGroup"]["Properties"]
    assert group["LogGroupName"] == {"Fn::Sub": "/aws/lambda/ImageProcessor-${EnvironmentSuffix}"}
    assert group["RetentionInDays"] == 30
    assert function["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": "ImageProcessorLogGroup"}}


def test_003_43_source_bucket_name_is_exported(thumbnails):
    output = thumbnails["Outputs"]["SourceBucketName"]
    assert output["Value"] == {"Ref": "SourceBucket"}
    assert output["Export"] == {"Name": {"Fn::Sub": "${AWS::StackName}-SourceBucket"}}


def test_003_44_function_arn_is_exported(thumbnails):
    output = thumbnails["Outputs"]["ImageProcessorFunctionArn"]
    assert said(output["Value"]) == "ImageProcessorFunction.Arn"
    assert output["Export"] == {"Name": {"Fn::Sub": "${AWS::StackName}-ProcessorFunctionArn"}}


def test_003_45_every_output_is_described_and_exported_under_the_stacks_name(thumbnails):
    names = [output["Export"]["Name"]["Fn::Sub"] for output in thumbnails["Outputs"].values()]
    assert all(name.startswith("${AWS::StackName}-") for name in names)
    assert len(set(names)) == len(names) == 8
    assert all(output["Description"] for output in thumbnails["Outputs"].values())


def test_003_46_environments_share_a_template_and_no_name(thumbnails):
    """Every physical name carries the suffix, the source bucket's alone excepted."""
    properties = ("AlarmName", "BucketName", "FunctionName", "LogGroupName", "QueueName", "TableName", "TopicName")
    names = {
        title: said(resource["Properties"][name])
        for title, resource in thumbnails["Resources"].items()
        for name in properties
        if name in resource["Properties"] and resource["Type"] != "AWS::Lambda::Permission"
    }
    assert names.pop("SourceBucket") == "SourceBucketName"
    assert len(names) == 11
    assert all("${EnvironmentSuffix}" in name for name in names.values())
    assert thumbnails["Parameters"]["EnvironmentSuffix"]["Default"] == "dev"


def test_003_46_limits_are_parameters(thumbnails):
    """D42: nothing about size is fixed in the code."""
    variables = thumbnails["Resources"]["ImageProcessorFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["MAX_SOURCE_BYTES"] == {"Ref": "MaxSourceBytes"}
    assert variables["MAX_SOURCE_PIXELS"] == {"Ref": "MaxSourcePixels"}


def test_003_46_a_failed_or_deleted_stack_leaves_data_and_takes_the_rest(resources):
    """D39: data is kept, but not what a rolled-back creation has just made; nothing else keeps its name taken."""
    for title in ("SourceBucket", "ThumbnailBucket", "ImageMetadataTable"):
        assert resources[title]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resources[title]["UpdateReplacePolicy"] == "Retain"
    for title in ("ImageProcessorLogGroup", "ProcessorDeadLetterQueue"):
        assert resources[title]["DeletionPolicy"] == "Delete"
    disposable = rendered(load_preset("thumbnails", ["deletion_policy=delete"]))["Resources"]
    assert {
        disposable[title]["DeletionPolicy"] for title in ("SourceBucket", "ThumbnailBucket", "ImageMetadataTable")
    } == {"Delete"}
