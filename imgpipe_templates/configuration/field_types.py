"""Types, limits and descriptions of the keys of a configuration class."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic.fields import FieldInfo

from imgpipe_templates.configuration.field_metadata import Length, Pattern, Range, Section, Unit

MetadataT = TypeVar("MetadataT")

NONE = "none"  # notation of None in files and overrides, because TOML has no None


class FieldType(NamedTuple):
    """The parts of an annotation.

    Attributes:
        base: bool, int, float, str, Literal, tuple, dict, Union or a `Section` class.
        args: Choices of a Literal, types of a tuple, dict or Union.
        optional: True if None is allowed.
        metadata: Metadata of `Annotated`, inner first.
    """

    base: Any
    args: tuple[Any, ...]
    optional: bool
    metadata: tuple[object, ...]

    def find(self, kind: type[MetadataT]) -> MetadataT | None:
        """Return the metadata of this kind, or None."""
        return next((entry for entry in self.metadata if isinstance(entry, kind)), None)

    @property
    def description(self) -> str:
        """The description from `Field`; empty if there is none."""
        info = self.find(FieldInfo)
        return (info.description if info else None) or ""

    @property
    def section(self) -> type[Section] | None:
        """The class of a nested table, or None for any other value."""
        return self.base if isinstance(self.base, type) and issubclass(self.base, Section) else None

    @property
    def is_table(self) -> bool:
        """True for a table."""
        return self.base is dict or self.section is not None

    @property
    def is_text(self) -> bool:
        """True if the value must be text."""
        return self.base is str or (self.base is Literal and all(isinstance(choice, str) for choice in self.args))

    @property
    def kind(self) -> str:
        """The type in words: a whole number, a list, true or false."""
        if self.base is Union:
            return " or ".join(field_type_of(member).kind for member in self.args)
        if self.base is Literal:
            return self.choices
        return _KINDS.get(self.base, "a table")

    @property
    def choices(self) -> str:
        """The values of a Literal in words, with their unit."""
        *others, last = (repr(choice) for choice in self.args)
        unit = self.find(Unit)
        return (", ".join(others) + " or " if others else "") + last + (f" {unit}" if unit else "")

    @property
    def limits(self) -> str:
        """The limits in words with unit; empty if every value of the type is allowed."""
        if self.base is Literal:
            return self.choices
        limits = [str(entry) for entry in self.metadata if isinstance(entry, Range | Length | Pattern)]
        entries = field_type_of(self.args[0]).limits if self.base is tuple else ""
        return ", ".join([*limits, *([f"each {entries}"] if entries else [])])

    @property
    def allowed(self) -> str:
        """The allowed values, for documentation and error messages."""
        unit = self.find(Unit)
        words = self.limits or (f"{self.kind} of {unit}" if unit else self.kind)
        return f'{words}, or "{NONE}"' if self.optional else words


_KINDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    tuple: "a list",
}


def field_type_of(annotation: Any) -> FieldType:
    """Return the parts of an annotation. `Annotated` and `| None` may be in any order."""
    metadata: tuple[object, ...] = ()
    optional = False
    while True:
        origin, args = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            annotation, metadata = args[0], args[1:] + metadata
        elif origin in {Union, UnionType} and NoneType in args:
            annotation, optional = functools.reduce(operator.or_, (arg for arg in args if arg is not NoneType)), True
        else:
            return FieldType(Union if origin is UnionType else origin or annotation, args, optional, metadata)


@functools.cache
def field_types(cls: type[Section]) -> dict[str, FieldType]:
    """Return the type of each key of one table, in the order of the class."""
    hints = get_type_hints(cls, include_extras=True)
    return {name: field_type_of(hints[name]) for name in cls.model_fields}


def field_type_at(cls: type[Section], path: tuple[str | int, ...]) -> FieldType | None:
    """Return the type of the value at `path`, also for entries of lists and tables; None if the key does not exist."""
    field_type = FieldType(cls, (), optional=False, metadata=())
    for step in path:
        if field_type.section:
            found = field_types(field_type.section).get(str(step))
            if found is None:
                return None
            field_type = found
        elif field_type.base in {tuple, dict}:
            field_type = field_type_of(field_type.args[1 if field_type.base is dict else 0])
        else:
            return None
    return field_type


def key_paths(cls: type[Section], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every key and table, in the order of the classes."""
    for name, field_type in field_types(cls).items():
        yield (*above, name)
        if field_type.section:
            yield from key_paths(field_type.section, (*above, name))
