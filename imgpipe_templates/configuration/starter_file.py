"""The starter file: every key of a preset as a comment, with its description and allowed values."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from imgpipe_templates.configuration.field_metadata import Section
from imgpipe_templates.configuration.field_types import NONE, FieldType, field_types
from imgpipe_templates.configuration.ineffective_options import conditions_of
from imgpipe_templates.configuration.source_merging import PRESET, dotted

_ANYTHING = {"text", "a list", "a table"}  # types that the value shows
_WRAP = textwrap.TextWrapper(width=100, break_on_hyphens=False)
_HOW_TO = (
    "Every key is shown with the value it has in the preset.\n"
    'To change a key, remove the "# " at the start of its line. Other keys follow the preset.'
)


def starter_text(config: Section, *, preset: str, header: str, schema: str = "") -> str:
    """Return a TOML file that is equal to the preset and contains every key as a comment.

    Descriptions begin with `## ` and keys with `# `, so that an editor can uncomment a whole table at once.

    Args:
        config: The loaded preset.
        preset: Name of the preset.
        header: First lines of the file, plain text.
        schema: Relative path of the JSON Schema for editors that read `#:schema`; empty for none.
    """
    directive = [f"#:schema {schema}"] if schema else []  # Taplo and Tombi read it from the first line
    return (
        "\n".join(
            [*directive, *_prose(header), *_prose(_HOW_TO), "", f"{PRESET} = {_toml(preset)}", *_table(config, ())]
        )
        + "\n"
    )


def _table(config: Section, above: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of one table: its keys, then the tables in it, as TOML requires."""
    known = field_types(type(config))
    tables = [name for name in known if isinstance(getattr(config, name), Section | dict)]
    for name in known:
        if name not in tables:
            yield from ("", *_about(known[name]), f"# {name} = {_toml(getattr(config, name))}")
    for name in tables:
        path, value = (*above, name), getattr(config, name)
        yield from ("", f"[{dotted(path)}]", *_about(known[name]))
        if isinstance(value, Section):
            yield from _table(value, path)
        else:
            yield from (f"# {dotted((key,))} = {_toml(entry)}" for key, entry in value.items())


def _about(field_type: FieldType) -> Iterator[str]:
    """Yield the description of a key or table and the allowed values of a key."""
    doc = field_type.description
    if field_type.section:
        doc = doc or (field_type.section.__doc__ or "").partition("\n")[0]
    allowed = "" if field_type.allowed in _ANYTHING else f"Allowed: {field_type.allowed}."
    conditions = (f"Only with {condition}." for condition in conditions_of(field_type))
    yield from _prose(" ".join(filter(None, (doc, allowed, *conditions))))


def _prose(text: str) -> Iterator[str]:
    return (f"## {line}" for paragraph in text.splitlines() for line in _WRAP.wrap(paragraph) or [""])


def _toml(value: Any) -> str:
    if value is None:
        value = NONE
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(entry) for entry in value)}]"
    if isinstance(value, str):
        # A JSON string is a TOML string, except for DEL and for surrogate pairs.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return json.dumps(value)
