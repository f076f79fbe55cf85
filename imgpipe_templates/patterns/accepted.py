"""Every finding of a public scanner that is accepted, and why: the one page that a reviewer of them needs.

Only pipelines with a customer managed key are compared with the scanners rule by rule.
`python -m tools.compliance` runs the scanners and reports entries that are no longer used.
"""

from __future__ import annotations

from collections.abc import Sequence

from awacs.aws import Statement
from troposphere import GetAtt, Sub

from imgpipe_templates.core.naming import Value
from imgpipe_templates.patterns.suppressions import Suppression

_REPLICATION = (
    "NIST.800.53.R5-S3BucketReplicationEnabled",
    "HIPAA.Security-S3BucketReplicationEnabled",
    "PCI.DSS.321-S3BucketReplicationEnabled",
)

TLS_ONLY = Suppression(
    ("I1022",),
    ("PolicyDocument",),
    "Control Tower's CT.S3.PR.8 recognises the objects of a bucket in Fn::Join only, and finds plain HTTP refused",
)
IMAGES = (
    Suppression(
        _REPLICATION,
        ("ReplicationConfiguration",),
        "The bucket keeps versions, outlives its stack and is copied into BackupVault every day; a replica in this "
        "Region adds nothing to that, and one in another Region needs a bucket there, which this stack cannot make",
    ),
    Suppression(
        ("CT.S3.PR.9",),
        ("ObjectLockEnabled",),
        "An image can be deleted at once on a request for erasure, and BackupVault's copies of it expire with their "
        "retention; Object Lock would refuse the deletion itself",
    ),
)
ACCESS_LOGS = (
    Suppression(
        (
            "NIST.800.53.R5-S3DefaultEncryptionKMS",
            "HIPAA.Security-S3DefaultEncryptionKMS",
            "PCI.DSS.321-S3DefaultEncryptionKMS",
            "CT.S3.PR.10",
        ),
        ("BucketEncryption",),
        "S3 delivers access logs only to buckets whose default encryption is SSE-S3",
    ),
    Suppression(
        ("CKV_AWS_18", "CT.S3.PR.2"),
        ("LoggingConfiguration",),
        "It stores the access logs of the others; if it logged to itself, each delivery would cause the next",
    ),
    Suppression(
        _REPLICATION,
        ("ReplicationConfiguration",),
        "It holds records of requests until DeleteOldRecords removes them; losing a Region's records loses no image",
    ),
    Suppression(
        ("CT.S3.PR.4",),
        ("NotificationConfiguration",),
        "Only S3's log delivery writes into it, and nothing waits for a log to arrive",
    ),
    Suppression(
        ("CT.S3.PR.9",),
        ("ObjectLockEnabled",),
        "A bucket with Object Lock cannot be the destination of S3's access logs",
    ),
)
DEAD_LETTER_QUEUE = Suppression(
    ("Serverless-SQSRedrivePolicy",),
    ("RedrivePolicy",),
    "It is the dead-letter queue of the others, which its RedriveAllowPolicy says; DeadLetterQueueAlarm watches it",
)
QUEUE_MAPPING = Suppression(
    ("Serverless-LambdaEventSourceMappingDestination",),
    ("DestinationConfig",),
    "Lambda accepts no failure destination for a queue; the RedrivePolicy of UploadQueue moves messages that failed "
    "too often to ProcessorDeadLetterQueue",
)
EMAIL = Suppression(
    ("Serverless-SNSRedrivePolicy",),
    ("RedrivePolicy",),
    "An alarm that no mail reached is still in CloudWatch's history, and a report repeats the function's log; a "
    "queue of undelivered mails would have no reader",
)
# Not a matter of the key: the scanner ranks it critical, and it reads `Fn::Sub` in no pipeline.
PERMISSION_BY_NAME = Suppression(
    ("CT.LAMBDA.PR.2",),
    ("SourceAccount", "SourceArn"),
    "Both exist; the rule reads neither Ref AWS::AccountId nor Fn::Sub, and GetAtt of the bucket would be a cycle",
)

