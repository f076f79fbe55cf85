"""Metric series that alarms and dashboards read, and series without data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.checks.facts.aws_metrics import DAILY, PUBLISHED, SECONDS_OF_A_DAY, UNITS
from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping
from imgpipe_templates.checks.facts.template import BUCKET, FUNCTION, QUEUE, TABLE, Resource, Template
from imgpipe_templates.checks.findings import Path, Violation
from imgpipe_templates.patterns import metrics

ALARM = "AWS::CloudWatch::Alarm"

# Namespace and dimension -> type of the resource in its value.
_RESOURCE_OF_DIMENSION = {
    ("AWS/Lambda", "FunctionName"): FUNCTION,
    ("AWS/SQS", "QueueName"): QUEUE,
    ("AWS/DynamoDB", "TableName"): TABLE,
    ("AWS/S3", "BucketName"): BUCKET,
}

_REFERENCE = {FUNCTION: "Ref", QUEUE: "Fn::GetAtt QueueName", TABLE: "Ref", BUCKET: "Ref"}


@dataclass(frozen=True)
class Series:
    """One metric series of an alarm or a dashboard.

    Attributes:
        owner: The alarm or the dashboard.
        id: The id in a metric-math alarm; "" for the alarm's own metric.
        statistic: `Sum`, `Maximum`, `p99`, ...
    """

    owner: Resource
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


def series_of(alarm: Resource) -> Iterator[Series]:
    """Yield the series of an alarm: its metric, or those of its metric math."""
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
) -> Series:
    dimensions = {
        canonical(mapping(dimension).get("Name")): ((*path, "Dimensions", *position), mapping(dimension).get("Value"))
        for position, dimension in entries(body.get("Dimensions"))
    }
    return Series(
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


def dimension_resource(template: Template, series: Series, dimension: str) -> Resource | None:
    """Return the resource of this template in a dimension of a series."""
    kind = _RESOURCE_OF_DIMENSION.get((series.namespace, dimension))
    return template.find(kind, series.dimensions[dimension][1]) if kind and dimension in series.dimensions else None


def series_violations(template: Template, series: Series) -> Iterator[Violation]:
    """Yield the reasons for a series without data: it is never published, or not with this period."""
    if series.namespace == metrics.NAMESPACE and template.profile.conventions:
        yield from _project_series(template, series)
    elif series.namespace in PUBLISHED:
        yield from _aws_series(template, series)
    period = template.number(series.period)
    if (series.namespace, series.name) in DAILY and period is not None and period != SECONDS_OF_A_DAY:
        yield Violation(
            (*series.path, "Period"),
            f"AWS publishes {series.title} once a day, so a period of {period:g} seconds has no data; "
            f"use a period of {SECONDS_OF_A_DAY} seconds",
        )


def _project_series(template: Template, series: Series) -> Iterator[Violation]:
    if series.name not in metrics.UNITS:
        emitted = ", ".join(metrics.UNITS)
        yield Violation((*series.path, "MetricName"), f"no function emits {series.title}; use one of {emitted}")
        return
    if set(series.dimensions) != set(metrics.DIMENSIONS):
        yield Violation(
            (*series.path, "Dimensions"),
            f"the functions emit {series.title} with {_joined(metrics.DIMENSIONS)}; {_joined(series.dimensions)} is "
            "another series without data; use exactly the emitted dimensions",
        )
        return
    for name, (path, value) in series.dimensions.items():
        if name in template.section("Parameters") and canonical(value) != canonical({"Ref": name}):
            yield Violation(
                (*path, "Value"),
                f"{canonical(value)!r} is not the {name} that the functions emit; use Ref: {name}",
            )
    if series.unit not in ("", metrics.UNITS[series.name]):
        yield Violation(
            series.path,
            f"the functions emit {series.title} in {metrics.UNITS[series.name]}, not in {series.unit}; remove Unit",
        )


def _aws_series(template: Template, series: Series) -> Iterator[Violation]:
    known = PUBLISHED[series.namespace]
    if series.name not in known:
        yield Violation(
            (*series.path, "MetricName"), f"{series.namespace} has no metric {series.name!r}; check its spelling"
        )
        return
    if frozenset(series.dimensions) not in known[series.name]:
        allowed = " or ".join(sorted(_joined(group) for group in known[series.name]))
        yield Violation(
            (*series.path, "Dimensions"),
            f"AWS publishes {series.title} with the dimensions {allowed}; {_joined(series.dimensions)} is a series "
            "without data; use one of these sets",
        )
        return
    for name, (path, value) in series.dimensions.items():
        kind = _RESOURCE_OF_DIMENSION.get((series.namespace, name))
        if kind and template.resolved(value).startswith("arn:"):
            yield Violation((*path, "Value"), f"is an ARN, but {name} must be a name; use {_REFERENCE[kind]}")
        elif kind and template.knows(value) and template.find(kind, value) is None:
            yield Violation(
                (*path, "Value"),
                f"this template has no {kind} with the name {template.resolved(value)!r}; use {_REFERENCE[kind]} of "
                "one",
            )
    yield from _unknown_index(template, series)
    expected = UNITS.get((series.namespace, series.name))
    if expected and series.unit not in ("", expected):
        yield Violation(
            series.path,
            f"AWS publishes {series.title} in {expected}; a series in {series.unit} has no data; remove Unit",
        )


def _unknown_index(template: Template, series: Series) -> Iterator[Violation]:
    table = dimension_resource(template, series, "TableName")
    if table is None or "GlobalSecondaryIndexName" not in series.dimensions:
        return
    path, value = series.dimensions["GlobalSecondaryIndexName"]
    indexes = [
        canonical(mapping(index).get("IndexName"))
        for _, index in entries(table.properties.get("GlobalSecondaryIndexes"))
    ]
    if canonical(value) not in indexes:
        yield Violation((*path, "Value"), f"{table.id} has no index {canonical(value)!r}; it has {_joined(indexes)}")


def _joined(names: Any) -> str:
    return "{" + ", ".join(sorted(names)) + "}"
