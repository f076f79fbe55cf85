"""The metadata item of an image, and the function's three table calls: GetItem, PutItem, UpdateItem.

An item is written as `processing` before the work and brought to its final status after it, both under conditions:
a crash in between stays visible and may be tried again, and what is final is never touched by a late delivery.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from .aws import error_code
from .events import Upload
from .failures import ImageRejectedError
from .imaging import Picture, Thumbnail
from .storage import About

PROCESSING = "processing"
PROCESSED = "processed"
FAILED = "failed"

Value = dict[str, Any]  # a DynamoDB attribute value, with its type as only key


@dataclass(frozen=True)
class Records:
    """The metadata table, seen by the processor.

    Args:
        shards: over how many partitions of an index the items of one day, or of one status, are spread.
    """

    dynamodb: Any
    table: str
    shards: int

    def is_final(self, image_id: str) -> bool:
        """Whether an earlier delivery brought this image to an end (also: processed and deleted since)."""
        answer = self.dynamodb.get_item(
            TableName=self.table,
            Key={"ImageId": _text(image_id)},
            ConsistentRead=True,
            ProjectionExpression="#Status",
            ExpressionAttributeNames={"#Status": "Status"},
        )
        return "Item" in answer and answer["Item"]["Status"] != _text(PROCESSING)

    def begin(self, upload: Upload, user_id: str | None = None) -> bool:
        """Write the item as `processing`; False if another delivery has finished it meanwhile."""
        return self._unless_final(
            self.dynamodb.put_item,
            Item={"ImageId": _text(upload.image_id)}
            | self._status(upload, PROCESSING)
            | self._described(upload)
            | _owned(user_id),
            ConditionExpression="attribute_not_exists(ImageId) OR #Status = :processing",
            ExpressionAttributeNames={"#Status": "Status"},
            ExpressionAttributeValues={":processing": _text(PROCESSING)},
        )

    def finish(self, upload: Upload, status: str, attributes: Mapping[str, Value], *, at: datetime) -> bool:
        """Bring the item to its final status; False if another delivery was first."""
        changes = self._status(upload, status) | {"ProcessedAt": _text(timestamp(at))} | dict(attributes)
        return self._unless_final(
            self.dynamodb.update_item,
            Key={"ImageId": _text(upload.image_id)},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changes),
            ConditionExpression="#Status = :processing",
            ExpressionAttributeNames={f"#{name}": name for name in changes},
            ExpressionAttributeValues={
                ":processing": _text(PROCESSING),
                **{f":{name}": value for name, value in changes.items()},
            },
        )

    def _unless_final(self, call: Any, **arguments: Any) -> bool:
        try:
            call(TableName=self.table, **arguments)
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _status(self, upload: Upload, status: str) -> dict[str, Value]:
        return {"Status": _text(status), "StatusShard": _text(f"{status}#{self._shard(upload)}")}

    def _described(self, upload: Upload) -> dict[str, Value]:
        """What the event alone tells of the image."""
        day = upload.uploaded_at.date().isoformat()
        known = {
            "BucketName": _text(upload.bucket),
            "ObjectKey": _text(upload.key),
            "ETag": _text(upload.etag),
            "UploadTimestamp": _text(timestamp(upload.uploaded_at)),
            "UploadDate": _text(day),
            "UploadShard": _text(f"{day}#{self._shard(upload)}"),
        }
        if upload.version_id is not None:
            known["VersionId"] = _text(upload.version_id)
        if upload.sequencer is not None:
            known["Sequencer"] = _text(upload.sequencer)
        if upload.size is not None:
            known["FileSize"] = _number(upload.size)
        return known

    def _shard(self, upload: Upload) -> int:
        return zlib.crc32(upload.image_id.encode()) % self.shards


@dataclass(frozen=True)
class Stored:
    """A thumbnail in its place."""

    bucket: str
    key: str
    thumbnail: Thumbnail


def processed_attributes(
    picture: Picture, about: About, user_id: str | None, stored: Iterable[Stored]
) -> dict[str, Value]:
    """What the work adds to the item; where no thumbnails are made, nothing is said of any."""
    thumbnails = [
        {
            "M": {
                "Bucket": _text(each.bucket),
                "Key": _text(each.key),
                "Width": _number(each.thumbnail.width),
                "Height": _number(each.thumbnail.height),
                "Format": _text(each.thumbnail.format),
                "Bytes": _number(len(each.thumbnail.data)),
            }
        }
        for each in stored
    ]
    return {
        **_looked_at(about, user_id),
        "Format": _text(picture.format),
        "Width": _number(picture.width),
        "Height": _number(picture.height),
        **({"Thumbnails": {"L": thumbnails}} if thumbnails else {}),
    }


def failed_attributes(rejected: ImageRejectedError, about: About, user_id: str | None) -> dict[str, Value]:
    """What a refusal adds to the item."""
    return {
        **_looked_at(about, user_id),
        "ErrorCategory": _text(rejected.category),
        "ErrorMessage": _text(rejected.message),
    }


def _looked_at(about: About, user_id: str | None) -> dict[str, Value]:
    sized = {"FileSize": _number(about.size)} if about.size is not None else {}
    return {"ContentType": _text(about.content_type), **sized, **_owned(user_id)}


def _owned(user_id: str | None) -> dict[str, Value]:
    return {"UserId": _text(user_id)} if user_id is not None else {}


def timestamp(moment: datetime) -> str:
    """ISO 8601, UTC, milliseconds: sorts as text like it sorts by time."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _text(value: str) -> Value:
    return {"S": value}


def _number(value: int) -> Value:
    return {"N": str(value)}
