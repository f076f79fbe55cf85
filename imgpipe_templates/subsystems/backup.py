"""Backup: copies of table and buckets once a day, in a vault that outlives them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated

import awacs.backup
import awacs.cloudwatch
import awacs.dynamodb
import awacs.events
import awacs.kms
import awacs.s3
import awacs.sts
from awacs.aws import (
    Action,
    Allow,
    Bool,
    Condition,
    Statement,
    StringEquals,
)
from pydantic import Field
from troposphere import GetAtt, Ref, Sub, backup

from imgpipe_templates.configuration import Range, Section
from imgpipe_templates.core.handles import Bucket, Key, Table
from imgpipe_templates.core.naming import Value, arn_text
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns import accepted
from imgpipe_templates.patterns.retention import DeletionPolicy, backup_tag, keep_data
from imgpipe_templates.patterns.roles import FunctionDefaults, add_role

# A backup that has not started an hour after its time, or not ended a day after that, is given up and reported as
# expired (AWS Backup Developer Guide, "Backup plan options and configuration", read 2026-11: an hour is the least).
START_WINDOW_MINUTES = 60
COMPLETION_WINDOW_MINUTES = 1_440


class BackupConfig(Section):
    """Daily backups of images and metadata."""

    hour_utc: Annotated[int, Range(0, 23, "hours"), Field(description="Hour of the daily backup, in UTC.")] = 3
    keep_days: Annotated[
        int,
        Range(1, 3650, "days"),
        Field(description="Days to keep a backup. The vault lock prevents earlier deletion."),
    ] = 35


def add_backup(
    scope: Scope,
    config: BackupConfig,
    *,
    tables: tuple[Table, ...],
    buckets: tuple[Bucket, ...],
    shared: FunctionDefaults,
    deletion_policy: DeletionPolicy,
) -> None:
    """Add vault, plan and role, and select those of `tables` and `buckets` that carry this environment's backup tag.

    What is selected by a tag alone is copied only in accounts that have opted in for its service, which buckets by
    default are not (AWS Backup Developer Guide, "Assigning resources to a backup plan", read 2026-11). AWS Backup
    switches EventBridge on in every bucket it copies.

    Args:
        scope: Where they go.
        config: When, and for how long.
        tables: Tables that carry the tag.
        buckets: Buckets that carry the tag; they must keep versions.
        shared: Its key encrypts the vault and what is copied into it; None means the keys that AWS manages.
        deletion_policy: What becomes of the vault when the stack is deleted; a vault that holds anything cannot be.
    """
    vault = backup.BackupVault(
        "BackupVault",
        BackupVaultName=scope.names.value("BackupVault"),
        # Governance mode: without ChangeableForDays, principals that may delete the lock can still remove it.
        LockConfiguration=backup.LockConfigurationType(MinRetentionDays=config.keep_days),
    )
    if shared.key:
        vault.EncryptionKeyArn = shared.key.arn
    keep_data(vault, deletion_policy)
    scope.add(vault)
    plan = scope.add(
        backup.BackupPlan(
            "BackupPlan",
            BackupPlan=backup.BackupPlanResourceType(
                BackupPlanName=scope.names.value("BackupPlan"),
                BackupPlanRule=[
                    backup.BackupRuleResourceType(
                        RuleName="Daily",
                        CompletionWindowMinutes=COMPLETION_WINDOW_MINUTES,
                        Lifecycle=backup.LifecycleResourceType(DeleteAfterDays=config.keep_days),
                        ScheduleExpression=f"cron(0 {config.hour_utc} ? * * *)",
                        StartWindowMinutes=START_WINDOW_MINUTES,
                        TargetBackupVault=Ref(vault),
                    )
                ],
            ),
        )
    )
    statements = [*_copy_tables(tables), *_copy_buckets(buckets), _tag_copies(), *_use_key(shared.key)]
    # A separate policy even if others are inline: AWS's managed policy covers every service and resource. No
    # condition on the source in the trust: AWS does not document whether AWS Backup sends one when it assumes a role.
    role = add_role(
        scope,
        "Backup",
        "backup.amazonaws.com",
        "Copies tables and buckets into the backup vault",
        statements,
        dataclasses.replace(shared, policies="managed"),
        accepted=accepted.of_backup_policy(statements) if shared.key else [],
    )
    scope.add(
        backup.BackupSelection(
            "BackupSelection",
            BackupPlanId=Ref(plan),
            BackupSelection=backup.BackupSelectionResourceType(
                IamRoleArn=GetAtt(role, "Arn"),
                Resources=[*(table.arn for table in tables), *(bucket.arn for bucket in buckets)],
                Conditions=backup.Conditions(
                    StringEquals=[
                        backup.ConditionParameter(ConditionKey=f"aws:ResourceTag/{tag}", ConditionValue=value)
                        for tag, value in backup_tag().items()
                    ]
                ),
                SelectionName="TaggedForBackup",
            ),
        )
    )
    scope.output("BackupVaultArn", GetAtt(vault, "BackupVaultArn"), "Vault that holds the daily backups")


def _copy_tables(tables: tuple[Table, ...]) -> list[Statement]:
    """Copy tables, in accounts with AWS Backup's advanced features for DynamoDB (StartAwsBackupJob) and in others."""
    if not tables:
        return []
    read = [
        awacs.dynamodb.CreateBackup,
        awacs.dynamodb.DescribeTable,
        awacs.dynamodb.ListTagsOfResource,
        awacs.dynamodb.StartAwsBackupJob,
    ]
    backups = [_backups_of(table) for table in tables]
    return [
        _allow("CopyTables", read, [table.arn for table in tables]),
        _allow("KeepTableBackups", [awacs.dynamodb.DeleteBackup, awacs.dynamodb.DescribeBackup], backups),
    ]


