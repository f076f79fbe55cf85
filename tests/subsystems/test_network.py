"""Network: functions in a VPC that reach what they call, and nothing else."""

from __future__ import annotations

import re
from datetime import date

import pytest

from imgpipe_templates.checks import check_templates
from imgpipe_templates.core.handles import handles_for
from imgpipe_templates.core.layouts import ExportedStacks, SingleStack
from imgpipe_templates.core.naming import Names
from imgpipe_templates.core.stack import Scope, Stack
from imgpipe_templates.patterns.environment import declare_environment, standard_tags
from imgpipe_templates.render.text import to_json
from imgpipe_templates.subsystems.network import CIDR_PATTERN, NetworkConfig, add_network
from tests.templates import of_type, resources, said, tags

NAMES = Names({"FunctionVpc": "ImageProcessing-${EnvironmentSuffix}"})
GATEWAYS = ("s3", "dynamodb")
INTERFACES = ("sns", "sqs")
PUBLIC = ("AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::Route")


@pytest.fixture
def scope():
    stack = Stack("subject", SingleStack())
    scope = Scope(stack, "network", NAMES, standard_tags(project="test", purpose="test", extra={}))
    declare_environment(scope, environment="production", suffix="dev", longest_suffix=20)
    return scope


def own(scope, *, gateways=GATEWAYS, interfaces=INTERFACES, **config):
    add_network(scope, NetworkConfig(**config), interface_services=interfaces, gateway_services=gateways)
    return scope.stack.to_dict("network alone")


def endpoints(template):
    return of_type(template, "AWS::EC2::VPCEndpoint")


def test_endpoints_are_exactly_those_of_the_services_that_are_called(scope):
    found = endpoints(own(scope, interfaces=("sns",)))

    assert {(said(e["ServiceName"]), e["VpcEndpointType"]) for e in found.values()} == {
        ("com.amazonaws.${AWS::Region}.s3", "Gateway"),
        ("com.amazonaws.${AWS::Region}.dynamodb", "Gateway"),
        ("com.amazonaws.${AWS::Region}.sns", "Interface"),
    }
    assert set(found) == {"S3Endpoint", "DynamoDbEndpoint", "SnsEndpoint"}


def test_an_endpoint_that_china_names_otherwise_has_that_name_there(scope):
    template = own(scope)

    here = {"Fn::Sub": "com.amazonaws.${AWS::Region}.sqs"}
    china = {"Fn::Sub": "cn.com.amazonaws.${AWS::Region}.sqs"}
    assert endpoints(template)["SqsEndpoint"]["ServiceName"] == {"Fn::If": ["HasChinaEndpoints", china, here]}
    assert template["Conditions"] == {"HasChinaEndpoints": {"Fn::Equals": [{"Ref": "AWS::Partition"}, "aws-cn"]}}


def test_every_endpoint_serves_this_account_only(scope):
    own_account = {"Ref": "AWS::AccountId"}
    for endpoint in endpoints(own(scope)).values():
        (statement,) = endpoint["PolicyDocument"]["Statement"]
        assert statement["Condition"] == {
            "StringEquals": {"aws:PrincipalAccount": own_account, "aws:ResourceAccount": own_account}
        }


def test_nothing_leads_to_the_internet(scope):
    template = own(scope)

    assert not [kind for kind in PUBLIC if of_type(template, kind)]
    subnets = of_type(template, "AWS::EC2::Subnet")
    assert [subnet["MapPublicIpOnLaunch"] for subnet in subnets.values()] == [False, False]


def test_subnets_spread_over_the_zones_of_any_region(scope):
    subnets = of_type(own(scope, availability_zones=3), "AWS::EC2::Subnet")

    zones = [subnet["AvailabilityZone"]["Fn::Select"] for subnet in subnets.values()]
    assert zones == [[position, {"Fn::GetAZs": ""}] for position in range(3)]
    blocks = [subnet["CidrBlock"]["Fn::Select"] for subnet in subnets.values()]
    assert [(position, block["Fn::Cidr"][1:]) for position, block in blocks] == [(n, [3, 8]) for n in range(3)]


def test_every_subnet_knows_the_way_to_the_gateways(scope):
    template = own(scope)

    associated = of_type(template, "AWS::EC2::SubnetRouteTableAssociation").values()
    assert {said(each["SubnetId"]) for each in associated} == set(of_type(template, "AWS::EC2::Subnet"))
    tables = {said(each["RouteTableId"]) for each in associated}
    gateways = [e for e in endpoints(template).values() if e["VpcEndpointType"] == "Gateway"]
    assert tables == {"FunctionRouteTable"} == {said(table) for e in gateways for table in e["RouteTableIds"]}


