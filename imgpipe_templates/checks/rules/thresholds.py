"""The rule against alarms that can never go off, or never rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from imgpipe_templates.checks.aws_metrics import PUBLISHED, UPPER_BOUNDS
from imgpipe_templates.checks.model import Fault, Rule
from imgpipe_templates.checks.rules.alarms import ALARM, Metric, metrics_of, owner_of
from imgpipe_templates.checks.template import (
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, entries, mapping
from imgpipe_templates.patterns import metrics

# CloudWatch API Reference, "PutMetricAlarm" (Period), read 2026-11.
MAX_SECONDS_SHORT_PERIODS = 86_400
MAX_SECONDS_LONG_PERIODS = 604_800
LONG_PERIOD_SECONDS = 3_600

DEFAULT_TIMEOUT_SECONDS = 3  # AWS::Lambda::Function resource schema, Timeout, read 2026-11
DEFAULT_RETENTION_SECONDS = 345_600  # AWS::SQS::Queue resource schema, read 2026-11

_ADDS_UP = ("Sum", "SampleCount")
# A share of failed invocations, with or without the factor 100 on either side.
_SHARE = re.compile(r"(?:(100)\*)?\(?(\w+)/(\w+)\)?(?:\*(100))?")


# Metrics with a point of 0 or 1 for each invocation (AWS Lambda Developer Guide, "Types of metrics for Lambda
# functions", read 2026-12).
_BY_INVOCATION = (("AWS/Lambda", "Errors"), ("AWS/Lambda", "Throttles"))
# Metrics of which only much is bad.
_FAILURES = (
    *("Errors", "Throttles", "DeadLetterErrors", "DestinationDeliveryFailures", "AsyncEventsDropped"),
    *("ReadThrottleEvents", "WriteThrottleEvents", "5xx", "5XXError", "5xxErrors", "ProcessingErrors"),
)


@dataclass(frozen=True)
class _Bound:
    """The largest value a metric can take, and why."""

    value: float
    because: str


def _impossible(template: Template) -> Iterator[Fault]:
    for alarm in template.of_type(ALARM):
        series = list(metrics_of(alarm))
        yield from _periods(template, alarm, series)
        threshold = template.number(alarm.properties.get("Threshold"))
        if threshold is not None:
            yield from _below_zero(alarm, series, threshold)
            yield from _above_bound(template, alarm, series, threshold)


def _periods(template: Template, alarm: Resource, series: list[Metric]) -> Iterator[Fault]:
    count = template.number(alarm.properties.get("EvaluationPeriods"))
    needed = template.number(alarm.properties.get("DatapointsToAlarm"))
    if count is None:
        return
    if needed is not None and needed > count:
        yield Fault(
            alarm.at("DatapointsToAlarm"),
            f"{needed:g} of {count:g} periods can never breach; DatapointsToAlarm is at most EvaluationPeriods",
        )
    period = max((template.number(metric.period) or 0 for metric in series), default=0)
    allowed = MAX_SECONDS_SHORT_PERIODS if period < LONG_PERIOD_SECONDS else MAX_SECONDS_LONG_PERIODS
    if period * count > allowed:
        yield Fault(
            alarm.at("EvaluationPeriods"),
            f"{count:g} periods of {period:g} seconds are {period * count:g} seconds; CloudWatch looks back at most "
            f"{allowed} seconds with this period, so use fewer or shorter periods",
        )


def _below_zero(alarm: Resource, series: list[Metric], threshold: float) -> Iterator[Fault]:
    """Faults of a threshold that a count, a size or a time cannot fall below."""
    if "MetricName" not in alarm.properties or series[0].namespace not in (*PUBLISHED, metrics.NAMESPACE):
        return
    never = {"LessThanThreshold": threshold <= 0, "LessThanOrEqualToThreshold": threshold < 0}
    always = {"GreaterThanThreshold": threshold < 0, "GreaterThanOrEqualToThreshold": threshold <= 0}
    comparison = canonical(alarm.properties.get("ComparisonOperator"))
    title = series[0].title
    if series[0].name in _FAILURES and comparison.startswith("LessThan"):
        yield Fault(
            alarm.at("ComparisonOperator"),
            f"goes off while {title} is low; use GreaterThanThreshold",
        )
        return
    if never.get(comparison):
        yield Fault(alarm.at("Threshold"), f"{title} is never below {threshold:g}; use a threshold above 0")
    if always.get(comparison):
        yield Fault(
            alarm.at("Threshold"),
            f"{title} is always at or above {threshold:g}; use 0 with GreaterThanThreshold, or more",
        )


def _above_bound(template: Template, alarm: Resource, series: list[Metric], threshold: float) -> Iterator[Fault]:
    bound = _bound(template, alarm, series)
    if bound is None:
        return
    comparison = canonical(alarm.properties.get("ComparisonOperator"))
    never = {"GreaterThanThreshold": threshold >= bound.value, "GreaterThanOrEqualToThreshold": threshold > bound.value}
    if never.get(comparison):
        yield Fault(
            alarm.at("Threshold"),
            f"the value is at most {bound.value:g} ({bound.because}) and never above {threshold:g}; "
            f"use a threshold below {bound.value:g}",
        )


def _bound(template: Template, alarm: Resource, series: list[Metric]) -> _Bound | None:
    if "MetricName" not in alarm.properties:
        return _bound_of_share(alarm, series)
    metric = series[0]
    if metric.statistic in _ADDS_UP:
        return None
    if (metric.namespace, metric.name) in _BY_INVOCATION and metric.statistic in ("Average", "Maximum", "Minimum"):
        return _Bound(1, f"{metric.statistic} of 0 or 1 for each invocation")
    if metric.unit == "Percent":
        return _Bound(100, "a percentage")
    if value := UPPER_BOUNDS.get((metric.namespace, metric.name)):
        return _Bound(value, f"{metric.title} ends there")
    return _bound_of_owner(template, metric)


def _bound_of_owner(template: Template, metric: Metric) -> _Bound | None:
    """The bound that the watched resource itself sets."""
    function, queue = owner_of(template, metric, "FunctionName"), owner_of(template, metric, "QueueName")
    if function and metric.name == "Duration":
        seconds = template.number(function.properties.get("Timeout", DEFAULT_TIMEOUT_SECONDS))
        return (
            None if seconds is None else _Bound(seconds * 1000, f"milliseconds, {function.id} ends after {seconds:g} s")
        )
    if function and metric.name == "ConcurrentExecutions":
        reserved = template.number(function.properties.get("ReservedConcurrentExecutions"))
        return None if reserved is None else _Bound(reserved, f"the reserved concurrency of {function.id}")
    if queue and metric.name == "ApproximateAgeOfOldestMessage":
        kept = template.number(queue.properties.get("MessageRetentionPeriod", DEFAULT_RETENTION_SECONDS))
        return None if kept is None else _Bound(kept, f"seconds, {queue.id} deletes older messages")
    return None


def _bound_of_share(alarm: Resource, series: list[Metric]) -> _Bound | None:
    """The bound of errors divided by invocations, as one metric-math expression that the alarm watches."""
    expressions = [
        canonical(mapping(query)["Expression"]).replace(" ", "")
        for _, query in entries(alarm.properties.get("Metrics"))
        if "Expression" in mapping(query) and canonical(mapping(query).get("ReturnData", True)) == "true"
    ]
    share = _SHARE.fullmatch(expressions[0]) if len(expressions) == 1 else None
    names = {metric.id: metric.name for metric in series if metric.namespace == "AWS/Lambda"}
    if share and names.get(share[2]) == "Errors" and names.get(share[3]) == "Invocations":
        return _Bound(100 if share[1] or share[4] else 1, "errors by invocations")
    return None


RULES = (
    Rule(
        "E9532",
        "Alarm that can never go off, or never rests",
        "The threshold lies outside of what the metric can be, or CloudWatch refuses the periods.",
        # CloudWatch API Reference, "PutMetricAlarm", read 2026-11
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
        _impossible,
    ),
)
