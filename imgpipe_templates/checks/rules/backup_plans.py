"""Rules about AWS Backup: vaults, plans and selections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping
from imgpipe_templates.checks.facts.template import BUCKET, TABLE, Resource, Template
from imgpipe_templates.checks.findings import Path, Violation
from imgpipe_templates.checks.rule import template_rule

VAULT = "AWS::Backup::BackupVault"
# AWS Backup Developer Guide, "AWS Backup Vault Lock", and API Reference, "PutBackupVaultLockConfiguration" and
# "Lifecycle", read 2026-12.
MIN_RETENTION_DAYS = 1
MAX_RETENTION_DAYS = 36_500
MIN_GRACE_DAYS = 3
MIN_COLD_STORAGE_DAYS = 90
MIN_START_WINDOW_MINUTES = 60


@template_rule(
    "E9516",
    "Backup vault without a lock",
    "A vault lock keeps backups until their retention ends, even if a principal tries to delete them.",
    # AWS Backup Developer Guide, "AWS Backup Vault Lock", read 2026-11
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html",
)
def vault_without_lock(template: Template) -> Iterator[Violation]:
    for vault in template.of_type(VAULT):
        if "LockConfiguration" not in vault.properties:
            yield Violation(
                vault.path,
                "has no lock, so backups can be deleted before their retention ends; set LockConfiguration with "
                "MinRetentionDays",
            )


@template_rule(
    "E9546",
    "Invalid backup vault or plan",
    "If the lock is longer than the plan's retention, every backup fails; AWS Backup rejects days out of range.",
    # AWS Backup Developer Guide, "AWS Backup Vault Lock", read 2026-12
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html",
)
def invalid_backup_plan(template: Template) -> Iterator[Violation]:
    for vault in template.of_type(VAULT):
        yield from _lock_violations(template, vault)
    for plan in template.of_type("AWS::Backup::BackupPlan"):
        for position, rule in entries(mapping(plan.properties.get("BackupPlan")).get("BackupPlanRule")):
            yield from _plan_rule_violations(
                template, plan.at("BackupPlan", "BackupPlanRule", *position), mapping(rule)
            )


def _lock_violations(template: Template, vault: Resource) -> Iterator[Violation]:
    lock, path = mapping(vault.properties.get("LockConfiguration")), vault.at("LockConfiguration")
    minimum, maximum, grace = (
        template.number(lock.get(key)) for key in ("MinRetentionDays", "MaxRetentionDays", "ChangeableForDays")
    )
    for key, days in (("MinRetentionDays", minimum), ("MaxRetentionDays", maximum)):
        if days is not None and not MIN_RETENTION_DAYS <= days <= MAX_RETENTION_DAYS:
            yield Violation(
                (*path, key),
                f"{days:g} days is out of range; use {MIN_RETENTION_DAYS} to {MAX_RETENTION_DAYS} days",
            )
    if minimum is not None and maximum is not None and maximum < minimum:
        yield Violation(
            (*path, "MaxRetentionDays"), f"{maximum:g} days is below MinRetentionDays of {minimum:g}; swap the values"
        )
    if grace is not None and grace < MIN_GRACE_DAYS:
        yield Violation(
            (*path, "ChangeableForDays"),
            f"{grace:g} days is below the minimum; use {MIN_GRACE_DAYS} days or more before the lock is permanent",
        )


def _plan_rule_violations(template: Template, path: Path, rule: Mapping[str, Any]) -> Iterator[Violation]:
    schedule = canonical(rule.get("ScheduleExpression"))
    if schedule and "${" not in schedule and not _is_cron(schedule):
        yield Violation(
            (*path, "ScheduleExpression"),
            f"{schedule!r} is no cron expression; write cron(minutes hours day month weekday year), with ? as day or "
            "weekday",
        )
    named = rule.get("TargetBackupVault")
    if isinstance(named, str) and named != "Default" and template.of_type(VAULT) and _vault(template, named) is None:
        yield Violation(
            (*path, "TargetBackupVault"), f"this template has no vault with the name {named!r}; use Ref of the vault"
        )
    life = mapping(rule.get("Lifecycle"))
    retention, cold = (template.number(life.get(key)) for key in ("DeleteAfterDays", "MoveToColdStorageAfterDays"))
    if retention is not None and cold is not None and retention < cold + MIN_COLD_STORAGE_DAYS:
        yield Violation(
            (*path, "Lifecycle", "DeleteAfterDays"),
            f"{retention:g} days is too short, as cold storage needs {MIN_COLD_STORAGE_DAYS} days; use "
            f"{cold + MIN_COLD_STORAGE_DAYS:g} days, or remove MoveToColdStorageAfterDays",
        )
    start, end = (template.number(rule.get(key)) for key in ("StartWindowMinutes", "CompletionWindowMinutes"))
    if start is not None and start < MIN_START_WINDOW_MINUTES:
        yield Violation(
            (*path, "StartWindowMinutes"),
            f"{start:g} minutes is below the minimum; use {MIN_START_WINDOW_MINUTES} minutes or more",
        )
    if start is not None and end is not None and end <= start:
        yield Violation(
            (*path, "CompletionWindowMinutes"),
            f"{end:g} minutes ends before the start window of {start:g} minutes; use a longer window",
        )
    vault = _vault(template, rule.get("TargetBackupVault"))
    lock = mapping(vault.properties.get("LockConfiguration")) if vault else {}
    minimum, maximum = (template.number(lock.get(key)) for key in ("MinRetentionDays", "MaxRetentionDays"))
    if vault and retention is not None and minimum is not None and retention < minimum:
        yield Violation(
            (*path, "Lifecycle", "DeleteAfterDays"),
            f"{retention:g} days is shorter than the lock of {vault.id}, so every backup fails; use {minimum:g} days "
            "or more",
        )
    if vault and maximum is not None and (retention is None or retention > maximum):
        yield Violation(
            (*path, "Lifecycle"),
            f"{'no limit' if retention is None else f'{retention:g} days'} is longer than {vault.id} allows, so every "
            f"backup fails; set DeleteAfterDays to {maximum:g} or less",
        )


_CRON = re.compile(r"cron\(\S+ \S+ (\S+) \S+ (\S+) \S+\)")


def _is_cron(text: str) -> bool:
    """True for six fields with a question mark as day of month or day of week.

    Amazon EventBridge User Guide, "Setting a schedule pattern for scheduled rules", to which AWS Backup refers, read
    2026-12.
    """
    found = _CRON.fullmatch(text)
    return found is not None and "?" in found.groups()


def _vault(template: Template, value: Any) -> Resource | None:
    text = template.resolved(value)
    for vault in template.of_type(VAULT):
        names = (
            f"${{{vault.id}}}",
            f"${{{vault.id}.BackupVaultName}}",
            canonical(vault.properties.get("BackupVaultName")),
        )
        if value is not None and text in names:
            return vault
    return None


@template_rule(
    "E9547",
    "Backup plan that copies no resource",
    "With a tag that no resource has, or a bucket without versioning, the plan runs and copies no data.",
    # AWS Backup Developer Guide, "Assigning resources to a backup plan", read 2026-12
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html",
)
def empty_backup_selection(template: Template) -> Iterator[Violation]:
    for selection in template.of_type("AWS::Backup::BackupSelection"):
        chosen = mapping(selection.properties.get("BackupSelection"))
        tags = list(_tags(template, chosen))
        for position, value in entries(chosen.get("Resources")):
            path = selection.at("BackupSelection", "Resources", *position)
            resource = template.find(BUCKET, value) or template.find(TABLE, value)
            if resource is None:
                continue
            status = mapping(resource.properties.get("VersioningConfiguration")).get("Status")
            if resource.type == BUCKET and canonical(status) in ("", "Suspended"):
                yield Violation(
                    path,
                    f"{resource.id} has no versioning, and AWS Backup copies only versioned buckets; set "
                    "VersioningConfiguration to Enabled",
                )
            existing = {
                (canonical(mapping(tag).get("Key")), template.resolved(mapping(tag).get("Value")))
                for _, tag in entries(resource.properties.get("Tags"))
            }
            missing = [f"{key}={value}" for key, value in tags if (key, value) not in existing]
            if missing:
                yield Violation(
                    path, f"{resource.id} lacks {', '.join(missing)}, a condition of the selection; add the tag"
                )
    selected = {
        template.resolved(selection.properties.get("BackupPlanId"))
        for selection in template.of_type("AWS::Backup::BackupSelection")
    }
    for plan in template.of_type("AWS::Backup::BackupPlan"):
        # Another stack can select resources for the plan if an output contains its id.
        is_output = any(
            f"${{{plan.id}" in canonical(mapping(output).get("Value"))
            for output in template.section("Outputs").values()
        )
        if not is_output and not selected & {f"${{{plan.id}}}", f"${{{plan.id}.BackupPlanId}}"}:
            yield Violation(
                plan.path, "no BackupSelection refers to the plan, so it copies nothing; add one, or remove the plan"
            )


def _tags(template: Template, chosen: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield key and value of each required tag; no resource has a key without `aws:ResourceTag/`."""
    for _, entry in entries(mapping(chosen.get("Conditions")).get("StringEquals")):
        key = canonical(mapping(entry).get("ConditionKey"))
        tag = key.removeprefix("aws:ResourceTag/")
        yield (
            (f"{key} (without aws:ResourceTag/)" if tag == key else tag),
            template.resolved(mapping(entry).get("ConditionValue")),
        )
