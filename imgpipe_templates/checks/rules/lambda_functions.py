"""Rules about Lambda functions: runtime, role, concurrency, timeout and code location."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates.checks.facts.expressions import entries, mapping, reference_name
from imgpipe_templates.checks.facts.invocations import integrations
from imgpipe_templates.checks.facts.lambda_runtimes import (
    DEPRECATED,
    DEPRECATED_SOON,
    SOURCE,
    runtime_uses,
    runtime_violations,
)
from imgpipe_templates.checks.facts.template import FUNCTION, ROLE, Resource, Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule


@template_rule(
    "W9526",
    "Execution role shared by functions",
    "A shared role has the permissions of all its functions, so a flaw in one function reaches the others' data.",
    # AWS Lambda Developer Guide, "Defining Lambda function permissions with an execution role", read 2026-11
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
)
def role_of_two_functions(template: Template) -> Iterator[Violation]:
    owners: dict[str, str] = {}
    for function in template.of_type(FUNCTION):
        role = template.find(ROLE, function.properties.get("Role"))
        if role is not None and (first := owners.setdefault(role.id, function.id)) != function.id:
            yield Violation(
                function.at("Role"),
                f"{role.id} is also the role of {first}, so each has the permissions of the other; use one role for "
                "each function",
            )


# Longest timeout of an API Gateway integration, in ms (API Gateway Developer Guide, "Amazon API Gateway quotas",
# read 2026-12): of an HTTP API, and of a REST API unless the account's quota was raised.
MAX_INTEGRATION_MS = {"AWS::ApiGatewayV2::Integration": 30_000, "AWS::ApiGateway::Method": 29_000}


@template_rule(
    "E9527",
    "Reserved concurrency of 0",
    "Reserved concurrency of 0 stops a function: Lambda throttles every invocation.",
    # AWS Lambda Developer Guide, "Configuring reserved concurrency for a function", read 2026-12
    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html",
)
def function_without_concurrency(template: Template) -> Iterator[Violation]:
    for function in template.of_type(FUNCTION):
        if template.number(function.properties.get("ReservedConcurrentExecutions")) == 0:
            yield Violation(
                function.at("ReservedConcurrentExecutions"),
                "Lambda throttles every invocation; set 1 or more, or remove the property",
            )


@template_rule(
    "W9550",
    "Function timeout longer than its API's or custom resource's",
    "The caller already has an error; the function continues, costs money, and may repeat work that is retried.",
    # API Gateway Developer Guide, "Quotas for configuring and running an HTTP API", read 2026-12
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html",
)
def function_timeout_above_caller_timeout(template: Template) -> Iterator[Violation]:
    yield from _custom_resource_timeouts(template)
    for one in integrations(template):
        seconds = template.number(one.function.properties.get("Timeout"))
        maximum = template.number(one.timeout) or MAX_INTEGRATION_MS[one.resource.type]
        if seconds is not None and seconds * 1000 > maximum and not _is_websocket(template, one.resource):
            yield Violation(
                one.function.at("Timeout"),
                f"{seconds:g} s is longer than the timeout of {one.resource.id}, which returns an error after "
                f"{maximum / 1000:g} s; use {maximum / 1000:g} s or less",
            )


def _custom_resource_timeouts(template: Template) -> Iterator[Violation]:
    for resource in template.resources.values():
        maximum = template.number(resource.properties.get("ServiceTimeout"))
        token = resource.properties.get("ServiceToken")
        function = None if maximum is None or token is None else template.find(FUNCTION, token)
        seconds = None if function is None else template.number(function.properties.get("Timeout"))
        if function is not None and maximum is not None and seconds is not None and seconds > maximum:
            yield Violation(
                resource.at("ServiceTimeout"),
                f"{maximum:g} s is shorter than the timeout of {function.id}, {seconds:g} s; use {seconds:g} s or more",
            )


def _is_websocket(template: Template, integration: Resource) -> bool:
    """True for an integration of a WebSocket API, whose client does not wait for the function."""
    name = reference_name(integration.properties.get("ApiId"))
    return name in template.resources and template.resources[name].properties.get("ProtocolType") == "WEBSOCKET"


@template_rule(
    "W9523",
    "Hard-coded code or layer location",
    "A literal bucket, key or layer exists in one account at most; the deployment knows the location.",
    # AWS CloudFormation User Guide, "AWS::Lambda::Function Code", read 2026-11
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-lambda-function-code.html",
    convention=True,
)
def hard_coded_code_location(template: Template) -> Iterator[Violation]:
    for function in template.of_type(FUNCTION):
        yield from _literal_locations(function, "Code")
        for position, layer in entries(function.properties.get("Layers")):
            if isinstance(layer, str):
                yield Violation(
                    function.at("Layers", *position),
                    f"{layer} may not exist in the account or the Region; refer to a layer of this template, or to a "
                    "parameter with its ARN",
                )
    for layer in template.of_type("AWS::Lambda::LayerVersion"):
        yield from _literal_locations(layer, "Content")


def _literal_locations(owner: Resource, key: str) -> Iterator[Violation]:
    for name, value in mapping(owner.properties.get(key)).items():
        if name in ("S3Bucket", "S3Key") and isinstance(value, str):
            yield Violation(
                owner.at(key, name),
                f"{value!r} may not exist in the account; use a parameter for the location of the uploaded code",
            )


@template_rule(
    "E9522",
    "Deprecated Lambda runtime",
    "A deprecated runtime gets no security patches, and Lambda will reject new functions and updates with it.",
    SOURCE,
    dated=True,
)
def deprecated_runtime(template: Template) -> Iterator[Violation]:
    return runtime_violations(DEPRECATED, runtime_uses(template), template.today)


@template_rule(
    "W9522",
    "Lambda runtime within 90 days of its deprecation",
    "The function must move to a later runtime before the deprecation date.",
    SOURCE,
    dated=True,
)
def runtime_deprecated_soon(template: Template) -> Iterator[Violation]:
    return runtime_violations(DEPRECATED_SOON, runtime_uses(template), template.today)
