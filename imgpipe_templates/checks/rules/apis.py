"""The rule of HTTP APIs that are made and answer nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgpipe_templates.checks.model import Fault, Rule
from imgpipe_templates.checks.template import FUNCTION, Resource, Template
from imgpipe_templates.checks.values import canonical, mapping

_ROUTE_KEY = re.compile(r"\$default|(?:ANY|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) /\S*")


def _unanswering(template: Template) -> Iterator[Fault]:
    seen: dict[tuple[str, str], str] = {}
    for route in template.of_type("AWS::ApiGatewayV2::Route"):
        if not _is_http(template, route):
            continue
        key = canonical(route.properties.get("RouteKey"))
        if "${" not in key and not _ROUTE_KEY.fullmatch(key):
            yield Fault(route.at("RouteKey"), f"{key!r} is no route of an HTTP API; write METHOD /path or $default")
        first = seen.setdefault((canonical(route.properties.get("ApiId")), key), route.id)
        if first != route.id:
            yield Fault(route.at("RouteKey"), f"{key!r} is the route of {first}, too; an API has each once")
        target = canonical(route.properties.get("Target"))
        if target and not target.startswith("integrations/"):
            yield Fault(route.at("Target"), f"is {target!r}; write integrations/ before the id of the integration")
    for integration in template.of_type("AWS::ApiGatewayV2::Integration"):
        uri = integration.properties.get("IntegrationUri")
        kind = canonical(integration.properties.get("IntegrationType"))
        if uri is not None and template.find(FUNCTION, uri) and kind not in ("AWS", "AWS_PROXY"):
            yield Fault(integration.at("IntegrationType"), f"{kind} calls no function; use AWS_PROXY")
    for stage in template.of_type("AWS::ApiGatewayV2::Stage"):
        yield from _stage(template, stage)


def _is_http(template: Template, owner: Resource) -> bool:
    api = template.resources.get(canonical(owner.properties.get("ApiId")).removeprefix("${").removesuffix("}"))
    return api is not None and canonical(api.properties.get("ProtocolType")) == "HTTP"


def _stage(template: Template, stage: Resource) -> Iterator[Fault]:
    if canonical(stage.properties.get("AutoDeploy")) != "true" and "DeploymentId" not in stage.properties:
        yield Fault(stage.path, "deploys none of the routes; set AutoDeploy, or a DeploymentId")
    named = mapping(stage.properties.get("AccessLogSettings")).get("DestinationArn")
    if named is not None and template.decides(named) and not template.resolved(named).startswith("arn:"):
        yield Fault(
            stage.at("AccessLogSettings", "DestinationArn"),
            f"is {template.resolved(named)!r} and no ARN; use its Arn",
        )


RULES = (
    Rule(
        "E9566",
        "HTTP API that answers nothing",
        "A route without a method, a target without integrations/, a stage without a deployment: every call is a 404.",
        # API Gateway Developer Guide, "Create routes for HTTP APIs in API Gateway", read 2026-12
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html",
        _unanswering,
    ),
)
