"""Template and processor against each other: neither imports the other, so this is what keeps them together."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from imgpipe_processor import metrics as emitted
from imgpipe_processor.imaging.recipe import Animation, Limits, Recipe
from imgpipe_processor.settings import Settings
from imgpipe_templates import load_preset
from imgpipe_templates.config import PRESETS
from imgpipe_templates.library import render_pipeline
from imgpipe_templates.patterns import metrics as declared
from tests.lambda_processor.fakes import actions_needed
from tests.lambda_processor.test_settings import EVERYTHING
from tests.templates import allowed, rendered

# Not calls of the code: Lambda itself writes the logs, hands failed events to the queue, takes messages from another
# and sends traces, all with the function's role; services use the key when they are called.
BY_LAMBDA_ITSELF = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}

# Nor variables of the code: the C library reads them before there is any.
BY_C_LIBRARY = {"MALLOC_ARENA_MAX", "MALLOC_MMAP_MAX_", "MALLOC_TRIM_THRESHOLD_"}


@pytest.fixture(scope="module")
def source(repository) -> Path:
    return repository / "lambda" / "processor"


@pytest.fixture(params=PRESETS.names)
def template(request) -> dict[str, Any]:
    return rendered(load_preset(request.param))


@pytest.fixture
def function(template):
    return template["Resources"]["ImageProcessorFunction"]["Properties"]


def by_lambda(function: dict[str, Any]) -> dict[str, str]:
    """What Lambda itself tells a function ("Defined runtime environment variables", Developer Guide, read 2026-11)."""
    return {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function["MemorySize"])}


@pytest.fixture
def settings(function) -> Settings:
    """What the function is told, with a sample for each variable: an unknown or missing one is an error."""
    told = {name: EVERYTHING[name] for name in function["Environment"]["Variables"].keys() - BY_C_LIBRARY}
    return Settings.from_environment(told | by_lambda(function))


def told(preset: str, *overrides: str) -> Settings:
    """What the function is told, parameters by their defaults, and a name for whatever else is referred to."""
    template = rendered(load_preset(preset, overrides))
    function = template["Resources"]["ImageProcessorFunction"]["Properties"]
    parameters = template["Parameters"]
    variables = {
        name: value if isinstance(value, str) else str(parameters.get(value.get("Ref"), {}).get("Default", "something"))
        for name, value in function["Environment"]["Variables"].items()
    }
    return Settings.from_environment(variables | by_lambda(function))


def test_function_knows_every_variable_and_misses_none(settings):
    assert settings.metadata_table == EVERYTHING["METADATA_TABLE"]


@pytest.mark.parametrize("preset", PRESETS.names)
def test_what_is_not_configured_is_to_the_function_what_it_is_by_itself(preset):
    config = load_preset(preset)
    settings = told(preset)

    assert settings.recipe == Recipe((128,) if config.processing.thumbnails else ())
    assert settings.limits == Limits(
        max_pixels=config.processing.max_source_pixels,
        max_frames=config.processing.max_source_frames,
        memory_bytes=config.processing.memory_mb * 2**20,
    )


@pytest.mark.parametrize(
    ("overrides", "recipe"),
    [
        (["engine=libvips"], {"engine": "libvips"}),
        (["output.format=jpeg", "output.jpeg_quality=70"], {"output_format": "jpeg", "jpeg_quality": 70}),
        (["output.format=png"], {"output_format": "png"}),
        (["output.format=webp", "output.webp_quality=1"], {"output_format": "webp", "webp_quality": 1}),
        (["output.format=avif", "output.avif_quality=100"], {"output_format": "avif", "avif_quality": 100}),
        (["output.background=#FFeedd"], {"background": "#FFeedd"}),
        (["output.animation=webp"], {"animation": Animation(max_frames=100, max_pixels=25_000_000)}),
        (
            ["output.animation=webp", "output.max_animation_frames=7", "output.max_animation_pixels=4096"],
            {"animation": Animation(max_frames=7, max_pixels=4096)},
        ),
        (["output.animation=webp", "output.webp_quality=55"], {"webp_quality": 55}),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, list) else "",
)
def test_what_is_configured_reaches_the_function(overrides, recipe):
    made = told("thumbnails", *(f"processing.{override}" for override in overrides)).recipe

    assert made._replace(**recipe) == made
    assert made != Recipe((128,))


def test_limits_that_are_configured_reach_the_function():
    limits = told(
        "reporting", "processing.heic=true", 'uploads.extensions=["heic"]', "processing.max_source_frames=5"
    ).limits

    assert (limits.heic, limits.max_frames) == (True, 5)


def test_handler_is_a_function_of_the_package(function, source):
    module, _, name = function["Handler"].partition(".")
    tree = ast.parse((source / f"{module}.py").read_text())

    imported = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert name in imported


@pytest.mark.parametrize("preset", PRESETS.names)
def test_every_function_of_a_template_has_its_source(preset, repository):
    for function in render_pipeline(load_preset(preset)).functions:
        assert (repository / "lambda" / function.package / "index.py").is_file()


def test_metrics_are_declared_as_they_are_emitted():
    assert (declared.NAMESPACE, declared.DIMENSIONS, declared.UNITS) == (
        emitted.NAMESPACE,
        emitted.DIMENSIONS,
        emitted.UNITS,
    )


def test_every_call_is_granted_and_every_grant_is_called(template, settings):
    """tests/lambda_processor/test_calls.py holds `actions_needed` against the code."""
    granted = {action for action, _ in allowed(template, "ImageProcessorRole")}

    assert actions_needed(settings) == granted - BY_LAMBDA_ITSELF
