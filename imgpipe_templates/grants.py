"""IAM statements of the pipeline. Each function returns one permission.

Every grant accepts a typed handle, names its actions with awacs constants, and returns exactly one Statement, so that a
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
from awacs import awslambda as lambda_
from awacs import ec2, kms, ssm, xray
from awacs.aws import Action, Allow, ArnEquals, ArnLike, Bool, Condition, Deny, Principal, Statement, StringEquals
from troposphere import AccountId, Ref, Sub

from imgpipe_templates.arguments import checked
from imgpipe_templates.core.handles import Bucket, Key, Queue, Table, Topic
from imgpipe_templates.core.naming import Value, arn_text
from imgpipe_templates.core.references import as_handle_value


@checked(bucket=Bucket)
def read_objects(bucket: Bucket, prefix: str = "") -> Statement:
    """Read objects, and the very version that an event names."""
    actions = [awacs.s3.GetObject, awacs.s3.GetObjectVersion]
    return _allow(f"Read{bucket.title}Objects", actions, bucket.objects_arn(prefix))


@checked(bucket=Bucket)
def show_objects(bucket: Bucket, prefix: str = "") -> Statement:
    """Allow pre-signed URLs that read objects: a URL has the permissions of its signer."""
    return _allow(f"Show{bucket.title}Objects", [awacs.s3.GetObject], bucket.objects_arn(prefix))


@checked(bucket=Bucket)
def show_versions(bucket: Bucket, prefix: str = "") -> Statement:
    """Sign links that read the very version that an item describes."""
    actions = [awacs.s3.GetObject, awacs.s3.GetObjectVersion]
    return _allow(f"Show{bucket.title}Versions", actions, bucket.objects_arn(prefix))


@checked(bucket=Bucket)
def write_objects(bucket: Bucket, prefix: str = "") -> Statement:
    """Write objects, without setting ACLs: the buckets have none."""
    return _allow(f"Write{bucket.title}Objects", [awacs.s3.PutObject], bucket.objects_arn(prefix))


@checked(table=Table)
def keep_items(table: Table) -> Statement:
    """Look up, create and update items by key."""
    actions = [awacs.dynamodb.GetItem, awacs.dynamodb.PutItem, awacs.dynamodb.UpdateItem]
    return _allow(f"KeepItemsIn{table.title}", actions, table.arn)


@checked(table=Table)
def get_items(table: Table) -> Statement:
    """Look up items by key."""
    return _allow(f"GetItemsOf{table.title}", [awacs.dynamodb.GetItem], table.arn)


@checked(table=Table)
def query_indexes(table: Table, indexes: Sequence[str]) -> Statement:
    """Ask the indexes of a table; asking the table itself is another right."""
    return _allow(f"Query{table.title}", [awacs.dynamodb.Query], *(table.index_arn(index) for index in indexes))


@checked(bucket=Bucket)
def configure_notifications(bucket: Bucket) -> Statement:
    """Read and write the notification configuration of a bucket."""
    actions = [awacs.s3.GetBucketNotification, awacs.s3.PutBucketNotification]
    return _allow(f"Configure{bucket.title}Notifications", actions, bucket.arn)


@checked(bucket=Bucket)
def lock_notifications(bucket: Bucket) -> Statement:
    """Hold the lock on a bucket's notification configuration: a parameter of lambda/bucket_notification/.../lock.py."""
    actions = [ssm.DeleteParameter, ssm.GetParameter, ssm.PutParameter]
    name = bucket.name
    title = name.data["Ref"] if isinstance(name, Ref) else "BucketName"
    arn = arn_text("ssm", f"parameter/imgpipe/bucket-notifications/${{{title}}}")
    on = as_handle_value(Sub(arn)) if isinstance(name, Ref) else Sub(arn, BucketName=name)
    return _allow(f"Lock{bucket.title}Notifications", actions, on)


@checked(topic=Topic)
def publish(topic: Topic) -> Statement:
    """Publish to a topic."""
    return _allow(f"PublishTo{topic.title}", [awacs.sns.Publish], topic.arn)


@checked(queue=Queue)
def receive_messages(queue: Queue) -> Statement:
    """Take messages from a queue, as Lambda does for a function that is fed by it."""
    actions = [awacs.sqs.ReceiveMessage, awacs.sqs.DeleteMessage, awacs.sqs.GetQueueAttributes]
    return _allow(f"ReceiveFrom{queue.title}", actions, queue.arn)


