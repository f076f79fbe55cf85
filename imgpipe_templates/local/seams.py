"""The one place that reaches into the engine's private names, each asserted before anything is changed.

MiniStack has no extension points for what is done here, so its version is pinned exactly; a new version is adopted by
running the tests, which fail on the seam that moved. What is closed, and what stays open, is listed in docs/local.md.
"""

# ruff: noqa: SLF001 - private names are what this module is about, and check_seams asserts every one

from __future__ import annotations

import contextvars
import hashlib
import importlib
import inspect
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.errors import LocalEngineError
from imgpipe_templates.local import deliveries, metrics, permissions, properties
from imgpipe_templates.local.environment import Function
from imgpipe_templates.local.installation import VERSION, check_installed
from imgpipe_templates.local.pool import EnvironmentPool

_LAMBDA = "ministack.services.lambda_svc"
_METRICS = "ministack.services.cloudwatch"
_STACKS = "ministack.services.cloudformation.stacks"
_PROVISIONERS = "ministack.services.cloudformation.provisioners"
_ACTIONS = "ministack.core.iam_actions"


@dataclass(frozen=True)
class Seam:
    """A private name and the parameters it had when this was written; None for something that is not called."""

    module: str
    name: str
    parameters: tuple[str, ...] | None


SEAMS = (
    Seam("ministack.app", "app", ("scope", "receive", "send")),
    Seam("ministack.app", "main", ()),
    Seam(_LAMBDA, "_execute_function_warm", ("func", "event", "request_id")),
    Seam(_LAMBDA, "_execute_function", ("func", "event")),
    Seam(_LAMBDA, "_emit_lambda_metrics", ("function_name", "duration_ms", "error", "throttle")),
    Seam(_LAMBDA, "invoke_async_with_retry", ("func", "event")),
    Seam(_LAMBDA, "_reserved_concurrency", ("func", "config")),
    Seam(_LAMBDA, "_route_async_failure", ("target_arn", "func_name", "event", "result")),
    Seam(_LAMBDA, "_resolve_layer_zip", ("attachment",)),
    Seam(_LAMBDA, "_functions", None),
    Seam("ministack.core.lambda_runtime", "execution_credentials", ("config",)),
    Seam(_ACTIONS, "request_tag_context", ("service", "iam_action", "body", "params")),
    Seam("ministack.core.iam_evaluator", "fnmatch_iam_cs", ("value", "pattern")),
    Seam(_METRICS, "record_metric", ("namespace", "metric_name", "value", "unit", "dimensions")),
    Seam(_METRICS, "_evaluate_all_alarms", ()),
    Seam(_METRICS, "_evaluate_alarm", ("alarm",)),
    Seam(_METRICS, "_dims_key", ("dims",)),
    Seam(_METRICS, "_dims_from_list", ("dimensions",)),
    Seam(_METRICS, "_metrics", None),
    Seam("ministack.services.dynamodb", "_tables", None),
    Seam("ministack.services.s3", "_buckets", None),
    Seam("ministack.services.s3", "_bucket_has_versions", ("name",)),
    Seam(_STACKS, "_runs_on_worker_thread", ("resource_type",)),
    Seam(_PROVISIONERS, "_RESOURCE_HANDLERS", None),
)


def check_seams(seams: tuple[Seam, ...] = SEAMS) -> None:
    """Make sure that the engine is the one this was written for.

    Raises:
        LocalEngineError: Another version is installed, or a private name is gone or takes other parameters.
    """
    check_installed()
    for seam in seams:
        found = getattr(importlib.import_module(seam.module), seam.name, None)
        if found is None:
            raise LocalEngineError(f"local engine: {seam.module}.{seam.name}: is gone; expected as in {VERSION}")
        if seam.parameters is not None and (given := tuple(inspect.signature(found).parameters)) != seam.parameters:
            raise LocalEngineError(
                f"local engine: {seam.module}.{seam.name}: takes ({', '.join(given)});"
                f" expected ({', '.join(seam.parameters)}), as in {VERSION}"
            )


def install(
    pool: EnvironmentPool, client: Callable[..., Any], journal: deliveries.Journal, retry_base_seconds: float
) -> None:
    """Close the engine's gaps. Call `check_seams` first.

    Args:
        pool: Runs the functions.
        client: boto3 client of the engine itself: service name, and credentials if they are not root's.
        journal: Where asynchronous deliveries are noted.
        retry_base_seconds: Wait before the first retry of an asynchronous invocation.
    """
    _run_functions_in(pool)
    _AsynchronousInvoker(client, journal, retry_base_seconds).install()
    _add_condition_keys()
    _keep_properties(client)
    _refuse_to_delete_full_buckets()
    _match_alarms_by_dimensions()


def _module(name: str) -> Any:
    return importlib.import_module(name)


