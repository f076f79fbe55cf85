"""The engine's life: what it needs, and that nothing of it stays."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from imgpipe_templates.errors import LocalEngineError
from imgpipe_templates.local.engine import running_engine
from imgpipe_templates.local.scratch import new_scratch
from tests.engine import RUNTIME, client, runtime, until, zipped

# Starts an engine with a warm function in it, says so, and waits for what comes.
PROGRAM = """
import json, sys, time
from tests.engine import RUNTIME, client, runtime, zipped
from tests.local.test_local_engine import busy_function
from imgpipe_templates.local.engine import running_engine

with running_engine({RUNTIME: runtime()}) as engine:
    busy_function(engine)
    print(json.dumps([engine.pid, str(engine.folder)]), flush=True)
    time.sleep(60)
"""


def busy_function(engine: Any) -> None:
    """Leave a function running in the engine."""
    role = {"RoleName": "busy", "AssumeRolePolicyDocument": "{}"}
    arn = client(engine, "iam").create_role(**role)["Role"]["Arn"]
    code = "import time\ndef run(event, context):\n    if event: time.sleep(60)"
    functions = client(engine, "lambda")
    package = {"ZipFile": zipped(index=code)}
    functions.create_function(
        FunctionName="busy", Runtime=RUNTIME, Role=arn, Handler="index.run", Code=package, Timeout=60
    )
    functions.invoke(FunctionName="busy", Payload=b"null")
    functions.invoke(FunctionName="busy", Payload=b"1", InvocationType="Event")


def group(pid: int) -> list[int]:
    """Living processes of a process group."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _parent, leader = (entry / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[:3]
            except OSError:
                continue
            if int(leader) == pid and state != "Z":
                found.append(int(entry.name))
    return found


@pytest.mark.line("004-27")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_no_process_and_no_folder_is_left(how: signal.Signals, repository: Path):
    runtime()
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=repository,
        env=os.environ | {"PYTHONPATH": str(repository)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with program:
        assert program.stdout is not None
        started = program.stdout.readline()
        assert started.startswith("[")
        engine, folder = int(started[1:].split(",")[0]), Path(started.split('"')[1])
        assert len(group(engine)) > 1
        assert folder.is_dir()

        program.send_signal(how)
        program.wait(timeout=20)

    until(lambda: not group(engine))
    until(lambda: not folder.exists() and not folder.with_suffix(".lock").exists())


@pytest.mark.line("004-27")
def test_the_folder_of_a_dead_run_is_swept_and_that_of_a_living_one_stays(tmp_path: Path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(tmp_path))
        dead = tmp_path / "imgpipe-local-dead"
        dead.mkdir()
        (dead / "tmp").mkdir()
        dead.with_suffix(".lock").touch()
        with running_engine({RUNTIME: runtime()}) as first:
            assert not dead.exists()
            with running_engine({RUNTIME: runtime()}) as second:
                assert first.folder.is_dir()
                assert first.folder != second.folder
        assert list(tmp_path.iterdir()) == []


def test_a_folder_that_could_not_be_removed_is_swept_by_a_later_run(tmp_path: Path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(tmp_path))
        elsewhere, dead = tmp_path / "elsewhere", tmp_path / "imgpipe-local-dead"
        elsewhere.mkdir()
        dead.symlink_to(elsewhere)  # which rmtree refuses, as it fails where a dying function still writes
        (tmp_path / "imgpipe-local-dead.lock").touch()
        new_scratch().remove()
        assert dead.exists()

        dead.unlink()
        elsewhere.rename(dead)
        new_scratch().remove()
        assert list(tmp_path.iterdir()) == []


def test_the_engine_listens_on_loopback_only(engine):
    port = int(engine.endpoint_url.rsplit(":", 1)[1])
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)} - {"127.0.0.1"}

    for address in others:
        with socket.socket() as attempt:
            assert attempt.connect_ex((address, port)) != 0 or address.startswith("127.")


def test_an_engine_that_ends_unexpectedly_is_told():
    def use() -> None:
        with running_engine({RUNTIME: runtime()}) as engine:
            os.kill(engine.pid, signal.SIGKILL)
            until(lambda: not group(engine.pid))
            engine.deliveries()

    with pytest.raises(LocalEngineError, match="local engine: ended unexpectedly; it said: "):
        use()
