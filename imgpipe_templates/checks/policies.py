"""IAM statements of a template, and what they let a role do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Any

from imgpipe_templates.checks.model import Path
from imgpipe_templates.checks.template import ROLE, Resource, Template, canonical, entries, mapping

# Managed policies of AWS that allow every write to S3.
_WRITES_EVERYTHING = ("AdministratorAccess", "AmazonS3FullAccess", "PowerUserAccess")

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
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SecretsManager::ResourcePolicy": "ResourcePolicy",
}


@dataclass(frozen=True)
class Statement:
    """One Allow statement of a policy, with its lists as lists of (path, value)."""

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


def identity_statements(template: Template) -> Iterator[Statement]:
    """Every Allow statement of an identity policy."""
    for resource in template.of_type(*_INLINE):
        for position, policy in entries(resource.properties.get("Policies")):
            document = mapping(policy).get("PolicyDocument")
            yield from _allows(resource, resource.at("Policies", *position, "PolicyDocument"), document)
    for resource in template.of_type(*_DOCUMENTS):
        key = _DOCUMENTS[resource.type]
        yield from _allows(resource, resource.at(key), resource.properties.get(key))


def resource_statements(template: Template) -> Iterator[Statement]:
    """Every Allow statement of a policy that sits on a resource."""
    for resource in template.of_type(*RESOURCE_POLICIES):
        key = RESOURCE_POLICIES[resource.type]
        yield from _allows(resource, resource.at(key), resource.properties.get(key))


def statements_of(template: Template, role: Resource) -> Iterator[Statement]:
    """Every Allow statement of this template that a role can use."""
    arn = template.resolved({"Fn::GetAtt": [role.id, "Arn"]})
    attached = {canonical(arn) for _, arn in entries(role.properties.get("ManagedPolicyArns"))}
    for statement in identity_statements(template):
        owner = statement.owner
        roles = [value for key in ("Roles", "RoleName") for _, value in entries(owner.properties.get(key))]
        if (
            owner is role
            or (owner.type != ROLE and any(template.find(ROLE, value) is role for value in roles))
            or attached & {canonical({"Ref": owner.id}), canonical({"Fn::GetAtt": [owner.id, "PolicyArn"]})}
        ):
            yield statement
    for statement in resource_statements(template):
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


def may_do(statement: Statement, action: str) -> bool:
    """Whether an Allow statement covers an action. Conditions are not weighed: they may hold."""
    if "NotAction" in statement.body:
        return not any(_covers(canonical(pattern), action) for _, pattern in statement.listed("NotAction"))
    return any(_covers(canonical(pattern), action) for _, pattern in statement.listed("Action"))


def _allows(owner: Resource, path: Path, document: Any) -> Iterator[Statement]:
    for position, statement in entries(mapping(document).get("Statement")):
        if isinstance(statement, Mapping) and statement.get("Effect") == "Allow":
            yield Statement(owner, (*path, "Statement", *position), statement)


def _covers(pattern: str, action: str) -> bool:
    return bool(_compiled(pattern.lower()).match(action.lower()))


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern.replace("[", "[[]")))
