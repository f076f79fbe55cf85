"""A DynamoDB table in memory; MiniStack's DynamoDB evaluates every expression, in this process and without a socket."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ministack.services import dynamodb

NAME = "ImageMetadata-dev"
Item = dict[str, Any]


def carry_out(call: str, request: dict[str, Any], items: dict[str, Item]) -> dict[str, Any]:
    """Carry out a GetItem, PutItem or UpdateItem on `items`, which are known by their ImageId, and return the answer.

    Raises:
        ClientError: the condition is false.
    """
    _create_table()
    image_id = request.get("Key", request.get("Item"))["ImageId"]["S"]
    status, answer, item = _on_engine(call, request, image_id, items.get(image_id))
    if status == 200:
        if item is not None:
            items[image_id] = item
        return answer
    if answer["__type"] != "ConditionalCheckFailedException":
        pytest.fail(f"DynamoDB refuses this {call}: {answer}")  # no `except Exception` of the function hides it
    raise ClientError(
        {
            "Error": {"Code": "ConditionalCheckFailedException", "Message": "secret words"},
            "ResponseMetadata": {"HTTPStatusCode": status},
            **({"Item": answer["Item"]} if "Item" in answer else {}),
        },
        call,
    )


@cache
def _create_table() -> None:
    attribute = {"AttributeName": "ImageId"}
    request = {
        "TableName": NAME,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [attribute | {"KeyType": "HASH"}],
        "AttributeDefinitions": [attribute | {"AttributeType": "S"}],
    }
    status, answer = _ask("CreateTable", request)
    assert status == 200, answer


def _on_engine(
    call: str, request: dict[str, Any], image_id: str, item: Item | None
) -> tuple[int, dict[str, Any], Item | None]:
    """The status and the answer of the call on a table with only this item, and the item after it."""
    key = {"TableName": NAME, "Key": {"ImageId": {"S": image_id}}}
    if item is not None:
        status, answer = _ask("PutItem", {"TableName": NAME, "Item": item})
        assert status == 200, answer
    try:
        status, answer = _ask(call, request)
        _, found = _ask("GetItem", key)
    finally:
        _ask("DeleteItem", key)
    return status, answer, found.get("Item")


def _ask(call: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    headers = {"x-amz-target": f"DynamoDB_20120810.{call}"}
    asked = dynamodb.handle_request("POST", "/", headers, json.dumps(request).encode(), {})
    try:
        asked.send(None)  # it waits for nothing, and an event loop for every call would take as long as the call
    except StopIteration as ended:
        status, _, body = ended.value
        return status, json.loads(body)
    pytest.fail("MiniStack's DynamoDB waits for something; it needs an event loop")
