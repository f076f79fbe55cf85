"""Storage: what the buckets must be."""

from __future__ import annotations

import pytest

from imgpipe_templates.core.naming import substituted
from imgpipe_templates.patterns.buckets import BucketSettings, UploadNotification
from imgpipe_templates.subsystems.storage import StorageConfig, UploadRoute, add_storage
from tests.templates import resources, said

KEEP = BucketSettings("retain")
NOTIFICATION = UploadNotification(
    "function",
    substituted("arn:of-the-function:${EnvironmentSuffix}"),
    "LambdaInvokePermission",
    "in/",
    (".jpg", ".PNG"),
)


@pytest.fixture
def built(scope):
    add_storage(scope, StorageConfig(), KEEP, route=UploadRoute())
    return resources(scope)


def test_both_buckets_refuse_plain_http_for_bucket_and_objects(built):
    for bucket in ("SourceBucket", "ThumbnailBucket"):
        policy = built[f"{bucket}Policy"]["Properties"]
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert policy["Bucket"] == {"Ref": bucket}
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", ["s3:*"])
        assert [said(resource) for resource in statement["Resource"]] == [f"{bucket}.Arn", f"${{{bucket}.Arn}}/*"]
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_both_buckets_keep_versions(built):
    for bucket in ("SourceBucket", "ThumbnailBucket"):
        assert built[bucket]["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}


def test_without_a_notification_the_bucket_is_referred_to_directly(scope):
    storage = add_storage(scope, StorageConfig(), KEEP, route=UploadRoute())

    source = resources(scope)["SourceBucket"]
    assert "NotificationConfiguration" not in source["Properties"]
    assert "DependsOn" not in source
    assert said(storage.source.arn.to_dict()) == "SourceBucket.Arn"


def test_with_a_notification_the_bucket_waits_and_is_known_by_name(scope):
    storage = add_storage(scope, StorageConfig(), KEEP, route=UploadRoute(notification=NOTIFICATION, prefix="in/"))

    source = resources(scope)["SourceBucket"]
    assert source["DependsOn"] == ["LambdaInvokePermission"]
    assert said(storage.source.arn.to_dict()) == "arn:${AWS::Partition}:s3:::${SourceBucketName}"
    filters = [
        notification["Filter"]["S3Key"]["Rules"]
        for notification in source["Properties"]["NotificationConfiguration"]["LambdaConfigurations"]
    ]
    assert filters == [
        [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".jpg"}],
        [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".PNG"}],
    ]


def test_days_of_the_lifecycle_are_those_of_the_configuration(scope):
    config = StorageConfig(
        infrequent_access_after_days=40,
        glacier_after_days=100,
        noncurrent_expire_after_days=5,
        abort_multipart_after_days=2,
    )
    add_storage(scope, config, BucketSettings("delete"), route=UploadRoute())

    built = resources(scope)
    rules = {rule["Id"]: rule for rule in built["SourceBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]}
    assert [move["TransitionInDays"] for move in rules["ArchiveUploads"]["Transitions"]] == [40, 100]
    assert rules["DeleteOldVersions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 5}
    assert rules["AbortIncompleteUploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    assert (built["SourceBucket"]["DeletionPolicy"], built["SourceBucket"]["UpdateReplacePolicy"]) == (
        "Delete",
        "Delete",
    )


@pytest.mark.parametrize(("config", "last"), [({}, "GLACIER_IR"), ({"archive_class": "GLACIER"}, "GLACIER")])
def test_old_uploads_stay_readable_unless_another_class_is_chosen(scope, config, last):
    add_storage(scope, StorageConfig(**config), BucketSettings("delete"), route=UploadRoute())

    rules = resources(scope)["SourceBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert [move["StorageClass"] for move in rules[0]["Transitions"]] == ["STANDARD_IA", last]


def test_days_that_are_too_close_are_a_conflict_of_both_keys():
    (conflict,) = StorageConfig(infrequent_access_after_days=31, glacier_after_days=60).conflicts()

    assert conflict.keys == ("glacier_after_days", "infrequent_access_after_days")
    assert "at least 61 days" in conflict.message
    assert list(StorageConfig(infrequent_access_after_days=31, glacier_after_days=61).conflicts()) == []


def test_in_one_bucket_uploads_and_thumbnails_share_it_and_only_uploads_are_archived(scope):
    config = StorageConfig(buckets="one", source_bucket_name="derived")
    storage = add_storage(scope, config, KEEP, route=UploadRoute(prefix="uploads/"))

    built = resources(scope)
    assert [title for title in built if built[title]["Type"] == "AWS::S3::Bucket"] == ["SourceBucket"]
    assert not storage.apart
    assert "SourceBucketName" not in scope.stack.template.parameters
    rules = {rule["Id"]: rule for rule in built["SourceBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]}
    assert rules["ArchiveUploads"]["Prefix"] == "uploads/"


def test_requests_are_recorded_in_a_bucket_that_only_s3_writes_to(scope):
    add_storage(scope, StorageConfig(access_logs=True, access_logs_expire_after_days=90), KEEP, route=UploadRoute())

    built = resources(scope)
    for title in ("SourceBucket", "ThumbnailBucket"):
        logging = built[title]["Properties"]["LoggingConfiguration"]
        assert logging == {"DestinationBucketName": {"Ref": "AccessLogBucket"}, "LogFilePrefix": f"{title}/"}
    assert "LoggingConfiguration" not in built["AccessLogBucket"]["Properties"]
    _, allow = built["AccessLogBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (allow["Principal"], allow["Action"]) == ({"Service": ["logging.s3.amazonaws.com"]}, ["s3:PutObject"])
    assert allow["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    expire = built["AccessLogBucket"]["Properties"]["LifecycleConfiguration"]["Rules"][0]
    assert expire["ExpirationInDays"] == 90


def test_pages_are_named_by_a_parameter_and_never_all(scope):
    add_storage(scope, StorageConfig(cors_origins=("https://a.example",)), KEEP, route=UploadRoute())

    (rule,) = resources(scope)["SourceBucket"]["Properties"]["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == {"Ref": "AllowedOrigins"}
    assert scope.stack.template.parameters["AllowedOrigins"].to_dict()["Default"] == "https://a.example"


def test_what_aws_backup_copies_by_events_sends_them(scope):
    backed_up = BucketSettings("retain", backup=True)
    add_storage(scope, StorageConfig(), backed_up, route=UploadRoute(notification=NOTIFICATION, prefix="in/"))

    built = resources(scope)
    uploads, thumbnails = (
        built[title]["Properties"]["NotificationConfiguration"] for title in ("SourceBucket", "ThumbnailBucket")
    )
    assert thumbnails == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert uploads["EventBridgeConfiguration"] == {"EventBridgeEnabled": True}
    assert uploads["LambdaConfigurations"]
