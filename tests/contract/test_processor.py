"""Template and processor against each other: neither imports the other, so this is what keeps them together."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from imgpipe_processor import metrics as emitted
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


@pytest.fixture(scope="module")
def source(repository) -> Path:
    return repository / "lambda" / "processor"


@pytest.fixture(params=PRESETS.names)
def template(request) -> dict[str, Any]:
    return rendered(load_preset(request.param))


@pytest.fixture
def function(template):
    return template["Resources"]["ImageProcessorFunction"]["Properties"]


@pytest.fixture
def settings(function) -> Settings:
    """What the function is told, with a sample for each variable: an unknown or missing one is an error."""
    return Settings.from_environment({name: EVERYTHING[name] for name in function["Environment"]["Variables"]})


def test_function_knows_every_variable_and_misses_none(settings):
    assert settings.metadata_table == EVERYTHING["METADATA_TABLE"]


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
        assert (repository / "lambda" / function["package"] / "index.py").is_file()


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
