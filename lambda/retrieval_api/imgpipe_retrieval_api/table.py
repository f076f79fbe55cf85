"""The function's two table calls: GetItem on the table, Query on its indexes. There is no Scan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Item = Mapping[str, Any]  # an item as DynamoDB writes it: every value with its type as only key

DELETED = "deleted"


class BudgetSpentError(Exception):
    """The request has made as many queries as one request may."""


@dataclass
class Table:
    """The metadata table, seen by one request.

    Args:
        queries_left: how many more queries the request may make.
    """

    dynamodb: Any
    name: str
    queries_left: int

    def image(self, image_id: str) -> Item | None:
        """One item; None where there is none."""
        answer = self.dynamodb.get_item(TableName=self.name, Key={"ImageId": {"S": image_id}})
        item: Item | None = answer.get("Item")
        return item

    def newest_first(
        self, index: str, hash_name: str, hash_value: str, *, until: str, after: str | None, at_once: int
    ) -> Iterator[Item]:
        """Walk down one partition of an index.

        Args:
            index: the index.
            hash_name: the attribute that its partitions are made of.
            hash_value: which partition.
            until: the newest upload time of interest.
            after: of the images with just that time, the last one that is known already.
            at_once: images to read in a query.

        Raises:
            BudgetSpentError: another query was needed, and none was left.
        """
        start = None
        if after is not None:
            start = {hash_name: {"S": hash_value}, "UploadTimestamp": {"S": until}, "ImageId": {"S": after}}
        while True:
            if self.queries_left == 0:
                raise BudgetSpentError
            self.queries_left -= 1
            answer = self.dynamodb.query(
                TableName=self.name,
                IndexName=index,
                KeyConditionExpression="#Partition = :partition AND #Time <= :until",
                ExpressionAttributeNames={"#Partition": hash_name, "#Time": "UploadTimestamp"},
                ExpressionAttributeValues={":partition": {"S": hash_value}, ":until": {"S": until}},
                ScanIndexForward=False,
                Limit=at_once,
                **({"ExclusiveStartKey": start} if start else {}),
            )
            yield from answer["Items"]
            start = answer.get("LastEvaluatedKey")
            if not start:
                return


def text(item: Item, name: str) -> str | None:
    """A text attribute; None where it is missing, empty or no text."""
    value = item.get(name)
    found = value.get("S") if isinstance(value, Mapping) else None
    return found if isinstance(found, str) and found else None


def number(item: Item, name: str) -> int | float | None:
    """A number attribute, whole where it is; None where it is missing or no number."""
    value = item.get(name)
    found = value.get("N") if isinstance(value, Mapping) else None
    if not isinstance(found, str):
        return None
    try:
        return int(found)
    except ValueError:
        pass
    try:
        inexact = float(found)
    except ValueError:
        return None
    if inexact.is_integer():
        return int(inexact)
    return inexact if abs(inexact) < float("inf") else None
