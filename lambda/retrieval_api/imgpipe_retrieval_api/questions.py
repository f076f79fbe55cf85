"""What a caller asks: an event of an HTTP API (payload format 2.0), read into one of two plain questions.

Nothing in an event is trusted, and nothing behind this module knows its shape. The caller's identity is the subject
of the token that the API's JWT authorizer has checked, never a parameter.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from .refusals import RefusedError, bad_request
from .settings import STATUS_INDEX, UPLOAD_TIMESTAMP_INDEX, USER_INDEX, Settings

IMAGES = "/images"
IMAGE = "/images/{id}"
PARAMETERS = {IMAGES: frozenset({"user", "status", "limit", "next"}), IMAGE: frozenset[str]()}
PATH = re.compile(r"/?images(/(?P<id>[^/]+))?/?")
METHOD = "GET"

IMAGE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # a UUID, as the processor writes it
LIMIT = re.compile(r"[1-9][0-9]{0,5}")
STATUSES = ("processing", "processed", "failed")
# A partition key of an index has at most 2,048 bytes, and a key of S3, whose first folder names a user, 1,024
# ("Quotas in Amazon DynamoDB", "Naming Amazon S3 objects", read 2026-11).
MAX_USER_BYTES = 1024


@dataclass(frozen=True)
class OneImage:
    """GET /images/{id}.

    Args:
        owner: whose it must be; None if anybody's will do.
    """

    image_id: str
    owner: str | None = None


@dataclass(frozen=True)
class Listing:
    """GET /images: newest first, one page of at most `limit` images.

    Args:
        token: where the page starts; None for the first.
    """

    limit: int
    user: str | None = None
    status: str | None = None
    token: str | None = None

    @property
    def index(self) -> str:
        """The index that answers: of all there are, the one with the fewest images to look at."""
        if self.user is not None:
            return USER_INDEX
        return UPLOAD_TIMESTAMP_INDEX if self.status is None else STATUS_INDEX

    @property
    def fingerprint(self) -> str:
        """The same for every page of one list, and for no other list."""
        return hashlib.sha256(json.dumps([self.user, self.status]).encode()).hexdigest()[:16]


def read_question(event: Any, settings: Settings) -> OneImage | Listing:
    """Read the event.

    Raises:
        RefusedError: no question of this API, or one that this caller may not ask.
    """
    method = _within(event, "requestContext", "http", "method")
    if not isinstance(method, str):
        raise bad_request("invalid-request", "this is no request of an HTTP API")
    route, image_id = _route(event)
    if method != METHOD:
        raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", f"only {METHOD} is answered here")
    caller = _caller(event) if settings.own_images_only else None
    parameters = _parameters(event, route)
    if route == IMAGES:
        return _listing(parameters, settings, caller)
    if not (isinstance(image_id, str) and IMAGE_ID.fullmatch(image_id)):
        raise bad_request("invalid-id", "the id of an image is a UUID in lower case")
    return OneImage(image_id, caller)


def _within(event: Any, *names: str) -> Any:
    """What lies at the end of the path; None if anything on the way is missing or no object."""
    for name in names:
        if not isinstance(event, Mapping):
            return None
        event = event.get(name)
    return event


def _route(event: Any) -> tuple[str, Any]:
    """The route and, on the route of one image, its id.

    A route of the API's own names both; behind a catch-all route the path has to tell.
    """
    route = _within(event, "routeKey")
    if isinstance(route, str) and (known := route.rpartition(" ")[2]) in PARAMETERS:
        return known, _within(event, "pathParameters", "id")
    path = _within(event, "rawPath")
    if isinstance(path, str):
        # With the API's own host name, a stage that has a name is the first folder of the path.
        stage = _within(event, "requestContext", "stage")
        if isinstance(stage, str):
            path = path.removeprefix(f"/{stage}/")
        if found := PATH.fullmatch(path):
            return (IMAGES, None) if found["id"] is None else (IMAGE, found["id"])
    raise RefusedError(HTTPStatus.NOT_FOUND, "no-such-route", f"there are {METHOD} {IMAGES} and {METHOD} {IMAGE}")


def _caller(event: Any) -> str:
    subject = _within(event, "requestContext", "authorizer", "jwt", "claims", "sub")
    if not _is_user(subject):
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "unauthorized", "this needs a token that names its subject")
    return str(subject)


def _parameters(event: Any, route: str) -> Mapping[str, str]:
    parameters = _within(event, "queryStringParameters")
    if parameters is None:
        return {}
    if not (isinstance(parameters, Mapping) and all(isinstance(value, str) for value in parameters.values())):
        raise bad_request("invalid-request", "this is no request of an HTTP API")
    if not parameters.keys() <= PARAMETERS[route]:
        known = ", ".join(sorted(PARAMETERS[route])) or "no parameter"
        raise bad_request("unknown-parameter", f"this route knows {known}")
    return parameters


def _listing(parameters: Mapping[str, str], settings: Settings, caller: str | None) -> Listing:
    limit = parameters.get("limit", str(settings.max_page_size))
    if not (LIMIT.fullmatch(limit) and int(limit) <= settings.max_page_size):
        raise bad_request("invalid-limit", f"limit is a whole number; expected 1..{settings.max_page_size} images")
    status = parameters.get("status")
    if status is not None and status not in STATUSES:
        raise bad_request("invalid-status", f"status is one of {', '.join(STATUSES)}")
    user = caller if caller is not None else parameters.get("user")
    if user is not None and not _is_user(user):
        raise bad_request("invalid-user", f"user is 1..{MAX_USER_BYTES} bytes of text")
    listing = Listing(int(limit), user, status, parameters.get("next"))
    if listing.index not in settings.indexes:
        raise bad_request("no-such-index", f"this list needs {listing.index}, which the table does not have")
    return listing


def _is_user(value: Any) -> bool:
    # Half of a surrogate pair is no text that the table could hold: "replace" makes it something that is not equal.
    if not (isinstance(value, str) and value):
        return False
    encoded = value.encode(errors="replace")
    return encoded.decode() == value and len(encoded) <= MAX_USER_BYTES
