"""Rules about policy statements without effect: unmatched conditions, unsupported actions, other resources."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping, split_arn
from imgpipe_templates.checks.facts.object_keys import globs_overlap
from imgpipe_templates.checks.facts.policy_statements import (
    BUCKET_POLICY,
    RESOURCE_POLICIES,
    Statement,
    identity_statements,
    resource_statements,
    statements_in,
)
from imgpipe_templates.checks.facts.service_authorization import arn_forms, resource_kinds, service_keys
from imgpipe_templates.checks.facts.service_deliveries import POLICY_OF
from imgpipe_templates.checks.facts.template import KEY, ROLE, Resource, Template
from imgpipe_templates.checks.findings import Path, Violation
from imgpipe_templates.checks.rule import template_rule

# IAM User Guide, "AWS global condition context keys", read 2026-12; the text after a slash is the tag key.
_GLOBAL_KEYS = frozenset(
    f"aws:{name}"
    for name in (  # noqa: SIM905 - a table reads better as a text
        "assumedroot calledvia calledviafirst calledvialast chatbotsourcearn currenttime ec2instancesourceprivateipv4 "
        "ec2instancesourcevpc epochtime federatedprovider isvpcepolicyrequired multifactorauthage "
        "multifactorauthpresent principalaccount principalarn principalisawsservice principalorgid principalorgpaths "
        "principalservicename principalservicenameslist principaltag principaltype referer requestedregion requesttag "
        "resourceaccount resourceorgid resourceorgpaths resourcetag securetransport signinsessionarn sourceaccount "
        "sourcearn sourceidentity sourceip sourceorgid sourceorgpaths sourceowner sourcevpc sourcevpcarn sourcevpce "
        "tagkeys tokenissuetime useragent userid username viaawsservice viaawsmcpservice vpceaccount vpceorgid "
        "vpceorgpaths vpcsourceip"
    ).split()
)
# Services whose resource types and condition keys are complete in the reference; those of others are not.
_COMPLETE_SERVICES = ("dynamodb:", "kms:", "lambda:", "s3:", "sns:", "sqs:")
# Actions without a resource (same reference).
_WITHOUT_RESOURCE = (
    "xray:",
    "ec2:Describe",
    "cloudwatch:PutMetricData",
    "s3:ListAllMyBuckets",
    "sts:GetCallerIdentity",
)
_TRUST = "AssumeRolePolicyDocument"
_ACCOUNT = re.compile(r"[0-9]{12}|.*\$\{.*|\*")
_ACCOUNT_KEYS = ("aws:sourceaccount", "aws:principalaccount", "aws:resourceaccount", "aws:sourceowner")
_ARN_KEYS = ("aws:sourcearn", "aws:principalarn")
_BOOLEAN_KEYS = ("aws:securetransport", "aws:viaawsservice", "aws:principalisawsservice", "aws:multifactorauthpresent")


def _all_statements(template: Template) -> Iterator[Statement]:
    for effect in ("Allow", "Deny"):
        yield from identity_statements(template, effect)
        yield from resource_statements(template, effect=effect)
        for role in template.of_type(ROLE):
            document = role.properties.get(_TRUST)
            yield from statements_in(role, role.at(_TRUST), document, effect)


@template_rule(
    "E9543",
    "Policy condition that no request matches",
    "A statement with an unknown key, or with a value that its operator never matches, has no effect.",
    # IAM User Guide, "IAM JSON policy elements: Condition operators", read 2026-12
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html",
)
def unmatched_policy_condition(template: Template) -> Iterator[Violation]:
    for statement in _all_statements(template):
        for operator, tests in mapping(statement.body.get("Condition")).items():
            for key in mapping(tests):
                path = (*statement.path, "Condition", str(operator), str(key))
                yield from _unknown_key(path, str(key), statement)
        for operator, key, value in statement.conditions():
            if "Not" in operator:
                continue
            text = canonical(value)
            # The resolved name of a resource of this template is no ARN; other references may return one.
            resolved = template.resolved(value)
            text = resolved if key in _ARN_KEYS and not resolved.startswith("${") else text
            if reason := _reason_unmatched(operator.rpartition(":")[2].removesuffix("IfExists"), key, text):
                yield Violation((*statement.path, "Condition", operator), f"{statement.name}: {reason}")


def _unknown_key(path: Path, key: str, statement: Statement) -> Iterator[Violation]:
    lower = key.lower().partition("/")[0]
    service = lower.partition(":")[0]
    if service == "aws" and lower not in _GLOBAL_KEYS:
        yield Violation(
            path, f"{key!r} is no global condition key, so {statement.name} never applies; correct its spelling"
        )
    known = service_keys(service)
    if known and lower not in known and not lower.startswith("kms:encryptioncontext"):
        yield Violation(
            path, f"{key!r} is no condition key of {service}, so {statement.name} never applies; correct its spelling"
        )


def _reason_unmatched(operator: str, key: str, text: str) -> str | None:
    if operator in ("StringEquals", "StringEqualsIgnoreCase") and "*" in re.sub(r"\$\{[^}]*\}", "", text):
        return f"{operator} supports no wildcard, but {key} has {text!r}; use StringLike or ArnLike"
    if key in _ACCOUNT_KEYS and not _ACCOUNT.fullmatch(text):
        return f"{key} is an account id, never {text!r}; use Ref: AWS::AccountId"
    if key in _ARN_KEYS and not text.startswith(("arn:", "*", "${")):
        return f"{key} is an ARN, never {text!r}; use the ARN of the source"
    if key in _BOOLEAN_KEYS and text.lower() not in ("true", "false") and "${" not in text:
        return f"{key} is true or false, never {text!r}; use one of them"
    return None


# Type of a policy -> the service whose actions it supports, and these actions if it does not support all (Amazon SNS
# Developer Guide, "Amazon SNS API permissions: Actions and resources reference", as the error "Policy statement
# action out of service scope" has it; read 2026-12).
_TOPIC_ACTIONS = (
    *("sns:addpermission", "sns:deletetopic", "sns:getdataprotectionpolicy", "sns:gettopicattributes"),
    *("sns:listsubscriptionsbytopic", "sns:listtagsfortopic", "sns:publish", "sns:putdataprotectionpolicy"),
    *("sns:receive", "sns:removepermission", "sns:settopicattributes", "sns:subscribe"),
)
_SCOPES: dict[str, tuple[str, tuple[str, ...]]] = {
    BUCKET_POLICY: ("s3", ()),
    "AWS::SNS::TopicInlinePolicy": ("sns", _TOPIC_ACTIONS),
    "AWS::SNS::TopicPolicy": ("sns", _TOPIC_ACTIONS),
    "AWS::SQS::QueueInlinePolicy": ("sqs", ()),
    "AWS::SQS::QueuePolicy": ("sqs", ()),
    KEY: ("kms", ()),
}


@template_rule(
    "E9544",
    "Action that the policy or its resources do not support",
    "A topic policy supports few actions, a queue policy those of SQS; an object action on a bucket has no effect.",
    # Service Authorization Reference, "Actions, resources, and condition keys for AWS services", read 2026-12
    "https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html",
)
def action_outside_policy_scope(template: Template) -> Iterator[Violation]:
    for effect in ("Allow", "Deny"):
        for statement in resource_statements(template, *_SCOPES, effect=effect):
            service, actions = _SCOPES[statement.owner.type]
            for path, value in statement.listed("Action"):
                text = canonical(value).lower()
                if "${" in text or text == "*":
                    continue
                if not text.startswith(f"{service}:") or (actions and text not in actions):
                    yield Violation(
                        path,
                        f"a {statement.owner.type} does not support {canonical(value)!r}; list actions "
                        f"of {service} on the resource itself",
                    )
    for effect in ("Allow", "Deny"):
        for statement in (*identity_statements(template, effect), *resource_statements(template, effect=effect)):
            yield from _unsupported_actions(template, statement)


def _unsupported_actions(template: Template, statement: Statement) -> Iterator[Violation]:
    """Report actions that none of a statement's resources supports."""
    resources = [template.resolved(value) for _, value in statement.listed("Resource")]
    if not resources or any(not text.startswith("arn:") for text in resources):
        return
    if statement.owner.type in RESOURCE_POLICIES and statement.owner.type != BUCKET_POLICY:
        return
    for path, value in statement.listed("Action"):
        action = canonical(value)
        kinds = resource_kinds(action)
        if kinds is None or "*" in action or "?" in action:
            continue
        if action.startswith(_WITHOUT_RESOURCE):
            yield Violation(
                path, f"{action} supports no resource ARN, so {statement.name} never allows it; use Resource: '*'"
            )
        elif kinds and action.startswith(_COMPLETE_SERVICES) and not _any_fits(action, resources):
            yield Violation(
                path,
                f"{action} applies to {' or '.join(sorted(kinds))}, but {statement.name} has "
                f"{', '.join(repr(text) for text in resources)}; use an ARN of that type",
            )


