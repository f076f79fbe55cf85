"""Whoever takes a protection out of a rendered template is told, one protection at a time."""

from __future__ import annotations

import copy

import pytest

from imgpipe_templates import load_preset
from imgpipe_templates.promises import metadata
from tests.checks.test_mutants import drop, found, put, rendered, statement

BUCKET = ("Properties", "BucketEncryption", "ServerSideEncryptionConfiguration", 0, "ServerSideEncryptionByDefault")
RULES = ("Properties", "LifecycleConfiguration", "Rules")
EVERYBODY = [{"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}]


def property_of(resource, *path):
    return drop(resource, "Properties", *path)


def one_action_more(resource, action):
    def change(resources):
        resources[resource]["Properties"]["PolicyDocument"]["Statement"][1]["Action"].append(action)

    return change


PRODUCTION = {
    "encryption of a bucket": property_of("SourceBucket", "BucketEncryption"),
    "encryption of the access logs": property_of("AccessLogBucket", "BucketEncryption"),
    "key of a bucket": drop("ThumbnailBucket", *BUCKET, "KMSMasterKeyID"),
    "key of the table": property_of("ImageMetadataTable", "SSESpecification", "KMSMasterKeyId"),
    "encryption of the table": property_of("ImageMetadataTable", "SSESpecification"),
    "key of the queue": property_of("UploadQueue", "KmsMasterKeyId"),
    "key of the dead letters": property_of("ProcessorDeadLetterQueue", "KmsMasterKeyId"),
    "key of the topic": property_of("ProcessingNotificationTopic", "KmsMasterKeyId"),
    "key of the processor's log": property_of("ImageProcessorLogGroup", "KmsKeyId"),
    "key of the API's log": property_of("ImageApiLogGroup", "KmsKeyId"),
    "key of the processor's variables": property_of("ImageProcessorFunction", "KmsKeyArn"),
    "key of the vault": property_of("BackupVault", "EncryptionKeyArn"),
    "rotation": property_of("DataKey", "EnableKeyRotation"),
    "rotation switched off": put("false", "DataKey", "Properties", "EnableKeyRotation"),
    "denial of direct use": statement("DataKey", "RefuseUseOutsideOfServices"),
    "denial of grants": statement("DataKey", "RefuseGrantsToOthers"),
    "condition of a denial": statement("DataKey", "RefuseUseOutsideOfServices", "Condition"),
    "condition of a service": statement("DataKey", "RulesMayWriteEncrypted", "Condition"),
    "condition of the budgets": statement("DataKey", "BudgetsMayWriteEncrypted", "Condition"),
    "use by way of services": statement("ImageProcessorPolicy", "UseDataKey", "Condition"),
    "versions": property_of("SourceBucket", "VersioningConfiguration"),
    "versions of the access logs": property_of("AccessLogBucket", "VersioningConfiguration"),
    "access logs": property_of("SourceBucket", "LoggingConfiguration"),
    "access logs of the thumbnails": property_of("ThumbnailBucket", "LoggingConfiguration"),
    "policy of the access logs": statement("AccessLogBucketPolicy", "S3MayLog"),
    "owner of the objects": put(
        "ObjectWriter", *("SourceBucket", "Properties", "OwnershipControls", "Rules", 0), "ObjectOwnership"
    ),
    "block of public access": put(
        "false", "SourceBucket", "Properties", "PublicAccessBlockConfiguration", "BlockPublicPolicy"
    ),
    "end of old versions": drop("SourceBucket", *RULES, 1),
    "end of broken uploads": drop("SourceBucket", *RULES, 2),
    "TLS of a bucket": statement("SourceBucketPolicy", "RefusePlainHttp"),
    "TLS of the dead letters": statement("ProcessorDeadLetterQueuePolicy", "RefusePlainHttp"),
    "deletion policy": drop("SourceBucket", "DeletionPolicy"),
    "replace policy": drop("ImageMetadataTable", "UpdateReplacePolicy"),
    "point-in-time recovery": property_of("ImageMetadataTable", "PointInTimeRecoverySpecification"),
    "dead letters of the rule": property_of("UploadRule", "Targets", 0, "DeadLetterConfig"),
    "dead letters of the queue": property_of("UploadQueue", "RedrivePolicy"),
    "dead letters of the processor": property_of("ImageProcessorFunction", "DeadLetterConfig"),
    "redrive allow policy": property_of("ProcessorDeadLetterQueue", "RedriveAllowPolicy"),
    "retention of the queue": property_of("UploadQueue", "MessageRetentionPeriod"),
    "partial batch responses": property_of("UploadQueueMapping", "FunctionResponseTypes"),
    "maximum concurrency": property_of("UploadQueueMapping", "ScalingConfig"),
    "order of the mapping": drop("UploadQueueMapping", "DependsOn"),
    "source of the queue's policy": statement(
        "UploadQueuePolicy",
        "SourceMaySend",
        "Condition",
        value={"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    ),
    "traces of the processor": property_of("ImageProcessorFunction", "TracingConfig"),
    "traces of the retrieval": put("PassThrough", "ImageRetrievalFunction", "Properties", "TracingConfig", "Mode"),
    "throttling": property_of("ImageApiStage", "DefaultRouteSettings", "ThrottlingRateLimit"),
    "bursts": property_of("ImageApiStage", "DefaultRouteSettings", "ThrottlingBurstLimit"),
    "logs of the API": property_of("ImageApiStage", "AccessLogSettings"),
    "authorization of a route": property_of("ImageApiGetRoute", "AuthorizationType"),
    "authorization of the other": put("NONE", "ImageApiListRoute", "Properties", "AuthorizationType"),
    "retention of a log": property_of("ImageProcessorLogGroup", "RetentionInDays"),
    "lock of the vault": property_of("BackupVault", "LockConfiguration"),
    "days of the lock": property_of("BackupVault", "LockConfiguration", "MinRetentionDays"),
    "vault": drop("BackupVault"),
    "selection": drop("BackupSelection"),
    "table in the selection": property_of("BackupSelection", "BackupSelection", "Resources", 0),
    "bucket in the selection": property_of("BackupSelection", "BackupSelection", "Resources", 1),
    "budget": drop("ProjectBudget"),
    "readers of the budget": property_of("ProjectBudget", "NotificationsWithSubscribers"),
    "subscription": drop("ProcessingNotificationSubscription"),
    "alarm on errors": drop("LambdaErrorAlarm"),
    "alarm on throttles": drop("RetrievalThrottleAlarm"),
    "alarm on failed images": drop("ProcessingErrorAlarm"),
    "alarm on the queue's age": drop("UploadQueueAgeAlarm"),
    "alarm on dead letters": drop("DeadLetterQueueAlarm"),
    "alarm on the API": drop("ApiServerErrorAlarm"),
    "alarm on the table": drop("TableWriteThrottleAlarm"),
    "alarm on an index": drop("StatusIndexReadThrottleAlarm"),
    "alarm on the other function": put(
        [{"Name": "FunctionName", "Value": {"Ref": "ImageRetrievalFunction"}}],
        "LambdaThrottleAlarm",
        "Properties",
        "Dimensions",
    ),
    "action of an alarm": property_of("LambdaDurationAlarm", "AlarmActions"),
    "one action too many": one_action_more("ImageProcessorPolicy", "s3:DeleteObject"),
    "one action too many for reading": one_action_more("ImageRetrievalPolicy", "dynamodb:Scan"),
    "one action too few": statement("ImageRetrievalPolicy", "GetItemsOfImageMetadataTable"),
    "one action too few for uploads": statement(
        "ImageProcessorPolicy", "ReadSourceBucketObjects", "Action", value=["s3:GetObject"]
    ),
    "open security group": put(
        {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": "x", "SecurityGroupIngress": EVERYBODY, "SecurityGroupEgress": []},
        },
        "OpenGroup",
    ),
    "rule switched off": put("DISABLED", "UploadRule", "Properties", "State"),
}
# What every preset has, where it has the resource.
EVERYWHERE = {
    "encryption": property_of("SourceBucket", "BucketEncryption"),
    "versions": property_of("SourceBucket", "VersioningConfiguration"),
    "owner": property_of("SourceBucket", "OwnershipControls"),
    "public access": property_of("SourceBucket", "PublicAccessBlockConfiguration"),
    "TLS": statement("SourceBucketPolicy", "RefusePlainHttp"),
    "encryption of the table": property_of("ImageMetadataTable", "SSESpecification"),
    "recovery": property_of("ImageMetadataTable", "PointInTimeRecoverySpecification"),
    "dead letters": property_of("ImageProcessorFunction", "DeadLetterConfig"),
    "retention of the dead letters": property_of("ProcessorDeadLetterQueue", "MessageRetentionPeriod"),
    "retention of the log": property_of("ImageProcessorLogGroup", "RetentionInDays"),
    "alarm on errors": drop("LambdaErrorAlarm"),
    "alarm on throttles": drop("LambdaThrottleAlarm"),
    "alarm on dead letters": drop("DeadLetterQueueAlarm"),
}


def test_the_helper_that_does_not_lock_a_buckets_notifications_is_reported():
    policy = rendered("reporting")["Resources"]["S3NotificationRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    sids = [each["Sid"] for each in policy["Statement"]]
    of_lock = ("Properties", "Policies", 0, "PolicyDocument", "Statement", sids.index("LockSourceBucketNotifications"))

    assert removed("reporting", drop("S3NotificationRole", *of_lock)) == {"E9592"}


def removed(preset, change):
    body = copy.deepcopy(rendered(preset))
    change(body["Resources"])
    return found(body)


@pytest.mark.parametrize("name", PRODUCTION)
def test_production_misses_each_of_its_protections(name):
    assert removed("production", PRODUCTION[name]) != set()


@pytest.mark.parametrize("preset", ["media-library", "production", "reporting", "single-bucket", "thumbnails"])
@pytest.mark.parametrize("name", EVERYWHERE)
def test_every_preset_misses_each_of_its_protections(preset, name):
    assert removed(preset, EVERYWHERE[name]) != set()


def test_what_is_promised_is_said_in_the_metadata_and_asked_of_no_foreign_template():
    body = copy.deepcopy(rendered("production"))
    assert body["Metadata"]["ImagePipeline"]["Protections"] == [
        *("access-logs", "api-authorization", "backups", "budget", "customer-key"),
        *("dead-letters", "table-alarms", "table-key", "tracing"),
    ]
    del body["Resources"]["ImageProcessorFunction"]["Properties"]["TracingConfig"]
    del body["Resources"]["ProjectBudget"]
    assert {"E9591", "E9592"} == found(body)

    del body["Metadata"]["ImagePipeline"]
    assert found(body) == set()


def test_regional_names_promise_what_names_with_a_suffix_promise():
    regional = load_preset("production", ["names=regional"])

    assert metadata(regional, "single") == metadata(load_preset("production"), "single")
