"""Rules about backups: a vault, a plan and a selection that together make copies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates.checks.model import Fault, Path, Rule
from imgpipe_templates.checks.template import (
    BUCKET,
    TABLE,
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, entries, mapping

VAULT = "AWS::Backup::BackupVault"
# AWS Backup Developer Guide, "AWS Backup Vault Lock", and API Reference, "PutBackupVaultLockConfiguration" and
# "Lifecycle", read 2026-12.
LEAST_RETENTION_DAYS = 1
MOST_RETENTION_DAYS = 36_500
LEAST_GRACE_DAYS = 3
LEAST_COLD_DAYS = 90
LEAST_START_MINUTES = 60


def _unlocked(template: Template) -> Iterator[Fault]:
    for vault in template.of_type(VAULT):
        if "LockConfiguration" not in vault.properties:
            yield Fault(
                vault.path,
                "lets whoever may use it delete backups before their time; set LockConfiguration with MinRetentionDays",
            )


def _impossible(template: Template) -> Iterator[Fault]:
    for vault in template.of_type(VAULT):
        yield from _lock(template, vault)
    for plan in template.of_type("AWS::Backup::BackupPlan"):
        for position, rule in entries(mapping(plan.properties.get("BackupPlan")).get("BackupPlanRule")):
            yield from _rule(template, plan.at("BackupPlan", "BackupPlanRule", *position), mapping(rule))


def _lock(template: Template, vault: Resource) -> Iterator[Fault]:
    lock, path = mapping(vault.properties.get("LockConfiguration")), vault.at("LockConfiguration")
    least, most, grace = (
        template.number(lock.get(key)) for key in ("MinRetentionDays", "MaxRetentionDays", "ChangeableForDays")
    )
    for key, days in (("MinRetentionDays", least), ("MaxRetentionDays", most)):
        if days is not None and not LEAST_RETENTION_DAYS <= days <= MOST_RETENTION_DAYS:
            yield Fault(
                (*path, key),
                f"{days:g} days; AWS Backup takes {LEAST_RETENTION_DAYS} to {MOST_RETENTION_DAYS} days",
            )
    if least is not None and most is not None and most < least:
        yield Fault((*path, "MaxRetentionDays"), f"{most:g} days are under the minimum of {least:g}; swap them")
    if grace is not None and grace < LEAST_GRACE_DAYS:
        yield Fault(
            (*path, "ChangeableForDays"),
            f"{grace:g} days; AWS Backup takes {LEAST_GRACE_DAYS} days or more, before the lock is for ever",
        )


def _rule(template: Template, path: Path, rule: Mapping[str, Any]) -> Iterator[Fault]:
    schedule = canonical(rule.get("ScheduleExpression"))
    if schedule and "${" not in schedule and not _is_cron(schedule):
        yield Fault(
            (*path, "ScheduleExpression"),
            f"{schedule!r} is no schedule; write cron(minutes hours day month weekday year), one of both days as ?",
        )
    named = rule.get("TargetBackupVault")
    if isinstance(named, str) and named != "Default" and template.of_type(VAULT) and _vault(template, named) is None:
        yield Fault((*path, "TargetBackupVault"), f"no vault of this template is named {named!r}; use Ref of the vault")
    life = mapping(rule.get("Lifecycle"))
    kept, cold = (template.number(life.get(key)) for key in ("DeleteAfterDays", "MoveToColdStorageAfterDays"))
    if kept is not None and cold is not None and kept < cold + LEAST_COLD_DAYS:
        yield Fault(
            (*path, "Lifecycle", "DeleteAfterDays"),
            f"{kept:g} days; a backup stays cold for {LEAST_COLD_DAYS} days or more, so use {cold + LEAST_COLD_DAYS:g} "
            "days, or leave cold storage out",
        )
    start, end = (template.number(rule.get(key)) for key in ("StartWindowMinutes", "CompletionWindowMinutes"))
    if start is not None and start < LEAST_START_MINUTES:
        yield Fault((*path, "StartWindowMinutes"), f"{start:g} minutes; AWS Backup takes {LEAST_START_MINUTES} or more")
    if start is not None and end is not None and end <= start:
        yield Fault(
            (*path, "CompletionWindowMinutes"),
            f"{end:g} minutes end before the window of {start:g} minutes to start in; make it longer",
        )
    vault = _vault(template, rule.get("TargetBackupVault"))
    lock = mapping(vault.properties.get("LockConfiguration")) if vault else {}
    least, most = (template.number(lock.get(key)) for key in ("MinRetentionDays", "MaxRetentionDays"))
    if vault and kept is not None and least is not None and kept < least:
        yield Fault(
            (*path, "Lifecycle", "DeleteAfterDays"),
            f"{kept:g} days; {vault.id} is locked for {least:g} days or more, so that each of these backups fails; keep"
            f" them for {least:g} days",
        )
    if vault and most is not None and (kept is None or kept > most):
        yield Fault(
            (*path, "Lifecycle"),
            f"{'for ever' if kept is None else f'{kept:g} days'}; {vault.id} takes at most {most:g} days, so that each "
            "of these backups fails; set DeleteAfterDays to that",
        )


_CRON = re.compile(r"cron\(\S+ \S+ (\S+) \S+ (\S+) \S+\)")


def _is_cron(text: str) -> bool:
    """True for six fields, of which one of the two for days is a question mark.

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


