"""One upload, from its event to its final status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from . import failures, records
from .events import Upload
from .failures import ImageRejectedError
from .faults import category_of, detail_of
from .imaging import ProcessedImage, Thumbnail, make_thumbnails
from .records import FAILED, PROCESSED, PROCESSING, Records, Stored
from .settings import FIRST_FOLDER, METADATA, Settings
from .storage import About, look_at_source, open_source, refuse_too_large, write_thumbnail
from .users import user_of_key, user_of_metadata

DUPLICATE = "duplicate"  # another delivery brought the image to its end, or a later upload of it will
RETRY = "retry"  # the image has no final status yet
LEFT = "left"  # not begun, because the invocation's time was about to end
POSTPONED = "postponed"  # begun by a delivery that never ended it, so that the others go first

# Final, and yet there may be something to put right: a policy, or this code.
TOLD_IN_DETAIL = frozenset({failures.FORBIDDEN, failures.INTERNAL})


class Outcome(NamedTuple):
    """How the work on one upload ended.

    Args:
        status: `processed`, `failed`, `duplicate`, `retry`, `left` or `postponed`.
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


class Processor(NamedTuple):
    """What the work is done with; made once, at cold start.

    Args:
        clock: tells the time, with its zone.
        new_id: another text each time it is called.
    """

    settings: Settings
    s3: Any
    dynamodb: Any
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def process(self, upload: Upload, *, postpone: bool) -> Outcome:
        """Bring one upload to its final status; whatever goes wrong is an outcome, so that the next gets its turn.

        With `postpone`, what an earlier delivery has begun and not ended is left alone: it may have killed that one.
        """
        started = self.clock()
        try:
            outcome = self._process(upload, postpone=postpone)
        except Exception as error:  # noqa: BLE001  one record must not stop the others; the handler raises afterwards
            outcome = Outcome(RETRY, category=category_of(error), message=type(error).__name__, detail=detail_of(error))
        return outcome._replace(duration_ms=(self.clock() - started).total_seconds() * 1000)

    def _process(self, upload: Upload, *, postpone: bool) -> Outcome:
        table = Records(self.dynamodb, self.settings.metadata_table, self.settings.index_shards)
        user_id = self._user_of_key(upload)
        if not table.begin(upload, user_id):
            status = table.status(upload.image_id)
            if postpone and status == PROCESSING:
                return Outcome(POSTPONED)
            if status not in {None, PROCESSING, FAILED} or not table.begin_again(upload, user_id):
                return Outcome(DUPLICATE)
        outcome, attributes = self._work(upload, user_id)
        finished = table.finish(upload, outcome.status, attributes, attempt_id=self.new_id(), at=self.clock())
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
            about = about._replace(size=len(data))
            picture = self._picture(data)
        except ImageRejectedError as rejected:
            return _failed(rejected, about, user_id)
        except MemoryError:
            # Final: the same bytes take the same memory the next time.
            message = "the image takes more memory than the function has"
            return _failed(ImageRejectedError(failures.TOO_LARGE, message), about, user_id)
        stored = self._store(upload, picture.thumbnails)
        thumbnail_bytes = sum(len(thumbnail.data) for thumbnail in picture.thumbnails) if stored else None
        outcome = Outcome(
            PROCESSED, source_bytes=about.size, thumbnail_bytes=thumbnail_bytes, image_format=picture.format
        )
        return outcome, records.processed_attributes(picture, about, user_id, stored)

    def _picture(self, data: bytes) -> ProcessedImage:
        """Make the thumbnails; what fails here is decided by the bytes alone, so that trying again is of no use.

        Raises:
            ImageRejectedError: also for a defect of ours, which has the category `internal`.
        """
        try:
            return make_thumbnails(data, self.settings.recipe, self.settings.limits)
        except (ImageRejectedError, MemoryError):
            raise
        except Exception as error:
            message = f"the image made the function fail: {type(error).__name__}"
            raise ImageRejectedError(failures.INTERNAL, message) from error

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


def _failed(
    rejected: ImageRejectedError, about: About, user_id: str | None
) -> tuple[Outcome, dict[str, records.Value]]:
    cause = rejected.__cause__ if rejected.category in TOLD_IN_DETAIL else None
    outcome = Outcome(
        FAILED,
        source_bytes=about.size,
        category=rejected.category,
        message=rejected.message,
        detail=detail_of(cause) if cause is not None else None,
    )
    return outcome, records.failed_attributes(rejected, about, user_id)


def thumbnail_key(prefix: str, image_id: str, size_px: int, thumbnail: Thumbnail) -> str:
    """The key of a thumbnail: made of the image's id, never of the source's key."""
    return f"{prefix}{image_id}/{size_px}.{thumbnail.extension}"
