"""The rule against permissions that are wider than their reason."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates.checks.authorization import resource_kinds
from imgpipe_templates.checks.model import Fault, Rule
from imgpipe_templates.checks.policies import Statement, identity_statements, resource_statements
from imgpipe_templates.checks.template import Template
from imgpipe_templates.checks.values import canonical, split_arn

# Actions that need `*` although the reference lists resources for them -> the condition key that narrows them, which is
# asked for by convention.
NARROWED = {
    # CloudWatch User Guide, "Using condition keys to limit access to CloudWatch namespaces", read 2026-11
    "cloudwatch:PutMetricData": "cloudwatch:namespace",
}
# Actions that need `*` although the reference lists a resource for them, because that resource is optional and not what
# is asked for. cloudwatch:GetMetricData: metrics are no resources; a dataset is one only in requests that name one (AWS
# Managed Policy Reference, "AWSBackupServiceRolePolicyForS3Backup", has it on `*`; read 2026-11).
OPTIONAL = frozenset({"cloudwatch:GetMetricData"})
# What a function in a VPC needs (AWS Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon
# VPC", read 2026-11). Only the Describe actions must have `*`; AWS's own managed policy gives it to all of them.
_NETWORK = frozenset(
    {
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:UnassignPrivateIpAddresses",
    }
)

# Condition keys that say which resources a request may be about (IAM User Guide, "AWS global condition context keys",
# read 2026-12). The other global keys are about the caller and the connection; a service's own keys are about the
# request.
_ABOUT_RESOURCES = ("aws:resource", "aws:requesttag/", "aws:tagkeys", "aws:calledvia", "aws:source")
_ABOUT_CALLERS = ("aws:sourceip", "aws:sourcevpc", "aws:sourceidentity")


def _too_wide(template: Template) -> Iterator[Fault]:
    for statement in identity_statements(template):
        yield from _negations(statement, ("NotAction", "NotResource"))
        yield from _wild_actions(statement)
        yield from _wild_resources(template, statement)
    for statement in resource_statements(template):
        yield from _negations(statement, ("NotAction", "NotPrincipal"))
        if not _is_delegation(template, statement):
            yield from _wild_actions(statement)
        yield from _wild_principals(statement)


def _negations(statement: Statement, keys: tuple[str, ...]) -> Iterator[Fault]:
    for key in keys:
        if key in statement.body:
            yield Fault(
                (*statement.path, key), f"{statement.name} allows everything that {key} leaves; list what is needed"
            )


def _wild_actions(statement: Statement) -> Iterator[Fault]:
    for path, action in statement.listed("Action"):
        text = canonical(action)
        if "*" in text or "?" in text:
            yield Fault(path, f"{statement.name} allows {text!r}, now and whatever AWS adds; list the actions")


def _wild_resources(template: Template, statement: Statement) -> Iterator[Fault]:
    wide = [(path, value) for path, value in statement.listed("Resource") if _is_everything(template.resolved(value))]
    if not wide:
        return
    actions = [canonical(action) for _, action in statement.listed("Action")]
    unexplained = [action for action in actions if not _has_reason(template, statement, action)]
    path, value = wide[0]
    if unexplained:
        yield Fault(
            path,
            f"{statement.name} allows {', '.join(unexplained)} on {template.resolved(value)!r}; "
            f"name the resources{_condition_hint(unexplained)}",
        )


def _is_everything(text: str) -> bool:
    parts = split_arn(text)
    return text == "*" or (parts is not None and parts[5] == "*")


def _has_reason(template: Template, statement: Statement, action: str) -> bool:
    if action in NARROWED and template.profile.conventions:
        return any(key == NARROWED[action] for _, key, _ in statement.conditions())
    return (
        resource_kinds(action) == frozenset()
        or action in (*OPTIONAL, *NARROWED, *_NETWORK)
        or any(_is_about_resources(key) for _, key, _ in statement.conditions())
    )


def _is_about_resources(key: str) -> bool:
    return not key.startswith("aws:") or (key.startswith(_ABOUT_RESOURCES) and not key.startswith(_ABOUT_CALLERS))


def _condition_hint(actions: list[str]) -> str:
    keys = [NARROWED[action] for action in actions if action in NARROWED]
    return f", or limit it by a condition on {keys[0]}" if keys else ""


def _is_delegation(template: Template, statement: Statement) -> bool:
    """Whether a key policy hands control to the account's IAM policies, as AWS's default key policy does.

    AWS KMS Developer Guide, "Key policies in AWS KMS", read 2026-11.
    """
    principals = [template.resolved(value) for _, _, value in statement.principals()]
    root = [text for text in principals if text.endswith(":iam::${AWS::AccountId}:root") or text == "${AWS::AccountId}"]
    return statement.owner.type == "AWS::KMS::Key" and bool(principals) and root == principals


def _wild_principals(statement: Statement) -> Iterator[Fault]:
    if "Condition" in statement.body:
        return
    for _, path, value in statement.principals():
        if canonical(value) == "*":
            yield Fault(path, f"{statement.name} allows everybody; name the principal, or limit it by a Condition")


RULES = (
    Rule(
        "E9551",
        "Permission without bounds",
        "A wildcard action, resource or principal grants what nobody asked for, and AWS adds to it.",
        # IAM User Guide, "Security best practices in IAM", "Apply least-privilege permissions"
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
        _too_wide,
    ),
)
