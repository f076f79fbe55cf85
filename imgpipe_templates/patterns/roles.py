"""Pattern of an IAM role: one service can assume it, and it has one list of statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from awacs.aws import Allow, PolicyDocument, Principal, Statement
from awacs.sts import AssumeRole
from troposphere import AWSObject, Ref, Sub, iam

from imgpipe_templates.core.handles import Function, Key, VpcPlacement
from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.parameters import SECURITY, ParameterSpec
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns.suppressions import Suppression, suppress

LAMBDA = "lambda.amazonaws.com"


@dataclass(frozen=True)
class FunctionDefaults:
    """What all functions of a pipeline share.

    Attributes:
        key: Encrypts variables and logs; None means keys of AWS.
        network: Where functions stand in a VPC; None means outside of any.
        policies: `inline` for statements in the role, `managed` for a separate managed policy.
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
    shared: FunctionDefaults,
    *,
    accepted: Sequence[Suppression] = (),
) -> iam.Role:
    """Add the role `<name>Role`, and `<name>Policy` where policies stand by themselves.

    Args:
        scope: Where they go.
        name: Start of the logical ids.
        service: Service principal that assumes the role.
        description: What it is for.
        statements: What it allows.
        shared: Decides the kind of the policy and whether the role is bounded.
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
    if shared.basic_execution_policy and service == LAMBDA:
        managed.append(Sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"))
    if shared.policies == "managed":
        policy = iam.ManagedPolicy(f"{name}Policy", Description=description, PolicyDocument=document)
        if accepted:
            suppress(policy, *accepted)
        managed.append(Ref(scope.add(policy)))
    else:
        role.Policies = [iam.Policy(PolicyName=scope.names.value(f"{name}Policy"), PolicyDocument=document)]
    if managed:
        role.ManagedPolicyArns = managed
    if shared.permissions_boundary:
        role.PermissionsBoundary = scope.parameter(_permissions_boundary())
    return scope.add(role)


def add_permission(
    scope: Scope, name: str, function: Function, statement: Statement, shared: FunctionDefaults
) -> AWSObject:
    """Add a permission to a function from a downstream subsystem, in a separate policy.

    Args:
        scope: Scope of the subsystem that adds the permission.
        name: Logical id of the policy.
        function: Who may.
        statement: What.
        shared: Decides the kind of the policy.
    """
    document = PolicyDocument(Version="2012-10-17", Statement=[statement])
    if shared.policies == "managed":
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
