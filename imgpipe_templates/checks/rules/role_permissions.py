"""Rules about actions that roles lack: for configurations, variables, targets and indexes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imgpipe_templates.checks.facts.allowed_actions import (
    covers_action,
    covers_resource,
    managed_actions,
    missing_actions,
)
from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping, split_arn
from imgpipe_templates.checks.facts.invocations import EVENT_SOURCE_MAPPING
from imgpipe_templates.checks.facts.policy_statements import Statement, role_statements
from imgpipe_templates.checks.facts.project_functions import environment_variables
from imgpipe_templates.checks.facts.role_requirements import SEND_ACTIONS, Requirement, role_requirements
from imgpipe_templates.checks.facts.template import (
    BUCKET,
    FUNCTION,
    QUEUE,
    ROLE,
    RULE,
    TABLE,
    TOPIC,
    Resource,
    Template,
)
from imgpipe_templates.checks.findings import Path, Violation
from imgpipe_templates.checks.rule import template_rule


@template_rule(
    "E9529",
    "Role without the actions that a configuration requires",
    "A VPC, traces, a stream, a key or a backup requires actions in the role; without them it fails or loses data.",
    # AWS Lambda Developer Guide, "Defining Lambda function permissions with an execution role", read 2026-12
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
    absence=True,
)
def role_lacks_required_actions(template: Template) -> Iterator[Violation]:
    for requirement in role_requirements(template):
        role = template.find(ROLE, requirement.role)
        if role is None or requirement.reported_elsewhere:
            continue
        missing = missing_actions(template, role, requirement.actions, requirement.arn)
        missing = missing or _limited_to_other_services(template, role, requirement)
        if missing:
            resource = f" on {requirement.resource}" if requirement.resource else ""
            yield Violation(
                requirement.path,
                f"{role.id} lacks {', '.join(missing)}{resource} and cannot {requirement.purpose}; allow them",
            )


def _limited_to_other_services(template: Template, role: Resource, requirement: Requirement) -> list[str]:
    """Return the actions on a key that a role can use only through services other than the required one."""
    if not requirement.service or managed_actions(template, role) is None:
        return []
    return [
        action for action in requirement.actions if not _allows_through(template, role, action, requirement.service)
    ]


def _allows_through(template: Template, role: Resource, action: str, service: str) -> bool:
    for statement in role_statements(template, role):
        if covers_action(statement, action):
            services = [
                canonical(value)
                for operator, key, value in statement.conditions()
                if key == "kms:viaservice" and "Not" not in operator
            ]
            if not services or any(text.startswith((f"{service}.", "*", "${")) for text in services):
                return True
    return False


# Type -> service of the calls to a resource in a function's variable.
_SERVICES = {BUCKET: "s3", TABLE: "dynamodb", QUEUE: "sqs", TOPIC: "sns"}


@template_rule(
    "E9530",
    "Environment variable for a resource without permission",
    "The function has the name of a table, bucket, queue or topic, but IAM denies every call to it.",
    # AWS Lambda Developer Guide, "Defining Lambda function permissions with an execution role", read 2026-12
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
    absence=True,
)
def variable_without_permission(template: Template) -> Iterator[Violation]:
    for function in template.of_type(FUNCTION):
        role = template.find(ROLE, function.properties.get("Role"))
        if role is None or managed_actions(template, role) is None:
            continue
        for name, value in environment_variables(function).items():
            used = _resource_in(template, value)
            if used is not None and not _is_allowed(template, role, used):
                yield Violation(
                    function.at("Environment", "Variables", str(name)),
                    f"{role.id} allows no action of {_SERVICES[used.type]} on {used.id}; allow the function's calls, "
                    "or remove the variable",
                )


def _resource_in(template: Template, value: object) -> Resource | None:
    """Return the table, bucket, queue or topic whose name, ARN or URL is a variable's value."""
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
            covers_resource(template, statement, arn)
            or covers_resource(template, statement, f"{arn}/key")
            or _is_part(template, statement, arn)
        )
        for statement in role_statements(template, role)
    )


def _has_action(statement: Statement, service: str) -> bool:
    actions = [canonical(action).lower() for _, action in statement.listed("Action")]
    return "NotAction" in statement.body or any(action == "*" or action.startswith(f"{service}:") for action in actions)


def _is_part(template: Template, statement: Statement, arn: str) -> bool:
    """True if a statement has objects of a bucket, or an index of a table, as its resource."""
    return any(template.resolved(value).startswith(f"{arn}/") for _, value in statement.listed("Resource"))


