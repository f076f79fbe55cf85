"""The rule about wildcards in actions, resources and principals."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates.checks.facts.expressions import canonical, split_arn
from imgpipe_templates.checks.facts.policy_statements import Statement, identity_statements, resource_statements
from imgpipe_templates.checks.facts.service_authorization import resource_kinds
from imgpipe_templates.checks.facts.template import Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule

# Actions that need `*` although the reference lists resources for them -> the condition key that limits them; a
# convention requires it.
CONDITION_KEYS = {
    # CloudWatch User Guide, "Using condition keys to limit access to CloudWatch namespaces", read 2026-11
    "cloudwatch:PutMetricData": "cloudwatch:namespace",
}
# Actions that need `*` although the reference lists a resource for them, because that resource is optional.
# cloudwatch:GetMetricData: metrics are no resources; a dataset is one only in requests for a dataset (AWS Managed
# Policy Reference, "AWSBackupServiceRolePolicyForS3Backup", has it on `*`; read 2026-11).
OPTIONAL_RESOURCES = frozenset({"cloudwatch:GetMetricData"})
# Actions of a function in a VPC (AWS Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon
# VPC", read 2026-11). Only the Describe actions need `*`; the AWS managed policy has it for all of them.
_NETWORK = frozenset(
    {
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:UnassignPrivateIpAddresses",
    }
)

# Condition keys about the resource of a request (IAM User Guide, "AWS global condition context keys",
# read 2026-12). The other global keys are about the caller and the connection; a service's own keys are about the
# request.
_RESOURCE_KEYS = ("aws:resource", "aws:requesttag/", "aws:tagkeys", "aws:calledvia", "aws:source")
_CALLER_KEYS = ("aws:sourceip", "aws:sourcevpc", "aws:sourceidentity")


@template_rule(
    "E9551",
    "Wildcard permission",
    "A wildcard action, resource or principal grants more than is required, and AWS adds actions over time.",
    # IAM User Guide, "Security best practices in IAM", "Apply least-privilege permissions"
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
)
def wildcard_permission(template: Template) -> Iterator[Violation]:
    for statement in identity_statements(template):
        yield from _negations(statement, ("NotAction", "NotResource"))
        yield from _wild_actions(statement)
        yield from _wild_resources(template, statement)
    for statement in resource_statements(template):
        yield from _negations(statement, ("NotAction", "NotPrincipal"))
        if not _is_delegation(template, statement):
            yield from _wild_actions(statement)
        yield from _wild_principals(statement)


def _negations(statement: Statement, keys: tuple[str, ...]) -> Iterator[Violation]:
    for key in keys:
        if key in statement.body:
            yield Violation(
                (*statement.path, key),
                f"{statement.name} allows everything outside of its {key}; list the required values",
            )


def _wild_actions(statement: Statement) -> Iterator[Violation]:
    for path, action in statement.listed("Action"):
        text = canonical(action)
        if "*" in text or "?" in text:
            yield Violation(
                path, f"{statement.name} allows {text!r}, including actions that AWS adds later; list the actions"
            )


def _wild_resources(template: Template, statement: Statement) -> Iterator[Violation]:
    wildcards = [
        (path, value) for path, value in statement.listed("Resource") if _is_everything(template.resolved(value))
    ]
    if not wildcards:
        return
    actions = [canonical(action) for _, action in statement.listed("Action")]
    unlimited = [action for action in actions if not _may_have_wildcard(template, statement, action)]
    path, value = wildcards[0]
    if unlimited:
        yield Violation(
            path,
            f"{statement.name} allows {', '.join(unlimited)} on {template.resolved(value)!r}; "
            f"use their ARNs{_condition_hint(unlimited)}",
        )


def _is_everything(text: str) -> bool:
    parts = split_arn(text)
    return text == "*" or (parts is not None and parts[5] == "*")


def _may_have_wildcard(template: Template, statement: Statement, action: str) -> bool:
    if action in CONDITION_KEYS and template.profile.conventions:
        return any(key == CONDITION_KEYS[action] for _, key, _ in statement.conditions())
    return (
        resource_kinds(action) == frozenset()
        or action in (*OPTIONAL_RESOURCES, *CONDITION_KEYS, *_NETWORK)
        or any(_limits_resources(key) for _, key, _ in statement.conditions())
    )


def _limits_resources(key: str) -> bool:
    return not key.startswith("aws:") or (key.startswith(_RESOURCE_KEYS) and not key.startswith(_CALLER_KEYS))


def _condition_hint(actions: list[str]) -> str:
    keys = [CONDITION_KEYS[action] for action in actions if action in CONDITION_KEYS]
    return f", or limit it by a condition on {keys[0]}" if keys else ""


def _is_delegation(template: Template, statement: Statement) -> bool:
    """True if a key policy delegates to the IAM policies of the account, like the default key policy of AWS.

    AWS KMS Developer Guide, "Key policies in AWS KMS", read 2026-11.
    """
    principals = [template.resolved(value) for _, _, value in statement.principals()]
    root = [text for text in principals if text.endswith(":iam::${AWS::AccountId}:root") or text == "${AWS::AccountId}"]
    return statement.owner.type == "AWS::KMS::Key" and bool(principals) and root == principals


def _wild_principals(statement: Statement) -> Iterator[Violation]:
    if "Condition" in statement.body:
        return
    for _, path, value in statement.principals():
        if canonical(value) == "*":
            yield Violation(path, f"{statement.name} allows every principal; set the principal, or add a Condition")
