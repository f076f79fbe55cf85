"""Deliveries of AWS services to queues, topics and functions of a template."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.checks.facts.bucket_notifications import notifications
from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping, reference_name
from imgpipe_templates.checks.facts.policy_statements import Statement, resource_statements
from imgpipe_templates.checks.facts.template import BUCKET, FUNCTION, QUEUE, RULE, TOPIC, Resource, Template
from imgpipe_templates.checks.findings import Path

SUBSCRIPTION = "AWS::SNS::Subscription"
QUEUE_POLICY = "AWS::SQS::QueuePolicy"
TOPIC_POLICY = "AWS::SNS::TopicPolicy"
ALARMS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
BUDGET = "AWS::Budgets::Budget"

# Type -> type of its policy, the policy's property with the queues or topics, and the action of a delivery.
POLICY_OF = {
    QUEUE: (QUEUE_POLICY, "Queues", "sqs:SendMessage"),
    TOPIC: (TOPIC_POLICY, "Topics", "sns:Publish"),
}
# Type -> type of a policy for a single queue or topic, and its property with that queue or topic.
_INLINE_POLICY_OF = {
    QUEUE: ("AWS::SQS::QueueInlinePolicy", "Queue"),
    TOPIC: ("AWS::SNS::TopicInlinePolicy", "TopicArn"),
}
# A sender whose permission can have no condition on the source: EventBridge passes no source to a topic, neither to its
# policy (Amazon EventBridge User Guide, "Using resource-based policies for Amazon EventBridge", "Amazon SNS
# permissions": no Condition blocks in topic policies; as cited in public templates, read 2026-12) nor to its key (SNS
# Developer Guide, "Managing Amazon SNS encryption keys and costs", "Enable compatibility between event sources from
# AWS services and encrypted topics", as the Modern Data Architecture Accelerator cites it, read 2026-11). No
# such limit was found for queues.
SENDS_NO_SOURCE = ("events.amazonaws.com", TOPIC)


@dataclass(frozen=True)
class Delivery:
    """One path of messages from a service to a queue, a topic or a function of this template.

    Attributes:
        path: Path of the property with the target.
        service: Principal of the sending service.
        source: The resource that causes the delivery.
        source_arn: ARN of that resource; None if a policy cannot distinguish it from others of its type.
        expression: Expression of the target.
    """

    path: Path
    service: str
    source: Resource
    source_arn: str | None
    target: Resource
    expression: Any


def deliveries(template: Template) -> tuple[Delivery, ...]:
    """Return the deliveries of services by resource policy; deliveries with a role are not included."""
    return template.cached(_deliveries)


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
            for number, subscriber in entries(mapping(entry).get("Subscribers")):
                path = budget.at("NotificationsWithSubscribers", *position, "Subscribers", *number, "Address")
                yield from _to(template, path, "budgets", budget, None, mapping(subscriber).get("Address"))


def parse_json(value: Any) -> Mapping[str, Any]:
    """Return a property that is JSON text or an object as an object; empty if it is neither."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return mapping(value)


def dead_letter_arn(holder: Resource) -> tuple[Path, Any] | None:
    """Return path and expression of the dead-letter queue in the redrive policy of a queue or a subscription."""
    target = parse_json(holder.properties.get("RedrivePolicy")).get("deadLetterTargetArn")
    if target is None:
        return None
    is_object = isinstance(holder.properties.get("RedrivePolicy"), Mapping)
    return holder.at("RedrivePolicy", *(["deadLetterTargetArn"] if is_object else [])), target


def target_statements(template: Template, target: Resource, effect: str = "Allow") -> list[Statement] | None:
    """Return the policy statements of a queue or a topic; None if the template has no policy for it."""
    policy_type, key, _ = POLICY_OF[target.type]
    attached = {policy_type: key, _INLINE_POLICY_OF[target.type][0]: _INLINE_POLICY_OF[target.type][1]}
    policies = {
        policy.id
        for policy in template.of_type(*attached)
        if any(
            _may_refer_to(template, value, target) for _, value in entries(policy.properties.get(attached[policy.type]))
        )
    }
    found = resource_statements(template, *attached, effect=effect)
    return [statement for statement in found if statement.owner.id in policies] if policies else None


def _may_refer_to(template: Template, value: Any, target: Resource) -> bool:
    """True if a queue URL or topic ARN refers to the target, or if only the deployment knows its target."""
    name = reference_name(value).partition(".")[0]
    return name == target.id or name not in template.resources


def _from_buckets(template: Template) -> Iterator[Delivery]:
    for bucket in template.of_type(BUCKET):
        arn = template.resolved({"Fn::GetAtt": [bucket.id, "Arn"]})
        # An entry of the custom resource with several events is one delivery.
        targets = {one.target_path: one.target for one in notifications(template, bucket)}
        for path, target in targets.items():
            yield from _to(template, path, "s3", bucket, arn, target)


def _from_rules(template: Template) -> Iterator[Delivery]:
    for rule in template.of_type(RULE):
        # The ARN of a rule on a custom bus contains the bus; then the ARN of any rule is accepted.
        has_custom_bus = "EventBusName" in rule.properties
        arn = None if has_custom_bus else template.resolved({"Fn::GetAtt": [rule.id, "Arn"]})
        for position, entry in entries(rule.properties.get("Targets")):
            path, target = rule.at("Targets", *position), mapping(entry)
            if "RoleArn" not in target:
                yield from _to(template, (*path, "Arn"), "events", rule, arn, target.get("Arn"))
            dead_letters = mapping(target.get("DeadLetterConfig")).get("Arn")
            yield from _to(template, (*path, "DeadLetterConfig", "Arn"), "events", rule, arn, dead_letters)


def _from_topics(template: Template) -> Iterator[Delivery]:
    for subscription in template.of_type(SUBSCRIPTION):
        topic = template.find(TOPIC, subscription.properties.get("TopicArn"))
        if topic is None:
            continue
        arn = template.resolved({"Ref": topic.id})
        endpoint = subscription.properties.get("Endpoint")
        if canonical(subscription.properties.get("Protocol")) in ("sqs", "lambda"):
            yield from _to(template, subscription.at("Endpoint"), "sns", topic, arn, endpoint)
        if dead_letters := dead_letter_arn(subscription):
            yield from _to(template, dead_letters[0], "sns", topic, arn, dead_letters[1])


def _to(
    template: Template, path: Path, service: str, source: Resource, arn: str | None, value: Any
) -> Iterator[Delivery]:
    for kind in (QUEUE, TOPIC, FUNCTION):
        if value is not None and (target := template.find(kind, value)):
            yield Delivery(path, f"{service}.amazonaws.com", source, arn, target, value)
