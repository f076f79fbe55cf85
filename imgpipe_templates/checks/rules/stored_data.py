"""Rules about stored data: lifecycle days, deletion policies, old versions and access logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from imgpipe_templates.checks.facts.allowed_actions import allows_service, covers_resource
from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping, values_at
from imgpipe_templates.checks.facts.policy_statements import BUCKET_POLICY, resource_statements
from imgpipe_templates.checks.facts.template import BUCKET, Resource, Template
from imgpipe_templates.checks.findings import Path, Violation
from imgpipe_templates.checks.rule import template_rule

# Amazon S3 User Guide, "Transitioning objects using Amazon S3 Lifecycle", sections "Minimum days for transition" and
# "Minimum 30-day storage charge", text of 2023 read 2026-11. The API Reference ("Transition") now allows
# any number of days, except in the China partition; this rule requires 30 days everywhere.
MIN_DAYS_BEFORE_IA = 30
MIN_DAYS_IN_IA = 30
_IA = ("STANDARD_IA", "ONEZONE_IA")

# From warm to cold; transitions go in this direction only ("Supported lifecycle transitions", same page).
_WATERFALL = ("STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
_UNSUPPORTED = ("ONEZONE_IA", "GLACIER_IR")

# cfn-lint 1.58.0, StatefulResources.json (rule I3011), without AWS::CloudFormation::Stack: a nested stack stores
# no data itself; its resources have the policies.
STATEFUL_TYPES = frozenset(
    {
        "AWS::Backup::BackupVault",
        "AWS::Cognito::UserPool",
        "AWS::DocDB::DBCluster",
        "AWS::DocDB::DBInstance",
        "AWS::DynamoDB::GlobalTable",
        "AWS::DynamoDB::Table",
        "AWS::EC2::Volume",
        "AWS::EFS::FileSystem",
        "AWS::EMR::Cluster",
        "AWS::ElastiCache::CacheCluster",
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::Elasticsearch::Domain",
        "AWS::FSx::FileSystem",
        "AWS::KMS::Key",
        "AWS::Kinesis::Stream",
        "AWS::Logs::LogGroup",
        "AWS::Neptune::DBCluster",
        "AWS::Neptune::DBInstance",
        "AWS::OpenSearchService::Domain",
        "AWS::Organizations::Account",
        "AWS::QLDB::Ledger",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::Redshift::Cluster",
        "AWS::S3::Bucket",
        "AWS::SDB::Domain",
        "AWS::SQS::Queue",
        "AWS::SecretsManager::Secret",
    }
)


@dataclass(frozen=True)
class _Transition:
    path: Path
    storage_class: str
    days: float


@dataclass(frozen=True)
class _Track:
    """The transitions of one rule for current or for noncurrent versions, and the day of their expiration."""

    objects: str
    transitions: list[_Transition]
    expiry: tuple[Path, float] | None


@template_rule(
    "E9511",
    "Invalid lifecycle days",
    "Infrequent-access classes need 30 days before and after; a colder class comes later, and expiration last.",
    # Amazon S3 User Guide, "Transitioning objects using Amazon S3 Lifecycle", read 2026-11
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html",
)
def invalid_lifecycle_days(template: Template) -> Iterator[Violation]:
    for bucket in template.of_type(BUCKET):
        for position, rule in entries(mapping(bucket.properties.get("LifecycleConfiguration")).get("Rules")):
            if isinstance(rule, Mapping):
                path = bucket.at("LifecycleConfiguration", "Rules", *position)
                for track in _tracks(template, path, rule):
                    yield from _too_early(track)
                    yield from _out_of_order(track)
                    yield from _after_expiry(track)


def _tracks(template: Template, path: Path, rule: Mapping[str, Any]) -> Iterator[_Track]:
    current = list(_transitions(template, path, rule, ("Transitions", "Transition")))
    yield _Track("objects", current, _days(template, path, rule, ("ExpirationInDays",)))
    old = list(_transitions(template, path, rule, ("NoncurrentVersionTransitions", "NoncurrentVersionTransition")))
    ends = ("NoncurrentVersionExpiration", "NoncurrentDays"), ("NoncurrentVersionExpirationInDays",)
    expiry = next((found for keys in ends if (found := _days(template, path, rule, keys))), None)
    yield _Track("noncurrent versions", old, expiry)


def _transitions(
    template: Template, path: Path, rule: Mapping[str, Any], keys: tuple[str, str]
) -> Iterator[_Transition]:
    for key in keys:
        for position, entry in entries(rule.get(key)):
            name = str(mapping(entry).get("StorageClass", "")).upper()
            days = template.number(mapping(entry).get("TransitionInDays"))
            if name in _WATERFALL and days is not None:
                yield _Transition((*path, key, *position), name, days)


def _days(template: Template, path: Path, rule: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[Path, float] | None:
    value: Any = rule
    for key in keys:
        value = mapping(value).get(key)
    number = template.number(value)
    return None if number is None else ((*path, *keys), number)


def _too_early(track: _Track) -> Iterator[Violation]:
    for transition in track.transitions:
        if transition.storage_class in _IA and transition.days < MIN_DAYS_BEFORE_IA:
            yield Violation(
                transition.path,
                f"{track.objects} move to {transition.storage_class} after {transition.days:g} days; "
                f"use {MIN_DAYS_BEFORE_IA} days or more",
            )


def _out_of_order(track: _Track) -> Iterator[Violation]:
    for pair in combinations(track.transitions, 2):
        warm, cold = sorted(pair, key=lambda transition: _WATERFALL.index(transition.storage_class))
        wait = MIN_DAYS_IN_IA if warm.storage_class in _IA else 1
        if (warm.storage_class, cold.storage_class) == _UNSUPPORTED:
            yield Violation(cold.path, "S3 does not move objects from ONEZONE_IA to GLACIER_IR; remove one of the two")
        elif cold.days < warm.days + wait:
            yield Violation(
                cold.path,
                f"{track.objects} move to {cold.storage_class} after {cold.days:g} days and to {warm.storage_class} "
                f"after {warm.days:g}; use {warm.days + wait:g} days or more for {cold.storage_class}",
            )


def _after_expiry(track: _Track) -> Iterator[Violation]:
    last = max(track.transitions, key=lambda transition: transition.days, default=None)
    if last and track.expiry and track.expiry[1] <= last.days:
        yield Violation(
            track.expiry[0],
            f"{track.objects} expire after {track.expiry[1]:g} days, not after their move to {last.storage_class} "
            f"({last.days:g} days); use a later expiration, or remove the transition",
        )


@template_rule(
    "E9512",
    "Stateful resource without DeletionPolicy or UpdateReplacePolicy",
    "Without them CloudFormation deletes the data with the resource, also if an update replaces it.",
    # AWS CloudFormation User Guide, "DeletionPolicy attribute", read 2026-11
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html",
    convention=True,
)
def stateful_resource_without_policies(template: Template) -> Iterator[Violation]:
    for resource in template.of_type(*STATEFUL_TYPES):
        missing = [key for key in ("DeletionPolicy", "UpdateReplacePolicy") if key not in resource.body]
        if missing:
            yield Violation(
                resource.path,
                f"{resource.type} stores data and has no {' and no '.join(missing)}; set RetainExceptOnCreate and "
                "Retain to keep the data, or Delete to delete it",
            )


@template_rule(
    "W9517",
    "Versioned bucket without expiration of noncurrent versions",
    "Versioning never deletes old versions; without a lifecycle rule the bucket grows with every overwrite.",
    # Amazon S3 User Guide, "Retaining multiple versions of objects with S3 Versioning", read 2026-11
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html",
)
def versions_without_expiration(template: Template) -> Iterator[Violation]:
    for bucket in template.of_type(BUCKET):
        if mapping(bucket.properties.get("VersioningConfiguration")).get("Status") != "Enabled":
            continue
        rules = [
            mapping(rule) for _, rule in entries(mapping(bucket.properties.get("LifecycleConfiguration")).get("Rules"))
        ]
        if not any(key in rule for rule in rules for key in _VERSION_EXPIRATION):
            yield Violation(
                bucket.path,
                "noncurrent versions never expire, and S3 bills them; add a lifecycle rule with "
                "NoncurrentVersionExpiration",
            )


@template_rule(
    "E9548",
    "Undeliverable S3 access logs",
    "S3 silently drops logs for a bucket with KMS or Object Lock, or without a policy that allows their delivery.",
    # Amazon S3 User Guide, "Enabling Amazon S3 server access logging", read 2026-12
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html",
)
def undeliverable_access_logs(template: Template) -> Iterator[Violation]:
    for bucket in template.of_type(BUCKET):
        logging = mapping(bucket.properties.get("LoggingConfiguration"))
        path = bucket.at("LoggingConfiguration", "DestinationBucketName")
        if not logging:
            continue
        destination = logging.get("DestinationBucketName")
        target = bucket if destination is None else template.find(BUCKET, destination)
        if target is bucket:
            yield Violation(path, "is the bucket itself, so each delivered log causes another; use another bucket")
        elif target is not None:
            yield from _undeliverable(template, path, target)


def _undeliverable(template: Template, path: Path, target: Resource) -> Iterator[Violation]:
    key = "BucketEncryption.ServerSideEncryptionConfiguration.*.ServerSideEncryptionByDefault.SSEAlgorithm"
    for _, algorithm in values_at(target.at(), target.properties, key.split(".")):
        if canonical(algorithm).startswith("aws:kms"):
            yield Violation(
                path, f"{target.id} has KMS default encryption, to which S3 delivers no access logs; use AES256"
            )
    if "ObjectLockConfiguration" in target.properties:
        yield Violation(path, f"{target.id} has Object Lock, to which S3 delivers no access logs; use another bucket")
    rules = mapping(target.properties.get("OwnershipControls")).get("Rules")
    without_acls = any(mapping(rule).get("ObjectOwnership") == "BucketOwnerEnforced" for _, rule in entries(rules))
    is_allowed = any(
        template.find(BUCKET, statement.owner.properties.get("Bucket")) is target
        and allows_service(template, statement, "logging.s3.amazonaws.com", "s3:PutObject", None)
        and covers_resource(template, statement, f"{template.arn_of(target)}/key")
        for statement in resource_statements(template, BUCKET_POLICY)
    )
    if without_acls and not is_allowed and not template.has_macro:
        yield Violation(
            path,
            f"no statement allows logging.s3.amazonaws.com to write to {target.id}, which has no ACLs; allow "
            "s3:PutObject in its AWS::S3::BucketPolicy",
        )


_VERSION_EXPIRATION = ("NoncurrentVersionExpiration", "NoncurrentVersionExpirationInDays")
