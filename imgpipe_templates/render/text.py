"""A template as text that differs only when its content differs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from imgpipe_templates.render.errors import RenderError
from imgpipe_templates.render.order import ordered

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_json(template: Mapping[str, Any]) -> str:
    """`template` as JSON in reading order.

    Raises:
        RenderError: a number is infinite or not a number.
    """
    return emit_json(ordered(template))


def to_yaml(template: Mapping[str, Any]) -> str:
    """`template` as YAML in reading order, equal to its JSON once the short forms are read back.

    Raises:
        RenderError: a number is infinite or not a number, or text cannot be UTF-8.
    """
    from imgpipe_templates.render.yaml_text import emit_yaml  # noqa: PLC0415 - JSON alone need not pay for its patterns

    return emit_yaml(ordered(template))


def emit_json(template: Mapping[str, Any]) -> str:
    """`template` as JSON, its keys in the order given.

    Raises:
        RenderError: a number is infinite or not a number.
    """
    try:
        return json.dumps(template, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError as error:
        raise RenderError(f"template: {error}; expected finite numbers") from error
