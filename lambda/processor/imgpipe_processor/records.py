"""The metadata item of an image, and the function's three table calls: GetItem, PutItem, UpdateItem.

An item is written as `processing` before the work and brought to its final status after it, both under conditions:
a crash in between stays visible and may be tried again, and what is final is not touched by a late delivery. Nothing
is asked of the table first: nearly every delivery is the first of its image, and the condition tells the others.
`processed` is for ever. A failure is too, unless it was of its time (`failures.OF_ITS_TIME`): then a later upload of
the same content begins again, and a delivery that was at work in the meantime, and did read the object, still counts.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from .aws import error_code
from .events import Upload
from .failures import OF_ITS_TIME, ImageRejectedError
from .imaging import ProcessedImage, Thumbnail
from .storage import About

PROCESSING = "processing"
PROCESSED = "processed"
FAILED = "failed"

Value = dict[str, Any]  # a DynamoDB attribute value, with its type as only key

CONDITION_FAILED = "ConditionalCheckFailedException"

# Sequencers are compared as texts, the shorter with zeros added on its right ("Event message structure", Amazon S3
# User Guide, read 2026-11). DynamoDB's comparison of texts is the same one but for texts that differ in such zeros.
_FAILED_FOR_A_TIME = "#Status = :failed AND #ErrorCategory IN (" + ", ".join(f":{name}" for name in OF_ITS_TIME) + ")"
BEGIN = "attribute_not_exists(ImageId)"
BEGIN_AGAIN = "attribute_not_exists(ImageId) OR #Status = :processing"
BEGIN_AGAIN_IN_ORDER = (
    "attribute_not_exists(ImageId)"
    " OR (#Status = :processing AND (attribute_not_exists(#Sequencer) OR #Sequencer <= :sequencer))"
    f" OR ({_FAILED_FOR_A_TIME} AND (attribute_not_exists(#Sequencer) OR #Sequencer < :sequencer))"
)
SUCCEED = f"#Status = :processing OR ({_FAILED_FOR_A_TIME})"
# Another upload of the same content that has begun since is not ended by what an earlier one found missing.
FAIL = "#Status = :processing AND attribute_not_exists(#Sequencer)"
FAIL_IN_ORDER = "#Status = :processing AND #Sequencer = :sequencer"


class Records(NamedTuple):
    """The metadata table, seen by the processor.

    Args:
        shards: over how many partitions of an index the items of one day, or of one status, are spread.
    """

    dynamodb: Any
    table: str
    shards: int

    def status(self, image_id: str) -> str | None:
        """How far earlier deliveries brought the image; None where there was none."""
        answer = self.dynamodb.get_item(
            TableName=self.table,
            Key={"ImageId": _text(image_id)},
            ConsistentRead=True,
            ProjectionExpression="#Status",
            ExpressionAttributeNames={"#Status": "Status"},
        )
        return str(answer["Item"]["Status"]["S"]) if "Item" in answer else None

    def begin(self, upload: Upload, user_id: str | None = None) -> bool:
        """Write the item as `processing`; False if there is one."""
        return self._put(upload, user_id, BEGIN)

    def begin_again(self, upload: Upload, user_id: str | None = None) -> bool:
        """Write it anew where an earlier delivery did not finish it; False if one did, or a later upload began it."""
        return self._put(upload, user_id, BEGIN_AGAIN if upload.sequencer is None else BEGIN_AGAIN_IN_ORDER)

    def finish(
        self, upload: Upload, status: str, attributes: Mapping[str, Value], *, attempt_id: str, at: datetime
    ) -> bool:
        """Bring the item to its final status; False if another delivery was first.

        A call whose answer was lost is sent again by the client, and what then fails the condition is the item as the
        first sending left it: by `attempt_id`, which no other delivery has, it is recognised as this one's.
        """
        ended = {"AttemptId": _text(attempt_id), "ProcessedAt": _text(timestamp(at))}
        changes = self._status(upload, status) | ended | dict(attributes)
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in changes)
        if status == PROCESSED:
            condition, update = SUCCEED, f"{update} REMOVE #ErrorCategory, #ErrorMessage"
        else:
            condition = FAIL if upload.sequencer is None else FAIL_IN_ORDER
        values = _compared(upload) | {f":{name}": value for name, value in changes.items()}
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key={"ImageId": _text(upload.image_id)},
                UpdateExpression=update,
                ConditionExpression=condition,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **_placeholders(values, condition, update),
            )
        except ClientError as error:
            if error_code(error) == CONDITION_FAILED:
                return bool(error.response.get("Item", {}).get("AttemptId") == ended["AttemptId"])
            raise
        return True

    def _put(self, upload: Upload, user_id: str | None, condition: str) -> bool:
        item = self._status(upload, PROCESSING) | self._described(upload) | _owned(user_id)
        try:
            self.dynamodb.put_item(
                TableName=self.table,
                Item={"ImageId": _text(upload.image_id)} | item,
                ConditionExpression=condition,
                **_placeholders(_compared(upload), condition),
            )
        except ClientError as error:
            if error_code(error) == CONDITION_FAILED:
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


class Stored(NamedTuple):
    """A thumbnail in its place."""

    bucket: str
    key: str
    thumbnail: Thumbnail


def processed_attributes(
    picture: ProcessedImage, about: About, user_id: str | None, stored: Iterable[Stored]
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
        **({"FrameCount": _number(picture.frames)} if picture.frames > 1 else {}),
        "Placeholder": _text(picture.placeholder),
        "DominantColor": _text(picture.dominant_color),
        **({"Thumbnails": {"L": thumbnails}} if thumbnails else {}),
    }


def failed_attributes(rejected: ImageRejectedError, about: About, user_id: str | None) -> dict[str, Value]:
    """What a refusal adds to the item."""
    return {
        **_looked_at(about, user_id),
        "ErrorCategory": _text(rejected.category),
        "ErrorMessage": _text(rejected.message),
    }


def _compared(upload: Upload) -> dict[str, Value]:
    """What conditions compare with."""
    words = {f":{word}": _text(word) for word in (PROCESSING, FAILED, *OF_ITS_TIME)}
    return words | ({":sequencer": _text(upload.sequencer)} if upload.sequencer is not None else {})


def _placeholders(values: Mapping[str, Value], *expressions: str) -> dict[str, Any]:
    """What the expressions call `#Name` and `:value`: DynamoDB refuses one that is missing, or not used, or none."""
    used = sorted({found for expression in expressions for found in re.findall(r"[#:]\w+", expression)})
    placeholders = {
        "ExpressionAttributeNames": {name: name[1:] for name in used if name[0] == "#"},
        "ExpressionAttributeValues": {name: values[name] for name in used if name[0] == ":"},
    }
    return {argument: named for argument, named in placeholders.items() if named}


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
