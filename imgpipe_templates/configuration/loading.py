"""Loading of configurations: merge the sources, validate with pydantic, and translate the errors."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from imgpipe_templates.configuration.field_metadata import Hint, Pattern, Section, SectionT
from imgpipe_templates.configuration.field_types import (
    NONE,
    FieldType,
    field_type_at,
    field_type_of,
    field_types,
    key_paths,
)
from imgpipe_templates.configuration.ineffective_options import without_effect
from imgpipe_templates.configuration.key_lines import KeyPath
from imgpipe_templates.configuration.source_merging import (
    PRESET,
    Fault,
    ParsedSource,
    dotted,
    merge,
    read_overrides,
    read_sources,
)
from imgpipe_templates.configuration.toml_sources import Presets, TomlSource, near
from imgpipe_templates.configuration.value_text import value_text
from imgpipe_templates.errors import ConfigError

_UNKNOWN = {"unexpected_keyword_argument", "extra_forbidden"}
_OUT_OF_RANGE = {"greater_than_equal", "less_than_equal"}
_WRONG_LENGTH = {"too_short", "too_long", "string_too_short", "string_too_long"}
_NOT_ALLOWED = {"string_pattern_mismatch", "literal_error"}
_MISSING = "missing"
_NEVER_ALLOWED = float("nan")  # what no key accepts: Section's settings refuse it where numbers are


def load(
    cls: type[SectionT], sources: Sequence[TomlSource], overrides: Sequence[str] = (), *, presets: Presets | None = None
) -> SectionT:
    """Merge sources and overrides, later ones taking precedence, and validate the result as a `cls`.

    Tables are merged key by key; lists and scalars are replaced.

    Args:
        cls: The class of the complete configuration.
        sources: TOML texts, the one with the highest precedence last.
        overrides: KEY=VALUE each, the key dotted, the value a TOML value or else plain text.
        presets: The presets that the key `preset` of a source can name; None means that this key does not exist.

    Raises:
        ConfigError: With every error of all sources and overrides.
    """
    read = list(read_sources(sources, presets))
    read += read_overrides(cls, overrides, merge(source for source in read if isinstance(source, ParsedSource)))
    parsed = [source if isinstance(source, ParsedSource) else ParsedSource("", {}) for source in read]
    unread = [
        Fault(index, 0, "", text)
        for index, error in enumerate(read)
        if isinstance(error, ConfigError)
        for text in error.errors
    ]
    checker = _Checker(cls, parsed, presets.names if presets else ())
    config = checker.validated(whole=not unread)
    return cast(SectionT, _or_errors(config, unread + checker.faults))


def validated_values(cls: type[Section], values: Mapping[str, Any]) -> dict[str, Any]:
    """Validate the values of a configuration that is built in Python.

    Returns:
        The values with lists as tuples, and tables as instances of their classes.

    Raises:
        ConfigError: With every error.
    """
    checker = _Checker(cls, [ParsedSource(cls.__name__, _table(values))])
    return dict(_or_errors(checker.validated(whole=True), checker.faults))


def _or_errors(config: Section | None, faults: list[Fault]) -> Section:
    if config is None or faults:
        raise ConfigError(*dict.fromkeys(fault.text for fault in sorted(faults)))
    return config


def _table(value: Any) -> Any:
    """Return the value in the notation of TOML."""
    if isinstance(value, Section | Mapping):
        return {name: _table(entry) for name, entry in dict(value).items()}
    if isinstance(value, list | tuple):
        return [_table(entry) for entry in value]
    return NONE if value is None else value


class _Checker:
    """One merged table, where it came from, and what was found wrong with it."""

    def __init__(self, cls: type[Section], sources: list[ParsedSource], presets: Sequence[str] = ()) -> None:
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
        prepared = _prepared(cast(FieldType, field_type_at(self.cls, ())), self.table)
        text = json.dumps(prepared, default=lambda _date: _NEVER_ALLOWED)
        try:
            config = self.cls.model_validate_json(text)
        except ValidationError as error:
            found: dict[KeyPath, list[ErrorDetails]] = {}
            for detail in error.errors(include_url=False):
                if whole or detail["type"] != _MISSING:
                    found.setdefault(self._path(detail), []).append(detail)
            for path, details in found.items():
                # pydantic counts only the valid entries of a list; the invalid ones have separate errors.
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
                self._note(f"{value_text(self._value(path))} {words}", path, *conditions)
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
        field_type = cast(FieldType, field_type_at(self.cls, path))
        if types & _UNKNOWN:
            return f"unknown key; {self._meant(path)}"
        if _MISSING in types:
            preset = f', or {PRESET} = "<name>" with the name of a preset: {", ".join(self.presets)}'
            return f"is missing; expected {field_type.allowed}{preset if self.presets else ''}"
        if any(detail["loc"][-1] == "[key]" for detail in details):
            table = cast(FieldType, field_type_at(self.cls, path[:-1]))
            return f"{path[-1]!r} is not allowed as a key; expected {field_type_of(table.args[0]).allowed}"
        return _value_words(field_type, self._value(path), types) + self._way_out(field_type, path)

    def _way_out(self, field_type: FieldType, path: KeyPath) -> str:
        """Return the probable correction, or how to write it; empty if there is none."""
        value, setter = self._value(path), self.sources[self._setter(path)]
        if not isinstance(value, str):
            return ""
        if field_type.base is tuple:
            entries = [one.strip() for one in value.strip("[]").split(",")]
            written = f"[{', '.join(_toml_entry(one) for one in entries if one)}]"
            return (
                f"; write --set '{dotted(path)}={written}'"
                if setter.name.startswith("--set ")
                else f"; write {written}"
            )
        pattern = field_type.find(Pattern)
        if pattern and (meant := next(filter(re.compile(pattern.regex).search, _repairs(value)), None)):
            return f"; did you mean {meant!r}?"
        return f"; {hint}" if (hint := field_type.find(Hint)) else ""

    def _meant(self, path: KeyPath) -> str:
        """The clause after an unknown key: the key of this table or another that was meant, or the table's keys."""
        name = str(path[-1])
        elsewhere = [dotted(each) for each in key_paths(self.cls) if each[-1] == name]
        if elsewhere:
            return f"did you mean {' or '.join(elsewhere)}?"
        table = cast(FieldType, field_type_at(self.cls, path[:-1]))
        return near(name, field_types(cast("type[Section]", table.section)))

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


