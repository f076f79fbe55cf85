"""Permissions to invoke a function, each for one resource of this account."""

from __future__ import annotations

from typing import Any

from troposphere import AccountId, Sub, awslambda

from imgpipe_templates.core.handles import Function
from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns import accepted
from imgpipe_templates.patterns.suppressions import suppress

PROCESSOR_PERMISSION = "LambdaInvokePermission"


def add_invoke_permission(
    scope: Scope, function: Function, *, service: str, source_arn: Value, title: str = PROCESSOR_PERMISSION
) -> awslambda.Permission:
    """Allow `service` to invoke `function` for one resource.

    A bucket's ARN has no account: without `SourceAccount`, a later owner of the name could invoke the function. A
    rule's ARN has the account, and EventBridge cannot invoke a function whose permission has `SourceAccount`
    ("Troubleshooting Amazon EventBridge", Amazon EventBridge User Guide, read 2026-12).
    """
    account: dict[str, Any] = {} if service == "events.amazonaws.com" else {"SourceAccount": AccountId}
    permission = awslambda.Permission(
        title,
        Action="lambda:InvokeFunction",
        FunctionName=function.name,
        Principal=service,
        **account,
        SourceArn=source_arn,
    )
    if isinstance(source_arn, Sub):
        suppress(permission, accepted.PERMISSION_BY_NAME)
    return scope.add(permission)
