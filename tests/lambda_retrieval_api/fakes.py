"""The metadata table in memory, with the methods that the function may call; a real S3 client, which only signs."""

from __future__ import annotations

import hashlib
import json
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.session import get_session
from botocore.validate import ParamValidator

from imgpipe_retrieval_api.api import Api
from imgpipe_retrieval_api.aws import LINK_CONFIG
from imgpipe_retrieval_api.invocation import handle
from imgpipe_retrieval_api.settings import Settings

TABLE = "ImageMetadata-dev"
SOURCE = "image-storage-bucket-dev-111122223333"
THUMBNAILS = "image-thumbnail-bucket-dev-111122223333"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SETTINGS = Settings(
    metadata_table=TABLE,
    index_shards=4,
    indexes=frozenset({"UploadTimestampIndex", "UserIndex", "StatusIndex"}),
    thumbnail_bucket=THUMBNAILS,
    source_bucket=SOURCE,
)
HASH_NAMES = {"UploadTimestampIndex": "UploadShard", "UserIndex": "UserId", "StatusIndex": "StatusShard"}

Item = dict[str, Any]


@cache
def _model(service: str) -> Any:
    return get_session().get_service_model(service)


def _order(item: Mapping[str, Any]) -> tuple[str, str]:
    """An index's order: by time, and among images of one time one that no caller can foresee."""
    return item["UploadTimestamp"]["S"], hashlib.md5(item["ImageId"]["S"].encode()).hexdigest()  # noqa: S324 - an order, no secret


@dataclass
class Dynamodb:
    """A DynamoDB client: refuses what the service's model does not know and start keys that the service refuses.

    Args:
        most_at_once: items that fit into one answer, as 1 MB does.
        error: raised by every call.
    """

    items: dict[str, Item] = field(default_factory=dict)
    most_at_once: int = 1000
    error: BaseException | None = None
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def add(self, *items: Item) -> None:
        self.items |= {item["ImageId"]["S"]: item for item in items}

    def get_item(self, **request: Any) -> dict[str, Any]:
        self._called("GetItem", request)
        item = self.items.get(request["Key"]["ImageId"]["S"])
        return {"Item": item} if item else {}

    def query(self, **request: Any) -> dict[str, Any]:
        self._called("Query", request)
        assert request["KeyConditionExpression"] == "#Partition = :partition AND #Time <= :until"
        hash_name = HASH_NAMES[request["IndexName"]]
        assert request["ExpressionAttributeNames"] == {"#Partition": hash_name, "#Time": "UploadTimestamp"}
        values = request["ExpressionAttributeValues"]
        partition, until = values[":partition"], values[":until"]["S"]
        assert request["ScanIndexForward"] is False
        found = [
            item
            for item in sorted(self.items.values(), key=_order, reverse=True)
            if item.get(hash_name) == partition and item["UploadTimestamp"]["S"] <= until
        ]
        if start := request.get("ExclusiveStartKey"):
            if start.keys() != {hash_name, "UploadTimestamp", "ImageId"} or start[hash_name] != partition:
                raise client_error("ValidationException", "The provided starting key is invalid")
            if start["UploadTimestamp"]["S"] > until:
                raise client_error("ValidationException", "The provided starting key is outside query boundaries")
            found = [item for item in found if _order(item) < _order(start)]
        size = min(request["Limit"], self.most_at_once)
        answer: dict[str, Any] = {"Items": found[:size]}
        if len(found) >= size:  # also if that was the last one, like the service
            answer["LastEvaluatedKey"] = {
                name: found[size - 1][name] for name in (hash_name, "UploadTimestamp", "ImageId")
            }
        return answer

    def _called(self, name: str, request: dict[str, Any]) -> None:
        self.calls.append((name, request))
        report = ParamValidator().validate(request, _model("dynamodb").operation_model(name).input_shape)
        assert not report.has_errors(), report.generate_report()
        assert request["TableName"] == TABLE
        if self.error is not None:
            raise self.error


def client_error(code: str, message: str = "arn:aws:dynamodb:eu-west-1:111122223333:table/secret") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Query")


@cache
def s3(region: str = "eu-west-1", token: str | None = None) -> Any:
    session = get_session()
    session._credentials = Credentials("AKIDEXAMPLE", SECRET_KEY, token)
    return session.create_client("s3", region_name=region, config=LINK_CONFIG)


def api(dynamodb: Dynamodb, settings: Settings = SETTINGS, *, now: datetime = NOW) -> Api:
    return Api(settings, dynamodb, s3(), clock=lambda: now)


