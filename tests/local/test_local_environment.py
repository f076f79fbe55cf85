"""Function processes: what a function sees, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imgpipe_templates.local.environment import Function, Outcome
from imgpipe_templates.local.pool import EnvironmentPool
from tests.engine import RUNTIME, runtime, zipped

CODE = """
import json, os, sys, time

calls = 0

def answer(event, context):
    global calls
    calls += 1
    print("called", calls)
    return {"calls": calls, "event": event, "remaining": context.get_remaining_time_in_millis() > 0}

def surroundings(event, context):
    return {"environment": dict(os.environ), "path": sys.path, "modules": [m for m in ("ministack", "PIL", "pytest")
            if __import__("importlib.util").util.find_spec(m)]}

def fail(event, context):
    raise ValueError("no such image")

def sleep(event, context):
    time.sleep(30)

def leave(event, context):
    sys.exit(3)

def swallow(event, context):
    return len(bytearray(200 * 1024 * 1024))

def set_of(event, context):
    return {1}
"""


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnvironmentPool]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("scratch")))
        patch.setenv("IMGPIPE_SECRET_OF_THE_HOST", "must not be seen")
        pool = EnvironmentPool({RUNTIME: runtime()}, endpoint_url="http://127.0.0.1:1", limit=2)
        yield pool
        pool.close()


def run(pool: EnvironmentPool, handler: str, *, code: str = CODE, timeout: int = 10, memory: int = 160) -> Outcome:
    function = Function(
        name="f",
        arn=f"arn:aws:lambda:eu-west-1:123456789012:function:{handler}",
        version="$LATEST",
        runtime=RUNTIME,
        handler=f"index.{handler}",
        timeout_seconds=timeout,
        memory_mb=memory,
        log_group="/aws/lambda/f",
        log_format="Text",
        log_level="",
        variables={"STAGE": "test", "PATH": "of the function"},
        credentials={"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"},
    )
    packages = {"task": [zipped(index=code)], "opt": []}
    return pool.run(function, f"{handler} {hash(code)}", packages, b'{"a": 1}', "request-1")


def document(outcome: Outcome) -> Any:
    return json.loads(outcome.body)


def test_a_function_answers_and_stays_warm(pool):
    first, second = run(pool, "answer"), run(pool, "answer")

    assert [document(first), document(second)] == [
        {"calls": 1, "event": {"a": 1}, "remaining": True},
        {"calls": 2, "event": {"a": 1}, "remaining": True},
    ]
    assert not first.is_error
    lines = second.log.splitlines()
    assert lines[:3] == ["START RequestId: request-1 Version: $LATEST", "called 2", "END RequestId: request-1"]
    assert lines[3].startswith("REPORT RequestId: request-1\tDuration: ")
    assert ("Init Duration" in first.log, "Init Duration" in second.log) == (True, False)


def test_new_code_gets_a_new_environment(pool):
    run(pool, "answer")

    assert document(run(pool, "answer", code="def answer(event, context): return 'new'")) == "new"


def test_a_function_sees_its_own_world_only(pool):
    seen = document(run(pool, "surroundings"))

    assert seen["modules"] == []
    assert seen["environment"]["STAGE"] == "test"
    assert seen["environment"]["PATH"] == "/usr/local/bin:/usr/bin:/bin"
    assert seen["environment"]["AWS_SESSION_TOKEN"] == "token"
    assert seen["environment"]["AWS_REGION"] == "eu-west-1"
    assert "IMGPIPE_SECRET_OF_THE_HOST" not in seen["environment"]
    assert not [entry for entry in seen["path"] if Path(entry).name == "local"]


@pytest.mark.parametrize(
    ("handler", "kind", "message"),
    [
        ("fail", "ValueError", "no such image"),
        ("missing", "Runtime.HandlerNotFound", "Handler 'missing' missing"),
        ("set_of", "Runtime.MarshalError", "set"),
        ("leave", "Runtime.ExitError", "exit status 3"),
    ],
)
def test_errors_have_lambdas_own_names(pool, handler: str, kind: str, message: str):
    outcome = run(pool, handler)

    assert outcome.is_error
    assert document(outcome)["errorType"] == kind
    assert message in document(outcome)["errorMessage"]


def test_a_module_that_the_package_forgot_is_named(pool):
    outcome = run(pool, "answer", code="import PIL")

    assert document(outcome)["errorType"] == "Runtime.ImportModuleError"
    assert "No module named 'PIL'" in document(outcome)["errorMessage"]


def test_a_function_is_stopped_at_its_time_limit(pool):
    outcome = run(pool, "sleep", timeout=1)

    assert document(outcome) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: request-1 Error: Task timed out after 1.00 seconds",
    }


def test_a_function_is_stopped_at_its_memory_limit(pool):
    outcome = run(pool, "swallow")

    assert document(outcome)["errorType"] == "Runtime.OutOfMemory"
    assert outcome.peak_mb > 160
