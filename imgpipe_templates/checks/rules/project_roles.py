"""The rule about the roles of this project: exactly the actions that the functions' code calls."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates import promises
from imgpipe_templates.checks.facts.allowed_actions import (
    covers_action,
    denials_for_every_principal,
    is_denied,
    missing_actions,
)
from imgpipe_templates.checks.facts.bucket_notifications import NOTIFIER
from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping
from imgpipe_templates.checks.facts.invocations import queue_mappings
from imgpipe_templates.checks.facts.policy_statements import Statement, role_statements
from imgpipe_templates.checks.facts.project_functions import CALLS, environment_variables
from imgpipe_templates.checks.facts.role_requirements import RECEIVE_ACTIONS
from imgpipe_templates.checks.facts.template import BUCKET, FUNCTION, QUEUE, ROLE, TABLE, TOPIC, Resource, Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule

_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
_TRACES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
_KEYS = ("kms:Decrypt", "kms:GenerateDataKey")
# The lock of the notification function: an SSM parameter with the bucket's name.
_LOCK_ACTIONS = ("ssm:DeleteParameter", "ssm:GetParameter", "ssm:PutParameter")
_LOCK_PREFIX = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/imgpipe/bucket-notifications/"
_KINDS = (BUCKET, TABLE, TOPIC)


@template_rule(
    "E9592",
    "Role with more or fewer actions than the function's code calls",
    "The functions' calls are known: a missing action fails at run time, an extra one helps an attacker only.",
    # IAM User Guide, "Security best practices in IAM", "Apply least-privilege permissions", read 2026-12
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    convention=True,
)
def role_differs_from_code(template: Template) -> Iterator[Violation]:
    # The resources in a function's variables may be in another stack.
    for function in template.of_type(FUNCTION) if promises.is_whole(template.body) else ():
        role = template.find(ROLE, function.properties.get("Role"))
        if function.id in CALLS and role is not None:
            yield from _missing_actions(template, function, role)
            yield from _additional_actions(template, function, role)


def _used(template: Template, function: Resource) -> Iterator[tuple[Resource, str, str, tuple[str, ...]]]:
    """Yield each resource in a variable, the variable, an ARN of the calls, and their actions."""
    variables = environment_variables(function)
    for name, actions in CALLS[function.id].items():
        if name == "INDEXES" and name in variables:
            table = template.find(TABLE, variables.get("METADATA_TABLE"))
            if table is not None:
                for index in str(variables[name]).split(","):
                    yield table, name, f"{template.arn_of(table)}/index/{index}", actions
            continue
        value = variables.get(name)
        found = next((it for kind in _KINDS if value is not None and (it := template.find(kind, value))), None)
        if found is not None:
            yield found, name, template.arn_of(found), actions


def _missing_actions(template: Template, function: Resource, role: Resource) -> Iterator[Violation]:
    for name, value in environment_variables(function).items():
        if name in CALLS[function.id] and name.isupper() and name != "INDEXES":
            text = template.resolved(value)
            if text.startswith("arn:") != (name in _BY_ARN) and "${(" not in text:
                expected = "an ARN" if name in _BY_ARN else "a name"
                yield Violation(
                    function.at("Environment", "Variables", name), f"{text!r} is invalid; the code expects {expected}"
                )
    for resource, name, arn, actions in _used(template, function):
        missing = [action for action in actions if _lacks(template, role, action, resource, arn)]
        if missing:
            yield Violation(
                function.at("Environment", "Variables", name),
                f"the code calls {', '.join(missing)} on {resource.id}, but {role.id} does not allow it; allow it",
            )
    for notifier in _notifiers(template, function):
        missing = missing_actions(
            template, role, _LOCK_ACTIONS, _LOCK_PREFIX + template.resolved(notifier.properties.get("BucketName"))
        )
        if missing:
            yield Violation(
                notifier.at("BucketName"),
                f"the lock of the code calls {', '.join(missing)}, but {role.id} does not allow it; allow it",
            )


def _notifiers(template: Template, function: Resource) -> Iterator[Resource]:
    for notifier in template.of_type(NOTIFIER):
        if template.find(FUNCTION, notifier.properties.get("ServiceToken")) is function:
            yield notifier


# Variables that contain an ARN; all others contain a name.
_BY_ARN = ("SNS_TOPIC_ARN",)


def _lacks(template: Template, role: Resource, action: str, resource: Resource, arn: str) -> bool:
    if resource.type != BUCKET:
        return bool(missing_actions(template, role, (action,), arn))
    # The configuration decides which objects of a bucket are allowed; some must be.
    denials = [*role_statements(template, role, "Deny"), *denials_for_every_principal(template)]
    return is_denied(template, denials, action, f"{arn}/key") or not any(
        covers_action(statement, action) and template.resolved(value).startswith(f"{arn}/")
        for statement in role_statements(template, role)
        for _, value in statement.listed("Resource")
    )


def _additional_actions(template: Template, function: Resource, role: Resource) -> Iterator[Violation]:
    required = _required_actions(template, function)
    for statement in _role_and_policy_statements(template, role):
        for path, value in statement.listed("Action"):
            action = canonical(value)
            if action in required and _is_limited_to(template, statement, required[action]):
                continue
            if "*" not in action:  # E9551 reports wildcards
                yield Violation(
                    path,
                    f"{function.id} does not call {action} with this configuration; remove it from "
                    f"{statement.owner.id}",
                )


def _role_and_policy_statements(template: Template, role: Resource) -> Iterator[Statement]:
    """Yield the statements of the role itself and of its managed policies in this template."""
    attached = {canonical(arn) for _, arn in entries(role.properties.get("ManagedPolicyArns"))}
    for statement in role_statements(template, role):
        if statement.owner is role or canonical({"Ref": statement.owner.id}) in attached:
            yield statement


def _required_actions(template: Template, function: Resource) -> dict[str, set[str]]:
    """Return the actions that the configuration requires -> ARNs of their resources; empty for any resource."""
    found: dict[str, set[str]] = {action: set() for action in (*_LOGS, *_KEYS)}
    if canonical(mapping(function.properties.get("TracingConfig")).get("Mode")) == "Active":
        found |= {action: set() for action in _TRACES}
    if "VpcConfig" in function.properties:
        found |= {action: set() for action in _VPC_ACTIONS}
    for notifier in _notifiers(template, function):
        found |= {action: set() for action in ("s3:GetBucketNotification", "s3:PutBucketNotification")}
        for action in _LOCK_ACTIONS:
            found.setdefault(action, set()).add(_LOCK_PREFIX + template.resolved(notifier.properties.get("BucketName")))
    used = (
        *((actions, resource) for resource, _, _, actions in _used(template, function)),
        *((("sqs:SendMessage",), queue) for queue in _failure_queues(template, function)),
        *((RECEIVE_ACTIONS, one.queue) for one in queue_mappings(template) if one.function is function),
    )
    for actions, resource in used:
        for action in actions:
            found.setdefault(action, set()).add(template.arn_of(resource))
    return found


_VPC_ACTIONS = tuple(
    f"ec2:{name}"
    for name in (
        *("AssignPrivateIpAddresses", "CreateNetworkInterface", "DeleteNetworkInterface"),
        *("DescribeNetworkInterfaces", "DescribeSubnets", "UnassignPrivateIpAddresses"),
    )
)


def _failure_queues(template: Template, function: Resource) -> Iterator[Resource]:
    """Yield the queues to which Lambda sends a function's failed events with the function's role."""
    configs = [
        mapping(config.properties.get("DestinationConfig"))
        for config in template.of_type("AWS::Lambda::EventInvokeConfig")
        if template.find(FUNCTION, config.properties.get("FunctionName")) is function
    ]
    dead_letters = mapping(function.properties.get("DeadLetterConfig")).get("TargetArn")
    for target in (dead_letters, *(mapping(config.get("OnFailure")).get("Destination") for config in configs)):
        if target is not None and (queue := template.find(QUEUE, target)):
            yield queue


def _is_limited_to(template: Template, statement: Statement, arns: set[str]) -> bool:
    if not arns:
        return True
    resources = [template.resolved(value) for _, value in statement.listed("Resource")]
    return all(text.startswith((*arns, "${")) for text in resources)
