"""A parsed template: resources by type, and expressions as comparable texts.

Two expressions have the same meaning if their resolved texts are equal. `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::Join`
become one text with `${...}` for each value that only CloudFormation knows. A reference to a resource of the template
becomes the name expression of that resource, and its ARN becomes the ARN that AWS will assign. So an ARN built from a
function's name and a `Fn::GetAtt` of the same function are equal.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

from imgpipe_templates.checks.facts.expressions import (
    TOKEN,
    canonical,
    entries,
    mapping,
    reference_name,
    split_arn,
    spread_conditions,
)
from imgpipe_templates.checks.findings import Path

BUCKET = "AWS::S3::Bucket"
FUNCTION = "AWS::Lambda::Function"
KEY = "AWS::KMS::Key"
LOG_GROUP = "AWS::Logs::LogGroup"
QUEUE = "AWS::SQS::Queue"
ROLE = "AWS::IAM::Role"
RULE = "AWS::Events::Rule"
TABLE = "AWS::DynamoDB::Table"
TOPIC = "AWS::SNS::Topic"

# Defaults of the resource schemas, read 2026-11 and 2026-12.
DEFAULT_TIMEOUT_SECONDS = 3  # AWS::Lambda::Function, Timeout
DEFAULT_RETENTION_SECONDS = 345_600  # AWS::SQS::Queue, MessageRetentionPeriod

T = TypeVar("T")

_REGION_AND_ACCOUNT = "${AWS::Region}:${AWS::AccountId}"


@dataclass(frozen=True)
class _Naming:
    """The name and the ARN of a resource type; tests/checks compares the ARNs with cfn-lint's data.

    Attributes:
        property: The property with the physical name; "" if the type has none.
        arn: The ARN, with `%s` for the name.
        name_attributes: Attributes of `Fn::GetAtt` that return the name; "" means `Ref`.
        arn_attributes: Attributes of `Fn::GetAtt` that return the ARN; "" means `Ref`.
    """

    property: str
    arn: str
    name_attributes: tuple[str, ...] = ("",)
    arn_attributes: tuple[str, ...] = ("Arn",)


_NAMING = {
    BUCKET: _Naming("BucketName", "arn:${AWS::Partition}:s3:::%s"),
    FUNCTION: _Naming("FunctionName", "arn:${AWS::Partition}:lambda:" + _REGION_AND_ACCOUNT + ":function:%s"),
    KEY: _Naming("", "arn:${AWS::Partition}:kms:" + _REGION_AND_ACCOUNT + ":key/%s"),
    LOG_GROUP: _Naming("LogGroupName", "arn:${AWS::Partition}:logs:" + _REGION_AND_ACCOUNT + ":log-group:%s:*"),
    QUEUE: _Naming("QueueName", "arn:${AWS::Partition}:sqs:" + _REGION_AND_ACCOUNT + ":%s", ("QueueName",)),
    ROLE: _Naming("RoleName", "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/%s"),
    RULE: _Naming("Name", "arn:${AWS::Partition}:events:" + _REGION_AND_ACCOUNT + ":rule/%s"),
    TABLE: _Naming("TableName", "arn:${AWS::Partition}:dynamodb:" + _REGION_AND_ACCOUNT + ":table/%s"),
    TOPIC: _Naming(
        "TopicName", "arn:${AWS::Partition}:sns:" + _REGION_AND_ACCOUNT + ":%s", ("TopicName",), ("", "TopicArn")
    ),
}
_FUNCTION_QUALIFIERS = ("AWS::Lambda::Alias", "AWS::Lambda::Version")

# Type of SAM -> type of the resource whose name `Ref` and `Fn::GetAtt` return (AWS SAM Developer Guide, "Generated
# CloudFormation resources for AWS SAM", read 2026-12).
_SAM = {"AWS::Serverless::Function": FUNCTION, "AWS::Serverless::SimpleTable": TABLE}
# Transforms that add no resources (AWS CloudFormation Template Reference, "Transforms", read 2026-12).
_TRANSFORMS_WITHOUT_RESOURCES = (
    "AWS::LanguageExtensions",
    "AWS::SecretsManager-2020-07-23",
    "AWS::SecretsManager-2024-09-16",
)
_PARTITION = re.compile(r"^arn:aws(?:-[a-z]+)*:")


@dataclass(frozen=True)
class Profile:
    """The requirements of a template in addition to those of AWS.

    Attributes:
        tags: Key of each required tag -> its required value, or None for any value.
        conventions: Apply the rules that are conventions of this project and not requirements of AWS.
    """

    tags: Mapping[str, str | None] = field(default_factory=dict)
    conventions: bool = False


@dataclass(frozen=True)
class Resource:
    """One resource with its properties in one normal form."""

    id: str
    type: str
    body: Mapping[str, Any]
    properties: Mapping[str, Any]

    def at(self, *keys: str | int) -> Path:
        """Return the path of one of its properties."""
        return ("Resources", self.id, "Properties", *keys)

    @property
    def path(self) -> Path:
        """The path of the resource itself."""
        return ("Resources", self.id)


class Template:
    """A template with lookups for the rules. Each lookup is computed at its first use."""

    def __init__(self, body: Mapping[str, Any], *, today: date, profile: Profile | None = None) -> None:
        self.body = body
        self.today = today
        self.profile = profile or Profile()
        self._cached: dict[Callable[[Template], Iterable[Any]], tuple[Any, ...]] = {}

    def with_profile(self, profile: Profile) -> Template:
        """Return the same template under another profile; cached facts are shared."""
        if profile == self.profile:
            return self
        # Rules compare resources by identity, so both templates must have the same objects.
        _ = self.resources
        other = copy.copy(self)
        other.profile = profile
        return other

    def cached(self, find: Callable[[Template], Iterable[T]]) -> tuple[T, ...]:
        """Return the results of a function of this template; it is called once for all rules."""
        if find not in self._cached:
            self._cached[find] = tuple(find(self))
        return self._cached[find]

    def section(self, name: str) -> Mapping[str, Any]:
        """Return a top-level section; empty if it is absent, or malformed, which cfn-lint reports."""
        return mapping(self.body.get(name))

    @cached_property
    def resources(self) -> dict[str, Resource]:
        """All resources by logical id."""
        return {
            name: Resource(name, str(body.get("Type", "")), body, self._properties(body))
            for name, body in self.section("Resources").items()
            if isinstance(body, Mapping)
        }

    def _properties(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        kind = str(body.get("Type", ""))
        # SAM's defaults for all resources of a type (AWS SAM Developer Guide, "Globals section", read 2026-12).
        defaults = mapping(self.section("Globals").get(kind.rpartition("::")[2])) if kind in _SAM else {}
        return {**mapping(spread_conditions(defaults)), **mapping(spread_conditions(body.get("Properties")))}

    @cached_property
    def has_macro(self) -> bool:
        """True if a macro, such as SAM's, can add resources that the template does not contain."""
        named = [canonical(name) for _, name in entries(self.body.get("Transform"))]
        return any(name not in _TRANSFORMS_WITHOUT_RESOURCES for name in named) or "Fn::Transform" in self.section(
            "Resources"
        )

    def of_type(self, *types: str) -> list[Resource]:
        """Return the resources of some types, in the template's order."""
        return [resource for resource in self.resources.values() if resource.type in types]

    def resolved(self, value: Any) -> str:
        """Return the text of a value, with references to resources of the template as their names and ARNs."""
        return self._expand(canonical(value))

    def number(self, value: Any) -> float | None:
        """Return a number, also from a parameter's default; None if the template does not contain it."""
        if isinstance(value, Mapping) and tuple(value) == ("Ref",):
            value = mapping(self.section("Parameters").get(str(value["Ref"]))).get("Default")
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        try:
            return float(value)
        except ValueError:
            return None

    def with_defaults(self, text: str) -> str:
        """Return a canonical text in which each parameter with a default is replaced by it."""
        parameters = self.section("Parameters")

        def default(token: re.Match[str]) -> str:
            value = mapping(parameters.get(token[1])).get("Default")
            return token[0] if value is None else str(value)

        return TOKEN.sub(default, text)

    def knows(self, value: Any) -> bool:
        """True if the template itself sets a value: it is no import and no parameter without a default."""
        function = next(iter(mapping(value)), "")
        if function == "Ref":
            name = str(mapping(value)["Ref"])
            return name not in self.section("Parameters") or "Default" in mapping(self.section("Parameters")[name])
        return function in ("", "Fn::Sub", "Fn::Join", "Fn::GetAtt")

    def find(self, kind: str, value: Any) -> Resource | None:
        """Return the resource of a type that a name or ARN expression refers to, or None if the template has none.

        A function is also found by the ARN of one of its aliases or versions.
        """
        text = self.resolved(value)
        index = self._index[kind]
        if text in index:
            return index[text]
        if kind == FUNCTION and (parts := split_arn(text)) and parts[5].count(":") == 2:  # noqa: PLR2004 - function:name:alias
            return index.get(text.rpartition(":")[0])
        return None

    def qualifier_of(self, value: Any) -> str:
        """Return the alias or version in an expression of a function; "" for an unqualified function."""
        text, token = canonical(value), reference_name(value)
        pointer = self.resources.get(token)
        if pointer is not None and pointer.type in _FUNCTION_QUALIFIERS:
            named = pointer.properties.get("Name")
            return f"${{{token}}}" if named is None else canonical(named)
        parts = split_arn(self.resolved(value))
        name = parts[5].removeprefix("function:") if parts else text
        colon = re.sub(r"\$\{[^}]*\}", lambda found: "_" * len(found[0]), name).find(":")
        return name[colon + 1 :] if colon >= 0 else ""

    def same_function(self, one: Any, other: Any) -> bool:
        """True if two expressions refer to one function of this template with the same alias or version."""
        function = self.find(FUNCTION, one)
        return (
            function is not None
            and function is self.find(FUNCTION, other)
            and self.qualifier_of(one) == self.qualifier_of(other)
        )

    def find_key(self, chosen: Any) -> Resource | None:
        """Return the KMS key of this template that an id, an ARN or an alias of this template refers to."""
        if chosen is None or (found := self.find(KEY, chosen)):
            return None if chosen is None else found
        text = self.resolved(chosen)
        for alias in self.of_type("AWS::KMS::Alias"):
            if text in (f"${{{alias.id}}}", self.resolved(alias.properties.get("AliasName"))):
                return self.find(KEY, alias.properties.get("TargetKeyId"))
        return None

    def arn_of(self, resource: Resource) -> str:
        """Return the resolved ARN of a resource."""
        return self.resolved(_reference(resource.id, _naming(resource).arn_attributes[0]))

    def name_of(self, resource: Resource) -> str:
        """Return the name expression of a resource; a `${...}` token if CloudFormation generates the name."""
        naming = _naming(resource)
        chosen = resource.properties.get(naming.property)
        attribute = naming.name_attributes[0]
        return canonical(chosen if chosen is not None else _reference(resource.id, attribute))

    @cached_property
    def _index(self) -> dict[str, dict[str, Resource]]:
        index: dict[str, dict[str, Resource]] = {kind: {} for kind in _NAMING}
        for resource in self.of_type(*_NAMING, *_SAM):
            kind, name = _SAM.get(resource.type, resource.type), self.name_of(resource)
            index[kind][name] = resource
            index[kind][_NAMING[kind].arn % name] = resource
        return index

    @cached_property
    def _expansions(self) -> dict[str, str]:
        """The name or ARN for each token that refers to a resource of this template."""
        known: dict[str, str] = {}
        for resource in self.of_type(*_NAMING, *_SAM):
            naming = _naming(resource)
            name = self.name_of(resource)
            known |= {_token(resource.id, attribute): name for attribute in naming.name_attributes}
            known |= {_token(resource.id, attribute): naming.arn % name for attribute in naming.arn_attributes}
        for pointer in self.of_type(*_FUNCTION_QUALIFIERS):
            target = TOKEN.sub(
                lambda token: known.get(token[1], token[0]), canonical(pointer.properties.get("FunctionName"))
            )
            known[pointer.id] = target if target.startswith("arn:") else _NAMING[FUNCTION].arn % target
        return known

    def _expand(self, text: str) -> str:
        # A literal partition is equal to the deployment's: no reference crosses partitions.
        text = _PARTITION.sub("arn:${AWS::Partition}:", text)
        if "${" not in text:
            return text
        return TOKEN.sub(lambda token: self._expansions.get(token[1], token[0]), text)


def _naming(resource: Resource) -> _Naming:
    return _NAMING[_SAM.get(resource.type, resource.type)]


def _token(name: str, attribute: str) -> str:
    return f"{name}.{attribute}" if attribute else name


def _reference(name: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]} if attribute else {"Ref": name}
