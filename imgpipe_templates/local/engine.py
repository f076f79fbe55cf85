"""Starts and stops the embedded AWS engine: one process group on 127.0.0.1 that ends with the process that began it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgpipe_templates.errors import LocalEngineError
from imgpipe_templates.local.calls import Call
from imgpipe_templates.local.deliveries import Delivery, ObjectVersion
from imgpipe_templates.local.environment import Runtime
from imgpipe_templates.local.installation import check_installed
from imgpipe_templates.local.scratch import new_scratch
from imgpipe_templates.local.settings import ACCOUNT_ID, RECORDS, REGION, SETTINGS_VARIABLE, EngineSettings

_HOST = "127.0.0.1"
_START_SECONDS = 30.0
_STOP_SECONDS = 3.0
_START_ATTEMPTS = 3  # another program may take the free port between finding it and using it


@dataclass(frozen=True)
class Engine:
    """A running engine.

    Attributes:
        folder: Its temporary folder; what is put there is gone with the engine.
    """

    endpoint_url: str
    folder: Path
    pid: int

    def session(
        self,
        access_key: str = "test",
        secret_key: str = "test",  # noqa: S107 - the engine's root
        region: str = REGION,
    ) -> Any:
        """A boto3 session.

        Args:
            access_key: Without it the root of the account, whom no policy restrains; an account id is that one's root.
            secret_key: To an access key that IAM gave out.
            region: Any Region: the engine has all.
        """
        import boto3  # noqa: PLC0415 - 0.2 s that a failing start should not cost

        return boto3.Session(aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=region)

    def deliveries(self) -> list[Delivery]:
        """Every event that was on its way to a function so far.

        Raises:
            LocalEngineError: The engine has ended.
        """
        entries = self._record("deliveries")
        return [
            Delivery(**{**entry, "objects": tuple(ObjectVersion(**item) for item in entry["objects"])})
            for entry in entries
        ]

    def calls(self) -> list[Call]:
        """Every kind of call that a role has made so far.

        Raises:
            LocalEngineError: The engine has ended.
        """
        return [Call(**entry) for entry in self._record("calls")]

    def _record(self, name: str) -> Any:
        try:
            return json.loads(_get(self.endpoint_url, f"{RECORDS}/{name}"))
        except (OSError, http.client.HTTPException) as error:
            raise LocalEngineError(f"local engine: ended unexpectedly; it said: {_last_words(self.folder)}") from error


@contextlib.contextmanager
def running_engine(
    runtimes: Mapping[str, Runtime], *, environments: int | None = None, retry_base_seconds: float = 1.0
) -> Iterator[Engine]:
    """Run an engine while the context lasts; afterwards no process and no file of it is left.

    Args:
        runtimes: Lambda runtime name -> what runs it here.
        environments: Execution environments per function that work at the same time; None: two more than this machine
            has cores, at most four.
        retry_base_seconds: Wait before the first retry of an asynchronous invocation, and until a queue hands out a
            failed message again; AWS waits 60, and the queue's visibility timeout.

    Raises:
        LocalEngineError: The engine is not installed or did not start.
    """
    check_installed()
    limit = environments or min(4, (os.cpu_count() or 1) + 2)
    with terminating_cleanly():
        scratch = new_scratch()
        folder = scratch.folder
        process: subprocess.Popen[bytes] | None = None
        try:
            for attempt in range(1, _START_ATTEMPTS + 1):
                port = _free_port()
                settings = EngineSettings(
                    endpoint_url=f"http://{_HOST}:{port}",
                    folder=str(folder),
                    runtimes={name: (str(one.interpreter), str(one.folder)) for name, one in runtimes.items()},
                    environments=limit,
                    retry_base_seconds=retry_base_seconds,
                )
                process = _start(settings, port, scratch.descriptor)
                if _is_up(process, settings.endpoint_url):
                    break
                _stop(process)
                if attempt == _START_ATTEMPTS:
                    raise LocalEngineError(f"local engine: did not start; it said: {_last_words(folder)}")
            if process is not None:
                yield Engine(settings.endpoint_url, folder, process.pid)
        finally:
            if process is not None:
                _stop(process)
            scratch.remove()


@contextlib.contextmanager
def terminating_cleanly() -> Iterator[None]:
    """Let SIGTERM unwind the stack, so that what was started is stopped; only in the main thread, as Python asks."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    try:
        before = signal.signal(signal.SIGTERM, leave)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _start(settings: EngineSettings, port: int, lock: int) -> subprocess.Popen[bytes]:
    folder = Path(settings.folder)
    (folder / "tmp").mkdir(exist_ok=True)
    variables = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
        SETTINGS_VARIABLE: settings.as_json(),
        "BIND_HOST": _HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": _HOST,
        "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",  # it would listen on all interfaces
        "LAMBDA_ACCOUNT_CONCURRENCY": "1000",  # Lambda quotas, "Concurrent executions", read 2026-11
    }
    with (folder / "engine.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "imgpipe_templates.local.launcher"],
            env=variables,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            start_new_session=True,  # Ctrl-C is for us; the engine stops when we close its input
        )


def _is_up(process: subprocess.Popen[bytes], endpoint_url: str) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            _get(endpoint_url, "/_ministack/health")
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)
        else:
            return True
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the engine's process group: by its input, then by SIGTERM, then by force."""
    if process.stdin is not None:
        process.stdin.close()
    for last_call in (None, signal.SIGTERM, signal.SIGKILL):
        if last_call is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, last_call)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
            break
    with contextlib.suppress(ProcessLookupError, PermissionError):  # function processes of an engine that was killed
        os.killpg(process.pid, signal.SIGKILL)


def _get(endpoint_url: str, path: str) -> bytes:
    connection = http.client.HTTPConnection(endpoint_url.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        if response.status != http.client.OK:
            raise http.client.HTTPException(response.status)
        return body
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((_HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def _last_words(folder: Path) -> str:
    try:
        lines = (folder / "engine.log").read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        lines = []
    return " / ".join(line for line in lines[-6:] if line.strip()) or "nothing"
