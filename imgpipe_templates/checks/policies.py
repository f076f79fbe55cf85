"""IAM statements of a template, and what they let roles and services do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Any

from imgpipe_templates.checks.keys import globs_meet
from imgpipe_templates.checks.model import Path
from imgpipe_templates.checks.template import (
    QUEUE,
    ROLE,
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, entries, mapping

# Managed policies of AWS that allow every write to S3.
_WRITES_EVERYTHING = ("AdministratorAccess", "AmazonS3FullAccess", "PowerUserAccess")

# Managed policies of AWS -> what they allow on every resource, of what a rule asks about (AWS Managed Policy Reference,
# read 2026-12). What other managed policies allow is not known here.
_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
_INTERFACES = ("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface")
_MANAGED = {
    "AWSLambdaBasicExecutionRole": _LOGS,
    "AWSLambdaENIManagementAccess": _INTERFACES,
    "AWSLambdaSQSQueueExecutionRole": (
        *_LOGS,
        *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    ),
    "AWSLambdaVPCAccessExecutionRole": (*_LOGS, *_INTERFACES),
    "AWSXRayDaemonWriteAccess": ("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
    "CloudWatchLambdaInsightsExecutionRolePolicy": (),
}

# Where the identity policies of a type are: property with a list of {PolicyDocument}, or the document itself.
_INLINE = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")
_DOCUMENTS = {
    "AWS::IAM::Policy": "PolicyDocument",
    "AWS::IAM::ManagedPolicy": "PolicyDocument",
    "AWS::IAM::RolePolicy": "PolicyDocument",
    "AWS::IAM::UserPolicy": "PolicyDocument",
    "AWS::IAM::GroupPolicy": "PolicyDocument",
}
# Types with a policy on the resource itself -> property with the document.
RESOURCE_POLICIES = {
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SNS::TopicInlinePolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueueInlinePolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SecretsManager::ResourcePolicy": "ResourcePolicy",
}


_TOKEN = re.compile(r"\$\{([^!}][^}]*)\}")
_REGION_OF_SERVICE = re.compile(r"\.(?:\$\{AWS::Region\}|[a-z]{2,4}(?:-[a-z]+)+-[0-9])\.amazonaws\.com$")


@dataclass(frozen=True)
class Statement:
    """One statement of a policy, with its lists as lists of (path, value)."""

    owner: Resource
    path: Path
    body: Mapping[str, Any]

    def listed(self, key: str) -> list[tuple[Path, Any]]:
        """The entries under a key with their paths."""
        return [((*self.path, key, *position), value) for position, value in entries(self.body.get(key))]

    @property
    def name(self) -> str:
        """The statement's Sid, or its owner."""
        return canonical(self.body.get("Sid")) or self.owner.id

    def principals(self) -> Iterator[tuple[str, Path, Any]]:
        """Kind (`AWS`, `Service`, ...), path and value of every principal; the kind of a bare `*` is ""."""
        principal = self.body.get("Principal")
        path = (*self.path, "Principal")
        if not isinstance(principal, Mapping):
            yield from (("", path, value) for _, value in entries(principal))
            return
        for kind, values in principal.items():
            yield from ((str(kind), (*path, kind, *position), value) for position, value in entries(values))

    def conditions(self) -> Iterator[tuple[str, str, Any]]:
        """Operator, key in lower case, and value of every condition."""
        for operator, tests in mapping(self.body.get("Condition")).items():
            for key, values in mapping(tests).items():
                yield from ((str(operator), str(key).lower(), value) for _, value in entries(values))


def identity_statements(template: Template, effect: str = "Allow") -> Iterator[Statement]:
    """Every statement of one effect in an identity policy."""
    for statement in template.once(_identity_statements):
        if statement.body["Effect"] == effect:
            yield statement


def _identity_statements(template: Template) -> Iterator[Statement]:
    for resource in template.of_type(*_INLINE):
        for position, policy in entries(resource.properties.get("Policies")):
            path = resource.at("Policies", *position, "PolicyDocument")
            for effect in ("Allow", "Deny"):
                yield from statements(resource, path, mapping(policy).get("PolicyDocument"), effect)
    for resource in template.of_type(*_DOCUMENTS):
        key = _DOCUMENTS[resource.type]
        for effect in ("Allow", "Deny"):
            yield from statements(resource, resource.at(key), resource.properties.get(key), effect)


