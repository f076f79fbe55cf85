"""A template as it would be in some account and Region: every reference that is known beforehand put in its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class Place:
    """Where and with which parameters a stack is created."""

    partition: str
    region: str
    url_suffix: str
    account: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    def pseudo(self) -> dict[str, str]:
        """The pseudo parameters of CloudFormation."""
        return {
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::URLSuffix": self.url_suffix,
            "AWS::AccountId": self.account,
            "AWS::StackName": "photos",
        }


EUROPE = Place("aws", "eu-central-1", "amazonaws.com", "111122223333")
VIRGINIA = Place("aws", "us-east-1", "amazonaws.com", "444455556666")
CHINA = Place("aws-cn", "cn-north-1", "amazonaws.com.cn", "777788889999")
GOVERNMENT = Place("aws-us-gov", "us-gov-west-1", "amazonaws.com", "101112131415")
PLACES = (EUROPE, VIRGINIA, CHINA, GOVERNMENT)


def resolved(template: Mapping[str, Any], place: Place) -> Any:
    """The template in that place; what only CloudFormation can know stays a name in angle brackets."""
    defaults = {name: str(parameter.get("Default", "given")) for name, parameter in template["Parameters"].items()}
    stack = _Stack({**defaults, **place.parameters, **place.pseudo()}, template.get("Conditions", {}))
    return {part: stack.value(template[part]) for part in ("Resources", "Outputs")}


@dataclass(frozen=True)
class _Stack:
    known: Mapping[str, str]
    conditions: Mapping[str, Any]

    def value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if not isinstance(value, dict):
            return value
        name = next(iter(value), "")
        if len(value) == 1 and name in self._INTRINSICS:
            return self._INTRINSICS[name](self, value[name])
        return {name: self.value(item) for name, item in value.items()}

    def _ref(self, name: str) -> str:
        return self.known.get(name, f"<{name}>")

    def _attribute(self, names: list[str]) -> str:
        return f"<{'.'.join(names)}>"

    def _sub(self, argument: str | list[Any]) -> str:
        text, more = argument if isinstance(argument, list) else (argument, {})
        known = {**self.known, **{name: str(self.value(item)) for name, item in more.items()}}
        return re.sub(r"\$\{([^!}]+)\}", lambda found: known.get(found[1], f"<{found[1]}>"), text)

    def _if(self, argument: list[Any]) -> Any:
        name, yes, no = argument
        return self.value(yes if self.value(self.conditions[name]) else no)

    def _equals(self, argument: list[Any]) -> bool:
        one, other = map(self.value, argument)
        return bool(one == other)

    def _not(self, argument: list[Any]) -> bool:
        return not self.value(argument[0])

    def _or(self, argument: list[Any]) -> bool:
        return any(map(self.value, argument))

    _INTRINSICS: ClassVar[dict[str, Callable[..., Any]]] = {
        "Ref": _ref,
        "Fn::GetAtt": _attribute,
        "Fn::Sub": _sub,
        "Fn::If": _if,
        "Fn::Equals": _equals,
        "Fn::Not": _not,
        "Fn::Or": _or,
    }


def texts(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text of a template with the path that leads to it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from texts(item, (*path, name))
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, path)


_REGION = r"\b(?:af|ap|ca|cn|eu|il|me|mx|sa|us)(?:-gov|-iso[a-z]?)?-(?:north|south|east|west|central)[a-z]*-\d\b"
FIXED = {
    "an account": re.compile(r"(?<![\d.])\d{12}(?!\d)"),
    "a Region": re.compile(_REGION),
    "a partition": re.compile(r"\barn:aws[a-z-]*:"),
    "a domain": re.compile(r"amazonaws\.com|amazonaws\.cn|aws\.amazon\.com|amazonaws-us-gov"),
    "a bucket": re.compile(r"lambda-layers|pillow-layer"),
}


def fixed_places(template: Mapping[str, Any]) -> list[str]:
    """What a template says that is true in one account, Region or partition only."""
    return [
        f"{'.'.join(path)}: {what}"
        for path, text in texts(template)
        for what, pattern in FIXED.items()
        if pattern.search(text) and not _EXCUSED.get(what, _never)(path, text)
    ]


def _never(_path: tuple[str, ...], _text: str) -> bool:
    return False


def _names_a_service(path: tuple[str, ...], text: str) -> bool:
    # Service principals are spelled alike everywhere; the console's domain is chosen by partition.
    principal = path[-1] in {"Service", "Principal"} and re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com", text)
    return bool(principal) or path[:2] == ("Outputs", "DashboardUrl")


def _is_compared(path: tuple[str, ...], _text: str) -> bool:
    # A condition that compares AWS::Region with Regions is true wherever the stack is.
    return path[0] == "Conditions" and path[-1] == "Fn::Equals"


_EXCUSED: dict[str, Callable[[tuple[str, ...], str], bool]] = {"a domain": _names_a_service, "a Region": _is_compared}
