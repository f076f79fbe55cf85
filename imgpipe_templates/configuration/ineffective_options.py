"""Options that have no effect with the other values of a configuration, according to their `OnlyWith` conditions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imgpipe_templates.configuration.field_metadata import OnlyWith, Section
from imgpipe_templates.configuration.field_types import FieldType, field_types
from imgpipe_templates.configuration.value_text import value_text

Path = tuple[str, ...]


def conditions_of(field_type: FieldType) -> tuple[OnlyWith, ...]:
    """Return the conditions of a key or table, without those of the table that contains it."""
    return tuple(entry for entry in field_type.metadata if isinstance(entry, OnlyWith))


def without_effect(config: Section) -> Iterator[tuple[Path, list[Path], str]]:
    """Find every key that differs from its default and has no effect.

    Yields:
        The key, the keys that its effect depends on, and the message without the value.
    """
    yield from _in_table(config, config, (), ())


def _in_table(
    whole: Section, table: Section, above: Path, inherited: tuple[OnlyWith, ...]
) -> Iterator[tuple[Path, list[Path], str]]:
    for name, field_type in field_types(type(table)).items():
        path, value, conditions = (*above, name), getattr(table, name), (*inherited, *conditions_of(field_type))
        if isinstance(value, Section):
            yield from _in_table(whole, value, path, conditions)
            continue
        field = type(table).model_fields[name]
        missed = [condition for condition in conditions if not _is_true(condition, whole)]
        if missed and not field.is_required() and value != field.get_default(call_default_factory=True):
            keys = list(dict.fromkeys(tuple(key.split(".")) for condition in missed for key in condition.choices))
            held = " and ".join(f"{'.'.join(key)} = {_words(_value(whole, key))}" for key in keys)
            wanted = " and ".join(map(str, missed))
            yield path, keys, f"has no effect with {held}; expected {wanted}, or no {'.'.join(path)}"


def _is_true(condition: OnlyWith, whole: Section) -> bool:
    return any(_is_one_of(_value(whole, tuple(key.split("."))), values) for key, values in condition.choices.items())


def _is_one_of(value: Any, values: tuple[object, ...]) -> bool:
    return bool(set(value) & set(values)) if isinstance(value, tuple) else value in values


def _value(whole: Section, path: Path) -> Any:
    value: Any = whole
    for step in path:
        value = getattr(value, step)
    return value


def _words(value: Any) -> str:
    return value_text(list(value) if isinstance(value, tuple) else value)
