"""Checking a configuration that was not seen before: pydantic finds the faults, this module puts them into words."""

from __future__ import annotations

import functools
import json
import operator
import re
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import TypeAdapter, ValidationError

from imgpipe_templates.configuration.effects import without_effect
from imgpipe_templates.configuration.layers import near
from imgpipe_templates.configuration.notes import Hint, Pattern, Section, SectionT
from imgpipe_templates.configuration.shapes import NONE, Shape, key_paths, shape_at, shape_of, shapes
from imgpipe_templates.configuration.sources import (
    PRESET,
    Fault,
    Source,
    dotted,
    merge,
    read_layers,
    read_overrides,
    shown,
)
from imgpipe_templates.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic_core import ErrorDetails

    from imgpipe_templates.configuration.layers import Layer, Presets
    from imgpipe_templates.configuration.lines import KeyPath

_UNKNOWN = {"unexpected_keyword_argument", "extra_forbidden"}
_OUT_OF_RANGE = {"greater_than_equal", "less_than_equal"}
_WRONG_LENGTH = {"too_short", "too_long", "string_too_short", "string_too_long"}
_NOT_ALLOWED = {"string_pattern_mismatch", "literal_error"}
_MISSING = "missing"
_NEVER_ALLOWED = float("nan")  # what no key accepts: Section's settings refuse it where numbers are


@functools.cache
def _adapter(cls: Any) -> TypeAdapter[Any]:
    """Pydantic's view of a class; making it takes longer than reading a configuration with it."""
    return TypeAdapter(cls)


def check(cls: type[SectionT], layers: Sequence[Layer], overrides: Sequence[str], presets: Presets | None) -> SectionT:
    """Read, merge and check; see `load`.

    Raises:
        ConfigError: With every fault.
    """
    read = list(read_layers(layers, presets))
    read += read_overrides(cls, overrides, merge(source for source in read if isinstance(source, Source)))
    sources = [source if isinstance(source, Source) else Source("", {}) for source in read]
    unread = [
        Fault(index, 0, "", text)
        for index, fault in enumerate(read)
        if isinstance(fault, ConfigError)
        for text in fault.errors
    ]
    checker = _Checker(cls, sources, presets.names if presets else ())
    config = checker.validated(whole=not unread)
    faults = unread + checker.faults
    if config is None or faults:
        raise ConfigError(*dict.fromkeys(fault.text for fault in sorted(faults)))
    return cast(SectionT, config)


def check_built(config: SectionT) -> SectionT:
    """Check a configuration that was built in Python; lists become tuples, and tables the classes of their keys.

    Raises:
        ConfigError: With every fault.
    """
    name = type(config).__name__
    checker = _Checker(type(config), [Source(name, _table(config))])
    checked = checker.validated(whole=True)
    if checked is None or checker.faults:
        raise ConfigError(*dict.fromkeys(fault.text for fault in sorted(checker.faults)))
    return cast(SectionT, checked)


