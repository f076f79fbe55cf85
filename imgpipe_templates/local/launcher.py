"""The engine process: `python -m imgpipe_templates.local.launcher`, started by engine.py and by nothing else.

It lives as long as its standard input: when the process that started it ends, however that happens, the pipe closes
and the engine removes its function processes and its temporary folder.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from imgpipe_templates.errors import LocalEngineError
from imgpipe_templates.local import seams
from imgpipe_templates.local.calls import CallLog
from imgpipe_templates.local.deliveries import Journal
from imgpipe_templates.local.environment import Runtime
from imgpipe_templates.local.pool import EnvironmentPool
from imgpipe_templates.local.scratch import remove_folder
from imgpipe_templates.local.settings import RECORDS, SETTINGS_VARIABLE, EngineSettings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


def main() -> int:
    """Serve until standard input closes or SIGTERM comes."""
    settings = EngineSettings.from_json(os.environ[SETTINGS_VARIABLE])
    try:
        seams.check_seams()
    except LocalEngineError as error:
        print(error, file=sys.stderr)
        return 1
    runtimes = {name: Runtime(Path(python), Path(folder)) for name, (python, folder) in settings.runtimes.items()}
    pool = EnvironmentPool(runtimes, endpoint_url=settings.endpoint_url, limit=settings.environments)
    journal = Journal()
    calls = CallLog()
    client = functools.partial(_client, settings.endpoint_url)
    seams.install(pool, client, seams.Records(journal, calls), settings.retry_base_seconds)

    def stop() -> None:
        pool.close()
        remove_folder(Path(settings.folder))
        os._exit(0)  # nothing else is worth waiting for: open connections, threads of waiting retries

    def await_end_of_input() -> None:
        sys.stdin.buffer.read()
        stop()

    def await_sigterm() -> None:
        signal.sigwait({signal.SIGTERM})
        stop()

    # Blocked, the signal reaches sigwait and not the engine, which would wait for open connections.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=await_end_of_input, daemon=True).start()
    threading.Thread(target=await_sigterm, daemon=True).start()
    threading.Thread(target=importlib.import_module, args=("boto3",), daemon=True).start()  # while others prepare
    engine: Any = importlib.import_module("ministack.app")
    engine.app = _outer(engine.app, {f"{RECORDS}/deliveries": journal.as_json, f"{RECORDS}/calls": calls.as_json})
    engine.main()
    return 0


@functools.cache
def _session() -> Any:
    return importlib.import_module("boto3").Session(region_name=os.environ["MINISTACK_REGION"])


def _client(endpoint_url: str, service: str, credentials: Mapping[str, str] | None = None) -> Any:
    """A boto3 client of this engine in the account and Region that are being worked for.

    As root, or with the credentials given as environment variables name them.
    """
    scope = importlib.import_module("ministack.core.responses")
    given = credentials or {"AWS_ACCESS_KEY_ID": scope.get_account_id(), "AWS_SECRET_ACCESS_KEY": "test"}
    keys = {name.lower(): value for name, value in given.items()}
    return _session().client(service, endpoint_url=endpoint_url, region_name=scope.get_region(), **keys)


def _outer(app: App, records: Mapping[str, Callable[[], bytes]]) -> App:
    """What runs around the engine: its records by their paths, and every hop marked as TLS.

    Requests stay on the loopback interface, where a certificate would protect nothing; with the mark the usual
    aws:SecureTransport policies can be evaluated all the same.
    """

    async def serve(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in records:
            body = records[scope["path"]]()
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        if scope["type"] == "http":
            kept = [header for header in scope["headers"] if header[0] != b"x-forwarded-proto"]
            scope = {**scope, "headers": [*kept, (b"x-forwarded-proto", b"https")]}
        await app(scope, receive, send)

    return serve


if __name__ == "__main__":
    raise SystemExit(main())