def resource_statements(template: Template, *types: str, effect: str = "Allow") -> Iterator[Statement]:
    """Every statement of one effect in a policy that sits on a resource, of all such types or of some."""
    for statement in template.once(_resource_statements):
        if statement.body["Effect"] == effect and (not types or statement.owner.type in types):
            yield statement


def _resource_statements(template: Template) -> Iterator[Statement]:
    for resource in template.of_type(*RESOURCE_POLICIES):
        key = RESOURCE_POLICIES[resource.type]
        for effect in ("Allow", "Deny"):
            yield from statements(resource, resource.at(key), resource.properties.get(key), effect)


def statements_of(template: Template, role: Resource, effect: str = "Allow") -> Iterator[Statement]:
    """Every statement of this template, of one effect, that is about a role."""
    arn = template.resolved({"Fn::GetAtt": [role.id, "Arn"]})
    attached = {canonical(arn) for _, arn in entries(role.properties.get("ManagedPolicyArns"))}
    for statement in identity_statements(template, effect):
        owner = statement.owner
        roles = [value for key in ("Roles", "RoleName") for _, value in entries(owner.properties.get(key))]
        if (
            owner is role
            or (owner.type != ROLE and any(template.find(ROLE, value) is role for value in roles))
            or attached & {canonical({"Ref": owner.id}), canonical({"Fn::GetAtt": [owner.id, "PolicyArn"]})}
        ):
            yield statement
    for statement in resource_statements(template, effect=effect):
        principal = statement.body.get("Principal")
        if any(template.resolved(value) == arn for _, value in entries(mapping(principal).get("AWS"))):
            yield statement


def full_access_policy(template: Template, role: Resource) -> tuple[Path, str] | None:
    """Where a role attaches a managed policy of AWS that lets it write to every bucket, and that policy's name."""
    for position, arn in entries(role.properties.get("ManagedPolicyArns")):
        name = template.resolved(arn).rpartition("/")[2]
        if name in _WRITES_EVERYTHING:
            return role.at("ManagedPolicyArns", *position), name
    return None


def lacks(template: Template, role: Resource, actions: tuple[str, ...], arn: str) -> list[str]:
    """The actions that a role is not allowed on a resource, or is denied.

    None are lacking where the template does not show the role's rights: a managed policy from elsewhere is attached.

    Args:
        template: Where the role is.
        role: The role.
        actions: What is asked for.
        arn: On which resource; "" for actions that any resource of the statement will do for.
    """
    managed = managed_actions(template, role)
    if managed is None:
        return []
    allowed = list(statements_of(template, role))
    denials = [*statements_of(template, role, "Deny"), *to_everybody(template)]
    return [
        action
        for action in actions
        if is_denied(template, denials, action, arn)
        or not (
            action in managed
            or any(may_do(statement, action) and (not arn or covers(template, statement, arn)) for statement in allowed)
        )
    ]


def to_everybody(template: Template) -> Iterator[Statement]:
    """The Deny statements of resources' policies that are about everybody."""
    for statement in resource_statements(template, effect="Deny"):
        if any(canonical(value) == "*" and kind in ("", "AWS") for kind, _, value in statement.principals()):
            yield statement


def managed_actions(template: Template, role: Resource) -> set[str] | None:
    """What AWS's managed policies let a role do; None if it has a managed policy that is not known here."""
    own = {resource.id for resource in template.of_type("AWS::IAM::ManagedPolicy")}
    found: set[str] = set()
    for _, value in entries(role.properties.get("ManagedPolicyArns")):
        name = template.resolved(value).rpartition("/")[2]
        if canonical(value).strip("${}").partition(".")[0] in own:
            continue
        if name not in _MANAGED:
            return None
        found |= set(_MANAGED[name])
    return found


def is_denied(template: Template, denials: Iterable[Statement], action: str, arn: str) -> bool:
    """True if a statement denies an action on a resource whatever the request; what a condition excepts is not weighed.

    Args:
        template: Where they are.
        denials: Deny statements about whoever asks.
        action: The action.
        arn: The resource; "" for an action on any.
    """
    return any(
        may_do(statement, action)
        and all(_always_holds(*condition) for condition in statement.conditions())
        and any(_names(template, value, arn) for _, value in statement.listed("Resource"))
        for statement in denials
    )


def _always_holds(operator: str, key: str, value: Any) -> bool:
    """True for a condition that every request of AWS's services and SDKs meets: they use TLS."""
    return operator in ("Bool", "BoolIfExists") and key == "aws:securetransport" and canonical(value).lower() == "true"


def _names(template: Template, value: Any, arn: str) -> bool:
    text = template.resolved(value)
    return bool(_compiled(text).match(arn)) if arn else text == "*"


