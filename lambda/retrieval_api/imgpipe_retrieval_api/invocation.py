"""One request: whatever comes in, an answer goes out and one line into the log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from .api import Api
from .log import place_of, write_line
from .questions import METHOD, Listing, read_question
from .refusals import RefusedError

HEADERS = {
    "content-type": "application/json",
    "cache-control": "no-store",  # the links in it are as good as the bytes
    "x-content-type-options": "nosniff",
}


def handle(event: Any, api: Api, *, request_id: str) -> dict[str, Any]:
    """Answer an event of an HTTP API, in payload format 2.0."""
    started = api.clock()
    facts: dict[str, Any] = {"level": "INFO", "event": "answered", "request_id": request_id}
    more_headers = {}
    try:
        question = read_question(event, api.settings)
        facts |= {"question": type(question).__name__}
        facts |= {"index": question.index} if isinstance(question, Listing) else {"image_id": question.image_id}
        status, body = HTTPStatus.OK, api.answer(question)
        facts["images"] = len(body.get("images", ["one"]))
    except RefusedError as refused:
        status, body = refused.status, _error(refused.code, refused.message)
        facts |= {"event": "refused", "code": refused.code}
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            more_headers["allow"] = METHOD
    except Exception as error:  # noqa: BLE001  a caller is owed an answer, whatever went wrong
        status, body = HTTPStatus.INTERNAL_SERVER_ERROR, _error("internal", "the request failed here; try again later")
        facts |= {"level": "ERROR", "event": "failed", "error": _name_of(error), "place": place_of(error)}
    write_line(facts | {"status": status, "duration_ms": round((api.clock() - started).total_seconds() * 1000, 3)})
    return {
        "statusCode": int(status),
        "headers": HEADERS | more_headers | {"x-request-id": request_id},
        "body": json.dumps(body, separators=(",", ":")),
        "isBase64Encoded": False,
    }


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def _name_of(error: Exception) -> str:
    """The error's class and, of a service's error, its code: its text may name what nobody should read in a log."""
    response = getattr(error, "response", None)
    details = response.get("Error") if isinstance(response, Mapping) else None
    code = details.get("Code") if isinstance(details, Mapping) else None
    return f"{type(error).__name__}: {code}" if code else type(error).__name__
