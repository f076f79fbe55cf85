"""Rules about alarms: a series that somebody writes, a threshold that can be crossed, somebody who is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.checks.aws_metrics import DAILY, PUBLISHED, SECONDS_OF_A_DAY, UNITS
from imgpipe_templates.checks.model import Fault, Path, Rule
from imgpipe_templates.checks.template import (
    BUCKET,
    FUNCTION,
    QUEUE,
    TABLE,
    TOPIC,
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, entries, mapping, split_arn
from imgpipe_templates.patterns import metrics

ALARM = "AWS::CloudWatch::Alarm"

# Dimension -> type of the resource it names, by namespace.
OWNERS = {
    ("AWS/Lambda", "FunctionName"): FUNCTION,
    ("AWS/SQS", "QueueName"): QUEUE,
    ("AWS/DynamoDB", "TableName"): TABLE,
    ("AWS/S3", "BucketName"): BUCKET,
}
_HOW_TO_NAME = {FUNCTION: "Ref", QUEUE: "Fn::GetAtt QueueName", TABLE: "Ref", BUCKET: "Ref"}


@dataclass(frozen=True)
class Metric:
    """One series that an alarm watches or a dashboard shows.

    Attributes:
        id: Its id in a metric-math alarm; "" when it is the alarm's own metric.
        statistic: `Sum`, `Maximum`, `p99`, ...
    """

    alarm: Resource
    path: Path
    id: str
    namespace: str
    name: str
    dimensions: dict[str, tuple[Path, Any]]
    statistic: str
    period: Any
    unit: str

    @property
    def title(self) -> str:
        """Namespace and name."""
        return f"{self.namespace} {self.name}"


def metrics_of(alarm: Resource) -> Iterator[Metric]:
    """The series of an alarm: its own, or those of its metric math."""
    properties = alarm.properties
    if "MetricName" in properties:
        statistic = properties.get("Statistic", properties.get("ExtendedStatistic"))
        yield _metric(alarm, alarm.at(), "", properties, statistic, properties.get("Period"), properties.get("Unit"))
    for position, query in entries(properties.get("Metrics")):
        stat = mapping(mapping(query).get("MetricStat"))
        if metric := mapping(stat.get("Metric")):
            path = alarm.at("Metrics", *position, "MetricStat", "Metric")
            name = canonical(mapping(query).get("Id"))
            yield _metric(alarm, path, name, metric, stat.get("Stat"), stat.get("Period"), stat.get("Unit"))


def _metric(
    alarm: Resource, path: Path, name: str, body: Mapping[str, Any], statistic: Any, period: Any, unit: Any
) -> Metric:
    dimensions = {
        canonical(mapping(dimension).get("Name")): ((*path, "Dimensions", *position), mapping(dimension).get("Value"))
        for position, dimension in entries(body.get("Dimensions"))
    }
    return Metric(
        alarm,
        path,
        name,
        canonical(body.get("Namespace")),
        canonical(body.get("MetricName")),
        dimensions,
        canonical(statistic),
        period,
        canonical(unit),
    )


def owner_of(template: Template, metric: Metric, dimension: str) -> Resource | None:
    """The resource of this template that a dimension of a metric names."""
    kind = OWNERS.get((metric.namespace, dimension))
    return template.find(kind, metric.dimensions[dimension][1]) if kind and dimension in metric.dimensions else None


def _unwritten(template: Template) -> Iterator[Fault]:
    for alarm in template.of_type(ALARM):
        for metric in metrics_of(alarm):
            yield from metric_faults(template, metric)


def metric_faults(template: Template, metric: Metric) -> Iterator[Fault]:
    """Why a series has no data: nobody writes it, or not that often."""
    if metric.namespace == metrics.NAMESPACE and template.profile.conventions:
        yield from _own(template, metric)
    elif metric.namespace in PUBLISHED:
        yield from _published(template, metric)
    period = template.number(metric.period)
    if (metric.namespace, metric.name) in DAILY and period is not None and period != SECONDS_OF_A_DAY:
        yield Fault(
            (*metric.path, "Period"),
            f"AWS publishes {metric.title} once a day, and points of {period:g} seconds have none; "
            f"use a period of {SECONDS_OF_A_DAY} seconds",
        )


def _own(template: Template, metric: Metric) -> Iterator[Fault]:
    if metric.name not in metrics.UNITS:
        emitted = ", ".join(metrics.UNITS)
        yield Fault((*metric.path, "MetricName"), f"nothing emits {metric.title}; the functions emit {emitted}")
        return
    if set(metric.dimensions) != set(metrics.DIMENSIONS):
        yield Fault(
            (*metric.path, "Dimensions"),
            f"{metric.title} is emitted with {_listed(metrics.DIMENSIONS)}, this is "
            f"{_listed(metric.dimensions)}, another series that nobody writes; use exactly the emitted dimensions",
        )
        return
    for name, (path, value) in metric.dimensions.items():
        if name in template.section("Parameters") and canonical(value) != canonical({"Ref": name}):
            yield Fault(
                (*path, "Value"),
                f"the functions emit {name} as they are deployed; use Ref: {name}, not {canonical(value)!r}",
            )
    if metric.unit not in ("", metrics.UNITS[metric.name]):
        yield Fault(
            metric.path,
            f"{metric.title} is emitted in {metrics.UNITS[metric.name]}, not in {metric.unit}; leave Unit out",
        )


def _published(template: Template, metric: Metric) -> Iterator[Fault]:
    known = PUBLISHED[metric.namespace]
    if metric.name not in known:
        yield Fault(
            (*metric.path, "MetricName"), f"{metric.namespace} has no metric {metric.name!r}; check its spelling"
        )
        return
    if frozenset(metric.dimensions) not in known[metric.name]:
        allowed = " or ".join(sorted(_listed(group) for group in known[metric.name]))
        yield Fault(
            (*metric.path, "Dimensions"),
            f"AWS publishes {metric.title} by {allowed}, this is by "
            f"{_listed(metric.dimensions)}, a series without data; use one of these sets",
        )
        return
    for name, (path, value) in metric.dimensions.items():
        kind = OWNERS.get((metric.namespace, name))
        if kind and template.resolved(value).startswith("arn:"):
            yield Fault((*path, "Value"), f"is an ARN, and {name} is a name; name it by {_HOW_TO_NAME[kind]}")
        elif kind and template.decides(value) and template.find(kind, value) is None:
            yield Fault(
                (*path, "Value"),
                f"no {kind} of this template is named {template.resolved(value)!r}; name one by {_HOW_TO_NAME[kind]}",
            )
    yield from _unknown_index(template, metric)
    expected = UNITS.get((metric.namespace, metric.name))
    if expected and metric.unit not in ("", expected):
        yield Fault(
            metric.path,
            f"AWS publishes {metric.title} in {expected}, and a series in {metric.unit} has no data; leave Unit out",
        )


def _unknown_index(template: Template, metric: Metric) -> Iterator[Fault]:
    table = owner_of(template, metric, "TableName")
    if table is None or "GlobalSecondaryIndexName" not in metric.dimensions:
        return
    path, value = metric.dimensions["GlobalSecondaryIndexName"]
    indexes = [
        canonical(mapping(index).get("IndexName"))
        for _, index in entries(table.properties.get("GlobalSecondaryIndexes"))
    ]
    if canonical(value) not in indexes:
        yield Fault((*path, "Value"), f"{table.id} has no index {canonical(value)!r}; it has {_listed(indexes)}")


def _listed(names: Any) -> str:
    return "{" + ", ".join(sorted(names)) + "}"


def _twice(template: Template) -> Iterator[Fault]:
    """Faults of alarms that watch what another one watches, as when one names another's function."""
    seen: dict[tuple[str, ...], str] = {}
    for alarm in template.of_type(ALARM):
        series = list(metrics_of(alarm))
        if len(series) != 1 or "MetricName" not in alarm.properties or "Condition" in alarm.body:
            continue
        properties, dimensions = alarm.properties, sorted(series[0].dimensions.items())
        key = (
            series[0].title,
            series[0].statistic,
            *(f"{name}={template.resolved(value)}" for name, (_, value) in dimensions),
            *(canonical(properties.get(name)) for name in ("ComparisonOperator", "Threshold", "Period")),
        )
        first = seen.setdefault(key, alarm.id)
        if first != alarm.id:
            yield Fault(
                alarm.path,
                f"watches the series that {first} watches, by the same threshold, so that something else is watched by "
                "none; name what the alarm is about",
            )


