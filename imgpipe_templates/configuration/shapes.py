"""What a configuration class looks like: its keys, their types and notes; and its way to and from plain tables."""

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

from imgpipe_templates.configuration.notes import Doc, Length, Pattern, Range, Section, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SectionT = TypeVar("SectionT", bound=Section)
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
        pattern = self.note(Pattern)
        said = [self.note(Range), self.note(Length), pattern.words if pattern else None]
        return ", ".join(str(limit) for limit in said if limit is not None)

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


class Key(NamedTuple):
    """One key of a configuration class, for documentation and the starter file.

    Attributes:
        path: From the outermost class.
        shape: Its type and notes.
        default: `dataclasses.MISSING` where there is none.
    """

    path: tuple[str, ...]
    shape: Shape
    default: Any

    @property
    def doc(self) -> str:
        """What the key means; empty if its class does not say."""
        return str(self.shape.note(Doc) or "")


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
        _SHAPES[cls] = {field.name: shape_of(hints[field.name]) for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
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


def keys(cls: type[Section], above: tuple[str, ...] = ()) -> Iterator[Key]:
    """Every key of the class and of the tables in it, tables included, in the order of the classes."""
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        path, shape = (*above, field.name), shapes(cls)[field.name]
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        yield Key(path, shape, default)
        if shape.section:
            yield from keys(shape.section, path)


def field_range(cls: type[Section], name: str) -> Range:
    """The range of one key, for the limits of a template parameter.

    Raises:
        TypeError: The key has no `Range`: a mistake of this package's code, not of its user's.
    """
    found = shapes(cls)[name].note(Range)
    if found is None:
        raise TypeError(f"{cls.__name__}.{name} has no Range")
    return found


def to_table(config: Section) -> dict[str, Any]:
    """The configuration as plain dicts, lists and scalars; None stays None."""
    return {name: _plain(getattr(config, name)) for name in shapes(type(config))}


def _plain(value: Any) -> Any:
    if isinstance(value, Section):
        return to_table(value)
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    return value


def from_table(cls: type[SectionT], table: Mapping[str, Any]) -> SectionT:
    """The reverse of `to_table`; nothing is checked, so only for tables that came from it."""
    found = shapes(cls)
    return cls(**{name: _typed(found[name], value) for name, value in table.items()})


def _typed(shape: Shape, value: Any) -> Any:
    if isinstance(value, dict):
        if shape.section:
            return from_table(shape.section, value)
        return {name: _typed(shape_of(shape.args[1]), entry) for name, entry in value.items()}
    if isinstance(value, list):
        return tuple(_typed(shape_of(shape.args[0]), entry) for entry in value)
    return value
