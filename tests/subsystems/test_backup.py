"""Backup: what is copied, when, for how long, and by a role that can do just that."""

from __future__ import annotations

from datetime import date

import pytest
from troposphere import Sub, dynamodb, kms, s3

from imgpipe_templates import load_preset
from imgpipe_templates.checks import check_templates
from imgpipe_templates.core.handles import Bucket, Key, Table
from imgpipe_templates.core.layouts import ExportedStacks, SingleStack
from imgpipe_templates.core.naming import Names
from imgpipe_templates.core.stack import Scope, Stack
from imgpipe_templates.patterns.environment import declare_environment, standard_tags
from imgpipe_templates.patterns.roles import FunctionDefaults
from imgpipe_templates.render.text import to_json
from imgpipe_templates.subsystems.backup import BackupConfig, add_backup
from tests.templates import rendered, resources, said

NAMES = Names(
    {
        "BackupPlan": "ImagePipeline-${EnvironmentSuffix}",
        "BackupVault": "image-pipeline-${EnvironmentSuffix}",
        "ImageMetadataTable": "ImageMetadata-${EnvironmentSuffix}",
        "SourceBucket": "images-${EnvironmentSuffix}",
        "ThumbnailBucket": "thumbnails-${EnvironmentSuffix}",
    }
)
# What AWS grants for all resources of an account is granted on these.
TABLE = "ImageMetadataTable.Arn"
BUCKETS = ("arn:${AWS::Partition}:s3:::images-${EnvironmentSuffix}", "ThumbnailBucket.Arn")


@pytest.fixture
def upstream():
    scope = scope_of("upstream")
    return {
        "tables": (Table.of(scope, dynamodb.Table("ImageMetadataTable", KeySchema=[])),),
        "buckets": (
            Bucket.by_name(scope, s3.Bucket("SourceBucket")),
            Bucket.of(scope, s3.Bucket("ThumbnailBucket")),
        ),
    }


@pytest.fixture
def key():
    return Key.of(scope_of("encryption"), kms.Key("DataKey", KeyPolicy={}))


@pytest.fixture
def scope():
    return scope_of("backup")


def scope_of(name):
    scope = Scope(
        Stack(name, ExportedStacks("photos", {})),
        name,
        NAMES,
        standard_tags(project="test", purpose="test", extra={}),
    )
    declare_environment(scope, environment="production", suffix="dev", longest_suffix=20)
    return scope


def built(scope, upstream, key=None, **config):
    add_backup(scope, BackupConfig(**config), **upstream, shared=FunctionDefaults(key=key), deletion_policy="retain")
    return resources(scope)


def allowed(built):
    """Every action and resource, by Sid."""
    statements = built["BackupPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    return {
        statement["Sid"]: (set(statement["Action"]), {said(value) for value in statement["Resource"]})
        for statement in statements
    }


