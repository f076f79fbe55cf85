"""Who sends to whom: what services of AWS deliver to queues, topics and functions of a template."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.checks.model import Path
from imgpipe_templates.checks.policies import Statement, resource_statements
from imgpipe_templates.checks.template import (
    BUCKET,
    FUNCTION,
    QUEUE,
    RULE,
    TOPIC,
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, entries, mapping

SUBSCRIPTION = "AWS::SNS::Subscription"
QUEUE_POLICY = "AWS::SQS::QueuePolicy"
TOPIC_POLICY = "AWS::SNS::TopicPolicy"
ALARMS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
BUDGET = "AWS::Budgets::Budget"

# Type -> policy type, its property with what it is attached to, and the action that delivers.
POLICY_OF = {
    QUEUE: (QUEUE_POLICY, "Queues", "sqs:SendMessage"),
    TOPIC: (TOPIC_POLICY, "Topics", "sns:Publish"),
}
# Type -> type of a policy for one of them, and its property with what it is on.
_INLINE_POLICY_OF = {
    QUEUE: ("AWS::SQS::QueueInlinePolicy", "Queue"),
    TOPIC: ("AWS::SNS::TopicInlinePolicy", "TopicArn"),
}
# A sender that no condition may narrow: EventBridge passes no source when it sends to a topic, neither to the topic's
# policy (Amazon EventBridge User Guide, "Using resource-based policies for Amazon EventBridge", "Amazon SNS
# permissions": no Condition blocks in topic policies; as cited in public templates, read 2026-12) nor to its key (SNS
# Developer Guide, "Managing Amazon SNS encryption keys and costs", "Enable compatibility between event sources from
# AWS services and encrypted topics", as the Modern Data Architecture Accelerator cites it, read 2026-11). For queues
# nothing of the kind was found.
SENDS_NO_SOURCE = ("events.amazonaws.com", TOPIC)
# Property of NotificationConfiguration -> property of its entries with the target.
NOTIFICATIONS = {"LambdaConfigurations": "Function", "QueueConfigurations": "Queue", "TopicConfigurations": "Topic"}


# The custom resource that writes a bucket's notification, and the same of its properties.
NOTIFIER = "Custom::S3BucketNotification"
WRITTEN = {
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
    "QueueConfigurations": "QueueArn",
    "TopicConfigurations": "TopicArn",
}


@dataclass(frozen=True)
class Delivery:
    """Something that a service sends to a queue, a topic or a function of this template.

    Attributes:
        path: Where the target is named.
        service: Principal of the service that sends.
        source: What it sends for.
        source_arn: ARN of that; None if the service sends for many alike.
        named: How the target is named.
    """

    path: Path
    service: str
    source: Resource
    source_arn: str | None
    target: Resource
    named: Any


def deliveries(template: Template) -> tuple[Delivery, ...]:
    """Everything that services deliver; what a role of the template delivers is not among it."""
    return template.once(_deliveries)


def _deliveries(template: Template) -> Iterator[Delivery]:
    yield from _from_buckets(template)
    yield from _from_rules(template)
    yield from _from_topics(template)
    for alarm in template.of_type(*ALARMS):
        for key in ("AlarmActions", "OKActions", "InsufficientDataActions"):
            for position, value in entries(alarm.properties.get(key)):
                yield from _to(template, alarm.at(key, *position), "cloudwatch", alarm, None, value)
    for budget in template.of_type(BUDGET):
        for position, entry in entries(budget.properties.get("NotificationsWithSubscribers")):
            for place, subscriber in entries(mapping(entry).get("Subscribers")):
                path = budget.at("NotificationsWithSubscribers", *position, "Subscribers", *place, "Address")
                yield from _to(template, path, "budgets", budget, None, mapping(subscriber).get("Address"))


def parsed(value: Any) -> Mapping[str, Any]:
    """A property that is JSON text or an object, as an object; empty when it is neither."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return mapping(value)


