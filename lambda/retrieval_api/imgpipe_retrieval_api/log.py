"""The function's log: one line of JSON for each request."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import Any


def write_line(fields: Mapping[str, Any]) -> None:
    """Write one line to stdout, which Lambda hands to the function's log group; what is None is left out.

    ASCII only, so that nothing a caller sends can end the line or forge another. No request is failed because its
    line could not be written.
    """
    known = {name: value for name, value in fields.items() if value is not None}
    line = json.dumps(known, ensure_ascii=True, separators=(",", ":")) + "\n"
    with suppress(OSError, ValueError):
        sys.stdout.write(line)
        sys.stdout.flush()


def place_of(error: BaseException) -> str:
    """Where in the code an error was raised; without its text, which may hold what the caller sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames)
