"""Base class of configuration sections, and the field metadata that pydantic lacks.

The metadata is part of `typing.Annotated`. Each limit is written once and used by the check, the JSON Schema, the
starter file and the limits of template parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict

from imgpipe_templates.configuration.value_text import value_text

Schema = dict[str, Any]  # a pydantic core schema


class _Interval:
    """Two inclusive limits and a unit in the plural, such as "seconds"; an empty unit for a bare number."""

    def __init__(self, low: float, high: float, unit: str = "") -> None:
        self.low = low
        self.high = high
        self.unit = unit

    def __str__(self) -> str:
        return f"{self.low}..{self.high} {self.unit}".rstrip()


class Range(_Interval):
    """The allowed numbers, both limits included."""

    def limits(self) -> dict[str, float]:
        """Return MinValue and MaxValue of a CloudFormation Number parameter."""
        return {"MinValue": self.low, "MaxValue": self.high}

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Schema]) -> Schema:
        """Add both limits to pydantic's schema."""
        schema = handler(source)
        _inner(schema).update(ge=self.low, le=self.high)
        return schema


class Length(_Interval):
    """The allowed number of characters of a text, or of entries of a list or table. The unit names them."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Schema]) -> Schema:
        """Add both limits to pydantic's schema."""
        schema = handler(source)
        _inner(schema).update(min_length=self.low, max_length=self.high)
        return schema


class Pattern:
    """A regular expression to search for in a text (write `^` and `$`), and its meaning in words.

    pydantic (Rust's dialect, without look-around), editors and CloudFormation use the expression.
    """

    def __init__(self, regex: str, words: str) -> None:
        self.regex = regex
        self.words = words

    def __str__(self) -> str:
        return self.words

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Schema]) -> Schema:
        """Add the expression to pydantic's schema."""
        schema = handler(source)
        _inner(schema)["pattern"] = self.regex
        return schema


class Unit(NamedTuple):
    """The unit, in the plural, of numbers that have no `Range`, such as those of a `Literal`."""

    text: str

    def __str__(self) -> str:
        return self.text


class OnlyWith:
    """The condition under which a key or a table has an effect: one of the named keys has one of these values.

    Several conditions on one key must all be true. The condition of a table applies to every key in it.

    Attributes:
        choices: Dotted keys from the outermost class, with the values that satisfy the condition. A list satisfies
            it if one of its entries is among them.
    """

    def __init__(self, choices: dict[str, tuple[object, ...]]) -> None:
        self.choices = choices

    def __str__(self) -> str:
        return " or ".join(
            f"{key} = {' or '.join(value_text(value) for value in values)}" for key, values in self.choices.items()
        )


class Hint(NamedTuple):
    """Advice for error messages about a value that is not allowed: lower case, no full stop."""

    text: str

    def __str__(self) -> str:
        return self.text


class Conflict(NamedTuple):
    """Values that are valid separately and invalid together.

    Attributes:
        keys: The conflicting keys, dotted, relative to the class that reports them; one key if a value contradicts
            itself.
        message: Lower case, no full stop: `<problem with the values>; <expected values, with unit>`.
    """

    keys: tuple[str, ...]
    message: str


class Section(BaseModel):
    """Base class of all configuration classes: a TOML table whose keys are the fields of a frozen pydantic model.

    Fields may be bool, int, float, str, a `Literal`, `tuple[X, ...]`, `dict[str, X]`, another `Section`, unions of
    these, and each of them or None. TOML has no None: leave the key out, or write "none" to remove a preset's value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def conflicts(self) -> Iterator[Conflict]:
        """Yield the conflicts between values. Called only if every value is valid separately."""
        yield from ()


SectionT = TypeVar("SectionT", bound=Section)


def _inner(schema: Schema) -> Schema:
    """Return the schema that has the constraints: the inner schema if None is allowed."""
    return _inner(schema["schema"]) if schema["type"] == "nullable" else schema
