"""A parsed template as the rules see it: resources by type, and values as texts that can be compared.

Two expressions mean the same thing when their resolved texts are equal. `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::Join`
become one text with `${...}` for what only CloudFormation knows; a reference to a resource of the template becomes
the name expression of that resource, and its ARN becomes the ARN that AWS will give it. So a name-derived ARN and a
`Fn::GetAtt` of the same function compare equal.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

from imgpipe_templates.checks.model import Path, Profile

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
        return {**mapping(_decided(defaults)), **mapping(_decided(body.get("Properties")))}

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
            target = _TOKEN.sub(
                lambda token: known.get(token[1], token[0]), canonical(pointer.properties.get("FunctionName"))
            )
            known[pointer.id] = target if target.startswith("arn:") else _NAMING[FUNCTION].arn % target
        return known

    def _expand(self, text: str) -> str:
        # A partition that is written out compares like the deployment's: no reference crosses partitions.
        text = _PARTITION.sub("arn:${AWS::Partition}:", text)
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
    elif value is not None and value != _NOTHING:
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


def _decided(value: Any) -> Any:
    """Properties with `Fn::If` only around values and lists: an object that is chosen becomes chosen entries.

    A rule can so ask for an entry wherever it is, and finds one that only some deployments have to be there.
    """
    if isinstance(value, list | tuple):
        # `entries` takes the outcomes of an entry apart; together they would be one entry that no deployment has.
        return [{"Fn::If": _decided(entry["Fn::If"])} if _is_choice(entry) else _decided(entry) for entry in value]
    if not isinstance(value, Mapping):
        return value
    if not _is_choice(value):
        return {key: _decided(entry) for key, entry in value.items()}
    condition, *outcomes = value["Fn::If"]
    outcomes = [_decided(entry) for entry in outcomes]
    objects = [entry for entry in outcomes if entry != _NOTHING]
    if not objects or not all(isinstance(entry, Mapping) and not is_function(entry) for entry in objects):
        return {"Fn::If": [condition, *outcomes]}
    keys = dict.fromkeys(key for entry in objects for key in entry)
    sides = [mapping(None if entry == _NOTHING else entry) for entry in outcomes]
    return {key: _one_or_other(condition, *(side.get(key, _NOTHING) for side in sides)) for key in keys}


def _one_or_other(condition: Any, one: Any, other: Any) -> Any:
    return one if one == other else _decided({"Fn::If": [condition, one, other]})


_NOTHING = {"Ref": "AWS::NoValue"}


def _is_choice(value: Any) -> bool:
    outcomes = mapping(value).get("Fn::If")
    return isinstance(outcomes, list) and len(outcomes) == 3  # noqa: PLR2004 - condition, then, else


def is_function(value: Any) -> bool:
    """True if a value is an intrinsic function."""
    return isinstance(value, Mapping) and len(value) == 1 and str(next(iter(value))).startswith(("Ref", "Fn::"))


def _naming(resource: Resource) -> _Naming:
    return _NAMING[_SAM.get(resource.type, resource.type)]


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