def _unheard(template: Template) -> Iterator[Fault]:
    for alarm in template.of_type(ALARM, "AWS::CloudWatch::CompositeAlarm"):
        if not any(True for _ in entries(alarm.properties.get("AlarmActions"))):
            yield Fault(alarm.path, "nobody is told when the alarm goes off; set AlarmActions, for example to a topic")
        yield from _wrong_actions(template, alarm)
        if canonical(alarm.properties.get("ActionsEnabled")) == "false":
            yield Fault(alarm.at("ActionsEnabled"), "the alarm's actions are switched off; leave ActionsEnabled out")


# Services that an alarm can act by (CloudWatch API Reference, "PutMetricAlarm", AlarmActions, read 2026-12).
_ACTORS = ("aiops", "automate", "autoscaling", "lambda", "sns", "ssm", "ssm-incidents", "swf")


def _wrong_actions(template: Template, alarm: Resource) -> Iterator[Fault]:
    for key in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        for position, value in entries(alarm.properties.get(key)):
            text = template.resolved(value)
            parts = split_arn(text)
            # A reference that is not resolved may return an ARN, as that of a scaling policy does.
            named = not text.startswith("arn:") and template.find(TOPIC, value) is not None
            known = named or (template.decides(value) and not text.startswith("${"))
            if known and (parts is None or (parts[2] not in _ACTORS and "${" not in parts[2])):
                yield Fault(alarm.at(key, *position), f"{text!r} is no action of an alarm; use the ARN of a topic")


def _undecided(template: Template) -> Iterator[Fault]:
    for alarm in template.of_type(ALARM):
        if "TreatMissingData" not in alarm.properties:
            yield Fault(
                alarm.path,
                "without data the alarm stays in its last state or becomes INSUFFICIENT_DATA; say what silence means "
                "with TreatMissingData, notBreaching where no data is good news",
            )


RULES = (
    Rule(
        "E9531",
        "Alarm on a series that nobody writes",
        "A metric with other dimensions is another series: an alarm on it stays silent for ever.",
        # CloudWatch API Reference, "GetMetricStatistics" (Dimensions), read 2026-11
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html",
        _unwritten,
    ),
    Rule(
        "E9537",
        "Two alarms on one series",
        "Two alarms that go off together say one thing, and what one of them was meant for goes unwatched.",
        # CloudWatch API Reference, "PutMetricAlarm", read 2026-12
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
        _twice,
    ),
    Rule(
        "E9533",
        "Alarm without an action",
        "An alarm that changes its state and tells nobody is a line in a console.",
        # Amazon CloudWatch User Guide, "Alarm actions", read 2026-11
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html",
        _unheard,
    ),
    Rule(
        "W9534",
        "Alarm that does not say what missing data means",
        "Functions and queues that rest send no data; the default then hides or invents trouble.",
        # CloudWatch API Reference, "PutMetricAlarm" (TreatMissingData), read 2026-11
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
        _undecided,
    ),
)
