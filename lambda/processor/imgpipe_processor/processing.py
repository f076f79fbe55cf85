"""One upload, from its event to its final status."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from . import failures, records
from .aws import is_transient
from .events import Upload
from .failures import ImageRejectedError
from .imaging import Thumbnail, make_picture
from .records import FAILED, PROCESSED, Records, Stored
from .settings import FIRST_FOLDER, METADATA, Settings
from .storage import About, look_at_source, open_source, refuse_too_large, write_thumbnail
from .users import user_of_key, user_of_metadata

DUPLICATE = "duplicate"  # another delivery brought the image to its end
RETRY = "retry"  # the image has no final status yet
LEFT = "left"  # not begun, because the invocation's time was about to end


@dataclass(frozen=True)
class Outcome:
    """How the work on one upload ended.

    Args:
        status: `processed`, `failed`, `duplicate`, `retry` or `left`.
        thumbnail_bytes: of all sizes together; None where none was made.
        detail: for whoever reads the log of a fault: the error with its place in the code.
    """

    status: str
    duration_ms: float = 0.0
    source_bytes: int | None = None
    thumbnail_bytes: int | None = None
    image_format: str | None = None
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
        user_id = self._user_of_key(upload)
        if table.is_final(upload.image_id) or not table.begin(upload, user_id):
            return Outcome(DUPLICATE)
        outcome, attributes = self._work(upload, user_id)
        finished = table.finish(upload, outcome.status, attributes, at=self.clock())
        return outcome if finished else Outcome(DUPLICATE)

    def _work(self, upload: Upload, user_id: str | None) -> tuple[Outcome, dict[str, records.Value]]:
        """Look at the image, make and store its thumbnails: the outcome, and what is to be recorded of it."""
        settings = self.settings
        about = About(upload.size)
        try:
            if settings.thumbnails is None:
                about = look_at_source(self.s3, upload)
                user_id = self._user_of_metadata(about, user_id)
            refuse_too_large(about.size, settings.max_source_bytes)
            source = open_source(self.s3, upload)
            about = source.about
            user_id = self._user_of_metadata(about, user_id)
            data = source.read(max_bytes=settings.max_source_bytes)
            about = replace(about, size=len(data))
            picture = make_picture(data, settings.recipe, settings.limits)
        except ImageRejectedError as rejected:
            outcome = Outcome(FAILED, source_bytes=about.size, category=rejected.category, message=rejected.message)
            return outcome, records.failed_attributes(rejected, about, user_id)
        stored = self._store(upload, picture.thumbnails)
        thumbnail_bytes = sum(len(thumbnail.data) for thumbnail in picture.thumbnails) if stored else None
        outcome = Outcome(
            PROCESSED, source_bytes=about.size, thumbnail_bytes=thumbnail_bytes, image_format=picture.format
        )
        return outcome, records.processed_attributes(picture, about, user_id, stored)

    def _store(self, upload: Upload, made: Sequence[Thumbnail]) -> list[Stored]:
        to = self.settings.thumbnails
        if to is None:
            return []
        stored = [
            Stored(to.bucket, thumbnail_key(to.prefix, upload.image_id, size_px, thumbnail), thumbnail)
            for size_px, thumbnail in zip(to.sizes_px, made, strict=True)
        ]
        for each in stored:
            write_thumbnail(
                self.s3,
                bucket=each.bucket,
                key=each.key,
                data=each.thumbnail.data,
                content_type=each.thumbnail.content_type,
            )
        return stored

    def _user_of_key(self, upload: Upload) -> str | None:
        if self.settings.user_id_from != FIRST_FOLDER:
            return None
        return user_of_key(upload.key, self.settings.upload_prefix)

    def _user_of_metadata(self, about: About, known: str | None) -> str | None:
        return user_of_metadata(about.metadata) if self.settings.user_id_from == METADATA else known


def thumbnail_key(prefix: str, image_id: str, size_px: int, thumbnail: Thumbnail) -> str:
    """The key of a thumbnail: made of the image's id, never of the source's key."""
    return f"{prefix}{image_id}/{size_px}.{thumbnail.extension}"
