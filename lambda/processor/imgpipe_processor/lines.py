"""The log line of one record, which carries its metrics as well."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from . import metrics
from .events import Upload
from .processing import DUPLICATE, LEFT, Outcome
from .records import PROCESSED
from .settings import Settings


def record_line(
    upload: Upload, outcome: Outcome, settings: Settings, *, at: datetime, request_id: str
) -> dict[str, Any]:
    """Describe how the work on one upload ended; a duplicate, or what was left, is told of and counted nowhere."""
    level = "INFO" if outcome.category is None else "ERROR"
    facts = {
        "level": "WARNING" if outcome.status == LEFT else level,
        "event": outcome.status,
        "request_id": request_id,
        "image_id": upload.image_id,
        "bucket": upload.bucket,
        "key": upload.key,
        "version_id": upload.version_id,
        "format": outcome.image_format,
        "category": outcome.category,
        "message": outcome.message,
        "detail": outcome.detail,
    }
    line = {name: value for name, value in facts.items() if value is not None}
    if outcome.status in {DUPLICATE, LEFT}:
        return line
    values: dict[str, float] = {
        metrics.PROCESSED_IMAGES if outcome.status == PROCESSED else metrics.PROCESSING_ERRORS: 1,
        metrics.PROCESSING_DURATION: round(outcome.duration_ms, 3),
    }
    if outcome.source_bytes is not None:
        values[metrics.SOURCE_BYTES] = outcome.source_bytes
    if outcome.thumbnail_bytes is not None:
        values[metrics.THUMBNAIL_BYTES] = outcome.thumbnail_bytes
    return line | metrics.embedded_metrics(
        values, environment=settings.environment, environment_suffix=settings.environment_suffix, at=at
    )
