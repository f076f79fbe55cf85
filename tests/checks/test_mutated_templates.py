"""Changes of rendered templates that only the project's rules find: each change by exactly the expected rules."""

from __future__ import annotations

import copy

import pytest

from tests.checks.mutations import BUILD, dashboard, drop, put, rendered, rules_with_violations, statement

TRUST = ("Properties", "AssumeRolePolicyDocument", "Statement", 0, "Principal", "Service")
KEYS = ("UploadRule", "Properties", "EventPattern", "detail", "object")
ARN_OF_BUCKET = {"Fn::GetAtt": ["SourceBucket", "Arn"]}
PATTERN = ("UploadRule", "Properties", "EventPattern")
NOTIFICATION_ENTRY = ("S3BucketNotification", "Properties", "LambdaFunctionConfigurations", 0)
SCHEDULE = ("BackupPlan", "Properties", "BackupPlan", "BackupPlanRule", 0, "ScheduleExpression")
PRODUCTION = {
    "queue policy without the rule": (statement("UploadQueuePolicy", "SourceMaySend"), {"E9504"}),
    "queue policy for another rule": (
        statement("UploadQueuePolicy", "SourceMaySend", "Condition", value={"ArnEquals": {"aws:SourceArn": "arn:x"}}),
        {"E9504"},
    ),
    "topic policy without alarms": (statement("ProcessingNotificationTopicPolicy", "AlarmsMayPublish"), {"E9504"}),
    "topic policy without budgets": (statement("ProcessingNotificationTopicPolicy", "BudgetsMayPublish"), {"E9504"}),
    "API without permission to invoke": (drop("ImageApiIntegration", "Properties", "CredentialsArn"), {"E9505"}),
    "function role that trusts EC2": (put("ec2.amazonaws.com", "ImageProcessorRole", *TRUST), {"E9552"}),
    "API role that trusts Lambda": (put("lambda.amazonaws.com", "ImageApiRole", *TRUST), {"E9552"}),
    "backup role that trusts Lambda": (put("lambda.amazonaws.com", "BackupRole", *TRUST), {"E9552"}),
    "misspelt kind of principal": (
        statement("UploadQueuePolicy", "SourceMaySend", "Principal", value={"Servce": ["events.amazonaws.com"]}),
        {"E9504", "E9553"},
    ),
    "role without sqs:ReceiveMessage": (
        statement("UploadQueueReceivePolicy", "ReceiveFromUploadQueue", "Action", value=["sqs:DeleteMessage"]),
        {"E9506"},
    ),
    "short visibility timeout": (put(300, "UploadQueue", "Properties", "VisibilityTimeout"), {"E9507"}),
    "batches without partial responses": (
        lambda resources: resources["UploadQueueMapping"].update(
            Properties={**resources["UploadQueueMapping"]["Properties"], "BatchSize": 5, "FunctionResponseTypes": []}
        ),
        {"E9507", "E9591"},
    ),
    "queue without redrive policy": (drop("UploadQueue", "Properties", "RedrivePolicy"), {"E9507"}),
    "hard-coded code bucket": (put("code", "ImageProcessorFunction", "Properties", "Code", "S3Bucket"), {"W9523"}),
    "policy attached to another bucket": (
        put({"Ref": "ThumbnailBucket"}, "SourceBucketPolicy", "Properties", "Bucket"),
        {"E9513", "E9515"},
    ),
    "role without permission to send dead letters": (
        statement("ImageProcessorPolicy", "SendToProcessorDeadLetterQueue"),
        {"E9555"},
    ),
    "dead-letter queue without alarm": (drop("DeadLetterQueueAlarm"), {"E9536"}),
    "dashboard with invalid JSON": (dashboard("{", "{,"), {"E9535"}),
    "graph without a Region": (dashboard('"region":"${AWS::Region}",', ""), {"E9535"}),
    "graph of a misspelt metric": (dashboard('"Invocations"', '"Invocation"'), {"E9535"}),
    "bucket size with hourly period": (dashboard('"period":86400', '"period":3600'), {"E9535"}),
    "unknown subscription protocol": (
        put("mail", "ProcessingNotificationSubscription", "Properties", "Protocol"),
        {"E9509"},
    ),
    "transition after three days": (
        put(
            3,
            *("SourceBucket", "Properties", "LifecycleConfiguration", "Rules", 0),
            *("Transitions", 0, "TransitionInDays"),
        ),
        {"E9511"},
    ),
    "invalid event pattern": (put([{"wildcard": "uploads/**"}], *KEYS, "key"), {"E9508"}),
    "event pattern for every object": (drop(*KEYS), {"W9508"}),
    "key policy without alarms": (statement("DataKey", "AlarmsMayWriteEncrypted"), {"E9557"}),
    "key policy without budgets": (statement("DataKey", "BudgetsMayWriteEncrypted"), {"E9557"}),
    "key policy without rules": (statement("DataKey", "RulesMayWriteEncrypted"), {"E9557"}),
    "key policy without CloudWatch Logs": (statement("DataKey", "LogsMayUse"), {"E9557"}),
    "key policy for alarms of any account": (
        statement("DataKey", "AlarmsMayWriteEncrypted", "Condition"),
        {"E9554", "E9591"},
    ),
    "access logs of any account": (statement("AccessLogBucketPolicy", "S3MayLog", "Condition"), {"E9554"}),
    "key use without kms:ViaService": (statement("ImageProcessorPolicy", "UseDataKey", "Condition"), {"W9558"}),
    "query permission for the table only": (
        statement(
            "ImageRetrievalPolicy",
            "QueryImageMetadataTable",
            "Resource",
            value=[{"Fn::GetAtt": ["ImageMetadataTable", "Arn"]}],
        ),
        {"E9556", "E9592"},
    ),
    "role without log permissions": (statement("ImageProcessorPolicy", "WriteOwnLogs"), {"E9525"}),
    "bucket with ACLs": (drop("SourceBucket", "Properties", "OwnershipControls"), {"E9514", "E9591"}),
    "bucket without public access block": (
        drop("SourceBucket", "Properties", "PublicAccessBlockConfiguration"),
        {"E9514"},
    ),
    "bucket without multipart cleanup": (
        drop("ThumbnailBucket", "Properties", "LifecycleConfiguration", "Rules", 1),
        {"E9514"},
    ),
    "bucket without expiration of old versions": (
        drop("ThumbnailBucket", "Properties", "LifecycleConfiguration", "Rules", 0),
        {"W9517"},
    ),
    "bucket that accepts plain HTTP": (statement("ThumbnailBucketPolicy", "RefusePlainHttp"), {"E9515"}),
    "topic that accepts plain HTTP": (statement("ProcessingNotificationTopicPolicy", "RefusePlainHttp"), {"E9515"}),
    "queue that accepts plain HTTP": (statement("UploadQueuePolicy", "RefusePlainHttp"), {"E9515"}),
    "CORS for any origin": (put({"AllowOrigins": ["*"]}, "ImageApi", "Properties", "CorsConfiguration"), {"E9581"}),
    "JWT route without scopes": (put("JWT", "ImageApiGetRoute", "Properties", "AuthorizationType"), {"E9582"}),
    "API log group without retention": (drop("ImageApiLogGroup", "Properties", "RetentionInDays"), {"E9524"}),
    "vault without a lock": (drop("BackupVault", "Properties", "LockConfiguration"), {"E9516", "E9591"}),
    "role shared by two functions": (
        put({"Fn::GetAtt": ["ImageProcessorRole", "Arn"]}, "ImageRetrievalFunction", "Properties", "Role"),
        {"E9525", "E9592", "W9526"},
    ),
    "two queues with one name": (
        put({"Fn::Sub": "ImageUploads-${EnvironmentSuffix}"}, "ProcessorDeadLetterQueue", "Properties", "QueueName"),
        {"E9510", "E9562", "E9591"},
    ),
    "constant queue name": (put("images", "UploadQueue", "Properties", "QueueName"), {"E9510", "W9563"}),
    "unknown detail type": (put(["ObjectCreated"], *PATTERN, "detail-type"), {"E9519", "E9593"}),
    "event source in capitals": (put(["aws.S3"], *PATTERN, "source"), {"E9519", "E9593"}),
    "ARN instead of a bucket name": (put([ARN_OF_BUCKET], *PATTERN, "detail", "bucket", "name"), {"E9519", "E9593"}),
    "trigger for deleted objects": (put(["Object Deleted"], *PATTERN, "detail-type"), {"E9593"}),
    "trigger for another bucket": (put([{"Ref": "ThumbnailBucket"}], *PATTERN, "detail", "bucket", "name"), {"E9593"}),
    "bucket without EventBridge": (drop("SourceBucket", "Properties", "NotificationConfiguration"), {"E9520"}),
    "mapping without DependsOn": (drop("UploadQueueMapping", "DependsOn"), {"E9528"}),
    "role without trace permissions": (statement("ImageProcessorPolicy", "SendTraces"), {"E9529"}),
    "kms:ViaService of another service": (
        statement("ImageProcessorPolicy", "UseDataKey", "Condition", value={"StringEquals": {"kms:ViaService": "ec2"}}),
        {"E9529"},
    ),
    "backup role without event permissions": (statement("BackupPolicy", "WatchBuckets"), {"E9529"}),
    "wildcard in StringEquals": (
        statement(
            "UploadQueuePolicy", "SourceMaySend", "Condition", value={"StringEquals": {"aws:SourceArn": "arn:*"}}
        ),
        {"E9504", "E9543", "E9559"},
    ),
    "misspelt condition key": (
        statement("UploadQueuePolicy", "SourceMaySend", "Condition", value={"ArnEquals": {"aws:SourceARNs": "arn:x"}}),
        {"E9543", "E9554", "E9559"},
    ),
    "denial of requests over TLS": (
        statement("UploadQueuePolicy", "RefusePlainHttp", "Condition", value={"Bool": {"aws:SecureTransport": "true"}}),
        {"E9504", "E9506", "E9515"},
    ),
    "all SNS actions in a topic policy": (
        statement("ProcessingNotificationTopicPolicy", "RefusePlainHttp", "Action", value=["sns:*"]),
        {"E9544"},
    ),
    "vault lock longer than the retention": (
        put(90, "BackupVault", "Properties", "LockConfiguration", "MinRetentionDays"),
        {"E9546"},
    ),
    "cron expression without question mark": (put("cron(0 3 * * * *)", *SCHEDULE), {"E9546"}),
    "backup of an unversioned bucket": (
        put("Suspended", "SourceBucket", "Properties", "VersioningConfiguration", "Status"),
        {"E9547", "E9591"},
    ),
    "access log bucket without policy": (statement("AccessLogBucketPolicy", "S3MayLog"), {"E9548", "E9591"}),
    "key policy without administrator": (statement("DataKey", "LetIamDecide"), {"E9549"}),
    "CloudWatch Logs principal without Region": (
        statement("DataKey", "LogsMayUse", "Principal", value={"Service": ["logs.amazonaws.com"]}),
        {"E9557"},
    ),
    "large batch without window": (put(20, "UploadQueueMapping", "Properties", "BatchSize"), {"E9538"}),
    "reserved concurrency below the mapping's": (
        put(2, "ImageProcessorFunction", "Properties", "ReservedConcurrentExecutions"),
        {"E9538"},
    ),
    "reserved concurrency of 0": (
        put(0, "ImageProcessorFunction", "Properties", "ReservedConcurrentExecutions"),
        {"E9527", "E9538"},
    ),
    "function timeout above the API's": (put(40, "ImageRetrievalFunction", "Properties", "Timeout"), {"W9550"}),
    "log class without metrics": (
        put("INFREQUENT_ACCESS", "ImageProcessorLogGroup", "Properties", "LogGroupClass"),
        {"E9539"},
    ),
    "dead-letter queue that denies all sources": (
        put({"redrivePermission": "denyAll"}, "ProcessorDeadLetterQueue", "Properties", "RedriveAllowPolicy"),
        {"E9510", "E9591"},
    ),
    "dead-letter retention of an hour": (
        put(3600, "ProcessorDeadLetterQueue", "Properties", "MessageRetentionPeriod"),
        {"E9510", "E9591"},
    ),
    "alarm dimension with an ARN": (
        put(
            {"Fn::GetAtt": ["ProcessorDeadLetterQueue", "Arn"]},
            *("DeadLetterQueueAlarm", "Properties", "Dimensions", 0, "Value"),
        ),
        {"E9531"},
    ),
    "alarm with another unit": (put("Seconds", "LambdaDurationAlarm", "Properties", "Unit"), {"E9531"}),
    "alarm on few errors": (
        put("LessThanThreshold", "LambdaErrorAlarm", "Properties", "ComparisonOperator"),
        {"E9532"},
    ),
    "alarm action with a bucket ARN": (
        put([ARN_OF_BUCKET], "LambdaErrorAlarm", "Properties", "AlarmActions"),
        {"E9533"},
    ),
    "route without method": (put("/images", "ImageApiGetRoute", "Properties", "RouteKey"), {"E9566"}),
    "budget filter without user prefix": (
        put(["Project$x"], "ProjectBudget", "Properties", "Budget", "CostFilters", "TagKeyValue"),
        {"E9567"},
    ),
    "name above the maximum length": (
        put(
            {"Fn::Sub": "ImageProcessorFunctionOfTheImagePipelineIn-${EnvironmentSuffix}-x"},
            *("ImageProcessorFunction", "Properties", "FunctionName"),
        ),
        {"E9564"},
    ),
}
OTHER_PRESETS = {
    "custom resource without Lambda permission": ("reporting", drop("LambdaInvokePermission"), {"E9503"}),
    "custom resource without DependsOn": ("reporting", drop("S3BucketNotification", "DependsOn"), {"E9503"}),
    "overlapping filters in the custom resource": (
        "reporting",
        put(".JPG", *NOTIFICATION_ENTRY, "Filter", "Key", "FilterRules", 0, "Value"),
        {"E9501"},
    ),
    "unknown event in the custom resource": (
        "reporting",
        put(["s3:ObjectCreate:*"], *NOTIFICATION_ENTRY, "Events"),
        {"E9518"},
    ),
    "notification function without permission": (
        "reporting",
        drop("S3NotificationRole", "Properties", "Policies", 0, "PolicyDocument", "Statement", 1),
        {"E9529"},
    ),
    "Lambda permission without InvokeFunction": (
        "single-bucket",
        put("lambda:GetFunction", "LambdaInvokePermission", "Properties", "Action"),
        {"E9503"},
    ),
}


@pytest.mark.parametrize("name", PRODUCTION)
def test_change_of_production_is_found_by_expected_rules_only(name):
    change, rules = PRODUCTION[name]
    body = copy.deepcopy(rendered("production"))
    change(body["Resources"])

    assert rules == rules_with_violations(body)


@pytest.mark.parametrize("name", OTHER_PRESETS)
def test_change_of_another_preset_is_found_by_expected_rules_only(name):
    preset, change, rules = OTHER_PRESETS[name]
    body = copy.deepcopy(rendered(preset))
    change(body["Resources"])

    assert rules == rules_with_violations(body)


@pytest.mark.parametrize("preset", sorted(path.name for path in BUILD.iterdir() if path.is_dir()))
def test_rendered_preset_has_no_violations(preset):
    assert rules_with_violations(rendered(preset)) == set()
