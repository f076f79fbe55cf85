"""Values that JSON and YAML write alike: null, true and false, numbers."""

from __future__ import annotations

from math import isfinite

from imgpipe_templates.render.errors import RenderError

# What both forms write as a list. A tuple of types: isinstance takes several times as long for `list | tuple`.
LISTS = (list, tuple)


def scalar(value: object) -> str:
    """`value` as JSON writes it.

    Raises:
        RenderError: A number is infinite or not a number.
        TypeError: It is nothing that a template can hold.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if not isinstance(value, float):
        raise TypeError(f"{type(value).__name__} has no form in a template")
    if not isfinite(value):
        raise RenderError(f"template: {value!r} is no number in JSON; expected a finite number")
    return float.__repr__(value)
