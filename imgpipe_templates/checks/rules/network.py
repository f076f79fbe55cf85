"""The rule of functions in a network of the template: each service that they call can be reached from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.checks.model import Fault, Rule
from imgpipe_templates.checks.policies import Statement, statements_of
from imgpipe_templates.checks.template import FUNCTION, ROLE, Resource, Template
from imgpipe_templates.checks.values import canonical, entries, mapping

_ENDPOINT = "AWS::EC2::VPCEndpoint"
_EVERYWHERE = ("0.0.0.0/0", "::/0")
HTTPS = 443
# Services that code calls by their own endpoint; what Lambda itself sends (logs, traces, dead letters) or receives does
# not leave by the function's network (AWS Lambda Developer Guide, "Connecting inbound interface VPC endpoints for
# Lambda" and "Giving Lambda functions access to resources in an Amazon VPC", read 2026-12).
_CALLED = ("dynamodb", "events", "lambda", "s3", "secretsmanager", "sns", "sqs", "ssm", "states")
_BY_LAMBDA = ("sqs:receivemessage", "sqs:deletemessage", "sqs:getqueueattributes")
_ALSO_BY_GATEWAY = ("dynamodb", "s3")


@dataclass(frozen=True)
class _Place:
    """Where a function is: its VPC, its subnets, their route tables and its security groups."""

    vpc: str
    tables: frozenset[str]
    groups: frozenset[str]


def _hanging(template: Template) -> Iterator[Fault]:
    for function in template.of_type(FUNCTION):
        place = _place(template, function)
        if place is None or _has_way_out(template, place):
            continue
        for service in _services(template, function):
            problems = [
                _problem(template, place, service, endpoint) for endpoint in _endpoints(template, place, service)
            ]
            if not problems:
                problems = [f"has no AWS::EC2::VPCEndpoint for {service} and no route out of it; add the endpoint"]
            # One way that works is enough.
            if None not in problems:
                yield Fault(
                    function.at("VpcConfig"),
                    f"calls {service} and hangs until it times out: its network {problems[0]}",
                )


def _place(template: Template, function: Resource) -> _Place | None:
    """The place of a function whose whole network is of this template, else None."""
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
    return _Place(next(iter(vpcs)), frozenset(tables), groups)


def _name(value: Any) -> str:
    return canonical(value).removeprefix("${").removesuffix("}").removesuffix(".GroupId")


def _has_way_out(template: Template, place: _Place) -> bool:
    """True if a route leads everywhere; one to an internet gateway does not for functions, which have no address."""
    return any(
        _name(route.properties.get("RouteTableId")) in place.tables
        and canonical(route.properties.get("DestinationCidrBlock")) in _EVERYWHERE
        and "GatewayId" not in route.properties
        for route in template.of_type("AWS::EC2::Route")
    )


def _services(template: Template, function: Resource) -> list[str]:
    role = template.find(ROLE, function.properties.get("Role"))
    last = mapping(function.properties.get("DeadLetterConfig")).get("TargetArn")
    by_lambda = set() if last is None else {template.resolved(last)}
    found: set[str] = set()
    for statement in () if role is None else statements_of(template, role):
        about = {template.resolved(value) for _, value in statement.listed("Resource")}
        if not about <= by_lambda:
            found |= _called(statement)
    return sorted(found)


def _called(statement: Statement) -> set[str]:
    actions = [canonical(action).lower() for _, action in statement.listed("Action")]
    services = {action.partition(":")[0] for action in actions if action not in _BY_LAMBDA}
    return {service for service in services if service in _CALLED}


def _endpoints(template: Template, place: _Place, service: str) -> list[Resource]:
    return [
        endpoint
        for endpoint in template.of_type(_ENDPOINT)
        if _name(endpoint.properties.get("VpcId")) == place.vpc
        and any(canonical(name).endswith(f".{service}") for _, name in entries(endpoint.properties.get("ServiceName")))
    ]


def _problem(template: Template, place: _Place, service: str, endpoint: Resource) -> str | None:
    """Why a function cannot use an endpoint, or None."""
    properties = endpoint.properties
    if canonical(properties.get("VpcEndpointType")) in ("", "Gateway"):
        if service not in _ALSO_BY_GATEWAY:
            return f"has {endpoint.id} as a gateway, which {service} has none of; set VpcEndpointType: Interface"
        missing = place.tables - {_name(value) for _, value in entries(properties.get("RouteTableIds"))}
        if missing:
            return f"has {endpoint.id}, which {', '.join(sorted(missing))} does not lead to; add it to RouteTableIds"
        return _closed(template, place, endpoint, None)
    if canonical(properties.get("PrivateDnsEnabled")) != "true":
        return f"has {endpoint.id} without PrivateDnsEnabled, so that the service's name leads elsewhere; set it"
    vpc = template.resources.get(place.vpc)
    for key in ("EnableDnsSupport", "EnableDnsHostnames"):
        default = "true" if key == "EnableDnsSupport" else "false"
        if vpc is not None and canonical(vpc.properties.get(key, default)) == "false":
            return f"has {endpoint.id}, whose private name needs {key} of {vpc.id}; set it to true"
    return _closed(
        template, place, endpoint, frozenset(_name(v) for _, v in entries(properties.get("SecurityGroupIds")))
    )


def _closed(template: Template, place: _Place, endpoint: Resource, groups: frozenset[str] | None) -> str | None:
    """Why security groups keep a function from an endpoint; those of a gateway endpoint are none."""
    vpc = template.resources.get(place.vpc)
    inside = "" if vpc is None else template.resolved(vpc.properties.get("CidrBlock"))
    outgoing = [_rules(template, group, "SecurityGroupEgress") for group in place.groups]
    wide = {*_EVERYWHERE, *(() if groups is None else (inside,))}
    if not any(rules is None or any(_leads(rule, wide, groups or frozenset()) for rule in rules) for rules in outgoing):
        return f"has {endpoint.id}, to which no rule of {', '.join(sorted(place.groups))} leads; allow HTTPS out"
    if groups is None:
        return None
    incoming = [_rules(template, group, "SecurityGroupIngress") for group in groups]
    if not any(
        rules is None or any(_lets_in(rule, {inside, *_EVERYWHERE}, place) for rule in rules) for rules in incoming
    ):
        return f"has {endpoint.id}, whose security group has no rule for the function; allow HTTPS from it"
    return None


def _rules(template: Template, name: str, key: str) -> list[Mapping[str, Any]] | None:
    """The rules of a group for one direction; None where any traffic may pass, or the group is another template's."""
    group = template.resources.get(name)
    if group is None or group.type != "AWS::EC2::SecurityGroup":
        return None
    apart = [
        rule.properties
        for rule in template.of_type(f"AWS::EC2::{key}")
        if _name(rule.properties.get("GroupId")) == name
    ]
    own = [mapping(rule) for _, rule in entries(group.properties.get(key))]
    return None if key.endswith("Egress") and key not in group.properties and not apart else [*own, *apart]