@template_rule(
    "E9555",
    "Sender's role cannot send to its target",
    "Lambda sends dead letters and results with the function's role, a rule sends with the role of its target.",
    # AWS Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations", read 2026-11
    "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html",
    absence=True,
)
def sender_role_lacks_permission(template: Template) -> Iterator[Violation]:
    for holder, path, value, role_value in _destinations(template):
        role = template.find(ROLE, role_value)
        target = next((found for kind in SEND_ACTIONS if (found := template.find(kind, value))), None)
        if role is None or target is None:
            continue
        action = SEND_ACTIONS[target.type]
        if missing_actions(template, role, (action,), template.arn_of(target)):
            yield Violation(
                path, f"{role.id} lacks {action} on {target.id}, so messages of {holder.id} are lost; allow it"
            )


def _destinations(template: Template) -> Iterator[tuple[Resource, Path, Any, Any]]:
    """Yield holder, path and value of every target of a delivery with a role, and the role."""
    for function in template.of_type(FUNCTION):
        target = mapping(function.properties.get("DeadLetterConfig")).get("TargetArn")
        if target is not None:
            yield function, function.at("DeadLetterConfig", "TargetArn"), target, function.properties.get("Role")
    for holder in template.of_type("AWS::Lambda::EventInvokeConfig", EVENT_SOURCE_MAPPING):
        function_of = template.find(FUNCTION, holder.properties.get("FunctionName"))
        for outcome in ("OnFailure", "OnSuccess"):
            target = mapping(mapping(holder.properties.get("DestinationConfig")).get(outcome)).get("Destination")
            if target is not None and function_of is not None:
                path = holder.at("DestinationConfig", outcome, "Destination")
                yield holder, path, target, function_of.properties.get("Role")
    for rule in template.of_type(RULE):
        for position, entry in entries(rule.properties.get("Targets")):
            target = mapping(entry)
            if "RoleArn" in target:
                yield rule, rule.at("Targets", *position, "Arn"), target.get("Arn"), target["RoleArn"]


_QUERY_ACTIONS = ("dynamodb:Query", "dynamodb:Scan")

_ITEM_ACTIONS = (
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchGetItem",
)


@template_rule(
    "E9556",
    "Query without index permission, or unknown index",
    "An index has its own ARN: IAM denies a query of it if the policy names the table only.",
    # Amazon DynamoDB Developer Guide, "IAM policy to grant access to a specific table and its indexes",
    # read 2026-11
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/iam-policy-specific-table-indexes.html",
)
def index_without_permission(template: Template) -> Iterator[Violation]:
    for role in template.of_type(ROLE):
        found = list(role_statements(template, role))
        for table in template.of_type(TABLE):
            yield from _table_without_index(template, role, table, found)
        for statement in found:
            for path, value in statement.listed("Resource"):
                yield from _index_violations(template, statement, path, template.resolved(value))


def _table_without_index(
    template: Template, role: Resource, table: Resource, found: list[Statement]
) -> Iterator[Violation]:
    """Report dynamodb:Query on a table that only its indexes can serve, because its key has one attribute."""
    if not table.properties.get("GlobalSecondaryIndexes") or len(list(entries(table.properties.get("KeySchema")))) != 1:
        return
    arn = template.arn_of(table)
    querying = [statement for statement in found if covers_action(statement, "dynamodb:Query")]
    resources = [
        (path, template.resolved(value)) for statement in querying for path, value in statement.listed("Resource")
    ]
    on_table = [path for path, text in resources if text == arn]
    if on_table and not any(text == "*" or text.startswith(f"{arn}/") or text == f"{arn}*" for _, text in resources):
        yield Violation(
            on_table[0],
            f"{role.id} can query {table.id}, whose key has one attribute, but none of its indexes; add the resource "
            f"${{{table.id}.Arn}}/index/<name>",
        )


def _index_violations(template: Template, statement: Statement, path: Path, text: str) -> Iterator[Violation]:
    parts = split_arn(text)
    if parts is None or "/index/" not in parts[5]:
        return
    arn, _, index = text.rpartition("/index/")
    table = template.find(TABLE, {"Fn::Sub": arn})
    if table is None:
        return
    wrong = [action for action in _ITEM_ACTIONS if covers_action(statement, action)]
    if wrong and not any(covers_action(statement, action) for action in _QUERY_ACTIONS):
        yield Violation(
            path, f"an index does not support {', '.join(wrong)}; use the ARN of the table, or allow dynamodb:Query"
        )
    indexes = [
        canonical(mapping(entry).get("IndexName"))
        for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
        for _, entry in entries(table.properties.get(kind))
    ]
    if "*" not in index and "${" not in index and index not in indexes:
        yield Violation(path, f"{table.id} has no index {index!r}; use one of: {', '.join(indexes) or 'none'}")
