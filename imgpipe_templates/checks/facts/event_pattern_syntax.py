"""The syntax of EventBridge event patterns.

Amazon EventBridge User Guide, "Comparison operators for use in event patterns", read 2026-11.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from itertools import pairwise
from typing import Any

from imgpipe_templates.checks.facts.expressions import is_function
from imgpipe_templates.checks.findings import Path

SyntaxProblem = tuple[Path, str]

# Numbers of a numeric comparison (same page, "Numeric matching").
MAX_NUMBER = 5_000_000_000

_COMPARISONS = ("<", "<=", "=", ">", ">=")
_TEXTUAL = ("prefix", "suffix", "equals-ignore-case", "wildcard")
OPERATORS = (*_TEXTUAL, "anything-but", "numeric", "exists", "cidr")
_RANGE = 4  # two comparisons, each with its number
_WILDCARD_ESCAPE = re.compile(r"\\(?![*\\])|\\$")


def syntax_errors(pattern: Any, path: Path = ()) -> Iterator[SyntaxProblem]:
    """Yield path and text of each syntax error; expressions that only the deployment knows are not checked."""
    if not isinstance(pattern, Mapping):
        yield path, f"is {_shown(pattern)}; an event pattern is an object"
    elif not pattern:
        yield path, "is empty; name at least one field of the events, such as source"
    else:
        yield from _fields(pattern, path)


def _fields(pattern: Mapping[str, Any], path: Path) -> Iterator[SyntaxProblem]:
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
                yield here, "is an empty object; list the values of the field"
        elif isinstance(value, list | tuple):
            if not value:
                yield here, "is an empty list, which no event matches; list the values of the field"
            for position, entry in enumerate(value):
                yield from _leaf(entry, (*here, position))
        else:
            yield here, f"is {_shown(value)}, not a list; write [{_shown(value)}]"


def _alternatives(value: Any, path: Path) -> Iterator[SyntaxProblem]:
    if not isinstance(value, list) or len(value) < 2:  # noqa: PLR2004 - an alternative has two sides
        yield path, "is no list of two or more objects; list the alternatives of $or"
        return
    for position, entry in enumerate(value):
        yield from syntax_errors(entry, (*path, position))


def _leaf(entry: Any, path: Path) -> Iterator[SyntaxProblem]:
    if not isinstance(entry, Mapping) or is_function(entry):
        if isinstance(entry, list | tuple):
            yield path, "is a list inside a list; write the values in one list"
        return
    if len(entry) != 1:
        yield path, f"has {len(entry)} operators; write one entry for each, of which one must match"
        return
    ((name, argument),) = entry.items()
    if name not in OPERATORS:
        yield path, f"{name!r} is an unknown operator; use one of {', '.join(OPERATORS)}"
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
        yield f"{_shown(argument)} is not allowed for exists; write true or false"
    elif name == "cidr":
        try:
            ip_network(argument, strict=False)
        except ValueError:
            yield f"{_shown(argument)} is no CIDR block; write it like 10.0.0.0/24"


def _text(name: str, argument: Any) -> Iterator[str]:
    if isinstance(argument, Mapping) and name in ("prefix", "suffix") and tuple(argument) == ("equals-ignore-case",):
        argument = argument["equals-ignore-case"]
    if is_function(argument):
        return
    if not isinstance(argument, str):
        yield f"{_shown(argument)} is no text for {name}; write one text for each entry"
    elif name == "wildcard" and "**" in argument:
        yield f"{argument!r} has adjacent wildcards, which EventBridge rejects; one * matches any text"
    elif name == "wildcard" and _WILDCARD_ESCAPE.search(argument):
        yield f"{argument!r} has a backslash that escapes neither * nor a backslash; write a literal backslash as two"


def _anything_but(argument: Any) -> Iterator[str]:
    if isinstance(argument, Mapping):
        if len(argument) != 1 or next(iter(argument)) not in _TEXTUAL:
            yield f"{_shown(argument)} is not allowed for anything-but; use values or one of {', '.join(_TEXTUAL)}"
            return
        ((name, values),) = argument.items()
        for value in values if isinstance(values, list | tuple) else [values]:
            yield from _text(str(name), value)
        return
    values = list(argument) if isinstance(argument, list | tuple) else [argument]
    known = [value for value in values if not is_function(value)]
    kinds = {isinstance(value, str) for value in known}
    if not values or any(isinstance(value, Mapping | list) for value in known) or len(kinds) > 1:
        yield f"{_shown(argument)} is not allowed for anything-but; use one value, or texts only, or numbers only"


def _numeric(argument: Any) -> Iterator[str]:
    if not isinstance(argument, list | tuple) or len(argument) not in (2, _RANGE):
        yield f'{_shown(argument)} is not allowed for numeric; write one or two comparisons like [">", 0, "<=", 5]'
        return
    pairs = [(argument[position], argument[position + 1]) for position in range(0, len(argument), 2)]
    for comparison, number in pairs:
        if comparison not in _COMPARISONS:
            yield f"{_shown(comparison)} is an unknown comparison; use one of {' '.join(_COMPARISONS)}"
        elif isinstance(number, bool) or not isinstance(number, int | float):
            yield f"{_shown(number)} is no number; write it without quotes"
        elif abs(number) > MAX_NUMBER:
            yield f"{number} is out of range; EventBridge supports -{MAX_NUMBER} to {MAX_NUMBER}"
    for (lower, minimum), (upper, maximum) in pairwise(pairs):
        if str(lower)[:1] != ">" or str(upper)[:1] != "<":
            yield f"{lower} {minimum} and {upper} {maximum} are no range; write the lower end with > first"
        elif isinstance(minimum, int | float) and isinstance(maximum, int | float) and minimum >= maximum:
            yield f"no number is {lower} {minimum} and {upper} {maximum}; write the lower end first"


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool) or value in ("true", "false")


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str | int | float | bool | None) else json.dumps(value, default=str)
