"""The house pattern for an IAM role: one service takes it, and it allows one list of statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from awacs.aws import Allow, PolicyDocument, Principal, Statement
from awacs.sts import AssumeRole
from troposphere import AWSObject, Ref, Sub, iam

from imgpipe_templates.core.handles import Function, Key, VpcPlacement
from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.parameters import SECURITY, ParameterSpec
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns.suppressions import Suppression, suppress
from imgpipe_templates.records import record

LAMBDA = "lambda.amazonaws.com"


@record
class Surroundings:
    """What all functions of a pipeline share.

    Attributes:
        key: Encrypts variables and logs; None means keys of AWS.
        network: Where functions stand in a VPC; None means outside of any.
        policies: Whether a role's statements stand in the role or in a managed policy of their own.
        permissions_boundary: Whether roles are bounded by a policy that the deployment names.
        basic_execution_policy: Whether roles carry AWS's managed policy for logs as well.
        tracing: Whether invocations are traced with X-Ray.
    """

    key: Key | None = None
    network: VpcPlacement | None = None
    policies: Literal["inline", "managed"] = "inline"
    permissions_boundary: bool = False
    basic_execution_policy: bool = False
    tracing: bool = False


def add_role(
    scope: Scope,
    name: str,
    service: str,
    description: str,
    statements: Sequence[Statement],
    around: Surroundings,
    *,
    accepted: Sequence[Suppression] = (),
) -> iam.Role:
    """Add the role `<name>Role`, and `<name>Policy` where policies stand by themselves.

    Args:
        scope: Where they go.
        name: Start of the logical ids.
        service: Who takes the role, as IAM names it.
        description: What it is for.
        statements: What it allows.
        around: Decides the kind of the policy and whether the role is bounded.
        accepted: Findings on the policy that are right as they are.
    """
    document = PolicyDocument(Version="2012-10-17", Statement=list(statements))
    trust = Statement(Effect=Allow, Principal=Principal("Service", [service]), Action=[AssumeRole])
    role = iam.Role(
        f"{name}Role",
        AssumeRolePolicyDocument=PolicyDocument(Version="2012-10-17", Statement=[trust]),
        Description=description,
    )
    managed: list[Value] = []
    if around.basic_execution_policy and service == LAMBDA:
        managed.append(Sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"))
    if around.policies == "managed":
        policy = iam.ManagedPolicy(f"{name}Policy", Description=description, PolicyDocument=document)
        if accepted:
            suppress(policy, *accepted)
        managed.append(Ref(scope.add(policy)))
    else:
        role.Policies = [iam.Policy(PolicyName=scope.names.value(f"{name}Policy"), PolicyDocument=document)]
    if managed:
        role.ManagedPolicyArns = managed
    if around.permissions_boundary:
        role.PermissionsBoundary = scope.parameter(_permissions_boundary())
    return scope.add(role)


def add_right(scope: Scope, name: str, function: Function, statement: Statement, around: Surroundings) -> AWSObject:
    """Allow a function one thing more, by somebody downstream of it, in a policy of its own.

    Args:
        scope: Of whoever allows it.
        name: Logical id of the policy.
        function: Who may.
        statement: What.
        around: Decides the kind of the policy.
    """
    document = PolicyDocument(Version="2012-10-17", Statement=[statement])
    if around.policies == "managed":
        policy = iam.ManagedPolicy(name, PolicyDocument=document, Roles=[function.role_name])
        policy.Description = f"What {scope.subsystem} lets a function do"
        return scope.add(policy)
    return scope.add(
        iam.PolicyType(name, PolicyDocument=document, PolicyName=scope.names.value(name), Roles=[function.role_name])
    )


def _permissions_boundary() -> ParameterSpec:
    return ParameterSpec(
        "PermissionsBoundaryArn",
        SECURITY,
        "Permissions boundary",
        {
            "Type": "String",
            "Description": "ARN of the policy that bounds what every role of this stack can be allowed",
            "AllowedPattern": "^arn:[a-z-]+:iam::.+:policy/.+$",
            "ConstraintDescription": "must be the ARN of an IAM policy",
        },
    )
