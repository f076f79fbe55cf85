"""Imports a function's handler as Lambda does, invokes it with each event, and writes what that cost as JSON.

Run by the function's Python with `-S` and with the function's variables; arguments: the module, the file with the
events, the file to write. The last event is for looking at what is called, not for the clock.
"""

from __future__ import annotations

import http.client
import importlib
import itertools
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

# The operation of a JSON protocol in its header, of the query protocol in its body.
TARGET = re.compile(rb"^x-amz-target: *\S+\.(\w+)", re.IGNORECASE | re.MULTILINE)
ACTION = re.compile(rb"(?:^|&)Action=(\w+)")
REQUEST = re.compile(rb"^([A-Z]+) /\S* HTTP/1\.1\r\n")


class Context:
    """What these handlers ask of Lambda's context."""

    aws_request_id = "benchmark"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """A minute, always."""
        return 60_000


def listen(calls: list[str]) -> None:
    """Note every request to AWS from now on, by its operation or, where S3's have none, by its method."""
    send = http.client.HTTPConnection.send

    def noting(connection: http.client.HTTPConnection, data: Any) -> None:
        if isinstance(data, bytes):
            if request := REQUEST.match(data):
                calls.append((TARGET.search(data) or request)[1].decode())
            if action := ACTION.search(data[:1000]):
                calls[-1] = action[1].decode()
        send(connection, data)

    setattr(http.client.HTTPConnection, "send", noting)  # noqa: B010 - every client's way out; mypy knows it as fixed


def peak_mb() -> float:
    """The most memory that this process ever held, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def main(module: str, events: str, result: str) -> None:
    """Import, invoke, invoke again, and listen to the last one."""
    first, *warm, last = json.loads(Path(events).read_text(encoding="utf-8"))
    clock = time.process_time_ns
    marks = [clock()]
    handler = importlib.import_module(module).lambda_handler
    for event in (None, first, *warm):
        if event is not None:
            handler(event, Context)
        marks.append(clock())
    init_ms, first_ms, *warm_ms = ((after - before) / 1e6 for before, after in itertools.pairwise(marks))
    measured = {"init_ms": init_ms, "first_ms": first_ms, "warm_ms": warm_ms, "peak_mb": peak_mb()}
    calls: list[str] = []
    listen(calls)
    handler(last, Context)
    Path(result).write_text(json.dumps({**measured, "calls": calls}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