def _backups_of(table: Table) -> Value:
    """The ARN pattern of the backups of a table."""
    return table.below("/backup/*")


def _copy_buckets(buckets: tuple[Bucket, ...]) -> list[Statement]:
    """Copy buckets: by an inventory first, then by the events of what changed."""
    if not buckets:
        return []
    list_objects = [
        awacs.s3.GetBucketAcl,
        awacs.s3.GetBucketLocation,
        awacs.s3.GetBucketNotification,
        awacs.s3.GetBucketTagging,
        awacs.s3.GetBucketVersioning,
        awacs.s3.GetInventoryConfiguration,
        awacs.s3.ListBucket,
        awacs.s3.ListBucketVersions,
        awacs.s3.PutBucketNotification,
        awacs.s3.PutInventoryConfiguration,
    ]
    read_objects = [
        awacs.s3.GetObject,
        awacs.s3.GetObjectAcl,
        awacs.s3.GetObjectTagging,
        awacs.s3.GetObjectVersion,
        awacs.s3.GetObjectVersionAcl,
        awacs.s3.GetObjectVersionTagging,
    ]
    watch = [
        awacs.events.DeleteRule,
        awacs.events.DescribeRule,
        awacs.events.DisableRule,
        awacs.events.EnableRule,
        awacs.events.ListTargetsByRule,
        awacs.events.PutRule,
        awacs.events.PutTargets,
        awacs.events.RemoveTargets,
    ]
    own_rules = Sub(arn_text("events", "rule/AwsBackupManagedRule*"))
    # None of these three can be limited to a resource.
    look_up = [awacs.cloudwatch.GetMetricData, awacs.events.ListRules, awacs.s3.ListAllMyBuckets]
    return [
        _allow("ListBuckets", list_objects, [bucket.arn for bucket in buckets]),
        _allow("CopyObjects", read_objects, [bucket.objects_arn() for bucket in buckets]),
        _allow("WatchBuckets", watch, [own_rules]),
        _allow("LookUpMetricsRulesAndBuckets", look_up, ["*"]),
    ]


def _tag_copies() -> Statement:
    return _allow("TagCopies", [awacs.backup.TagResource], [Sub(arn_text("backup", "recovery-point:*"))])


def _use_key(key: Key | None) -> list[Statement]:
    """Read what the key encrypts and encrypt the copies with it, through the services only."""
    if key is None:
        return []
    services = [Sub(f"{name}.${{AWS::Region}}.${{AWS::URLSuffix}}") for name in ("backup", "dynamodb", "s3")]
    through = Condition(StringEquals("kms:ViaService", services))
    for_resources = Condition(Bool("kms:GrantIsForAWSResource", "true"))
    return [
        _allow("UseKey", [awacs.kms.Decrypt, awacs.kms.GenerateDataKey], [key.arn], through),
        _allow("DescribeKey", [awacs.kms.DescribeKey], [key.arn]),
        _allow("LendKeyToServices", [awacs.kms.CreateGrant], [key.arn], for_resources),
    ]


def _allow(
    sid: str, actions: Sequence[Action], resources: Sequence[Value], condition: Condition | None = None
) -> Statement:
    statement = Statement(Sid=sid, Effect=Allow, Action=list(actions), Resource=list(resources))
    if condition:
        statement.Condition = condition
    return statement
