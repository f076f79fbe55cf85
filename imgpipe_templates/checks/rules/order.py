"""The rule against races: a resource whose creation needs another one that it does not wait for."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates.checks.deliveries import POLICY_OF, deliveries, policy_statements
from imgpipe_templates.checks.model import Fault, Rule
from imgpipe_templates.checks.needs import Need, needs
from imgpipe_templates.checks.policies import covers, lets_in, may_do, statements_of
from imgpipe_templates.checks.template import BUCKET, ROLE, Resource, Template
from imgpipe_templates.checks.waiting import waits_for


def _races(template: Template) -> Iterator[Fault]:
    seen: set[tuple[str, str]] = set()
    for waiting, awaited, reason in (*_policies(template), *_targets(template), *_gateways(template)):
        if (waiting.id, awaited.id) in seen or awaited.id in waits_for(template, waiting):
            continue
        seen.add((waiting.id, awaited.id))
        # Two that need each other are a circle, which a DependsOn cannot mend.
        if waiting.id not in waits_for(template, awaited):
            yield Fault(
                waiting.path, f"{reason}, and nothing orders {awaited.id} before it; add DependsOn: {awaited.id}"
            )


def _policies(template: Template) -> Iterator[tuple[Resource, Resource, str]]:
    """Resources that AWS makes only if a role allows something by then, and the policies that allow it."""
    for need in needs(template):
        role = template.find(ROLE, need.role)
        if role is not None and need.when_made:
            reason = f"{role.id} must be allowed to {need.purpose} when {need.holder.id} is made"
            yield from ((need.holder, policy, reason) for policy in _alone(template, role, need) if policy is not role)


def _alone(template: Template, role: Resource, need: Need) -> Iterator[Resource]:
    """The policies without which a role lacks an action; where several allow the same, one of them is enough."""
    found = list(statements_of(template, role))
    for action in need.actions:
        owners = {
            statement.owner.id: statement.owner
            for statement in found
            if may_do(statement, action) and (not need.arn or covers(template, statement, need.arn))
        }
        if len(owners) == 1:
            yield from owners.values()


def _targets(template: Template) -> Iterator[tuple[Resource, Resource, str]]:
    """What writes a bucket's notification, and the policies by which S3 may send to its queues and topics."""
    for delivery in deliveries(template):
        if delivery.source.type != BUCKET or delivery.target.type not in POLICY_OF:
            continue
        action = POLICY_OF[delivery.target.type][2]
        owners = {
            statement.owner.id: statement.owner
            for statement in policy_statements(template, delivery.target) or ()
            if lets_in(template, statement, delivery.service, action, delivery.source_arn)
        }
        if len(owners) == 1:
            writer = template.resources[str(delivery.path[1])]
            yield writer, next(iter(owners.values())), "S3 tests the target when the notification is set"


def _gateways(template: Template) -> Iterator[tuple[Resource, Resource, str]]:
    """Routes to an internet gateway, and its attachment (attribute reference, "When a DependsOn is required")."""
    for route in template.of_type("AWS::EC2::Route"):
        gateway = route.properties.get("GatewayId")
        for attachment in template.of_type("AWS::EC2::VPCGatewayAttachment"):
            mine = attachment.properties.get("InternetGatewayId")
            if gateway is not None and mine is not None and template.resolved(gateway) == template.resolved(mine):
                yield route, attachment, "EC2 refuses a route to a gateway that is not attached yet"


RULES = (
    Rule(
        "E9528",
        "Resource that does not wait for what its creation needs",
        "CloudFormation makes resources at the same time unless one names the other: the creation fails now and then.",
        # AWS CloudFormation Template Reference, "DependsOn attribute", read 2026-12
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-dependson.html",
        _races,
    ),
)
