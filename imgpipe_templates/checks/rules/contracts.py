"""Rules about what a configuration needs of its role."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates.checks.model import Fault, Rule
from imgpipe_templates.checks.needs import Need, needs
from imgpipe_templates.checks.policies import Statement, covers, lacks, managed_actions, may_do, statements_of
from imgpipe_templates.checks.template import (
    BUCKET,
    FUNCTION,
    QUEUE,
    ROLE,
    TABLE,
    TOPIC,
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, mapping


def _missing(template: Template) -> Iterator[Fault]:
    for need in needs(template):
        role = template.find(ROLE, need.role)
        if role is None or need.told:
            continue
        missing = lacks(template, role, need.actions, need.arn) or _by_other_services(template, role, need)
        if missing:
            where = f" on {need.what}" if need.what else ""
            yield Fault(
                need.path,
                f"{role.id} lacks {', '.join(missing)}{where}, without which it cannot {need.purpose}; allow them",
            )


def _by_other_services(template: Template, role: Resource, need: Need) -> list[str]:
    """The actions on a key that a role may only use by way of other services than the one that asks for it."""
    if not need.service or managed_actions(template, role) is None:
        return []
    return [action for action in need.actions if not _by_service(template, role, action, need.service)]


def _by_service(template: Template, role: Resource, action: str, service: str) -> bool:
    for statement in statements_of(template, role):
        if may_do(statement, action):
            services = [
                canonical(value)
                for operator, key, value in statement.conditions()
                if key == "kms:viaservice" and "Not" not in operator
            ]
            if not services or any(text.startswith((f"{service}.", "*", "${")) for text in services):
                return True
    return False


# Type -> what the variables of a function that name one of them are for.
_SERVICES = {BUCKET: "s3", TABLE: "dynamodb", QUEUE: "sqs", TOPIC: "sns"}


def _unusable(template: Template) -> Iterator[Fault]:
    for function in template.of_type(FUNCTION):
        role = template.find(ROLE, function.properties.get("Role"))
        if role is None or managed_actions(template, role) is None:
            continue
        named = mapping(mapping(function.properties.get("Environment")).get("Variables"))
        for name, value in named.items():
            used = _named(template, value)
            if used is not None and not _is_allowed(template, role, used):
                yield Fault(
                    function.at("Environment", "Variables", str(name)),
                    f"names {used.id}, but {role.id} allows no action of {_SERVICES[used.type]} on it; "
                    "allow what the function calls, or remove the variable",
                )


def _named(template: Template, value: object) -> Resource | None:
    """The table, bucket, queue or topic whose name, ARN or URL a variable is."""
    text = template.resolved(value)
    for kind in _SERVICES:
        if found := template.find(kind, value):
            return found
    queues = {name: queue for queue in template.of_type(QUEUE) for name in (queue.id, f"{queue.id}.QueueUrl")}
    return queues.get(text.removeprefix("${").removesuffix("}"))


def _is_allowed(template: Template, role: Resource, used: Resource) -> bool:
    arn = template.arn_of(used)
    return any(
        _has_action(statement, _SERVICES[used.type])
        and (
            covers(template, statement, arn)
            or covers(template, statement, f"{arn}/key")
            or _is_part(template, statement, arn)
        )
        for statement in statements_of(template, role)
    )


def _has_action(statement: Statement, service: str) -> bool:
    actions = [canonical(action).lower() for _, action in statement.listed("Action")]
    return "NotAction" in statement.body or any(action == "*" or action.startswith(f"{service}:") for action in actions)


def _is_part(template: Template, statement: Statement, arn: str) -> bool:
    """True if a statement names objects of a bucket, or an index of a table."""
    return any(template.resolved(value).startswith(f"{arn}/") for _, value in statement.listed("Resource"))


RULES = (
    Rule(
        "E9529",
        "Role without the actions that a configuration needs",
        "A VPC, traces, a stream, a key, a backup: each needs actions in the role, and fails or loses data without.",
        # AWS Lambda Developer Guide, "Defining Lambda function permissions with an execution role", read 2026-12
        "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
        _missing,
        absence=True,
    ),
    Rule(
        "E9530",
        "Environment variable of a resource that the role does not allow",
        "The function has the name of a table, bucket, queue or topic, but every call to it is denied.",
        # AWS Lambda Developer Guide, "Defining Lambda function permissions with an execution role", read 2026-12
        "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
        _unusable,
        absence=True,
    ),
)
