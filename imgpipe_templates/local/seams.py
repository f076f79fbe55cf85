"""The engine's private names, each asserted before anything is changed, here and in the other two seam modules.

MiniStack has no extension points for what is done here, so its version is pinned exactly; a new version is adopted by
running the tests, which fail on the seam that moved. What is closed, and what stays open, is listed in docs/local.md.
"""

# ruff: noqa: SLF001 - private names are what this module is about, and check_seams asserts every one

from __future__ import annotations

import asyncio
import fnmatch
import hashlib
import importlib
import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.errors import LocalEngineError
from imgpipe_templates.local import deliveries, metrics, permissions, seam_events, seam_resources
from imgpipe_templates.local.calls import CallLog
from imgpipe_templates.local.environment import Function
from imgpipe_templates.local.installation import VERSION, check_installed
from imgpipe_templates.local.pool import EnvironmentPool

_LAMBDA = "ministack.services.lambda_svc"
_METRICS = "ministack.services.cloudwatch"
_STACKS = "ministack.services.cloudformation.stacks"
_PROVISIONERS = "ministack.services.cloudformation.provisioners"
_ACTIONS = "ministack.core.iam_actions"
_APIS = "ministack.services.apigateway"
_EVENTBRIDGE = "ministack.services.eventbridge"
_QUEUES = "ministack.services.sqs"
_BUCKETS = "ministack.services.s3"
_SCOPE = "ministack.core.responses"
_EVALUATOR = "ministack.core.iam_evaluator"
_API_SERVICE = "apigateway.amazonaws.com"


@dataclass(frozen=True)
class Seam:
    """A private name and the parameters it had when this was written.

    Attributes:
        parameters: None for something that is not called; "..." stands for any others.
    """

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
    Seam(_LAMBDA, "_get_func_record_for_ref", ("function_ref",)),
    Seam(_LAMBDA, "_execution_record_for_config", ("func", "config")),
    Seam(_LAMBDA, "_run_sqs_batch", ("esm", "func_rec", "event", "batch", "queue_url", "queue_name")),
    Seam(_LAMBDA, "_esm_wake", None),
    Seam(_QUEUES, "_queues", None),
    Seam(_QUEUES, "_queues_lock", None),
    Seam(_QUEUES, "_dlq_sweep", ("q",)),
    Seam(_QUEUES, "_delete_messages_for_esm", ("queue_url", "receipt_handles")),
    Seam(_QUEUES, "queue_policy_allows", ("queue_arn", "service", "source_arn", "source_account")),
    Seam(_EVENTBRIDGE, "_dispatch_event", ("event", "view")),
    Seam(_EVENTBRIDGE, "_invoke_target", ("target", "event", "rule", "view")),
    Seam(_EVENTBRIDGE, "_dispatch_to_lambda", ("arn", "payload")),
    Seam(_APIS, "_integrations", None),
    Seam(_SCOPE, "get_account_id", ()),
    Seam(_SCOPE, "get_region", ()),
    Seam("ministack.services.backup", "_create_selection", ("plan_id", "body")),
    Seam("ministack.services.backup", "_delete_selection", ("plan_id", "selection_id")),
    Seam("ministack.services.budgets", "_create_budget", ("data",)),
    Seam("ministack.services.budgets", "_delete_budget", ("data",)),
    Seam("ministack.core.lambda_runtime", "execution_credentials", ("config",)),
    Seam(_ACTIONS, "request_tag_context", ("service", "iam_action", "body", "params")),
    Seam(_EVALUATOR, "enforce", ("access_key_id", "iam_action", "service", "region", "resource_arn", "...")),
    Seam(_EVALUATOR, "caller_arn", ()),
    Seam(_EVALUATOR, "fnmatch_iam_cs", ("value", "pattern")),
    Seam(_EVALUATOR, "_fnmatch_compile", ("pattern", "ignore_case")),
    Seam(_METRICS, "record_metric", ("namespace", "metric_name", "value", "unit", "dimensions")),
    Seam(_METRICS, "_evaluate_all_alarms", ()),
    Seam(_METRICS, "_evaluate_alarm", ("alarm",)),
    Seam(_METRICS, "_dims_key", ("dims",)),
    Seam(_METRICS, "_dims_from_list", ("dimensions",)),
    Seam(_METRICS, "_metrics", None),
    Seam("ministack.services.dynamodb", "_tables", None),
    Seam(_BUCKETS, "_buckets", None),
    Seam(_BUCKETS, "_bucket_has_versions", ("name",)),
    Seam(_BUCKETS, "_fire_s3_event", ("bucket_name", "key", "event_name", "...", "version_id", "...")),
    Seam(_APIS, "_invoke_lambda_proxy", ("integration", "api_id", "stage", "path", "method", "...")),
    Seam(_STACKS, "_runs_on_worker_thread", ("resource_type",)),
    Seam(_PROVISIONERS, "_RESOURCE_HANDLERS", None),
    Seam(
        _PROVISIONERS,
        "_update_resource",
        ("resource_type", "physical_id", "old_props", "new_props", "stack_name", "logical_id", "old_attrs"),
    ),
    Seam("ministack.services.cloudformation", "_stacks", None),
    *(
        Seam(module, seam_resources.EVALUATE_CONDITIONS, ("template", "params"))
        for module in seam_resources.CONDITION_MODULES
    ),
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
        if seam.parameters is None:
            continue
        given = tuple(inspect.signature(found).parameters)
        if not fnmatch.fnmatchcase(" ".join(given), " ".join(seam.parameters).replace("...", "*")):
            raise LocalEngineError(
                f"local engine: {seam.module}.{seam.name}: takes ({', '.join(given)});"
                f" expected ({', '.join(seam.parameters)}), as in {VERSION}"
            )


