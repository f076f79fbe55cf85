"""Rules about deliveries: policies of queues, topics, functions and keys that do not allow the sender."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imgpipe_templates.checks.facts.allowed_actions import (
    allows_service,
    covers_action,
    covers_resource,
    is_denied,
    may_be_arn,
    missing_actions,
    names_service,
    service_name,
)
from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping
from imgpipe_templates.checks.facts.invocations import can_invoke, integrations
from imgpipe_templates.checks.facts.policy_statements import Statement, resource_statements
from imgpipe_templates.checks.facts.service_deliveries import (
    ALARMS,
    POLICY_OF,
    SENDS_NO_SOURCE,
    SUBSCRIPTION,
    Delivery,
    deliveries,
    target_statements,
)
from imgpipe_templates.checks.facts.template import (
    FUNCTION,
    KEY,
    LOG_GROUP,
    QUEUE,
    ROLE,
    RULE,
    TOPIC,
    Resource,
    Template,
)
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule

# Actions on a customer key that a sender needs (SNS Developer Guide, "Managing Amazon SNS encryption keys and costs";
# SQS Developer Guide, "Amazon SQS key management"; read 2026-11).
_ENCRYPT_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
_SOURCE_KEYS = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid")


@template_rule(
    "E9504",
    "Queue or topic policy does not allow the sender",
    "EventBridge, S3, SNS, Budgets and alarms need the target's policy; without it they lose messages silently.",
    # Amazon EventBridge User Guide, "Using resource-based policies for Amazon EventBridge", read 2026-11
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html",
    absence=True,
)
def target_policy_rejects_sender(template: Template) -> Iterator[Violation]:
    for delivery in _distinct_deliveries(template):
        if delivery.target.type in POLICY_OF and not _is_allowed(template, delivery):
            policy_type, _, action = POLICY_OF[delivery.target.type]
            condition = (
                "without a Condition, which EventBridge does not support in a topic policy"
                if _passes_no_source(delivery)
                else "with a Condition on aws:SourceAccount or aws:SourceArn"
            )
            yield Violation(
                delivery.path,
                f"{delivery.service} cannot send to {delivery.target.id} for {delivery.source.id}; add a statement to "
                f"its {policy_type} that allows {action}, {condition}",
            )


def _passes_no_source(delivery: Delivery) -> bool:
    return (delivery.service, delivery.target.type) == SENDS_NO_SOURCE


def _distinct_deliveries(template: Template) -> Iterator[Delivery]:
    """Yield one delivery of those that a policy cannot distinguish, such as those of several alarms."""
    seen: set[tuple[str, str | None, str]] = set()
    for delivery in deliveries(template):
        key = delivery.service, delivery.source_arn, delivery.target.id
        if key not in seen:
            seen.add(key)
            yield delivery


def _is_allowed(template: Template, delivery: Delivery) -> bool:
    found = target_statements(template, delivery.target)
    if found is None:
        # The default policy of a topic allows its account, for which alarms publish (CloudWatch User Guide, "Using
        # Amazon CloudWatch alarms", read 2026-11). A queue has none.
        return delivery.source.type in ALARMS
    action = POLICY_OF[delivery.target.type][2]
    arn = template.arn_of(delivery.target)
    denials = target_statements(template, delivery.target, effect="Deny") or ()
    applicable = [statement for statement in denials if names_service(statement, delivery.service)]
    return not is_denied(template, applicable, action, arn) and any(
        allows_service(template, statement, delivery.service, action, delivery.source_arn)
        and covers_resource(template, statement, arn)
        and not (_passes_no_source(delivery) and statement.body.get("Condition"))
        for statement in found
    )


@template_rule(
    "E9505",
    "Caller without permission to invoke the function",
    "An API, a rule or a topic needs a Lambda permission; an API can use a role instead.",
    # AWS Lambda Developer Guide, "Viewing resource-based IAM policies in Lambda", read 2026-11
    "https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html",
    absence=True,
)
def caller_without_invoke_permission(template: Template) -> Iterator[Violation]:
    for delivery in deliveries(template):
        # E9503 checks buckets, for which the order of creation matters too.
        if (
            delivery.target.type == FUNCTION
            and delivery.source.type in (RULE, TOPIC)
            and not can_invoke(template, delivery.expression, delivery.service, delivery.source_arn)
        ):
            yield _no_permission(delivery.path, delivery.service, delivery.target, delivery.source)
    for one in integrations(template):
        if one.role is None:
            if not can_invoke(template, one.invoked, "apigateway.amazonaws.com", one.api_arn):
                yield _no_permission(one.uri_path, "apigateway.amazonaws.com", one.function, one.resource)
            continue
        role = template.find(ROLE, one.role)
        if role is not None and missing_actions(
            template, role, ("lambda:InvokeFunction",), template.arn_of(one.function)
        ):
            yield Violation(
                one.role_path,
                f"{role.id} cannot invoke {one.function.id}, so every request fails; allow lambda:InvokeFunction on it",
            )


def _no_permission(path: tuple[str | int, ...], service: str, function: Resource, source: Resource) -> Violation:
    return Violation(
        path,
        f"{service} cannot invoke {function.id} for {source.id}; add an AWS::Lambda::Permission with that "
        "Principal and the caller's ARN as SourceArn",
    )


@template_rule(
    "E9557",
    "Key policy does not allow the service that writes to the target",
    "A service that writes to an encrypted topic, queue or log group needs the key; otherwise messages are lost.",
    # Amazon SNS Developer Guide, "Managing Amazon SNS encryption keys and costs", read 2026-11
    "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
)
def key_policy_rejects_writer(template: Template) -> Iterator[Violation]:
    for delivery in _distinct_deliveries(template):
        if delivery.target.type in (QUEUE, TOPIC):
            yield from _encryption_violations(template, delivery)
    for group in template.of_type(LOG_GROUP):
        key = template.find(KEY, group.properties.get("KmsKeyId"))
        if key is not None and not any(
            _allows_logs(template, statement, group) for statement in _key_statements(template, key)
        ):
            yield Violation(
                group.at("KmsKeyId"),
                f"the policy of {key.id} does not allow regional CloudWatch Logs to encrypt {group.id}, so its "
                "creation fails; add a statement for logs.${AWS::Region}.${AWS::URLSuffix}",
            )


def _encryption_violations(template: Template, delivery: Delivery) -> Iterator[Violation]:
    key_expression = delivery.target.properties.get("KmsMasterKeyId")
    alias = canonical(key_expression)
    if alias.startswith("alias/aws/"):
        yield Violation(
            delivery.target.at("KmsMasterKeyId"),
            f"{alias} does not allow {delivery.service} and its policy cannot change, so messages of "
            f"{delivery.source.id} are lost; use a customer key whose policy allows the service, or encryption "
            "without KMS",
        )
    key = template.find_key(key_expression)
    if key is None:
        return
    allowing = [
        statement
        for statement in _key_statements(template, key)
        if allows_service(template, statement, delivery.service, _ENCRYPT_ACTIONS[0], delivery.source_arn)
        and covers_action(statement, _ENCRYPT_ACTIONS[1])
    ]
    if not allowing:
        yield Violation(
            delivery.target.at("KmsMasterKeyId"),
            f"the policy of {key.id} does not allow {delivery.service} to encrypt, so messages of "
            f"{delivery.source.id} to {delivery.target.id} are lost; add a statement for it that allows "
            f"{' and '.join(_ENCRYPT_ACTIONS)}",
        )
    elif _passes_no_source(delivery) and all(
        any(name in _SOURCE_KEYS for _, name, _ in statement.conditions()) for statement in allowing
    ):
        yield Violation(
            allowing[0].path,
            f"{delivery.service} passes no source to KMS when it sends to a topic, so {allowing[0].name} never allows "
            "it; remove the condition on the source",
        )


def _key_statements(template: Template, key: Resource) -> list[Statement]:
    return [statement for statement in resource_statements(template, KEY) if statement.owner is key]


def _allows_logs(template: Template, statement: Statement, group: Resource) -> bool:
    """True if a statement allows the regional principal of CloudWatch Logs; the one without a Region is invalid.

    Amazon CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS KMS", read 2026-12.
    """
    services = [canonical(value) for kind, _, value in statement.principals() if kind in ("Service", "")]
    regional = [
        text
        for text in services
        if service_name(text) == _LOGS_PRINCIPAL and text not in (_LOGS_PRINCIPAL, f"{_LOGS_PRINCIPAL}.cn")
    ]
    arn = template.resolved({"Fn::GetAtt": [group.id, "Arn"]}).removesuffix(":*")
    contexts = [value for _, key, value in statement.conditions() if key == "kms:encryptioncontext:aws:logs:arn"]
    return (
        bool(regional or "*" in services)
        and all(covers_action(statement, action) for action in _ENCRYPT_ACTIONS)
        and (not contexts or any(may_be_arn(template, value, arn) for value in contexts))
    )


_LOGS_PRINCIPAL = "logs.amazonaws.com"


@template_rule(
    "E9509",
    "Unknown SNS subscription protocol",
    "SNS rejects the subscription, but only when the stack is created.",
    # Amazon SNS API Reference, "Subscribe", read 2026-11
    "https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html",
)
def unknown_subscription_protocol(template: Template) -> Iterator[Violation]:
    for subscription in template.of_type(SUBSCRIPTION):
        yield from _protocol_violation(subscription.properties.get("Protocol"), subscription.at("Protocol"))
    for topic in template.of_type(TOPIC):
        for position, entry in entries(topic.properties.get("Subscription")):
            yield from _protocol_violation(
                mapping(entry).get("Protocol"), topic.at("Subscription", *position, "Protocol")
            )


# SNS API Reference, "Subscribe" (Protocol), read 2026-11.
_PROTOCOLS = ("application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs")


def _protocol_violation(protocol: Any, path: tuple[str | int, ...]) -> Iterator[Violation]:
    if isinstance(protocol, str) and protocol not in _PROTOCOLS:
        yield Violation(path, f"{protocol!r} is no SNS protocol; use one of {', '.join(_PROTOCOLS)}")
