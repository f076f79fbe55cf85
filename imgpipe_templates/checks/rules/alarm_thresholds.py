"""The rule about alarm thresholds and periods that the metric can never, or always, breach."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from imgpipe_templates.checks.facts.aws_metrics import PUBLISHED, UPPER_BOUNDS
from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping
from imgpipe_templates.checks.facts.metric_series import ALARM, Series, dimension_resource, series_of
from imgpipe_templates.checks.facts.template import (
    DEFAULT_RETENTION_SECONDS,
    DEFAULT_TIMEOUT_SECONDS,
    Resource,
    Template,
)
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule
from imgpipe_templates.patterns import metrics

# CloudWatch API Reference, "PutMetricAlarm" (Period), read 2026-11.
MAX_SECONDS_SHORT_PERIODS = 86_400
MAX_SECONDS_LONG_PERIODS = 604_800
LONG_PERIOD_SECONDS = 3_600

_CUMULATIVE_STATISTICS = ("Sum", "SampleCount")
# Errors divided by invocations, with or without the factor 100 on either side.
_ERROR_RATE = re.compile(r"(?:(100)\*)?\(?(\w+)/(\w+)\)?(?:\*(100))?")

# Metrics with a data point of 0 or 1 for each invocation (AWS Lambda Developer Guide, "Types of metrics for Lambda
# functions", read 2026-12).
_PER_INVOCATION = (("AWS/Lambda", "Errors"), ("AWS/Lambda", "Throttles"))
# Metrics that count failures; a low value is good.
_FAILURES = (
    *("Errors", "Throttles", "DeadLetterErrors", "DestinationDeliveryFailures", "AsyncEventsDropped"),
    *("ReadThrottleEvents", "WriteThrottleEvents", "5xx", "5XXError", "5xxErrors", "ProcessingErrors"),
)


@dataclass(frozen=True)
class _Maximum:
    """The largest value of a metric, and the reason."""

    value: float
    reason: str


@template_rule(
    "E9532",
    "Alarm threshold out of range",
    "The metric never or always breaches the threshold, or CloudWatch rejects the periods.",
    # CloudWatch API Reference, "PutMetricAlarm", read 2026-11
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
)
def unreachable_alarm_threshold(template: Template) -> Iterator[Violation]:
    for alarm in template.of_type(ALARM):
        series = list(series_of(alarm))
        yield from _periods(template, alarm, series)
        threshold = template.number(alarm.properties.get("Threshold"))
        if threshold is not None:
            yield from _below_zero(alarm, series, threshold)
            yield from _above_maximum(template, alarm, series, threshold)


def _periods(template: Template, alarm: Resource, series: list[Series]) -> Iterator[Violation]:
    count = template.number(alarm.properties.get("EvaluationPeriods"))
    required = template.number(alarm.properties.get("DatapointsToAlarm"))
    if count is None:
        return
    if required is not None and required > count:
        yield Violation(
            alarm.at("DatapointsToAlarm"),
            f"{required:g} of {count:g} periods can never breach; set at most EvaluationPeriods",
        )
    period = max((template.number(metric.period) or 0 for metric in series), default=0)
    allowed = MAX_SECONDS_SHORT_PERIODS if period < LONG_PERIOD_SECONDS else MAX_SECONDS_LONG_PERIODS
    if period * count > allowed:
        yield Violation(
            alarm.at("EvaluationPeriods"),
            f"{count:g} periods of {period:g} seconds are {period * count:g} seconds; CloudWatch evaluates at most "
            f"{allowed} seconds with this period, so use fewer or shorter periods",
        )


def _below_zero(alarm: Resource, series: list[Series], threshold: float) -> Iterator[Violation]:
    """Yield the violations of a threshold at or below 0, the minimum of a count, a size or a time."""
    if "MetricName" not in alarm.properties or series[0].namespace not in (*PUBLISHED, metrics.NAMESPACE):
        return
    never = {"LessThanThreshold": threshold <= 0, "LessThanOrEqualToThreshold": threshold < 0}
    always = {"GreaterThanThreshold": threshold < 0, "GreaterThanOrEqualToThreshold": threshold <= 0}
    comparison = canonical(alarm.properties.get("ComparisonOperator"))
    title = series[0].title
    if series[0].name in _FAILURES and comparison.startswith("LessThan"):
        yield Violation(
            alarm.at("ComparisonOperator"),
            f"the alarm is in ALARM while {title} is low; use GreaterThanThreshold",
        )
        return
    if never.get(comparison):
        yield Violation(alarm.at("Threshold"), f"{title} is never below {threshold:g}; use a threshold above 0")
    if always.get(comparison):
        yield Violation(
            alarm.at("Threshold"),
            f"{title} is always at or above {threshold:g}; use 0 with GreaterThanThreshold, or more",
        )


def _above_maximum(template: Template, alarm: Resource, series: list[Series], threshold: float) -> Iterator[Violation]:
    maximum = _maximum(template, alarm, series)
    if maximum is None:
        return
    comparison = canonical(alarm.properties.get("ComparisonOperator"))
    never = {
        "GreaterThanThreshold": threshold >= maximum.value,
        "GreaterThanOrEqualToThreshold": threshold > maximum.value,
    }
    if never.get(comparison):
        yield Violation(
            alarm.at("Threshold"),
            f"the maximum is {maximum.value:g} ({maximum.reason}), so the value is never above {threshold:g}; "
            f"use a threshold below {maximum.value:g}",
        )


def _maximum(template: Template, alarm: Resource, series: list[Series]) -> _Maximum | None:
    if "MetricName" not in alarm.properties:
        return _maximum_of_error_rate(alarm, series)
    metric = series[0]
    if metric.statistic in _CUMULATIVE_STATISTICS:
        return None
    if (metric.namespace, metric.name) in _PER_INVOCATION and metric.statistic in ("Average", "Maximum", "Minimum"):
        return _Maximum(1, f"{metric.statistic} of 0 or 1 for each invocation")
    if metric.unit == "Percent":
        return _Maximum(100, "a percentage")
    if value := UPPER_BOUNDS.get((metric.namespace, metric.name)):
        return _Maximum(value, f"the maximum of {metric.title}")
    return _maximum_of_resource(template, metric)


def _maximum_of_resource(template: Template, metric: Series) -> _Maximum | None:
    """Return the maximum that a setting of the monitored resource implies."""
    function, queue = (
        dimension_resource(template, metric, "FunctionName"),
        dimension_resource(template, metric, "QueueName"),
    )
    if function and metric.name == "Duration":
        seconds = template.number(function.properties.get("Timeout", DEFAULT_TIMEOUT_SECONDS))
        return (
            None
            if seconds is None
            else _Maximum(seconds * 1000, f"milliseconds, the timeout of {function.id} is {seconds:g} s")
        )
    if function and metric.name == "ConcurrentExecutions":
        reserved = template.number(function.properties.get("ReservedConcurrentExecutions"))
        return None if reserved is None else _Maximum(reserved, f"the reserved concurrency of {function.id}")
    if queue and metric.name == "ApproximateAgeOfOldestMessage":
        retention = template.number(queue.properties.get("MessageRetentionPeriod", DEFAULT_RETENTION_SECONDS))
        return None if retention is None else _Maximum(retention, f"seconds, {queue.id} deletes older messages")
    return None


def _maximum_of_error_rate(alarm: Resource, series: list[Series]) -> _Maximum | None:
    """Return the maximum of errors divided by invocations in a metric-math alarm with one expression."""
    expressions = [
        canonical(mapping(query)["Expression"]).replace(" ", "")
        for _, query in entries(alarm.properties.get("Metrics"))
        if "Expression" in mapping(query) and canonical(mapping(query).get("ReturnData", True)) == "true"
    ]
    rate = _ERROR_RATE.fullmatch(expressions[0]) if len(expressions) == 1 else None
    names = {metric.id: metric.name for metric in series if metric.namespace == "AWS/Lambda"}
    if rate and names.get(rate[2]) == "Errors" and names.get(rate[3]) == "Invocations":
        return _Maximum(100 if rate[1] or rate[4] else 1, "errors divided by invocations")
    return None
