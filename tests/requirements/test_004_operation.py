"""Document 004, second half: monitoring, cost, deployment and backup in the templates of every preset."""

from __future__ import annotations

from itertools import product

import pytest

from imgpipe_templates import load_preset
from imgpipe_templates.errors import ConfigError
from tests.requirements.reading import PRESETS, indexes, lifecycle, on, properties, reached, shown, with_options
from tests.templates import allowed, of_type, references, said, waits_for

# They hold what cannot be made again.
STATEFUL = {
    "AWS::Backup::BackupVault",
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
}
EMPTIED_BY_TIME = {"AWS::Logs::LogGroup", "AWS::SQS::Queue"}

on_all = on(*PRESETS)
on_production = on("production")


def tag_list(resource):
    """The tags of a resource whose type has a list of them."""
    found = resource["Properties"].get("Tags", [])
    return found if isinstance(found, list) else []


@pytest.mark.line("004-13")
@on("single-bucket", "reporting", "media-library", "production")
def test_the_template_makes_a_dashboard(template):
    assert set(of_type(template, "AWS::CloudWatch::Dashboard")) == {"MonitoringDashboard"}
    assert len(shown(template)) > 10


@pytest.mark.line("004-13")
def test_where_none_is_made_it_is_an_option():
    assert "MonitoringDashboard" in with_options("thumbnails", "monitoring.dashboard=true")["Resources"]


@pytest.mark.line("004-14")
@on("single-bucket", "media-library", "production")
def test_several_custom_metrics_are_shown(template):
    assert {"ProcessingDuration", "SourceBytes", "ThumbnailBytes", "ProcessedImages", "ProcessingErrors"} == {
        metric.name for metric in shown(template) if metric.namespace == "ImageProcessing"
    }


@pytest.mark.line("004-15")
@on_all
def test_every_log_group_forgets(template):
    groups = of_type(template, "AWS::Logs::LogGroup")
    assert all(group["RetentionInDays"] > 0 for group in groups.values())
    for function in of_type(template, "AWS::Lambda::Function").values():
        assert said(function["LoggingConfig"]["LogGroup"]) in groups
    for stage in of_type(template, "AWS::ApiGatewayV2::Stage").values():
        assert said(stage["AccessLogSettings"]["DestinationArn"]).removesuffix(".Arn") in groups


@pytest.mark.line("004-16")
@on_all
def test_no_concurrency_is_provisioned_unasked(template):
    assert "ProvisionedConcurrencyConfig" not in str(template)


@pytest.mark.line("004-16")
@pytest.mark.parametrize("preset", ["media-library", "production"])
def test_provisioned_concurrency_is_an_option_of_retrieval(preset):
    """D37: of an alias that the API then calls, and not together with snapshots."""
    template = with_options(preset, "retrieval.provisioned_concurrency=3")
    (alias,) = of_type(template, "AWS::Lambda::Alias").values()
    assert alias["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": 3}
    assert said(alias["FunctionName"]) == "ImageRetrievalFunction"
    (version,) = of_type(template, "AWS::Lambda::Version")
    assert said(alias["FunctionVersion"]) == f"{version}.Version"
    (called,) = of_type(template, "AWS::Lambda::Alias")
    assert said(properties(template, "ImageApiIntegration")["IntegrationUri"]) == called
    assert allowed(template, "ImageApiRole") == {("lambda:InvokeFunction", called)}
    with pytest.raises(ConfigError, match="snap_start"):
        load_preset(preset, ["retrieval.provisioned_concurrency=3", "retrieval.snap_start=true"])


