"""Rules about deliveries: the target's policy lets the sender in, its key lets the sender encrypt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from imgpipe_templates.checks.deliveries import (
    ALARMS,
    POLICY_OF,
    SENDS_NO_SOURCE,
    Delivery,
    deliveries,
    policy_statements,
)
from imgpipe_templates.checks.model import Fault, Rule
from imgpipe_templates.checks.policies import (
    Statement,
    covers,
    is_about,
    is_denied,
    lacks,
    lets_in,
    may_do,
    may_meet,
    may_name,
    resource_statements,
    service_of,
)
from imgpipe_templates.checks.rules.events import allows_invoke
from imgpipe_templates.checks.template import (
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
from imgpipe_templates.checks.values import canonical, entries, mapping

_PERMISSION = "AWS::Lambda::Permission"
# Type of an integration -> properties with the address of what it calls and with the role that it calls by.
_INTEGRATIONS = {
    "AWS::ApiGatewayV2::Integration": ("IntegrationUri", "CredentialsArn"),
    "AWS::ApiGateway::Method": ("Integration.Uri", "Integration.Credentials"),
}
_FUNCTION_IN_URI = re.compile(r"/functions/((?:arn:|\$\{).*)/invocations$")

# What a sender needs of a customer key (SNS Developer Guide, "Managing Amazon SNS encryption keys and costs"; SQS
# Developer Guide, "Amazon SQS key management"; read 2026-11).
_TO_ENCRYPT = ("kms:GenerateDataKey", "kms:Decrypt")
_SOURCES = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid")


def _not_let_in(template: Template) -> Iterator[Fault]:
    for delivery in _distinct(template):
        if delivery.target.type in POLICY_OF and not _is_let_in(template, delivery):
            policy_type, _, action = POLICY_OF[delivery.target.type]
            condition = (
                "without a Condition, which EventBridge does not support in a topic's policy"
                if _passes_no_source(delivery)
                else "on condition of aws:SourceAccount or aws:SourceArn"
            )
            yield Fault(
                delivery.path,
                f"nothing lets {delivery.service} send to {delivery.target.id} for {delivery.source.id}; add a "
                f"statement to its {policy_type} that allows {action}, {condition}",
            )


def _passes_no_source(delivery: Delivery) -> bool:
    return (delivery.service, delivery.target.type) == SENDS_NO_SOURCE


def _distinct(template: Template) -> Iterator[Delivery]:
    """Every delivery that a policy can tell from the others: one alarm's is like another's."""
    seen: set[tuple[str, str | None, str]] = set()
    for delivery in deliveries(template):
        mark = delivery.service, delivery.source_arn, delivery.target.id
        if mark not in seen:
            seen.add(mark)
            yield delivery


def _is_let_in(template: Template, delivery: Delivery) -> bool:
    found = policy_statements(template, delivery.target)
    if found is None:
        # A topic's default policy is for its own account, for which alarms publish (CloudWatch User Guide, "Using
        # Amazon CloudWatch alarms", read 2026-11). A queue has none.
        return delivery.source.type in ALARMS
    action = POLICY_OF[delivery.target.type][2]
    arn = template.arn_of(delivery.target)
    denials = policy_statements(template, delivery.target, effect="Deny") or ()
    about = [statement for statement in denials if is_about(statement, delivery.service)]
    return not is_denied(template, about, action, arn) and any(
        lets_in(template, statement, delivery.service, action, delivery.source_arn)
        and covers(template, statement, arn)
        and not (_passes_no_source(delivery) and statement.body.get("Condition"))
        for statement in found
    )


def _not_invocable(template: Template) -> Iterator[Fault]:
    for delivery in deliveries(template):
        # E9503 judges buckets, for which order matters, too.
        if (
            delivery.target.type == FUNCTION
            and delivery.source.type in (RULE, TOPIC)
            and not _is_permitted(template, delivery.named, delivery.service, delivery.source_arn)
        ):
            yield _no_permission(delivery.path, delivery.service, delivery.target, delivery.source)
    for integration in template.of_type(*_INTEGRATIONS):
        yield from _integration_faults(template, integration)


def _integration_faults(template: Template, integration: Resource) -> Iterator[Fault]:
    uri_key, role_key = _INTEGRATIONS[integration.type]
    address, credentials = (_nested(integration, key) for key in (uri_key, role_key))
    invoked = called(address)
    function = template.find(FUNCTION, invoked)
    if function is None:
        return
    if credentials is None:
        api = integration.properties.get("ApiId", integration.properties.get("RestApiId"))
        arn = None if api is None else template.resolved({"Fn::Sub": [_API, {"Api": api}]})
        if not _is_permitted(template, invoked, "apigateway.amazonaws.com", arn):
            path = integration.at(*uri_key.split("."))
            yield _no_permission(path, "apigateway.amazonaws.com", function, integration)
        return
    role = template.find(ROLE, credentials)
    if role is not None and lacks(template, role, ("lambda:InvokeFunction",), template.arn_of(function)):
        yield Fault(
            integration.at(*role_key.split(".")),
            f"{role.id} may not invoke {function.id}, so that every request fails; allow lambda:InvokeFunction on it",
        )


def _nested(resource: Resource, key: str) -> Any:
    value: Any = resource.properties
    for part in key.split("."):
        value = mapping(value).get(part)
    return value


def called(address: Any) -> Any:
    """What an integration calls, by its ARN or by API Gateway's path to it."""
    inner = _FUNCTION_IN_URI.search(canonical(address)) if address is not None else None
    return {"Fn::Sub": inner[1]} if inner else address


