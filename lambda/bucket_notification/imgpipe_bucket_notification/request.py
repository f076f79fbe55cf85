"""A request of CloudFormation, read from the event."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import RequestError
from .merging import Owner

TYPES = frozenset({"Create", "Update", "Delete"})
STACK_ARN = re.compile(r"arn:[a-z0-9-]+:cloudformation:[a-z0-9-]+:(?P<account>[0-9]{12}):stack/(?P<name>[^/]+)/.+")

# The physical id of a resource whose Create failed before anything was written. CloudFormation sends a Delete for it,
# which then has nothing to do, and so cannot fail for the same reason and leave the stack in ROLLBACK_FAILED.
NOT_CREATED = "not-created"


@dataclass(frozen=True)
class Request:
    """What CloudFormation wants of which resource.

    Args:
        type: `Create`, `Update` or `Delete`.
    """

    type: str
    owner: Owner
    account: str
    physical_id: str
    properties: Mapping[str, Any]
    old_properties: Mapping[str, Any]

    def physical_id_on(self, bucket: str) -> str:
        """The resource's physical id for a bucket.

        A new one for another bucket, so that CloudFormation sends a Delete for the old one: at the end of the update
        when that has succeeded, and never when it is rolled back (aws/aws-cdk pull request 29581, read 2026-11).
        """
        return f"{bucket}/{self.owner.logical_id}"


def read_request(event: Mapping[str, Any]) -> Request:
    """Read the event.

    Raises:
        RequestError: names the field that is missing or wrong.
    """
    stack_id = _text(event, "StackId")
    stack = STACK_ARN.fullmatch(stack_id)
    if not stack:
        raise RequestError(f"StackId: {stack_id!r} is no stack; expected its ARN")
    kind = _text(event, "RequestType")
    if kind not in TYPES:
        raise RequestError(f"RequestType: {kind!r} is unknown; expected Create, Update or Delete")
    return Request(
        type=kind,
        owner=Owner(stack_id=stack_id, stack_name=stack["name"], logical_id=_text(event, "LogicalResourceId")),
        account=stack["account"],
        physical_id=NOT_CREATED if kind == "Create" else _text(event, "PhysicalResourceId"),
        properties=_mapping(event, "ResourceProperties"),
        old_properties=_mapping(event, "OldResourceProperties") if kind == "Update" else {},
    )


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not value:
        raise RequestError(f"{name}: is missing, empty or no text; expected a request of CloudFormation")
    return value


def _mapping(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = event.get(name)
    if not isinstance(value, Mapping):
        raise RequestError(f"{name}: is missing or no mapping; expected a request of CloudFormation")
    return value
