"""One execution environment of one function: AWS's runtime interface client in a process with a scrubbed environment.

Real: the deployed package and variables, the role's credentials, time limit, memory limit, error documents.
Not real: isolation. The file system and the network are the machine's own, and no share of a CPU is taken away.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from imgpipe_templates.local.runtime_api import Invocation, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Mapping

_POLL_SECONDS = 0.02
_MIN_INIT_SECONDS = 10  # Lambda Developer Guide, "Lambda execution environment lifecycle", "Init phase", read 2026-11
_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")

# PDEATHSIG follows the thread that forked, not the process: so every function process is started by one thread
# that lives as long as the engine.
_spawner = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="function-spawner")


@dataclass(frozen=True)
class Function:
    """What the engine knows about a deployed function.

    Attributes:
        log_level: `LoggingConfig.ApplicationLogLevel`, empty when the template leaves it out.
        variables: The deployed environment variables.
        credentials: AWS_ACCESS_KEY_ID and so on, of a session of the function's role.
    """

    name: str
    arn: str
    version: str
    runtime: str
    handler: str
    timeout_seconds: int
    memory_mb: int
    log_group: str
    log_format: str
    log_level: str
    variables: Mapping[str, str]
    credentials: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Runtime:
    """What stands in for /var/lang and /var/runtime: an interpreter, and a folder with AWS's client and boto3."""

    interpreter: Path
    folder: Path


@dataclass(frozen=True)
class Outcome:
    """One finished invocation.

    Attributes:
        body: The function's result as JSON, or an error document with errorType and errorMessage.
        log: What Lambda would write to the log group, START, END and REPORT lines included.
    """

    body: bytes
    is_error: bool
    log: str
    duration_ms: float
    peak_mb: int


class ExecutionEnvironment:
    """A function process: cold on first use, warm afterwards, one invocation at a time."""

    def __init__(self, function: Function, runtime: Runtime, *, task: Path, opt: Path, endpoint_url: str) -> None:
        self._function = function
        self._api = RuntimeApi()
        self._tmp = Path(tempfile.mkdtemp(prefix="environment-"))
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process that writes to it
        self._peak_mb = 0
        self._started = time.monotonic()
        command: list[str | Path] = [runtime.interpreter, "-S", _BOOTSTRAP, str(os.getpid()), function.handler]
        variables = self._variables(runtime, task, opt, endpoint_url)
        self._process = _spawner.submit(self._start, command, task, variables).result()

    def _start(self, command: list[str | Path], task: Path, variables: dict[str, str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - the interpreter is a Python of this machine, the rest is ours
            command, cwd=task, env=variables, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )

    def _variables(self, runtime: Runtime, task: Path, opt: Path, endpoint_url: str) -> dict[str, str]:
        function = self._function
        region = function.arn.split(":")[3]
        layers = (opt / "python", opt / "python" / "lib" / function.runtime / "site-packages")
        stream = time.strftime("%Y/%m/%d/[", time.gmtime()) + f"{function.version}]{uuid.uuid4().hex}"
        variables = dict(function.variables) | {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "HOME": str(self._tmp),
            "TMPDIR": str(self._tmp),
            "PYTHONPATH": os.pathsep.join(map(str, (task, *layers, runtime.folder))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAMBDA_TASK_ROOT": str(task),
            "LAMBDA_RUNTIME_DIR": str(runtime.folder),
            "_HANDLER": function.handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "AWS_LAMBDA_LOG_FORMAT": function.log_format,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": endpoint_url,
            **function.credentials,
        }
        if function.log_level:
            variables["AWS_LAMBDA_LOG_LEVEL"] = function.log_level
        return variables

    @property
    def is_alive(self) -> bool:
        """Whether the process can take another invocation."""
        return self._process.poll() is None and self._api.init_error is None

    def invoke(self, payload: bytes, request_id: str) -> Outcome:
        """Run the function once. An environment that failed to answer is closed."""
        run = _Run(self._function, request_id, log_start=self._log_size() if self._api.asked.is_set() else 0)
        if not self._api.asked.is_set():
            run.is_cold = True
            if failure := self._await_init(request_id):
                return self._fail(run, failure)
            run.init_seconds = time.monotonic() - self._started
            if self._api.init_error is not None:
                return self._fail(run, self._api.init_error)
        run.started = time.monotonic()
        limit = self._function.timeout_seconds
        self._api.submit(Invocation(request_id, payload, int((time.time() + limit) * 1000), self._function.arn))
        while (answer := self._api.answer(_POLL_SECONDS)) is None:
            if failure := self._broken(request_id, run.started + limit):
                return self._fail(run, failure)
        self._watch_memory()
        return self._outcome(run, answer.body, is_error=answer.is_error)

    def close(self) -> None:
        """Kill the process and drop what it wrote."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._api.close()
        self._log.close()
        shutil.rmtree(self._tmp, ignore_errors=True)

    def _await_init(self, request_id: str) -> bytes | None:
        deadline = self._started + max(_MIN_INIT_SECONDS, self._function.timeout_seconds)
        while not self._api.asked.wait(_POLL_SECONDS):
            if failure := self._broken(request_id, deadline):
                return failure
        return None

    def _broken(self, request_id: str, deadline: float) -> bytes | None:
        """The error document Lambda would answer with, if the process is beyond a limit or gone."""
        said = f"RequestId: {request_id} Error: "
        if self._watch_memory() > self._function.memory_mb:
            return _error("Runtime.OutOfMemory", f"{said}Runtime exited with error: signal: killed")
        if (status := self._process.poll()) is not None:
            return _error("Runtime.ExitError", f"{said}Runtime exited with error: exit status {status}")
        if time.monotonic() > deadline:
            return _error("Sandbox.Timedout", f"{said}Task timed out after {self._function.timeout_seconds}.00 seconds")
        return None

    def _watch_memory(self) -> int:
        """Peak resident memory of the process so far, in MB (0 where /proc does not tell)."""
        if sys.platform.startswith("linux"):
            try:
                status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
            except OSError:
                return self._peak_mb
            peak = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0 kB")
            self._peak_mb = max(self._peak_mb, int(peak.split()[1]) // 1024)
        return self._peak_mb

    def _log_size(self) -> int:
        return os.fstat(self._log.fileno()).st_size

    def _fail(self, run: _Run, document: bytes) -> Outcome:
        outcome = self._outcome(run, document, is_error=True)
        self.close()
        return outcome

    def _outcome(self, run: _Run, body: bytes, *, is_error: bool) -> Outcome:
        size = self._log_size() - run.log_start
        text = os.pread(self._log.fileno(), size, run.log_start).decode("utf-8", "replace")
        duration_ms = (time.monotonic() - run.started) * 1000
        return Outcome(body, is_error, run.log(text, duration_ms, self._peak_mb), duration_ms, self._peak_mb)


@dataclass
class _Run:
    function: Function
    request_id: str
    log_start: int
    is_cold: bool = False
    init_seconds: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def log(self, text: str, duration_ms: float, peak_mb: int) -> str:
        report = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {duration_ms:.2f} ms",
            f"Billed Duration: {int(duration_ms) + 1} ms",
            f"Memory Size: {self.function.memory_mb} MB",
            f"Max Memory Used: {peak_mb} MB",
        ]
        if self.is_cold:
            report.append(f"Init Duration: {self.init_seconds * 1000:.2f} ms")
        if text and not text.endswith("\n"):
            text += "\n"
        return (
            f"START RequestId: {self.request_id} Version: {self.function.version}\n"
            f"{text}END RequestId: {self.request_id}\n" + "\t".join(report) + "\n"
        )


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()
