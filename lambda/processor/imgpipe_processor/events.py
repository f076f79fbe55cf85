"""What the function is told to work on: an S3 event notification, read into plain records.

A source of events is one adapter from its own shape to `Upload`; nothing behind this module knows the shape.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import unquote_plus

# The namespace of every image id (RFC 9562, version 5). Another value would be another id for every image.
IMAGE_ID_NAMESPACE = uuid.UUID("8c1f3f0e-52a7-5d0b-9a52-6f6e4d1c7b35")

# What S3 calls the version of an object in a bucket that is not, or no longer, versioned.
NULL_VERSION = "null"

_T = TypeVar("_T")


@dataclass(frozen=True)
class Upload:
    """One version of one object that somebody stored in the source bucket.

    Args:
        size: bytes, as the event says; None where it does not.
        version_id: None in a bucket without versions.
        sequencer: orders the events of one key.
    """

    bucket: str
    key: str
    etag: str
    uploaded_at: datetime
    version_id: str | None = None
    size: int | None = None
    sequencer: str | None = None

    @cached_property
    def image_id(self) -> str:
        """The id of this very content: the same in every delivery of the event, another for another version."""
        content = ["version", self.version_id] if self.version_id else ["etag", self.etag]
        return str(uuid.uuid5(IMAGE_ID_NAMESPACE, json.dumps([self.bucket, self.key, *content])))


@dataclass(frozen=True)
class Ignored:
    """A message, or a part of one, that asks for no work."""

    reason: str


def read_event(event: Any) -> list[Upload | Ignored]:
    """Read the function's event; what is not an upload comes back as `Ignored`, never as an error."""
    if not isinstance(event, Mapping):
        return [Ignored("unknown event shape")]
    if event.get("Event") == "s3:TestEvent":  # S3 sends one when a notification is configured
        return [Ignored("s3:TestEvent")]
    records = event.get("Records")
    if not isinstance(records, list):
        return [Ignored("unknown event shape")]
    return [_from_s3_notification(record) for record in records]


def _from_s3_notification(record: Any) -> Upload | Ignored:
    """Read one record ("Event message structure", Amazon S3 User Guide, read 2026-11)."""
    try:
        if record["eventSource"] != "aws:s3":
            return Ignored("not an S3 event")
        if not record["eventName"].startswith("ObjectCreated:"):
            return Ignored("not an ObjectCreated event")
        described = record["s3"]["object"]
        version_id = _optional(described, "versionId", str)
        return Upload(
            bucket=_text(record["s3"]["bucket"]["name"]),
            key=unquote_plus(_text(described["key"])),  # S3 encodes keys like a form: a space is a plus sign
            etag=_text(described["eTag"]),
            uploaded_at=datetime.fromisoformat(record["eventTime"]).astimezone(UTC),
            version_id=None if version_id == NULL_VERSION else version_id,
            size=_optional(described, "size", int),
            sequencer=_optional(described, "sequencer", str),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return Ignored("unknown record shape")


def _text(value: Any) -> str:
    if not (isinstance(value, str) and value):
        raise ValueError("not a text")
    return value


def _optional(described: Mapping[str, Any], name: str, kind: type[_T]) -> _T | None:
    value = described.get(name)
    if value is not None and not isinstance(value, kind):
        raise TypeError(f"{name} is not {kind.__name__}")
    return value
