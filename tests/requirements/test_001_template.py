"""Document 001, metadata and reports: what can be read off the template of `reporting`, and off `production` too.

What the functions do is tested where they run; docs/requirements.md says where.
"""

from __future__ import annotations

import pytest

from imgpipe_templates import load_preset
from imgpipe_templates.errors import ConfigError
from tests.requirements.reading import (
    BLOCKED,
    PRESETS,
    TOPIC,
    indexes,
    keys,
    lifecycle,
    on,
    properties,
    reached,
    shown,
    statements,
    with_options,
)
from tests.templates import allowed, of_type, said, waits_for

EVENT = "s3:ObjectCreated:*"
SPELLINGS = [".jpg", ".JPG", ".jpeg", ".JPEG", ".png", ".PNG"]
on_both = on("reporting", "production")
on_its_own = on("reporting")


@pytest.fixture
def notification(template):
    return properties(template, "S3BucketNotification")


@pytest.mark.line("001-01")
@on(*PRESETS)
def test_every_bucket_is_private(template):
    buckets = of_type(template, "AWS::S3::Bucket")
    assert "SourceBucket" in buckets
    assert [bucket["PublicAccessBlockConfiguration"] for bucket in buckets.values()] == [BLOCKED] * len(buckets)


@pytest.mark.line("001-02")
@on(*PRESETS)
def test_every_bucket_refuses_what_does_not_come_over_https(template):
    policies = {
        said(policy["Bucket"]): statements(policy) for policy in of_type(template, "AWS::S3::BucketPolicy").values()
    }
    assert set(policies) == set(of_type(template, "AWS::S3::Bucket"))
    for bucket, policy in policies.items():
        deny = policy["RefusePlainHttp"]
        assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", ["s3:*"])
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert [said(on_what) for on_what in deny["Resource"]] == [f"{bucket}.Arn", f"${{{bucket}.Arn}}/*"]


@pytest.mark.line("001-03")
@on_both
def test_replaced_versions_are_deleted_after_30_days(bucket):
    """D17: said with the property that can also keep some of them."""
    rule = lifecycle(bucket)["DeleteOldVersions"]
    assert rule["Status"] == "Enabled"
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30


@pytest.mark.line("001-04")
@on_both
def test_the_bucket_is_named_by_suffix_and_account(bucket):
    """D18: with the longest suffix there is, the name still is one."""
    assert said(bucket["BucketName"]) == "image-storage-bucket-${EnvironmentSuffix}-${AWS::AccountId}"


@pytest.mark.line("001-04")
@on(*PRESETS)
def test_every_bucket_name_has_room_for_the_longest_suffix(template):
    suffix = "s" * template["Parameters"]["EnvironmentSuffix"]["MaxLength"]
    for bucket in of_type(template, "AWS::S3::Bucket").values():
        name = said(bucket["BucketName"]).replace("${EnvironmentSuffix}", suffix)
        assert len(name.replace("${AWS::AccountId}", "1" * 12)) <= 63  # S3 User Guide, "Bucket naming rules"


@pytest.mark.line("001-05")
@on(*PRESETS)
def test_whatever_holds_data_is_encrypted(template, table):
    for bucket in of_type(template, "AWS::S3::Bucket").values():
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"AES256", "aws:kms"}
    assert table["SSESpecification"]["SSEEnabled"] is True
    for queue in of_type(template, "AWS::SQS::Queue").values():
        assert queue.get("SqsManagedSseEnabled") is True or said(queue["KmsMasterKeyId"]) == "DataKey.Arn"


@pytest.mark.line("001-05")
@on(*PRESETS)
def test_topic_and_queues_refuse_what_does_not_come_over_https(template):
    policies = {
        said(on_what): statements(policy)
        for kind, property_ in (("AWS::SNS::TopicPolicy", "Topics"), ("AWS::SQS::QueuePolicy", "Queues"))
        for policy in of_type(template, kind).values()
        for on_what in policy[property_]
    }
    assert set(policies) == {*of_type(template, "AWS::SNS::Topic"), *of_type(template, "AWS::SQS::Queue")}
    for on_what, policy in policies.items():
        deny = policy["RefusePlainHttp"]
        assert (deny["Effect"], deny["Principal"]) == ("Deny", "*")
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert deny["Action"] in (["sqs:*"], ["sns:Publish"])
        assert [said(place).removesuffix(".Arn") for place in deny["Resource"]] == [on_what]


