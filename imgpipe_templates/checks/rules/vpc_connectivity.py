"""The rule about functions in a VPC of the template: a route to each service that they call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping, reference_name
from imgpipe_templates.checks.facts.policy_statements import Statement, role_statements
from imgpipe_templates.checks.facts.template import FUNCTION, ROLE, Resource, Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule

_ENDPOINT = "AWS::EC2::VPCEndpoint"
_EVERYWHERE = ("0.0.0.0/0", "::/0")
HTTPS = 443
# Services that code calls at their endpoints. Lambda itself sends logs, traces and dead letters, and receives messages,
# outside of the function's VPC (AWS Lambda Developer Guide, "Connecting inbound interface VPC endpoints for
# Lambda" and "Giving Lambda functions access to resources in an Amazon VPC", read 2026-12).
_CALLED_SERVICES = ("dynamodb", "events", "lambda", "s3", "secretsmanager", "sns", "sqs", "ssm", "states")
_BY_LAMBDA = ("sqs:receivemessage", "sqs:deletemessage", "sqs:getqueueattributes")
_GATEWAY_SERVICES = ("dynamodb", "s3")


@dataclass(frozen=True)
class _Vpc:
    """The VPC of a function, the route tables of its subnets, and its security groups."""

    id: str
    tables: frozenset[str]
    groups: frozenset[str]


@template_rule(
    "E9565",
    "Function in a VPC without a route to a service",
    "A function in a VPC reaches a service by an endpoint or NAT only; without one each call hangs until its timeout.",
    # AWS Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC", read 2026-12
    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html",
    absence=True,
)
def unreachable_service(template: Template) -> Iterator[Violation]:
    for function in template.of_type(FUNCTION):
        vpc = _vpc(template, function)
        if vpc is None or _has_internet_route(template, vpc):
            continue
        for service in _services(template, function):
            problems = [_problem(template, vpc, service, endpoint) for endpoint in _endpoints(template, vpc, service)]
            if not problems:
                problems = [f"has no AWS::EC2::VPCEndpoint for {service} and no NAT route; add the endpoint"]
            # One usable endpoint is enough.
            if None not in problems:
                yield Violation(
                    function.at("VpcConfig"),
                    f"calls to {service} hang until the timeout: the VPC {problems[0]}",
                )


def _vpc(template: Template, function: Resource) -> _Vpc | None:
    """Return the VPC of a function if all its subnets are in this template, else None."""
    config = mapping(function.properties.get("VpcConfig"))
    subnets = [template.resources.get(_name(value)) for _, value in entries(config.get("SubnetIds"))]
    if not subnets or any(subnet is None or subnet.type != "AWS::EC2::Subnet" for subnet in subnets):
        return None
    names = {subnet.id for subnet in subnets if subnet is not None}
    vpcs = {_name(subnet.properties.get("VpcId")) for subnet in subnets if subnet is not None}
    tables = {
        _name(route.properties.get("RouteTableId"))
        for route in template.of_type("AWS::EC2::SubnetRouteTableAssociation")
        if _name(route.properties.get("SubnetId")) in names
    }
    groups = frozenset(_name(value) for _, value in entries(config.get("SecurityGroupIds")))
    return _Vpc(next(iter(vpcs)), frozenset(tables), groups)


def _name(value: Any) -> str:
    return reference_name(value).removesuffix(".GroupId")


def _has_internet_route(template: Template, vpc: _Vpc) -> bool:
    """True for a default route; one to an internet gateway does not count, as functions have no public address."""
    return any(
        _name(route.properties.get("RouteTableId")) in vpc.tables
        and canonical(route.properties.get("DestinationCidrBlock")) in _EVERYWHERE
        and "GatewayId" not in route.properties
        for route in template.of_type("AWS::EC2::Route")
    )


def _services(template: Template, function: Resource) -> list[str]:
    role = template.find(ROLE, function.properties.get("Role"))
    dead_letters = mapping(function.properties.get("DeadLetterConfig")).get("TargetArn")
    by_lambda = set() if dead_letters is None else {template.resolved(dead_letters)}
    found: set[str] = set()
    for statement in () if role is None else role_statements(template, role):
        resources = {template.resolved(value) for _, value in statement.listed("Resource")}
        if not resources <= by_lambda:
            found |= _called(statement)
    return sorted(found)


def _called(statement: Statement) -> set[str]:
    actions = [canonical(action).lower() for _, action in statement.listed("Action")]
    services = {action.partition(":")[0] for action in actions if action not in _BY_LAMBDA}
    return {service for service in services if service in _CALLED_SERVICES}


def _endpoints(template: Template, vpc: _Vpc, service: str) -> list[Resource]:
    return [
        endpoint
        for endpoint in template.of_type(_ENDPOINT)
        if _name(endpoint.properties.get("VpcId")) == vpc.id
        and any(canonical(name).endswith(f".{service}") for _, name in entries(endpoint.properties.get("ServiceName")))
    ]


def _problem(template: Template, vpc: _Vpc, service: str, endpoint: Resource) -> str | None:
    """Return the reason why a function cannot use an endpoint, or None."""
    properties = endpoint.properties
    if canonical(properties.get("VpcEndpointType")) in ("", "Gateway"):
        if service not in _GATEWAY_SERVICES:
            return f"has the gateway endpoint {endpoint.id} for {service}; set VpcEndpointType: Interface"
        missing = vpc.tables - {_name(value) for _, value in entries(properties.get("RouteTableIds"))}
        if missing:
            return f"has {endpoint.id}, but no route to it in {', '.join(sorted(missing))}; add it to RouteTableIds"
        return _blocked(template, vpc, endpoint, None)
    if canonical(properties.get("PrivateDnsEnabled")) != "true":
        return (
            f"has {endpoint.id} without PrivateDnsEnabled, so the service's name has a public address; set it to true"
        )
    resource = template.resources.get(vpc.id)
    for key in ("EnableDnsSupport", "EnableDnsHostnames"):
        default = "true" if key == "EnableDnsSupport" else "false"
        if resource is not None and canonical(resource.properties.get(key, default)) == "false":
            return f"has {endpoint.id}, whose private DNS name needs {key} of {vpc.id}; set it to true"
    return _blocked(
        template, vpc, endpoint, frozenset(_name(v) for _, v in entries(properties.get("SecurityGroupIds")))
    )


def _blocked(template: Template, vpc: _Vpc, endpoint: Resource, groups: frozenset[str] | None) -> str | None:
    """Return the reason why security groups block an endpoint, or None; gateway endpoints have no groups."""
    resource = template.resources.get(vpc.id)
    cidr = "" if resource is None else template.resolved(resource.properties.get("CidrBlock"))
    outgoing = [_rules(template, group, "SecurityGroupEgress") for group in vpc.groups]
    ranges = {*_EVERYWHERE, *(() if groups is None else (cidr,))}
    if not any(
        rules is None or any(_allows_egress(rule, ranges, groups or frozenset()) for rule in rules)
        for rules in outgoing
    ):
        return (
            f"has {endpoint.id}, to which {', '.join(sorted(vpc.groups))} allows no traffic; allow egress on port 443"
        )
    if groups is None:
        return None
    incoming = [_rules(template, group, "SecurityGroupIngress") for group in groups]
    if not any(
        rules is None or any(_allows_ingress(rule, {cidr, *_EVERYWHERE}, vpc) for rule in rules) for rules in incoming
    ):
        return f"has {endpoint.id}, whose security group does not allow the function; allow ingress on port 443 from it"
    return None


def _rules(template: Template, name: str, key: str) -> list[Mapping[str, Any]] | None:
    """Return the rules of a group for one direction; None if all traffic is allowed, or if the group is unknown."""
    group = template.resources.get(name)
    if group is None or group.type != "AWS::EC2::SecurityGroup":
        return None
    separate = [
        rule.properties
        for rule in template.of_type(f"AWS::EC2::{key}")
        if _name(rule.properties.get("GroupId")) == name
    ]
    inline = [mapping(rule) for _, rule in entries(group.properties.get(key))]
    return None if key.endswith("Egress") and key not in group.properties and not separate else [*inline, *separate]


def _allows_egress(rule: Mapping[str, Any], ranges: set[str], groups: frozenset[str]) -> bool:
    to = {canonical(rule.get(key)) for key in ("CidrIp", "CidrIpv6") if key in rule}
    by_group = _name(rule.get("DestinationSecurityGroupId")) in groups
    return _is_https(rule) and (bool(to & ranges) or by_group or "DestinationPrefixListId" in rule)


def _allows_ingress(rule: Mapping[str, Any], ranges: set[str], vpc: _Vpc) -> bool:
    source = {canonical(rule.get(key)) for key in ("CidrIp", "CidrIpv6") if key in rule}
    return _is_https(rule) and (bool(source & ranges) or _name(rule.get("SourceSecurityGroupId")) in vpc.groups)


def _is_https(rule: Mapping[str, Any]) -> bool:
    if canonical(rule.get("IpProtocol")) == "-1":
        return True
    first, last = canonical(rule.get("FromPort")), canonical(rule.get("ToPort"))
    return first.isdigit() and last.isdigit() and int(first) <= HTTPS <= int(last)
