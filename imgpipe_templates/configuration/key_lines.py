"""Line numbers of the keys of a TOML text, which tomllib does not return."""

from __future__ import annotations

import functools
import tomllib
from typing import Any

KeyPath = tuple[str | int, ...]


@functools.lru_cache(maxsize=8)
def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the first line of each table and key, counted from 1. `text` must be valid TOML.

    TOML is a sequence of statements that each end at the end of a line. A value of several lines is invalid until its
    last line. So this collects lines until tomllib accepts them, and reads their keys from its result.
    """
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    pending: list[str] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        pending.append(line)
        try:
            paths = _paths(tomllib.loads("\n".join(pending)))
        except tomllib.TOMLDecodeError:
            continue
        start = number - len(pending) + 1
        if pending[0].lstrip().startswith("["):
            table = ()
        for path in paths:
            found.setdefault((*table, *path), start)
        if pending[0].lstrip().startswith("["):
            table = paths[-1]
        pending = []
    return found


def _paths(table: dict[str, Any]) -> list[KeyPath]:
    paths: list[KeyPath] = []
    for name, value in table.items():
        paths.append((name,))
        inner = value[0] if isinstance(value, list) and value else value  # [[name]] parses to a list of one table
        if isinstance(inner, dict):
            paths += [(name, *path) for path in _paths(inner)]
    return paths
