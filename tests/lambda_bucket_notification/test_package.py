"""What the function's package is: its handler, its requirements, what a cold start loads, what it calls."""

import json
import re
from pathlib import Path

import pytest

from imgpipe_bucket_notification.aws import CLIENT_CONFIG
from imgpipe_bucket_notification.invocation import Helper
from tests.cold_start import cold_start
from tests.lambda_bucket_notification.fakes import BUCKET

HELPER = Path(__file__).parents[2] / "lambda" / "bucket_notification"
COLD_START = """
import json, sys
import index
class Context:
    aws_request_id = "r-1"
    log_stream_name = "stream"
    get_remaining_time_in_millis = staticmethod(lambda: 60000)
answer = index.lambda_handler(json.loads(sys.argv[1]), Context)
print(json.dumps([answer, sorted(sys.modules)]))
"""


def answered(event, **environment):
    done = cold_start(HELPER, COLD_START, json.dumps(event), environment=environment)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.line("001-13")
def test_the_handler_is_index_lambda_handler():
    line, (answer, modules) = answered({})

    assert answer == {"Status": "FAILED"}
    assert line["reason"].startswith("ResponseURL: is missing")
    assert not [name for name in modules if name.split(".")[0] in {"boto3", "imgpipe_templates", "imgpipe_processor"}]


@pytest.mark.line("001-17")
def test_a_function_that_gets_no_client_answers_all_the_same(bench):
    # No Region in the environment: whatever fails at the start of a function would be silence
    answered(bench.event("Create"), AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE="/nonexistent")

    assert bench.responses.only["Status"] == "FAILED"
    assert bench.responses.only["Reason"].startswith("pipeline: S3BucketNotification: ")


@pytest.mark.line("001-16")
def test_only_two_calls_are_made(bench):
    operations = re.findall(r"s3\.(\w+)", "".join(path.read_text() for path in HELPER.rglob("*.py")))

    assert {"get_bucket_notification_configuration", "put_bucket_notification_configuration"} == {
        name for name in operations if name.endswith("configuration")
    }
    bench.create()
    assert {("GET", BUCKET), ("PUT", BUCKET)} == set(bench.s3.calls)


def test_nothing_is_read_from_the_environment():
    assert not [path.name for path in HELPER.rglob("*.py") if re.search(r"environ|getenv", path.read_text())]


def test_there_is_nothing_to_install():
    lines = (HELPER / "requirements.txt").read_text().splitlines()

    assert not [line for line in lines if line and not line.startswith("#")]


def test_a_call_ends_before_the_time_for_the_answer_begins():
    helper = Helper(connect=lambda: None, connect_locks=lambda: None)
    longest_call_seconds = CLIENT_CONFIG.connect_timeout + CLIENT_CONFIG.read_timeout

    assert helper.work_ends_seconds - longest_call_seconds >= helper.answer_begins_seconds
