"""What the function's package is: its handler, its requirements, what a cold start loads, what it calls."""

import ast
import json
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.session import get_session

from tests.cold_start import cold_start

RETRIEVAL = Path(__file__).parents[2] / "lambda" / "retrieval_api"
ENVIRONMENT = {
    "METADATA_TABLE": "ImageMetadata-dev",
    "INDEX_SHARDS": "4",
    "INDEXES": "UploadTimestampIndex",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "a",
    "AWS_SECRET_ACCESS_KEY": "b",
}
COLD_START = """
import json, sys
import index
class Context: aws_request_id = "r-1"
answer = index.lambda_handler({"requestContext": {"http": {"method": "GET"}}, "rawPath": "/"}, Context)
print(json.dumps([answer["statusCode"], sorted(sys.modules)]))
"""


def start(environment):
    return cold_start(RETRIEVAL, COLD_START, environment=environment)


@pytest.fixture(scope="module")
def started():
    done = start(ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.line("002-05")
def test_the_handler_is_index_lambda_handler(started):
    line, (status, _modules) = started

    assert status == 404
    assert {"event": "refused", "request_id": "r-1", "code": "no-such-route"}.items() <= line.items()


def test_a_cold_start_loads_no_boto3_and_no_pillow(started):
    modules = started[1][1]

    assert not {name.split(".")[0] for name in modules} & {"boto3", "PIL", "imgpipe_templates", "imgpipe_processor"}


@pytest.mark.line("002-11")
def test_a_missing_variable_is_named_when_the_function_starts():
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "INDEXES"}

    assert "environment: INDEXES: is missing or empty" in start(environment).stderr


@pytest.mark.line("002-11")
def test_only_settings_reads_the_environment():
    readers = [
        path.name
        for path in RETRIEVAL.rglob("*.py")
        if "os.environ" in path.read_text() or "getenv" in path.read_text()
    ]

    assert readers == ["settings.py"]


def test_everything_comes_with_the_runtime():
    lines = (RETRIEVAL / "requirements.txt").read_text().splitlines()

    assert [line for line in lines if not line.startswith("#")] == []


@pytest.mark.line("002-06")
def test_the_function_only_reads():
    trees = [ast.parse(path.read_text()) for path in RETRIEVAL.rglob("*.py")]
    attributes = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    literals = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}

    assert {"dynamodb:GetItem", "dynamodb:Query", "s3:GetObject"} == {
        f"{service}:{operation}"
        for service in ("s3", "dynamodb", "sns", "sqs", "cloudwatch", "lambda")
        for operation in get_session().get_service_model(service).operation_names
        if xform_name(operation) in attributes | literals
    }
