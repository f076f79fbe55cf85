"""Rules about who may become a role, what a role lacks for its use, and for whom a service may act."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imgpipe_templates.checks.deliveries import SENDS_NO_SOURCE, deliveries, policy_statements
from imgpipe_templates.checks.model import Fault, Path, Rule
from imgpipe_templates.checks.needs import TO_SEND
from imgpipe_templates.checks.policies import (
    Statement,
    is_about,
    lacks,
    lets_in,
    may_do,
    resource_statements,
    statements,
    statements_of,
)
from imgpipe_templates.checks.template import (
    FUNCTION,
    KEY,
    QUEUE,
    ROLE,
    RULE,
    TABLE,
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, entries, mapping, places, split_arn

# Type -> places of a role in its properties (a * is every entry of a list), and the service that takes it on.
_USES = {
    FUNCTION: [("Role", "lambda")],
    "AWS::ApiGateway::Authorizer": [("AuthorizerCredentials", "apigateway")],
    "AWS::ApiGateway::Method": [("Integration.Credentials", "apigateway")],
    "AWS::ApiGatewayV2::Authorizer": [("AuthorizerCredentialsArn", "apigateway")],
    "AWS::ApiGatewayV2::Integration": [("CredentialsArn", "apigateway")],
    "AWS::Backup::BackupSelection": [("BackupSelection.IamRoleArn", "backup")],
    "AWS::EC2::FlowLog": [("DeliverLogsPermissionArn", "vpc-flow-logs")],
    RULE: [("RoleArn", "events"), ("Targets.*.RoleArn", "events")],
    "AWS::Pipes::Pipe": [("RoleArn", "pipes")],
    "AWS::S3::Bucket": [("ReplicationConfiguration.Role", "s3")],
    "AWS::Scheduler::Schedule": [("Target.RoleArn", "scheduler")],
    "AWS::StepFunctions::StateMachine": [("RoleArn", "states")],
}
# IAM User Guide, "AWS JSON policy elements: Principal", read 2026-11.
_PRINCIPAL_KINDS = ("AWS", "CanonicalUser", "Federated", "Service")

# Condition keys by which a policy says for whom a service may act (IAM User Guide, "AWS global condition context keys"
# and AWS KMS Developer Guide, "AWS KMS condition keys"; read 2026-11).
_FOR_WHOM = (
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "kms:calleraccount",
    "kms:viaservice",
)
_CONTEXT = "kms:encryptioncontext:"
_WITHOUT_SOURCE = tuple(
    (owner, SENDS_NO_SOURCE[0]) for owner in (KEY, "AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy")
)


def _wrong_trust(template: Template) -> Iterator[Fault]:
    for user in template.of_type(*_USES):
        for place, name in _USES[user.type]:
            for path, value in places(user.at(), user.properties, place.split(".")):
                role = template.find(ROLE, value)
                if role is not None and not _trusts(template, role, f"{name}.amazonaws.com"):
                    yield Fault(
                        role.at("AssumeRolePolicyDocument"),
                        f"{name}.amazonaws.com may not assume {role.id}, which {user.id} gives it "
                        f"({'.'.join(str(part) for part in path[3:])}); name that service as Principal of the trust",
                    )


def _trusts(template: Template, role: Resource, service: str) -> bool:
    document = role.properties.get("AssumeRolePolicyDocument")
    return any(
        lets_in(template, statement, service, "sts:AssumeRole", None)
        for statement in statements(role, role.at("AssumeRolePolicyDocument"), document)
    )


def _nobody(template: Template) -> Iterator[Fault]:
    found = [*resource_statements(template), *resource_statements(template, effect="Deny")]
    for role in template.of_type(ROLE):
        path = role.at("AssumeRolePolicyDocument")
        found += statements(role, path, role.properties.get("AssumeRolePolicyDocument"))
    for statement in found:
        for kind, path, value in statement.principals():
            text = canonical(value)
            if kind and kind not in _PRINCIPAL_KINDS:
                yield Fault(path, f"IAM knows no principals of kind {kind!r}; use one of {', '.join(_PRINCIPAL_KINDS)}")
            elif not kind and text != "*":
                yield Fault(path, f"{text!r} alone is no principal; write it as AWS: or as Service: {text}")
            elif kind == "Service" and text != "*" and "${" not in text and not _is_service(text):
                yield Fault(path, f"{text!r} is no service; service principals look like lambda.amazonaws.com")


def _is_service(text: str) -> bool:
    name, _, domain = text.partition(".amazonaws.com")
    return bool(name) and domain in ("", ".cn") and text != name


def _for_anybody(template: Template) -> Iterator[Fault]:
    for statement in resource_statements(template):
        keys = {key for _, key, _ in statement.conditions()}
        if keys & set(_FOR_WHOM) or any(key.startswith(_CONTEXT) for key in keys):
            continue
        for kind, path, value in statement.principals():
            service = canonical(value)
            # EventBridge passes no source on to a topic or its key: E9504, E9557.
            if kind == "Service" and (statement.owner.type, service) not in _WITHOUT_SOURCE:
                yield Fault(
                    path,
                    f"{statement.name} lets {service} in for whatever account uses it; add a Condition on "
                    "aws:SourceAccount or aws:SourceArn",
                )
    for permission in template.of_type("AWS::Lambda::Permission"):
        properties = permission.properties
        principal = canonical(properties.get("Principal"))
        narrowed = ("SourceArn", "SourceAccount", "PrincipalOrgID", "EventSourceToken")
        if principal.endswith(".amazonaws.com") and not any(key in properties for key in narrowed):
            yield Fault(
                permission.at("Principal"),
                f"lets {principal} invoke the function for whatever account uses it; add SourceArn or SourceAccount",
            )


def _unsent(template: Template) -> Iterator[Fault]:
    for holder, path, value, by in _destinations(template):
        role = template.find(ROLE, by)
        target = next((found for kind in TO_SEND if (found := template.find(kind, value))), None)
        if role is None or target is None:
            continue
        action = TO_SEND[target.type]
        if lacks(template, role, (action,), template.arn_of(target)):
            yield Fault(
                path, f"{role.id} lacks {action} on {target.id}, so that what {holder.id} sends there is lost; allow it"
            )


def _destinations(template: Template) -> Iterator[tuple[Resource, Path, Any, Any]]:
    """Holder, path and value of every target that is sent to with a role, and the role."""
    for function in template.of_type(FUNCTION):
        target = mapping(function.properties.get("DeadLetterConfig")).get("TargetArn")
        if target is not None:
            yield function, function.at("DeadLetterConfig", "TargetArn"), target, function.properties.get("Role")
    for holder in template.of_type("AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping"):
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


def _for_any_source(template: Template) -> Iterator[Fault]:
    """Faults of queues that a service may fill for any source of the account, though the template knows the one."""
    for delivery in deliveries(template):
        if delivery.target.type != QUEUE or delivery.source_arn is None:
            continue
        for statement in policy_statements(template, delivery.target) or ():
            named = [value for _, key, value in statement.conditions() if key == "aws:sourcearn"]
            wide = [value for value in named if "*" in template.resolved(value)]
            if is_about(statement, delivery.service) and (wide or not named):
                yield Fault(
                    statement.path,
                    f"{statement.name} allows {delivery.service} to send for every source of the account; "
                    f"add a Condition on aws:SourceArn with the ARN of {delivery.source.id}",
                )


_QUESTIONS = ("dynamodb:Query", "dynamodb:Scan")
_BY_KEY = (
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchGetItem",
)


def _indexes(template: Template) -> Iterator[Fault]:
    for role in template.of_type(ROLE):
        found = list(statements_of(template, role))
        for table in template.of_type(TABLE):
            yield from _table_without_index(template, role, table, found)
        for statement in found:
            for path, value in statement.listed("Resource"):
                yield from _index_faults(template, statement, path, template.resolved(value))


def _table_without_index(
    template: Template, role: Resource, table: Resource, found: list[Statement]
) -> Iterator[Fault]:
    """The fault of Query on a table that can only be asked by way of an index, because its key has one part."""
    if not table.properties.get("GlobalSecondaryIndexes") or len(list(entries(table.properties.get("KeySchema")))) != 1:
        return
    arn = template.arn_of(table)
    asking = [statement for statement in found if may_do(statement, "dynamodb:Query")]
    named = [(path, template.resolved(value)) for statement in asking for path, value in statement.listed("Resource")]
    on_table = [path for path, text in named if text == arn]
    if on_table and not any(text == "*" or text.startswith(f"{arn}/") or text == f"{arn}*" for _, text in named):
        yield Fault(
            on_table[0],
            f"{role.id} may query {table.id}, which is found by one key, and none of its indexes; "
            f"name the index too, as ${{{table.id}.Arn}}/index/<name>",
        )


def _index_faults(template: Template, statement: Statement, path: Path, text: str) -> Iterator[Fault]:
    parts = split_arn(text)
    if parts is None or "/index/" not in parts[5]:
        return
    arn, _, index = text.rpartition("/index/")
    table = template.find(TABLE, {"Fn::Sub": arn})
    if table is None:
        return
    wrong = [action for action in _BY_KEY if may_do(statement, action)]
    if wrong and not any(may_do(statement, action) for action in _QUESTIONS):
        yield Fault(path, f"an index takes no {', '.join(wrong)}; name the table, or allow dynamodb:Query")
    indexes = [
        canonical(mapping(entry).get("IndexName"))
        for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
        for _, entry in entries(table.properties.get(kind))
    ]
    if "*" not in index and "${" not in index and index not in indexes:
        yield Fault(path, f"{table.id} has no index {index!r}; it has {', '.join(indexes) or 'none'}")


RULES = (
    Rule(
        "E9552",
        "Role that the service which uses it may not assume",
        "The trust names another service: the function, the API, the backup or the rule fails when it starts.",
        # AWS Lambda Developer Guide, "Defining Lambda function permissions with an execution role", read 2026-11
        "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
        _wrong_trust,
    ),
    Rule(
        "E9553",
        "Principal that is nobody",
        "A policy with an unknown kind of principal, or a service that does not exist, is refused at deployment.",
        # IAM User Guide, "AWS JSON policy elements: Principal", read 2026-11
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
        _nobody,
    ),
    Rule(
        "E9554",
        "Service let in for whomever it acts",
        "Without a condition on the source, a service can be made to use the resource by another account.",
        # IAM User Guide, "The confused deputy problem", read 2026-11
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
        _for_anybody,
    ),
    Rule(
        "E9559",
        "Queue open to every source of the account",
        "Any other rule or bucket of the account can send messages that the consumer of the queue does not expect.",
        # IAM User Guide, "The confused deputy problem", read 2026-12
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
        _for_any_source,
        convention=True,
    ),
    Rule(
        "E9555",
        "Target that the sender's role may not send to",
        "Lambda sends dead letters and results with the function's own role, a rule with the role of its target.",
        # AWS Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations", read 2026-11
        "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html",
        _unsent,
        absence=True,
    ),
    Rule(
        "E9556",
        "Table queried without its index, or an index that is not there",
        "An index is a resource of its own: a query of it is denied where only the table is allowed.",
        # Amazon DynamoDB Developer Guide, "IAM policy to grant access to a specific table and its indexes",
        # read 2026-11
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/iam-policy-specific-table-indexes.html",
        _indexes,
    ),
)
