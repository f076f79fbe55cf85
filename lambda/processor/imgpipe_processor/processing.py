"""One upload, from its event to its final status."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from . import failures, records
from .aws import is_transient
from .events import Upload
from .failures import ImageRejectedError
from .imaging import Thumbnail, make_picture
from .records import FAILED, PROCESSED, Records
from .settings import Settings
from .storage import UNKNOWN_CONTENT_TYPE, read_source, too_large, write_thumbnail

DUPLICATE = "duplicate"  # another delivery brought the image to its end
RETRY = "retry"  # the image has no final status yet


@dataclass(frozen=True)
class Outcome:
    """How the work on one upload ended.

    Args:
        status: `processed`, `failed`, `duplicate` or `retry`.
        detail: for whoever reads the log of a fault: the error with its place in the code.
    """

    status: str
    duration_ms: float = 0.0
    source_bytes: int | None = None
    thumbnail_bytes: int | None = None
    category: str | None = None
    message: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Processor:
    """What the work is done with; made once, at cold start.

    Args:
        clock: tells the time, with its zone.
    """

    settings: Settings
    s3: Any
    dynamodb: Any
    clock: Callable[[], datetime]

    def process(self, upload: Upload) -> Outcome:
        """Bring one upload to its final status; whatever goes wrong is an outcome, so that the next gets its turn."""
        started = self.clock()
        try:
            outcome = self._process(upload)
        except Exception as error:  # noqa: BLE001  one record must not stop the others; the handler raises afterwards
            category = failures.TRANSIENT if is_transient(error) else failures.INTERNAL
            outcome = Outcome(
                RETRY,
                category=category,
                message=type(error).__name__,
                detail="".join(traceback.format_exception(error)),
            )
        return replace(outcome, duration_ms=(self.clock() - started).total_seconds() * 1000)

    def _process(self, upload: Upload) -> Outcome:
        table = Records(self.dynamodb, self.settings.metadata_table, self.settings.index_shards)
        if table.is_final(upload.image_id) or not table.begin(upload):
            return Outcome(DUPLICATE)
        outcome, attributes = self._work(upload)
        finished = table.finish(upload, outcome.status, attributes, at=self.clock())
        return outcome if finished else Outcome(DUPLICATE)

    def _work(self, upload: Upload) -> tuple[Outcome, dict[str, records.Value]]:
        """Make and store the thumbnail: the outcome, and what is to be recorded of it."""
        settings = self.settings
        content_type = UNKNOWN_CONTENT_TYPE
        source_bytes = upload.size
        try:
            if upload.size is not None and upload.size > settings.max_source_bytes:
                raise too_large(settings.max_source_bytes)
            source = read_source(self.s3, upload, max_bytes=settings.max_source_bytes)
            content_type, source_bytes = source.content_type, len(source.data)
            picture = make_picture(
                source.data, size_px=settings.thumbnail_size_px, max_pixels=settings.max_source_pixels
            )
        except ImageRejectedError as rejected:
            outcome = Outcome(FAILED, source_bytes=source_bytes, category=rejected.category, message=rejected.message)
            return outcome, records.failed_attributes(rejected, content_type=content_type)
        thumbnail = picture.thumbnail
        key = thumbnail_key(upload.image_id, settings.thumbnail_size_px, thumbnail)
        write_thumbnail(
            self.s3,
            bucket=settings.thumbnail_bucket,
            key=key,
            data=thumbnail.data,
            content_type=thumbnail.content_type,
        )
        attributes = records.processed_attributes(
            picture,
            file_size=len(source.data),
            content_type=content_type,
            bucket=settings.thumbnail_bucket,
            key=key,
        )
        outcome = Outcome(PROCESSED, source_bytes=source_bytes, thumbnail_bytes=len(thumbnail.data))
        return outcome, attributes


def thumbnail_key(image_id: str, size_px: int, thumbnail: Thumbnail) -> str:
    """The key of a thumbnail: made of the image's id, never of the source's key."""
    return f"thumbnails/{image_id}/{size_px}.{thumbnail.extension}"