def _never_run(template: Template) -> Iterator[Fault]:
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
                yield Fault(
                    path,
                    f"{resource.id} keeps no versions, and AWS Backup copies only buckets that do; set "
                    "VersioningConfiguration to Enabled",
                )
            carried = {
                (canonical(mapping(tag).get("Key")), template.resolved(mapping(tag).get("Value")))
                for _, tag in entries(resource.properties.get("Tags"))
            }
            missing = [f"{key}={wanted}" for key, wanted in tags if (key, wanted) not in carried]
            if missing:
                yield Fault(
                    path, f"{resource.id} does not carry {', '.join(missing)}, by which it is selected; tag it so"
                )
    selected = {
        template.resolved(selection.properties.get("BackupPlanId"))
        for selection in template.of_type("AWS::Backup::BackupSelection")
    }
    for plan in template.of_type("AWS::Backup::BackupPlan"):
        # Another stack can select by the plan's id, if the plan is told.
        told = any(f"${{{plan.id}" in canonical(mapping(output).get("Value")) for output in _outputs(template))
        if not told and not selected & {f"${{{plan.id}}}", f"${{{plan.id}.BackupPlanId}}"}:
            yield Fault(plan.path, "copies nothing, as no BackupSelection names it; add one, or leave the plan out")


def _outputs(template: Template) -> list[Any]:
    return list(template.section("Outputs").values())


def _tags(template: Template, chosen: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Key and value of each tag that what is selected must have; a key without `aws:ResourceTag/` is none's."""
    for _, entry in entries(mapping(chosen.get("Conditions")).get("StringEquals")):
        key = canonical(mapping(entry).get("ConditionKey"))
        tag = key.removeprefix("aws:ResourceTag/")
        yield (
            (f"{key} (without aws:ResourceTag/)" if tag == key else tag),
            template.resolved(mapping(entry).get("ConditionValue")),
        )


RULES = (
    Rule(
        "E9516",
        "Backup vault without a lock",
        "Backups are for the day on which somebody deletes what he should not: a lock keeps them until their end.",
        # AWS Backup Developer Guide, "AWS Backup Vault Lock", read 2026-11
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html",
        _unlocked,
    ),
    Rule(
        "E9546",
        "Vault or plan that AWS Backup refuses, or whose backups fail",
        "A lock longer than the plan keeps its backups fails every one of them; so do windows and days out of bounds.",
        # AWS Backup Developer Guide, "AWS Backup Vault Lock", read 2026-12
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html",
        _impossible,
    ),
    Rule(
        "E9547",
        "Backup that selects nothing",
        "A tag that nothing carries, or a bucket without versions: the plan runs, and no copy is made.",
        # AWS Backup Developer Guide, "Assigning resources to a backup plan", read 2026-12
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html",
        _never_run,
    ),
)
