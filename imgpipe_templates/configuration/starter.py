"""The starter file: every key of a preset, commented out, with what it means and what it may be."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from imgpipe_templates.configuration.effects import conditions_of
from imgpipe_templates.configuration.notes import Doc, Section
from imgpipe_templates.configuration.shapes import NONE, Shape, shapes
from imgpipe_templates.configuration.sources import PRESET, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

_ANYTHING = {"text", "a list", "a table"}  # what the value itself shows well enough
_WRAP = textwrap.TextWrapper(width=100, break_on_hyphens=False)
_HOW_TO = (
    "Every key is shown with the value it has in the preset.\n"
    'To change one, take away the "# " in front of it; what stays commented out follows the preset.'
)


def starter_text(config: Section, *, preset: str, header: str, schema: str = "") -> str:
    """A TOML file that is read as the preset, with every key of it ready to be changed.

    Prose begins with `## ` and keys with `# `, so that an editor can uncomment a whole table at once.

    Args:
        config: The preset as it was loaded.
        preset: Its name.
        header: First lines of the file: what it is, plain text.
        schema: JSON Schema of the file, relative to it, for editors that read `#:schema`; empty: none.
    """
    directive = [f"#:schema {schema}"] if schema else []  # Taplo and Tombi look for it on the first line
    return (
        "\n".join(
            [*directive, *_prose(header), *_prose(_HOW_TO), "", f"{PRESET} = {_toml(preset)}", *_table(config, ())]
        )
        + "\n"
    )


def _table(config: Section, above: tuple[str, ...]) -> Iterator[str]:
    """The keys of one table, and behind them, as TOML has it, the tables in it."""
    known = shapes(type(config))
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


def _about(shape: Shape) -> Iterator[str]:
    """What a key or table means and, for a value, what it may be."""
    doc = str(shape.note(Doc) or "")
    if shape.section:
        doc = doc or (shape.section.__doc__ or "").partition("\n")[0]
    allowed = "" if shape.allowed in _ANYTHING else f"Allowed: {shape.allowed}."
    conditions = (f"Only with {condition}." for condition in conditions_of(shape))
    yield from _prose(" ".join(filter(None, (doc, allowed, *conditions))))


def _prose(text: str) -> Iterator[str]:
    return (f"## {line}" for paragraph in text.splitlines() for line in _WRAP.wrap(paragraph) or [""])


def _toml(value: Any) -> str:
    if value is None:
        value = NONE
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(entry) for entry in value)}]"
    if isinstance(value, str):
        # A JSON string is a TOML string, DEL and the pairs of escapes for rare characters excepted.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return json.dumps(value)
