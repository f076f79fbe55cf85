"""Template and processor against each other: neither imports the other, so this is what keeps them together."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.session import get_session

from imgpipe_processor import metrics as emitted
from imgpipe_processor.settings import Settings
from imgpipe_templates import load_preset
from imgpipe_templates.patterns import metrics as declared
from imgpipe_templates.pipeline import render_pipeline
from tests.templates import allowed

# Not calls of the code: Lambda itself writes the logs and hands failed events to the queue with the function's role.
BY_LAMBDA_ITSELF = {"logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"}
# Naming a version makes the same call another action ("Actions defined by Amazon S3", Service Authorization Reference).
BY_ARGUMENT = {"VersionId": "s3:GetObjectVersion"}


class Recorder(Mapping[str, str]):
    """An environment that has every variable and remembers which were read."""

    def __init__(self) -> None:
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return "1"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@pytest.fixture(scope="module")
def source(repository) -> Path:
    return repository / "lambda" / "processor"


@pytest.fixture(scope="module")
def function(thumbnails):
    return thumbnails["Resources"]["ImageProcessorFunction"]["Properties"]


def test_function_reads_exactly_the_variables_that_the_template_sets(function):
    environment = Recorder()
    Settings.from_environment(environment)

    assert environment.read == set(function["Environment"]["Variables"])


def test_handler_is_a_function_of_the_package(function, source):
    module, _, name = function["Handler"].partition(".")
    tree = ast.parse((source / f"{module}.py").read_text())

    imported = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert name in imported


def test_the_template_runs_the_package_of_that_folder(repository):
    (function,) = render_pipeline(load_preset("thumbnails")).functions

    assert function["function"] == "ImageProcessorFunction"
    assert (repository / "lambda" / function["package"] / "index.py").is_file()


def test_metrics_are_declared_as_they_are_emitted():
    assert (declared.NAMESPACE, declared.DIMENSIONS, declared.UNITS) == (
        emitted.NAMESPACE,
        emitted.DIMENSIONS,
        emitted.UNITS,
    )


def test_every_call_is_granted_and_every_grant_is_called(thumbnails, source):
    trees = [ast.parse(path.read_text()) for path in source.rglob("*.py")]
    attributes = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    literals = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    called = {
        f"{service}:{operation}"
        for service in ("s3", "dynamodb", "sns", "sqs", "cloudwatch")
        for operation in get_session().get_service_model(service).operation_names
        if xform_name(operation) in attributes
    }
    called |= {action for argument, action in BY_ARGUMENT.items() if argument in literals}

    granted = {action for action, _ in allowed(thumbnails["Resources"]["ImageProcessorRole"])}
    assert called == granted - BY_LAMBDA_ITSELF