def _run_functions_in(pool: EnvironmentPool) -> None:
    functions, cloudwatch = _module(_LAMBDA), _module(_METRICS)
    engine_executor, engine_metrics = functions._execute_function_warm, functions._emit_lambda_metrics

    def execute(func: dict[str, Any], event: object, request_id: str) -> dict[str, Any]:
        config = func.get("config") or func
        if not func.get("code_zip") or not pool.runs(config.get("Runtime", "")):
            result: dict[str, Any] = engine_executor(func, event, request_id)
            return result
        layers = [functions._resolve_layer_zip(layer) for layer in config.get("Layers") or []]
        packages = {"task": [func["code_zip"]], "opt": [layer for layer in layers if layer]}
        outcome = pool.run(_function(config), _state(config), packages, json.dumps(event).encode(), request_id)
        engine_metrics(config["FunctionName"], outcome.duration_ms, outcome.is_error, False)  # noqa: FBT003 - its order
        for datum in metrics.embedded_metrics(outcome.log):
            cloudwatch.record_metric(datum.namespace, datum.name, datum.value, datum.unit, dict(datum.dimensions))
        cloudwatch._evaluate_all_alarms()
        return {"body": _decoded(outcome.body), "log": outcome.log, "log_source": "rie", "error": outcome.is_error}

    def emit(function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:  # noqa: FBT001 - its order
        # The engine calls this for the Invoke API only; `execute` above counts every invocation instead.
        if throttle:
            engine_metrics(function_name, duration_ms, error, throttle)
            cloudwatch._evaluate_all_alarms()

    functions._execute_function_warm = execute
    functions._emit_lambda_metrics = emit


def _function(config: Mapping[str, Any]) -> Function:
    logging = config.get("LoggingConfig") or {}
    return Function(
        name=config["FunctionName"],
        arn=config["FunctionArn"],
        version=config.get("Version", "$LATEST"),
        runtime=config["Runtime"],
        handler=config["Handler"],
        timeout_seconds=int(config["Timeout"]),
        memory_mb=int(config["MemorySize"]),
        log_group=logging.get("LogGroup") or f"/aws/lambda/{config['FunctionName']}",
        log_format=logging.get("LogFormat") or "Text",
        log_level=logging.get("ApplicationLogLevel") or "",
        variables={k: str(v) for k, v in ((config.get("Environment") or {}).get("Variables") or {}).items()},
        credentials=_module("ministack.core.lambda_runtime").execution_credentials(config),
    )


def _state(config: Mapping[str, Any]) -> str:
    """Changes with code and configuration, but not with what the engine notes about deployments."""
    notes = {"RevisionId", "LastModified", "State", "LastUpdateStatus"}
    kept = {key: value for key, value in config.items() if not key.startswith(tuple(notes))}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


class _AsynchronousInvoker:
    """Takes the place of the engine's own retries, which count throttled attempts and send no raw dead letters."""

    def __init__(self, client: Callable[..., Any], journal: deliveries.Journal, retry_base_seconds: float) -> None:
        self._client = client
        self._journal = journal
        self._retry_base_seconds = retry_base_seconds
        self._functions = _module(_LAMBDA)
        self._cloudwatch = _module(_METRICS)

    def install(self) -> None:
        self._functions.invoke_async_with_retry = self._invoke

    def _invoke(self, func: dict[str, Any], event: Any) -> None:
        config = func.get("config") or func
        delivery = self._journal.open(config["FunctionName"], event)
        account = config["FunctionArn"].split(":")[4]
        policy = (self._functions._functions.get(config["FunctionName"]) or func).get("policy")
        matches = _module("ministack.core.iam_evaluator").fnmatch_iam_cs
        for item in delivery.objects:
            if not permissions.bucket_may_invoke(policy, item.bucket, account, matches):
                delivery.error = f"no permission lets bucket {item.bucket} invoke {config['FunctionName']}"
                delivery.state = "refused"
                return
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._run, func, config, event, delivery), daemon=True).start()

    def _run(self, func: dict[str, Any], config: dict[str, Any], event: Any, delivery: deliveries.Delivery) -> None:
        try:
            delivery.state = self._deliver(func, config, event, delivery)
        except Exception as fault:  # noqa: BLE001 - a package that cannot be unpacked, say: whoever waits must hear of it
            delivery.error = f"{type(fault).__name__}: {fault}"
            delivery.state = "failed"

    def _deliver(self, func: dict[str, Any], config: dict[str, Any], event: Any, delivery: deliveries.Delivery) -> str:
        invoke_config = func.get("event_invoke_config") or (func.get("event_invoke_configs") or {}).get("$LATEST") or {}
        reserved = self._functions._reserved_concurrency(func, config)
        retry = deliveries.RetryPolicy.of(invoke_config, reserved, self._retry_base_seconds)
        failure = deliveries.deliver(delivery, retry, lambda: self._functions._execute_function(func, event))
        if failure is None:
            return "succeeded"
        destination = (invoke_config.get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination")
        if destination:
            self._functions._route_async_failure(destination, config["FunctionName"], event, failure)
            delivery.dead_letter = destination
        elif target := (config.get("DeadLetterConfig") or {}).get("TargetArn"):
            self._bury(config, target, event, delivery)
        return "failed"

    def _bury(self, config: dict[str, Any], target: str, event: Any, delivery: deliveries.Delivery) -> None:
        credentials = _module("ministack.core.lambda_runtime").execution_credentials(config)
        try:
            deliveries.send_dead_letter(target, event, delivery, lambda service: self._client(service, credentials))
        except Exception as refusal:  # noqa: BLE001 - as on AWS the event is lost and only a metric tells
            delivery.error += f"; not sent to the dead-letter queue: {refusal}"
            name = {"FunctionName": config["FunctionName"]}
            self._cloudwatch.record_metric("AWS/Lambda", "DeadLetterErrors", 1, "Count", name)
        else:
            self._count_messages(target)
        self._cloudwatch._evaluate_all_alarms()

    def _count_messages(self, target: str) -> None:
        """Give the alarm of a dead-letter queue its metric, which Amazon SQS would send and the engine does not."""
        if target.split(":")[2] != "sqs":
            return
        sqs, wanted = self._client("sqs"), "ApproximateNumberOfMessages"
        answer = sqs.get_queue_attributes(QueueUrl=deliveries.queue_url(sqs, target), AttributeNames=[wanted])
        count, name = float(answer["Attributes"][wanted]), {"QueueName": target.rsplit(":", 1)[-1]}
        self._cloudwatch.record_metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", count, "Count", name)


def _add_condition_keys() -> None:
    actions = _module(_ACTIONS)
    engine_context = actions.request_tag_context

    def hash_key_of(table: str) -> str | None:
        schema = (_module("ministack.services.dynamodb")._tables.get(table) or {}).get("KeySchema") or []
        return next((key["AttributeName"] for key in schema if key["KeyType"] == "HASH"), None)

    def context(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        known: dict[str, Any] = engine_context(service, iam_action, body, params)
        if iam_action == "cloudwatch:PutMetricData" and (namespace := permissions.metric_namespace(body)):
            known["cloudwatch:namespace"] = namespace
        if service == "dynamodb" and (key := permissions.leading_key(iam_action.split(":")[1], body, hash_key_of)):
            known["dynamodb:LeadingKeys"] = [key]
        return known

    actions.request_tag_context = context


def _keep_properties(client: Callable[..., Any]) -> None:
    handlers, stacks = _module(_PROVISIONERS)._RESOURCE_HANDLERS, _module(_STACKS)
    blocks = stacks._runs_on_worker_thread

    def wrap(kind: str) -> None:
        create, update = handlers[kind]["create"], handlers[kind]["update"]

        def created(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
            result = create(logical_id, props, stack_name)
            try:
                properties.put_back(kind, result[0], props, {}, client)
            except Exception:  # the service refused a value: the resource was never created
                handlers[kind]["delete"](result[0], props)
                raise
            return result

        def updated(physical_id: str, old: dict[str, Any], new: dict[str, Any], *names: str) -> Any:
            result = update(physical_id, old, new, *names)
            properties.put_back(kind, result[0], new, old if result[0] == physical_id else {}, client)
            return result

        handlers[kind] = {**handlers[kind], "create": created, "update": updated}

    for kind in properties.PUT_BACK:
        wrap(kind)
    # Speaking to the engine from its own event loop would wait for ever.
    stacks._runs_on_worker_thread = lambda resource_type: resource_type in properties.PUT_BACK or blocks(resource_type)


def _refuse_to_delete_full_buckets() -> None:
    handlers, s3 = _module(_PROVISIONERS)._RESOURCE_HANDLERS, _module("ministack.services.s3")
    delete = handlers["AWS::S3::Bucket"]["delete"]

    def refuse_or_delete(physical_id: str, props: dict[str, Any]) -> Any:
        if (s3._buckets.get(physical_id) or {}).get("objects") or s3._bucket_has_versions(physical_id):
            message = f"The bucket you tried to delete is not empty (Service: S3, Status Code: 409): {physical_id}"
            raise ValueError(message)
        return delete(physical_id, props)

    handlers["AWS::S3::Bucket"] = {**handlers["AWS::S3::Bucket"], "delete": refuse_or_delete}


def _match_alarms_by_dimensions() -> None:
    cloudwatch = _module(_METRICS)
    engine_evaluation = cloudwatch._evaluate_alarm

    def evaluate(alarm: dict[str, Any]) -> None:
        dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions") or []))
        if (alarm.get("Namespace"), alarm.get("MetricName"), dimensions) in cloudwatch._metrics:
            engine_evaluation(alarm)

    cloudwatch._evaluate_alarm = evaluate
