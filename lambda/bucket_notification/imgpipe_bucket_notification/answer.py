"""The answer to CloudFormation: what it says, and how it gets there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, urlsplit

from .errors import RequestError, ResponseError

SUCCESS = "SUCCESS"
FAILED = "FAILED"

MAX_BODY_BYTES = 4096  # "Custom resource response objects", AWS CloudFormation User Guide, read 2026-11
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
PAUSES_SECONDS = (0.5, 1.0, 2.0)  # between four attempts
TIMEOUT_SECONDS = 4.0  # for each step of an attempt
REDIRECTION = 300


def read_url(event: Any) -> SplitResult:
    """Where CloudFormation waits for the answer: HTTPS, or this very machine, where a local engine has no certificate.

    Raises:
        RequestError: there is no such place. The URL is a secret, so the text does not repeat it.
    """
    url = event.get("ResponseURL") if isinstance(event, Mapping) else None
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise RequestError("ResponseURL: is missing or unusable; expected the https URL of a request of CloudFormation")
    return parts


def make_body(event: Mapping[str, Any], status: str, physical_id: str, reason: str, *, where: str) -> bytes:
    """The answer as JSON; a reason that would make it too long is cut.

    Args:
        event: the request, however malformed; what is to be repeated of it is repeated as it is.
        status: `SUCCESS` or `FAILED`.
        physical_id: may not be empty.
        reason: why it failed.
        where: ends the reason, and is never cut.
    """
    fields = {
        "Status": status,
        "PhysicalResourceId": physical_id,
        **{name: event.get(name, "") for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    if status == FAILED:
        fields["Reason"] = f"{reason} ({where})"
    body = json.dumps(fields).encode("ascii")
    if len(body) > MAX_BODY_BYTES and reason:
        return make_body(event, status, physical_id, reason[: len(reason) * 3 // 4], where=where)
    return body


def send(url: SplitResult, body: bytes, *, seconds_left: Callable[[], float], sleep: Callable[[float], None]) -> None:
    """Put the answer where CloudFormation waits for it.

    Raises:
        ResponseError: it was not taken, though it was tried several times.
    """
    problem = ""
    for pause in (*PAUSES_SECONDS, None):
        try:
            problem = _put(url, body)
        except (OSError, HTTPException) as error:
            problem = type(error).__name__
        if not problem:
            return
        if pause is None or seconds_left() <= pause:
            break
        sleep(pause)
    raise ResponseError(f"ResponseURL: took no answer: {problem}; expected status 200")


def _put(url: SplitResult, body: bytes) -> str:
    """Send it once; return what is wrong with how it was taken, or nothing."""
    connection_to = HTTPSConnection if url.scheme == "https" else HTTPConnection
    target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    with closing(connection_to(str(url.hostname), url.port, timeout=TIMEOUT_SECONDS)) as connection:
        # The URL is signed for an empty content type: any other, such as a client library's own, is refused.
        connection.request("PUT", target, body, {"Content-Type": ""})
        status = connection.getresponse().status
    return f"status {status}" if status >= REDIRECTION else ""
