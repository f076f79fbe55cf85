"""Sets of object keys written as patterns, and whether a write can hit a trigger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.checks.values import entries, mapping


@dataclass(frozen=True)
class Pattern:
    """Keys that match a glob of `*` and `?`."""

    glob: str
    ignore_case: bool = False


@dataclass(frozen=True)
class Keys:
    """Keys that match any of some patterns, except those that match one of others."""

    patterns: tuple[Pattern, ...] = (Pattern("*"),)
    but_not: tuple[Pattern, ...] = ()

    def can_hold(self, written: str) -> bool:
        """Whether a key written under the glob `written` can be one of these keys."""
        if any(_inside(written, pattern) for pattern in self.but_not):
            return False
        return any(_meets(written, pattern) for pattern in self.patterns)


def prefix_and_suffix(prefix: str, suffix: str) -> Keys:
    """The keys of an S3 notification filter, those included in which the prefix and the suffix share characters."""
    shared = [size for size in range(1, min(len(prefix), len(suffix)) + 1) if prefix.endswith(suffix[:size])]
    short = [prefix + suffix[size:] for size in shared]
    return Keys(tuple(Pattern(glob) for glob in (f"{prefix}*{suffix}", *short)))


def event_pattern_keys(condition: Any) -> Keys:
    """The keys of an EventBridge condition on `detail.object.key`; the entries of its list are alternatives.

    Amazon EventBridge User Guide, "Comparison operators for use in event patterns", read 2026-11. An operator that
    is not known here matches every key, so that a loop is rather reported than missed.
    """
    if condition is None:
        return Keys()
    patterns: list[Pattern] = []
    but_not: list[Pattern] = []
    for _, entry in entries(condition):
        if not isinstance(entry, Mapping):
            patterns.append(Pattern(str(entry)))
        elif "anything-but" in entry:
            patterns.append(Pattern("*"))
            but_not += _matchers(entry["anything-but"])
        else:
            patterns += _matchers(entry)
    return Keys(tuple(patterns), tuple(but_not))


def globs_meet(one: str, other: str) -> bool:
    """Whether some text matches both globs."""
    seen: set[tuple[int, int]] = set()
    waiting = [(0, 0)]
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        i, j = here
        a, b = one[i : i + 1], other[j : j + 1]
        if not a and not b:
            return True
        if a == "*":
            waiting += [(i + 1, j)] + ([(i, j + 1)] if b else [])
        if b == "*":
            waiting += [(i, j + 1)] + ([(i + 1, j)] if a else [])
        if a and b and (a == b or "?" in (a, b)):
            waiting.append((i + 1, j + 1))
    return False


def _matchers(operator: Any) -> list[Pattern]:
    found: list[Pattern] = []
    for _, entry in entries(operator):
        if not isinstance(entry, Mapping):
            found.append(Pattern(str(entry)))
            continue
        for name, argument in entry.items():
            found += [_pattern(str(name), value) for _, value in entries(argument)]
    return found


def _pattern(name: str, value: Any) -> Pattern:
    ignore_case = isinstance(value, Mapping) or name == "equals-ignore-case"
    text = str(mapping(value).get("equals-ignore-case", "*")) if isinstance(value, Mapping) else str(value)
    globs = {"prefix": f"{text}*", "suffix": f"*{text}", "wildcard": text, "equals-ignore-case": text}
    return Pattern(globs.get(name, "*"), ignore_case)


def _cased(written: str, pattern: Pattern) -> tuple[str, str]:
    return (written.lower(), pattern.glob.lower()) if pattern.ignore_case else (written, pattern.glob)


def _meets(written: str, pattern: Pattern) -> bool:
    return globs_meet(*_cased(written, pattern))


def _inside(written: str, pattern: Pattern) -> bool:
    """Whether every key under `written` matches a pattern of the form `text*`, `*text` or `text`."""
    mine, glob = _cased(written, pattern)
    head, tail = _fixed_ends(mine)
    if glob.endswith("*") and "*" not in glob[:-1]:
        return head.startswith(glob[:-1])
    if glob.startswith("*") and "*" not in glob[1:]:
        return tail.endswith(glob[1:])
    return mine == glob


def _fixed_ends(glob: str) -> tuple[str, str]:
    wild = [position for position, character in enumerate(glob) if character in "*?"]
    return (glob[: wild[0]], glob[wild[-1] + 1 :]) if wild else (glob, glob)
