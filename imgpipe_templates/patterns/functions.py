"""The house pattern for a Lambda function: log group, role, function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from awacs.aws import Statement
from troposphere import GetAtt, Ref, awslambda, logs

from imgpipe_templates import grants
from imgpipe_templates.core.handles import Function, Key, Queue
from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.parameters import CODE, ParameterSpec
from imgpipe_templates.core.stack import FunctionCode, LayerCode, Scope
from imgpipe_templates.core.upstream_gaps import FunctionLoggingConfig
from imgpipe_templates.patterns import accepted
from imgpipe_templates.patterns.roles import LAMBDA, FunctionDefaults, add_role
from imgpipe_templates.patterns.suppressions import suppress

# The root of every package holds an index.py that imports this from the function's own package.
HANDLER = "index.lambda_handler"

Runtime = Literal["python3.12", "python3.13", "python3.14"]
Architecture = Literal["arm64", "x86_64"]

# Amazon CloudWatch Logs API Reference, "PutRetentionPolicy", retentionInDays, read 2026-11.
LogRetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]  # fmt: skip


@dataclass(frozen=True)
class FunctionSettings:
    """What a function is given to run with.

    Attributes:
        runtime: Lambda's identifier of the runtime.
        architecture: The instruction set.
        timeout_seconds: How long one invocation may take.
        memory_mb: Memory, and with it CPU.
        log_retention_days: How long its logs are kept.
        reserved_concurrency: Concurrent invocations kept for it and allowed to it; None means no reservation.
        layers: ARNs of its layers; what its package requires is in them.
        extras: What its package requires beyond what it always does, such as `heic`.
    """

    runtime: Runtime
    architecture: Architecture
    timeout_seconds: int
    memory_mb: int
    log_retention_days: LogRetentionDays
    reserved_concurrency: int | None = None
    layers: tuple[Value, ...] = ()
    extras: tuple[str, ...] = ()


class Retries(NamedTuple):
    """What becomes of events that failed ("How Lambda handles errors", Lambda Developer Guide, read 2026-11).

    Attributes:
        attempts: How often a failed event is tried again.
        max_age_seconds: How long an event may wait before it counts as failed.
        with_error: Whether the queue gets the error with the event (a destination) or the event alone (dead letters).
    """

    attempts: int = 2
    max_age_seconds: int = 21_600
    with_error: bool = False


DEFAULT_RETRIES = Retries()


@dataclass(frozen=True)
class FunctionPlan:
    """What one function is, before anything of it is in a template.

    Attributes:
        name: Start of its logical ids: `<name>Function`, `<name>Role`, `<name>LogGroup`.
        package: The folder under `lambda/` with its source.
        description: What it is for, shown in the Lambda console.
        permissions: Statements of its role, in addition to writing logs.
        environment: Its variables.
        settings: Runtime, limits and log retention.
        services: Names of the services that use the pipeline's key for it, such as `s3`.
        dead_letters: Queue of the events that failed on every attempt; None if its caller waits for the response.
        retries: How failed events are tried again, and how they reach `dead_letters`.
        title: Its logical id, where that is another.
    """

    name: str
    package: str
    description: str
    permissions: Sequence[Statement]
    environment: Mapping[str, Value]
    settings: FunctionSettings
    services: tuple[str, ...] = ()
    dead_letters: Queue | None = None
    retries: Retries = DEFAULT_RETRIES
    title: str = ""


def add_function(scope: Scope, plan: FunctionPlan, shared: FunctionDefaults) -> Function:
    """Add a function that may write its own logs, do what `plan.permissions` lists, and nothing else."""
    name, settings = plan.name, plan.settings
    log_group = _add_log_group(scope, f"{name}LogGroup", settings.log_retention_days, shared.key)
    statements = _statements(plan, shared, GetAtt(log_group, "Arn"))
    accepted_of_policy = accepted.of_function_policy(statements) if shared.key else []
    role = add_role(scope, name, LAMBDA, plan.description, statements, shared, accepted=accepted_of_policy)
    code_key = _code_key(name, f"functions/{plan.package}.zip", f"{plan.package} package")
    function = awslambda.Function(
        plan.title or f"{name}Function",
        Architectures=[settings.architecture],
        Code=awslambda.Code(S3Bucket=scope.parameter(_code_bucket()), S3Key=scope.parameter(code_key)),
        Description=plan.description,
        Handler=HANDLER,
        LoggingConfig=FunctionLoggingConfig(LogFormat="JSON", LogGroup=Ref(log_group)),
        MemorySize=settings.memory_mb,
        Role=GetAtt(role, "Arn"),
        Runtime=settings.runtime,
        Timeout=settings.timeout_seconds,
    )
    _equip(function, plan)
    _place(function, shared)
    if shared.key:
        accepted_here = accepted.of_function(
            settings.runtime,
            network=shared.network is not None,
            reserved=settings.reserved_concurrency is not None,
            dead_letters=plan.dead_letters is not None,
        )
        suppress(function, *accepted_here)
    scope.stack.functions.append(
        FunctionCode(
            stack=scope.stack.name,
            function=str(function.title),
            package=plan.package,
            key_parameter=f"{name}CodeKey",
            runtime=settings.runtime,
            architecture=settings.architecture,
            dependencies="layer" if settings.layers else "package",
            extras=settings.extras,
        )
    )
    handle = Function.of(scope, function, role)
    if plan.dead_letters and plan.retries != DEFAULT_RETRIES:
        scope.add(_invoke_config(handle, plan.name, plan.retries, plan.dead_letters))
    return handle


def _invoke_config(function: Function, name: str, retries: Retries, queue: Queue) -> awslambda.EventInvokeConfig:
    config = awslambda.EventInvokeConfig(
        f"{name}InvokeConfig",
        FunctionName=function.name,
        MaximumEventAgeInSeconds=retries.max_age_seconds,
        MaximumRetryAttempts=retries.attempts,
        Qualifier="$LATEST",
    )
    if retries.with_error:
        config.DestinationConfig = awslambda.DestinationConfig(OnFailure=awslambda.OnFailure(Destination=queue.arn))
    return config


def _statements(plan: FunctionPlan, shared: FunctionDefaults, log_group_arn: Value) -> list[Statement]:
    """Return the role's statements: those of the function's code, and those for VPC, tracing and key."""
    statements = [grants.write_logs(log_group_arn), *plan.permissions]
    if plan.dead_letters:
        statements.append(grants.send_messages(plan.dead_letters))
    if shared.key and plan.services:
        statements.append(grants.use_key(shared.key, plan.services))
    if shared.network:
        statements.append(grants.attach_to_network())
    if shared.tracing:
        statements.append(grants.trace())
    return statements


def _equip(function: awslambda.Function, plan: FunctionPlan) -> None:
    """Set what only some functions have."""
    if plan.environment:
        function.Environment = awslambda.Environment(Variables=dict(plan.environment))
    # Also where only a queue feeds it: an event that is sent again by hand, asynchronously, ends there if it fails.
    if plan.dead_letters and not plan.retries.with_error:
        function.DeadLetterConfig = awslambda.DeadLetterConfig(TargetArn=plan.dead_letters.arn)
    if plan.settings.reserved_concurrency is not None:
        function.ReservedConcurrentExecutions = plan.settings.reserved_concurrency
    if plan.settings.layers:
        function.Layers = list(plan.settings.layers)


def _place(function: awslambda.Function, shared: FunctionDefaults) -> None:
    """Set what all functions of a pipeline share."""
    if shared.key:
        function.KmsKeyArn = shared.key.arn
    if shared.tracing:
        function.TracingConfig = awslambda.TracingConfig(Mode="Active")
    if shared.network:
        function.VpcConfig = awslambda.VPCConfig(
            SecurityGroupIds=[shared.network.security_group_id], SubnetIds=shared.network.subnet_ids
        )


def _add_log_group(scope: Scope, title: str, retention_days: int, key: Key | None) -> logs.LogGroup:
    group = logs.LogGroup(title, RetentionInDays=retention_days)
    if key:
        group.KmsKeyId = key.arn
    # A log group that outlives its stack keeps its name taken, and the next creation fails on it.
    group.DeletionPolicy = "Delete"
    group.UpdateReplacePolicy = "Delete"
    return scope.add(group)


def add_layer(scope: Scope, title: str, package: str, settings: FunctionSettings) -> Value:
    """Add the layer that holds what `package` requires; return its ARN, which names the version.

    Args:
        scope: Where it goes.
        title: Its logical id.
        package: The folder under `lambda/` with the requirements.
        settings: Runtime and architecture that its native code is for, and what is required beyond the usual.
    """
    key = scope.parameter(_code_key(title, f"layers/{package}.zip", f"{package} layer"))
    layer = awslambda.LayerVersion(
        title,
        CompatibleArchitectures=[settings.architecture],
        CompatibleRuntimes=[settings.runtime],
        Content=awslambda.Content(S3Bucket=scope.parameter(_code_bucket()), S3Key=key),
        Description=f"What the package {package} requires",
    )
    scope.stack.layers.append(
        LayerCode(
            stack=scope.stack.name,
            layer=title,
            package=package,
            key_parameter=f"{title}CodeKey",
            runtime=settings.runtime,
            architecture=settings.architecture,
            extras=settings.extras,
        )
    )
    return Ref(scope.add(layer))


def existing_layer(scope: Scope, title: str) -> Value:
    """The ARN of a layer version that the deployment names."""
    return scope.parameter(
        ParameterSpec(
            f"{title}Arn",
            CODE,
            "Layer with Pillow",
            {
                "Type": "String",
                "Description": "ARN of a layer version with Pillow for this runtime and architecture",
                "AllowedPattern": "^arn:[a-z-]+:lambda:.+:layer:.+:[0-9]+$",
                "ConstraintDescription": "must be the ARN of a layer version",
            },
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


def _code_key(name: str, file: str, label: str) -> ParameterSpec:
    return ParameterSpec(
        f"{name}CodeKey",
        CODE,
        f"Object key of the {label}",
        {
            "Type": "String",
            "Description": f"Object key of {file} in that bucket; a new key for every new content",
            "MinLength": 1,
            "MaxLength": 1024,
        },
    )
