"""What a configuration class looks like: its keys, their types and notes."""

from __future__ import annotations

import dataclasses
import functools
import operator
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
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

from imgpipe_templates.configuration.notes import Length, Pattern, Range, Section, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

NoteT = TypeVar("NoteT")

NONE = "none"  # how a file or an override says None, which TOML cannot


_SHAPES: dict[type[Section], dict[str, Shape]] = {}  # evaluating annotations takes longer than all the rest


class Shape(NamedTuple):
    """An annotation taken apart.

    Attributes:
        base: bool, int, float, str, Literal, tuple, dict, Union or a `Section` class.
        args: Choices of a Literal, types of a tuple, dict or Union.
        optional: Whether None is allowed.
        notes: Metadata of `Annotated`, inner first.
    """

    base: Any
    args: tuple[Any, ...]
    optional: bool
    notes: tuple[object, ...]

    def note(self, kind: type[NoteT]) -> NoteT | None:
        """The note of this kind, or None."""
        return next((note for note in self.notes if isinstance(note, kind)), None)

    @property
    def section(self) -> type[Section] | None:
        """The class of a nested table, or None for any other value."""
        return self.base if isinstance(self.base, type) and issubclass(self.base, Section) else None

    @property
    def is_table(self) -> bool:
        """Whether it has keys of its own."""
        return self.base is dict or self.section is not None

    @property
    def is_text(self) -> bool:
        """Whether only text can be meant."""
        return self.base is str or (self.base is Literal and all(isinstance(choice, str) for choice in self.args))

    @property
    def kind(self) -> str:
        """The type in words: a whole number, a list, true or false."""
        if self.base is Union:
            return " or ".join(shape_of(member).kind for member in self.args)
        if self.base is Literal:
            return self.choices
        return _KINDS.get(self.base, "a table")

    @property
    def choices(self) -> str:
        """The values of a Literal in words, with their unit."""
        *others, last = (repr(choice) for choice in self.args)
        unit = self.note(Unit)
        return (", ".join(others) + " or " if others else "") + last + (f" {unit}" if unit else "")

    @property
    def limits(self) -> str:
        """What is allowed within the type, in words with unit; empty if everything is."""
        if self.base is Literal:
            return self.choices
        said = [str(note) for note in self.notes if isinstance(note, Range | Length | Pattern)]
        entries = shape_of(self.args[0]).limits if self.base is tuple else ""
        return ", ".join([*said, *([f"each {entries}"] if entries else [])])

    @property
    def allowed(self) -> str:
        """The whole of what may be written, for tables of documentation and error messages."""
        unit = self.note(Unit)
        words = self.limits or (f"{self.kind} of {unit}" if unit else self.kind)
        return f'{words}, or "{NONE}"' if self.optional else words


_KINDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    tuple: "a list",
}


def shape_of(annotation: Any) -> Shape:
    """Take an annotation apart, whatever the order of `Annotated` and `| None`."""
    notes: tuple[object, ...] = ()
    optional = False
    while True:
        origin, args = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            annotation, notes = args[0], args[1:] + notes
        elif origin in {Union, UnionType} and NoneType in args:
            annotation, optional = functools.reduce(operator.or_, (arg for arg in args if arg is not NoneType)), True
        else:
            return Shape(Union if origin is UnionType else origin or annotation, args, optional, notes)


def shapes(cls: type[Section]) -> dict[str, Shape]:
    """The keys of one table, in the order of the class."""
    if cls not in _SHAPES:
        hints = get_type_hints(cls, include_extras=True)
        _SHAPES[cls] = {field.name: shape_of(hints[field.name]) for field in dataclasses.fields(cls)}  # type: ignore[arg-type] # made by `record`
    return _SHAPES[cls]


def shape_at(cls: type[Section], path: tuple[str | int, ...]) -> Shape | None:
    """The shape of the value at `path`, entries of lists and tables included; None if there is no such key."""
    shape = Shape(cls, (), optional=False, notes=())
    for step in path:
        if shape.section:
            found = shapes(shape.section).get(str(step))
            if found is None:
                return None
            shape = found
        elif shape.base in {tuple, dict}:
            shape = shape_of(shape.args[1 if shape.base is dict else 0])
        else:
            return None
    return shape


def key_paths(cls: type[Section], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where every key of the class and of the tables in it is, tables included, in the order of the classes."""
    for name, shape in shapes(cls).items():
        yield (*above, name)
        if shape.section:
            yield from key_paths(shape.section, (*above, name))