def _value_words(field_type: FieldType, value: Any, types: set[str]) -> str:
    said = value_text(value)
    if types & _OUT_OF_RANGE:
        return f"{said} is out of range; expected {field_type.allowed}"
    if types & _WRONG_LENGTH:
        return f"{said} has length {len(value)}; expected {field_type.allowed}"
    if types <= _NOT_ALLOWED:
        return f"{said} is not allowed; expected {field_type.allowed}"
    limits = f"; expected {field_type.allowed}" if field_type.limits and field_type.limits != field_type.kind else ""
    return f"expected {field_type.kind}, got {said}{limits}"


def _repairs(value: str) -> Iterator[str]:
    """The text without usual slips: spaces, capitals, underscores, and slashes or dots at the wrong end."""
    plain = value.strip()
    for text in (plain, plain.lower(), plain.lower().replace("_", "-").replace(" ", "-")):
        yield from (text, text.strip("-"), text.lstrip("."), text.rstrip("/"), f"{text.strip('/')}/", f"#{text}")


def _toml_entry(text: str) -> str:
    return text if re.fullmatch(r"-?\d+", text) else json.dumps(text.strip("\"'"))


def _prepared(field_type: FieldType, value: Any) -> Any:
    """Return the value for pydantic: None for "none", and an invalid value for one that only equals a choice.

    To pydantic 2.14 the literals 1, 1.0 and true are one and the same.
    """
    if field_type.optional and value == NONE:
        return None
    if field_type.base is Literal and type(value) not in {type(choice) for choice in field_type.args}:
        return _NEVER_ALLOWED
    if isinstance(value, dict) and field_type.section:
        known = field_types(field_type.section)
        return {name: _prepared(known[name], entry) if name in known else entry for name, entry in value.items()}
    if isinstance(value, dict) and field_type.base is dict:
        return {name: _prepared(field_type_of(field_type.args[1]), entry) for name, entry in value.items()}
    if isinstance(value, list) and field_type.base is tuple:
        return [_prepared(field_type_of(field_type.args[0]), entry) for entry in value]
    return value


def _conflicts(config: Section, above: KeyPath = ()) -> Iterator[tuple[list[KeyPath], str]]:
    """Every conflict, its keys seen from the outermost class."""
    for keys_at_odds, message in config.conflicts():
        yield [(*above, *key.split(".")) for key in keys_at_odds], message
    for name in field_types(type(config)):
        inner = getattr(config, name)
        if isinstance(inner, Section):
            yield from _conflicts(inner, (*above, name))
