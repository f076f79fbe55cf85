"""Any input results in a configuration or a list of errors."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from imgpipe_templates.configuration import Range, TomlSource, load
from imgpipe_templates.errors import ConfigError
from tests.configuration.sample import Pipeline

KEYS = [
    "name",
    "tags",
    "uploads",
    "extensions",
    "storage",
    "log_days",
    "processing",
    "batch",
    "output",
    "format",
    "background",
    "network",
    "subnets",
    "x y",
]
SCALARS = (
    st.booleans()
    | st.integers(-(2**66), 2**66)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["none", "a", "jpg", "a:b", "é", ""])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
)


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5), st.sampled_from(KEYS), VALUES)
def test_no_input_is_more_than_a_fault(table: dict[str, Any], key: str, value: Any):
    text = "\n".join(f"{json.dumps(name)} = {toml(entry)}" for name, entry in table.items())
    faults: tuple[str, ...] = ()
    try:
        load(Pipeline, [TomlSource("imgpipe.toml", text)], [f"{json.dumps(key)}={toml(value)}"])
    except ConfigError as error:
        faults = error.errors
    assert all(fault.startswith(("imgpipe.toml:", "--set ")) for fault in faults)


def test_one_range_serves_the_check_and_the_parameter():
    assert Range(64, 512, "pixels").limits() == {"MinValue": 64, "MaxValue": 512}
