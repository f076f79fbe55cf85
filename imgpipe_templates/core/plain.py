"""Templates as plain dictionaries, in one pass.

troposphere 4.11.1's `to_dict` turns every object into plain values and then walks through these again for each object
around it: a third of a render. This walks once, and validates as `to_dict` does; tests/core/test_plain.py compares.
"""

from __future__ import annotations

from typing import Any

from troposphere import AWSHelperFn, BaseAWSObject, Tags


def plain(value: Any) -> Any:
    """`value` with every object of troposphere and awacs in it as the dictionary or list that it stands for.

    Raises:
        ValueError: An object misses a property that its type requires, or has values that exclude each other.
    """
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, BaseAWSObject):
        return _declared(value)
    if isinstance(value, AWSHelperFn):
        return plain(value.tags if isinstance(value, Tags) else value.data)
    return plain(value.JSONrepr() if hasattr(value, "JSONrepr") else value.to_dict())


def _declared(value: BaseAWSObject) -> dict[str, Any]:
    if value.do_validation:
        value._validate_props()  # noqa: SLF001 - what `to_dict` calls first
        value.validate()
    if value.properties:
        return {name: plain(item) for name, item in value.resource.items()}
    return {name: plain(item) for name, item in value.resource.items() if name != "Properties"}
