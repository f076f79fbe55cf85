"""What the function is told to work on: the events of every trigger, read into plain uploads.

A source of events is one adapter from its own shape to `Upload`; nothing behind this module knows the shape.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

# The namespace of every image id (RFC 9562, version 5). Another value would be another id for every image.
IMAGE_ID_NAMESPACE = uuid.UUID("8c1f3f0e-52a7-5d0b-9a52-6f6e4d1c7b35")

# What S3 calls the version of an object in a bucket that is not, or no longer, versioned.
NULL_VERSION = "null"

# In UTF-8 ("Naming Amazon S3 objects", Amazon S3 User Guide, read 2026-11).
MAX_KEY_BYTES = 1_024


class Upload(NamedTuple):
    """One version of one object that somebody stored in the source bucket.

    Args:
        size: bytes, as the event says; None where it does not.
        version_id: None in a bucket without versions.
        sequencer: orders the events of one key: the later one has the greater text.
    """

    bucket: str
    key: str
    etag: str
    uploaded_at: datetime
    version_id: str | None = None
    size: int | None = None
    sequencer: str | None = None

    @property
    def image_id(self) -> str:
        """The id of this very content: the same in every delivery of the event, another for another version."""
        content = ("version", self.version_id) if self.version_id else ("etag", self.etag)
        return _id_of(self.bucket, self.key, *content)


@lru_cache(maxsize=16)  # every step of the work on an upload asks for it
def _id_of(*content: str) -> str:
    return str(uuid.uuid5(IMAGE_ID_NAMESPACE, json.dumps(content)))


class Ignored(NamedTuple):
    """A message, or a part of one, that asks for no work."""

    reason: str


class Delivery(NamedTuple):
    """Uploads that are acknowledged, or delivered again, together.

    Args:
        message_id: of the SQS message; None where Lambda knows the event only as a whole.
    """

    uploads: list[Upload | Ignored]
    message_id: str | None = None


def is_queue_event(event: Any) -> bool:
    """Whether the event is a batch of SQS messages, each of which may be answered for by itself."""
    return bool(_records(event)) and all(
        isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs" for record in _records(event)
    )


def read_deliveries(event: Any) -> list[Delivery]:
    """Read the function's event, from whatever trigger; SQS messages that were received more often come first.

    A message that is left for want of time has used up a receive. With this order no message is left more often than
    twice the batch size, even if each invocation finishes one message only.
    """
    if not is_queue_event(event):
        return [Delivery(read_event(event))]
    messages = sorted(_records(event), key=_receives, reverse=True)
    return [Delivery(_from_body(record.get("body")), record.get("messageId")) for record in messages]


def read_event(event: Any) -> list[Upload | Ignored]:
    """Read an event of S3 or EventBridge; what is not an upload comes back as `Ignored`, never as an error."""
    if not isinstance(event, Mapping):
        return [Ignored("unknown event shape")]
    if event.get("Event") == "s3:TestEvent":  # S3 sends one when a notification is configured
        return [Ignored("s3:TestEvent")]
    if "detail-type" in event:
        return [_tolerant(_from_eventbridge, event)]
    if not isinstance(event.get("Records"), list):
        return [Ignored("unknown event shape")]
    return [_tolerant(_from_s3_notification, record) for record in _records(event)]


def _records(event: Any) -> list[Any]:
    records = event.get("Records") if isinstance(event, Mapping) else None
    return records if isinstance(records, list) else []


def _receives(message: Mapping[str, Any]) -> int:
    """How often SQS has handed out the message; 0 where the event does not say so."""
    attributes = message.get("attributes")
    count: Any = attributes.get("ApproximateReceiveCount") if isinstance(attributes, Mapping) else None
    try:
        return int(count)
    except (TypeError, ValueError):
        return 0


def _from_body(body: Any) -> list[Upload | Ignored]:
    try:
        return read_event(json.loads(body))
    except (TypeError, ValueError, RecursionError):
        return [Ignored("the message is not JSON")]


def _tolerant(read: Callable[[Any], Upload | Ignored], part: Any) -> Upload | Ignored:
    try:
        return read(part)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        return Ignored("unknown record shape")


def _from_s3_notification(record: Any) -> Upload | Ignored:
    """Read one record ("Event message structure", Amazon S3 User Guide, read 2026-11)."""
    if record["eventSource"] != "aws:s3":
        return Ignored("not an S3 event")
    if not record["eventName"].startswith("ObjectCreated:"):
        return Ignored("not an ObjectCreated event")
    described = record["s3"]["object"]
    return Upload(
        bucket=_text(record["s3"]["bucket"]["name"]),
        key=_key(unquote_plus(_text(described["key"]))),  # S3 encodes keys like a form: a space is a plus sign
        etag=_etag(described["eTag"]),
        uploaded_at=_moment(record["eventTime"]),
        version_id=_version(described.get("versionId")),
        size=_size(described.get("size")),
        sequencer=_optional_text(described.get("sequencer")),
    )


def _from_eventbridge(event: Any) -> Upload | Ignored:
    """Read an event of the default bus ("EventBridge event message structure", Amazon S3 User Guide, read 2026-11)."""
    if event["source"] != "aws.s3":
        return Ignored("not an S3 event")
    if event["detail-type"] != "Object Created":
        return Ignored("not an Object Created event")
    described = event["detail"]["object"]
    return Upload(
        bucket=_text(event["detail"]["bucket"]["name"]),
        key=_key(described["key"]),  # as it is: decoding would turn a plus sign into a space
        etag=_etag(described["etag"]),
        uploaded_at=_moment(event["time"]),
        version_id=_version(described.get("version-id")),
        size=_size(described.get("size")),
        sequencer=_optional_text(described.get("sequencer")),
    )


def _text(value: Any) -> str:
    if not (isinstance(value, str) and value):
        raise ValueError("not a text")
    value.encode()  # half of a surrogate pair, which JSON can carry, is in no key and cannot be sent to AWS
    return value


def _optional_text(value: Any) -> str | None:
    return None if value is None or value == "" else _text(value)


def _key(value: Any) -> str:
    key = _text(value)
    if len(key.encode()) > MAX_KEY_BYTES:
        raise ValueError("longer than a key")
    return key


def _etag(value: Any) -> str:
    etag = _text(value)
    if not (etag.isascii() and etag.isprintable()):  # it is sent in a header, where a line end would be an error
        raise ValueError("not an ETag")
    return etag


def _version(value: Any) -> str | None:
    return None if value == NULL_VERSION else _optional_text(value)


def _size(value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63):
        raise ValueError("not a size")
    return value


def _moment(value: Any) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)