@dataclass(frozen=True)
class Records:
    """What the engine notes while it works: events on their way to functions, and calls of roles."""

    journal: deliveries.Journal
    calls: CallLog


def install(pool: EnvironmentPool, client: Callable[..., Any], records: Records, retry_base_seconds: float) -> None:
    """Close the engine's gaps. Call `check_seams` first.

    Args:
        pool: Runs the functions.
        client: boto3 client of the engine itself: service name, and credentials if they are not root's.
        records: Where deliveries and calls are noted.
        retry_base_seconds: Wait before the first retry of an asynchronous invocation, and until a queue hands out a
            failed message again.
    """
    _run_functions_in(pool)
    asker = permissions.Asker(client, records.calls)
    seam_events.install(records.journal, client, retry_base_seconds)
    seam_resources.install(client, asker)
    _note_calls(records.calls)
    _add_condition_keys()
    _let_wildcards_match_line_breaks()
    _ask_before_apis_invoke(asker)
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


def _let_wildcards_match_line_breaks() -> None:
    """An object's key may have a line break, and `*` in a policy stands for any characters."""
    evaluator = _module(_EVALUATOR)
    engine_pattern = evaluator._fnmatch_compile

    def compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:  # noqa: FBT001 - its order
        found: re.Pattern[str] = engine_pattern(pattern, ignore_case)
        return re.compile(found.pattern, found.flags | re.DOTALL)

    evaluator._fnmatch_compile = compiled


def _note_calls(calls: CallLog) -> None:
    evaluator = _module(_EVALUATOR)
    engine_decision = evaluator.enforce

    def enforce(access_key_id: str, iam_action: str, service: str, region: str, *more: Any, **named: Any) -> Any:
        denied = engine_decision(access_key_id, iam_action, service, region, *more, **named)
        resource = named.get("resource_arn") or (more[0] if more else "*")
        calls.note(evaluator.caller_arn(), iam_action, resource, is_allowed=denied is None)
        return denied

    evaluator.enforce = enforce


def _ask_before_apis_invoke(asker: permissions.Asker) -> None:
    """An API invokes its function with the role of the integration, or with the function's own permission."""
    apis, functions = _module(_APIS), _module(_LAMBDA)
    engine_invocation = apis._invoke_lambda_proxy

    def may_invoke(integration: Mapping[str, Any], source: str) -> bool:
        arn = str(integration.get("integrationUri", ""))
        if role := integration.get("credentialsArn"):
            return asker.role_allows(role, "lambda:InvokeFunction", arn)
        record, config, _name = functions._get_func_record_for_ref(arn)
        if not record or not config:
            return True  # the engine says what is missing
        account, matches = config["FunctionArn"].split(":")[4], _module(_EVALUATOR).fnmatch_iam_cs
        return permissions.service_may_invoke(record.get("policy"), _API_SERVICE, source, account, matches)

    async def invoke(
        integration: Mapping[str, Any], api_id: str, stage: str, path: str, method: str, *more: Any, **named: Any
    ) -> Any:
        scope = _module(_SCOPE)
        source = f"arn:aws:execute-api:{scope.get_region()}:{scope.get_account_id()}:{api_id}/{stage}/{method}{path}"
        # On a thread of its own, for the question is asked of the engine itself.
        if not await asyncio.to_thread(may_invoke, integration, source):
            return 500, {"Content-Type": "application/json"}, b'{"message":"Internal Server Error"}'
        return await engine_invocation(integration, api_id, stage, path, method, *more, **named)

    apis._invoke_lambda_proxy = invoke


def _match_alarms_by_dimensions() -> None:
    cloudwatch = _module(_METRICS)
    engine_evaluation = cloudwatch._evaluate_alarm

    def evaluate(alarm: dict[str, Any]) -> None:
        dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions") or []))
        if (alarm.get("Namespace"), alarm.get("MetricName"), dimensions) in cloudwatch._metrics:
            engine_evaluation(alarm)

    cloudwatch._evaluate_alarm = evaluate