@pytest.mark.line("001-06")
@on(*PRESETS)
def test_the_table_is_named_by_suffix(table):
    assert said(table["TableName"]) == "ImageMetadata-${EnvironmentSuffix}"


@pytest.mark.line("001-07")
@on_both
def test_images_are_found_by_a_range_of_time(table):
    """D5: with the time alone as hash key, only one single millisecond could be asked for."""
    index = indexes(table)["UploadTimestampIndex"]
    assert keys(index["KeySchema"]) == ["UploadShard", "UploadTimestamp"]
    assert index["Projection"] == {"ProjectionType": "ALL"}


@pytest.mark.line("001-08")
@on(*PRESETS)
def test_the_table_can_be_restored_to_any_second(table):
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


@pytest.mark.line("001-09")
@on(*PRESETS)
def test_the_table_is_encrypted_with_a_kms_key(table):
    """D19: DynamoDB encrypts in any case; this says with which key."""
    assert table["SSESpecification"]["SSEEnabled"] is True


@pytest.mark.line("001-10")
@on(*PRESETS)
def test_the_table_is_paid_by_request(table):
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert "ProvisionedThroughput" not in str(table)


@pytest.mark.line("001-11")
@on_its_own
def test_a_custom_resource_sets_the_notification(resources, notification):
    assert resources["S3BucketNotification"]["Type"] == "Custom::S3BucketNotification"
    assert said(notification["BucketName"]) == "SourceBucket"
    assert "NotificationConfiguration" not in resources["SourceBucket"]["Properties"]


@pytest.mark.line("001-12")
@on_its_own
def test_the_permission_comes_first(resources):
    assert "LambdaInvokePermission" in resources["S3BucketNotification"]["DependsOn"]
    assert "S3BucketNotification" not in reached(resources, "S3BucketNotification")


@pytest.mark.line("001-12")
@on_its_own
def test_the_helper_can_work_before_it_is_called(resources):
    assert {"S3NotificationLambda", "S3NotificationRole", "S3NotificationLogGroup", "SourceBucket"} <= reached(
        resources, "S3BucketNotification"
    )
    assert "S3BucketNotification" not in waits_for(resources["SourceBucket"])


@pytest.mark.line("001-13")
@on_its_own
def test_a_function_of_its_own_stands_behind_the_custom_resource(resources, notification):
    assert said(notification["ServiceToken"]) == "S3NotificationLambda.Arn"
    assert resources["S3NotificationLambda"]["Type"] == "AWS::Lambda::Function"


@pytest.mark.line("001-14")
@on_its_own
def test_every_extension_has_an_entry_in_each_spelling(notification):
    """D4: S3 compares letters as they are, and cameras write .JPG."""
    rules = [entry["Filter"]["Key"]["FilterRules"] for entry in notification["LambdaFunctionConfigurations"]]
    assert rules == [[{"Name": "suffix", "Value": spelling}] for spelling in SPELLINGS]
    assert len({entry["Id"] for entry in notification["LambdaFunctionConfigurations"]}) == len(SPELLINGS)


@pytest.mark.line("001-15")
@on_its_own
def test_every_entry_heeds_new_objects_and_invokes_the_processor(notification):
    for entry in notification["LambdaFunctionConfigurations"]:
        assert entry["Events"] == [EVENT]
        assert said(entry["LambdaFunctionArn"]) == "ImageProcessorFunction.Arn"


LOCK = (
    "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/imgpipe/bucket-notifications/${SourceBucket}"
)


