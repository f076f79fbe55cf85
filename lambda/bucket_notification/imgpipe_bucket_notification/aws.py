"""The clients of the helper, and how long each of its errors is worth waiting for."""

from __future__ import annotations

import math
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.session import get_session

# One attempt for each call: how often to try again, and for how long, is decided in one place (bucket.py), which knows
# how much time the function has left. So no call lasts much longer than these two together.
CLIENT_CONFIG = Config(
    connect_timeout=3,  # seconds
    read_timeout=10,  # seconds without a byte
    retries={"mode": "standard", "total_max_attempts": 1},
)

# S3's text for a destination that does not exist, or does not let S3 in. A permission that was just added takes a
# while to be seen ("Unable to validate", aws/aws-cdk issue 18090 and zappa/Zappa pull request 1441, read 2026-11).
UNVALIDATED = "Unable to validate the following destination configurations"

# A matter of time with an HTTP status of 4xx ("Error responses", Amazon S3 API Reference, read 2026-11).
# OperationAborted is the answer to two changes of one bucket at once (aws/aws-cdk issues 16811, 23656 and 27600).
TRANSIENT_CODES = frozenset(
    {
        "ExpiredToken",
        "OperationAborted",
        "RequestLimitExceeded",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "Throttling",
        "ThrottlingException",
        "TooManyUpdates",  # "PutParameter", AWS Systems Manager API Reference, read 2026-12
    }
)
GONE_CODES = frozenset({"404", "NoSuchBucket"})
# Final as a rule, but not in the first seconds: a new role's policy and a new bucket are not known everywhere at once.
YOUNG_CODES = GONE_CODES | {"403", "AccessDenied", "AccessDeniedException"}
YOUNG_SECONDS = 20.0

NO_ANSWER = (HTTPClientError, NoConnectionError)  # the service was not reached, or did not finish its answer

CONFLICT = 409
TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500


def create_client(service: str) -> Any:
    """Make a client; botocore alone, because boto3 adds only import time here."""
    return get_session().create_client(service, config=CLIENT_CONFIG)


def error_code(error: ClientError) -> str:
    """The service's own name for the error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_gone(error: Exception) -> bool:
    """Whether the error says that there is no such bucket."""
    return isinstance(error, ClientError) and error_code(error) in GONE_CODES


def seconds_worth_waiting(error: Exception) -> float:
    """How long the same call may still be expected to succeed: 0 for never, infinite as long as there is time."""
    if not isinstance(error, ClientError):
        return math.inf if isinstance(error, NO_ANSWER) else 0.0
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    message = str(error.response.get("Error", {}).get("Message", ""))
    if (
        status in (CONFLICT, TOO_MANY_REQUESTS)
        or status >= SERVER_ERROR
        or error_code(error) in TRANSIENT_CODES
        or message.startswith(UNVALIDATED)
    ):
        return math.inf
    return YOUNG_SECONDS if error_code(error) in YOUNG_CODES else 0.0


def describe(error: Exception) -> str:
    """The error in one line; S3 names the destinations that it could not validate in arguments of their own."""
    if not isinstance(error, ClientError):
        return f"{type(error).__name__}: {error}"
    answer = error.response.get("Error", {})
    arguments = [str(value) for name, value in sorted(answer.items()) if name.startswith("Argument")]
    text = f"{error.operation_name}: {error_code(error)}: {answer.get('Message', '')}"
    return f"{text} ({', '.join(arguments)})" if arguments else text
