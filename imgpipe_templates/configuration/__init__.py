"""Configuration: TOML sources and overrides, merged and validated as frozen pydantic models, with all errors at once.

A configuration class derives from `Section`. `Field` and the metadata in `Annotated` state descriptions and limits.
"""

from __future__ import annotations

from imgpipe_templates.configuration.field_metadata import (
    Conflict,
    Hint,
    Length,
    OnlyWith,
    Pattern,
    Range,
    Section,
    Unit,
)
from imgpipe_templates.configuration.loading import load
from imgpipe_templates.configuration.toml_sources import Presets, TomlSource

__all__ = [
    "Conflict",
    "Hint",
    "Length",
    "OnlyWith",
    "Pattern",
    "Presets",
    "Range",
    "Section",
    "TomlSource",
    "Unit",
    "load",
]