# What an API calls a function for: any stage, method and path (API Gateway Developer Guide, "Resource format of
# permissions for executing API in API Gateway", read 2026-12).
_API = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"


def _is_permitted(template: Template, invoked: Any, service: str, source_arn: str | None) -> bool:
    """True if a permission of the alias, version or function that is called lets a service call it for a source."""
    for permission in template.of_type(_PERMISSION):
        properties = permission.properties
        source = properties.get("SourceArn")
        if (
            canonical(properties.get("Principal")) == service
            and allows_invoke(permission)
            and template.same_function(properties.get("FunctionName"), invoked)
            and (source is None or source_arn is None or may_meet(template, source, source_arn))
        ):
            return True
    return False


def _no_permission(path: tuple[str | int, ...], service: str, function: Resource, source: Resource) -> Fault:
    return Fault(
        path,
        f"nothing lets {service} invoke {function.id} for {source.id}; add an AWS::Lambda::Permission with that "
        "Principal and the caller's ARN as SourceArn",
    )


def _keyless(template: Template) -> Iterator[Fault]:
    for delivery in _distinct(template):
        if delivery.target.type in (QUEUE, TOPIC):
            yield from _cannot_encrypt(template, delivery)
    for group in template.of_type(LOG_GROUP):
        key = template.find(KEY, group.properties.get("KmsKeyId"))
        if key is not None and not any(
            _lets_logs(template, statement, group) for statement in _key_statements(template, key)
        ):
            yield Fault(
                group.at("KmsKeyId"),
                f"the policy of {key.id} does not let CloudWatch Logs of the Region encrypt for {group.id}, and no log "
                "group can be made with it; add a statement for logs.${AWS::Region}.${AWS::URLSuffix}",
            )


