"""The Lambda handler, and what it works with: made at cold start and kept for every later request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .api import Api
from .aws import create_clients
from .invocation import handle
from .settings import Settings


def _api() -> Api:
    settings = Settings.from_environment()
    dynamodb, s3 = create_clients()
    return Api(settings, dynamodb, s3, clock=lambda: datetime.now(UTC))


API = _api()


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer a request of the HTTP API."""
    return handle(event, API, request_id=context.aws_request_id)
