"""How events come from EventBridge and from queues to a function on the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imgpipe_templates.errors import DeploymentError
from imgpipe_templates.local.deliveries import Delivery
from imgpipe_templates.local.engine import Engine
from tests.engine import client, deploy_pipeline, ended_delivery, pipeline_template, until

# Fails for keys with "bad" in them; of a batch of messages it reports them.
HANDLER = """
def lambda_handler(event, context):
    if "Records" not in event:
        print(event["detail"]["object"])
        if "bad" in event["detail"]["object"]["key"]:
            raise ValueError("a bad key")
        return "done"
    bad = [one["messageId"] for one in event["Records"] if "bad" in one["body"]]
    return {"batchItemFailures": [{"itemIdentifier": one} for one in bad]}
"""
SENDER = {"eventbridge": "events.amazonaws.com", "s3": "s3.amazonaws.com"}


def with_rule(template: dict[str, Any], prefix: str, target: str) -> dict[str, Any]:
    """Send the bucket's events to EventBridge, and from there to a resource of the template."""
    resources = template["Resources"]
    eventbridge = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    resources["Uploads"]["Properties"] |= {
        "NotificationConfiguration": eventbridge,
        "VersioningConfiguration": {"Status": "Enabled"},
    }
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [f"{prefix}-uploads"]}, "object": {"key": [{"suffix": ".jpg"}]}},
    }
    to = {"Id": "target", "Arn": {"Fn::GetAtt": [target, "Arn"]}}
    rule = {"Name": f"{prefix}-rule", "EventPattern": pattern, "State": "ENABLED", "Targets": [to]}
    resources["Rule"] = {"Type": "AWS::Events::Rule", "Properties": rule}
    resources["Permission"]["Properties"] |= {
        "Principal": "events.amazonaws.com",
        "SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]},
    }
    return template


def with_queue(template: dict[str, Any], sender: str | None, *, redrive: bool = True) -> dict[str, Any]:
    """Put a queue before the function, into which a service may send."""
    resources = template["Resources"]
    dead = {"deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}, "maxReceiveCount": 2}
    queue: dict[str, Any] = {"VisibilityTimeout": 360, **({"RedrivePolicy": dead} if redrive else {})}
    arn = {"Fn::GetAtt": ["Queue", "Arn"]}
    resources["Queue"] = {"Type": "AWS::SQS::Queue", "Properties": queue}
    if sender:
        allow = {"Effect": "Allow", "Principal": {"Service": SENDER[sender]}, "Action": "sqs:SendMessage"}
        document = {"Version": "2012-10-17", "Statement": [allow | {"Resource": arn}]}
        policy = {"Queues": [{"Ref": "Queue"}], "PolicyDocument": document}
        resources["QueuePolicy"] = {"Type": "AWS::SQS::QueuePolicy", "Properties": policy}
    receive = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    statements = resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    statements.append({"Effect": "Allow", "Action": receive, "Resource": arn})
    mapping = {
        "EventSourceArn": arn,
        "FunctionName": {"Ref": "Copy"},
        "BatchSize": 5,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    resources["Mapping"] = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping}
    return template


def upload(engine: Engine, prefix: str, *keys: str) -> None:
    for key in keys:
        client(engine, "s3").put_object(Bucket=f"{prefix}-uploads", Key=key, Body=b"12345")


def refusal(engine: Engine, key: str) -> Delivery:
    delivery = ended_delivery(engine, key)
    assert delivery.state == "refused"
    return delivery


def test_a_rule_invokes_asynchronously_and_names_the_objects_version(engine: Engine, tmp_path: Path):
    template = with_rule(pipeline_template("ruled"), "ruled", "Copy")
    deploy_pipeline(engine, template, "ruled", tmp_path, HANDLER)

    upload(engine, "ruled", "a b+ü.jpg", "bad.jpg", "other.gif")

    good, bad = ended_delivery(engine, "a b+ü.jpg"), ended_delivery(engine, "bad.jpg")
    assert (good.state, good.attempts) == ("succeeded", 1)
    assert good.objects[0].version_id
    assert (bad.state, bad.attempts, bad.error) == ("failed", 3, "ValueError: a bad key")
    assert bad.dead_letter.endswith(":ruled-dead")
    assert not any(item.key == "other.gif" for one in engine.deliveries() for item in one.objects)


def test_a_rule_without_permission_does_not_invoke(engine: Engine, tmp_path: Path):
    template = with_rule(pipeline_template("unruled"), "unruled", "Copy")
    template["Resources"]["Permission"]["Properties"]["SourceArn"] = {"Fn::Sub": "arn:aws:events:::rule/another"}
    deploy_pipeline(engine, template, "unruled", tmp_path, HANDLER)

    upload(engine, "unruled", "unruled.jpg")

    assert refusal(engine, "unruled.jpg").error == "no permission lets rule unruled-rule invoke unruled-copy"


def test_a_rule_that_a_queue_does_not_let_sends_nothing(engine: Engine, tmp_path: Path):
    template = with_queue(with_rule(pipeline_template("closed"), "closed", "Queue"), None)
    deploy_pipeline(engine, template, "closed", tmp_path, HANDLER)

    upload(engine, "closed", "closed.jpg")

    assert refusal(engine, "closed.jpg").error.startswith("no policy lets rule closed-rule send to queue ")


def test_messages_that_a_function_reports_come_back_until_they_are_dead(engine: Engine, tmp_path: Path):
    template = with_queue(with_rule(pipeline_template("queued"), "queued", "Queue"), "eventbridge")
    deploy_pipeline(engine, template, "queued", tmp_path, HANDLER)

    upload(engine, "queued", "queued-1.jpg", "queued-bad.jpg", "queued-2.jpg")

    ends = [ended_delivery(engine, f"queued-{name}.jpg") for name in ("1", "2", "bad")]
    assert [(one.state, one.attempts) for one in ends] == [("succeeded", 1), ("succeeded", 1), ("failed", 2)]
    assert ends[2].dead_letter.endswith(":queued-dead")
    assert ends[2].error == "the function reported the message as failed"
    queue = f"{engine.endpoint_url}/123456789012/queued-dead"
    (message,) = until(lambda: client(engine, "sqs").receive_message(QueueUrl=queue).get("Messages"))
    assert json.loads(message["Body"])["detail"]["object"]["key"] == "queued-bad.jpg"


def test_a_message_of_a_queue_without_dead_letters_is_told_before_it_expires(engine: Engine, tmp_path: Path):
    template = with_queue(with_rule(pipeline_template("kept"), "kept", "Queue"), "eventbridge", redrive=False)
    deploy_pipeline(engine, template, "kept", tmp_path, "def lambda_handler(event, context): raise ValueError('no')")

    upload(engine, "kept", "kept.jpg")

    delivery = ended_delivery(engine, "kept.jpg")
    assert (delivery.state, delivery.error) == ("failed", "ValueError: no")
    assert ":kept-Queue-" in delivery.dead_letter
    client(engine, "cloudformation").delete_stack(StackName="kept")


def test_a_queue_that_the_role_may_not_read_is_no_source(engine: Engine, tmp_path: Path):
    template = with_queue(with_rule(pipeline_template("unread"), "unread", "Queue"), "eventbridge")
    template["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].pop()

    with pytest.raises(DeploymentError, match=r"Mapping: CREATE_FAILED: .* permissions to call ReceiveMessage on SQS"):
        deploy_pipeline(engine, template, "unread", tmp_path, HANDLER)
