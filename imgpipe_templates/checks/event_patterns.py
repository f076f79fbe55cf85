"""The grammar of EventBridge event patterns.

Amazon EventBridge User Guide, "Comparison operators for use in event patterns", read 2026-11.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from itertools import pairwise
from typing import Any

from imgpipe_templates.checks.model import Path
from imgpipe_templates.checks.values import is_function

Flaw = tuple[Path, str]

# Numbers of a numeric comparison (same page, "Numeric matching").
MAX_NUMBER = 5_000_000_000

_COMPARISONS = ("<", "<=", "=", ">", ">=")
_TEXTUAL = ("prefix", "suffix", "equals-ignore-case", "wildcard")
OPERATORS = (*_TEXTUAL, "anything-but", "numeric", "exists", "cidr")
_RANGE = 4  # a comparison and its number, twice
_WILDCARD_ESCAPE = re.compile(r"\\(?![*\\])|\\$")


def flaws(pattern: Any, path: Path = ()) -> Iterator[Flaw]:
    """What is wrong with an event pattern, and where; expressions that only deployment knows are taken to be right."""
    if not isinstance(pattern, Mapping):
        yield path, f"is {_shown(pattern)}; an event pattern is an object"
    elif not pattern:
        yield path, "is empty; name at least one field of the events, such as source"
    else:
        yield from _fields(pattern, path)


def _fields(pattern: Mapping[str, Any], path: Path) -> Iterator[Flaw]:
    for name, value in pattern.items():
        here = (*path, str(name))
        if name == "$or":
            yield from _alternatives(value, here)
        elif is_function(value):
            continue
        elif isinstance(value, Mapping):
            if value:
                yield from _fields(value, here)
            else:
                yield here, "is an empty object; give the values that the field may have, as a list"
        elif isinstance(value, list | tuple):
            if not value:
                yield here, "is an empty list, which nothing matches; list the values that the field may have"
            for position, entry in enumerate(value):
                yield from _leaf(entry, (*here, position))
        else:
            yield here, f"is {_shown(value)}; values stand in a list: [{_shown(value)}]"


def _alternatives(value: Any, path: Path) -> Iterator[Flaw]:
    if not isinstance(value, list) or len(value) < 2:  # noqa: PLR2004 - an alternative has two sides
        yield path, "has no alternatives; $or takes a list of two objects or more"
        return
    for position, entry in enumerate(value):
        yield from flaws(entry, (*path, position))


def _leaf(entry: Any, path: Path) -> Iterator[Flaw]:
    if not isinstance(entry, Mapping) or is_function(entry):
        if isinstance(entry, list | tuple):
            yield path, "is a list within a list; write the values side by side"
        return
    if len(entry) != 1:
        yield path, f"has {len(entry)} operators; write each as an entry of its own, one of which must match"
        return
    ((name, argument),) = entry.items()
    if name not in OPERATORS:
        yield path, f"{name!r} is no operator; use one of {', '.join(OPERATORS)}"
    elif not is_function(argument):
        yield from ((path, text) for text in _argument(str(name), argument))


def _argument(name: str, argument: Any) -> Iterator[str]:
    if name in _TEXTUAL:
        yield from _text(name, argument)
    elif name == "anything-but":
        yield from _anything_but(argument)
    elif name == "numeric":
        yield from _numeric(argument)
    elif name == "exists" and not _is_boolean(argument):
        yield f"exists takes true or false, not {_shown(argument)}; write exists: true"
    elif name == "cidr":
        try:
            ip_network(argument, strict=False)
        except ValueError:
            yield f"{_shown(argument)} is no block of addresses; write it as 10.0.0.0/24"


def _text(name: str, argument: Any) -> Iterator[str]:
    if isinstance(argument, Mapping) and name in ("prefix", "suffix") and tuple(argument) == ("equals-ignore-case",):
        argument = argument["equals-ignore-case"]
    if is_function(argument):
        return
    if not isinstance(argument, str):
        yield f"{name} takes a text, not {_shown(argument)}; write it as one, or several entries"
    elif name == "wildcard" and "**" in argument:
        yield f"{argument!r} has two wildcards side by side, which EventBridge refuses; one * stands for any text"
    elif name == "wildcard" and _WILDCARD_ESCAPE.search(argument):
        yield f"{argument!r} has a backslash before neither * nor a backslash; write a backslash itself twice"


def _anything_but(argument: Any) -> Iterator[str]:
    if isinstance(argument, Mapping):
        if len(argument) != 1 or next(iter(argument)) not in _TEXTUAL:
            yield f"anything-but takes values or one of {', '.join(_TEXTUAL)}; not {_shown(argument)}"
            return
        ((name, values),) = argument.items()
        for value in values if isinstance(values, list | tuple) else [values]:
            yield from _text(str(name), value)
        return
    values = list(argument) if isinstance(argument, list | tuple) else [argument]
    known = [value for value in values if not is_function(value)]
    kinds = {isinstance(value, str) for value in known}
    if not values or any(isinstance(value, Mapping | list) for value in known) or len(kinds) > 1:
        yield f"anything-but takes one value, texts only or numbers only; not {_shown(argument)}"


def _numeric(argument: Any) -> Iterator[str]:
    if not isinstance(argument, list | tuple) or len(argument) not in (2, _RANGE):
        yield f'numeric takes a comparison and a number, or two of both; not {_shown(argument)}: [">", 0, "<=", 5]'
        return
    pairs = [(argument[position], argument[position + 1]) for position in range(0, len(argument), 2)]
    for comparison, number in pairs:
        if comparison not in _COMPARISONS:
            yield f"{_shown(comparison)} is no comparison; use one of {' '.join(_COMPARISONS)}"
        elif isinstance(number, bool) or not isinstance(number, int | float):
            yield f"numeric compares with numbers, not with {_shown(number)}; write it without quotes"
        elif abs(number) > MAX_NUMBER:
            yield f"{number} is out of range; EventBridge compares -{MAX_NUMBER} to {MAX_NUMBER}"
    for (lower, least), (upper, most) in pairwise(pairs):
        if str(lower)[:1] != ">" or str(upper)[:1] != "<":
            yield f"{lower} {least} and {upper} {most} are no range; write the lower end with > first"
        elif isinstance(least, int | float) and isinstance(most, int | float) and least >= most:
            yield f"no number is {lower} {least} and {upper} {most}; write the smaller end first"


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool) or value in ("true", "false")


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str | int | float | bool | None) else json.dumps(value, default=str)