def conditions(built):
    statements = built["BackupPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    return {statement["Sid"]: statement["Condition"] for statement in statements if "Condition" in statement}


def test_backups_are_taken_daily_at_the_configured_hour_and_kept_as_long_as_configured(scope, upstream):
    plan = built(scope, upstream, hour_utc=22, keep_days=90)["BackupPlan"]["Properties"]["BackupPlan"]

    (rule,) = plan["BackupPlanRule"]
    assert rule["ScheduleExpression"] == "cron(0 22 ? * * *)"
    assert rule["Lifecycle"] == {"DeleteAfterDays": 90}
    assert rule["TargetBackupVault"] == {"Ref": "BackupVault"}


def test_what_carries_the_tag_of_this_environment_is_selected(scope, upstream):
    selection = built(scope, upstream)["BackupSelection"]["Properties"]["BackupSelection"]

    (condition,) = selection["Conditions"]["StringEquals"]
    assert condition["ConditionKey"] == "aws:ResourceTag/Backup"
    assert said(condition["ConditionValue"]) == "imgpipe-${EnvironmentSuffix}"
    assert said(selection["IamRoleArn"]) == "BackupRole.Arn"


def test_only_the_tables_and_buckets_of_this_pipeline_are_selected_even_if_others_have_the_tag(scope, upstream):
    selection = built(scope, upstream)["BackupSelection"]["Properties"]["BackupSelection"]

    assert TABLE in {said(arn) for arn in selection["Resources"]}
    assert not [arn for arn in selection["Resources"] if "*" in said(arn)]
    assert "ListOfTags" not in selection


def test_table_and_image_buckets_of_production_carry_the_tag_and_nothing_else_does():
    template = rendered(load_preset("production"))["Resources"]

    tagged = {
        title: said(tag["Value"])
        for title, resource in template.items()
        for tag in resource["Properties"].get("Tags", [])
        if isinstance(tag, dict) and tag["Key"] == "Backup"
    }
    assert tagged == dict.fromkeys(
        ("SourceBucket", "ThumbnailBucket", "ImageMetadataTable"), "imgpipe-${EnvironmentSuffix}"
    )


def test_vault_outlives_the_stack_and_keeps_its_backups_for_their_time(scope, upstream):
    vault = built(scope, upstream, keep_days=90)["BackupVault"]

    assert (vault["DeletionPolicy"], vault["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert vault["Properties"]["LockConfiguration"] == {"MinRetentionDays": 90}


def test_vault_goes_where_data_may_go(scope, upstream):
    add_backup(scope, BackupConfig(), **upstream, shared=FunctionDefaults(), deletion_policy="delete")

    assert resources(scope)["BackupVault"]["DeletionPolicy"] == "Delete"


def test_vault_is_encrypted_with_the_customer_key_where_there_is_one(scope, upstream, key):
    assert built(scope, upstream, key)["BackupVault"]["Properties"]["EncryptionKeyArn"] == {
        "Fn::GetAtt": ["DataKey", "Arn"]
    }


def test_vault_and_plan_carry_their_tags_under_the_names_of_their_types(scope, upstream):
    found = built(scope, upstream)

    expected = {"Environment": {"Ref": "Environment"}, "Project": "test", "Purpose": "test", "iac-rlhf-amazon": "true"}
    assert found["BackupVault"]["Properties"]["BackupVaultTags"] == expected
    assert found["BackupPlan"]["Properties"]["BackupPlanTags"] == expected


def test_only_aws_backup_assumes_the_role_and_it_has_no_policy_but_its_own(scope, upstream):
    role = built(scope, upstream)["BackupRole"]["Properties"]

    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Principal"], trust["Action"]) == ({"Service": ["backup.amazonaws.com"]}, ["sts:AssumeRole"])
    assert role["ManagedPolicyArns"] == [{"Ref": "BackupPolicy"}]
    assert "Policies" not in role


def test_role_copies_the_tables_of_this_pipeline(scope, upstream):
    may = allowed(built(scope, upstream))

    actions = ("CreateBackup", "DescribeTable", "ListTagsOfResource", "StartAwsBackupJob")
    assert may["CopyTables"] == ({f"dynamodb:{action}" for action in actions}, {TABLE})
    actions, (backups,) = may["KeepTableBackups"]
    assert actions == {"dynamodb:DeleteBackup", "dynamodb:DescribeBackup"}
    assert "${ImageMetadataTable.Arn}/backup/*" in backups


def test_role_reads_the_buckets_of_this_pipeline_and_writes_no_object(scope, upstream):
    may = allowed(built(scope, upstream))

    assert may["ListBuckets"][1] == set(BUCKETS)
    actions, objects = may["CopyObjects"]
    assert all(action.startswith("s3:GetObject") for action in actions)
    assert objects == {f"{BUCKETS[0]}/*", "${ThumbnailBucket.Arn}/*"}


def test_role_touches_the_rules_of_aws_backup_only(scope, upstream):
    rules = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/AwsBackupManagedRule*"
    assert allowed(built(scope, upstream))["WatchBuckets"][1] == {rules}


def test_only_what_aws_cannot_limit_is_allowed_everywhere(scope, upstream, key):
    everywhere = [actions for actions, where in allowed(built(scope, upstream, key)).values() if "*" in where]
    assert everywhere == [{"cloudwatch:GetMetricData", "events:ListRules", "s3:ListAllMyBuckets"}]


def test_role_uses_the_key_through_the_services_it_copies_from_and_to(scope, upstream, key):
    found = built(scope, upstream, key)

    assert allowed(found)["UseKey"] == ({"kms:Decrypt", "kms:GenerateDataKey"}, {"DataKey.Arn"})
    services = conditions(found)["UseKey"]["StringEquals"]["kms:ViaService"]
    assert [said(service) for service in services] == [
        f"{service}.${{AWS::Region}}.${{AWS::URLSuffix}}" for service in ("backup", "dynamodb", "s3")
    ]
    assert conditions(found)["LendKeyToServices"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_without_a_customer_key_no_right_over_keys_is_given(scope, upstream):
    actions = {action for actions, _ in allowed(built(scope, upstream)).values() for action in actions}
    assert not [action for action in actions if action.startswith("kms:")]


def test_where_no_bucket_is_copied_no_right_over_buckets_is_given(scope, upstream):
    may = allowed(built(scope, {**upstream, "buckets": ()}))
    assert set(may) == {"CopyTables", "KeepTableBackups", "TagCopies"}


def test_the_checks_find_nothing_else(scope):
    """With handles that are no references, since the tables and buckets are not in this stack."""
    elsewhere = Stack("data", SingleStack())
    arn = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/ImageMetadata-${EnvironmentSuffix}"
    table = Table(elsewhere, elsewhere, "ImageMetadataTable", {"Arn": Sub(arn)})
    source = Bucket.by_name(scope_of("data"), s3.Bucket("SourceBucket"))
    add_backup(
        scope, BackupConfig(), tables=(table,), buckets=(source,), shared=FunctionDefaults(), deletion_policy="retain"
    )

    text = to_json(scope.stack.to_dict("backup alone"))
    found = check_templates({"backup": text}, today=date(2026, 11, 20))
    # CloudWatch has no resource to limit this action to.
    assert [finding for finding in found if "cloudwatch:GetMetricData" not in finding.message] == []