@pytest.mark.line("001-16")
@on_its_own
def test_the_helper_may_touch_the_notification_of_this_bucket_only(template):
    assert said(properties(template, "S3NotificationLambda")["Role"]) == "S3NotificationRole.Arn"
    assert allowed(template, "S3NotificationRole") == {
        ("s3:GetBucketNotification", "SourceBucket.Arn"),
        ("s3:PutBucketNotification", "SourceBucket.Arn"),
        ("logs:CreateLogStream", "S3NotificationLogGroup.Arn"),
        ("logs:PutLogEvents", "S3NotificationLogGroup.Arn"),
        ("sqs:SendMessage", "ProcessorDeadLetterQueue.Arn"),
        *((f"ssm:{action}Parameter", LOCK) for action in ("Delete", "Get", "Put")),
    }


@pytest.mark.line("001-17")
@on_its_own
def test_the_helper_is_stopped_before_cloudformation_gives_up_on_it(template, notification):
    """D20: its own time ends first, so that it is the one that answers."""
    timeout = properties(template, "S3NotificationLambda")["Timeout"]
    assert int(notification["ServiceTimeout"]) > timeout


@pytest.mark.line("001-18")
@on(*PRESETS)
def test_the_function_is_named_by_suffix(function):
    assert said(function["FunctionName"]) == "ImageProcessor-${EnvironmentSuffix}"


@pytest.mark.line("001-19")
@on_both
def test_variables_name_table_and_topic(function):
    variables = function["Environment"]["Variables"]
    assert said(variables["METADATA_TABLE"]) == "ImageMetadataTable"
    assert said(variables["SNS_TOPIC_ARN"]) == "ProcessingNotificationTopic"


@pytest.mark.line("001-23")
@on_both
def test_reports_are_on_and_tell_of_failures(function):
    """D22: told of every success, operators would get a mail for every upload."""
    assert function["Environment"]["Variables"]["REPORTS"] == "failures"


@pytest.mark.line("001-23")
@pytest.mark.parametrize("reports", ["always", "off"])
def test_all_reports_or_none_are_an_option(reports):
    template = with_options("reporting", f"notifications.reports={reports}")
    variables = properties(template, "ImageProcessorFunction")["Environment"]["Variables"]
    assert variables.get("REPORTS", "off") == reports
    publishes = "sns:Publish" in {action for action, _ in allowed(template, "ImageProcessorRole")}
    assert publishes == ("SNS_TOPIC_ARN" in variables) == (reports == "always")