def may_do(statement: Statement, action: str) -> bool:
    """Whether an Allow statement covers an action. Conditions are not weighed: they may hold."""
    if "NotAction" in statement.body:
        return not any(_covers(canonical(pattern), action) for _, pattern in statement.listed("NotAction"))
    return any(_covers(canonical(pattern), action) for _, pattern in statement.listed("Action"))


def covers(template: Template, statement: Statement, arn: str) -> bool:
    """Whether a statement is about a resource, or may be, because it names what only the deployment knows."""
    if "NotResource" in statement.body:
        return True
    return any(may_name(template, value, arn) for _, value in statement.listed("Resource"))


def may_name(template: Template, value: Any, arn: str) -> bool:
    """Whether an expression, in which `*` and `?` are wild, is or may be an ARN; a parameter may be any."""
    text = template.resolved(value)
    if _is_queue_url(template, text):
        return False
    if ("${" in text and not text.startswith("arn:")) or _compiled(text).match(arn):
        return True
    # What only the deployment knows may be any text, unless both have it; another resource's name is another one.
    mine, theirs = set(_TOKEN.findall(text)), set(_TOKEN.findall(arn))
    if any(token.partition(".")[0] in template.resources for token in mine):
        return False
    opened = (re.sub(_TOKEN, lambda t: t[0] if t[1] in mine & theirs else "*", one) for one in (text, arn))
    return globs_meet(*opened)


def _is_queue_url(template: Template, text: str) -> bool:
    owner = template.resources.get(text.removeprefix("${").removesuffix("}").removesuffix(".QueueUrl"))
    return owner is not None and owner.type == QUEUE and not text.startswith("arn:")


def may_meet(template: Template, value: Any, glob: str) -> bool:
    """Whether an expression is or may be one of the ARNs of a glob; names of other resources are none of them."""
    text = template.resolved(value)
    if "${" in text and not text.startswith("arn:"):
        return True
    theirs = set(_TOKEN.findall(glob))
    known = {token for token in _TOKEN.findall(text) if token.partition(".")[0] in template.resources}
    opened = re.sub(_TOKEN, lambda t: t[0] if t[1] in theirs | known else "*", text)
    return globs_meet(opened, glob)


def lets_in(template: Template, statement: Statement, service: str, action: str, source: str | None) -> bool:
    """Whether an Allow statement lets a service do something for a source.

    Args:
        template: Where it stands.
        statement: The statement.
        service: Its principal, such as `events.amazonaws.com`.
        action: The action.
        source: ARN of what the service does it for; None if that is any of several.
    """
    if not is_about(statement, service) or not may_do(statement, action):
        return False
    named_sources = [
        (operator, value)
        for operator, key, value in statement.conditions()
        if key == "aws:sourcearn" and "Not" not in operator
    ]
    return (
        source is None
        or not named_sources
        or any(_may_be_source(template, operator, value, source) for operator, value in named_sources)
    )


def _may_be_source(template: Template, operator: str, value: Any, source: str) -> bool:
    # StringEquals compares text as it is; only Like operators and those of ARNs have wildcards (IAM User Guide, "IAM
    # JSON policy elements: Condition operators", read 2026-12).
    exact = operator.startswith("StringEquals") and "*" in template.resolved(value)
    return not exact and may_name(template, value, source)


def is_about(statement: Statement, service: str) -> bool:
    """True if a service, or everybody, is a principal of a statement."""
    return any(
        (canonical(value) == "*" and kind in ("", "AWS"))
        or (kind == "Service" and service_of(canonical(value)) in ("*", service))
        for kind, _, value in statement.principals()
    )


def service_of(principal: str) -> str:
    """The service that a principal means, without the Region and the URL suffix that some services have in theirs."""
    name = principal.replace("${AWS::URLSuffix}", "amazonaws.com").removesuffix(".cn")
    return _REGION_OF_SERVICE.sub(".amazonaws.com", name)


def statements(owner: Resource, path: Path, document: Any, effect: str = "Allow") -> Iterator[Statement]:
    """The statements of one effect in a policy document that stands at a path."""
    for position, statement in entries(mapping(document).get("Statement")):
        if isinstance(statement, Mapping) and statement.get("Effect") == effect:
            yield Statement(owner, (*path, "Statement", *position), statement)


def _covers(pattern: str, action: str) -> bool:
    return bool(_compiled(pattern.lower()).match(action.lower()))


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern.replace("[", "[[]")))
