"""The rule of the roles that this project renders: exactly what the functions' code calls, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates import promises
from imgpipe_templates.checks.deliveries import NOTIFIER
from imgpipe_templates.checks.model import Fault, Rule
from imgpipe_templates.checks.needs import MAPPING, TO_RECEIVE
from imgpipe_templates.checks.policies import Statement, is_denied, lacks, may_do, statements_of, to_everybody
from imgpipe_templates.checks.template import BUCKET, FUNCTION, QUEUE, ROLE, TABLE, TOPIC, Resource, Template
from imgpipe_templates.checks.values import canonical, entries, mapping

NOTIFIER_FUNCTION = "S3NotificationLambda"
# Function -> variable -> what its code does with the resource that the variable names (tests/contract compares the code
# with the policies, tests/checks with what every option renders).
CALLS = {
    "ImageProcessorFunction": {
        "SOURCE_BUCKET": ("s3:GetObject", "s3:GetObjectVersion"),
        "THUMBNAIL_BUCKET": ("s3:PutObject",),
        "METADATA_TABLE": ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
        "SNS_TOPIC_ARN": ("sns:Publish",),
    },
    "ImageRetrievalFunction": {
        "SOURCE_BUCKET": ("s3:GetObject", "s3:GetObjectVersion"),
        "THUMBNAIL_BUCKET": ("s3:GetObject",),
        "METADATA_TABLE": ("dynamodb:GetItem",),
        "INDEXES": ("dynamodb:Query",),
    },
    NOTIFIER_FUNCTION: {},
}
_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
_TRACES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
_KEYS = ("kms:Decrypt", "kms:GenerateDataKey")
# The helper's lock on a bucket's notifications: a parameter with the bucket's name.
_TO_LOCK = ("ssm:DeleteParameter", "ssm:GetParameter", "ssm:PutParameter")
_LOCK = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/imgpipe/bucket-notifications/"
_KINDS = (BUCKET, TABLE, TOPIC)


def _other_than_called(template: Template) -> Iterator[Fault]:
    # What a function is told of may be in another stack.
    for function in template.of_type(FUNCTION) if promises.is_whole(template.body) else ():
        role = template.find(ROLE, function.properties.get("Role"))
        if function.id in CALLS and role is not None:
            yield from _too_few(template, function, role)
            yield from _too_many(template, function, role)


def _variables(function: Resource) -> dict[str, object]:
    return dict(mapping(mapping(function.properties.get("Environment")).get("Variables")))


def _used(template: Template, function: Resource) -> Iterator[tuple[Resource, str, str, tuple[str, ...]]]:
    """Each resource that a function is told of, the variable, an ARN to ask for, and what the code calls there."""
    variables = _variables(function)
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


def _too_few(template: Template, function: Resource, role: Resource) -> Iterator[Fault]:
    for name, value in _variables(function).items():
        if name in CALLS[function.id] and name.isupper() and name != "INDEXES":
            text = template.resolved(value)
            if text.startswith("arn:") != (name in _BY_ARN) and "${(" not in text:
                wanted = "an ARN" if name in _BY_ARN else "a name"
                yield Fault(function.at("Environment", "Variables", name), f"is {text!r}; the code expects {wanted}")
    for resource, name, arn, actions in _used(template, function):
        missing = [action for action in actions if _lacks(template, role, action, resource, arn)]
        if missing:
            yield Fault(
                function.at("Environment", "Variables", name),
                f"the code calls {', '.join(missing)} on {resource.id}, which {role.id} lacks; allow it",
            )
    for notifier in _notifiers(template, function):
        missing = lacks(template, role, _TO_LOCK, _LOCK + template.resolved(notifier.properties.get("BucketName")))
        if missing:
            yield Fault(
                notifier.at("BucketName"),
                f"the code's lock calls {', '.join(missing)}, which {role.id} lacks; allow it",
            )


def _notifiers(template: Template, function: Resource) -> Iterator[Resource]:
    for notifier in template.of_type(NOTIFIER):
        if template.find(FUNCTION, notifier.properties.get("ServiceToken")) is function:
            yield notifier


# Variables with a name, and those with an ARN.
_BY_ARN = ("SNS_TOPIC_ARN",)


def _lacks(template: Template, role: Resource, action: str, resource: Resource, arn: str) -> bool:
    if resource.type != BUCKET:
        return bool(lacks(template, role, (action,), arn))
    # Which of a bucket's objects is for the configuration to say; some must be allowed.
    denials = [*statements_of(template, role, "Deny"), *to_everybody(template)]
    return is_denied(template, denials, action, f"{arn}/key") or not any(
        may_do(statement, action) and template.resolved(value).startswith(f"{arn}/")
        for statement in statements_of(template, role)
        for _, value in statement.listed("Resource")
    )


def _too_many(template: Template, function: Resource, role: Resource) -> Iterator[Fault]:
    explained = _explained(template, function)
    for statement in _own_statements(template, role):
        for path, value in statement.listed("Action"):
            action = canonical(value)
            if action in explained and _is_about(template, statement, explained[action]):
                continue
            if "*" not in action:  # E9551 says that
                yield Fault(
                    path,
                    f"{function.id} does not call {action} as it is configured; take it out of {statement.owner.id}",
                )


def _own_statements(template: Template, role: Resource) -> Iterator[Statement]:
    """The statements of the role itself and of the policies it names; what others attach to it is theirs to explain."""
    named = {canonical(arn) for _, arn in entries(role.properties.get("ManagedPolicyArns"))}
    for statement in statements_of(template, role):
        if statement.owner is role or canonical({"Ref": statement.owner.id}) in named:
            yield statement


def _explained(template: Template, function: Resource) -> dict[str, set[str]]:
    """Action -> ARNs of what the configuration explains it for; empty for an action on anything."""
    found: dict[str, set[str]] = {action: set() for action in (*_LOGS, *_KEYS)}
    if canonical(mapping(function.properties.get("TracingConfig")).get("Mode")) == "Active":
        found |= {action: set() for action in _TRACES}
    if "VpcConfig" in function.properties:
        found |= {action: set() for action in _IN_VPC}
    for notifier in _notifiers(template, function):
        found |= {action: set() for action in ("s3:GetBucketNotification", "s3:PutBucketNotification")}
        for action in _TO_LOCK:
            found.setdefault(action, set()).add(_LOCK + template.resolved(notifier.properties.get("BucketName")))
    explained = (
        *((actions, resource) for resource, _, _, actions in _used(template, function)),
        *((("sqs:SendMessage",), queue) for queue in _failures_to(template, function)),
        *((TO_RECEIVE, queue) for queue in _fed_by(template, function)),
    )
    for actions, resource in explained:
        for action in actions:
            found.setdefault(action, set()).add(template.arn_of(resource))
    return found


_IN_VPC = tuple(
    f"ec2:{name}"
    for name in (
        *("AssignPrivateIpAddresses", "CreateNetworkInterface", "DeleteNetworkInterface"),
        *("DescribeNetworkInterfaces", "DescribeSubnets", "UnassignPrivateIpAddresses"),
    )
)


def _fed_by(template: Template, function: Resource) -> Iterator[Resource]:
    for mapped in template.of_type(MAPPING):
        queue = template.find(QUEUE, mapped.properties.get("EventSourceArn"))
        if queue is not None and template.find(FUNCTION, mapped.properties.get("FunctionName")) is function:
            yield queue


def _failures_to(template: Template, function: Resource) -> Iterator[Resource]:
    """The queues to which Lambda sends a function's failed events with its role."""
    configs = [
        mapping(config.properties.get("DestinationConfig"))
        for config in template.of_type("AWS::Lambda::EventInvokeConfig")
        if template.find(FUNCTION, config.properties.get("FunctionName")) is function
    ]
    last = mapping(function.properties.get("DeadLetterConfig")).get("TargetArn")
    for target in (last, *(mapping(config.get("OnFailure")).get("Destination") for config in configs)):
        if target is not None and (queue := template.find(QUEUE, target)):
            yield queue


def _is_about(template: Template, statement: Statement, arns: set[str]) -> bool:
    if not arns:
        return True
    named = [template.resolved(value) for _, value in statement.listed("Resource")]
    return all(text.startswith((*arns, "${")) for text in named)


RULES = (
    Rule(
        "E9592",
        "Role of this project with more or fewer actions than its code calls",
        "The functions' calls are known: one action less fails when it runs, one more helps only an attacker.",
        # IAM User Guide, "Security best practices in IAM", "Apply least-privilege permissions", read 2026-12
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
        _other_than_called,
        convention=True,
    ),
)
