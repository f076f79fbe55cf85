"""What the function's package is: its handler, its requirements, what a cold start loads, what it agrees on."""

import json
from pathlib import Path

import pytest

from imgpipe_processor import metrics as emitted
from imgpipe_templates.patterns import metrics as listed
from tests.cold_start import cold_start

PROCESSOR = Path(__file__).parents[2] / "lambda" / "processor"
ENVIRONMENT = {
    "METADATA_TABLE": "ImageMetadata-dev",
    "THUMBNAIL_BUCKET": "thumbs",
    "THUMBNAIL_SIZE": "128",
    "OUTPUT_PREFIX": "thumbnails/",
    "OUTPUT_FORMAT": "auto",
    "JPEG_QUALITY": "80",
    "ENVIRONMENT": "production",
    "ENVIRONMENT_SUFFIX": "dev",
    "MAX_SOURCE_BYTES": "1000",
    "MAX_SOURCE_PIXELS": "2000",
    "MAX_SOURCE_FRAMES": "1000",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "INDEX_SHARDS": "4",
    "SOURCE_BUCKET": "photos-in",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "a",
    "AWS_SECRET_ACCESS_KEY": "b",
}
COLD_START = """
import json, sys
import index
class Context:
    aws_request_id = "r-1"
    get_remaining_time_in_millis = lambda self: 60_000
answer = index.lambda_handler({"Service": "Amazon S3", "Event": "s3:TestEvent"}, Context())
from imgpipe_processor.handler import PROCESSOR, REPORTER
clients = [PROCESSOR.s3, PROCESSOR.dynamodb, *([REPORTER.sns] if REPORTER else [])]
print(json.dumps([answer, sorted(sys.modules), [client.meta.service_model.service_name for client in clients]]))
"""


def start(environment):
    return cold_start(PROCESSOR, COLD_START, environment=environment)


@pytest.fixture(scope="module")
def started():
    done = start(ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.line("003-10")
def test_the_handler_is_index_lambda_handler(started):
    line, (answer, _modules, _clients) = started

    assert answer == {"ignored": 1}
    assert line == {"level": "WARNING", "event": "ignored", "request_id": "r-1", "reason": "s3:TestEvent"}


def test_handler_takes_times_in_utc_and_another_attempt_id_each_time():
    code = (
        "import uuid, index; from imgpipe_processor.handler import PROCESSOR as made;"
        "ids = [uuid.UUID(made.new_id()) for _ in range(2)];"
        "print(made.clock().tzinfo, len(set(ids)), *{one.version for one in ids})"
    )

    assert cold_start(PROCESSOR, code, environment=ENVIRONMENT).stdout == "UTC 2 4\n"


def test_a_cold_start_loads_the_commonest_decoders_and_no_boto3(started):
    modules = started[1][1]

    assert {f"PIL.{name}ImagePlugin" for name in ("Gif", "Jpeg", "Png")} == {
        name for name in modules if name.startswith("PIL.") and name.endswith("Plugin")
    }
    elsewhere = {"boto3", "imgpipe_templates", "ctypes", "numpy", "pi_heif", "pyvips"}
    assert not [name for name in modules if name.split(".")[0] in elsewhere]


@pytest.mark.line("001-19")
@pytest.mark.parametrize("occasion", ["failures", "always"])
def test_a_client_of_sns_is_made_only_where_reports_are_wanted(started, occasion):
    topic = {"SNS_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:reports", "REPORTS": occasion}

    with_reports = start(ENVIRONMENT | topic)

    assert started[1][2] == ["s3", "dynamodb"]
    assert json.loads(with_reports.stdout.splitlines()[1])[2] == ["s3", "dynamodb", "sns"]


@pytest.mark.line("003-27")
def test_a_missing_variable_is_named_when_the_function_starts():
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "METADATA_TABLE"}

    assert "environment: METADATA_TABLE: is missing or empty" in start(environment).stderr


def test_only_settings_reads_the_environment():
    readers = [
        path.name
        for path in PROCESSOR.rglob("*.py")
        if "os.environ" in path.read_text() or "getenv" in path.read_text()
    ]

    assert readers == ["settings.py"]


def test_pillow_alone_is_what_a_layer_may_hold():
    assert (PROCESSOR / "requirements.txt").read_text() == "pillow==13.0.0\n"


def test_the_metrics_are_the_listed_ones():
    assert (listed.NAMESPACE, listed.DIMENSIONS, listed.UNITS) == (
        emitted.NAMESPACE,
        emitted.DIMENSIONS,
        emitted.UNITS,
    )
