"""Permission facts that the engine leaves out: condition keys of requests, and which service may invoke a function."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from imgpipe_templates.local.calls import CallLog

# The item operations whose key tells dynamodb:LeadingKeys (Amazon DynamoDB Developer Guide, "Using IAM policy
# conditions for fine-grained access control", read 2026-11).
_KEYED_OPERATIONS = {"PutItem": "Item", "GetItem": "Key", "UpdateItem": "Key", "DeleteItem": "Key"}


def metric_namespace(body: bytes) -> str | None:
    """The value of cloudwatch:namespace for a PutMetricData request in JSON or query form, or None."""
    try:
        namespace = json.loads(body).get("Namespace")
    except (ValueError, AttributeError):
        namespace = parse_qs(body.decode("utf-8", "replace")).get("Namespace", [None])[0]
    return namespace if isinstance(namespace, str) else None


def leading_key(operation: str, body: bytes, hash_key_of: Callable[[str], str | None]) -> str | None:
    """The value of dynamodb:LeadingKeys for a request about one item, or None.

    Args:
        operation: The API operation, such as PutItem.
        body: The request.
        hash_key_of: Table name -> name of its partition key.
    """
    if operation not in _KEYED_OPERATIONS:
        return None
    try:
        request = json.loads(body)
        item, table = request[_KEYED_OPERATIONS[operation]], request["TableName"].rsplit("/", 1)[-1]
        typed_value = item[hash_key_of(table)]
        return str(next(iter(typed_value.values())))
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return None


def service_may_invoke(
    policy: Mapping[str, Any] | None, service: str, source: str, account: str, matches: Callable[[str, str], bool]
) -> bool:
    """Whether a function's resource policy lets a service invoke it on behalf of `source`.

    Args:
        policy: The function's resource policy.
        service: Such as s3.amazonaws.com.
        source: ARN of what has the event: a bucket, a rule, an API.
        account: The account that owns the source.
        matches: IAM's wildcard match (value, pattern).
    """
    for statement in (policy or {}).get("Statement") or []:
        if statement.get("Effect") != "Allow" or service not in _services(statement.get("Principal")):
            continue
        conditions = {
            key.lower(): value for test in (statement.get("Condition") or {}).values() for key, value in test.items()
        }
        if (
            matches(source, conditions.get("aws:sourcearn", "*"))
            and conditions.get("aws:sourceaccount", account) == account
        ):
            return True
    return False


def _services(principal: Any) -> list[str]:
    service = principal.get("Service") if isinstance(principal, dict) else principal
    return [service] if isinstance(service, str) else list(service or [])


@dataclass(frozen=True)
class Asker:
    """Asks whether a role may do what a service does in its name, which the engine would just do.

    Attributes:
        client: boto3 client of the role's account, by service name.
        calls: Where question and answer are noted.
    """

    client: Callable[[str], Any]
    calls: CallLog

    def role_allows(self, role: str, action: str, resource: str) -> bool:
        """Whether the policies of a role allow an action, such as sqs:ReceiveMessage, on a resource; both by ARN."""
        answer = self.client("iam").simulate_principal_policy(
            PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource]
        )
        is_allowed: bool = answer["EvaluationResults"][0]["EvalDecision"] == "allowed"
        self.calls.note(role, action, resource, is_allowed=is_allowed)
        return is_allowed
