"""Configuration: TOML layers and overrides read into frozen dataclasses, every fault reported at once.

A configuration class is a frozen standard-library dataclass derived from `Section`; `Annotated` notes say what its
values may be.
pydantic checks what has not been checked before.
A configuration that was, is remembered, and is then read without importing pydantic or parsing TOML, because that
import alone costs more than the rendering of a template.
"""

from __future__ import annotations

from imgpipe_templates.configuration.layers import Layer, Presets
from imgpipe_templates.configuration.loading import load
from imgpipe_templates.configuration.notes import (
    Conflict,
    Doc,
    Hint,
    Length,
    OnlyWith,
    Pattern,
    Range,
    Section,
    Unit,
)

__all__ = [
    "Conflict",
    "Doc",
    "Hint",
    "Layer",
    "Length",
    "OnlyWith",
    "Pattern",
    "Presets",
    "Range",
    "Section",
    "Unit",
    "load",
]
