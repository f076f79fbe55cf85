"""Who set which key: layers with their presets, and overrides, merged into one table that remembers nothing."""

from __future__ import annotations

import re
import tomllib
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from imgpipe_templates.configuration.field_types import NONE, field_type_at
from imgpipe_templates.configuration.key_lines import KeyPath, key_lines
from imgpipe_templates.configuration.toml_sources import Presets, TomlSource
from imgpipe_templates.configuration.value_text import value_text
from imgpipe_templates.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from imgpipe_templates.configuration.field_metadata import Section

Table = dict[str, Any]

PRESET = "preset"  # the key that names what a layer starts from
_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")  # how tomllib ends its messages
_DEPTH = 20  # tables in tables; no configuration needs more, and Python's recursion ends somewhere
_TOO_DEEP = "is nested too deeply; expected tables of plain values"
_INTEGER_BITS = 63  # TOML 1.0, "Integer": what fits 64 bits with a sign
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")  # TOML 1.0, "Keys"


class ParsedSource(NamedTuple):
    """A layer or an override, read.

    Attributes:
        name: What messages call it.
        table: What it sets.
        text: The TOML of a layer; None for an override.
    """

    name: str
    table: Table
    text: str | None = None

    def sets(self, path: KeyPath) -> bool:
        """Whether a value at this path comes from here, if nothing later sets it."""
        value: Any = self.table
        for step in path:
            if isinstance(step, int):  # a list is set as a whole
                return True
            if not isinstance(value, dict) or step not in value:
                return False
            value = value[step]
        return True

    def line(self, path: KeyPath) -> int:
        """The line of the nearest key that has one; 0 where there are no lines."""
        found = key_lines(self.text or "")
        return next((found[path[:end]] for end in range(len(path), 0, -1) if path[:end] in found), 0)


class Fault(NamedTuple):
    """One error, sorted by source, line and key.

    Attributes:
        source: Index of the source.
        line: Counted from 1; 0 where there is none.
        key: Dotted.
        text: The whole line of the message.
    """

    source: int
    line: int
    key: str
    text: str


def read_sources(layers: Iterable[TomlSource], presets: Presets | None) -> Iterator[ParsedSource | ConfigError]:
    """Yield every source after the presets it starts from, and an error for each that cannot be read."""
    for layer in layers:
        chain: list[ParsedSource] = []
        try:
            chain.append(_parsed(layer))
            names: list[str] = []
            while presets and PRESET in chain[0].table:
                chain.insert(0, _parsed(_base(chain[0], presets, names)))
        except ConfigError as fault:
            yield fault
        yield from chain


def _base(source: ParsedSource, presets: Presets, names: list[str]) -> TomlSource:
    """The preset that a source starts from; its key is taken out of the table, its name put to the `names` before."""
    name = source.table.pop(PRESET)
    where = f"{source.name}:{source.line((PRESET,))}: "
    if not isinstance(name, str):
        raise ConfigError(f"{where}{PRESET}: expected the name of a preset, got {value_text(name)}")
    if name in names:
        circle = " -> ".join([*names[names.index(name) :], name])
        raise ConfigError(f"{where}{PRESET}: {name!r} starts from itself ({circle}); expected another preset")
    names.append(name)
    return presets.layer(name, where)


def read_overrides(cls: type[Section], overrides: Sequence[str], merged: Table) -> Iterator[ParsedSource | ConfigError]:
    """Yield a source for each KEY=VALUE, or its error."""
    for override in overrides:
        try:
            source = _override(cls, override, merged)
        except ConfigError as fault:
            yield fault
        else:
            merged = merge([ParsedSource("", merged), source])
            yield source


def merge(sources: Iterable[ParsedSource]) -> Table:
    """Table by table, the later wins; lists and scalars are replaced."""
    return reduce(_merged, (source.table for source in sources), {})


