"""Templates and the other functions against each other."""

from __future__ import annotations

import pytest

from imgpipe_bucket_notification.lock import PARAMETER
from imgpipe_retrieval_api.settings import Settings
from imgpipe_templates import load_preset
from imgpipe_templates.subsystems.triggers.custom_resource import HELPER_TIMEOUT_SECONDS
from tests.templates import allowed, rendered

LOCK = (
    "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/imgpipe/bucket-notifications/${SourceBucket}"
)
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
SAMPLES = {
    "INDEX_SHARDS": "4",
    "INDEXES": "UploadTimestampIndex,UserIndex",
    "MAX_PAGE_SIZE": "50",
    "METADATA_TABLE": "ImageMetadata-dev",
    "OWN_IMAGES_ONLY": "true",
    "SOURCE_BUCKET": "uploads",
    "THUMBNAIL_BUCKET": "thumbnails",
    "URL_EXPIRES_SECONDS": "900",
}


def retrieval(*overrides: str):
    template = rendered(load_preset("media-library", overrides))
    return template, template["Resources"]["ImageRetrievalFunction"]["Properties"]


@pytest.mark.parametrize("overrides", [(), ("retrieval.authorization=jwt",), ("retrieval.originals=false",)])
def test_retrieval_knows_every_variable_and_misses_none(overrides):
    _, function = retrieval(*overrides)

    settings = Settings.from_environment({name: SAMPLES[name] for name in function["Environment"]["Variables"]})
    assert settings.own_images_only == ("retrieval.authorization=jwt" in overrides)
    assert (settings.source_bucket is None) == ("retrieval.originals=false" in overrides)


def test_retrieval_reads_looks_up_and_signs_reads_and_nothing_else():
    template, _ = retrieval()

    table = "ImageMetadataTable.Arn"
    assert {right for right in allowed(template, "ImageRetrievalRole") if right[0] not in LOGS} == {
        ("dynamodb:GetItem", table),
        ("dynamodb:Query", "${ImageMetadataTable.Arn}/index/UploadTimestampIndex"),
        ("dynamodb:Query", "${ImageMetadataTable.Arn}/index/UserIndex"),
        ("s3:GetObject", "${ThumbnailBucket.Arn}/thumbnails/*"),
        ("s3:GetObject", "${SourceBucket.Arn}/*"),
        ("s3:GetObjectVersion", "${SourceBucket.Arn}/*"),
    }


def test_the_notification_helper_reads_and_writes_one_buckets_configuration_and_nothing_else():
    template = rendered(load_preset("reporting"))

    rights = allowed(template, "S3NotificationRole")
    assert {right for right in rights if right[0] not in {*LOGS, "sqs:SendMessage"}} == {
        ("s3:GetBucketNotification", "SourceBucket.Arn"),
        ("s3:PutBucketNotification", "SourceBucket.Arn"),
        *((f"ssm:{action}", LOCK) for action in ("DeleteParameter", "GetParameter", "PutParameter")),
    }


def test_lock_of_the_template_is_that_of_the_code():
    assert LOCK.endswith(f":parameter{PARAMETER.format(bucket='${SourceBucket}')}")


def test_notification_is_set_after_permission_and_bucket_policy():
    """S3 answers OperationAborted to two changes of one bucket at once."""
    notification = rendered(load_preset("reporting"))["Resources"]["S3BucketNotification"]

    assert notification["DependsOn"] == ["LambdaInvokePermission", "SourceBucketPolicy"]


@pytest.mark.parametrize(
    ("names", "named", "words"),
    [
        ("suffix", True, "CloudFormation refuses another one later"),
        ("generated", False, "another suffix later creates new, empty buckets and a new table"),
    ],
)
def test_suffix_says_whether_the_service_token_keeps_it(names, named, words):
    """CloudFormation does not let a custom resource change its ServiceToken, the ARN of the helper."""
    template = rendered(load_preset("reporting", [f"names={names}"]))

    helper = template["Resources"]["S3NotificationLambda"]["Properties"]
    assert ("EnvironmentSuffix" in str(helper.get("FunctionName"))) == named
    assert words in template["Parameters"]["EnvironmentSuffix"]["Description"]


def test_the_notification_helper_has_time_to_say_that_it_failed():
    """It stops its work 25 seconds before its end; CloudFormation waits longer than it may run."""
    template = rendered(load_preset("reporting"))["Resources"]

    helper = template["S3NotificationLambda"]["Properties"]
    assert helper["Timeout"] == HELPER_TIMEOUT_SECONDS > 25
    assert template["S3BucketNotification"]["Properties"]["ServiceTimeout"] > helper["Timeout"]
