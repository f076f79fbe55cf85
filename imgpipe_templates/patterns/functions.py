"""The house pattern for a Lambda function: log group, role, function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from awacs.aws import PolicyDocument, Statement
from awacs.helpers.trust import get_lambda_assumerole_policy
from troposphere import GetAtt, Ref, awslambda, iam, logs

from imgpipe_templates import grants
from imgpipe_templates.core.handles import Function, Queue
from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.parameters import CODE, ParameterSpec
from imgpipe_templates.core.records import record
from imgpipe_templates.core.stack import FunctionCode, Scope
from imgpipe_templates.core.upstream_gaps import FunctionLoggingConfig

# The root of every package holds an index.py that imports this from the function's own package.
HANDLER = "index.lambda_handler"

Runtime = Literal["python3.12", "python3.13", "python3.14"]
Architecture = Literal["arm64", "x86_64"]

# Amazon CloudWatch Logs API Reference, "PutRetentionPolicy", retentionInDays, read 2026-11.
LogRetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]  # fmt: skip


@record
class FunctionSettings:
    """What a function is given to run with.

    Attributes:
        runtime: Lambda's identifier of the runtime.
        architecture: The instruction set.
        timeout_seconds: How long one invocation may take.
        memory_mb: Memory, and with it CPU.
        log_retention_days: How long its logs are kept.
        reserved_concurrency: Concurrent invocations kept for it and allowed to it; None means no reservation.
    """

    runtime: Runtime
    architecture: Architecture
    timeout_seconds: int
    memory_mb: int
    log_retention_days: LogRetentionDays
    reserved_concurrency: int | None = None


def add_function(
    scope: Scope,
    name: str,
    *,
    package: str,
    description: str,
    may: Sequence[Statement],
    environment: Mapping[str, Value],
    settings: FunctionSettings,
    dead_letters: Queue,
) -> Function:
    """Add a function that may write its own logs, do what `may` lists, and nothing else.

    Args:
        scope: Where it goes.
        name: Start of the logical ids: `<name>Function`, `<name>Role`, `<name>LogGroup`.
        package: The folder under `lambda/` with its source.
        description: What it is for, shown in the Lambda console.
        may: What its role allows besides writing logs.
        environment: Its variables.
        settings: Runtime, limits and log retention.
        dead_letters: Takes the events that failed on every attempt.
    """
    log_group = _add_log_group(scope, f"{name}LogGroup", settings.log_retention_days)
    statements = [grants.write_logs(GetAtt(log_group, "Arn")), *may, grants.send_messages(dead_letters)]
    role = _add_role(scope, name, description, statements)
    code_bucket = scope.parameter(_code_bucket())
    code_key = scope.parameter(_code_key(name, package))
    function = awslambda.Function(
        f"{name}Function",
        Architectures=[settings.architecture],
        Code=awslambda.Code(S3Bucket=code_bucket, S3Key=code_key),
        DeadLetterConfig=awslambda.DeadLetterConfig(TargetArn=dead_letters.arn),
        Description=description,
        Environment=awslambda.Environment(Variables=dict(environment)),
        Handler=HANDLER,
        LoggingConfig=FunctionLoggingConfig(LogFormat="JSON", LogGroup=Ref(log_group)),
        MemorySize=settings.memory_mb,
        Role=GetAtt(role, "Arn"),
        Runtime=settings.runtime,
        Timeout=settings.timeout_seconds,
    )
    if settings.reserved_concurrency is not None:
        function.ReservedConcurrentExecutions = settings.reserved_concurrency
    scope.stack.functions.append(
        FunctionCode(str(function.title), package, f"{name}CodeKey", settings.runtime, settings.architecture)
    )
    return Function.of(scope, function)


def _add_log_group(scope: Scope, title: str, retention_days: int) -> logs.LogGroup:
    group = logs.LogGroup(title, RetentionInDays=retention_days)
    # A log group that outlives its stack keeps its name taken, and the next creation fails on it.
    group.DeletionPolicy = "Delete"
    group.UpdateReplacePolicy = "Delete"
    return scope.add(group)


def _add_role(scope: Scope, name: str, description: str, statements: list[Statement]) -> iam.Role:
    return scope.add(
        iam.Role(
            f"{name}Role",
            AssumeRolePolicyDocument=get_lambda_assumerole_policy(),
            Description=description,
            Policies=[
                iam.Policy(
                    PolicyName=scope.names.value(f"{name}Policy"),
                    PolicyDocument=PolicyDocument(Version="2012-10-17", Statement=statements),
                )
            ],
        )
    )


def _code_bucket() -> ParameterSpec:
    return ParameterSpec(
        "CodeBucket",
        CODE,
        "Bucket with the function packages",
        {
            "Type": "String",
            "Description": "Bucket in this Region that holds the function packages",
            "MinLength": 3,
            "MaxLength": 63,
        },
    )


def _code_key(name: str, package: str) -> ParameterSpec:
    return ParameterSpec(
        f"{name}CodeKey",
        CODE,
        f"Object key of the {package} package",
        {
            "Type": "String",
            "Description": f"Object key of functions/{package}.zip in that bucket; a new key for every new content",
            "MinLength": 1,
            "MaxLength": 1024,
        },
    )
