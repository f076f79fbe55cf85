"""The function's log: one line of JSON for each request."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any


def write_line(fields: Mapping[str, Any]) -> None:
    """Write one line to stdout, which Lambda hands to the function's log group.

    ASCII only, so that nothing in a request can end the line or forge another. A request is never failed because its
    line could not be written.
    """
    line = json.dumps(fields, ensure_ascii=True, separators=(",", ":")) + "\n"
    with suppress(OSError, ValueError):
        sys.stdout.write(line)
        sys.stdout.flush()
