"""Network: where functions stand when they must stand in a VPC.

Either in subnets that exist, or in a VPC of the pipeline's own that has no way to the internet and exactly the
endpoints of the services that the functions call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from awacs.aws import Action, Allow, Condition, PolicyDocument, Principal, Statement, StringEquals
from pydantic import Field
from troposphere import AccountId, Cidr, Equals, GetAZs, If, Partition, Ref, Select, Sub, Tags, ec2

from imgpipe_templates.configuration import Hint, OnlyWith, Pattern, Range, Section
from imgpipe_templates.core.handles import VpcPlacement
from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.parameters import ParameterGroup, ParameterSpec
from imgpipe_templates.core.stack import Scope

NETWORK = ParameterGroup(5, "Network")

DEFAULT_CIDR = "10.42.0.0/16"
DEFAULT_AVAILABILITY_ZONES = 2
CIDR_WORDS = "a block of 65,536 private addresses such as 10.42.0.0/16"
_BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
CIDR_PATTERN = rf"^10\.{_BYTE}\.0\.0/16$"

# Each subnet has 256 addresses, 251 of them usable (Amazon VPC User Guide, "Subnet CIDR blocks", read 2026-11).
SUBNET_HOST_BITS = 8
HTTPS_PORT = 443

# Interface endpoints whose service names start with `cn.` in China, of those that functions may call; the others are
# named as everywhere (`DescribeVpcEndpointServices` as AWS CDK 2 keeps it, aws-ec2/lib/vpc-endpoint.ts, read 2026-11).
NAMED_OTHERWISE_IN_CHINA = frozenset({"lambda", "monitoring", "sqs", "sts", "xray"})


OWN = OnlyWith({"network.subnets": ("own",)})


class NetworkConfig(Section):
    """The VPC that functions stand in."""

    subnets: Annotated[
        Literal["own", "existing"],
        Field(
            description="`own` creates a VPC without internet access. `existing` adds parameters for subnets and a "
            "security group, which must reach every service that the functions call."
        ),
        Hint("the subnets themselves are the template parameter ExistingSubnetIds, which is given at deployment"),
    ] = "own"
    cidr: Annotated[str, Pattern(CIDR_PATTERN, CIDR_WORDS), Field(description="CIDR block of the VPC."), OWN] = (
        DEFAULT_CIDR
    )
    availability_zones: Annotated[
        int,
        Range(2, 6, "zones"),
        Field(description="Number of Availability Zones of the VPC. Each adds the price of its endpoints."),
        OWN,
    ] = DEFAULT_AVAILABILITY_ZONES


@dataclass(frozen=True)
class Network:
    """What network offers: the place of functions."""

    place: VpcPlacement


def add_network(
    scope: Scope, config: NetworkConfig, *, interface_services: Sequence[str], gateway_services: Sequence[str]
) -> Network:
    """Add the own VPC, or the parameters that name existing subnets.

    Args:
        scope: Where it goes.
        config: Which of both.
        interface_services: Services with an interface endpoint, such as `sns`, by the last part of the endpoint's name.
        gateway_services: What functions call of `s3` and `dynamodb`; those endpoints cost nothing.
    """
    if config.subnets == "existing":
        subnets = scope.parameter(_existing_subnets())
        group: Value = scope.parameter(_existing_security_group())
        return Network(VpcPlacement.of(scope, "FunctionNetwork", security_group=group, subnets=subnets))

    addresses = scope.parameter(_cidr(config))
    vpc = scope.add(
        ec2.VPC(
            "FunctionVpc",
            CidrBlock=addresses,
            # Both are what makes the usual name of a service lead to its interface endpoint.
            EnableDnsHostnames=True,
            EnableDnsSupport=True,
            Tags=Tags(Name=scope.names.value("FunctionVpc")),
        )
    )
    routes = scope.add(ec2.RouteTable("FunctionRouteTable", VpcId=Ref(vpc)))
    own_subnets = _add_subnets(scope, vpc, routes, config.availability_zones, addresses)
    # A gateway endpoint answers from the public addresses of its service, and no attribute of it gives their prefix
    # list. So the rule is open and the route table restricts it: it has routes to the VPC and to these endpoints only.
    functions = _add_function_group(scope, vpc, "0.0.0.0/0" if gateway_services else addresses)
    for service in gateway_services:
        scope.add(
            ec2.VPCEndpoint(
                _title(service),
                PolicyDocument=_own_account_only(),
                RouteTableIds=[Ref(routes)],
                ServiceName=Sub(f"com.amazonaws.${{AWS::Region}}.{service}"),
                VpcEndpointType="Gateway",
                VpcId=Ref(vpc),
            )
        )
    if interface_services:
        _add_interfaces(scope, vpc, own_subnets, functions, interface_services)
    return Network(VpcPlacement.of(scope, "FunctionNetwork", security_group=Ref(functions), subnets=own_subnets))


def _add_subnets(scope: Scope, vpc: ec2.VPC, routes: ec2.RouteTable, count: int, addresses: Ref) -> list[Value]:
    """Private subnets, one in each of the first `count` Availability Zones of the Region."""
    blocks = Cidr(addresses, count, SUBNET_HOST_BITS)
    subnets: list[Value] = []
    for position in range(count):
        subnet = scope.add(
            ec2.Subnet(
                f"FunctionSubnet{position + 1}",
                AvailabilityZone=Select(position, GetAZs("")),
                CidrBlock=Select(position, blocks),
                MapPublicIpOnLaunch=False,
                VpcId=Ref(vpc),
            )
        )
        scope.add(
            ec2.SubnetRouteTableAssociation(
                f"FunctionSubnet{position + 1}Routes", RouteTableId=Ref(routes), SubnetId=Ref(subnet)
            )
        )
        subnets.append(Ref(subnet))
    return subnets


def _add_function_group(scope: Scope, vpc: ec2.VPC, destination: Value) -> ec2.SecurityGroup:
    return scope.add(
        ec2.SecurityGroup(
            "FunctionSecurityGroup",
            GroupDescription="Functions: HTTPS to the endpoints of AWS services",
            SecurityGroupEgress=[_https("HTTPS to the endpoints of the VPC", CidrIp=destination)],
            VpcId=Ref(vpc),
        )
    )


def _add_interfaces(
    scope: Scope, vpc: ec2.VPC, subnets: Sequence[Value], functions: ec2.SecurityGroup, services: Sequence[str]
) -> None:
    group = scope.add(
        ec2.SecurityGroup(
            "EndpointSecurityGroup",
            GroupDescription="Endpoints of AWS services: HTTPS from the functions",
            # A group without a rule of this kind may send everywhere. An endpoint only answers, which needs no rule.
            SecurityGroupEgress=[
                ec2.SecurityGroupRule(CidrIp="127.0.0.1/32", Description="Nowhere", IpProtocol="-1"),
            ],
            SecurityGroupIngress=[_https("HTTPS from the functions", SourceSecurityGroupId=Ref(functions))],
            VpcId=Ref(vpc),
        )
    )
    if NAMED_OTHERWISE_IN_CHINA & set(services):
        china = scope.condition("HasChinaEndpoints", Equals(Partition, "aws-cn"))
    for service in services:
        name: Value = Sub(f"com.amazonaws.${{AWS::Region}}.{service}")
        if service in NAMED_OTHERWISE_IN_CHINA:
            name = If(china, Sub(f"cn.com.amazonaws.${{AWS::Region}}.{service}"), name)
        scope.add(
            ec2.VPCEndpoint(
                _title(service),
                PolicyDocument=_own_account_only(),
                PrivateDnsEnabled=True,
                SecurityGroupIds=[Ref(group)],
                ServiceName=name,
                SubnetIds=list(subnets),
                VpcEndpointType="Interface",
                VpcId=Ref(vpc),
            )
        )


def _own_account_only() -> PolicyDocument:
    """Let identities of this account reach resources of this account; what each may do is for its role to say."""
    return PolicyDocument(
        Version="2012-10-17",
        Statement=[
            Statement(
                Sid="OwnAccountOnly",
                Effect=Allow,
                Principal=Principal("*"),
                Action=[Action("*")],
                Resource=["*"],
                Condition=Condition(
                    StringEquals({"aws:PrincipalAccount": AccountId, "aws:ResourceAccount": AccountId})
                ),
            )
        ],
    )


def _https(description: str, **peer: Value) -> ec2.SecurityGroupRule:
    rule = ec2.SecurityGroupRule(Description=description, FromPort=HTTPS_PORT, IpProtocol="tcp", ToPort=HTTPS_PORT)
    for name, value in peer.items():
        setattr(rule, name, value)
    return rule


def _title(service: str) -> str:
    return f"{'DynamoDb' if service == 'dynamodb' else service.capitalize()}Endpoint"


def _cidr(config: NetworkConfig) -> ParameterSpec:
    return ParameterSpec(
        "VpcCidr",
        NETWORK,
        "Addresses of the VPC",
        {
            "Type": "String",
            "Default": config.cidr,
            "AllowedPattern": CIDR_PATTERN,
            "ConstraintDescription": f"must be {CIDR_WORDS}",
            "Description": "Addresses of the VPC that the functions stand in; it is connected to no other network",
        },
    )


def _existing_subnets() -> ParameterSpec:
    return ParameterSpec(
        "ExistingSubnetIds",
        NETWORK,
        "Subnets",
        {
            "Type": "List<AWS::EC2::Subnet::Id>",
            "Description": "Private subnets of one VPC, in two Availability Zones or more, from which every AWS "
            "service that the functions call can be reached",
        },
    )


def _existing_security_group() -> ParameterSpec:
    return ParameterSpec(
        "ExistingSecurityGroupId",
        NETWORK,
        "Security group",
        {
            "Type": "AWS::EC2::SecurityGroup::Id",
            "Description": "Security group of that VPC for the functions; it must let HTTPS out to those services",
        },
    )
