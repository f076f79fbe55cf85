"""Encryption: the one customer key of the pipeline's data, and which services may use it.

Who of this account may use the key is decided by IAM, on the side of the user, so that the key names no role and no
role that names the key can close a cycle. Services that write without a caller have no IAM policy; the key itself
lets them in, one statement each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import awacs.kms
from awacs.aws import (
    Action,
    Allow,
    BoolIfExists,
    Condition,
    Deny,
    Null,
    PolicyDocument,
    Principal,
    Statement,
    StringEquals,
    StringLike,
)
from troposphere import AccountId, Ref, Sub, kms

from imgpipe_templates.core.handles import Key
from imgpipe_templates.core.naming import Value, arn_text
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns.retention import DeletionPolicy, keep_data

# The longest that KMS waits, in days, before it deletes a key and with it the last way to read what it encrypted
# (AWS KMS API Reference, "ScheduleKeyDeletion", PendingWindowInDays, read 2026-11).
LONGEST_DELETION_WINDOW_DAYS = 30

# Service -> start of the Sid, for services that write into something encrypted and call KMS in their own name.
# The two actions are what a producer needs (SNS Developer Guide, "Managing Amazon SNS encryption keys and costs";
# SQS Developer Guide, "Amazon SQS key management"; S3 User Guide, "Granting permissions to publish event notification
# messages to a destination"; all read 2026-11).
# A Budgets notification and an alarm go to the topic; a bucket's notification and a rule's match go to the queue.
# AWS does not say for each of them that it passes aws:SourceAccount on to KMS: if messages stop once a topic or queue
# is encrypted, that condition is the first suspect.
PRODUCERS = {
    "cloudwatch.amazonaws.com": "Alarms",
    "budgets.amazonaws.com": "Budgets",
    "s3.amazonaws.com": "BucketNotifications",
    "events.amazonaws.com": "Rules",
}


_USE = (
    awacs.kms.Decrypt,
    awacs.kms.Encrypt,
    awacs.kms.GenerateDataKey,
    awacs.kms.GenerateDataKeyWithoutPlaintext,
    awacs.kms.ReEncryptFrom,
    awacs.kms.ReEncryptTo,
)
_ADMINISTER = (
    awacs.kms.CancelKeyDeletion,
    awacs.kms.CreateAlias,
    awacs.kms.CreateGrant,
    awacs.kms.DeleteAlias,
    awacs.kms.DescribeKey,
    awacs.kms.DisableKey,
    awacs.kms.DisableKeyRotation,
    awacs.kms.EnableKey,
    awacs.kms.EnableKeyRotation,
    awacs.kms.GetKeyPolicy,
    awacs.kms.GetKeyRotationStatus,
    awacs.kms.ListGrants,
    awacs.kms.ListKeyPolicies,
    awacs.kms.ListKeyRotations,
    awacs.kms.ListResourceTags,
    awacs.kms.PutKeyPolicy,
    awacs.kms.RetireGrant,
    awacs.kms.RevokeGrant,
    awacs.kms.RotateKeyOnDemand,
    awacs.kms.ScheduleKeyDeletion,
    awacs.kms.TagResource,
    awacs.kms.UntagResource,
    awacs.kms.UpdateAlias,
    awacs.kms.UpdateKeyDescription,
)


@dataclass(frozen=True)
class Encryption:
    """What encryption offers: the key of all data."""

    data_key: Key


def add_encryption(scope: Scope, *, deletion_policy: DeletionPolicy, producers: Sequence[str]) -> Encryption:
    """Add the key, which rotates every year, and the alias under which people find it.

    Args:
        scope: Where they go.
        deletion_policy: What becomes of the key when the stack is deleted; a deleted key makes unreadable what it
            encrypted, so it should outlive the data.
        producers: Keys of `PRODUCERS`: the services that write in their own name in this pipeline.
    """
    key = kms.Key(
        "DataKey",
        Description=Sub("Encrypts the images, metadata, messages and logs of the image pipeline ${EnvironmentSuffix}"),
        EnableKeyRotation=True,
        KeyPolicy=PolicyDocument(Version="2012-10-17", Statement=_statements(producers)),
        PendingWindowInDays=LONGEST_DELETION_WINDOW_DAYS,
    )
    keep_data(key, deletion_policy)
    data_key = Key.of(scope, key)
    # A name for the key and no data: it goes with the stack, so that the next one can have it.
    scope.add(kms.Alias("DataKeyAlias", AliasName=scope.names.value("DataKeyAlias"), TargetKeyId=Ref(key)))
    scope.output("DataKeyArn", data_key.arn, "Key that encrypts the data")
    return Encryption(data_key)


def _statements(producers: Sequence[str]) -> list[Statement]:
    return [
        _let_iam_decide(),
        _refuse_use_outside_of_services(),
        _refuse_grants_to_others(),
        *(_let_produce(service, PRODUCERS[service]) for service in producers),
        _let_logs_use(),
    ]


def _let_iam_decide() -> Statement:
    """AWS KMS Developer Guide, "Default key policy", read 2026-11: the account delegates to its IAM policies.

    Unlike the default's `kms:*` it lists what can be done with a symmetric key of one Region whose material is KMS's.
    """
    return _statement("LetIamDecide", [*_ADMINISTER, *_USE], _account())


def _refuse_use_outside_of_services() -> Statement:
    """Deny decryption in direct calls of KMS, which do not read a bucket, table, queue or topic.

    The account as the principal of a Deny means all its users and roles, and no service.
    """
    condition = Condition(Null("kms:ViaService", "true"))
    return _statement("RefuseUseOutsideOfServices", _USE, _account(), condition, effect=Deny)


def _refuse_grants_to_others() -> Statement:
    """Let grants go only to AWS services that act for a resource; the keys are those of Control Tower's CT.KMS.PR.3."""
    condition = Condition(
        BoolIfExists({"aws:PrincipalIsAWSService": "false", "kms:GrantIsForAWSResource": "false"}),
    )
    everybody = Principal("AWS", ["*"])
    return _statement("RefuseGrantsToOthers", [awacs.kms.CreateGrant], everybody, condition, effect=Deny)


def _let_produce(service: str, who: str) -> Statement:
    actions = [awacs.kms.Decrypt, awacs.kms.GenerateDataKey]
    condition = Condition(StringEquals("aws:SourceAccount", AccountId))
    return _statement(f"{who}MayWriteEncrypted", actions, Principal("Service", [service]), condition)


def _let_logs_use() -> Statement:
    """CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS KMS", read 2026-11.

    The condition compares text, not ARNs, because an encryption context is text. DescribeKey is left out: it has no
    encryption context, so that under this condition it is never allowed.
    """
    service = Principal("Service", [Sub("logs.${AWS::Region}.${AWS::URLSuffix}")])
    log_groups = Sub(arn_text("logs", "log-group:*"))
    condition = Condition(StringLike("kms:EncryptionContext:aws:logs:arn", log_groups))
    return _statement("LogsMayUse", _USE, service, condition)


def _account() -> Principal:
    root: Value = Sub(arn_text("iam", "root", region=""))
    return Principal("AWS", [root])


def _statement(
    sid: str, actions: Sequence[Action], who: Principal, condition: Condition | None = None, *, effect: str = Allow
) -> Statement:
    # In a key policy "*" is the key itself.
    statement = Statement(Sid=sid, Effect=effect, Principal=who, Action=list(actions), Resource=["*"])
    if condition:
        statement.Condition = condition
    return statement
