"""The Lambda handler, and what it works with: made at cold start and kept for every later event."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .aws import create_clients
from .invocation import handle
from .processing import Processor
from .settings import Settings


def _processor() -> Processor:
    settings = Settings.from_environment()
    s3, dynamodb = create_clients()
    return Processor(settings, s3, dynamodb, clock=lambda: datetime.now(UTC))


PROCESSOR = _processor()


def lambda_handler(event: Any, context: Any) -> dict[str, int]:
    """Answer with how many records of the event were processed, failed, duplicate or ignored."""
    return handle(event, PROCESSOR, request_id=context.aws_request_id)
