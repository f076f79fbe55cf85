"""The rule about routes, integrations and stages of HTTP APIs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgpipe_templates.checks.facts.expressions import canonical, mapping, reference_name
from imgpipe_templates.checks.facts.template import FUNCTION, Resource, Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule

_ROUTE_KEY = re.compile(r"\$default|(?:ANY|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) /\S*")


@template_rule(
    "E9566",
    "Invalid HTTP API route, integration or stage",
    "Without a method, the prefix integrations/ or a deployment, every call returns 404.",
    # API Gateway Developer Guide, "Create routes for HTTP APIs in API Gateway", read 2026-12
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html",
)
def invalid_http_api(template: Template) -> Iterator[Violation]:
    seen: dict[tuple[str, str], str] = {}
    for route in template.of_type("AWS::ApiGatewayV2::Route"):
        if not _is_http(template, route):
            continue
        key = canonical(route.properties.get("RouteKey"))
        if "${" not in key and not _ROUTE_KEY.fullmatch(key):
            yield Violation(
                route.at("RouteKey"), f"{key!r} is no route key of an HTTP API; write METHOD /path or $default"
            )
        first = seen.setdefault((canonical(route.properties.get("ApiId")), key), route.id)
        if first != route.id:
            yield Violation(route.at("RouteKey"), f"{key!r} is also the route key of {first}; remove one of the routes")
        target = canonical(route.properties.get("Target"))
        if target and not target.startswith("integrations/"):
            yield Violation(
                route.at("Target"), f"{target!r} is no target; write integrations/ before the id of the integration"
            )
    for integration in template.of_type("AWS::ApiGatewayV2::Integration"):
        uri = integration.properties.get("IntegrationUri")
        kind = canonical(integration.properties.get("IntegrationType"))
        if uri is not None and template.find(FUNCTION, uri) and kind not in ("AWS", "AWS_PROXY"):
            yield Violation(integration.at("IntegrationType"), f"{kind!r} invokes no function; use AWS_PROXY")
    for stage in template.of_type("AWS::ApiGatewayV2::Stage"):
        yield from _stage_violations(template, stage)


def _is_http(template: Template, owner: Resource) -> bool:
    api = template.resources.get(reference_name(owner.properties.get("ApiId")))
    return api is not None and canonical(api.properties.get("ProtocolType")) == "HTTP"


def _stage_violations(template: Template, stage: Resource) -> Iterator[Violation]:
    if canonical(stage.properties.get("AutoDeploy")) != "true" and "DeploymentId" not in stage.properties:
        yield Violation(stage.path, "deploys no route; set AutoDeploy, or a DeploymentId")
    destination = mapping(stage.properties.get("AccessLogSettings")).get("DestinationArn")
    if (
        destination is not None
        and template.knows(destination)
        and not template.resolved(destination).startswith("arn:")
    ):
        yield Violation(
            stage.at("AccessLogSettings", "DestinationArn"),
            f"{template.resolved(destination)!r} is no ARN; use Fn::GetAtt Arn of the log group",
        )
