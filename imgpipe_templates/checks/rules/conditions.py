"""Rules about statements that never apply: conditions that no request meets, actions that no resource of theirs has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgpipe_templates.checks.authorization import arn_forms, resource_kinds, service_keys
from imgpipe_templates.checks.keys import globs_meet
from imgpipe_templates.checks.model import Fault, Path, Rule
from imgpipe_templates.checks.policies import (
    RESOURCE_POLICIES,
    Statement,
    identity_statements,
    resource_statements,
    statements,
)
from imgpipe_templates.checks.template import (
    KEY,
    ROLE,
    Template,
)
from imgpipe_templates.checks.values import canonical, mapping, split_arn

# IAM User Guide, "AWS global condition context keys", read 2026-12; what follows a slash is the tag's key.
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
# Services whose resources and condition keys the reference states as IAM weighs them; of others it leaves some out.
_CERTAIN = ("dynamodb:", "kms:", "lambda:", "s3:", "sns:", "sqs:")
# Actions that are about no resource (same reference).
_ABOUT_NOTHING = ("xray:", "ec2:Describe", "cloudwatch:PutMetricData", "s3:ListAllMyBuckets", "sts:GetCallerIdentity")
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
            yield from statements(role, role.at(_TRUST), document, effect)


def _never(template: Template) -> Iterator[Fault]:
    for statement in _all_statements(template):
        for operator, tests in mapping(statement.body.get("Condition")).items():
            for key in mapping(tests):
                path = (*statement.path, "Condition", str(operator), str(key))
                yield from _unknown_key(path, str(key), statement)
        for operator, key, value in statement.conditions():
            if "Not" in operator:
                continue
            text = canonical(value)
            # A name of this template's is known to be none; what another reference returns is not.
            named = template.resolved(value)
            text = named if key in _ARN_KEYS and not named.startswith("${") else text
            if why := _why_never(operator.rpartition(":")[2].removesuffix("IfExists"), key, text):
                yield Fault((*statement.path, "Condition", operator), f"{statement.name}: {why}")


def _unknown_key(path: Path, key: str, statement: Statement) -> Iterator[Fault]:
    lower = key.lower().partition("/")[0]
    service = lower.partition(":")[0]
    if service == "aws" and lower not in _GLOBAL_KEYS:
        yield Fault(path, f"{key!r} is no condition key of AWS, so that {statement.name} never applies; mend its name")
    known = service_keys(service)
    if known and lower not in known and not lower.startswith("kms:encryptioncontext"):
        yield Fault(path, f"{key!r} is no condition key of {service}, so that {statement.name} never applies; mend it")


def _why_never(operator: str, key: str, text: str) -> str | None:
    if operator in ("StringEquals", "StringEqualsIgnoreCase") and "*" in re.sub(r"\$\{[^}]*\}", "", text):
        return f"{operator} compares {key} with {text!r} as it is, * included; use StringLike or ArnLike"
    if key in _ACCOUNT_KEYS and not _ACCOUNT.fullmatch(text):
        return f"{key} is the id of an account and never {text!r}; use Ref: AWS::AccountId"
    if key in _ARN_KEYS and not text.startswith(("arn:", "*", "${")):
        return f"{key} is an ARN and never {text!r}; use the ARN of the source"
    if key in _BOOLEAN_KEYS and text.lower() not in ("true", "false") and "${" not in text:
        return f"{key} is true or false and never {text!r}; write one of them"
    return None


# Type of a policy -> the service whose actions it takes, and those it takes if it does not take all of them (Amazon SNS
# Developer Guide, "Amazon SNS API permissions: Actions and resources reference", as the error "Policy statement
# action out of service scope" has it; read 2026-12).
_TOPIC_ACTIONS = (
    *("sns:addpermission", "sns:deletetopic", "sns:getdataprotectionpolicy", "sns:gettopicattributes"),
    *("sns:listsubscriptionsbytopic", "sns:listtagsfortopic", "sns:publish", "sns:putdataprotectionpolicy"),
    *("sns:receive", "sns:removepermission", "sns:settopicattributes", "sns:subscribe"),
)
_SCOPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "AWS::S3::BucketPolicy": ("s3", ()),
    "AWS::SNS::TopicInlinePolicy": ("sns", _TOPIC_ACTIONS),
    "AWS::SNS::TopicPolicy": ("sns", _TOPIC_ACTIONS),
    "AWS::SQS::QueueInlinePolicy": ("sqs", ()),
    "AWS::SQS::QueuePolicy": ("sqs", ()),
    KEY: ("kms", ()),
}


def _out_of_scope(template: Template) -> Iterator[Fault]:
    for effect in ("Allow", "Deny"):
        for statement in resource_statements(template, *_SCOPES, effect=effect):
            service, actions = _SCOPES[statement.owner.type]
            for path, value in statement.listed("Action"):
                text = canonical(value).lower()
                if "${" in text or text == "*":
                    continue
                if not text.startswith(f"{service}:") or (actions and text not in actions):
                    yield Fault(
                        path,
                        f"a {statement.owner.type} takes no {canonical(value)!r}; list actions "
                        f"of {service} that are about the resource itself",
                    )
    for effect in ("Allow", "Deny"):
        for statement in (*identity_statements(template, effect), *resource_statements(template, effect=effect)):
            yield from _without_resource(template, statement)


def _without_resource(template: Template, statement: Statement) -> Iterator[Fault]:
    """Faults of actions that none of a statement's resources can be asked for."""
    resources = [template.resolved(value) for _, value in statement.listed("Resource")]
    if not resources or any(not text.startswith("arn:") for text in resources):
        return
    if statement.owner.type in RESOURCE_POLICIES and statement.owner.type != "AWS::S3::BucketPolicy":
        return
    for path, value in statement.listed("Action"):
        action = canonical(value)
        kinds = resource_kinds(action)
        if kinds is None or "*" in action or "?" in action:
            continue
        if action.startswith(_ABOUT_NOTHING):
            yield Fault(path, f"{action} is about no resource, and {statement.name} never allows it; use Resource: '*'")
        elif kinds and action.startswith(_CERTAIN) and not _any_fits(action, resources):
            yield Fault(
                path,
                f"{action} is about {' or '.join(sorted(kinds))}, and {statement.name} names "
                f"{', '.join(repr(text) for text in resources)}; name what it is about",
            )


def _any_fits(action: str, resources: list[str]) -> bool:
    return any(_fits(form, text) for form in arn_forms(action) for text in resources)


def _fits(form: str, text: str) -> bool:
    """True if a resource can have the form of an ARN; an object of S3 has a slash where a bucket has none."""
    wanted, given = split_arn(form), split_arn(text)
    if wanted is None or given is None:
        return True
    if wanted[2] != given[2] and "*" not in given[2]:
        return False
    opened = re.sub(r"\$\{[^}]*\}", "*", given[5])
    if wanted[2] == "s3" and ("/" in wanted[5]) != ("/" in opened):
        return opened.endswith("*") and "/" not in opened
    return globs_meet(wanted[5], opened)


RULES = (
    Rule(
        "E9543",
        "Condition that no request meets",
        "A statement with an unknown key, or a value that its operator never finds, is as good as not there.",
        # IAM User Guide, "IAM JSON policy elements: Condition operators", read 2026-12
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html",
        _never,
    ),
    Rule(
        "E9544",
        "Action outside of its policy's or its resources' scope",
        "A topic's policy takes few actions, a queue's those of SQS; an object's action on a bucket allows nothing.",
        # Service Authorization Reference, "Actions, resources, and condition keys for AWS services", read 2026-12
        "https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html",
        _out_of_scope,
    ),
)
