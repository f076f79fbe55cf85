"""The rule about missing DependsOn: a resource whose creation requires another one."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates.checks.facts.allowed_actions import allows_service, covers_action, covers_resource
from imgpipe_templates.checks.facts.creation_order import created_before
from imgpipe_templates.checks.facts.policy_statements import role_statements
from imgpipe_templates.checks.facts.role_requirements import Requirement, role_requirements
from imgpipe_templates.checks.facts.service_deliveries import POLICY_OF, deliveries, target_statements
from imgpipe_templates.checks.facts.template import BUCKET, ROLE, Resource, Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule


@template_rule(
    "E9528",
    "Missing DependsOn",
    "CloudFormation creates resources at the same time unless one refers to the other: creation fails sometimes.",
    # AWS CloudFormation Template Reference, "DependsOn attribute", read 2026-12
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-dependson.html",
)
def missing_depends_on(template: Template) -> Iterator[Violation]:
    seen: set[tuple[str, str]] = set()
    for dependent, required, reason in (*_policies(template), *_targets(template), *_gateways(template)):
        if (dependent.id, required.id) in seen or required.id in created_before(template, dependent):
            continue
        seen.add((dependent.id, required.id))
        # DependsOn cannot resolve a circular dependency.
        if dependent.id not in created_before(template, required):
            yield Violation(
                dependent.path, f"{reason}, but {required.id} may be created later; add DependsOn: {required.id}"
            )


def _policies(template: Template) -> Iterator[tuple[Resource, Resource, str]]:
    """Yield resources whose creation requires permissions of a role, and the policies with the permissions."""
    for requirement in role_requirements(template):
        role = template.find(ROLE, requirement.role)
        if role is not None and requirement.at_creation:
            reason = f"AWS tests that {role.id} can {requirement.purpose} when it creates {requirement.holder.id}"
            policies = _only_policies(template, role, requirement)
            yield from ((requirement.holder, policy, reason) for policy in policies if policy is not role)


def _only_policies(template: Template, role: Resource, requirement: Requirement) -> Iterator[Resource]:
    """Yield the policies that are the only ones to allow a role an action."""
    found = list(role_statements(template, role))
    for action in requirement.actions:
        owners = {
            statement.owner.id: statement.owner
            for statement in found
            if covers_action(statement, action)
            and (not requirement.arn or covers_resource(template, statement, requirement.arn))
        }
        if len(owners) == 1:
            yield from owners.values()


def _targets(template: Template) -> Iterator[tuple[Resource, Resource, str]]:
    """Yield the resources that set a bucket's notification, and the policies that allow S3 to send."""
    for delivery in deliveries(template):
        if delivery.source.type != BUCKET or delivery.target.type not in POLICY_OF:
            continue
        action = POLICY_OF[delivery.target.type][2]
        owners = {
            statement.owner.id: statement.owner
            for statement in target_statements(template, delivery.target) or ()
            if allows_service(template, statement, delivery.service, action, delivery.source_arn)
        }
        if len(owners) == 1:
            writer = template.resources[str(delivery.path[1])]
            yield writer, next(iter(owners.values())), "S3 tests the target when it sets the notification"


def _gateways(template: Template) -> Iterator[tuple[Resource, Resource, str]]:
    """Yield routes to an internet gateway, and its attachment ("DependsOn attribute", "When DependsOn is required")."""
    for route in template.of_type("AWS::EC2::Route"):
        gateway = route.properties.get("GatewayId")
        for attachment in template.of_type("AWS::EC2::VPCGatewayAttachment"):
            attached = attachment.properties.get("InternetGatewayId")
            if (
                gateway is not None
                and attached is not None
                and template.resolved(gateway) == template.resolved(attached)
            ):
                yield route, attachment, "EC2 rejects a route to a gateway that is not attached yet"
