"""Lambda invocations: event source mappings, API integrations and function permissions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.checks.facts.allowed_actions import may_match
from imgpipe_templates.checks.facts.expressions import canonical, mapping
from imgpipe_templates.checks.facts.template import FUNCTION, QUEUE, Resource, Template
from imgpipe_templates.checks.findings import Path

EVENT_SOURCE_MAPPING = "AWS::Lambda::EventSourceMapping"
PERMISSION = "AWS::Lambda::Permission"
# Type of an integration -> properties with the URI, the role and the timeout.
_INTEGRATIONS = {
    "AWS::ApiGatewayV2::Integration": ("IntegrationUri", "CredentialsArn", "TimeoutInMillis"),
    "AWS::ApiGateway::Method": ("Integration.Uri", "Integration.Credentials", "Integration.TimeoutInMillis"),
}
_FUNCTION_IN_URI = re.compile(r"/functions/((?:arn:|\$\{).*)/invocations$")
# SourceArn of an API's permission: any stage, method and path (API Gateway Developer Guide, "Resource format of
# permissions for executing API in API Gateway", read 2026-12).
_API = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"


@dataclass(frozen=True)
class QueueMapping:
    """An event source mapping from a queue to a function, both of this template."""

    resource: Resource
    queue: Resource
    function: Resource


def queue_mappings(template: Template) -> tuple[QueueMapping, ...]:
    """Return the event source mappings from queues to functions."""
    return template.cached(_queue_mappings)


def _queue_mappings(template: Template) -> Iterator[QueueMapping]:
    for resource in template.of_type(EVENT_SOURCE_MAPPING):
        queue = template.find(QUEUE, resource.properties.get("EventSourceArn"))
        function = template.find(FUNCTION, resource.properties.get("FunctionName"))
        if queue is not None and function is not None:
            yield QueueMapping(resource, queue, function)


@dataclass(frozen=True)
class Integration:
    """An API integration that invokes a function of this template.

    Attributes:
        invoked: Expression of the function, alias or version.
        role: Expression of the role that the API uses; None if it uses a permission of the function.
        api_arn: ARN of the API; None if the integration does not name it.
        timeout: Expression of the timeout in milliseconds, or None.
    """

    resource: Resource
    function: Resource
    invoked: Any
    uri_path: Path
    role: Any
    role_path: Path
    api_arn: str | None
    timeout: Any


def integrations(template: Template) -> tuple[Integration, ...]:
    """Return the API integrations that invoke functions of this template."""
    return template.cached(_integrations)


def _integrations(template: Template) -> Iterator[Integration]:
    for resource in template.of_type(*_INTEGRATIONS):
        paths = [resource.at(*key.split(".")) for key in _INTEGRATIONS[resource.type]]
        uri, role, timeout = (_value(resource, key) for key in _INTEGRATIONS[resource.type])
        invoked = _invoked_function(uri)
        function = template.find(FUNCTION, invoked)
        if function is not None:
            api = resource.properties.get("ApiId", resource.properties.get("RestApiId"))
            arn = None if api is None else template.resolved({"Fn::Sub": [_API, {"Api": api}]})
            yield Integration(resource, function, invoked, paths[0], role, paths[1], arn, timeout)


def _value(resource: Resource, key: str) -> Any:
    value: Any = resource.properties
    for part in key.split("."):
        value = mapping(value).get(part)
    return value


def _invoked_function(uri: Any) -> Any:
    """Return the expression of the function in an integration's URI: its ARN, or API Gateway's path to it."""
    inner = _FUNCTION_IN_URI.search(canonical(uri)) if uri is not None else None
    return {"Fn::Sub": inner[1]} if inner else uri


def allows_invoke(permission: Resource) -> bool:
    """True if a permission allows lambda:InvokeFunction."""
    return canonical(permission.properties.get("Action")).lower() in ("lambda:invokefunction", "lambda:*", "*", "")


def can_invoke(template: Template, invoked: Any, service: str, source_arn: str | None) -> bool:
    """True if a permission of the alias, version or function allows a service to invoke it for a source.

    Args:
        template: The template.
        invoked: Expression of the alias, version or function.
        service: Principal, such as `events.amazonaws.com`.
        source_arn: ARN of the source, or its glob; None for any source.
    """
    for permission in template.of_type(PERMISSION):
        properties = permission.properties
        source = properties.get("SourceArn")
        if (
            canonical(properties.get("Principal")) == service
            and allows_invoke(permission)
            and template.same_function(properties.get("FunctionName"), invoked)
            and (source is None or source_arn is None or may_match(template, source, source_arn))
        ):
            return True
    return False