def _table(value: Any) -> Any:
    """The value as TOML would have it."""
    if isinstance(value, Section):
        return {name: _table(entry) for name, entry in value.__dict__.items()}
    if isinstance(value, dict):
        return {name: _table(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_table(entry) for entry in value]
    return NONE if value is None else value


class _Checker:
    """One merged table, where it came from, and what was found wrong with it."""

    def __init__(self, cls: type[Section], sources: list[Source], presets: Sequence[str] = ()) -> None:
        self.cls = cls
        self.sources = sources
        self.table = merge(sources)
        self.presets = presets
        self.faults: list[Fault] = []

    def validated(self, *, whole: bool) -> Section | None:
        """The configuration, or None with the faults noted.

        Args:
            whole: Whether everything could be read; else what is missing or in conflict may be so for that reason.
        """
        # JSON, because pydantic's strict mode turns nothing else into dataclasses and tuples. It has no dates, and no
        # key accepts one; messages take their values from the table itself.
        prepared = _prepared(cast(Shape, shape_at(self.cls, ())), self.table)
        text = json.dumps(prepared, default=lambda _date: _NEVER_ALLOWED)
        try:
            config = _adapter(cast(Any, self.cls)).validate_json(text)
        except ValidationError as error:
            found: dict[KeyPath, list[ErrorDetails]] = {}
            for detail in error.errors(include_url=False):
                if whole or detail["type"] != _MISSING:
                    found.setdefault(self._path(detail), []).append(detail)
            for path, details in found.items():
                # pydantic counts only the valid entries of a list; the faulty ones have faults of their own.
                if {detail["type"] for detail in details} <= _WRONG_LENGTH and any(
                    len(other) > len(path) and other[: len(path)] == path for other in found
                ):
                    continue
                self._note(self._words(path, details), path)
            return None
        if not whole:
            return None
        if self._drop_overruled(config):
            return self.validated(whole=whole)
        for paths, message in _conflicts(config):
            self._note(message, *paths)
        return None if self.faults else config

    def _drop_overruled(self, config: Section) -> bool:
        """Drop values without effect that a later source overruled; note those that were set with no chance of one.

        A file that switches off what its preset switches on need not reset the options that belonged to it.

        Returns:
            True if something was dropped, so that the rest must be validated again.
        """
        dropped = False
        for path, conditions, words in without_effect(config):
            if self._setter(path) < max(map(self._setter, conditions)):
                owner = self._value(path[:-1])
                del owner[path[-1]]
                dropped = True
            else:
                self._note(f"{shown(self._value(path))} {words}", path, *conditions)
        return dropped and not self.faults

    def _path(self, detail: ErrorDetails) -> KeyPath:
        """Where the fault is in the table, without what pydantic adds for members of unions and keys of dicts."""
        if detail["type"] == _MISSING:
            return detail["loc"]
        path: KeyPath = ()
        value: Any = self.table
        for step in detail["loc"]:
            inside = (isinstance(value, dict) and step in value) or (isinstance(value, list) and isinstance(step, int))
            if not inside:
                break
            value, path = value[step], (*path, step)
        return path

    def _value(self, path: KeyPath) -> Any:
        value: Any = self.table
        for step in path:
            value = value[step]
        return value

    def _words(self, path: KeyPath, details: list[ErrorDetails]) -> str:
        """What is wrong with one value and what is expected; several details come from the members of a union."""
        types = {detail["type"] for detail in details}
        shape = cast(Shape, shape_at(self.cls, path))
        if types & _UNKNOWN:
            return f"unknown key; {self._meant(path)}"
        if _MISSING in types:
            preset = f', or {PRESET} = "<name>" with the name of a preset: {", ".join(self.presets)}'
            return f"is missing; expected {shape.allowed}{preset if self.presets else ''}"
        if any(detail["loc"][-1] == "[key]" for detail in details):
            table = cast(Shape, shape_at(self.cls, path[:-1]))
            return f"{path[-1]!r} is not allowed as a key; expected {shape_of(table.args[0]).allowed}"
        return _value_words(shape, self._value(path), types) + self._way_out(shape, path)

    def _way_out(self, shape: Shape, path: KeyPath) -> str:
        """What was probably meant, or how to say it; empty if nobody can tell."""
        value, setter = self._value(path), self.sources[self._setter(path)]
        if not isinstance(value, str):
            return ""
        if shape.base is tuple:
            entries = [one.strip() for one in value.strip("[]").split(",")]
            written = f"[{', '.join(_toml_entry(one) for one in entries if one)}]"
            return (
                f"; write --set '{dotted(path)}={written}'"
                if setter.name.startswith("--set ")
                else f"; write {written}"
            )
        pattern = shape.note(Pattern)
        if pattern and (meant := next(filter(re.compile(pattern.regex).search, _repairs(value)), None)):
            return f"; did you mean {meant!r}?"
        return f"; {hint}" if (hint := shape.note(Hint)) else ""

    def _meant(self, path: KeyPath) -> str:
        """The clause after an unknown key: the key of this table or another that was meant, or the table's keys."""
        name = str(path[-1])
        elsewhere = [dotted(each) for each in key_paths(self.cls) if each[-1] == name]
        if elsewhere:
            return f"did you mean {' or '.join(elsewhere)}?"
        table = cast(Shape, shape_at(self.cls, path[:-1]))
        return near(name, shapes(cast("type[Section]", table.section)))

    def _note(self, words: str, *paths: KeyPath) -> None:
        """Note a fault of one or more keys at the last source that set one of them, or at the last layer."""
        index, path = max(((self._setter(path), path) for path in paths), key=operator.itemgetter(0))
        line = 0
        if index < 0:
            layers = [index for index, source in enumerate(self.sources) if source.text is not None]
            index = layers[-1] if layers else -1
        else:
            line = self.sources[index].line(path)
        place = self.sources[index].name if index >= 0 else "configuration"
        key = " and ".join(dotted(path) for path in paths)
        self.faults.append(
            Fault(index, line, key, f"{place}:{line}: {key}: {words}" if line else f"{place}: {key}: {words}")
        )

    def _setter(self, path: KeyPath) -> int:
        """The index of the last source that sets the path; -1 if none does."""
        return max((index for index, source in enumerate(self.sources) if source.sets(path)), default=-1)


def _value_words(shape: Shape, value: Any, types: set[str]) -> str:
    said = shown(value)
    if types & _OUT_OF_RANGE:
        return f"{said} is out of range; expected {shape.allowed}"
    if types & _WRONG_LENGTH:
        return f"{said} has length {len(value)}; expected {shape.allowed}"
    if types <= _NOT_ALLOWED:
        return f"{said} is not allowed; expected {shape.allowed}"
    limits = f"; expected {shape.allowed}" if shape.limits and shape.limits != shape.kind else ""
    return f"expected {shape.kind}, got {said}{limits}"


def _repairs(value: str) -> Iterator[str]:
    """The text without usual slips: spaces, capitals, underscores, and slashes or dots at the wrong end."""
    plain = value.strip()
    for text in (plain, plain.lower(), plain.lower().replace("_", "-").replace(" ", "-")):
        yield from (text, text.strip("-"), text.lstrip("."), text.rstrip("/"), f"{text.strip('/')}/", f"#{text}")


def _toml_entry(text: str) -> str:
    return text if re.fullmatch(r"-?\d+", text) else json.dumps(text.strip("\"'"))


def _prepared(shape: Shape, value: Any) -> Any:
    """The value as pydantic is to see it: None where "none" stands for it, and nothing that only equals a choice.

    To pydantic 2.14 the literals 1, 1.0 and true are one and the same.
    """
    if shape.optional and value == NONE:
        return None
    if shape.base is Literal and type(value) not in {type(choice) for choice in shape.args}:
        return _NEVER_ALLOWED
    if isinstance(value, dict) and shape.section:
        known = shapes(shape.section)
        return {name: _prepared(known[name], entry) if name in known else entry for name, entry in value.items()}
    if isinstance(value, dict) and shape.base is dict:
        return {name: _prepared(shape_of(shape.args[1]), entry) for name, entry in value.items()}
    if isinstance(value, list) and shape.base is tuple:
        return [_prepared(shape_of(shape.args[0]), entry) for entry in value]
    return value


def _conflicts(config: Section, above: KeyPath = ()) -> Iterator[tuple[list[KeyPath], str]]:
    """Every conflict, its keys seen from the outermost class."""
    for keys_at_odds, message in config.conflicts():
        yield [(*above, *key.split(".")) for key in keys_at_odds], message
    for name in shapes(type(config)):
        inner = getattr(config, name)
        if isinstance(inner, Section):
            yield from _conflicts(inner, (*above, name))
