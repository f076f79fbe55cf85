"""AWS Lambda's Runtime API, served on loopback to one function process.

Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes", read 2026-11.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_INIT_ERROR = "/2018-06-01/runtime/init/error"


@dataclass(frozen=True)
class Invocation:
    """One event on its way to the function.

    Attributes:
        deadline_ms: Unix time in milliseconds at which the function is stopped.
    """

    request_id: str
    payload: bytes
    deadline_ms: int
    function_arn: str
    trace_id: str = ""


@dataclass(frozen=True)
class Answer:
    """What the function posted back: its result, or an error document."""

    body: bytes
    is_error: bool


class RuntimeApi:
    """Hands one invocation at a time to the process that polls it, and takes its answers."""

    def __init__(self) -> None:
        self.asked = threading.Event()  # set once the process asks for work or reports that it cannot start
        self.init_error: bytes | None = None
        self._pending: queue.Queue[Invocation | None] = queue.Queue()
        self._answers: queue.Queue[Answer] = queue.Queue()
        self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port, as the function process expects them in AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def submit(self, invocation: Invocation) -> None:
        """Give the process its next event."""
        self._pending.put(invocation)

    def answer(self, timeout_seconds: float) -> Answer | None:
        """The next answer, or None if there was none in time."""
        try:
            return self._answers.get(timeout=timeout_seconds)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Let a waiting process go and stop listening."""
        self._pending.put(None)
        self._server.shutdown()
        self._server.server_close()

    def next_invocation(self) -> Invocation | None:
        """Block until there is an event for the process; None when the environment is closing."""
        self.asked.set()
        return self._pending.get()

    def take(self, path: str, body: bytes) -> None:
        """Keep what the process posted."""
        if path == _INIT_ERROR:
            self.init_error = body
            self.asked.set()
        else:
            self._answers.put(Answer(body, is_error=path.endswith("/error")))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, api: RuntimeApi) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api = api


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Stay silent: every invocation would print a line."""

    def do_GET(self) -> None:
        invocation = self.server.api.next_invocation()
        if invocation is None:
            self._reply(410, b"")
            return
        self._reply(
            200,
            invocation.payload,
            {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
                "Lambda-Runtime-Trace-Id": invocation.trace_id,
            },
        )

    def do_POST(self) -> None:
        body = self._chunks() if "chunked" in self.headers.get("Transfer-Encoding", "") else self._plain()
        self._reply(202, b'{"status":"OK"}\n')
        self.server.api.take(self.path, body)

    def _plain(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> bytes:
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(body)

    def _reply(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        try:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
        except OSError:  # the process was killed while it waited
            self.close_connection = True