def test_the_usual_names_of_services_lead_to_the_interfaces(scope):
    template = own(scope)

    vpc = template["Resources"]["FunctionVpc"]["Properties"]
    assert (vpc["EnableDnsHostnames"], vpc["EnableDnsSupport"]) == (True, True)
    interfaces = [e for e in endpoints(template).values() if e["VpcEndpointType"] == "Interface"]
    assert [(e["PrivateDnsEnabled"], len(e["SubnetIds"])) for e in interfaces] == [(True, 2), (True, 2)]


def test_functions_send_https_only_and_take_nothing_in(scope):
    group = own(scope)["Resources"]["FunctionSecurityGroup"]["Properties"]

    (rule,) = group["SecurityGroupEgress"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)
    assert "SecurityGroupIngress" not in group


def test_without_a_gateway_functions_send_to_the_vpc_only(scope):
    group = own(scope, gateways=())["Resources"]["FunctionSecurityGroup"]["Properties"]

    assert [said(rule["CidrIp"]) for rule in group["SecurityGroupEgress"]] == ["VpcCidr"]


def test_interfaces_take_https_from_the_functions_and_send_nothing(scope):
    group = own(scope)["Resources"]["EndpointSecurityGroup"]["Properties"]

    (rule,) = group["SecurityGroupIngress"]
    assert (said(rule["SourceSecurityGroupId"]), rule["FromPort"], rule["ToPort"]) == (
        "FunctionSecurityGroup",
        443,
        443,
    )
    assert [rule["CidrIp"] for rule in group["SecurityGroupEgress"]] == ["127.0.0.1/32"]


def test_without_interfaces_there_is_no_group_for_them(scope):
    assert "EndpointSecurityGroup" not in own(scope, interfaces=())["Resources"]


def test_addresses_are_a_parameter_with_the_configured_default(scope):
    template = own(scope, cidr="10.7.0.0/16")

    assert template["Parameters"]["VpcCidr"]["Default"] == "10.7.0.0/16"
    assert template["Resources"]["FunctionVpc"]["Properties"]["CidrBlock"] == {"Ref": "VpcCidr"}


@pytest.mark.parametrize(
    ("cidr", "allowed"), [("10.255.0.0/16", True), ("10.256.0.0/16", False), ("10.1.1.0/16", False)]
)
def test_only_private_blocks_of_one_size_are_taken(cidr, allowed):
    assert bool(re.search(CIDR_PATTERN, cidr)) is allowed


def test_people_know_the_vpc_by_its_name(scope):
    vpc = own(scope)["Resources"]["FunctionVpc"]["Properties"]
    assert said(tags(vpc)["Name"]) == "ImageProcessing-${EnvironmentSuffix}"


def test_everything_taggable_is_tagged(scope):
    untaggable = {"AWS::EC2::SubnetRouteTableAssociation"}
    for resource in own(scope)["Resources"].values():
        if resource["Type"] not in untaggable:
            assert tags(resource["Properties"])["iac-rlhf-amazon"] == "true"


def test_the_place_is_the_private_subnets_and_the_group_of_the_functions(scope):
    network = add_network(scope, NetworkConfig(), interface_services=(), gateway_services=GATEWAYS)

    assert [said(value.to_dict()) for value in network.place.subnet_ids] == ["FunctionSubnet1", "FunctionSubnet2"]
    assert said(network.place.security_group_id.to_dict()) == "FunctionSecurityGroup"


def test_from_another_stack_the_subnets_are_read_as_one_text(scope):
    network = add_network(scope, NetworkConfig(), interface_services=(), gateway_services=GATEWAYS)

    seen = handles_for(Stack("elsewhere", ExportedStacks("photos", {})), network)
    assert seen.place.subnet_ids.to_dict() == {
        "Fn::Split": [",", {"Fn::ImportValue": {"Fn::Sub": "photos-${EnvironmentSuffix}-FunctionNetworkSubnetIds"}}]
    }


def test_existing_subnets_are_parameters_and_nothing_is_made(scope):
    network = add_network(
        scope, NetworkConfig(subnets="existing"), interface_services=INTERFACES, gateway_services=GATEWAYS
    )

    assert resources(scope) == {}
    assert network.place.subnet_ids.to_dict() == {"Ref": "ExistingSubnetIds"}
    assert said(network.place.security_group_id.to_dict()) == "ExistingSecurityGroupId"


def test_the_checks_find_nothing(scope):
    text = to_json(own(scope))
    assert check_templates({"network": text}, today=date(2026, 11, 20)) == []