@checked(key=Key)
def use_key(key: Key, services: Sequence[str]) -> Statement:
    """Use a key by way of some services of this Region, never directly.

    Args:
        key: The key.
        services: Names of the services' endpoints, such as `s3` and `dynamodb`.
    """
    via = [Sub(f"{service}.${{AWS::Region}}.${{AWS::URLSuffix}}") for service in services]
    return Statement(
        Sid=f"Use{key.title}",
        Effect=Allow,
        Action=[kms.Decrypt, kms.GenerateDataKey],
        Resource=[key.arn],
        Condition=Condition(StringEquals("kms:ViaService", via)),
    )


def invoke(function_arn: Value) -> Statement:
    """Invoke one function, or one alias of it."""
    return _allow("InvokeFunction", [lambda_.InvokeFunction], function_arn)


def trace() -> Statement:
    """Send traces; X-Ray knows no resource to name."""
    return _allow("SendTraces", [xray.PutTraceSegments, xray.PutTelemetryRecords], "*")


def attach_to_network() -> Statement:
    """Let Lambda put a function's network interfaces into a VPC; no resource can be named before it is made."""
    actions = [
        ec2.AssignPrivateIpAddresses,
        ec2.CreateNetworkInterface,
        ec2.DeleteNetworkInterface,
        ec2.DescribeNetworkInterfaces,
        ec2.DescribeSubnets,
        ec2.UnassignPrivateIpAddresses,
    ]
    return _allow("AttachToNetwork", actions, "*")


@checked(queue=Queue)
def send_messages(queue: Queue) -> Statement:
    """Send messages to a queue."""
    return _allow(f"SendTo{queue.title}", [awacs.sqs.SendMessage], queue.arn)


def write_logs(log_group_arn: Value) -> Statement:
    """Write into one log group that exists; creating groups could restore a group that its stack has deleted."""
    return _allow("WriteOwnLogs", [awacs.logs.CreateLogStream, awacs.logs.PutLogEvents], log_group_arn)


def alarms_may_publish(topic_arn: Value) -> Statement:
    """Let CloudWatch alarms of this account publish to a topic."""
    return _service_may_publish("AlarmsMayPublish", "cloudwatch.amazonaws.com", topic_arn)


def budgets_may_publish(topic_arn: Value) -> Statement:
    """Let budgets of this account publish to a topic."""
    budgets = Sub("arn:${AWS::Partition}:budgets::${AWS::AccountId}:*")
    return _service_may_publish(
        "BudgetsMayPublish", "budgets.amazonaws.com", topic_arn, ArnLike("aws:SourceArn", budgets)
    )


def _service_may_publish(sid: str, service: str, topic_arn: Value, *more: ArnLike) -> Statement:
    return Statement(
        Sid=sid,
        Effect=Allow,
        Principal=Principal("Service", [service]),
        Action=[awacs.sns.Publish],
        Resource=[topic_arn],
        Condition=Condition([StringEquals("aws:SourceAccount", AccountId), *more]),
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


def s3_may_log(objects_arn: Value) -> Statement:
    """Let S3 write the records of requests to this account's buckets."""
    return Statement(
        Sid="S3MayLog",
        Effect=Allow,
        Principal=Principal("Service", ["logging.s3.amazonaws.com"]),
        Action=[awacs.s3.PutObject],
        Resource=[objects_arn],
        Condition=Condition(StringEquals("aws:SourceAccount", AccountId)),
    )


def service_may_send(service: str, queue_arn: Value, source_arn: Value) -> Statement:
    """Let an AWS service send messages to a queue on behalf of one resource of this account."""
    return Statement(
        Sid="SourceMaySend",
        Effect=Allow,
        Principal=Principal("Service", [service]),
        Action=[awacs.sqs.SendMessage],
        Resource=[queue_arn],
        Condition=Condition([StringEquals("aws:SourceAccount", AccountId), ArnEquals("aws:SourceArn", source_arn)]),
    )


def _allow(sid: str, actions: Sequence[Action], *resources: Value) -> Statement:
    return Statement(Sid=sid, Effect=Allow, Action=list(actions), Resource=list(resources))
