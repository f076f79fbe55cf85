"""Who may invoke a function: always one resource of this account."""

from __future__ import annotations

from troposphere import AccountId, awslambda

from imgpipe_templates.core.handles import Function
from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.stack import Scope

PROCESSOR_PERMISSION = "LambdaInvokePermission"


def add_invoke_permission(
    scope: Scope, function: Function, *, service: str, source_arn: Value, title: str = PROCESSOR_PERMISSION
) -> awslambda.Permission:
    """Let `service` invoke `function` on behalf of one resource.

    A bucket's ARN names no account: without `SourceAccount` whoever takes over the name could invoke the function.
    """
    return scope.add(
        awslambda.Permission(
            title,
            Action="lambda:InvokeFunction",
            FunctionName=function.name,
            Principal=service,
            SourceAccount=AccountId,
            SourceArn=source_arn,
        )
    )
