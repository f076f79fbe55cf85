"""The line of each key of a TOML text, which tomllib does not tell."""

from __future__ import annotations

import functools
import tomllib
from typing import Any

KeyPath = tuple[str | int, ...]


@functools.lru_cache(maxsize=8)
def key_lines(text: str) -> dict[KeyPath, int]:
    """Where each table and key starts, counted from 1; `text` is valid TOML.

    TOML is a sequence of statements that each end with a line, and a value that goes on over several lines is no valid
    TOML before it ends.
    So lines are gathered until tomllib accepts them, and it also says which keys they hold.
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
