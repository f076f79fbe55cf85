"""A template as YAML that reads as if a person had written it.

An emitter of our own: it knows CloudFormation's short forms, and PyYAML costs more to import than all of rendering.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from imgpipe_templates.render.errors import RenderError
from imgpipe_templates.render.scalars import LISTS, scalar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHORT_FORMS = {"Ref": "!Ref", "Condition": "!Condition"} | {
    f"Fn::{name}": f"!{name}"
    for name in (
        *("And", "Base64", "Cidr", "Equals", "FindInMap", "GetAtt", "GetAZs", "If", "ImportValue", "Join", "Not", "Or"),
        *("Select", "Split", "Sub"),
    )
}
_TAKES_TEXT = _SHORT_FORMS.keys() - {"Fn::GetAtt"}
_TAKES_LIST = _SHORT_FORMS.keys() - {"Ref", "Condition", "Fn::Base64", "Fn::GetAZs", "Fn::GetAtt", "Fn::ImportValue"}

_SPACED_SECTIONS = frozenset({"Parameters", "Rules", "Resources", "Outputs"})
_FLOW_WIDTH = 72  # characters that the arguments of a function may fill before they get a line each
_SIMPLE_KEY_WIDTH = 1000  # YAML 1.1, 7.4.2 lets the key before a ":" have 1024 characters, quotes and escapes included

_PLAIN = re.compile(r"""[^\s\-?:,\[\]{}#&*!|>'"%@`~=<](?:[^\s:]|:(?=\S)|\ (?=[^\s#]))*""")
_PLAIN_IN_FLOW = re.compile(r"[A-Za-z_/][A-Za-z0-9_/.-]*(?:::[A-Za-z0-9]+)*")
# What a YAML 1.1 or 1.2 loader takes for a number, a time or a date, and a little more.
_NUMERIC = re.compile(r"[+.0-9][0-9A-FINTZa-fintz_.:,+\- ]*|\+?0[BOXbox][0-9A-Fa-f_]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
_ATTRIBUTE = re.compile(r"[A-Za-z0-9]+\.[A-Za-z0-9_.-]+")
_RAGGED = re.compile(r"\A\s|[ \t](?:\n|\Z)|\n\n\Z")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def emit_yaml(template: Mapping[str, Any]) -> str:
    """`template` as YAML 1.1, its keys in the order given, equal to its JSON once the short forms are read back.

    Raises:
        RenderError: a number is infinite or not a number, or text cannot be UTF-8.
    """
    if not template:
        return "{}\n"
    return "\n\n".join(_section(name, section) for name, section in template.items()) + "\n"


def _section(name: str, section: Any) -> str:
    if name in _SPACED_SECTIONS and isinstance(section, dict) and len(section) > 1:
        return f"{name}:\n" + "\n\n".join(_entry(key, value, "  ") for key, value in section.items())
    return _entry(name, section, "")


def _entry(key: str, value: Any, pad: str) -> str:
    text = _one_line(key)
    node = _node(value, pad + "  ")
    return f"{pad}{text}:{node}" if len(text) <= _SIMPLE_KEY_WIDTH else f"{pad}? {text}\n{pad}:{node}"


def _node(value: Any, pad: str) -> str:
    """What follows `key:` or `-`: a space and a scalar, or lines indented by `pad`."""
    if isinstance(value, str):
        return " " + (_one_line(value) if "\n" not in value else _text(value, pad))
    if isinstance(value, dict):
        if len(value) == 1:
            [(name, argument)] = value.items()
            if name in _SHORT_FORMS and (short := _short_form(name, argument, pad)):
                return " " + short
        return "\n" + "\n".join([_entry(key, item, pad) for key, item in value.items()]) if value else " {}"
    if isinstance(value, LISTS):
        return "\n" + "\n".join([_item(item, pad) for item in value]) if value else " []"
    return " " + _literal(value)


def _item(value: Any, pad: str) -> str:
    node = _node(value, pad + "  ")
    # A mapping or list inside a list starts on the line of its dash.
    return f"{pad}- {node[len(pad) + 3 :]}" if node[0] == "\n" else f"{pad}-{node}"


def _short_form(name: str, argument: Any, pad: str) -> str | None:
    """The function with its tag, or None where only its full name is valid: YAML gives a node one tag at most."""
    tag = _SHORT_FORMS[name]
    if isinstance(argument, str):
        return f"{tag}{_node(argument, pad)}" if name in _TAKES_TEXT else None
    if isinstance(argument, LISTS):
        if name == "Fn::GetAtt":
            return _attribute(argument)
        if name in _TAKES_LIST:
            flow = _flow(argument)
            return f"{tag} {flow}" if flow and len(flow) <= _FLOW_WIDTH else f"{tag}{_node(argument, pad)}"
    return None


def _attribute(argument: Sequence[Any]) -> str | None:
    """`!GetAtt A.B`, which is split at its first dot when it is read."""
    if len(argument) == 2 and all(isinstance(part, str) for part in argument):  # noqa: PLR2004 - id and attribute
        path = ".".join(argument)
        if "." not in argument[0] and _ATTRIBUTE.fullmatch(path):
            return f"!GetAtt {path}"
    return None


def _flow(value: Any) -> str | None:
    """`value` on one line as an argument, or None where that would not read well."""
    if isinstance(value, str):
        if _PLAIN_IN_FLOW.fullmatch(value):
            return _one_line(value)
        return _quoted(value) if "\n" not in value else None
    if isinstance(value, LISTS):
        parts = [_flow(item) for item in value]
        return None if None in parts else "[" + ", ".join(part for part in parts if part) + "]"
    return _flow_function(value) if isinstance(value, dict) else _literal(value)


def _flow_function(function: dict[str, Any]) -> str | None:
    if len(function) != 1:
        return None
    [(name, argument)] = function.items()
    if name == "Fn::GetAtt" and isinstance(argument, LISTS):
        return _attribute(argument)
    takes = _TAKES_TEXT if isinstance(argument, str) else _TAKES_LIST if isinstance(argument, LISTS) else ()
    inner = _flow(argument) if name in takes else None
    return f"{_SHORT_FORMS[name]} {inner}" if inner else None


def _literal(value: Any) -> str:
    text = scalar(value)
    # YAML 1.1 wants a dot in every float: 1e+16 would be read as text.
    return text.replace("e", ".0e") if isinstance(value, float) and "." not in text else text


def _text(value: str, pad: str) -> str:
    """Several lines as a literal block, unless something in them would be lost to the eye or to an editor."""
    if _RAGGED.search(value) or not _printable(value.replace("\n", "").replace("\t", "")):
        return _quoted(value)
    ends = value.endswith("\n")
    lines = value[:-1].split("\n") if ends else value.split("\n")
    return ("|\n" if ends else "|-\n") + "\n".join([pad + line if line else "" for line in lines])


@lru_cache(maxsize=16_384)
def _one_line(value: str) -> str:
    """Text as it is where no loader can take it for something else, in quotes otherwise."""
    if _PLAIN.fullmatch(value) and _printable(value) and not _NUMERIC.fullmatch(value) and value.lower() not in _WORDS:
        return str.__str__(value)  # an enumeration's member would print as its name
    return _quoted(value)


def _quoted(value: str) -> str:
    if not _printable(value):
        return '"' + "".join([_escaped(character) for character in value]) + '"'
    if "'" in value and '"' not in value and "\\" not in value:
        return f'"{value}"'
    return "'" + value.replace("'", "''") + "'"


def _printable(value: str) -> bool:
    # Not str.isprintable for all of Unicode: its answer changes from one Python to the next.
    return value.isprintable() if value.isascii() else all(map(_visible, value))


def _visible(character: str) -> bool:
    """Whether neither YAML nor an editor takes it for a break, a mark of order, or nothing at all."""
    return (
        " " <= character <= "~"
        or "\u00a1" <= character <= "\u2027"
        or "\u202f" <= character <= "\ud7ff"
        or "\ue000" <= character <= "\ufefe"
        or "\uff00" <= character <= "\ufffd"
        or character >= "\U00010000"
    )


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if _visible(character):
        return character
    if "\ud800" <= character <= "\udfff":
        raise RenderError(f"template: {character!r} is half a character; expected text that UTF-8 can hold")
    return f"\\u{ord(character):04X}"
