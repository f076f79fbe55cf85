"""Expressions of a template: comparable texts, both outcomes of `Fn::If`, parts of ARNs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates.checks.findings import Path

TOKEN = re.compile(r"\$\{([^!}][^}]*)\}")


def mapping(value: Any) -> Mapping[str, Any]:
    """Return the value if it is a mapping, else an empty mapping."""
    return value if isinstance(value, Mapping) else {}


def entries(value: Any) -> Iterator[tuple[Path, Any]]:
    """Yield the entries of a list with their paths; a single value is a list of one, as in IAM.

    Both outcomes of a `Fn::If` are yielded, because each is deployed under some condition.
    """
    if isinstance(value, list | tuple):
        for position, entry in enumerate(value):
            yield from (((position, *path), leaf) for path, leaf in entries(entry))
    elif isinstance(value, Mapping) and isinstance(outcomes := value.get("Fn::If"), list):
        for position, outcome in enumerate(outcomes[1:], start=1):
            yield from ((("Fn::If", position, *path), leaf) for path, leaf in entries(outcome))
    elif value is not None and value != _NO_VALUE:
        yield (), value


def values_at(path: Path, value: Any, keys: list[str]) -> Iterator[tuple[Path, Any]]:
    """Yield path and value at a path of keys in properties; the key `*` means every entry of a list."""
    if not keys:
        if value is not None:
            yield path, value
    elif keys[0] == "*":
        for position, entry in entries(value):
            yield from values_at((*path, *position), entry, keys[1:])
    else:
        yield from values_at((*path, keys[0]), mapping(value).get(keys[0]), keys[1:])


def canonical(value: Any) -> str:
    """Return a value as text.

    `${...}` means a value that only CloudFormation knows, `${!...}` a literal `${...}`.
    """
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
    except TypeError:  # keys of several types: valid in YAML, not in CloudFormation
        text = str(value)
    return "${" + text.replace("}", ")").replace("{", "(") + "}"


def reference_name(value: Any) -> str:
    """Return the name inside `${...}` of an expression that is one reference, else its text."""
    return canonical(value).removeprefix("${").removesuffix("}")


def split_arn(text: str) -> list[str] | None:
    """Return the six parts of an ARN in canonical text, or None if the text is no ARN.

    Colons inside `${...}` do not split the text.
    """
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


def spread_conditions(value: Any) -> Any:
    """Return properties in which `Fn::If` contains values and lists only.

    An object inside `Fn::If` becomes an object whose entries contain `Fn::If`. A rule then finds an entry by its key,
    including one that only some deployments have.
    """
    if isinstance(value, list | tuple):
        # `entries` yields each outcome of an entry. Merged, they would be one entry that no deployment has.
        return [
            {"Fn::If": spread_conditions(entry["Fn::If"])} if _is_condition(entry) else spread_conditions(entry)
            for entry in value
        ]
    if not isinstance(value, Mapping):
        return value
    if not _is_condition(value):
        return {key: spread_conditions(entry) for key, entry in value.items()}
    condition, *outcomes = value["Fn::If"]
    outcomes = [spread_conditions(entry) for entry in outcomes]
    objects = [entry for entry in outcomes if entry != _NO_VALUE]
    if not objects or not all(isinstance(entry, Mapping) and not is_function(entry) for entry in objects):
        return {"Fn::If": [condition, *outcomes]}
    keys = dict.fromkeys(key for entry in objects for key in entry)
    sides = [mapping(None if entry == _NO_VALUE else entry) for entry in outcomes]
    return {key: _choice(condition, *(side.get(key, _NO_VALUE) for side in sides)) for key in keys}


def _choice(condition: Any, one: Any, other: Any) -> Any:
    return one if one == other else spread_conditions({"Fn::If": [condition, one, other]})


_NO_VALUE = {"Ref": "AWS::NoValue"}


def _is_condition(value: Any) -> bool:
    outcomes = mapping(value).get("Fn::If")
    return isinstance(outcomes, list) and len(outcomes) == 3  # noqa: PLR2004 - condition, then, else


def is_function(value: Any) -> bool:
    """True if a value is an intrinsic function."""
    return isinstance(value, Mapping) and len(value) == 1 and str(next(iter(value))).startswith(("Ref", "Fn::"))


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
    return TOKEN.sub(lambda token: canonical(names[token[1]]) if token[1] in names else token[0], argument[0])


def _join(argument: Any) -> str:
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list):  # noqa: PLR2004 - separator and parts
        return str(argument[0]).join(canonical(part) for part in argument[1])
    return canonical(str(argument))


_INTRINSICS = {"Ref": lambda name: "${" + str(name) + "}", "Fn::GetAtt": _get_att, "Fn::Sub": _sub, "Fn::Join": _join}
