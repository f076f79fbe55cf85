"""The report that tells people how the images of an event ended: one SNS message, never more."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from .events import Upload
from .faults import detail_of
from .log import write_line
from .settings import ALWAYS, Settings

SUBJECT = "Image Processing Report"

# A message may have 262,144 bytes ("Publish", Amazon SNS API Reference, read 2026-11). One of 1,024 bytes of control
# characters is listed with 6 KB, so some thirty of the longest and some thousand usual keys are named.
MAX_LISTED_BYTES = 200_000


class Failure(NamedTuple):
    """An image that was not processed, and why; `transient` and `internal` ones are tried again."""

    upload: Upload
    category: str | None


class Reporter(NamedTuple):
    """Who is told, and when."""

    sns: Any
    topic_arn: str
    occasion: str

    def report(self, processed: int, failures: Sequence[Failure], settings: Settings, *, request_id: str) -> None:
        """Publish the report that the occasion asks for; an image is never failed because nobody could be told."""
        if not failures and not (processed and self.occasion == ALWAYS):
            return
        try:
            message = report_text(processed, failures, settings, request_id=request_id)
            self.sns.publish(TopicArn=self.topic_arn, Subject=SUBJECT, Message=message)
        except Exception as error:  # noqa: BLE001  whatever it is, the images are done
            facts = {"level": "ERROR", "event": "report-not-sent", "request_id": request_id}
            write_line({**facts, "message": type(error).__name__, "detail": detail_of(error)})


def report_text(processed: int, failures: Sequence[Failure], settings: Settings, *, request_id: str) -> str:
    """The message: JSON in ASCII, with as many of the failures as there is room for."""
    listed = []
    room = MAX_LISTED_BYTES
    for failure in failures:
        upload = failure.upload
        entry = {"category": failure.category, "bucket": upload.bucket, "key": upload.key, "image_id": upload.image_id}
        room -= len(json.dumps(entry, indent=4))
        if room < 0:
            break
        listed.append(entry)
    body = {
        "environment": settings.environment,
        "environment_suffix": settings.environment_suffix,
        "request_id": request_id,
        "processed": processed,
        "failed": len(failures),
        "failures": listed,
        "failures_not_listed": len(failures) - len(listed),
    }
    return json.dumps(body, indent=2)