@pytest.mark.line("001-24")
@on(*PRESETS)
def test_one_topic_takes_reports_and_alarms(template):
    assert list(of_type(template, "AWS::SNS::Topic")) == ["ProcessingNotificationTopic"]
    allow = statements(properties(template, "ProcessingNotificationTopicPolicy"))["AlarmsMayPublish"]
    assert (allow["Effect"], allow["Action"]) == ("Allow", ["sns:Publish"])
    assert allow["Principal"] == {"Service": ["cloudwatch.amazonaws.com"]}
    assert allow["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


@pytest.mark.line("001-24")
@on(*PRESETS)
def test_whoever_is_named_at_deployment_is_mailed(template, resources):
    """Nobody is by default."""
    assert template["Parameters"]["NotificationEmail"]["Default"] == ""
    subscription = resources["ProcessingNotificationSubscription"]
    assert subscription["Properties"] == {
        "Endpoint": {"Ref": "NotificationEmail"},
        "Protocol": "email",
        "TopicArn": TOPIC[0],
    }
    given = template["Conditions"][subscription["Condition"]]
    assert given == {"Fn::Not": [{"Fn::Equals": [{"Ref": "NotificationEmail"}, ""]}]}


@pytest.mark.line("001-25")
@on_both
def test_memory_and_time_are_those_that_the_largest_image_needs(function):
    assert (function["MemorySize"], function["Timeout"]) in {(512, 60), (1024, 60)}


@pytest.mark.line("001-25")
@pytest.mark.parametrize("preset", ["reporting", "production"])
def test_memory_that_the_limits_would_not_fit_into_is_refused(preset):
    with pytest.raises(ConfigError, match=r"memory_mb"):
        load_preset(preset, ["processing.memory_mb=256"])


@pytest.mark.line("001-26")
@on_both
def test_role_and_policy_are_the_processors(template, function):
    """D18: one vocabulary in every preset, in which the role is called after what it is for."""
    assert said(function["Role"]) == "ImageProcessorRole.Arn"
    assert "LambdaExecutionRole" not in template["Resources"]


@pytest.mark.line("001-26")
@on_its_own
def test_the_policy_is_named_by_suffix(template):
    (policy,) = properties(template, "ImageProcessorRole")["Policies"]
    assert said(policy["PolicyName"]) == "ImageProcessorPolicy-${EnvironmentSuffix}"


@pytest.mark.line("001-27")
@on_its_own
def test_the_processor_only_reads_objects(granted):
    assert {(action, on_what) for action, on_what in granted if action.startswith("s3:")} == {
        ("s3:GetObject", "${SourceBucket.Arn}/*"),
        ("s3:GetObjectVersion", "${SourceBucket.Arn}/*"),
    }


@pytest.mark.line("001-28")
@on_both
def test_the_processor_keeps_items_of_the_table(granted):
    """UpdateItem too: a late or second event changes an item only if it is still the one it was."""
    assert {(action, on_what) for action, on_what in granted if action.startswith("dynamodb:")} == {
        ("dynamodb:GetItem", "ImageMetadataTable.Arn"),
        ("dynamodb:PutItem", "ImageMetadataTable.Arn"),
        ("dynamodb:UpdateItem", "ImageMetadataTable.Arn"),
    }


@pytest.mark.line("001-29")
@on_both
def test_the_processor_publishes_to_the_topic_only(granted):
    published = {(action, on_what) for action, on_what in granted if action.startswith("sns:")}
    assert published == {("sns:Publish", "ProcessingNotificationTopic")}


@pytest.mark.line("001-30")
@on(*PRESETS)
def test_alarm_on_errors_tells_the_topic(template):
    alarm = properties(template, "LambdaErrorAlarm")
    assert said(alarm["AlarmName"]) == "ImageProcessor-Errors-${EnvironmentSuffix}"
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == ("AWS/Lambda", "Errors", 5)
    assert alarm["AlarmActions"] == TOPIC


@pytest.mark.line("001-31")
@on(*PRESETS)
def test_alarm_on_throttles(template):
    alarm = properties(template, "LambdaThrottleAlarm")
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == ("AWS/Lambda", "Throttles", 0)
    assert alarm["AlarmActions"] == TOPIC


@pytest.mark.line("001-32")
@on_both
def test_alarms_on_throttled_requests_of_table_and_indexes(template, table):
    """D23: a table paid by request has no capacity to use up; what it refuses is what counts."""
    alarms = [
        alarm for alarm in of_type(template, "AWS::CloudWatch::Alarm").values() if alarm["Namespace"] == "AWS/DynamoDB"
    ]
    monitored = {
        (alarm["MetricName"], *(said(dimension["Value"]) for dimension in alarm["Dimensions"])) for alarm in alarms
    }
    places = [("ImageMetadataTable",), *(("ImageMetadataTable", index) for index in indexes(table))]
    assert monitored == {
        (metric, *place) for metric in ("ReadThrottleEvents", "WriteThrottleEvents") for place in places
    }
    assert all(alarm["AlarmActions"] == TOPIC for alarm in alarms)


@pytest.mark.line("001-33")
@on_both
def test_the_dashboard_shows_lambda_dynamodb_and_s3(template):
    assert {"AWS/Lambda", "AWS/DynamoDB", "AWS/S3"} <= {metric.namespace for metric in shown(template)}
    assert {metric.region for metric in shown(template)} == {"${AWS::Region}"}


@pytest.mark.line("001-34")
@on_its_own
def test_logs_are_kept_for_30_days(template):
    groups = of_type(template, "AWS::Logs::LogGroup")
    assert {title: group["RetentionInDays"] for title, group in groups.items()} == {
        "ImageProcessorLogGroup": 30,
        "S3NotificationLogGroup": 30,
    }
