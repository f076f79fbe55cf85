"""The Lambda handler, and what it works with: made at cold start and kept for every later event."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from .aws import Clients
from .imaging import limit_memory, prepare
from .invocation import handle
from .processing import Processor
from .reports import Reporter
from .settings import Settings


def _workers() -> tuple[Processor, Reporter | None]:
    settings, clients = Settings.from_environment(), Clients()
    prepare(settings.recipe, settings.limits)
    processor = Processor(
        settings,
        clients.s3(),
        clients.dynamodb(),
        clock=lambda: datetime.now(UTC),
        new_id=lambda: str(uuid.uuid4()),
    )
    reporter = None
    if settings.reports is not None:
        reporter = Reporter(clients.sns(), settings.reports.topic_arn, settings.reports.occasion)
    limit_memory(settings.limits.memory_bytes)  # at last: what is here by now is part of it
    return processor, reporter


PROCESSOR, REPORTER = _workers()


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer with the messages to deliver again, for SQS, or how many records ended in which way."""
    return handle(
        event,
        PROCESSOR,
        REPORTER,
        request_id=context.aws_request_id,
        remaining_ms=context.get_remaining_time_in_millis,
    )