def dotted(path: KeyPath) -> str:
    """The key as it may be written in TOML, entries of lists by their index."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _BARE_KEY.fullmatch(step) else f"{step!r}")
    return text


def _parsed(layer: TomlSource) -> ParsedSource:
    try:
        table = tomllib.loads(layer.text)
    except RecursionError:
        raise ConfigError(f"{layer.name}: {_TOO_DEEP}") from None
    except ValueError as error:  # TOMLDecodeError, and Python's own limit on the digits of a number
        message = str(error)
        place = layer.name
        if where := _WHERE.search(message):
            message = message[: where.start()]
            place += f":{where[1]}:{where[2]}" if where[1] else f":{layer.text.rstrip().count(chr(10)) + 1}"
        raise ConfigError(f"{place}: is not valid TOML; {message[:1].lower()}{message[1:]}") from error
    if excess := _excess(table):
        raise ConfigError(f"{layer.name}: {excess}")
    return ParsedSource(layer.name, table, layer.text)


def _excess(value: Any, depth: int = 0) -> str | None:
    """What makes a value more than Python or pydantic can handle, or None."""
    if depth > _DEPTH:
        return _TOO_DEEP
    if isinstance(value, int) and value.bit_length() > _INTEGER_BITS:
        return f"a whole number is too large; expected at most {_INTEGER_BITS} bits"
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next(filter(None, (_excess(entry, depth + 1) for entry in inside)), None)


def _override(cls: type[Section], override: str, merged: Table) -> ParsedSource:
    name = f"--set {override}"
    if not _is_unicode(override):
        raise ConfigError(f"--set {override!r}: is not UTF-8 text; expected KEY=VALUE in UTF-8")
    key, equals, text = override.partition("=")
    if not equals:
        raise ConfigError(f"{name}: {key}: has no value; expected KEY=VALUE, such as {key}=...")
    path = _override_path(name, key.strip())
    if path == (PRESET,):
        raise ConfigError(f"{name}: {PRESET}: cannot be overridden; expected in the file, or as --preset")
    _refuse_keys_of_a_scalar(cls, name, path, merged)
    value = _override_value(text)
    shape = field_type_at(cls, path)
    if shape and shape.is_text and not isinstance(value, str):
        value = text  # on the command line 3.13 is as good as "3.13" where only text can be meant
    for step in reversed(path):
        value = {step: value}
    if excess := _excess(value):
        raise ConfigError(f"{name}: {dotted(path)}: {excess}")
    return ParsedSource(name, value)


def _refuse_keys_of_a_scalar(cls: type[Section], name: str, path: tuple[str, ...], merged: Table) -> None:
    held: Any = merged
    for end, step in enumerate(path[:-1], start=1):
        outer = path[:end]
        shape = field_type_at(cls, outer)
        if shape and not shape.is_table:
            wanted = f"{dotted(outer)} is {shape.kind} and has no keys; expected {dotted(outer)}=VALUE"
            raise ConfigError(f"{name}: {dotted(path)}: {wanted}")
        held = held.get(step, {})
        if held == NONE and shape and shape.optional:
            return
        if not isinstance(held, dict):
            wanted = f"{dotted(outer)} is {value_text(held)} and has no keys; expected a table"
            raise ConfigError(f"{name}: {dotted(path)}: {wanted}")


def _is_unicode(text: str) -> bool:
    """Whether the text is free of what Python puts for bytes of the command line that it could not read."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _override_path(name: str, key: str) -> tuple[str, ...]:
    try:
        table: Any = tomllib.loads(f"{key} = 0") if "\n" not in key else {}
    except ValueError:
        table = {}
    path: tuple[str, ...] = ()
    while isinstance(table, dict) and table:
        step, table = next(iter(table.items()))
        path = (*path, step)
    if not path:
        raise ConfigError(f"{name}: {key!r} is no key; expected KEY=VALUE, the key as in TOML, such as name=...")
    return path


def _override_value(text: str) -> Any:
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return table["value"] if table.keys() == {"value"} else text


def _merged(below: Table, above: Table) -> Table:
    result = dict(below)
    for key, value in above.items():
        held = result.get(key)
        result[key] = _merged(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return result
