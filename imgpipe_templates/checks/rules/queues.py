"""Rules about queues that feed functions, and about queues for what failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates.checks.deliveries import dead_letter_arn, parsed
from imgpipe_templates.checks.model import Fault, Path, Rule
from imgpipe_templates.checks.needs import TO_RECEIVE
from imgpipe_templates.checks.policies import lacks, may_name
from imgpipe_templates.checks.rules.alarms import ALARM, metrics_of, owner_of
from imgpipe_templates.checks.rules.thresholds import DEFAULT_TIMEOUT_SECONDS
from imgpipe_templates.checks.template import (
    FUNCTION,
    QUEUE,
    ROLE,
    RULE,
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, entries, mapping

# How many times the function's timeout a message stays hidden (AWS Lambda Developer Guide, "Creating and configuring an
# Amazon SQS event source mapping", read 2026-11).
TIMES_HIDDEN = 6
DEFAULT_VISIBILITY_SECONDS = 30  # AWS::SQS::Queue resource schema, VisibilityTimeout, read 2026-11
DEFAULT_BATCH = 10  # AWS::Lambda::EventSourceMapping resource schema, BatchSize for queues, read 2026-11

# Metrics that see a message however it came; NumberOfMessagesSent does not count what SQS itself moves (SQS Developer
# Guide, "Using dead-letter queues in Amazon SQS", read 2026-11).
_SEEN_BY = ("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage")


def _mappings(template: Template) -> Iterator[tuple[Resource, Resource, Resource]]:
    """Every event source mapping from a queue to a function, with the two, all of this template."""
    for mapped in template.of_type("AWS::Lambda::EventSourceMapping"):
        queue = template.find(QUEUE, mapped.properties.get("EventSourceArn"))
        function = template.find(FUNCTION, mapped.properties.get("FunctionName"))
        if queue is not None and function is not None:
            yield mapped, queue, function


def _unread(template: Template) -> Iterator[Fault]:
    for mapped, queue, function in _mappings(template):
        role = template.find(ROLE, function.properties.get("Role"))
        missing = lacks(template, role, TO_RECEIVE, template.arn_of(queue)) if role is not None else []
        if role is not None and missing:
            yield Fault(
                mapped.at("EventSourceArn"),
                f"{role.id} of {function.id} lacks {', '.join(missing)} on {queue.id}; allow them",
            )


def _badly_fed(template: Template) -> Iterator[Fault]:
    for mapped, queue, function in _mappings(template):
        timeout = template.number(function.properties.get("Timeout", DEFAULT_TIMEOUT_SECONDS))
        hidden = template.number(queue.properties.get("VisibilityTimeout", DEFAULT_VISIBILITY_SECONDS))
        if timeout is not None and hidden is not None and hidden < TIMES_HIDDEN * timeout:
            path = queue.at("VisibilityTimeout") if "VisibilityTimeout" in queue.properties else queue.path
            yield Fault(
                path,
                f"a message is hidden for {hidden:g} s and {function.id} may take {timeout:g} s, so that a throttled "
                f"batch is taken twice; use {TIMES_HIDDEN * timeout:g} s or more, {TIMES_HIDDEN} times the timeout",
            )
        batch = template.number(mapped.properties.get("BatchSize", DEFAULT_BATCH))
        responses = [canonical(value) for _, value in entries(mapped.properties.get("FunctionResponseTypes"))]
        if batch != 1 and "ReportBatchItemFailures" not in responses:
            yield Fault(
                mapped.path,
                "one failed message brings its whole batch back, what was done included; "
                "set FunctionResponseTypes: [ReportBatchItemFailures] and report failures, or BatchSize: 1",
            )
        if "RedrivePolicy" not in queue.properties:
            yield Fault(
                queue.path,
                f"a message that {function.id} can never process comes back until it expires; "
                "set RedrivePolicy with a dead-letter queue and maxReceiveCount",
            )


def _without_limit(template: Template) -> Iterator[Fault]:
    for queue in template.of_type(QUEUE):
        policy = parsed(queue.properties.get("RedrivePolicy"))
        if "deadLetterTargetArn" in policy and "maxReceiveCount" not in policy:
            yield Fault(
                queue.at("RedrivePolicy"), "says where failed messages go and not when; set maxReceiveCount, 5 or more"
            )
        if template.find(QUEUE, policy.get("deadLetterTargetArn")) is queue:
            yield Fault(queue.at("RedrivePolicy"), "is its own dead-letter queue; name another queue")
        yield from _not_taken(template, queue, policy)
        if canonical(parsed(queue.properties.get("RedriveAllowPolicy")).get("redrivePermission")) == "allowAll":
            yield Fault(
                queue.at("RedriveAllowPolicy"),
                "takes dead letters of every queue of the account; use byQueue with sourceQueueArns",
            )


DEFAULT_RETENTION_SECONDS = 345_600  # AWS::SQS::Queue resource schema, MessageRetentionPeriod, read 2026-12


def _not_taken(template: Template, queue: Resource, policy: Mapping[str, Any]) -> Iterator[Fault]:
    """Faults of a queue and its dead-letter queue that do not fit."""
    last = template.find(QUEUE, policy.get("deadLetterTargetArn"))
    if last is None or last is queue:
        return
    path = queue.at("RedrivePolicy")
    allowed = parsed(last.properties.get("RedriveAllowPolicy"))
    permission = canonical(allowed.get("redrivePermission"))
    sources = [value for _, value in entries(allowed.get("sourceQueueArns"))]
    arn = template.arn_of(queue)
    if permission == "denyAll" or (permission == "byQueue" and not any(may_name(template, v, arn) for v in sources)):
        yield Fault(
            path, f"{last.id} refuses dead letters of {queue.id}; allow them in its RedriveAllowPolicy, byQueue"
        )
    if canonical(queue.properties.get("FifoQueue", False)) != canonical(last.properties.get("FifoQueue", False)):
        yield Fault(path, f"one of {queue.id} and {last.id} is a FIFO queue and the other is not; make both the same")
    kept, left = (template.number(one.properties.get(_KEEPS, DEFAULT_RETENTION_SECONDS)) for one in (queue, last))
    if kept is not None and left is not None and left < kept:
        yield Fault(
            last.at(_KEEPS) if _KEEPS in last.properties else last.path,
            f"keeps dead letters for {left:.0f} s and {queue.id} its messages for {kept:.0f} s, both counted from the "
            "first sending, so that some are deleted as they arrive; keep them longer",
        )


_KEEPS = "MessageRetentionPeriod"

MOST_WITHOUT_WINDOW = 10
MOST_OF_FIFO = 10


def _refused(template: Template) -> Iterator[Fault]:
    """Faults of event source mappings that Lambda refuses or that leave messages behind."""
    for mapped, queue, function in _mappings(template):
        batch = template.number(mapped.properties.get("BatchSize", DEFAULT_BATCH))
        window = template.number(mapped.properties.get("MaximumBatchingWindowInSeconds", 0))
        fifo = canonical(queue.properties.get("FifoQueue")) == "true"
        if batch is not None and batch > (MOST_OF_FIFO if fifo else MOST_WITHOUT_WINDOW) and (fifo or window == 0):
            yield Fault(
                mapped.at("BatchSize"),
                f"{batch:g} messages; Lambda takes at most {MOST_OF_FIFO} of a FIFO queue"
                if fifo
                else f"{batch:g} messages; above {MOST_WITHOUT_WINDOW} set MaximumBatchingWindowInSeconds to 1 or more",
            )
        if fifo and window:
            yield Fault(
                mapped.at("MaximumBatchingWindowInSeconds"),
                f"{queue.id} is a FIFO queue and has no window; leave it out",
            )
        most = template.number(mapping(mapped.properties.get("ScalingConfig")).get("MaximumConcurrency"))
        reserved = template.number(function.properties.get("ReservedConcurrentExecutions"))
        if reserved is not None and (most is None or most > reserved):
            yield Fault(
                mapped.at("ScalingConfig", "MaximumConcurrency") if most is not None else mapped.path,
                f"lets {'any number' if most is None else f'{most:g}'} of invocations begin and {function.id} has "
                f"{reserved:g}, so throttled messages use up their receives; limit MaximumConcurrency, or reserve more",
            )
        if canonical(mapped.properties.get("Enabled")) == "false" and template.profile.conventions:
            yield Fault(mapped.at("Enabled"), f"{function.id} takes nothing from {queue.id}; leave Enabled out")


def _unwatched(template: Template) -> Iterator[Fault]:
    watched = {
        queue.id
        for alarm in template.of_type(ALARM)
        for metric in metrics_of(alarm)
        if metric.name in _SEEN_BY
        and not canonical(alarm.properties.get("ComparisonOperator")).startswith("LessThan")
        and (queue := owner_of(template, metric, "QueueName"))
    }
    # A stack without alarms that tells the queue's name leaves watching to another.
    told = {} if template.of_type(ALARM) else template.section("Outputs")
    outputs = [canonical(mapping(output).get("Value")) for output in told.values()]
    for name, path in _dead_letter_queues(template).items():
        if name not in watched and not any(f"${{{name}.QueueName}}" in output for output in outputs):
            yield Fault(
                ("Resources", name),
                f"keeps what failed ({'.'.join(str(part) for part in path[1:])}) and nobody is told; add an alarm on "
                f"AWS/SQS {_SEEN_BY[0]} above 0",
            )


def _dead_letter_queues(template: Template) -> dict[str, Path]:
    """Logical id of every queue that takes what failed, with the first place that makes it one."""
    found: dict[str, Path] = {}
    for path, value in _failures(template):
        queue = template.find(QUEUE, value)
        if queue is not None:
            found.setdefault(queue.id, path)
    return found


def _failures(template: Template) -> Iterator[tuple[Path, object]]:
    for holder in template.of_type(QUEUE, "AWS::SNS::Subscription"):
        if named := dead_letter_arn(holder):
            yield named
    for function in template.of_type(FUNCTION):
        config = mapping(function.properties.get("DeadLetterConfig"))
        if "TargetArn" in config:
            yield function.at("DeadLetterConfig", "TargetArn"), config["TargetArn"]
    for holder in template.of_type("AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping"):
        failure = mapping(mapping(holder.properties.get("DestinationConfig")).get("OnFailure"))
        if "Destination" in failure:
            yield holder.at("DestinationConfig", "OnFailure", "Destination"), failure["Destination"]
    for rule in template.of_type(RULE):
        for position, target in entries(rule.properties.get("Targets")):
            config = mapping(mapping(target).get("DeadLetterConfig"))
            if "Arn" in config:
                yield rule.at("Targets", *position, "DeadLetterConfig", "Arn"), config["Arn"]


RULES = (
    Rule(
        "E9506",
        "Function that may not take messages from its queue",
        "Lambda reads the queue with the function's own role; without its rights the mapping cannot be created.",
        # AWS Lambda Developer Guide, "Creating and configuring an Amazon SQS event source mapping", read 2026-11
        "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html",
        _unread,
        absence=True,
    ),
    Rule(
        "E9507",
        "Queue that brings messages back too early, too often or for ever",
        "Visibility, partial batch responses and a dead-letter queue decide what becomes of a message that fails.",
        # AWS Lambda Developer Guide, "Creating and configuring an Amazon SQS event source mapping", read 2026-11
        "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html",
        _badly_fed,
    ),
    Rule(
        "E9510",
        "Redrive without a limit",
        "A redrive policy needs a count, another queue, and a dead-letter queue that takes only its own.",
        # Amazon SQS Developer Guide, "Using dead-letter queues in Amazon SQS", read 2026-11
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
        _without_limit,
    ),
    Rule(
        "E9538",
        "Mapping that Lambda refuses, or that takes more than its function can",
        "A batch above 10 needs a window, a FIFO queue has none; more invocations than are reserved are throttled.",
        # AWS Lambda Developer Guide, "Configuring scaling behavior for SQS event source mappings", read 2026-12
        "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html",
        _refused,
    ),
    Rule(
        "E9536",
        "Dead-letter queue without an alarm",
        "What lies in it was lost on every attempt and is deleted with its retention; somebody has to be told.",
        # Amazon SQS Developer Guide, "Using dead-letter queues in Amazon SQS", read 2026-11
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
        _unwatched,
        absence=True,
    ),
)
