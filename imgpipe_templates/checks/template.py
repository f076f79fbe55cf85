"""A parsed template as the rules see it: resources by type, and values as texts that can be compared.

Two expressions mean the same thing when their resolved texts are equal. `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::Join`
become one text with `${...}` for what only CloudFormation knows; a reference to a resource of the template becomes
the name expression of that resource, and its ARN becomes the ARN that AWS will give it. So a name-derived ARN and a
`Fn::GetAtt` of the same function compare equal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

from imgpipe_templates.checks.model import Path

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

_TOKEN = re.compile(r"\$\{([^!}][^}]*)\}")
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

    def __init__(self, body: Mapping[str, Any], *, today: date) -> None:
        self.body = body
        self.today = today
        self._found: dict[Callable[[Template], Iterable[Any]], tuple[Any, ...]] = {}

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
            name: Resource(name, str(body.get("Type", "")), body, mapping(body.get("Properties")))
            for name, body in self.section("Resources").items()
            if isinstance(body, Mapping)
        }

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

        return _TOKEN.sub(default, text)

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

    def name_of(self, resource: Resource) -> str:
        """The canonical name expression of a resource; a token of its own when CloudFormation generates the name."""
        naming = _NAMING[resource.type]
        chosen = resource.properties.get(naming.property)
        attribute = naming.name_attributes[0]
        return canonical(chosen if chosen is not None else _reference(resource.id, attribute))

    @cached_property
    def _index(self) -> dict[str, dict[str, Resource]]:
        index: dict[str, dict[str, Resource]] = {kind: {} for kind in _NAMING}
        for resource in self.of_type(*_NAMING):
            name = self.name_of(resource)
            index[resource.type][name] = resource
            index[resource.type][_NAMING[resource.type].arn % name] = resource
        return index

    @cached_property
    def _expansions(self) -> dict[str, str]:
        """What each token that names a resource of this template stands for."""
        known: dict[str, str] = {}
        for resource in self.of_type(*_NAMING):
            naming = _NAMING[resource.type]
            name = self.name_of(resource)
            known |= {_token(resource.id, attribute): name for attribute in naming.name_attributes}
            known |= {_token(resource.id, attribute): naming.arn % name for attribute in naming.arn_attributes}
        for pointer in self.of_type(*_POINTERS_TO_FUNCTIONS):
            target = _TOKEN.sub(
                lambda token: known.get(token[1], token[0]), canonical(pointer.properties.get("FunctionName"))
            )
            known[pointer.id] = target if target.startswith("arn:") else _NAMING[FUNCTION].arn % target
        return known

    def _expand(self, text: str) -> str:
        if "${" not in text:
            return text
        return _TOKEN.sub(lambda token: self._expansions.get(token[1], token[0]), text)


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def entries(value: Any) -> Iterator[tuple[Path, Any]]:
    """The entries of a list with their places in it; a single value is a list of one, as IAM reads it.

    Both outcomes of a `Fn::If` count, because some deployment has either.
    """
    if isinstance(value, list | tuple):
        for position, entry in enumerate(value):
            yield from (((position, *place), leaf) for place, leaf in entries(entry))
    elif isinstance(value, Mapping) and isinstance(outcomes := value.get("Fn::If"), list):
        for position, outcome in enumerate(outcomes[1:], start=1):
            yield from ((("Fn::If", position, *place), leaf) for place, leaf in entries(outcome))
    elif value is not None and value != {"Ref": "AWS::NoValue"}:
        yield (), value


def places(path: Path, value: Any, keys: list[str]) -> Iterator[tuple[Path, Any]]:
    """Path and value at a place in properties that is given as keys; `*` is every entry of a list."""
    if not keys:
        if value is not None:
            yield path, value
    elif keys[0] == "*":
        for position, entry in entries(value):
            yield from places((*path, *position), entry, keys[1:])
    else:
        yield from places((*path, keys[0]), mapping(value).get(keys[0]), keys[1:])


def canonical(value: Any) -> str:
    """A value as text, `${...}` standing for what CloudFormation fills in, `${!...}` for a literal `${...}`."""
    if isinstance(value, str):
        return value.replace("${", "${!") if "${" in value else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping) and len(value) == 1:
        ((function, argument),) = value.items()
        if handler := _INTRINSICS.get(function):
            return handler(argument)
    if value is None or isinstance(value, int | float):
        return "" if value is None else str(value)
    try:
        text = json.dumps(value, sort_keys=True, default=str)
    except TypeError:  # keys of several types, which YAML takes and CloudFormation does not
        text = str(value)
    return "${" + text.replace("}", ")").replace("{", "(") + "}"


def split_arn(text: str) -> list[str] | None:
    """The six parts of an ARN in canonical text, or None if it is none. Colons inside `${...}` do not split."""
    if not text.startswith("arn:"):
        return None
    tokens: list[str] = []

    def hide(token: re.Match[str]) -> str:
        tokens.append(token[0])
        return f"\0{len(tokens) - 1}\0"

    parts = re.sub(r"\$\{[^}]*\}", hide, text).split(":", 5)
    if len(parts) != 6:  # noqa: PLR2004 - arn:partition:service:region:account:resource
        return None
    return [re.sub("\0(\\d+)\0", lambda mark: tokens[int(mark[1])], part) for part in parts]


def _token(name: str, attribute: str) -> str:
    return f"{name}.{attribute}" if attribute else name


def _reference(name: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]} if attribute else {"Ref": name}


def _get_att(argument: Any) -> str:
    if isinstance(argument, list):
        argument = ".".join(str(part) for part in argument)
    return "${" + str(argument) + "}"


def _sub(argument: Any) -> str:
    if isinstance(argument, str):
        return argument
    if not (isinstance(argument, list) and len(argument) == 2 and isinstance(argument[0], str)):  # noqa: PLR2004 - text and names
        return canonical(str(argument))
    names = mapping(argument[1])
    return _TOKEN.sub(lambda token: canonical(names[token[1]]) if token[1] in names else token[0], argument[0])


def _join(argument: Any) -> str:
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list):  # noqa: PLR2004 - separator and parts
        return str(argument[0]).join(canonical(part) for part in argument[1])
    return canonical(str(argument))


_INTRINSICS = {"Ref": lambda name: "${" + str(name) + "}", "Fn::GetAtt": _get_att, "Fn::Sub": _sub, "Fn::Join": _join}