def dead_letter_arn(holder: Resource) -> tuple[Path, Any] | None:
    """Where a queue's or a subscription's redrive policy names its dead-letter queue, and the name."""
    target = parsed(holder.properties.get("RedrivePolicy")).get("deadLetterTargetArn")
    written = isinstance(holder.properties.get("RedrivePolicy"), Mapping)
    return (
        None if target is None else (holder.at("RedrivePolicy", *(["deadLetterTargetArn"] if written else [])), target)
    )


def policy_statements(template: Template, target: Resource, effect: str = "Allow") -> list[Statement] | None:
    """The statements of the policies that are attached to a queue or a topic; None when it has no policy here."""
    policy_type, key, _ = POLICY_OF[target.type]
    attached = {policy_type: key, _INLINE_POLICY_OF[target.type][0]: _INLINE_POLICY_OF[target.type][1]}
    policies = {
        policy.id
        for policy in template.of_type(*attached)
        if any(_may_mean(template, value, target) for _, value in entries(policy.properties.get(attached[policy.type])))
    }
    found = resource_statements(template, *attached, effect=effect)
    return [statement for statement in found if statement.owner.id in policies] if policies else None


def _may_mean(template: Template, value: Any, target: Resource) -> bool:
    """True if a queue's URL or a topic's ARN means the target, or if only the deployment knows what it means."""
    name = canonical(value).removeprefix("${").removesuffix("}").partition(".")[0]
    return name == target.id or name not in template.resources


def _from_buckets(template: Template) -> Iterator[Delivery]:
    for bucket in template.of_type(BUCKET):
        configuration = mapping(bucket.properties.get("NotificationConfiguration"))
        arn = template.resolved({"Fn::GetAtt": [bucket.id, "Arn"]})
        for kind, key in NOTIFICATIONS.items():
            for position, entry in entries(configuration.get(kind)):
                path = bucket.at("NotificationConfiguration", kind, *position, key)
                yield from _to(template, path, "s3", bucket, arn, mapping(entry).get(key))
        for writer in template.of_type(NOTIFIER):
            if template.find(BUCKET, writer.properties.get("BucketName")) is bucket:
                for kind, key in WRITTEN.items():
                    for position, entry in entries(writer.properties.get(kind)):
                        path = writer.at(kind, *position, key)
                        yield from _to(template, path, "s3", bucket, arn, mapping(entry).get(key))


def _from_rules(template: Template) -> Iterator[Delivery]:
    for rule in template.of_type(RULE):
        # The name of a rule of another bus is not all of its ARN; then any rule's will do.
        own_bus = "EventBusName" in rule.properties
        arn = None if own_bus else template.resolved({"Fn::GetAtt": [rule.id, "Arn"]})
        for position, entry in entries(rule.properties.get("Targets")):
            path, target = rule.at("Targets", *position), mapping(entry)
            if "RoleArn" not in target:
                yield from _to(template, (*path, "Arn"), "events", rule, arn, target.get("Arn"))
            last = mapping(target.get("DeadLetterConfig")).get("Arn")
            yield from _to(template, (*path, "DeadLetterConfig", "Arn"), "events", rule, arn, last)


def _from_topics(template: Template) -> Iterator[Delivery]:
    for subscription in template.of_type(SUBSCRIPTION):
        topic = template.find(TOPIC, subscription.properties.get("TopicArn"))
        if topic is None:
            continue
        arn = template.resolved({"Ref": topic.id})
        endpoint = subscription.properties.get("Endpoint")
        if canonical(subscription.properties.get("Protocol")) in ("sqs", "lambda"):
            yield from _to(template, subscription.at("Endpoint"), "sns", topic, arn, endpoint)
        if last := dead_letter_arn(subscription):
            yield from _to(template, last[0], "sns", topic, arn, last[1])


def _to(
    template: Template, path: Path, service: str, source: Resource, arn: str | None, value: Any
) -> Iterator[Delivery]:
    for kind in (QUEUE, TOPIC, FUNCTION):
        if value is not None and (target := template.find(kind, value)):
            yield Delivery(path, f"{service}.amazonaws.com", source, arn, target, value)
