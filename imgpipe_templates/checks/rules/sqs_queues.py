"""Rules about SQS: queues that invoke functions, redrive policies and dead-letter queues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates.checks.facts.allowed_actions import may_be_arn, missing_actions
from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping
from imgpipe_templates.checks.facts.invocations import EVENT_SOURCE_MAPPING, queue_mappings
from imgpipe_templates.checks.facts.metric_series import ALARM, dimension_resource, series_of
from imgpipe_templates.checks.facts.role_requirements import RECEIVE_ACTIONS
from imgpipe_templates.checks.facts.service_deliveries import SUBSCRIPTION, dead_letter_arn, parse_json
from imgpipe_templates.checks.facts.template import (
    DEFAULT_RETENTION_SECONDS,
    DEFAULT_TIMEOUT_SECONDS,
    FUNCTION,
    QUEUE,
    ROLE,
    RULE,
    Resource,
    Template,
)
from imgpipe_templates.checks.findings import Path, Violation
from imgpipe_templates.checks.rule import template_rule

# Visibility timeout as a multiple of the function's timeout (AWS Lambda Developer Guide, "Creating and configuring an
# Amazon SQS event source mapping", read 2026-11).
VISIBILITY_FACTOR = 6
DEFAULT_VISIBILITY_SECONDS = 30  # AWS::SQS::Queue resource schema, VisibilityTimeout, read 2026-11
DEFAULT_BATCH = 10  # AWS::Lambda::EventSourceMapping resource schema, BatchSize for queues, read 2026-11

# Metrics that count every message; NumberOfMessagesSent does not count messages that SQS itself moves (SQS Developer
# Guide, "Using dead-letter queues in Amazon SQS", read 2026-11).
_DEAD_LETTER_METRICS = ("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage")


@template_rule(
    "E9506",
    "Function role cannot receive messages from its queue",
    "Lambda polls the queue with the function's role; without these actions it rejects the event source mapping.",
    # AWS Lambda Developer Guide, "Creating and configuring an Amazon SQS event source mapping", read 2026-11
    "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html",
    absence=True,
)
def role_cannot_receive_messages(template: Template) -> Iterator[Violation]:
    for one in queue_mappings(template):
        mapped, queue, function = one.resource, one.queue, one.function
        role = template.find(ROLE, function.properties.get("Role"))
        missing = missing_actions(template, role, RECEIVE_ACTIONS, template.arn_of(queue)) if role is not None else []
        if role is not None and missing:
            yield Violation(
                mapped.at("EventSourceArn"),
                f"{role.id} of {function.id} lacks {', '.join(missing)} on {queue.id}; allow them",
            )


@template_rule(
    "E9507",
    "Queue with a short visibility timeout, whole-batch retries or no redrive policy",
    "Visibility timeout, partial batch responses and dead-letter queue decide how a failed message is retried.",
    # AWS Lambda Developer Guide, "Creating and configuring an Amazon SQS event source mapping", read 2026-11
    "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html",
)
def queue_retry_settings(template: Template) -> Iterator[Violation]:
    for one in queue_mappings(template):
        mapped, queue, function = one.resource, one.queue, one.function
        timeout = template.number(function.properties.get("Timeout", DEFAULT_TIMEOUT_SECONDS))
        visibility = template.number(queue.properties.get("VisibilityTimeout", DEFAULT_VISIBILITY_SECONDS))
        if timeout is not None and visibility is not None and visibility < VISIBILITY_FACTOR * timeout:
            path = queue.at("VisibilityTimeout") if "VisibilityTimeout" in queue.properties else queue.path
            yield Violation(
                path,
                f"{visibility:g} s is too short for the timeout of {function.id}, {timeout:g} s, so a throttled batch "
                f"is received twice; use {VISIBILITY_FACTOR * timeout:g} s or more, {VISIBILITY_FACTOR} times the "
                "timeout",
            )
        batch = template.number(mapped.properties.get("BatchSize", DEFAULT_BATCH))
        responses = [canonical(value) for _, value in entries(mapped.properties.get("FunctionResponseTypes"))]
        if batch != 1 and "ReportBatchItemFailures" not in responses:
            yield Violation(
                mapped.path,
                "one failed message returns its whole batch to the queue; set FunctionResponseTypes: "
                "[ReportBatchItemFailures] and report failures, or set BatchSize: 1",
            )
        if "RedrivePolicy" not in queue.properties:
            yield Violation(
                queue.path,
                f"a message that {function.id} can never process is retried until it expires; set RedrivePolicy with a "
                "dead-letter queue and maxReceiveCount",
            )


@template_rule(
    "E9510",
    "Invalid redrive policy",
    "A redrive policy needs a receive count and another queue that allows its dead letters and keeps them longer.",
    # Amazon SQS Developer Guide, "Using dead-letter queues in Amazon SQS", read 2026-11
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
)
def invalid_redrive_policy(template: Template) -> Iterator[Violation]:
    for queue in template.of_type(QUEUE):
        policy = parse_json(queue.properties.get("RedrivePolicy"))
        if "deadLetterTargetArn" in policy and "maxReceiveCount" not in policy:
            yield Violation(
                queue.at("RedrivePolicy"),
                "has a dead-letter queue but no receive limit; set maxReceiveCount to 5 or more",
            )
        if template.find(QUEUE, policy.get("deadLetterTargetArn")) is queue:
            yield Violation(queue.at("RedrivePolicy"), "the queue is its own dead-letter queue; use another queue")
        yield from _dead_letter_violations(template, queue, policy)
        if canonical(parse_json(queue.properties.get("RedriveAllowPolicy")).get("redrivePermission")) == "allowAll":
            yield Violation(
                queue.at("RedriveAllowPolicy"),
                "allows dead letters of every queue of the account; use byQueue with sourceQueueArns",
            )


def _dead_letter_violations(template: Template, queue: Resource, policy: Mapping[str, Any]) -> Iterator[Violation]:
    """Report settings of a queue that do not match its dead-letter queue."""
    dead_letters = template.find(QUEUE, policy.get("deadLetterTargetArn"))
    if dead_letters is None or dead_letters is queue:
        return
    path = queue.at("RedrivePolicy")
    allowed = parse_json(dead_letters.properties.get("RedriveAllowPolicy"))
    permission = canonical(allowed.get("redrivePermission"))
    sources = [value for _, value in entries(allowed.get("sourceQueueArns"))]
    arn = template.arn_of(queue)
    if permission == "denyAll" or (permission == "byQueue" and not any(may_be_arn(template, v, arn) for v in sources)):
        yield Violation(
            path, f"{dead_letters.id} rejects dead letters of {queue.id}; allow them in its RedriveAllowPolicy, byQueue"
        )
    if canonical(queue.properties.get("FifoQueue", False)) != canonical(
        dead_letters.properties.get("FifoQueue", False)
    ):
        yield Violation(
            path, f"only one of {queue.id} and {dead_letters.id} is a FIFO queue; use the same type for both"
        )
    retention, dead_letter_retention = (
        template.number(one.properties.get(_RETENTION, DEFAULT_RETENTION_SECONDS)) for one in (queue, dead_letters)
    )
    if retention is not None and dead_letter_retention is not None and dead_letter_retention < retention:
        yield Violation(
            dead_letters.at(_RETENTION) if _RETENTION in dead_letters.properties else dead_letters.path,
            f"{dead_letter_retention:.0f} s is shorter than the {retention:.0f} s of {queue.id}; both start when the "
            "message is first sent, so some dead letters are deleted on arrival; use a longer retention",
        )


_RETENTION = "MessageRetentionPeriod"

MAX_BATCH_WITHOUT_WINDOW = 10
MAX_FIFO_BATCH = 10


@template_rule(
    "E9538",
    "Invalid event source mapping, or concurrency above the function's",
    "A batch above 10 needs a window, and a FIFO queue has none; invocations above the reservation are throttled.",
    # AWS Lambda Developer Guide, "Configuring scaling behavior for SQS event source mappings", read 2026-12
    "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html",
)
def invalid_event_source_mapping(template: Template) -> Iterator[Violation]:
    for one in queue_mappings(template):
        mapped, queue, function = one.resource, one.queue, one.function
        batch = template.number(mapped.properties.get("BatchSize", DEFAULT_BATCH))
        window = template.number(mapped.properties.get("MaximumBatchingWindowInSeconds", 0))
        fifo = canonical(queue.properties.get("FifoQueue")) == "true"
        if (
            batch is not None
            and batch > (MAX_FIFO_BATCH if fifo else MAX_BATCH_WITHOUT_WINDOW)
            and (fifo or window == 0)
        ):
            yield Violation(
                mapped.at("BatchSize"),
                f"{batch:g} messages is above the maximum of a FIFO queue; use {MAX_FIFO_BATCH} or less"
                if fifo
                else f"{batch:g} messages needs a batching window; above {MAX_BATCH_WITHOUT_WINDOW} set "
                "MaximumBatchingWindowInSeconds to 1 or more",
            )
        if fifo and window:
            yield Violation(
                mapped.at("MaximumBatchingWindowInSeconds"),
                f"{queue.id} is a FIFO queue, which has no batching window; remove it",
            )
        maximum = template.number(mapping(mapped.properties.get("ScalingConfig")).get("MaximumConcurrency"))
        reserved = template.number(function.properties.get("ReservedConcurrentExecutions"))
        if reserved is not None and (maximum is None or maximum > reserved):
            yield Violation(
                mapped.at("ScalingConfig", "MaximumConcurrency") if maximum is not None else mapped.path,
                f"{'no limit' if maximum is None else f'{maximum:g}'} is above the reserved concurrency of "
                f"{function.id}, {reserved:g}, so throttled messages reach maxReceiveCount; limit MaximumConcurrency, "
                "or reserve more",
            )
        if canonical(mapped.properties.get("Enabled")) == "false" and template.profile.conventions:
            yield Violation(mapped.at("Enabled"), f"{function.id} receives no messages from {queue.id}; remove Enabled")


@template_rule(
    "E9536",
    "Dead-letter queue without an alarm",
    "Its messages failed on every attempt, and SQS deletes them after the retention period; an operator must know.",
    # Amazon SQS Developer Guide, "Using dead-letter queues in Amazon SQS", read 2026-11
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
    absence=True,
)
def dead_letter_queue_without_alarm(template: Template) -> Iterator[Violation]:
    monitored = {
        queue.id
        for alarm in template.of_type(ALARM)
        for metric in series_of(alarm)
        if metric.name in _DEAD_LETTER_METRICS
        and not canonical(alarm.properties.get("ComparisonOperator")).startswith("LessThan")
        and (queue := dimension_resource(template, metric, "QueueName"))
    }
    # The output of a stack without alarms passes the queue's name to the stack with the alarms.
    outputs = {} if template.of_type(ALARM) else template.section("Outputs")
    output_values = [canonical(mapping(output).get("Value")) for output in outputs.values()]
    for name, path in _dead_letter_queues(template).items():
        if name not in monitored and not any(f"${{{name}.QueueName}}" in value for value in output_values):
            yield Violation(
                ("Resources", name),
                f"has no alarm for failed messages of {'.'.join(str(part) for part in path[1:])}; add an alarm on "
                f"AWS/SQS {_DEAD_LETTER_METRICS[0]} above 0",
            )


def _dead_letter_queues(template: Template) -> dict[str, Path]:
    """Return the logical id of every dead-letter queue, with the first path that refers to it."""
    found: dict[str, Path] = {}
    for path, value in _dead_letter_targets(template):
        queue = template.find(QUEUE, value)
        if queue is not None:
            found.setdefault(queue.id, path)
    return found


def _dead_letter_targets(template: Template) -> Iterator[tuple[Path, object]]:
    for holder in template.of_type(QUEUE, SUBSCRIPTION):
        if target := dead_letter_arn(holder):
            yield target
    for function in template.of_type(FUNCTION):
        config = mapping(function.properties.get("DeadLetterConfig"))
        if "TargetArn" in config:
            yield function.at("DeadLetterConfig", "TargetArn"), config["TargetArn"]
    for holder in template.of_type("AWS::Lambda::EventInvokeConfig", EVENT_SOURCE_MAPPING):
        failure = mapping(mapping(holder.properties.get("DestinationConfig")).get("OnFailure"))
        if "Destination" in failure:
            yield holder.at("DestinationConfig", "OnFailure", "Destination"), failure["Destination"]
    for rule in template.of_type(RULE):
        for position, entry in entries(rule.properties.get("Targets")):
            config = mapping(mapping(entry).get("DeadLetterConfig"))
            if "Arn" in config:
                yield rule.at("Targets", *position, "DeadLetterConfig", "Arn"), config["Arn"]
