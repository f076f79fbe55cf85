"""Options that have no effect beside the other values of a configuration, found by their `OnlyWith` notes."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any

from imgpipe_templates.configuration.notes import OnlyWith, Section
from imgpipe_templates.configuration.shapes import Shape, shapes
from imgpipe_templates.configuration.sources import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[str, ...]


def conditions_of(shape: Shape) -> tuple[OnlyWith, ...]:
    """Every condition that a key or a table itself states."""
    return tuple(note for note in shape.notes if isinstance(note, OnlyWith))


def without_effect(config: Section) -> Iterator[tuple[Path, list[Path], str]]:
    """Find every key that differs from its default and has no effect.

    Yields:
        The key, the keys that its effect depends on, and the message without the value.
    """
    yield from _in_table(config, config, (), ())


def _in_table(
    whole: Section, table: Section, above: Path, inherited: tuple[OnlyWith, ...]
) -> Iterator[tuple[Path, list[Path], str]]:
    defaults = {field.name: field for field in fields(table)}  # type: ignore[arg-type] # made by `record`
    for name, shape in shapes(type(table)).items():
        path, value, conditions = (*above, name), getattr(table, name), (*inherited, *conditions_of(shape))
        if isinstance(value, Section):
            yield from _in_table(whole, value, path, conditions)
            continue
        default = defaults[name].default
        missed = [condition for condition in conditions if not _holds(condition, whole)]
        if missed and default is not MISSING and value != default:
            keys = list(dict.fromkeys(tuple(key.split(".")) for condition in missed for key in condition.choices))
            held = " and ".join(f"{'.'.join(key)} = {_words(_value(whole, key))}" for key in keys)
            wanted = " and ".join(map(str, missed))
            yield path, keys, f"has no effect with {held}; expected {wanted}, or no {'.'.join(path)}"


def _holds(condition: OnlyWith, whole: Section) -> bool:
    return any(_is_one_of(_value(whole, tuple(key.split("."))), values) for key, values in condition.choices.items())


def _is_one_of(value: Any, values: tuple[object, ...]) -> bool:
    return bool(set(value) & set(values)) if isinstance(value, tuple) else value in values


def _value(whole: Section, path: Path) -> Any:
    value: Any = whole
    for step in path:
        value = getattr(value, step)
    return value


def _words(value: Any) -> str:
    return shown(list(value) if isinstance(value, tuple) else value)