def _leads(rule: Mapping[str, Any], wide: set[str], groups: frozenset[str]) -> bool:
    to = {canonical(rule.get(key)) for key in ("CidrIp", "CidrIpv6") if key in rule}
    by_group = _name(rule.get("DestinationSecurityGroupId")) in groups
    return _is_https(rule) and (bool(to & wide) or by_group or "DestinationPrefixListId" in rule)


def _lets_in(rule: Mapping[str, Any], wide: set[str], place: _Place) -> bool:
    by = {canonical(rule.get(key)) for key in ("CidrIp", "CidrIpv6") if key in rule}
    return _is_https(rule) and (bool(by & wide) or _name(rule.get("SourceSecurityGroupId")) in place.groups)


def _is_https(rule: Mapping[str, Any]) -> bool:
    if canonical(rule.get("IpProtocol")) == "-1":
        return True
    first, last = canonical(rule.get("FromPort")), canonical(rule.get("ToPort"))
    return first.isdigit() and last.isdigit() and int(first) <= HTTPS <= int(last)


RULES = (
    Rule(
        "E9565",
        "Function in a network from which a service cannot be reached",
        "A function in a VPC has no way to a service but an endpoint or NAT; without it each call hangs until it ends.",
        # AWS Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC", read 2026-12
        "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html",
        _hanging,
        absence=True,
    ),
)
