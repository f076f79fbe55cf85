"""Values of a template: both outcomes of a condition, texts that can be compared, parts of ARNs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates.checks.model import Path

TOKEN = re.compile(r"\$\{([^!}][^}]*)\}")


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


def decided(value: Any) -> Any:
    """Properties with `Fn::If` only around values and lists: an object that is chosen becomes chosen entries.

    A rule can so ask for an entry wherever it is, and finds one that only some deployments have to be there.
    """
    if isinstance(value, list | tuple):
        # `entries` takes the outcomes of an entry apart; together they would be one entry that no deployment has.
        return [{"Fn::If": decided(entry["Fn::If"])} if _is_choice(entry) else decided(entry) for entry in value]
    if not isinstance(value, Mapping):
        return value
    if not _is_choice(value):
        return {key: decided(entry) for key, entry in value.items()}
    condition, *outcomes = value["Fn::If"]
    outcomes = [decided(entry) for entry in outcomes]
    objects = [entry for entry in outcomes if entry != _NOTHING]
    if not objects or not all(isinstance(entry, Mapping) and not is_function(entry) for entry in objects):
        return {"Fn::If": [condition, *outcomes]}
    keys = dict.fromkeys(key for entry in objects for key in entry)
    sides = [mapping(None if entry == _NOTHING else entry) for entry in outcomes]
    return {key: _one_or_other(condition, *(side.get(key, _NOTHING) for side in sides)) for key in keys}


def _one_or_other(condition: Any, one: Any, other: Any) -> Any:
    return one if one == other else decided({"Fn::If": [condition, one, other]})


_NOTHING = {"Ref": "AWS::NoValue"}


def _is_choice(value: Any) -> bool:
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