_OUTSIDE_OF_VPC = Suppression(
    (
        "NIST.800.53.R5-LambdaInsideVPC",
        "HIPAA.Security-LambdaInsideVPC",
        "PCI.DSS.321-LambdaInsideVPC",
        "CKV_AWS_117",
        "CT.LAMBDA.PR.3",
    ),
    ("VpcConfig",),
    "It calls AWS's own endpoints only, by TLS and within its role, and opens no port; where a VPC is asked for, "
    "vpc = true puts it into one",
)
_UNRESERVED = Suppression(
    ("NIST.800.53.R5-LambdaConcurrency", "HIPAA.Security-LambdaConcurrency", "CKV_AWS_115"),
    ("ReservedConcurrentExecutions",),
    "Lambda refuses a reservation that leaves an account less than 100 unreserved; reserved_concurrency reserves where "
    "there is room",
)
_WITHOUT_DEAD_LETTERS = Suppression(
    ("NIST.800.53.R5-LambdaDLQ", "HIPAA.Security-LambdaDLQ", "Serverless-LambdaDLQ", "CKV_AWS_116"),
    ("DeadLetterConfig",),
    "Only the API invokes it, and waits for the answer: its caller receives the error, and no event remains",
)


def of_function(runtime: str, *, network: bool, reserved: bool, dead_letters: bool) -> list[Suppression]:
    """What is accepted of a function.

    Args:
        runtime: Its runtime.
        network: True if it runs in a VPC.
        reserved: Whether concurrency is reserved for it.
        dead_letters: True if failed events are kept.
    """
    tested = Suppression(
        ("AwsSolutions-L1", "Serverless-LambdaLatestVersion"),
        ("Runtime",),
        f"{runtime} is the runtime that the function's tests run on, and AWS maintains it; the newest that "
        "aws-cdk-lib knows is run by no test",
    )
    missing = {_OUTSIDE_OF_VPC: not network, _UNRESERVED: not reserved, _WITHOUT_DEAD_LETTERS: not dead_letters}
    return [tested, *(suppression for suppression, is_missing in missing.items() if is_missing)]


def of_function_policy(statements: Sequence[Statement]) -> list[Suppression]:
    """Return the accepted findings of a function's policy: wildcards in object keys, and traces without resource."""
    objects = [on for one in statements if one.Sid.endswith(("Objects", "Versions")) for on in one.Resource]
    traces = [on for one in statements if one.Sid == "SendTraces" for on in one.Resource]
    return [
        *_wildcards(objects, "The keys of objects are made at run time; buckets, prefixes and actions are exact"),
        *_wildcards(traces, "X-Ray has no resource to name: PutTraceSegments and PutTelemetryRecords take * only"),
    ]


_LENT_KEY = Suppression(
    ("PERMISSIONS_MANAGEMENT_ACTIONS", "permissions-management"),
    ("kms:CreateGrant",),
    "AWS Backup encrypts its copies with grants of the key; kms:GrantIsForAWSResource lets only AWS services make them",
)


def of_backup_policy(statements: Sequence[Statement]) -> list[Suppression]:
    """What is accepted of AWS Backup's role: all objects, and what only AWS Backup and DynamoDB can name."""
    reasons = {
        ("CopyObjects",): "A backup copies all objects of the buckets; buckets and actions are exact",
        (
            "KeepTableBackups",
            "WatchBuckets",
            "TagCopies",
        ): "DynamoDB and AWS Backup generate the part that * matches: the id of "
        "a backup or recovery point, the end of a rule's name; actions, account and the rest of each ARN are exact",
        ("LookUpMetricsRulesAndBuckets",): "None of these read-only actions has a resource that could be named",
    }
    resources = {str(one.Sid): one.Resource for one in statements}
    return [
        *(
            suppression
            for sids, reason in reasons.items()
            for suppression in _wildcards([on for sid in sids for on in resources.get(sid, ())], reason)
        ),
        *([_LENT_KEY] if "LendKeyToServices" in resources else []),
    ]


def _wildcards(resources: Sequence[Value], reason: str) -> list[Suppression]:
    findings = tuple(dict.fromkeys(name for name in map(finding, resources) if name))
    return [Suppression(("AwsSolutions-IAM5",), findings, reason)] if findings else []


def finding(resource: Value) -> str:
    """A resource of a policy as cdk-nag names its finding.

    Empty where it is made of what another stack offers: cdk-nag writes that down as JSON, which cannot stand in a
    template, and holds each template by itself anyway.
    """
    match resource:
        case str():
            text = resource
        case GetAtt():
            text = "${{{}.{}}}".format(*resource.data["Fn::GetAtt"])
        case Sub() if isinstance(resource.data["Fn::Sub"], str):
            text = resource.data["Fn::Sub"]
        case _:
            return ""
    return "Resource::" + text.replace("${", "<").replace("}", ">")
