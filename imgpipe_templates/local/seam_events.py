"""Seams of events: what S3, EventBridge and queues tell functions is delivered as on AWS, and noted in a journal.

Reaches into the engine's private names, which seams.check_seams asserts.
"""

# ruff: noqa: SLF001 - see the module's description

from __future__ import annotations

import contextvars
import importlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from imgpipe_templates.local import batches, deliveries, permissions

# A message of a queue without dead-letter queue comes back until it expires, after days: told as failed after this.
_ATTEMPTS_WITHOUT_DEAD_LETTERS = 3
_REPORTED = "the function reported the message as failed"

_object_version: contextvars.ContextVar[str] = contextvars.ContextVar("object_version", default="")


def install(journal: deliveries.Journal, client: Callable[..., Any], retry_base_seconds: float) -> None:
    """Deliver events through `journal`.

    Args:
        journal: Where deliveries are noted.
        client: boto3 client of the engine itself: service name, and credentials if they are not root's.
        retry_base_seconds: Wait before the first retry of an asynchronous invocation, and until a queue hands out a
            failed message again.
    """
    metrics = _QueueMetrics(client)
    invoker = _AsynchronousInvoker(client, journal, metrics, retry_base_seconds)
    functions = _module("ministack.services.lambda_svc")
    functions.invoke_async_with_retry = invoker.invoke
    functions._run_sqs_batch = _QueueReader(journal, metrics, retry_base_seconds).run_batch
    _tell_versions_to_eventbridge()
    _EventBridge(invoker, journal).install()


def _module(name: str) -> Any:
    return importlib.import_module(name)


def _permits(function: str, service: str, source: str, account: str) -> bool:
    """Whether the function's resource policy lets a service invoke it."""
    known = _module("ministack.services.lambda_svc")._functions.get(function) or {}
    matches = _module("ministack.core.iam_evaluator").fnmatch_iam_cs
    return permissions.service_may_invoke(known.get("policy"), service, source, account, matches)


class _QueueMetrics:
    """Gives the alarms of dead-letter queues their metric, which Amazon SQS would send and the engine does not."""

    def __init__(self, client: Callable[..., Any]) -> None:
        self._client = client
        self._cloudwatch = _module("ministack.services.cloudwatch")

    def count(self, arn: str) -> None:
        if arn.split(":")[2] == "sqs":
            sqs, wanted = self._client("sqs"), "ApproximateNumberOfMessages"
            answer = sqs.get_queue_attributes(QueueUrl=deliveries.queue_url(sqs, arn), AttributeNames=[wanted])
            count, name = float(answer["Attributes"][wanted]), {"QueueName": arn.rsplit(":", 1)[-1]}
            self._cloudwatch.record_metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", count, "Count", name)
        self._cloudwatch._evaluate_all_alarms()

    def count_lost(self, function: str) -> None:
        self._cloudwatch.record_metric("AWS/Lambda", "DeadLetterErrors", 1, "Count", {"FunctionName": function})
        self._cloudwatch._evaluate_all_alarms()


class _AsynchronousInvoker:
    """Takes the place of the engine's own retries, which count throttled attempts and send no raw dead letters."""

    def __init__(
        self, client: Callable[..., Any], journal: deliveries.Journal, metrics: _QueueMetrics, retry_base_seconds: float
    ) -> None:
        self._client = client
        self._journal = journal
        self._metrics = metrics
        self._retry_base_seconds = retry_base_seconds
        self._functions = _module("ministack.services.lambda_svc")

    def invoke(self, func: dict[str, Any], event: Any) -> None:
        """Deliver what S3, SNS or a caller sends."""
        config = func.get("config") or func
        name, account = config["FunctionName"], config["FunctionArn"].split(":")[4]
        if deliveries.is_s3_notification(event):
            for item in deliveries.objects_of(event):
                if not _permits(name, "s3.amazonaws.com", f"arn:aws:s3:::{item.bucket}", account):
                    reason = f"no permission lets bucket {item.bucket} invoke {name}"
                    self._journal.open(name, event, refused=reason)
                    return
        self.start(func, event)

    def start(self, func: dict[str, Any], event: Any) -> None:
        """Deliver what is permitted."""
        config = func.get("config") or func
        delivery = self._journal.open(config["FunctionName"], event)
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
        execute = self._functions._execute_function
        failure = deliveries.deliver(delivery, retry, lambda: execute(func, event))
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
            self._metrics.count_lost(config["FunctionName"])
        else:
            self._metrics.count(target)


