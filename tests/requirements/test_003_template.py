"""Document 003, two buckets: what can be read off the template of `thumbnails`, and off `production` too.

What the function does is tested where it runs; docs/requirements.md says where.
"""

from __future__ import annotations

import re

import pytest

from imgpipe_templates import load_preset
from imgpipe_templates.errors import ConfigError
from tests.requirements.reading import (
    BLOCKED,
    PRESETS,
    fires,
    indexes,
    keys,
    lifecycle,
    on,
    properties,
    reached,
    with_options,
)
from tests.templates import allowed, of_type, references, said, tags

FUNCTION_ARN = (
    "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:ImageProcessor-${EnvironmentSuffix}"
)
SOURCE_BUCKET_ARN = "arn:${AWS::Partition}:s3:::${SourceBucketName}"

on_both = on("thumbnails", "production")
on_its_own = on("thumbnails")


@pytest.fixture
def buckets(template):
    return of_type(template, "AWS::S3::Bucket")


@pytest.mark.line("003-01")
@on_its_own
def test_source_bucket_is_named_by_its_parameter(buckets):
    assert buckets["SourceBucket"]["BucketName"] == {"Ref": "SourceBucketName"}


@pytest.mark.line("003-02")
@on_both
def test_thumbnails_have_a_bucket_of_their_own(template, buckets):
    assert {"SourceBucket", "ThumbnailBucket"} <= set(buckets)
    variables = properties(template, "ImageProcessorFunction")["Environment"]["Variables"]
    assert said(variables["THUMBNAIL_BUCKET"]) == "ThumbnailBucket"


@pytest.mark.line("003-03")
@pytest.mark.parametrize(
    ("template", "algorithm"), [("thumbnails", "AES256"), ("production", "aws:kms")], indirect=["template"]
)
def test_both_buckets_are_encrypted_and_private(buckets, algorithm):
    """In production with the pipeline's own key."""
    for title in ("SourceBucket", "ThumbnailBucket"):
        (encryption,) = buckets[title]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == algorithm
        assert buckets[title]["PublicAccessBlockConfiguration"] == BLOCKED


@pytest.mark.line("003-04")
@on("media-library", "thumbnails", "production")
def test_uploads_move_to_infrequent_access_after_30_days(buckets):
    transitions = lifecycle(buckets["SourceBucket"])["ArchiveUploads"]["Transitions"]
    assert {"StorageClass": "STANDARD_IA", "TransitionInDays": 30} in transitions
    # D25: S3 moves nothing below 128 KB, so the same rule would do nothing for thumbnails.
    assert not any("Transitions" in rule for rule in lifecycle(buckets["ThumbnailBucket"]).values())


@pytest.mark.line("003-04")
@on("single-bucket")
def test_in_one_bucket_too_only_uploads_move(bucket):
    rule = lifecycle(bucket)["ArchiveUploads"]
    assert (rule["Status"], rule["Prefix"]) == ("Enabled", "uploads/")
    assert rule["Transitions"][0] == {"StorageClass": "STANDARD_IA", "TransitionInDays": 30}


@pytest.mark.line("003-05")
@on("single-bucket", "media-library", "thumbnails", "production")
def test_uploads_move_to_glacier_30_days_later_at_the_earliest(buckets):
    days = {
        move["StorageClass"]: move["TransitionInDays"]
        for move in lifecycle(buckets["SourceBucket"])["ArchiveUploads"]["Transitions"]
    }
    assert days["GLACIER_IR"] >= days["STANDARD_IA"] + 30
    with pytest.raises(ConfigError, match="glacier_after_days"):
        load_preset("thumbnails", ["storage.glacier_after_days=60", "storage.infrequent_access_after_days=31"])


