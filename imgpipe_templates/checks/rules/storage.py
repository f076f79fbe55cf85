"""Rules about what keeps data: lifecycle days that S3 refuses, and what happens to data when its resource goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from imgpipe_templates.checks.model import Fault, Path, Rule
from imgpipe_templates.checks.policies import covers, lets_in, resource_statements
from imgpipe_templates.checks.template import (
    BUCKET,
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, entries, mapping, places

# Amazon S3 User Guide, "Transitioning objects using Amazon S3 Lifecycle", sections "Minimum days for transition" and
# "Minimum 30-day storage charge", text of 2023 read 2026-11. The API Reference ("Transition") has since come to allow
# any number of days, but not yet in the China partition; 30 days are taken everywhere.
MIN_DAYS_BEFORE_IA = 30
MIN_DAYS_IN_IA = 30
_IA = ("STANDARD_IA", "ONEZONE_IA")

# From warm to cold; a transition only goes down ("Supported lifecycle transitions", same page).
_WATERFALL = ("STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
_UNSUPPORTED = ("ONEZONE_IA", "GLACIER_IR")

# cfn-lint 1.58.0, StatefulResources.json (rule I3011), without AWS::CloudFormation::Stack: a nested stack keeps
# nothing itself, its own resources carry their policies.
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
    """The transitions of one rule for current or for noncurrent versions, and the day they end."""

    what: str
    transitions: list[_Transition]
    expiry: tuple[Path, float] | None


def _lifecycle(template: Template) -> Iterator[Fault]:
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


def _too_early(track: _Track) -> Iterator[Fault]:
    for transition in track.transitions:
        if transition.storage_class in _IA and transition.days < MIN_DAYS_BEFORE_IA:
            yield Fault(
                transition.path,
                f"{track.what} move to {transition.storage_class} after {transition.days:g} days; "
                f"S3 takes {MIN_DAYS_BEFORE_IA} days or more",
            )


def _out_of_order(track: _Track) -> Iterator[Fault]:
    for pair in combinations(track.transitions, 2):
        warm, cold = sorted(pair, key=lambda transition: _WATERFALL.index(transition.storage_class))
        wait = MIN_DAYS_IN_IA if warm.storage_class in _IA else 1
        if (warm.storage_class, cold.storage_class) == _UNSUPPORTED:
            yield Fault(cold.path, "S3 does not move objects from ONEZONE_IA to GLACIER_IR; leave out one of the two")
        elif cold.days < warm.days + wait:
            yield Fault(
                cold.path,
                f"{track.what} move to {cold.storage_class} after {cold.days:g} days and to {warm.storage_class} after "
                f"{warm.days:g}; one rule needs {cold.storage_class} after {warm.days + wait:g} days or more",
            )


def _after_expiry(track: _Track) -> Iterator[Fault]:
    last = max(track.transitions, key=lambda transition: transition.days, default=None)
    if last and track.expiry and track.expiry[1] <= last.days:
        yield Fault(
            track.expiry[0],
            f"{track.what} expire after {track.expiry[1]:g} days, not after they move to {last.storage_class} "
            f"({last.days:g} days); expire them later, or leave the transition out",
        )


def _without_retain(template: Template) -> Iterator[Fault]:
    for resource in template.of_type(*STATEFUL_TYPES):
        missing = [key for key in ("DeletionPolicy", "UpdateReplacePolicy") if key not in resource.body]
        if missing:
            yield Fault(
                resource.path,
                f"{resource.type} keeps data and has no {' and no '.join(missing)}; say what happens to the data: "
                "RetainExceptOnCreate and Retain keep it, Delete gives it up",
            )


def _all_versions(template: Template) -> Iterator[Fault]:
    for bucket in template.of_type(BUCKET):
        if mapping(bucket.properties.get("VersioningConfiguration")).get("Status") != "Enabled":
            continue
        rules = [
            mapping(rule) for _, rule in entries(mapping(bucket.properties.get("LifecycleConfiguration")).get("Rules"))
        ]
        if not any(key in rule for rule in rules for key in _ENDS_VERSIONS):
            yield Fault(
                bucket.path,
                "keeps every version that was ever overwritten or deleted, and bills it; add a lifecycle rule with "
                "NoncurrentVersionExpiration",
            )


def _unlogged(template: Template) -> Iterator[Fault]:
    """Faults of access logs that S3 cannot deliver."""
    for bucket in template.of_type(BUCKET):
        logging = mapping(bucket.properties.get("LoggingConfiguration"))
        path = bucket.at("LoggingConfiguration", "DestinationBucketName")
        if not logging:
            continue
        named = logging.get("DestinationBucketName")
        target = bucket if named is None else template.find(BUCKET, named)
        if target is bucket:
            yield Fault(path, "is the bucket itself, so each delivered log causes another; name another bucket")
        elif target is not None:
            yield from _undelivered(template, path, target)


def _undelivered(template: Template, path: Path, target: Resource) -> Iterator[Fault]:
    place = "BucketEncryption.ServerSideEncryptionConfiguration.*.ServerSideEncryptionByDefault.SSEAlgorithm"
    for _, algorithm in places(target.at(), target.properties, place.split(".")):
        if canonical(algorithm).startswith("aws:kms"):
            yield Fault(
                path, f"{target.id} encrypts with KMS by default, and S3 delivers no access logs there; use AES256"
            )
    if "ObjectLockConfiguration" in target.properties:
        yield Fault(path, f"{target.id} locks its objects by default, and S3 delivers no logs there; name another")
    rules = mapping(target.properties.get("OwnershipControls")).get("Rules")
    without_acls = any(mapping(rule).get("ObjectOwnership") == "BucketOwnerEnforced" for _, rule in entries(rules))
    let_in = any(
        template.find(BUCKET, statement.owner.properties.get("Bucket")) is target
        and lets_in(template, statement, "logging.s3.amazonaws.com", "s3:PutObject", None)
        and covers(template, statement, f"{template.arn_of(target)}/key")
        for statement in resource_statements(template, "AWS::S3::BucketPolicy")
    )
    if without_acls and not let_in and not template.may_grow:
        yield Fault(
            path,
            f"no statement allows logging.s3.amazonaws.com to write to {target.id}, which has no ACLs; allow "
            "s3:PutObject in its AWS::S3::BucketPolicy",
        )


_ENDS_VERSIONS = ("NoncurrentVersionExpiration", "NoncurrentVersionExpirationInDays")

RULES = (
    Rule(
        "E9511",
        "Lifecycle days that S3 refuses",
        "Infrequent-access classes need 30 days before and after; a colder class comes later, and expiry last.",
        # Amazon S3 User Guide, "Transitioning objects using Amazon S3 Lifecycle", read 2026-11
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html",
        _lifecycle,
    ),
    Rule(
        "E9512",
        "Stateful resource without DeletionPolicy or UpdateReplacePolicy",
        "Without them CloudFormation deletes the data with the resource, also when an update replaces it.",
        # AWS CloudFormation User Guide, "DeletionPolicy attribute", read 2026-11
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html",
        _without_retain,
        convention=True,
    ),
    Rule(
        "E9548",
        "Access logs that S3 cannot deliver",
        "S3 silently drops logs for a bucket with KMS or Object Lock, or without a policy that allows their delivery.",
        # Amazon S3 User Guide, "Enabling Amazon S3 server access logging", read 2026-12
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html",
        _unlogged,
    ),
    Rule(
        "W9517",
        "Versioned bucket that keeps every old version",
        "Versioning never deletes by itself: without a rule a bucket grows by every overwrite.",
        # Amazon S3 User Guide, "Retaining multiple versions of objects with S3 Versioning", read 2026-11
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html",
        _all_versions,
    ),
)
