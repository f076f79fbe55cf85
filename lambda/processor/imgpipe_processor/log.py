"""The function's log: one line of JSON for each thing that happened."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any


def write_line(fields: Mapping[str, Any]) -> None:
    """Write one line to stdout, which Lambda hands to the function's log group.

    ASCII only: no character of a key (line separators and terminal escapes are allowed in keys) can end the line or
    forge another. An image is never failed because its line could not be written.
    """
    line = json.dumps(fields, ensure_ascii=True, separators=(",", ":")) + "\n"
    with suppress(OSError, ValueError):
        sys.stdout.write(line)
        sys.stdout.flush()