@pytest.mark.line("003-06")
@on(*PRESETS)
def test_old_versions_and_abandoned_uploads_are_cleaned_up(buckets):
    for title in {"SourceBucket", "ThumbnailBucket"} & set(buckets):
        rules = lifecycle(buckets[title])
        assert rules["DeleteOldVersions"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
        assert rules["DeleteOldVersions"]["ExpiredObjectDeleteMarker"] is True
        assert rules["AbortIncompleteUploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
        assert {rule["Status"] for rule in rules.values()} == {"Enabled"}


@pytest.mark.line("003-07")
@on_its_own
def test_every_spelling_of_the_three_extensions_triggers(resources):
    notifications = resources["SourceBucket"]["Properties"]["NotificationConfiguration"]["LambdaConfigurations"]
    assert {"s3:ObjectCreated:*"} == {notification["Event"] for notification in notifications}
    suffixes = [notification["Filter"]["S3Key"]["Rules"] for notification in notifications]
    spellings = [".jpg", ".JPG", ".jpeg", ".JPEG", ".png", ".PNG"]
    assert suffixes == [[{"Name": "suffix", "Value": text}] for text in spellings]
    assert {FUNCTION_ARN} == {said(notification["Function"]) for notification in notifications}


@pytest.mark.line("003-07")
@on_both
def test_in_production_too_all_three_extensions_trigger(template):
    heeds = fires(template)
    assert all(heeds(f"uploads/a.{extension}") for extension in ("jpg", "JPG", "jpeg", "JPEG", "png", "PNG"))
    assert not heeds("uploads/a.gif")


@pytest.mark.line("003-07")
@on_its_own
def test_the_trigger_is_ordered_and_closes_no_cycle(resources):
    """D1, D15: permission before notification, and nothing that the bucket waits for waits for the bucket."""
    assert "LambdaInvokePermission" in resources["SourceBucket"]["DependsOn"]
    permission = resources["LambdaInvokePermission"]["Properties"]
    assert permission["Principal"] == "s3.amazonaws.com"
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert said(permission["SourceArn"]) == SOURCE_BUCKET_ARN
    before = reached(resources, "SourceBucket")
    assert {"LambdaInvokePermission", "ImageProcessorFunction", "ImageProcessorRole"} <= before
    assert not any("SourceBucket" in references(resources[title]["Properties"]) for title in before)


@pytest.mark.line("003-08")
@on(*PRESETS)
def test_buckets_carry_the_mandatory_tags(buckets):
    for bucket in buckets.values():
        assert tags(bucket)["Environment"] == {"Ref": "Environment"}
        assert tags(bucket)["iac-rlhf-amazon"] == "true"


@pytest.mark.line("003-09")
@on(*PRESETS)
def test_function_is_named_by_suffix(function):
    assert function["FunctionName"] == {"Fn::Sub": "ImageProcessor-${EnvironmentSuffix}"}


@pytest.mark.line("003-10")
@on(*PRESETS)
def test_handler_is_index_lambda_handler(template):
    """D26: of every function."""
    handlers = {function["Handler"] for function in of_type(template, "AWS::Lambda::Function").values()}
    assert handlers == {"index.lambda_handler"}


@pytest.mark.line("003-11")
@on(*PRESETS)
def test_runtime_is_one_that_lambda_supports(function):
    """D8: 3.9 has been out of support since December 2025."""
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]


@pytest.mark.line("003-11")
@pytest.mark.parametrize("preset", ["thumbnails", "production"])
def test_other_supported_runtimes_are_an_option(preset):
    for runtime in ("python3.12", "python3.14"):
        template = with_options(preset, f"processing.runtime={runtime}")
        assert properties(template, "ImageProcessorFunction")["Runtime"] == runtime
    with pytest.raises(ConfigError, match=r"python3\.9"):
        load_preset(preset, ["processing.runtime=python3.9"])


@pytest.mark.line("003-12")
@pytest.mark.parametrize(("template", "memory_mb"), [("thumbnails", 512), ("production", 1024)], indirect=["template"])
def test_timeout_and_memory(function, memory_mb):
    assert (function["Timeout"], function["MemorySize"]) == (60, memory_mb)


@pytest.mark.line("003-13")
@on(*PRESETS)
def test_function_runs_with_its_role(function):
    assert said(function["Role"]) == "ImageProcessorRole.Arn"


@pytest.mark.line("003-14")
@on_both
def test_pillow_comes_with_the_package_not_from_a_layer(function, repository):
    """D27: a layer that must already exist keeps the stack out of a new account."""
    assert "Layers" not in function
    assert re.search(r"(?mi)^pillow==", (repository / "lambda/processor/requirements.txt").read_text())


@pytest.mark.line("003-15")
@on("single-bucket", "media-library", "thumbnails", "production")
def test_function_variables(function, template):
    variables = function["Environment"]["Variables"]
    names = {"ThumbnailBucket", "image-storage-bucket-${EnvironmentSuffix}-${AWS::AccountId}"}
    assert said(variables["THUMBNAIL_BUCKET"]) in names
    assert said(variables["METADATA_TABLE"]) == "ImageMetadataTable"
    assert said(variables["THUMBNAIL_SIZE"]) == "ThumbnailSize"
    assert template["Parameters"]["ThumbnailSize"]["Default"] == 128


@pytest.mark.line("003-15", "003-26")
@on(*PRESETS)
def test_the_function_knows_the_dimensions_of_its_metrics(function):
    """D28: the alarms look at just these."""
    variables = function["Environment"]["Variables"]
    assert said(variables["ENVIRONMENT"]) == "Environment"
    assert said(variables["ENVIRONMENT_SUFFIX"]) == "EnvironmentSuffix"


@pytest.mark.line("003-16")
@on(*PRESETS)
def test_function_carries_the_mandatory_tags(function):
    assert tags(function)["Environment"] == {"Ref": "Environment"}
    assert tags(function)["iac-rlhf-amazon"] == "true"


@pytest.mark.line("003-17")
@on_both
def test_concurrency_is_not_reserved_by_default(function):
    """D29: a young account has none to spare."""
    assert "ReservedConcurrentExecutions" not in function


@pytest.mark.line("003-17")
@pytest.mark.parametrize("preset", ["thumbnails", "production"])
def test_reserved_concurrency_is_an_option(preset):
    template = with_options(preset, "processing.reserved_concurrency=20")
    assert properties(template, "ImageProcessorFunction")["ReservedConcurrentExecutions"] == 20
    with pytest.raises(ConfigError):  # none at all would send every event to the dead-letter queue
        load_preset(preset, ["processing.reserved_concurrency=0"])


@pytest.mark.line("003-27")
@on(*PRESETS)
def test_no_credentials_and_no_fixed_configuration_in_template_or_code(template, repository):
    sources = [path.read_text() for path in (repository / "lambda/processor").rglob("*.py")]
    for text in [str(template), *sources]:
        assert not re.search(r"AKIA|ASIA|aws_secret|password", text, re.IGNORECASE)
    readers = {
        path.name for path in (repository / "lambda/processor").rglob("*.py") if "os.environ" in path.read_text()
    }
    assert readers == {"settings.py"}


@pytest.mark.line("003-28")
@on(*PRESETS)
def test_table_is_keyed_by_image_id(table):
    assert keys(table["KeySchema"]) == ["ImageId"]


@pytest.mark.line("003-28")
@on(*PRESETS)
def test_just_the_attributes_of_keys_are_declared(table):
    """DynamoDB refuses a table with one more or one less."""
    schemas = [table["KeySchema"], *(index["KeySchema"] for index in indexes(table).values())]
    wanted = {attribute for schema in schemas for attribute in keys(schema)}
    declared = {entry["AttributeName"]: entry["AttributeType"] for entry in table["AttributeDefinitions"]}
    assert declared == dict.fromkeys(wanted, "S")


@pytest.mark.line("003-29")
@on_both
def test_images_are_found_by_a_range_of_time(table):
    """D5: the time alone as hash key could only be matched by equality."""
    index = indexes(table)["UploadTimestampIndex"]
    assert keys(index["KeySchema"]) == ["UploadShard", "UploadTimestamp"]
    assert index["Projection"] == {"ProjectionType": "ALL"}


@pytest.mark.line("003-30")
@on_both
def test_table_can_be_restored_and_is_encrypted(table):
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["SSESpecification"]["SSEEnabled"] is True
    assert table["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.line("003-30")
@on_its_own
def test_table_streams(table):
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


@pytest.mark.line("003-30")
def test_stream_and_key_are_options():
    bare = properties(
        with_options("thumbnails", "metadata.stream=false", "metadata.encryption=aws-owned"), "ImageMetadataTable"
    )
    assert "StreamSpecification" not in bare
    assert bare["SSESpecification"] == {"SSEEnabled": False}


@pytest.mark.line("003-31")
@on_its_own
def test_role_has_one_policy_of_its_own_and_no_managed_one(resources):
    """D11: the managed policy could create any log group, and so bring back one that its stack has deleted."""
    role = resources["ImageProcessorRole"]["Properties"]
    assert "ManagedPolicyArns" not in role
    assert [said(policy["PolicyName"]) for policy in role["Policies"]] == ["ImageProcessorPolicy-${EnvironmentSuffix}"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": ["lambda.amazonaws.com"]}
    assert trust["Action"] == ["sts:AssumeRole"]


@pytest.mark.line("003-31")
@on("production")
def test_in_production_the_policy_stands_beside_the_role(resources):
    role = resources["ImageProcessorRole"]["Properties"]
    assert "Policies" not in role
    assert role["ManagedPolicyArns"] == [{"Ref": "ImageProcessorPolicy"}]
    assert resources["ImageProcessorPolicy"]["Type"] == "AWS::IAM::ManagedPolicy"


@pytest.mark.line("003-32", "003-33", "003-34", "003-35")
@on_its_own
def test_role_allows_exactly_what_the_processor_does(template):
    assert allowed(template, "ImageProcessorRole") == {
        ("s3:GetObject", f"{SOURCE_BUCKET_ARN}/*"),
        ("s3:GetObjectVersion", f"{SOURCE_BUCKET_ARN}/*"),
        ("s3:PutObject", "${ThumbnailBucket.Arn}/thumbnails/*"),
        ("dynamodb:GetItem", "ImageMetadataTable.Arn"),
        ("dynamodb:PutItem", "ImageMetadataTable.Arn"),
        ("dynamodb:UpdateItem", "ImageMetadataTable.Arn"),
        ("logs:CreateLogStream", "ImageProcessorLogGroup.Arn"),
        ("logs:PutLogEvents", "ImageProcessorLogGroup.Arn"),
        ("sqs:SendMessage", "ProcessorDeadLetterQueue.Arn"),
    }


@pytest.mark.line("003-32")
@pytest.mark.parametrize(
    ("template", "objects"),
    [("thumbnails", f"{SOURCE_BUCKET_ARN}/*"), ("production", "${SourceBucket.Arn}/uploads/*")],
    indirect=["template"],
)
def test_role_reads_the_uploads(template, objects):
    read = {(action, on_what) for action, on_what in allowed(template, "ImageProcessorRole") if "s3:Get" in action}
    assert read == {("s3:GetObject", objects), ("s3:GetObjectVersion", objects)}


@pytest.mark.line("003-33")
@on_both
def test_role_writes_thumbnails_without_acls(granted):
    """D32: the buckets have no ACLs, and a request that sets one fails."""
    assert ("s3:PutObject", "${ThumbnailBucket.Arn}/thumbnails/*") in granted
    assert "s3:PutObjectAcl" not in {action for action, _ in granted}


@pytest.mark.line("003-33")
@on(*PRESETS)
def test_buckets_have_no_acls(buckets):
    for bucket in buckets.values():
        assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


@pytest.mark.line("003-34")
@on(*PRESETS)
def test_role_keeps_items_of_the_table(template):
    table_actions = {
        action for action, on_what in allowed(template, "ImageProcessorRole") if on_what == "ImageMetadataTable.Arn"
    }
    assert table_actions == {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:GetItem"}


@pytest.mark.line("003-35")
@on(*PRESETS)
def test_role_writes_its_logs_and_with_them_its_metrics(template):
    """D28: metrics travel in log lines, so that no further permission is needed."""
    actions = {action for action, _ in allowed(template, "ImageProcessorRole")}
    assert {"logs:CreateLogStream", "logs:PutLogEvents"} <= actions
    assert "cloudwatch:PutMetricData" not in actions
