"""A template as text that differs only when its content differs."""

from __future__ import annotations

from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any

from imgpipe_templates.arguments import checked
from imgpipe_templates.render.order import ordered
from imgpipe_templates.render.scalars import LISTS, scalar


@checked(template=Mapping)
def to_json(template: Mapping[str, Any]) -> str:
    """`template` as JSON in reading order.

    Raises:
        ArgumentError: `template` is no mapping, such as a whole pipeline.
        RenderError: a number is infinite or not a number.
    """
    return emit_json(ordered(template))


@checked(template=Mapping)
def to_yaml(template: Mapping[str, Any]) -> str:
    """`template` as YAML in reading order, equal to its JSON once the short forms are read back.

    Raises:
        ArgumentError: `template` is no mapping, such as a whole pipeline.
        RenderError: a number is infinite or not a number, or text cannot be UTF-8.
    """
    from imgpipe_templates.render.yaml_text import emit_yaml  # noqa: PLC0415 - JSON alone need not pay for its patterns

    return emit_yaml(ordered(template))


def emit_json(template: Mapping[str, Any], *, compact: bool = False) -> str:
    """`template` as JSON, its keys in the order given.

    The standard library's encoder writes the same text, but is slow as soon as it has to indent.

    Args:
        template: The template.
        compact: Whether to leave out indentation and line breaks.

    Raises:
        RenderError: a number is infinite or not a number.
    """
    return (_compact(template) if compact else _json(template, "")) + "\n"


def _compact(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode_basestring(key)}:{_compact(item)}" for key, item in value.items()) + "}"
    return "[" + ",".join(map(_compact, value)) + "]" if isinstance(value, LISTS) else scalar(value)


def _json(value: Any, pad: str) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    inner = pad + "  "
    if isinstance(value, dict):
        items = [f"{inner}{encode_basestring(key)}: {_json(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{pad}}}" if items else "{}"
    if isinstance(value, LISTS):
        items = [inner + _json(item, inner) for item in value]
        return "[\n" + ",\n".join(items) + f"\n{pad}]" if items else "[]"
    return scalar(value)
