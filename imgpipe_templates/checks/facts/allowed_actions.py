"""Actions that policies allow or deny to roles and services."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import translate
from functools import lru_cache
from typing import Any

from imgpipe_templates.checks.facts.expressions import TOKEN, canonical, entries
from imgpipe_templates.checks.facts.object_keys import globs_overlap
from imgpipe_templates.checks.facts.policy_statements import Statement, resource_statements, role_statements
from imgpipe_templates.checks.facts.template import QUEUE, Resource, Template
from imgpipe_templates.checks.findings import Path

# AWS managed policies that allow every write to S3.
_WRITES_EVERYTHING = ("AdministratorAccess", "AmazonS3FullAccess", "PowerUserAccess")

# AWS managed policies -> the actions that they allow on every resource, as far as a rule needs them (AWS Managed Policy
# Reference, read 2026-12). The actions of other managed policies are unknown here.
_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")

_INTERFACES = ("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface")


_MANAGED = {
    "AWSLambdaBasicExecutionRole": _LOGS,
    "AWSLambdaENIManagementAccess": _INTERFACES,
    "AWSLambdaSQSQueueExecutionRole": (
        *_LOGS,
        *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    ),
    "AWSLambdaVPCAccessExecutionRole": (*_LOGS, *_INTERFACES),
    "AWSXRayDaemonWriteAccess": ("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
    "CloudWatchLambdaInsightsExecutionRolePolicy": (),
}

_REGION_OF_SERVICE = re.compile(r"\.(?:\$\{AWS::Region\}|[a-z]{2,4}(?:-[a-z]+)+-[0-9])\.amazonaws\.com$")


def full_access_policy(template: Template, role: Resource) -> tuple[Path, str] | None:
    """Return path and name of an AWS managed policy of a role that allows writes to every bucket."""
    for position, arn in entries(role.properties.get("ManagedPolicyArns")):
        name = template.resolved(arn).rpartition("/")[2]
        if name in _WRITES_EVERYTHING:
            return role.at("ManagedPolicyArns", *position), name
    return None


def missing_actions(template: Template, role: Resource, actions: tuple[str, ...], arn: str) -> list[str]:
    """Return the actions that a role is not allowed, or is denied, on a resource.

    The result is empty if the template does not contain all permissions of the role: it has an unknown managed policy.

    Args:
        template: The template of the role.
        role: The role.
        actions: The required actions.
        arn: ARN of the resource; "" for actions that a statement may allow on any resource.
    """
    managed = managed_actions(template, role)
    if managed is None:
        return []
    allowed = list(role_statements(template, role))
    denials = [*role_statements(template, role, "Deny"), *denials_for_every_principal(template)]
    return [
        action
        for action in actions
        if is_denied(template, denials, action, arn)
        or not (
            action in managed
            or any(
                covers_action(statement, action) and (not arn or covers_resource(template, statement, arn))
                for statement in allowed
            )
        )
    ]


def denials_for_every_principal(template: Template) -> Iterator[Statement]:
    """Yield the Deny statements of resource policies that apply to every principal."""
    for statement in resource_statements(template, effect="Deny"):
        if any(canonical(value) == "*" and kind in ("", "AWS") for kind, _, value in statement.principals()):
            yield statement


def managed_actions(template: Template, role: Resource) -> set[str] | None:
    """Return the actions that AWS managed policies allow a role; None if it has an unknown managed policy."""
    own = {resource.id for resource in template.of_type("AWS::IAM::ManagedPolicy")}
    found: set[str] = set()
    for _, value in entries(role.properties.get("ManagedPolicyArns")):
        name = template.resolved(value).rpartition("/")[2]
        if canonical(value).strip("${}").partition(".")[0] in own:
            continue
        if name not in _MANAGED:
            return None
        found |= set(_MANAGED[name])
    return found


def is_denied(template: Template, denials: Iterable[Statement], action: str, arn: str) -> bool:
    """True if a statement denies every request for an action on a resource; a conditional denial does not count.

    Args:
        template: The template of the statements.
        denials: Deny statements that apply to the caller.
        action: The action.
        arn: ARN of the resource; "" for an action on any resource.
    """
    return any(
        covers_action(statement, action)
        and all(_always_true(*condition) for condition in statement.conditions())
        and any(_names_arn(template, value, arn) for _, value in statement.listed("Resource"))
        for statement in denials
    )


def _always_true(operator: str, key: str, value: Any) -> bool:
    """True for a condition that every request of AWS services and SDKs meets: they use TLS."""
    return operator in ("Bool", "BoolIfExists") and key == "aws:securetransport" and canonical(value).lower() == "true"


def _names_arn(template: Template, value: Any, arn: str) -> bool:
    text = template.resolved(value)
    return bool(_compiled(text).match(arn)) if arn else text == "*"


def covers_action(statement: Statement, action: str) -> bool:
    """True if a statement contains an action. Conditions are ignored, because they can be true."""
    if "NotAction" in statement.body:
        return not any(_matches_action(canonical(pattern), action) for _, pattern in statement.listed("NotAction"))
    return any(_matches_action(canonical(pattern), action) for _, pattern in statement.listed("Action"))


def covers_resource(template: Template, statement: Statement, arn: str) -> bool:
    """True if a statement applies to a resource, or may apply because only the deployment knows its resource."""
    if "NotResource" in statement.body:
        return True
    return any(may_be_arn(template, value, arn) for _, value in statement.listed("Resource"))


def may_be_arn(template: Template, value: Any, arn: str) -> bool:
    """True if an expression with the wildcards `*` and `?` is, or may be, an ARN; a parameter may be any ARN."""
    text = template.resolved(value)
    if _is_queue_url(template, text):
        return False
    if ("${" in text and not text.startswith("arn:")) or _compiled(text).match(arn):
        return True
    # A value that only the deployment knows may be any text, unless both have it. The name of another resource differs.
    own, others = set(TOKEN.findall(text)), set(TOKEN.findall(arn))
    if any(token.partition(".")[0] in template.resources for token in own):
        return False
    globs = (re.sub(TOKEN, lambda t: t[0] if t[1] in own & others else "*", one) for one in (text, arn))
    return globs_overlap(*globs)


def _is_queue_url(template: Template, text: str) -> bool:
    owner = template.resources.get(text.removeprefix("${").removesuffix("}").removesuffix(".QueueUrl"))
    return owner is not None and owner.type == QUEUE and not text.startswith("arn:")


def may_match(template: Template, value: Any, glob: str) -> bool:
    """True if an expression is, or may be, an ARN that a glob matches; names of other resources never match."""
    text = template.resolved(value)
    if "${" in text and not text.startswith("arn:"):
        return True
    others = set(TOKEN.findall(glob))
    known = {token for token in TOKEN.findall(text) if token.partition(".")[0] in template.resources}
    opened_text = re.sub(TOKEN, lambda t: t[0] if t[1] in others | known else "*", text)
    return globs_overlap(opened_text, glob)


def allows_service(template: Template, statement: Statement, service: str, action: str, source: str | None) -> bool:
    """True if an Allow statement allows a service an action for a source.

    Args:
        template: The template of the statement.
        statement: The statement.
        service: The service principal, such as `events.amazonaws.com`.
        action: The action.
        source: ARN of the resource for which the service acts; None for any resource.
    """
    if not names_service(statement, service) or not covers_action(statement, action):
        return False
    named_sources = [
        (operator, value)
        for operator, key, value in statement.conditions()
        if key == "aws:sourcearn" and "Not" not in operator
    ]
    return (
        source is None
        or not named_sources
        or any(_may_be_source(template, operator, value, source) for operator, value in named_sources)
    )


def _may_be_source(template: Template, operator: str, value: Any, source: str) -> bool:
    # StringEquals has no wildcards; only Like operators and those of ARNs have them (IAM User Guide, "IAM
    # JSON policy elements: Condition operators", read 2026-12).
    exact = operator.startswith("StringEquals") and "*" in template.resolved(value)
    return not exact and may_be_arn(template, value, source)


def names_service(statement: Statement, service: str) -> bool:
    """True if a service, or every principal, is a principal of a statement."""
    return any(
        (canonical(value) == "*" and kind in ("", "AWS"))
        or (kind == "Service" and service_name(canonical(value)) in ("*", service))
        for kind, _, value in statement.principals()
    )


def service_name(principal: str) -> str:
    """Return a service principal without the Region and the URL suffix that some services add."""
    name = principal.replace("${AWS::URLSuffix}", "amazonaws.com").removesuffix(".cn")
    return _REGION_OF_SERVICE.sub(".amazonaws.com", name)


def _matches_action(pattern: str, action: str) -> bool:
    return bool(_compiled(pattern.lower()).match(action.lower()))


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern.replace("[", "[[]")))
