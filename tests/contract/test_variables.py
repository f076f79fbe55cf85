"""Variables of templates and functions, compared both ways for every option on every preset."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from imgpipe_processor.settings import Settings as ProcessorSettings
from imgpipe_retrieval_api.settings import Settings as RetrievalSettings
from imgpipe_templates.config import PRESETS, load_preset
from imgpipe_templates.errors import ConfigError
from imgpipe_templates.library import render_pipeline
from tests.pipeline.test_every_option import held, options, other_values

# The C library reads these before the function's code runs.
BY_C_LIBRARY = {"MALLOC_ARENA_MAX", "MALLOC_MMAP_MAX_", "MALLOC_TRIM_THRESHOLD_"}
# Lambda sets this one ("Defined runtime environment variables", Lambda Developer Guide, read 2026-11).
BY_LAMBDA = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
READERS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "ImageProcessorFunction": (
        "processor/imgpipe_processor/settings.py",
        ProcessorSettings.from_environment,
    ),
    "ImageRetrievalFunction": (
        "retrieval_api/imgpipe_retrieval_api/settings.py",
        RetrievalSettings.from_environment,
    ),
}
# Options that have an effect only together with others.
TOGETHER = (
    ("media-library", ["retrieval.authorization=jwt"]),
    ("thumbnails", ["processing.output.format=webp", "processing.output.animation=webp"]),
    ("thumbnails", ["processing.heic=true", 'uploads.extensions=["jpg", "heic"]']),
)


class Recorder(dict[str, str]):
    """An environment that records the names that are read."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def selections() -> Iterator[tuple[str, list[str]]]:
    """Every preset, alone and with another value of each option."""
    yield from TOGETHER
    for preset in PRESETS.names:
        yield preset, []
        config = load_preset(preset)
        for path, field_type in options():
            key = ".".join(path)
            for value in other_values(field_type, key, held(config, path)):
                yield preset, [f"{key}={json.dumps(value)}"]


@cache
def environments(function: str) -> list[tuple[str, dict[str, str]]]:
    """The variables of a function in every selection that renders it, parameters by their defaults."""
    found = []
    for preset, overrides in selections():
        try:
            template = render_pipeline(load_preset(preset, overrides)).stacks["pipeline"]
        except ConfigError:
            continue
        resource = template["Resources"].get(function)
        if resource:
            properties = resource["Properties"]
            variables = {
                name: text_of(value, template["Parameters"])
                for name, value in properties["Environment"]["Variables"].items()
            }
            selection = f"{preset} {' '.join(overrides)}"
            found.append((selection, {**variables, BY_LAMBDA: str(properties["MemorySize"])}))
    return found


def text_of(value: Any, parameters: dict[str, Any]) -> str:
    if isinstance(value, str):
        return value
    return str(parameters.get(value.get("Ref"), {}).get("Default", "something"))


@pytest.mark.parametrize("function", READERS)
def test_function_reads_every_variable_that_its_template_sets(function: str):
    _, read_settings = READERS[function]
    unread = {}
    for selection, variables in environments(function):
        recorder = Recorder(variables)
        read_settings(recorder)
        if names := variables.keys() - recorder.names - BY_C_LIBRARY - {BY_LAMBDA}:
            unread[selection] = names

    assert unread == {}
    assert len(environments(function)) > 50


@pytest.mark.parametrize("function", READERS)
def test_some_option_sets_every_variable_that_the_function_reads(function: str, repository):
    path, _ = READERS[function]
    tree = ast.parse((repository / "lambda" / path).read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    named = {text for text in texts if re.fullmatch("[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|[A-Z]{4,}", text)}
    variables = {name for _, environment in environments(function) for name in environment}

    assert named - variables == set()