def _any_fits(action: str, resources: list[str]) -> bool:
    return any(_fits(form, text) for form in arn_forms(action) for text in resources)


def _fits(form: str, text: str) -> bool:
    """True if a resource ARN can have an ARN format; an S3 object has a slash, a bucket has none."""
    expected, actual = split_arn(form), split_arn(text)
    if expected is None or actual is None:
        return True
    if expected[2] != actual[2] and "*" not in actual[2]:
        return False
    resource = re.sub(r"\$\{[^}]*\}", "*", actual[5])
    if expected[2] == "s3" and ("/" in expected[5]) != ("/" in resource):
        return resource.endswith("*") and "/" not in resource
    return globs_overlap(expected[5], resource)


@template_rule(
    "E9513",
    "Resource policy that names another bucket, queue or topic",
    "S3, SQS and SNS reject a policy whose Resource is not the resource of the policy.",
    # Amazon S3 User Guide, "Policies and permissions in Amazon S3", read 2026-11
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html",
)
def policy_for_another_resource(template: Template) -> Iterator[Violation]:
    yield from _queues_by_arn(template)
    found = [statement for effect in ("Allow", "Deny") for statement in resource_statements(template, effect=effect)]
    for statement in found:
        owned = _owned(template, statement.owner)
        if not owned:
            continue
        for path, value in statement.listed("Resource"):
            name = _resource_in_arn(template.resolved(value))
            if name is not None and not any(_may_be(name, other) for other in owned):
                yield Violation(
                    path,
                    f"{statement.name} has the resource {name}, but the policy belongs to {' and '.join(owned)}; "
                    "use that resource",
                )


