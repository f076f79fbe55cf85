"""IAM statements in this pipeline's words. One function = one thing somebody may do.

Every grant takes a typed handle, names its actions with awacs constants, and returns exactly one Statement, so that a
role reads as a list of sentences.
"""

from __future__ import annotations

from collections.abc import Sequence

import awacs.aws
import awacs.dynamodb
import awacs.logs
import awacs.s3
import awacs.sns
import awacs.sqs
from awacs.aws import Action, Allow, Bool, Condition, Deny, Principal, Statement, StringEquals
from troposphere import AccountId

from imgpipe_templates.core.handles import Bucket, Queue, Table
from imgpipe_templates.core.naming import Value


def read_objects(bucket: Bucket, prefix: str = "") -> Statement:
    """Read objects, and the very version that an event names."""
    actions = [awacs.s3.GetObject, awacs.s3.GetObjectVersion]
    return _allow(f"Read{bucket.title}Objects", actions, bucket.objects_arn(prefix))


def write_objects(bucket: Bucket, prefix: str = "") -> Statement:
    """Write objects, without setting ACLs: the buckets have none."""
    return _allow(f"Write{bucket.title}Objects", [awacs.s3.PutObject], bucket.objects_arn(prefix))


def keep_items(table: Table) -> Statement:
    """Look up, create and update items by key."""
    actions = [awacs.dynamodb.GetItem, awacs.dynamodb.PutItem, awacs.dynamodb.UpdateItem]
    return _allow(f"KeepItemsIn{table.title}", actions, table.arn)


def send_messages(queue: Queue) -> Statement:
    """Send messages to a queue."""
    return _allow(f"SendTo{queue.title}", [awacs.sqs.SendMessage], queue.arn)


def write_logs(log_group_arn: Value) -> Statement:
    """Write into one log group that exists; creating groups would bring one back that its stack has deleted."""
    return _allow("WriteOwnLogs", [awacs.logs.CreateLogStream, awacs.logs.PutLogEvents], log_group_arn)


def alarms_may_publish(topic_arn: Value) -> Statement:
    """Let CloudWatch alarms of this account publish to a topic."""
    return Statement(
        Sid="AlarmsMayPublish",
        Effect=Allow,
        Principal=Principal("Service", ["cloudwatch.amazonaws.com"]),
        Action=[awacs.sns.Publish],
        Resource=[topic_arn],
        Condition=Condition(StringEquals("aws:SourceAccount", AccountId)),
    )


def refuse_plain_http(actions: Sequence[Action], resources: Sequence[Value]) -> Statement:
    """Deny every request that does not come over TLS."""
    return Statement(
        Sid="RefusePlainHttp",
        Effect=Deny,
        Principal=Principal("*"),
        Action=list(actions),
        Resource=list(resources),
        Condition=Condition(Bool("aws:SecureTransport", "false")),
    )


def _allow(sid: str, actions: Sequence[Action], resource: Value) -> Statement:
    return Statement(Sid=sid, Effect=Allow, Action=list(actions), Resource=[resource])
