"""A template as YAML with the short forms of intrinsic functions, written by PyYAML.

PyYAML's own dumper, and cfn_flip's on top of it, quote every tagged text, do not indent lists, and write functions in
block style. `_Dumper` changes these three.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from imgpipe_templates.errors import RenderError

_SHORT_FORMS = {"Ref": "!Ref", "Condition": "!Condition"} | {
    f"Fn::{name}": f"!{name}"
    for name in (
        *("And", "Base64", "Cidr", "Equals", "FindInMap", "GetAtt", "GetAZs", "If", "ImportValue", "Join", "Not", "Or"),
        *("Select", "Split", "Sub"),
    )
}
_WITH_LIST = _SHORT_FORMS.keys() - {"Ref", "Condition", "Fn::Base64", "Fn::GetAZs", "Fn::GetAtt", "Fn::ImportValue"}
_ATTRIBUTE = re.compile(r"[A-Za-z0-9]+\.[A-Za-z0-9_.-]+")

_SPACED_SECTIONS = frozenset({"Parameters", "Rules", "Resources", "Outputs"})
_FLOW_WIDTH = 72  # maximum characters of a function's arguments on one line

# Texts that PyYAML reads as text, but other YAML 1.1 or 1.2 parsers read as a number or a boolean. They are quoted.
_NUMBER = re.compile(r"(?:[+.0-9-][0-9A-FINTZa-fintz_.:,+\- ]*|[+-]?0[BOXbox][0-9A-Fa-f_]*)\Z")
_BOOLEAN = re.compile(r"[yYnN]\Z")
# Inside [], PyYAML quotes names with `::` such as AWS::Region, and leaves `/*` without quotes.
_NAME = re.compile(r"[A-Za-z_/][A-Za-z0-9_/.-]*(?:::[A-Za-z0-9]+)*")
_PLAIN_IN_LINE = re.compile(r"[A-Za-z0-9_/.+-]+")
# Texts that a block style would change, or whose spaces a reader cannot see.
_NOT_IN_BLOCK = re.compile(r"\A\s|[ \t](?:\n|\Z)|\n\n\Z|[\r\x85\u2028\u2029]")

_TEXT_TAG = "tag:yaml.org,2002:str"


def emit_yaml(template: Mapping[str, Any]) -> str:
    """Return `template` as YAML 1.1 with its keys in the given order.

    Raises:
        RenderError: A number is infinite or not a number, or a text cannot be encoded as UTF-8.
    """
    return "\n".join(_section(name, section) for name, section in template.items()) or "{}\n"


def _section(name: str, section: Any) -> str:
    if name in _SPACED_SECTIONS and isinstance(section, dict) and len(section) > 1:
        entries = [textwrap.indent(_dumped({key: value}), "  ") for key, value in section.items()]
        return f"{name}:\n" + "\n".join(entries)
    return _dumped({name: section})


def _dumped(value: Mapping[str, Any]) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, allow_unicode=True, width=math.inf, sort_keys=False))


class _Dumper(yaml.SafeDumper):  # type: ignore[misc] # PyYAML has no annotations
    """PyYAML's dumper with short forms, indented lists, and quotes only around texts that require them."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        """Write a repeated value again."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Indent lists in mappings."""
        super().increase_indent(flow, False)  # noqa: FBT003 - PyYAML's signature

    def analyze_scalar(self, scalar: str) -> Any:
        """Choose the texts without quotes inside []."""
        analysis = super().analyze_scalar(scalar)
        is_plain = analysis.allow_flow_plain and _PLAIN_IN_LINE.fullmatch(scalar)
        analysis.allow_flow_plain = bool(is_plain or _NAME.fullmatch(scalar))
        return analysis

    def choose_scalar_style(self) -> str:
        """Apply the rules for untagged texts to short forms too, and use double quotes around an apostrophe."""
        event = self.event
        implicit = event.implicit
        if event.tag.startswith("!"):
            event.implicit = (self.resolve(yaml.ScalarNode, event.value, (True, False)) == _TEXT_TAG, True)
        style: str = super().choose_scalar_style()
        event.implicit = implicit
        return '"' if style == "'" and "'" in event.value and not set(event.value) & {'"', "\\"} else style


def _text(dumper: _Dumper, value: str, tag: str = _TEXT_TAG) -> yaml.Node:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        part = value[error.start : error.end]
        raise RenderError(f"template: {part!r} is half a character; expected text that UTF-8 can encode") from error
    style = '"' if _NOT_IN_BLOCK.search(value) else "|" if "\n" in value else None
    return dumper.represent_scalar(tag, str.__str__(value), style=style)


def _number(dumper: _Dumper, value: float) -> yaml.Node:
    if not math.isfinite(value):
        raise RenderError(f"template: {value!r} is not a number in JSON; expected a finite number")
    return dumper.represent_float(value)


def _list(dumper: _Dumper, value: Sequence[Any]) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=False)


def _mapping(dumper: _Dumper, value: Mapping[str, Any]) -> yaml.Node:
    if len(value) == 1:
        [(name, argument)] = value.items()
        if name in _SHORT_FORMS and (short := _short_form(dumper, name, argument)):
            return short
    return dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=False)


def _short_form(dumper: _Dumper, name: str, argument: Any) -> yaml.Node | None:
    """Return the node of a short form, or None where only the full name is valid, such as for a function in another."""
    tag = _SHORT_FORMS[name]
    if isinstance(argument, str) and name != "Fn::GetAtt":
        return _text(dumper, argument, tag)
    if isinstance(argument, list | tuple):
        if name == "Fn::GetAtt" and all(isinstance(part, str) for part in argument):
            path = ".".join(argument)
            is_short = len(argument) == 2 and "." not in argument[0] and _ATTRIBUTE.fullmatch(path)  # noqa: PLR2004
            return _text(dumper, path, tag) if is_short else None
        if name in _WITH_LIST:
            node = dumper.represent_sequence(tag, argument, flow_style=False)
            node.flow_style = _fits_line(node)
            return node
    return None


def _fits_line(node: yaml.SequenceNode) -> bool:
    """Return True if a function with all its arguments can be written on one line."""
    nodes: list[yaml.Node] = [node]
    for one in nodes:
        if isinstance(one, yaml.MappingNode) or (isinstance(one, yaml.ScalarNode) and "\n" in one.value):
            return False
        if isinstance(one, yaml.SequenceNode):
            nodes += one.value
    line = yaml.SequenceNode(node.tag, node.value, flow_style=True)
    text = yaml.serialize(line, Dumper=_Dumper, allow_unicode=True, width=math.inf)
    return len(text.strip()) - len(node.tag) - 1 <= _FLOW_WIDTH


_Dumper.add_multi_representer(str, _text)
_Dumper.add_representer(str, _text)
_Dumper.add_representer(float, _number)
_Dumper.add_representer(list, _list)
_Dumper.add_representer(tuple, _list)
_Dumper.add_representer(dict, _mapping)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", _NUMBER, list("+-.0123456789"))
_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", _BOOLEAN, list("yYnN"))