def image_id(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))


def image(
    number: int = 1, uploaded: str = "2026-11-20T08:00:00.000Z", *, status: str = "processed", **more: Any
) -> Item:
    """An item as the processor writes it, with one thumbnail where it is processed; `more` is in DynamoDB's form."""
    identifier = image_id(number)
    shard = zlib.crc32(identifier.encode()) % SETTINGS.index_shards
    item = {
        "ImageId": {"S": identifier},
        "Status": {"S": status},
        "StatusShard": {"S": f"{status}#{shard}"},
        "BucketName": {"S": SOURCE},
        "ObjectKey": {"S": f"uploads/photo {number}.jpg"},
        "VersionId": {"S": f"version-{number}"},
        "ETag": {"S": "0123abcd"},
        "Sequencer": {"S": "0055AED6DCD90281E5"},
        "FileSize": {"N": "123456"},
        "UploadTimestamp": {"S": uploaded},
        "UploadDate": {"S": uploaded[:10]},
        "UploadShard": {"S": f"{uploaded[:10]}#{shard}"},
        "UserId": {"S": "anna"},
    }
    if status == "processed":
        item |= {
            "ContentType": {"S": "image/jpeg"},
            "Format": {"S": "JPEG"},
            "Width": {"N": "4000"},
            "Height": {"N": "3000"},
            "ProcessedAt": {"S": "2026-11-20T08:00:01.500Z"},
            "Thumbnails": {"L": [thumbnail(f"thumbnails/{identifier}/128.jpg")]},
        }
    if status == "failed":
        item |= {"ErrorCategory": {"S": "corrupt"}, "ErrorMessage": {"S": "the image ends too early"}}
    return item | more


def thumbnail(key: str, *, bucket: str = THUMBNAILS) -> Item:
    return {
        "M": {
            "Bucket": {"S": bucket},
            "Key": {"S": key},
            "Width": {"N": "128"},
            "Height": {"N": "96"},
            "Format": {"S": "JPEG"},
            "Bytes": {"N": "4321"},
        }
    }


def event(route: str = "GET /images", *, identifier: Any = None, sub: Any = None, **parameters: Any) -> dict[str, Any]:
    """A request of an HTTP API, payload format 2.0."""
    method, _, path = route.partition(" ")
    context: dict[str, Any] = {
        "http": {"method": method, "path": path},
        "stage": "$default",
        "requestId": "JKJaXmPLvHcE",
    }
    if sub is not None:
        context["authorizer"] = {"jwt": {"claims": {"sub": sub}, "scopes": None}}
    made: dict[str, Any] = {"version": "2.0", "routeKey": route, "rawPath": path, "requestContext": context}
    if identifier is not None:
        made["pathParameters"] = {"id": identifier}
        made["rawPath"] = path.replace("{id}", str(identifier))
    if parameters:
        made["queryStringParameters"] = parameters
    return made


def ask(api: Api, event: Any) -> tuple[int, Any]:
    """The status and the body of an answer, after a look at what all answers have in common."""
    answer = handle(event, api, request_id="r-1")
    assert answer.keys() == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert answer["isBase64Encoded"] is False
    assert {
        "content-type": "application/json",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": "r-1",
    }.items() <= answer["headers"].items()
    body = json.loads(answer["body"])
    if answer["statusCode"] != 200:
        assert body.keys() == {"error"}
        assert body["error"].keys() == {"code", "message"}
        assert all(secret not in answer["body"] for secret in ("arn:", TABLE, SOURCE, THUMBNAILS, "Traceback"))
    return answer["statusCode"], body


def one(api: Api, number: int = 1, *, sub: Any = None) -> tuple[int, Any]:
    return ask(api, event("GET /images/{id}", identifier=image_id(number), sub=sub))


def code_of(answer: tuple[int, Any]) -> tuple[int, str]:
    status, body = answer
    return status, body["error"]["code"]


def pages(api: Api, *, sub: Any = None, most: int = 500, **parameters: Any) -> list[list[str]]:
    """The ids of every page up to the list's end."""
    found = []
    for _ in range(most):
        status, body = ask(api, event(sub=sub, **parameters))
        assert status == 200, body
        found.append([image["ImageId"] for image in body["images"]])
        if "next" not in body:
            return found
        parameters["next"] = body["next"]
    raise AssertionError("the list does not end")


def listed(api: Api, **parameters: Any) -> list[str]:
    return [identifier for page in pages(api, **parameters) for identifier in page]
