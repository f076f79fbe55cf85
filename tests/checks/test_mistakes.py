"""A mistake in one value of a rendered template is found by the rule for its kind."""

from __future__ import annotations

import copy

import pytest

from tests.checks.test_mutants import drop, found, put, rendered, statement

ARN_OF_BUCKET = {"Fn::GetAtt": ["SourceBucket", "Arn"]}
PATTERN = ("UploadRule", "Properties", "EventPattern")
NOTIFIER_TARGETS = ("S3BucketNotification", "Properties", "LambdaFunctionConfigurations", 0)
SCHEDULE = ("BackupPlan", "Properties", "BackupPlan", "BackupPlanRule", 0, "ScheduleExpression")
MISTAKES = {
    "detail type that S3 does not send": ("production", put(["ObjectCreated"], *PATTERN, "detail-type"), "E9519"),
    "source in capitals": ("production", put(["aws.S3"], *PATTERN, "source"), "E9519"),
    "ARN for a bucket's name": ("production", put([ARN_OF_BUCKET], *PATTERN, "detail", "bucket", "name"), "E9519"),
    "events of another kind": ("production", put(["Object Deleted"], *PATTERN, "detail-type"), "E9593"),
    "events of another bucket": (
        "production",
        put([{"Ref": "ThumbnailBucket"}], *PATTERN, "detail", "bucket", "name"),
        "E9593",
    ),
    "bucket that sends nothing": (
        "production",
        drop("SourceBucket", "Properties", "NotificationConfiguration"),
        "E9520",
    ),
    "mapping that does not wait": ("production", drop("UploadQueueMapping", "DependsOn"), "E9528"),
    "traces without permission": ("production", statement("ImageProcessorPolicy", "SendTraces"), "E9529"),
    "key by way of another service": (
        "production",
        statement("ImageProcessorPolicy", "UseDataKey", "Condition", value={"StringEquals": {"kms:ViaService": "ec2"}}),
        "E9529",
    ),
    "backup without events": ("production", statement("BackupPolicy", "WatchBuckets"), "E9529"),
    "wildcard in StringEquals": (
        "production",
        statement(
            "UploadQueuePolicy", "SourceMaySend", "Condition", value={"StringEquals": {"aws:SourceArn": "arn:*"}}
        ),
        "E9543",
    ),
    "condition key that is misspelt": (
        "production",
        statement("UploadQueuePolicy", "SourceMaySend", "Condition", value={"ArnEquals": {"aws:SourceARNs": "arn:x"}}),
        "E9543",
    ),
    "denial of everything over TLS": (
        "production",
        statement("UploadQueuePolicy", "RefusePlainHttp", "Condition", value={"Bool": {"aws:SecureTransport": "true"}}),
        "E9504",
    ),
    "every action of a topic": (
        "production",
        statement("ProcessingNotificationTopicPolicy", "RefusePlainHttp", "Action", value=["sns:*"]),
        "E9544",
    ),
    "lock longer than the plan": (
        "production",
        put(90, "BackupVault", "Properties", "LockConfiguration", "MinRetentionDays"),
        "E9546",
    ),
    "schedule without a question mark": ("production", put("cron(0 3 * * * *)", *SCHEDULE), "E9546"),
    "bucket without versions in a backup": (
        "production",
        put("Suspended", "SourceBucket", "Properties", "VersioningConfiguration", "Status"),
        "E9547",
    ),
    "access logs without permission": ("production", statement("AccessLogBucketPolicy", "S3MayLog"), "E9548"),
    "key without an administrator": ("production", statement("DataKey", "LetIamDecide"), "E9549"),
    "logs by the global principal": (
        "production",
        statement("DataKey", "LogsMayUse", "Principal", value={"Service": ["logs.amazonaws.com"]}),
        "E9557",
    ),
    "batch without a window": ("production", put(20, "UploadQueueMapping", "Properties", "BatchSize"), "E9538"),
    "fewer invocations reserved than begun": (
        "production",
        put(2, "ImageProcessorFunction", "Properties", "ReservedConcurrentExecutions"),
        "E9538",
    ),
    "no invocation at all": (
        "production",
        put(0, "ImageProcessorFunction", "Properties", "ReservedConcurrentExecutions"),
        "E9527",
    ),
    "function that outlasts its API": (
        "production",
        put(40, "ImageRetrievalFunction", "Properties", "Timeout"),
        "W9550",
    ),
    "logs without metrics": (
        "production",
        put("INFREQUENT_ACCESS", "ImageProcessorLogGroup", "Properties", "LogGroupClass"),
        "E9539",
    ),
    "dead letters that are refused": (
        "production",
        put({"redrivePermission": "denyAll"}, "ProcessorDeadLetterQueue", "Properties", "RedriveAllowPolicy"),
        "E9510",
    ),
    "dead letters of an hour": (
        "production",
        put(3600, "ProcessorDeadLetterQueue", "Properties", "MessageRetentionPeriod"),
        "E9510",
    ),
    "alarm on an ARN": (
        "production",
        put(
            {"Fn::GetAtt": ["ProcessorDeadLetterQueue", "Arn"]},
            *("DeadLetterQueueAlarm", "Properties", "Dimensions", 0, "Value"),
        ),
        "E9531",
    ),
    "alarm in another unit": ("production", put("Seconds", "LambdaDurationAlarm", "Properties", "Unit"), "E9531"),
    "alarm while all is well": (
        "production",
        put("LessThanThreshold", "LambdaErrorAlarm", "Properties", "ComparisonOperator"),
        "E9532",
    ),
    "action that is a bucket": (
        "production",
        put([ARN_OF_BUCKET], "LambdaErrorAlarm", "Properties", "AlarmActions"),
        "E9533",
    ),
    "route without a method": ("production", put("/images", "ImageApiGetRoute", "Properties", "RouteKey"), "E9566"),
    "budget by a tag without user": (
        "production",
        put(["Project$x"], "ProjectBudget", "Properties", "Budget", "CostFilters", "TagKeyValue"),
        "E9567",
    ),
    "name that is too long": (
        "production",
        put(
            {"Fn::Sub": "ImageProcessorFunctionOfTheImagePipelineIn-${EnvironmentSuffix}-x"},
            *("ImageProcessorFunction", "Properties", "FunctionName"),
        ),
        "E9564",
    ),
    "permission of the custom resource": ("reporting", drop("LambdaInvokePermission"), "E9503"),
    "order of the custom resource": ("reporting", drop("S3BucketNotification", "DependsOn"), "E9503"),
    "overlap in the custom resource": (
        "reporting",
        put(".JPG", *NOTIFIER_TARGETS, "Filter", "Key", "FilterRules", 0, "Value"),
        "E9501",
    ),
    "event of the custom resource": ("reporting", put(["s3:ObjectCreate:*"], *NOTIFIER_TARGETS, "Events"), "E9518"),
    "helper without its permission": (
        "reporting",
        drop("S3NotificationRole", "Properties", "Policies", 0, "PolicyDocument", "Statement", 1),
        "E9529",
    ),
    "permission to something else": (
        "single-bucket",
        put("lambda:GetFunction", "LambdaInvokePermission", "Properties", "Action"),
        "E9503",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_by_the_rule_for_its_kind(name):
    preset, change, rule = MISTAKES[name]
    body = copy.deepcopy(rendered(preset))
    change(body["Resources"])

    assert rule in found(body)
