"""Events as S3, EventBridge and SQS send them, about objects in the bucket of the tests."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus

SOURCE = "photos-in"
ETAG = "0123abcd"
SEQUENCER = "0055AED6DCD90281E5"


def record(
    key: str = "cat.jpg",
    *,
    version_id: str | None = "v1",
    size: int | None = 1000,
    etag: str = ETAG,
    sequencer: str | None = SEQUENCER,
    **more: Any,
) -> dict[str, Any]:
    """One record of an S3 notification about the object that is really called `key`."""
    described = _told(
        {
            "key": quote_plus(key, safe="/"),
            "eTag": etag,
            "versionId": version_id,
            "size": size,
            "sequencer": sequencer,
        }
    )
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventTime": "2026-11-19T23:59:58.007Z",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": SOURCE, "arn": f"arn:aws:s3:::{SOURCE}"}, "object": described},
        **more,
    }


def eventbridge(
    key: str = "cat.jpg",
    *,
    version_id: str | None = "v1",
    size: int | None = 1000,
    etag: str = ETAG,
    sequencer: str | None = SEQUENCER,
    **more: Any,
) -> dict[str, Any]:
    """The event of the default bus about the same object as `record`."""
    described = _told({"key": key, "etag": etag, "version-id": version_id, "size": size, "sequencer": sequencer})
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-11-19T23:59:58Z",
        "region": "eu-west-1",
        "resources": [f"arn:aws:s3:::{SOURCE}"],
        "detail": {"version": "0", "bucket": {"name": SOURCE}, "object": described, "reason": "PutObject"},
        **more,
    }


def _told(described: dict[str, Any]) -> dict[str, Any]:
    """What is known of an object; the rest is absent from its event."""
    return {name: value for name, value in described.items() if value is not None}


def queue(*bodies: Any) -> dict[str, Any]:
    """A batch of SQS messages, m0 and on; a body that is no text is sent as JSON."""
    return event(
        *(
            {
                "messageId": f"m{number}",
                "receiptHandle": "r",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1"},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:uploads",
                "awsRegion": "eu-west-1",
            }
            for number, body in enumerate(bodies)
        )
    )


def event(*records: dict[str, Any]) -> dict[str, Any]:
    return {"Records": list(records)}
