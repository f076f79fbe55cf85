"""A parsed template as the rules see it: resources by type, and values as texts that can be compared.

Two expressions mean the same thing when their resolved texts are equal. `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::Join`
become one text with `${...}` for what only CloudFormation knows; a reference to a resource of the template becomes
the name expression of that resource, and its ARN becomes the ARN that AWS will give it. So a name-derived ARN and a
`Fn::GetAtt` of the same function compare equal.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

from imgpipe_templates.checks.model import Path, Profile
from imgpipe_templates.checks.values import TOKEN, canonical, decided, entries, mapping, split_arn

BUCKET = "AWS::S3::Bucket"
FUNCTION = "AWS::Lambda::Function"
KEY = "AWS::KMS::Key"
LOG_GROUP = "AWS::Logs::LogGroup"
QUEUE = "AWS::SQS::Queue"
ROLE = "AWS::IAM::Role"
RULE = "AWS::Events::Rule"
TABLE = "AWS::DynamoDB::Table"
TOPIC = "AWS::SNS::Topic"

T = TypeVar("T")

_HERE = "${AWS::Region}:${AWS::AccountId}"


@dataclass(frozen=True)
class _Naming:
    """How a resource type is named and addressed; the ARNs are compared with cfn-lint's data in tests/checks.

    Attributes:
        property: The property with the physical name; "" if there is none.
        arn: The ARN, with `%s` for the name.
        name_attributes: What returns the name; "" is `Ref`.
        arn_attributes: What returns the ARN; "" is `Ref`.
    """

    property: str
    arn: str
    name_attributes: tuple[str, ...] = ("",)
    arn_attributes: tuple[str, ...] = ("Arn",)


_NAMING = {
    BUCKET: _Naming("BucketName", "arn:${AWS::Partition}:s3:::%s"),
    FUNCTION: _Naming("FunctionName", "arn:${AWS::Partition}:lambda:" + _HERE + ":function:%s"),
    KEY: _Naming("", "arn:${AWS::Partition}:kms:" + _HERE + ":key/%s"),
    LOG_GROUP: _Naming("LogGroupName", "arn:${AWS::Partition}:logs:" + _HERE + ":log-group:%s:*"),
    QUEUE: _Naming("QueueName", "arn:${AWS::Partition}:sqs:" + _HERE + ":%s", ("QueueName",)),
    ROLE: _Naming("RoleName", "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/%s"),
    RULE: _Naming("Name", "arn:${AWS::Partition}:events:" + _HERE + ":rule/%s"),
    TABLE: _Naming("TableName", "arn:${AWS::Partition}:dynamodb:" + _HERE + ":table/%s"),
    TOPIC: _Naming("TopicName", "arn:${AWS::Partition}:sns:" + _HERE + ":%s", ("TopicName",), ("", "TopicArn")),
}
_POINTERS_TO_FUNCTIONS = ("AWS::Lambda::Alias", "AWS::Lambda::Version")

# Types of SAM -> the type that `Ref` and `Fn::GetAtt` return names of (AWS SAM Developer Guide, "Generated
# CloudFormation resources for AWS SAM", read 2026-12).
_SAM = {"AWS::Serverless::Function": FUNCTION, "AWS::Serverless::SimpleTable": TABLE}
# Transforms that add no resources (AWS CloudFormation Template Reference, "Transforms", read 2026-12).
_ADD_NOTHING = ("AWS::LanguageExtensions", "AWS::SecretsManager-2020-07-23", "AWS::SecretsManager-2024-09-16")
_PARTITION = re.compile(r"^arn:aws(?:-[a-z]+)*:")


@dataclass(frozen=True)
class Resource:
    """One resource with its properties, whatever shape they were written in."""

    id: str
    type: str
    body: Mapping[str, Any]
    properties: Mapping[str, Any]

    def at(self, *keys: str | int) -> Path:
        """The path of one of its properties."""
        return ("Resources", self.id, "Properties", *keys)

    @property
    def path(self) -> Path:
        """The path of the resource itself."""
        return ("Resources", self.id)


class Template:
    """A template and what the rules ask of it. Nothing is computed before it is asked for."""

    def __init__(self, body: Mapping[str, Any], *, today: date, profile: Profile | None = None) -> None:
        self.body = body
        self.today = today
        self.profile = profile or Profile()
        self._found: dict[Callable[[Template], Iterable[Any]], tuple[Any, ...]] = {}

    def held_to(self, profile: Profile) -> Template:
        """The same view under another profile; what was found so far is shared."""
        if profile == self.profile:
            return self
        # Rules compare resources by identity, so both views must have the same ones.
        _ = self.resources
        other = copy.copy(self)
        other.profile = profile
        return other

    def once(self, find: Callable[[Template], Iterable[T]]) -> tuple[T, ...]:
        """What a function finds in this template, found at the first request and shared by all rules."""
        if find not in self._found:
            self._found[find] = tuple(find(self))
        return self._found[find]

    def section(self, name: str) -> Mapping[str, Any]:
        """One top-level section; empty when it is absent or malformed, which is for cfn-lint to say."""
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
        return {**mapping(decided(defaults)), **mapping(decided(body.get("Properties")))}

    @cached_property
    def may_grow(self) -> bool:
        """True if a macro, such as SAM's, can add resources that the template does not show."""
        named = [canonical(name) for _, name in entries(self.body.get("Transform"))]
        return any(name not in _ADD_NOTHING for name in named) or "Fn::Transform" in self.section("Resources")

    def of_type(self, *types: str) -> list[Resource]:
        """The resources of some types, in the template's order."""
        return [resource for resource in self.resources.values() if resource.type in types]

    def resolved(self, value: Any) -> str:
        """The text of a value, with references to the template's own resources replaced by their names and ARNs."""
        return self._expand(canonical(value))

    def number(self, value: Any) -> float | None:
        """A number, also from a parameter's default; None when the template does not say."""
        if isinstance(value, Mapping) and tuple(value) == ("Ref",):
            value = mapping(self.section("Parameters").get(str(value["Ref"]))).get("Default")
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        try:
            return float(value)
        except ValueError:
            return None

    def with_defaults(self, text: str) -> str:
        """A canonical text with parameters replaced by their defaults, where they have one."""
        parameters = self.section("Parameters")

        def default(token: re.Match[str]) -> str:
            value = mapping(parameters.get(token[1])).get("Default")
            return token[0] if value is None else str(value)

        return TOKEN.sub(default, text)

    def decides(self, value: Any) -> bool:
        """Whether this template says a value: it is not imported, nor a parameter that a parent stack must fill."""
        function = next(iter(mapping(value)), "")
        if function == "Ref":
            name = str(mapping(value)["Ref"])
            return name not in self.section("Parameters") or "Default" in mapping(self.section("Parameters")[name])
        return function in ("", "Fn::Sub", "Fn::Join", "Fn::GetAtt")

    def find(self, kind: str, value: Any) -> Resource | None:
        """The resource of a type that a name or ARN expression means, or None if it is none of this template's.

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
        """The alias or version that an expression of a function names; "" for the function without one."""
        text = canonical(value)
        token = text.removeprefix("${").removesuffix("}")
        pointer = self.resources.get(token)
        if pointer is not None and pointer.type in _POINTERS_TO_FUNCTIONS:
            named = pointer.properties.get("Name")
            return f"${{{token}}}" if named is None else canonical(named)
        parts = split_arn(self.resolved(value))
        name = parts[5].removeprefix("function:") if parts else text
        colon = re.sub(r"\$\{[^}]*\}", lambda found: "_" * len(found[0]), name).find(":")
        return name[colon + 1 :] if colon >= 0 else ""

    def same_function(self, one: Any, other: Any) -> bool:
        """True if two expressions mean one function of this template, by the same alias or version if by any."""
        function = self.find(FUNCTION, one)
        return (
            function is not None
            and function is self.find(FUNCTION, other)
            and self.qualifier_of(one) == self.qualifier_of(other)
        )

    def find_key(self, chosen: Any) -> Resource | None:
        """The key of this template that an id, an ARN or an alias of this template names."""
        if chosen is None or (found := self.find(KEY, chosen)):
            return None if chosen is None else found
        text = self.resolved(chosen)
        for alias in self.of_type("AWS::KMS::Alias"):
            if text in (f"${{{alias.id}}}", self.resolved(alias.properties.get("AliasName"))):
                return self.find(KEY, alias.properties.get("TargetKeyId"))
        return None

    def arn_of(self, resource: Resource) -> str:
        """The resolved ARN of a resource."""
        return self.resolved(_reference(resource.id, _naming(resource).arn_attributes[0]))

    def name_of(self, resource: Resource) -> str:
        """The canonical name expression of a resource; a token of its own when CloudFormation generates the name."""
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
        """What each token that names a resource of this template stands for."""
        known: dict[str, str] = {}
        for resource in self.of_type(*_NAMING, *_SAM):
            naming = _naming(resource)
            name = self.name_of(resource)
            known |= {_token(resource.id, attribute): name for attribute in naming.name_attributes}
            known |= {_token(resource.id, attribute): naming.arn % name for attribute in naming.arn_attributes}
        for pointer in self.of_type(*_POINTERS_TO_FUNCTIONS):
            target = TOKEN.sub(
                lambda token: known.get(token[1], token[0]), canonical(pointer.properties.get("FunctionName"))
            )
            known[pointer.id] = target if target.startswith("arn:") else _NAMING[FUNCTION].arn % target
        return known

    def _expand(self, text: str) -> str:
        # A partition that is written out compares like the deployment's: no reference crosses partitions.
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
