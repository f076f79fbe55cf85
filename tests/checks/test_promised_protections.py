"""Each protection that is removed from a rendered template is found, one at a time."""

from __future__ import annotations

import copy

import pytest

from imgpipe_templates import load_preset
from imgpipe_templates.promises import metadata
from tests.checks.mutations import drop, put, rendered, rules_with_violations, statement

BUCKET = ("Properties", "BucketEncryption", "ServerSideEncryptionConfiguration", 0, "ServerSideEncryptionByDefault")
RULES = ("Properties", "LifecycleConfiguration", "Rules")
ANY_ADDRESS = [{"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}]


def property_of(resource, *path):
    return drop(resource, "Properties", *path)


def additional_action(resource, action):
    def change(resources):
        resources[resource]["Properties"]["PolicyDocument"]["Statement"][1]["Action"].append(action)

    return change


PRODUCTION = {
    "encryption of the access logs": property_of("AccessLogBucket", "BucketEncryption"),
    "key of a bucket": drop("ThumbnailBucket", *BUCKET, "KMSMasterKeyID"),
    "key of the table": property_of("ImageMetadataTable", "SSESpecification", "KMSMasterKeyId"),
    "key of the queue": property_of("UploadQueue", "KmsMasterKeyId"),
    "key of the dead letters": property_of("ProcessorDeadLetterQueue", "KmsMasterKeyId"),
    "key of the topic": property_of("ProcessingNotificationTopic", "KmsMasterKeyId"),
    "key of the processor's log": property_of("ImageProcessorLogGroup", "KmsKeyId"),
    "key of the API's log": property_of("ImageApiLogGroup", "KmsKeyId"),
    "key of the processor's variables": property_of("ImageProcessorFunction", "KmsKeyArn"),
    "key of the vault": property_of("BackupVault", "EncryptionKeyArn"),
    "rotation": property_of("DataKey", "EnableKeyRotation"),
    "rotation disabled": put("false", "DataKey", "Properties", "EnableKeyRotation"),
    "denial of direct use": statement("DataKey", "RefuseUseOutsideOfServices"),
    "denial of grants": statement("DataKey", "RefuseGrantsToOthers"),
    "condition of a denial": statement("DataKey", "RefuseUseOutsideOfServices", "Condition"),
    "condition of a service": statement("DataKey", "RulesMayWriteEncrypted", "Condition"),
    "condition of the budgets": statement("DataKey", "BudgetsMayWriteEncrypted", "Condition"),
    "versions of the access logs": property_of("AccessLogBucket", "VersioningConfiguration"),
    "access logs": property_of("SourceBucket", "LoggingConfiguration"),
    "access logs of the thumbnails": property_of("ThumbnailBucket", "LoggingConfiguration"),
    "object ownership": put(
        "ObjectWriter", *("SourceBucket", "Properties", "OwnershipControls", "Rules", 0), "ObjectOwnership"
    ),
    "public access block": put(
        "false", "SourceBucket", "Properties", "PublicAccessBlockConfiguration", "BlockPublicPolicy"
    ),
    "expiration of old versions": drop("SourceBucket", *RULES, 1),
    "multipart cleanup": drop("SourceBucket", *RULES, 2),
    "TLS of the dead letters": statement("ProcessorDeadLetterQueuePolicy", "RefusePlainHttp"),
    "deletion policy": drop("SourceBucket", "DeletionPolicy"),
    "replace policy": drop("ImageMetadataTable", "UpdateReplacePolicy"),
    "dead letters of the rule": property_of("UploadRule", "Targets", 0, "DeadLetterConfig"),
    "redrive allow policy": property_of("ProcessorDeadLetterQueue", "RedriveAllowPolicy"),
    "retention of the queue": property_of("UploadQueue", "MessageRetentionPeriod"),
    "partial batch responses": property_of("UploadQueueMapping", "FunctionResponseTypes"),
    "maximum concurrency": property_of("UploadQueueMapping", "ScalingConfig"),
    "source of the queue's policy": statement(
        "UploadQueuePolicy",
        "SourceMaySend",
        "Condition",
        value={"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    ),
    "tracing of the processor": property_of("ImageProcessorFunction", "TracingConfig"),
    "tracing of the retrieval": put("PassThrough", "ImageRetrievalFunction", "Properties", "TracingConfig", "Mode"),
    "rate limit": property_of("ImageApiStage", "DefaultRouteSettings", "ThrottlingRateLimit"),
    "burst limit": property_of("ImageApiStage", "DefaultRouteSettings", "ThrottlingBurstLimit"),
    "logs of the API": property_of("ImageApiStage", "AccessLogSettings"),
    "authorization of a route": property_of("ImageApiGetRoute", "AuthorizationType"),
    "authorization of the list route": put("NONE", "ImageApiListRoute", "Properties", "AuthorizationType"),
    "days of the vault lock": property_of("BackupVault", "LockConfiguration", "MinRetentionDays"),
    "vault": drop("BackupVault"),
    "selection": drop("BackupSelection"),
    "table in the selection": property_of("BackupSelection", "BackupSelection", "Resources", 0),
    "bucket in the selection": property_of("BackupSelection", "BackupSelection", "Resources", 1),
    "budget": drop("ProjectBudget"),
    "subscribers of the budget": property_of("ProjectBudget", "NotificationsWithSubscribers"),
    "subscription": drop("ProcessingNotificationSubscription"),
    "alarm on throttles": drop("RetrievalThrottleAlarm"),
    "alarm on failed images": drop("ProcessingErrorAlarm"),
    "alarm on the queue's age": drop("UploadQueueAgeAlarm"),
    "alarm on the API": drop("ApiServerErrorAlarm"),
    "alarm on the table": drop("TableWriteThrottleAlarm"),
    "alarm on an index": drop("StatusIndexReadThrottleAlarm"),
    "alarm on another function": put(
        [{"Name": "FunctionName", "Value": {"Ref": "ImageRetrievalFunction"}}],
        "LambdaThrottleAlarm",
        "Properties",
        "Dimensions",
    ),
    "action of an alarm": property_of("LambdaDurationAlarm", "AlarmActions"),
    "additional action of the processor": additional_action("ImageProcessorPolicy", "s3:DeleteObject"),
    "additional action of the retrieval": additional_action("ImageRetrievalPolicy", "dynamodb:Scan"),
    "missing dynamodb:GetItem": statement("ImageRetrievalPolicy", "GetItemsOfImageMetadataTable"),
    "missing object version action": statement(
        "ImageProcessorPolicy", "ReadSourceBucketObjects", "Action", value=["s3:GetObject"]
    ),
    "security group open to any address": put(
        {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": "x", "SecurityGroupIngress": ANY_ADDRESS, "SecurityGroupEgress": []},
        },
        "OpenGroup",
    ),
    "disabled rule": put("DISABLED", "UploadRule", "Properties", "State"),
}
# Protections of every preset.
EVERYWHERE = {
    "encryption": property_of("SourceBucket", "BucketEncryption"),
    "versions": property_of("SourceBucket", "VersioningConfiguration"),
    "object ownership": property_of("SourceBucket", "OwnershipControls"),
    "public access block": property_of("SourceBucket", "PublicAccessBlockConfiguration"),
    "TLS": statement("SourceBucketPolicy", "RefusePlainHttp"),
    "encryption of the table": property_of("ImageMetadataTable", "SSESpecification"),
    "point-in-time recovery": property_of("ImageMetadataTable", "PointInTimeRecoverySpecification"),
    "dead letters": property_of("ImageProcessorFunction", "DeadLetterConfig"),
    "retention of the dead letters": property_of("ProcessorDeadLetterQueue", "MessageRetentionPeriod"),
    "retention of the log": property_of("ImageProcessorLogGroup", "RetentionInDays"),
    "alarm on errors": drop("LambdaErrorAlarm"),
    "alarm on throttles": drop("LambdaThrottleAlarm"),
    "alarm on dead letters": drop("DeadLetterQueueAlarm"),
}


def test_notification_role_without_lock_permissions_is_reported():
    policy = rendered("reporting")["Resources"]["S3NotificationRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    sids = [each["Sid"] for each in policy["Statement"]]
    lock_statement = (
        "Properties",
        "Policies",
        0,
        "PolicyDocument",
        "Statement",
        sids.index("LockSourceBucketNotifications"),
    )

    assert removed("reporting", drop("S3NotificationRole", *lock_statement)) == {"E9592"}


def removed(preset, change):
    body = copy.deepcopy(rendered(preset))
    change(body["Resources"])
    return rules_with_violations(body)


@pytest.mark.parametrize("name", PRODUCTION)
def test_removed_protection_of_production_is_found(name):
    assert removed("production", PRODUCTION[name]) != set()


@pytest.mark.parametrize("preset", ["media-library", "production", "reporting", "single-bucket", "thumbnails"])
@pytest.mark.parametrize("name", EVERYWHERE)
def test_removed_protection_of_every_preset_is_found(preset, name):
    assert removed(preset, EVERYWHERE[name]) != set()


def test_metadata_lists_protections_that_the_rules_require():
    body = copy.deepcopy(rendered("production"))
    assert body["Metadata"]["ImagePipeline"]["Protections"] == [
        *("access-logs", "api-authorization", "backups", "budget", "customer-key"),
        *("dead-letters", "table-alarms", "table-key", "tracing"),
    ]
    del body["Resources"]["ImageProcessorFunction"]["Properties"]["TracingConfig"]
    del body["Resources"]["ProjectBudget"]
    assert {"E9591", "E9592"} == rules_with_violations(body)

    del body["Metadata"]["ImagePipeline"]
    assert rules_with_violations(body) == set()


def test_regional_names_have_the_same_protections_as_names_with_a_suffix():
    regional = load_preset("production", ["names=regional"])

    assert metadata(regional, "single") == metadata(load_preset("production"), "single")
