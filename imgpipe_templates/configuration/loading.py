"""Loading a configuration: remembered if these very texts were checked before, else checked and remembered."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from imgpipe_templates import cache
from imgpipe_templates.configuration.notes import Section, SectionT

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
        body = json.dumps(_noted(config))
        cache.remember(CACHE_KIND, name, f"{_digest(body)}\n{body}")
    return config


def _name(cls: type[SectionT], layers: Sequence[Layer], overrides: Sequence[str]) -> str:
    """The name under which the outcome is kept: everything it depends on, presets as files of the package."""
    texts = [layer.text for layer in layers]
    return _digest(json.dumps([cls.__module__, cls.__qualname__, texts, list(overrides), cache.code_version()]))


def _remembered(cls: type[SectionT], text: str) -> SectionT | None:
    """The remembered configuration, or None if the text was damaged."""
    digest, _, body = text.partition("\n")
    config = _restored(json.loads(body)) if digest == _digest(body) else None
    return config if isinstance(config, cls) else None


def _noted(value: Any) -> Any:
    """The value in JSON, each configuration with its class: finding that in annotations would take longer."""
    if isinstance(value, Section):
        cls = type(value)
        values = {field.name: _noted(getattr(value, field.name)) for field in fields(cls)}  # type: ignore[arg-type] # made by `record`
        return {"module": cls.__module__, "class": cls.__name__, "values": values}
    if isinstance(value, dict):
        return {"table": {name: _noted(entry) for name, entry in value.items()}}
    return [_noted(entry) for entry in value] if isinstance(value, tuple) else value


def _restored(noted: Any) -> Any:
    """The reverse of `_noted`. Nothing is checked: it was, and neither text nor code has changed since."""
    if isinstance(noted, list):
        return tuple(_restored(entry) for entry in noted)
    if not isinstance(noted, dict):
        return noted
    if "table" in noted:
        return {name: _restored(entry) for name, entry in noted["table"].items()}
    cls = getattr(sys.modules[noted["module"]], noted["class"])
    made = cls.__new__(cls)  # not as a user builds one, which would be checked again
    made.__dict__.update({name: _restored(entry) for name, entry in noted["values"].items()})
    return made


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