@pytest.mark.line("004-17")
@on_production
def test_objects_of_every_kind_have_their_end(template):
    uploads, thumbnails = (lifecycle(properties(template, title)) for title in ("SourceBucket", "ThumbnailBucket"))
    moves = uploads["ArchiveUploads"]["Transitions"]
    assert [(move["StorageClass"], move["TransitionInDays"]) for move in moves] == [
        ("STANDARD_IA", 30),
        ("GLACIER_IR", 90),
    ]
    assert uploads["DeleteOldVersions"]["NoncurrentVersionExpiration"] == {
        "NoncurrentDays": 30,
        "NewerNoncurrentVersions": 3,
    }
    assert thumbnails["DeleteOldVersions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert "ArchiveUploads" not in thumbnails
    for rules in (uploads, thumbnails):
        assert rules["DeleteOldVersions"]["ExpiredObjectDeleteMarker"] is True
        assert rules["AbortIncompleteUploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
        assert {rule["Status"] for rule in rules.values()} == {"Enabled"}


@pytest.mark.line("004-17")
def test_thumbnails_have_days_of_their_own():
    template = with_options("production", "storage.thumbnails_noncurrent_expire_after_days=3")
    days = {
        title: lifecycle(properties(template, title))["DeleteOldVersions"]["NoncurrentVersionExpiration"]
        for title in ("SourceBucket", "ThumbnailBucket")
    }
    assert [expire["NoncurrentDays"] for expire in days.values()] == [30, 3]


@pytest.mark.line("004-18")
@on_all
def test_images_are_limited_in_bytes_and_pixels(template):
    """D42: by parameters, up to what the function's memory has room for."""
    variables = properties(template, "ImageProcessorFunction")["Environment"]["Variables"]
    for variable, name in (("MAX_SOURCE_BYTES", "MaxSourceBytes"), ("MAX_SOURCE_PIXELS", "MaxSourcePixels")):
        assert variables[variable] == {"Ref": name}
        parameter = template["Parameters"][name]
        assert 0 < parameter["MinValue"] < parameter["Default"] <= parameter["MaxValue"]


@pytest.mark.line("004-18")
@pytest.mark.parametrize(
    ("preset", "limit"), list(product(PRESETS, ["max_source_bytes=104857600", "max_source_pixels=500000000"]))
)
def test_limits_beyond_the_memory_are_refused(preset, limit):
    with pytest.raises(ConfigError, match="memory_mb"):
        load_preset(preset, [f"processing.{limit}", "processing.memory_mb=256"])


@pytest.mark.line("004-28", "004-30")
@on_production
def test_lambda_may_receive_before_it_is_told_to(resources, granted):
    assert "UploadQueueReceivePolicy" in waits_for(resources["UploadQueueMapping"])
    assert {action for action, on_what in granted if on_what == "UploadQueue.Arn"} == {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    }


@pytest.mark.line("004-28", "004-30")
@on("single-bucket", "thumbnails")
def test_s3_may_invoke_before_it_is_told_to(resources):
    assert "LambdaInvokePermission" in waits_for(resources["SourceBucket"])


@pytest.mark.line("004-28", "004-30")
@on("reporting")
def test_the_helper_has_its_rights_before_it_is_called(resources):
    before = reached(resources, "S3BucketNotification")
    assert {"LambdaInvokePermission", "S3NotificationRole", "S3NotificationLogGroup"} <= before


@pytest.mark.line("004-30")
def test_the_helper_keeps_its_rights_until_its_last_call():
    """A policy beside its role could be gone before the notification is."""
    template = with_options("reporting", "security.policies=managed")
    assert ("s3:PutBucketNotification", "SourceBucket.Arn") in allowed(template, "S3NotificationRole")
    assert properties(template, "S3NotificationRole")["Policies"]
    assert "ImageProcessorPolicy" in reached(template["Resources"], "S3BucketNotification")


@pytest.mark.line("004-30")
@on_all
def test_role_and_log_group_are_there_before_each_function(template, resources):
    for title, function in of_type(template, "AWS::Lambda::Function").items():
        role, group = (
            said(function["Role"]).removesuffix(".Arn"),
            said(function["LoggingConfig"]["LogGroup"]),
        )
        assert {role, group} <= reached(resources, title)


@pytest.mark.line("004-30")
@on_all
def test_nothing_waits_for_itself(resources):
    assert [title for title in resources if title in reached(resources, title)] == []


@pytest.mark.line("004-29")
@on_all
def test_nothing_waits_for_a_signal(template):
    """D38: everything that has to be waited for is inside of CloudFormation."""
    assert not [r for r in template["Resources"].values() if "WaitCondition" in r["Type"] or "CreationPolicy" in r]


@pytest.mark.line("004-31", "004-33")
@on_all
def test_data_stays_but_for_a_creation_that_fails(template):
    """D39: what a rolled-back creation leaves would keep the names of the next one."""
    for title, resource in template["Resources"].items():
        if resource["Type"] in STATEFUL:
            assert resource["DeletionPolicy"] == "RetainExceptOnCreate", title
            assert resource["UpdateReplacePolicy"] == "Retain", title
        elif resource["Type"] in EMPTIED_BY_TIME:
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Delete", "Delete"), title


@pytest.mark.line("004-31", "004-33")
@pytest.mark.parametrize("preset", PRESETS)
def test_data_can_go_with_its_stack(preset):
    resources = with_options(preset, "deletion_policy=delete")["Resources"].values()
    assert {resource["DeletionPolicy"] for resource in resources if resource["Type"] in STATEFUL} == {"Delete"}


@pytest.mark.line("004-32")
@on_all
def test_versions_and_any_second_of_the_last_weeks_can_be_had_back(template):
    for bucket in of_type(template, "AWS::S3::Bucket").values():
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    restore = properties(template, "ImageMetadataTable")["PointInTimeRecoverySpecification"]
    assert restore == {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 35}


@pytest.mark.line("004-32")
@on_production
def test_table_and_buckets_are_copied_daily_into_a_vault(template):
    (rule,) = properties(template, "BackupPlan")["BackupPlan"]["BackupPlanRule"]
    assert said(rule["TargetBackupVault"]) == "BackupVault"
    assert rule["Lifecycle"] == {"DeleteAfterDays": 35}
    selection = properties(template, "BackupSelection")
    assert said(selection["BackupPlanId"]) == "BackupPlan"
    assert said(selection["BackupSelection"]["IamRoleArn"]) == "BackupRole.Arn"
    (condition,) = selection["BackupSelection"]["Conditions"]["StringEquals"]
    wanted = {"Key": condition["ConditionKey"].removeprefix("aws:ResourceTag/"), "Value": condition["ConditionValue"]}
    assert "EnvironmentSuffix" in set(references(wanted["Value"]))
    copied = {title for title, resource in template["Resources"].items() if wanted in tag_list(resource)}
    assert copied == {"ImageMetadataTable", "SourceBucket", "ThumbnailBucket"}


@pytest.mark.line("004-32")
@on_production
def test_only_table_and_buckets_may_be_copied(template):
    """Whoever else carries the tag is left alone."""
    read = {("dynamodb:StartAwsBackupJob", "ImageMetadataTable.Arn")} | {
        ("s3:GetObjectVersion", f"${{{bucket}.Arn}}/*") for bucket in ("SourceBucket", "ThumbnailBucket")
    }
    assert read == {
        (action, on_what)
        for action, on_what in allowed(template, "BackupRole")
        if action in {"dynamodb:StartAwsBackupJob", "s3:GetObjectVersion"}
    }


@pytest.mark.line("004-39")
@on_production
def test_a_budget_tells_the_operators(template):
    budget = properties(template, "ProjectBudget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": {"Ref": "MonthlyBudgetUsd"}, "Unit": "USD"}
    assert budget["Budget"]["TimeUnit"] == "MONTHLY"
    assert budget["Budget"]["CostFilters"] == {"TagKeyValue": ["user:Project$imgpipe"]}
    assert {
        (entry["Notification"]["NotificationType"], entry["Notification"]["Threshold"], said(subscriber["Address"]))
        for entry in budget["NotificationsWithSubscribers"]
        for subscriber in entry["Subscribers"]
    } == {("FORECASTED", 80, "ProcessingNotificationTopic"), ("ACTUAL", 100, "ProcessingNotificationTopic")}


@pytest.mark.line("004-39")
@pytest.mark.parametrize("preset", PRESETS[:-1])
def test_elsewhere_a_budget_is_an_option(preset):
    assert "ProjectBudget" not in with_options(preset)["Resources"]
    assert "ProjectBudget" in with_options(preset, "budget=true")["Resources"]


@pytest.mark.line("004-44")
@on_production
def test_every_part_is_watched_encrypted_and_paid_for_with_open_eyes(template):
    monitored = {
        said(dimension["Value"])
        for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
        for dimension in alarm["Dimensions"]
    }
    parts = {"ImageProcessorFunction", "ImageRetrievalFunction", "ImageMetadataTable", "ImageApi"}
    assert parts | {"ProcessorDeadLetterQueue.QueueName", "UploadQueue.QueueName"} <= monitored
    assert set(indexes(properties(template, "ImageMetadataTable"))) <= monitored
    assert {"DataKey", "BackupPlan", "ProjectBudget", "MonitoringDashboard"} <= set(template["Resources"])


@pytest.mark.line("004-31")
@on("production")
def test_nothing_forbids_a_failed_creation_to_be_rolled_back(template):
    """A protected table cannot be deleted, and so its creation cannot be rolled back."""
    assert not properties(template, "ImageMetadataTable").get("DeletionProtectionEnabled")


@pytest.mark.line("004-16")
@pytest.mark.parametrize("option", ["retrieval.provisioned_concurrency=2", "retrieval.snap_start=true"])
def test_new_code_is_a_new_version(option):
    """CloudFormation publishes a version when it creates one: something of it must change with the code."""
    (version,) = of_type(with_options("media-library", option), "AWS::Lambda::Version").values()
    assert "ImageRetrievalCodeKey" in set(references(version["Description"]))
