"""IAM statements of a template, in identity policies, resource policies and trust policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping
from imgpipe_templates.checks.facts.template import ROLE, Resource, Template
from imgpipe_templates.checks.findings import Path

# Types whose property Policies is a list of {PolicyDocument}.
_INLINE = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")
# Types of identity policies -> property with the document.
_DOCUMENTS = {
    "AWS::IAM::Policy": "PolicyDocument",
    "AWS::IAM::ManagedPolicy": "PolicyDocument",
    "AWS::IAM::RolePolicy": "PolicyDocument",
    "AWS::IAM::UserPolicy": "PolicyDocument",
    "AWS::IAM::GroupPolicy": "PolicyDocument",
}
BUCKET_POLICY = "AWS::S3::BucketPolicy"
# Types with a policy on the resource itself -> property with the document.
RESOURCE_POLICIES = {
    "AWS::KMS::Key": "KeyPolicy",
    BUCKET_POLICY: "PolicyDocument",
    "AWS::SNS::TopicInlinePolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueueInlinePolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SecretsManager::ResourcePolicy": "ResourcePolicy",
}


@dataclass(frozen=True)
class Statement:
    """One statement of a policy.

    Attributes:
        owner: The resource with the policy.
    """

    owner: Resource
    path: Path
    body: Mapping[str, Any]

    def listed(self, key: str) -> list[tuple[Path, Any]]:
        """Return the entries of a key with their paths."""
        return [((*self.path, key, *position), value) for position, value in entries(self.body.get(key))]

    @property
    def name(self) -> str:
        """The statement's Sid, or its owner."""
        return canonical(self.body.get("Sid")) or self.owner.id

    def principals(self) -> Iterator[tuple[str, Path, Any]]:
        """Yield kind (`AWS`, `Service`, ...), path and value of every principal; the kind of a bare `*` is ""."""
        principal = self.body.get("Principal")
        path = (*self.path, "Principal")
        if not isinstance(principal, Mapping):
            yield from (("", path, value) for _, value in entries(principal))
            return
        for kind, values in principal.items():
            yield from ((str(kind), (*path, kind, *position), value) for position, value in entries(values))

    def conditions(self) -> Iterator[tuple[str, str, Any]]:
        """Yield operator, key in lower case, and value of every condition."""
        for operator, tests in mapping(self.body.get("Condition")).items():
            for key, values in mapping(tests).items():
                yield from ((str(operator), str(key).lower(), value) for _, value in entries(values))


def identity_statements(template: Template, effect: str = "Allow") -> Iterator[Statement]:
    """Yield the statements of one effect in identity policies."""
    for statement in template.cached(_identity_statements):
        if statement.body["Effect"] == effect:
            yield statement


def _identity_statements(template: Template) -> Iterator[Statement]:
    for resource in template.of_type(*_INLINE):
        for position, policy in entries(resource.properties.get("Policies")):
            path = resource.at("Policies", *position, "PolicyDocument")
            for effect in ("Allow", "Deny"):
                yield from statements_in(resource, path, mapping(policy).get("PolicyDocument"), effect)
    for resource in template.of_type(*_DOCUMENTS):
        key = _DOCUMENTS[resource.type]
        for effect in ("Allow", "Deny"):
            yield from statements_in(resource, resource.at(key), resource.properties.get(key), effect)


def resource_statements(template: Template, *types: str, effect: str = "Allow") -> Iterator[Statement]:
    """Yield the statements of one effect in resource policies, of all types or of the given types."""
    for statement in template.cached(_resource_statements):
        if statement.body["Effect"] == effect and (not types or statement.owner.type in types):
            yield statement


def _resource_statements(template: Template) -> Iterator[Statement]:
    for resource in template.of_type(*RESOURCE_POLICIES):
        key = RESOURCE_POLICIES[resource.type]
        for effect in ("Allow", "Deny"):
            yield from statements_in(resource, resource.at(key), resource.properties.get(key), effect)


def role_statements(template: Template, role: Resource, effect: str = "Allow") -> Iterator[Statement]:
    """Yield the statements of one effect that apply to a role."""
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


def statements_in(owner: Resource, path: Path, document: Any, effect: str = "Allow") -> Iterator[Statement]:
    """Yield the statements of one effect in the policy document at a path."""
    for position, statement in entries(mapping(document).get("Statement")):
        if isinstance(statement, Mapping) and statement.get("Effect") == effect:
            yield Statement(owner, (*path, "Statement", *position), statement)
