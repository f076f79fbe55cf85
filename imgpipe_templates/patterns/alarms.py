"""The house pattern for an alarm: one metric object knows names, dimensions and statistic; the alarm adds the limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from troposphere import Ref, cloudwatch

from imgpipe_templates.core.handles import Function, HttpApi, Queue, Table, Topic
from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns import metrics

FIVE_MINUTES_SECONDS = 300


@dataclass(frozen=True)
class Metric:
    """One series of CloudWatch: what to watch and how to sum it up."""

    namespace: str
    name: str
    dimensions: Mapping[str, Value]
    statistic: str


@dataclass(frozen=True)
class FunctionMetrics:
    """The metrics that Lambda keeps of a function (Lambda Developer Guide, "Types of metrics", read 2026-11)."""

    function: Function

    @property
    def errors(self) -> Metric:
        """Invocations that ended in an error, as a count."""
        return self._metric("Errors", "Sum")

    @property
    def throttles(self) -> Metric:
        """Invocations refused for want of concurrency, as a count."""
        return self._metric("Throttles", "Sum")

    @property
    def longest_duration(self) -> Metric:
        """The slowest invocation, in milliseconds."""
        return self._metric("Duration", "Maximum")

    def _metric(self, name: str, statistic: str) -> Metric:
        return Metric("AWS/Lambda", name, {"FunctionName": self.function.name}, statistic)


def messages_waiting(queue: Queue) -> Metric:
    """Messages in a queue (SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS", read 2026-11)."""
    return Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue.name}, "Maximum")


def oldest_message(queue: Queue) -> Metric:
    """For how many seconds the oldest message of a queue has waited (the same page)."""
    return Metric("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": queue.name}, "Maximum")


def table_throttles(table: Table, kind: str, index: str) -> Metric:
    """Requests that a table or one of its indexes turned away, as a count.

    Args:
        table: The table.
        kind: `Read` or `Write` ("DynamoDB metrics and dimensions", DynamoDB Developer Guide, read 2026-11).
        index: The index; empty means the table itself.
    """
    dimensions: dict[str, Value] = {"TableName": table.name}
    if index:
        dimensions["GlobalSecondaryIndexName"] = index
    return Metric("AWS/DynamoDB", f"{kind}ThrottleEvents", dimensions, "Sum")


@dataclass(frozen=True)
class ApiMetrics:
    """The metrics of an HTTP API ("Working with metrics for HTTP APIs", API Gateway Developer Guide, read 2026-11)."""

    api: HttpApi

    @property
    def server_errors(self) -> Metric:
        """Requests answered with a status of 500 or more, as a count."""
        return self._metric("5xx", "Sum")

    def _metric(self, name: str, statistic: str) -> Metric:
        return Metric("AWS/ApiGateway", name, {"ApiId": self.api.id}, statistic)


def emitted(name: str, statistic: str) -> Metric:
    """A metric that the pipeline's own functions emit, in the dimension set of this stack."""
    return Metric(metrics.NAMESPACE, name, {dimension: Ref(dimension) for dimension in metrics.DIMENSIONS}, statistic)


def add_alarm(
    scope: Scope, title: str, metric: Metric, *, above: int, description: str, topic: Topic, periods: int = 1
) -> None:
    """Add an alarm that notifies `topic` when `metric` exceeds a limit, and when it returns to normal.

    Args:
        scope: Where it goes.
        title: Its logical id.
        metric: What it watches.
        above: The limit, in the metric's unit; the alarm fires above it, not at it.
        description: What has happened and what to look at first.
        topic: The notified topic.
        periods: For how many periods of five minutes in a row the metric must be above the limit.
    """
    scope.add(
        cloudwatch.Alarm(
            title,
            AlarmActions=[topic.arn],
            AlarmDescription=description,
            ComparisonOperator="GreaterThanThreshold",
            Dimensions=[
                cloudwatch.MetricDimension(Name=name, Value=value) for name, value in metric.dimensions.items()
            ],
            EvaluationPeriods=periods,
            MetricName=metric.name,
            Namespace=metric.namespace,
            OKActions=[topic.arn],
            Period=FIVE_MINUTES_SECONDS,
            Statistic=metric.statistic,
            Threshold=above,
            # No data means that nothing was uploaded, which is no fault.
            TreatMissingData="notBreaching",
        )
    )
