"""Rules about service principals: trust policies of roles, unknown principals, conditions on the source."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates.checks.facts.allowed_actions import allows_service, names_service
from imgpipe_templates.checks.facts.expressions import canonical, values_at
from imgpipe_templates.checks.facts.invocations import PERMISSION
from imgpipe_templates.checks.facts.policy_statements import resource_statements, statements_in
from imgpipe_templates.checks.facts.service_deliveries import SENDS_NO_SOURCE, deliveries, target_statements
from imgpipe_templates.checks.facts.template import FUNCTION, KEY, QUEUE, ROLE, RULE, Resource, Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule

# Type -> paths of roles in its properties (* means every entry of a list), and the service that assumes the role.
_ROLE_PROPERTIES = {
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

# Condition keys on the source for which a service acts (IAM User Guide, "AWS global condition context keys"
# and AWS KMS Developer Guide, "AWS KMS condition keys"; read 2026-11).
_SOURCE_KEYS = (
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "kms:calleraccount",
    "kms:viaservice",
)
_ENCRYPTION_CONTEXT = "kms:encryptioncontext:"
_WITHOUT_SOURCE = tuple(
    (owner, SENDS_NO_SOURCE[0]) for owner in (KEY, "AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy")
)


@template_rule(
    "E9552",
    "Service cannot assume the role",
    "The trust policy names another service: the function, API, backup or rule fails when it starts.",
    # AWS Lambda Developer Guide, "Defining Lambda function permissions with an execution role", read 2026-11
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
)
def service_cannot_assume_role(template: Template) -> Iterator[Violation]:
    for user in template.of_type(*_ROLE_PROPERTIES):
        for key, name in _ROLE_PROPERTIES[user.type]:
            for path, value in values_at(user.at(), user.properties, key.split(".")):
                role = template.find(ROLE, value)
                if role is not None and not _trusts(template, role, f"{name}.amazonaws.com"):
                    yield Violation(
                        role.at("AssumeRolePolicyDocument"),
                        f"{name}.amazonaws.com cannot assume {role.id}, the role of {user.id} "
                        f"({'.'.join(str(part) for part in path[3:])}); add that service to the Principal of the "
                        "trust policy",
                    )


def _trusts(template: Template, role: Resource, service: str) -> bool:
    document = role.properties.get("AssumeRolePolicyDocument")
    return any(
        allows_service(template, statement, service, "sts:AssumeRole", None)
        for statement in statements_in(role, role.at("AssumeRolePolicyDocument"), document)
    )


@template_rule(
    "E9553",
    "Unknown principal",
    "IAM rejects a policy with an unknown kind of principal or an unknown service.",
    # IAM User Guide, "AWS JSON policy elements: Principal", read 2026-11
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
)
def unknown_principal(template: Template) -> Iterator[Violation]:
    found = [*resource_statements(template), *resource_statements(template, effect="Deny")]
    for role in template.of_type(ROLE):
        path = role.at("AssumeRolePolicyDocument")
        found += statements_in(role, path, role.properties.get("AssumeRolePolicyDocument"))
    for statement in found:
        for kind, path, value in statement.principals():
            text = canonical(value)
            if kind and kind not in _PRINCIPAL_KINDS:
                yield Violation(
                    path, f"{kind!r} is an unknown kind of principal; use one of {', '.join(_PRINCIPAL_KINDS)}"
                )
            elif not kind and text != "*":
                yield Violation(
                    path, f"{text!r} is no principal without its kind; write it as AWS: or as Service: {text}"
                )
            elif kind == "Service" and text != "*" and "${" not in text and not _is_service(text):
                yield Violation(path, f"{text!r} is no service principal; use a name such as lambda.amazonaws.com")


def _is_service(text: str) -> bool:
    name, _, domain = text.partition(".amazonaws.com")
    return bool(name) and domain in ("", ".cn") and text != name


@template_rule(
    "E9554",
    "Service principal without source condition (confused deputy)",
    "Without a condition on the source, another account can make the service use the resource.",
    # IAM User Guide, "The confused deputy problem", read 2026-11
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
)
def service_principal_without_source_condition(template: Template) -> Iterator[Violation]:
    for statement in resource_statements(template):
        keys = {key for _, key, _ in statement.conditions()}
        if keys & set(_SOURCE_KEYS) or any(key.startswith(_ENCRYPTION_CONTEXT) for key in keys):
            continue
        for kind, path, value in statement.principals():
            service = canonical(value)
            # EventBridge passes no source to a topic or its key: E9504, E9557.
            if kind == "Service" and (statement.owner.type, service) not in _WITHOUT_SOURCE:
                yield Violation(
                    path,
                    f"{statement.name} allows {service} for every account; add a Condition on aws:SourceAccount or "
                    "aws:SourceArn",
                )
    for permission in template.of_type(PERMISSION):
        properties = permission.properties
        principal = canonical(properties.get("Principal"))
        source_keys = ("SourceArn", "SourceAccount", "PrincipalOrgID", "EventSourceToken")
        if principal.endswith(".amazonaws.com") and not any(key in properties for key in source_keys):
            # EventBridge cannot invoke a function whose permission has SourceAccount (Amazon EventBridge User Guide,
            # "Troubleshooting Amazon EventBridge", read 2026-12).
            remedy = "SourceArn" if principal == "events.amazonaws.com" else "SourceArn or SourceAccount"
            yield Violation(
                permission.at("Principal"),
                f"allows {principal} to invoke the function for every account; add {remedy}",
            )


@template_rule(
    "E9559",
    "Queue policy that allows every source of the account",
    "Any rule or bucket of the account can send messages that the consumer of the queue does not expect.",
    # IAM User Guide, "The confused deputy problem", read 2026-12
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
    convention=True,
)
def queue_open_to_every_source(template: Template) -> Iterator[Violation]:
    for delivery in deliveries(template):
        if delivery.target.type != QUEUE or delivery.source_arn is None:
            continue
        for statement in target_statements(template, delivery.target) or ():
            sources = [value for _, key, value in statement.conditions() if key == "aws:sourcearn"]
            wide = [value for value in sources if "*" in template.resolved(value)]
            if names_service(statement, delivery.service) and (wide or not sources):
                yield Violation(
                    statement.path,
                    f"{statement.name} allows {delivery.service} for every source of the account; add a "
                    f"Condition on aws:SourceArn with the ARN of {delivery.source.id}",
                )
