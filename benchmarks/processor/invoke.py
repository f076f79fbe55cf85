"""Import a function's handler as Lambda does, invoke it with each event, and write the costs as JSON.

Run by the function's Python with `-S` and with the function's variables. Arguments: the module, the file with the
events, the file to write. The last event records the AWS calls and is not timed.
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

# The operation is in a header of a JSON protocol, and in the body of the query protocol.
TARGET = re.compile(rb"^x-amz-target: *\S+\.(\w+)", re.IGNORECASE | re.MULTILINE)
ACTION = re.compile(rb"(?:^|&)Action=(\w+)")
REQUEST = re.compile(rb"^([A-Z]+) /\S* HTTP/1\.1\r\n")


class Context:
    """The attributes of Lambda's context that these handlers read."""

    aws_request_id = "benchmark"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return a minute."""
        return 60_000


def record_requests(calls: list[str]) -> None:
    """Record every request to AWS from now on, by its operation, or by its method for S3."""
    send = http.client.HTTPConnection.send

    def record_and_send(connection: http.client.HTTPConnection, data: Any) -> None:
        if isinstance(data, bytes):
            if request := REQUEST.match(data):
                calls.append((TARGET.search(data) or request)[1].decode())
            if action := ACTION.search(data[:1000]):
                calls[-1] = action[1].decode()
        send(connection, data)

    setattr(http.client.HTTPConnection, "send", record_and_send)  # noqa: B010 - all clients use it; mypy knows it as fixed


def peak_mb() -> float:
    """Return the peak memory of this process, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def main(module: str, events: str, result: str) -> None:
    """Import, invoke, invoke again, and record the requests of the last event."""
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
    record_requests(calls)
    handler(last, Context)
    Path(result).write_text(json.dumps({**measured, "calls": calls}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
