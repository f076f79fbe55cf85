"""A template as JSON or YAML text, the same bytes for the same content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from imgpipe_templates.arguments import checked
from imgpipe_templates.errors import RenderError
from imgpipe_templates.render.order import ordered
from imgpipe_templates.render.yaml_text import emit_yaml


@checked(template=Mapping)
def to_json(template: Mapping[str, Any]) -> str:
    """Return `template` as JSON in reading order.

    Raises:
        ArgumentError: `template` is not a mapping, for example a whole pipeline.
        RenderError: A number is infinite or not a number.
    """
    return emit_json(ordered(template))


@checked(template=Mapping)
def to_yaml(template: Mapping[str, Any]) -> str:
    """Return `template` as YAML in reading order, with the short forms of intrinsic functions.

    Raises:
        ArgumentError: `template` is not a mapping, for example a whole pipeline.
        RenderError: A number is infinite or not a number, or a text cannot be encoded as UTF-8.
    """
    return emit_yaml(ordered(template))


def emit_json(template: Mapping[str, Any], *, compact: bool = False) -> str:
    """Return `template` as JSON with its keys in the given order.

    Args:
        template: The template.
        compact: True to write no indentation and no line breaks.

    Raises:
        RenderError: A number is infinite or not a number.
    """
    layout: dict[str, Any] = {"separators": (",", ":")} if compact else {"indent": 2}
    try:
        return json.dumps(template, ensure_ascii=False, allow_nan=False, **layout) + "\n"
    except ValueError as error:
        raise RenderError(f"template: {error}; expected a finite number") from error
