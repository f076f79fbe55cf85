"""Text of a configuration value in messages and documentation."""

from __future__ import annotations

import datetime
from typing import Any

_MAX_CHARACTERS = 60


def value_text(value: Any) -> str:
    """Return a value as one short line, in the notation of TOML."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        text = f"[{', '.join(value_text(entry) for entry in value)}]"
    else:
        text = value.isoformat() if isinstance(value, datetime.date | datetime.time) else repr(value)
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}..."
