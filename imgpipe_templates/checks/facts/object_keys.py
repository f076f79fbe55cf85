"""Sets of object keys as globs, to compare the writes of a function with the filter of its trigger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.checks.facts.expressions import entries, mapping


@dataclass(frozen=True)
class KeyGlob:
    """The keys that match a glob of `*` and `?`."""

    glob: str
    ignore_case: bool = False


@dataclass(frozen=True)
class KeySet:
    """The keys that match one of the included globs and none of the excluded globs."""

    included: tuple[KeyGlob, ...] = (KeyGlob("*"),)
    excluded: tuple[KeyGlob, ...] = ()

    def overlaps(self, written: str) -> bool:
        """True if a key that matches the glob `written` can be in this set."""
        if any(_contains(written, pattern) for pattern in self.excluded):
            return False
        return any(_overlaps(written, pattern) for pattern in self.included)


def prefix_and_suffix(prefix: str, suffix: str) -> KeySet:
    """Return the keys of an S3 notification filter, including keys in which prefix and suffix overlap."""
    shared = [size for size in range(1, min(len(prefix), len(suffix)) + 1) if prefix.endswith(suffix[:size])]
    short = [prefix + suffix[size:] for size in shared]
    return KeySet(tuple(KeyGlob(glob) for glob in (f"{prefix}*{suffix}", *short)))


def event_pattern_keys(condition: Any) -> KeySet:
    """Return the keys of an EventBridge condition on `detail.object.key`; the entries of its list are alternatives.

    Amazon EventBridge User Guide, "Comparison operators for use in event patterns", read 2026-11. An unknown operator
    matches every key, so that a possible loop is reported.
    """
    if condition is None:
        return KeySet()
    included: list[KeyGlob] = []
    excluded: list[KeyGlob] = []
    for _, entry in entries(condition):
        if not isinstance(entry, Mapping):
            included.append(KeyGlob(str(entry)))
        elif "anything-but" in entry:
            included.append(KeyGlob("*"))
            excluded += _matchers(entry["anything-but"])
        else:
            included += _matchers(entry)
    return KeySet(tuple(included), tuple(excluded))


def globs_overlap(one: str, other: str) -> bool:
    """True if some text matches both globs."""
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


def _matchers(operator: Any) -> list[KeyGlob]:
    found: list[KeyGlob] = []
    for _, entry in entries(operator):
        if not isinstance(entry, Mapping):
            found.append(KeyGlob(str(entry)))
            continue
        for name, argument in entry.items():
            found += [_pattern(str(name), value) for _, value in entries(argument)]
    return found


def _pattern(name: str, value: Any) -> KeyGlob:
    ignore_case = isinstance(value, Mapping) or name == "equals-ignore-case"
    text = str(mapping(value).get("equals-ignore-case", "*")) if isinstance(value, Mapping) else str(value)
    globs = {"prefix": f"{text}*", "suffix": f"*{text}", "wildcard": text, "equals-ignore-case": text}
    return KeyGlob(globs.get(name, "*"), ignore_case)


def _cased(written: str, pattern: KeyGlob) -> tuple[str, str]:
    return (written.lower(), pattern.glob.lower()) if pattern.ignore_case else (written, pattern.glob)


def _overlaps(written: str, pattern: KeyGlob) -> bool:
    return globs_overlap(*_cased(written, pattern))


def _contains(written: str, pattern: KeyGlob) -> bool:
    """True if every key of `written` matches a glob of the form `text*`, `*text` or `text`."""
    keys, glob = _cased(written, pattern)
    head, tail = _fixed_ends(keys)
    if glob.endswith("*") and "*" not in glob[:-1]:
        return head.startswith(glob[:-1])
    if glob.startswith("*") and "*" not in glob[1:]:
        return tail.endswith(glob[1:])
    return keys == glob


def _fixed_ends(glob: str) -> tuple[str, str]:
    wild = [position for position, character in enumerate(glob) if character in "*?"]
    return (glob[: wild[0]], glob[wild[-1] + 1 :]) if wild else (glob, glob)
