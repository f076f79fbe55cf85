"""What a configuration class says about its keys: ranges, units, patterns, sentences, and what cannot go together.

The notes are metadata of `typing.Annotated`.
Each is stated once and read by the check, the JSON Schema, the starter file and the limits of template parameters.
They are no dataclasses, because every start of the program would pay for the making of those, which takes ten times as
long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Schema = dict[str, Any]  # a pydantic core schema or a JSON Schema: both are plain dicts


class _Interval:
    """Two inclusive ends and a unit in the plural, such as "seconds"; an empty unit for a bare number."""

    __slots__ = ("high", "low", "unit")

    def __init__(self, low: float, high: float, unit: str = "") -> None:
        self.low = low
        self.high = high
        self.unit = unit

    def __str__(self) -> str:
        return f"{self.low}..{self.high} {self.unit}".rstrip()


class Range(_Interval):
    """The numbers a key may have, both ends included."""

    __slots__ = ()

    def limits(self) -> dict[str, float]:
        """MinValue and MaxValue of a CloudFormation Number parameter."""
        return {"MinValue": self.low, "MaxValue": self.high}

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Schema]) -> Schema:
        """Let pydantic check both ends."""
        schema = handler(source)
        _inner(schema).update(ge=self.low, le=self.high)
        return schema

    def __get_pydantic_json_schema__(self, core_schema: Schema, handler: Callable[[Schema], Schema]) -> Schema:
        """Put range and unit behind the description."""
        return _described(handler(core_schema), last=f"{self}.")


class Length(_Interval):
    """How many characters a text, or entries a list or table, may have; the unit names them."""

    __slots__ = ()

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Schema]) -> Schema:
        """Let pydantic check both ends."""
        schema = handler(source)
        _inner(schema).update(min_length=self.low, max_length=self.high)
        return schema

    def __get_pydantic_json_schema__(self, core_schema: Schema, handler: Callable[[Schema], Schema]) -> Schema:
        """Put length and unit behind the description."""
        return _described(handler(core_schema), last=f"{self}.")


class Pattern:
    """The texts a key may have: a regular expression to be found in it (write `^` and `$`), and the same in words.

    The expression is read by pydantic (Rust's dialect, without look-around), by editors and by CloudFormation.
    """

    __slots__ = ("regex", "words")

    def __init__(self, regex: str, words: str) -> None:
        self.regex = regex
        self.words = words

    def __str__(self) -> str:
        return self.words

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Schema]) -> Schema:
        """Let pydantic check the expression."""
        schema = handler(source)
        _inner(schema)["pattern"] = self.regex
        return schema


class _Text:
    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


class Doc(_Text):
    """What a key means, one sentence with its full stop."""

    __slots__ = ()

    def __get_pydantic_json_schema__(self, core_schema: Schema, handler: Callable[[Schema], Schema]) -> Schema:
        """Make the sentence the description."""
        return _described(handler(core_schema), first=self.text)


class Unit(_Text):
    """The unit, in the plural, of numbers that have no `Range`, such as those of a `Literal`."""

    __slots__ = ()

    def __get_pydantic_json_schema__(self, core_schema: Schema, handler: Callable[[Schema], Schema]) -> Schema:
        """Put the unit behind the description."""
        return _described(handler(core_schema), last=f"In {self.text}.")


class OnlyWith:
    """Where a key or a whole table has an effect: one of the named keys has one of these values.

    Several notes on one key must all hold. A table's note applies to every key in it.

    Attributes:
        choices: Dotted keys, as seen from the outermost class, with the values that give the effect. A list gives it if
            one of its entries is among them.
    """

    __slots__ = ("choices",)

    def __init__(self, choices: dict[str, tuple[object, ...]]) -> None:
        self.choices = choices

    def __str__(self) -> str:
        from imgpipe_templates.configuration.sources import shown  # noqa: PLC0415 - only messages and docs need it

        return " or ".join(
            f"{key} = {' or '.join(shown(value) for value in values)}" for key, values in self.choices.items()
        )

    def __get_pydantic_json_schema__(self, core_schema: Schema, handler: Callable[[Schema], Schema]) -> Schema:
        """Put the condition behind the description."""
        return _described(handler(core_schema), last=f"Only with {self}.")


class Hint(_Text):
    """What to do instead, for messages about a value that is not allowed: lower case, no full stop."""

    __slots__ = ()


class Conflict(NamedTuple):
    """Values that are each allowed, but not together.

    Attributes:
        keys: The keys at odds, dotted, as seen from the class that reports them; one key where a value contradicts
            itself.
        message: Lower case, no full stop: `<what is, with the values>; <what is expected, with unit>`.
    """

    keys: tuple[str, ...]
    message: str


class Section:
    """Base of every configuration class: a TOML table whose keys are the fields of a frozen dataclass (`records`).

    Fields may be bool, int, float, str, a `Literal`, `tuple[X, ...]`, `dict[str, X]`, another `Section`, unions of
    these, and any of them or None.
    None is what TOML cannot say: leave the key out, or write "none" where a preset gives it a value.
    Classes stand at the top of their module, and the names in their annotations are there at run time.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True, "allow_inf_nan": False}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({values})"

    def conflicts(self) -> Iterator[Conflict]:
        """What cannot work together; asked only when every value is allowed by itself."""
        yield from ()


SectionT = TypeVar("SectionT", bound=Section)


def _inner(schema: Schema) -> Schema:
    """The schema that takes constraints: the one inside, where None is allowed too."""
    return _inner(schema["schema"]) if schema["type"] == "nullable" else schema


def _described(schema: Schema, *, first: str = "", last: str = "") -> Schema:
    """The JSON Schema with a sentence before or behind its description, in whatever order the notes stand."""
    schema["description"] = " ".join(filter(None, (first, schema.get("description", ""), last)))
    return schema