class _QueueReader:
    """What an event source mapping does with a batch; a failed message comes back at once, not after its timeout."""

    def __init__(self, journal: deliveries.Journal, metrics: _QueueMetrics, retry_seconds: float) -> None:
        self._journal = journal
        self._metrics = metrics
        self._retry_seconds = retry_seconds
        self._functions = _module("ministack.services.lambda_svc")
        self._sqs = _module("ministack.services.sqs")

    def run_batch(
        self,
        esm: dict[str, Any],
        func_rec: dict[str, Any],
        event: dict[str, Any],
        batch: Sequence[dict[str, Any]],
        queue_url: str,
        queue_name: str,  # noqa: ARG002 - the engine's signature
    ) -> None:
        """Run the function for a batch and settle each of its messages."""
        noted = {one["id"]: self._journal.of_message(esm["FunctionName"], one["id"], one["body"]) for one in batch}
        try:
            result = self._functions._execute_function(func_rec, event)
        except Exception as fault:  # noqa: BLE001 - a package that cannot be unpacked, say: whoever waits must hear of it
            result = {"error": True, "body": {"errorType": type(fault).__name__, "errorMessage": str(fault)}}
        if result.get("error") or result.get("throttle"):
            failed, error = set(noted), deliveries.error_text(result.get("body"))
        else:
            reports = "ReportBatchItemFailures" in (esm.get("FunctionResponseTypes") or [])
            failed = batches.failed_messages(list(noted), result.get("body"), reports_failures=reports)
            error = _REPORTED
        esm["LastProcessingResult"] = f"{len(batch) - len(failed)} of {len(batch)} records processed"
        done = {one["receipt_handle"] for one in batch if one["id"] not in failed}
        self._sqs._delete_messages_for_esm(queue_url, done)
        for message_id, delivery in noted.items():
            is_failed = message_id in failed
            delivery.note_attempt(error if is_failed else "", result.get("log", ""))
            delivery.state = "waiting" if is_failed else "succeeded"
        if failed:
            self._return(queue_url, [one for one in batch if one["id"] in failed], noted)

    def _return(
        self, queue_url: str, failed: Sequence[dict[str, Any]], noted: Mapping[str, deliveries.Delivery]
    ) -> None:
        with self._sqs._queues_lock:
            queue = self._sqs._queues.get(queue_url)
            if queue is None:
                return
            limit, dead_letters = batches.redrive(queue["attributes"])
            spent = [one for one in failed if one["receive_count"] >= (limit or _ATTEMPTS_WITHOUT_DEAD_LETTERS)]
            for message in failed:
                now_or_later = 0 if limit and message in spent else self._retry_seconds
                message["visible_at"] = time.time() + now_or_later
            self._sqs._dlq_sweep(queue)
        if spent and dead_letters:
            self._metrics.count(dead_letters)
        for message in spent:
            delivery = noted[message["id"]]
            delivery.dead_letter = dead_letters or queue["attributes"]["QueueArn"]
            delivery.state = "failed"
        wake = threading.Timer(self._retry_seconds, self._functions._esm_wake.set)
        wake.daemon = True
        wake.start()


def _tell_versions_to_eventbridge() -> None:
    """Add the object's version to S3's events on EventBridge, which the engine leaves out."""
    s3, eventbridge = _module("ministack.services.s3"), _module("ministack.services.eventbridge")
    fire, dispatch = s3._fire_s3_event, eventbridge._dispatch_event

    def fire_with_version(*args: Any, version_id: str | None = None, **named: Any) -> None:
        _object_version.set(version_id or "")
        fire(*args, version_id=version_id, **named)

    def dispatch_with_version(event: dict[str, Any], view: Any = None) -> None:
        if event.get("Source") == "aws.s3" and (version := _object_version.get()):
            detail = json.loads(event["Detail"])
            detail["object"].setdefault("version-id", version)
            event = event | {"Detail": json.dumps(detail)}
        dispatch(event, view)

    s3._fire_s3_event = fire_with_version
    eventbridge._dispatch_event = dispatch_with_version


class _EventBridge:
    """Sends to targets that let the rule, and to functions asynchronously."""

    def __init__(self, invoker: _AsynchronousInvoker, journal: deliveries.Journal) -> None:
        self._invoker = invoker
        self._journal = journal
        self._functions = _module("ministack.services.lambda_svc")
        self._service = _module("ministack.services.eventbridge")
        self._send = self._service._invoke_target

    def install(self) -> None:
        self._service._invoke_target = self._invoke_target
        self._service._dispatch_to_lambda = self._invoke_function

    def _invoke_target(self, target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any) -> None:
        if reason := self._refusal(target["Arn"], rule):
            spoken = {"source": event.get("Source"), "detail": json.loads(event.get("Detail") or "{}")}
            self._journal.open(target["Arn"].rsplit(":", 1)[-1], spoken, refused=reason)
            return
        self._send(target, event, rule, view)

    def _refusal(self, target: str, rule: dict[str, Any]) -> str:
        service, account, name = target.split(":")[2], rule["Arn"].split(":")[4], target.rsplit(":", 1)[-1]
        if service == "lambda":
            function = target.split(":")[6]
            if not _permits(function, "events.amazonaws.com", rule["Arn"], account):
                return f"no permission lets rule {rule['Name']} invoke {function}"
        elif service == "sqs":
            allows = _module("ministack.services.sqs").queue_policy_allows
            if not allows(target, "events.amazonaws.com", rule["Arn"], account):
                return f"no policy lets rule {rule['Name']} send to queue {name}"
        return ""

    def _invoke_function(self, arn: str, payload: str) -> None:
        func, config, _name = self._functions._get_func_record_for_ref(arn)
        if func and config:
            self._invoker.start(self._functions._execution_record_for_config(func, config), json.loads(payload))