def _cannot_encrypt(template: Template, delivery: Delivery) -> Iterator[Fault]:
    chosen = delivery.target.properties.get("KmsMasterKeyId")
    alias = canonical(chosen)
    if alias.startswith("alias/aws/"):
        yield Fault(
            delivery.target.at("KmsMasterKeyId"),
            f"{alias} lets no {delivery.service} in and its policy is AWS's, so that what {delivery.source.id} sends "
            "is lost; use a customer key whose policy lets it in, or encryption without KMS",
        )
    key = template.find_key(chosen)
    if key is None:
        return
    letting = [
        statement
        for statement in _key_statements(template, key)
        if lets_in(template, statement, delivery.service, _TO_ENCRYPT[0], delivery.source_arn)
        and may_do(statement, _TO_ENCRYPT[1])
    ]
    if not letting:
        yield Fault(
            delivery.target.at("KmsMasterKeyId"),
            f"the policy of {key.id} does not let {delivery.service} encrypt, so that what {delivery.source.id} sends "
            f"to {delivery.target.id} is lost; add a statement for it that allows {' and '.join(_TO_ENCRYPT)}",
        )
    elif _passes_no_source(delivery) and all(
        any(name in _SOURCES for _, name, _ in statement.conditions()) for statement in letting
    ):
        yield Fault(
            letting[0].path,
            f"{delivery.service} does not tell KMS for whom it sends to a topic, so that {letting[0].name} never lets "
            "it in; leave its condition on the source out",
        )


def _key_statements(template: Template, key: Resource) -> list[Statement]:
    return [statement for statement in resource_statements(template, KEY) if statement.owner is key]


def _lets_logs(template: Template, statement: Statement, group: Resource) -> bool:
    """True if a statement allows the Region's principal of CloudWatch Logs; the one without a Region is none of it.

    Amazon CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS KMS", read 2026-12.
    """
    services = [canonical(value) for kind, _, value in statement.principals() if kind in ("Service", "")]
    regional = [text for text in services if service_of(text) == _LOGS and text not in (_LOGS, f"{_LOGS}.cn")]
    arn = template.resolved({"Fn::GetAtt": [group.id, "Arn"]}).removesuffix(":*")
    contexts = [value for _, key, value in statement.conditions() if key == "kms:encryptioncontext:aws:logs:arn"]
    return (
        bool(regional or "*" in services)
        and all(may_do(statement, action) for action in _TO_ENCRYPT)
        and (not contexts or any(may_name(template, value, arn) for value in contexts))
    )


_LOGS = "logs.amazonaws.com"


def _wrong_endpoint(template: Template) -> Iterator[Fault]:
    for subscription in template.of_type("AWS::SNS::Subscription"):
        yield from _subscription(subscription.properties.get("Protocol"), subscription.at("Protocol"))
    for topic in template.of_type(TOPIC):
        for position, entry in entries(topic.properties.get("Subscription")):
            yield from _subscription(mapping(entry).get("Protocol"), topic.at("Subscription", *position, "Protocol"))


# SNS API Reference, "Subscribe" (Protocol), read 2026-11.
_PROTOCOLS = ("application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs")


def _subscription(protocol: Any, path: tuple[str | int, ...]) -> Iterator[Fault]:
    if isinstance(protocol, str) and protocol not in _PROTOCOLS:
        yield Fault(path, f"SNS does not deliver by {protocol!r}; use one of {', '.join(_PROTOCOLS)}")


RULES = (
    Rule(
        "E9504",
        "Queue or topic whose policy does not let its sender in",
        "EventBridge, S3, SNS, Budgets and alarms send by the target's policy; what it refuses is lost without a word.",
        # Amazon EventBridge User Guide, "Using resource-based policies for Amazon EventBridge", read 2026-11
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html",
        _not_let_in,
        absence=True,
    ),
    Rule(
        "E9505",
        "Function that its caller may not invoke",
        "An API, a rule or a topic invokes by a permission of the function, an API also by a role that may invoke it.",
        # AWS Lambda Developer Guide, "Viewing resource-based IAM policies in Lambda", read 2026-11
        "https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html",
        _not_invocable,
        absence=True,
    ),
    Rule(
        "E9509",
        "Subscription by a protocol that SNS does not know",
        "SNS refuses the subscription when the stack is created, not before.",
        # Amazon SNS API Reference, "Subscribe", read 2026-11
        "https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html",
        _wrong_endpoint,
    ),
    Rule(
        "E9557",
        "Encrypted target whose key does not let its writer in",
        "A service that writes to an encrypted topic, queue or log group needs the key, too; else messages are lost.",
        # Amazon SNS Developer Guide, "Managing Amazon SNS encryption keys and costs", read 2026-11
        "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
        _keyless,
    ),
)
