"""Loading a configuration: remembered if these very texts were checked before, else checked and remembered."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from imgpipe_templates import cache
from imgpipe_templates.configuration.shapes import SectionT, from_table, to_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imgpipe_templates.configuration.layers import Layer, Presets

CACHE_KIND = "configuration"


def load(
    cls: type[SectionT],
    layers: Sequence[Layer],
    overrides: Sequence[str] = (),
    *,
    presets: Presets | None = None,
    cached: bool = True,
) -> SectionT:
    """Merge layers and overrides, later ones winning, and check the result as a `cls`.

    Tables are merged key by key; lists and scalars are replaced.

    Args:
        cls: The class of the whole configuration.
        layers: TOML texts, the strongest last.
        overrides: KEY=VALUE each, the key dotted, the value a TOML value or else plain text.
        presets: What the key `preset` of a layer can name; without it there is no such key.
        cached: Whether to use and keep what is remembered.

    Raises:
        ConfigError: With every fault of all layers and overrides.
    """
    name = _name(cls, layers, overrides) if cached else ""
    if cached and (text := cache.recall(CACHE_KIND, name)):
        remembered = _remembered(cls, text)
        if remembered is not None:
            return remembered

    from imgpipe_templates.configuration.checking import check  # noqa: PLC0415 - only unseen input pays for pydantic

    config = check(cls, layers, overrides, presets)
    if cached:
        body = json.dumps(to_table(config))
        cache.remember(CACHE_KIND, name, f"{_digest(body)}\n{body}")
    return config


def _name(cls: type[SectionT], layers: Sequence[Layer], overrides: Sequence[str]) -> str:
    """The name under which the outcome is kept: everything it depends on, presets as files of the package."""
    texts = [layer.text for layer in layers]
    return _digest(json.dumps([cls.__module__, cls.__qualname__, texts, list(overrides), cache.code_version()]))


def _remembered(cls: type[SectionT], text: str) -> SectionT | None:
    """The remembered configuration, or None if the text was damaged."""
    digest, _, body = text.partition("\n")
    return from_table(cls, json.loads(body)) if digest == _digest(body) else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