def _queues_by_arn(template: Template) -> Iterator[Violation]:
    for policy in template.of_type("AWS::SQS::QueuePolicy"):
        for position, value in entries(policy.properties.get("Queues")):
            if template.resolved(value).startswith("arn:"):
                yield Violation(
                    policy.at("Queues", *position), "is an ARN, but a queue policy needs the queue's URL; use Ref"
                )


def _owned(template: Template, policy: Resource) -> list[str]:
    """Return the names of the resources of a policy; empty if the template does not know all of them."""
    if policy.type == BUCKET_POLICY:
        bucket = policy.properties.get("Bucket")
        return [template.resolved(bucket)] if isinstance(bucket, str) or template.knows(bucket) else []
    for kind, (policy_type, key, _) in POLICY_OF.items():
        if policy.type == policy_type:
            values = [canonical(value) for _, value in entries(policy.properties.get(key))]
            targets = [target for target in template.of_type(kind) if f"${{{target.id}}}" in values]
            return [template.name_of(target) for target in targets] if len(targets) == len(values) else []
    return []


def _resource_in_arn(text: str) -> str | None:
    """Return the bucket, queue or topic in an ARN."""
    parts = split_arn(text)
    return parts[5].partition("/")[0] if parts else None


def _may_be(name: str, owned: str) -> bool:
    head, star, _ = name.partition("*")
    return name == owned or bool(star and owned.startswith(head))
