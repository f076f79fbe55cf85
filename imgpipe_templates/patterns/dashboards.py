"""The house pattern for a dashboard: graphs of the same metric objects that alarms watch, as one JSON text.

The text is valid JSON for all values of the handles at deployment: each value is put in by Fn::Sub, between quotes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from troposphere import Sub

from imgpipe_templates.core.handles import Bucket, Function, HttpApi, Queue, Table
from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.references import HandleText, titles_from_handles
from imgpipe_templates.patterns.alarms import FIVE_MINUTES_SECONDS, Metric

# S3 reports the size of a bucket once a day; over a shorter period there is nothing to draw (S3 User Guide, "Metrics
# and dimensions", read 2026-11).
ONE_DAY_SECONDS = 86_400

# A dashboard is 24 columns wide (CloudWatch API Reference, "Dashboard Body Structure and Syntax", read 2026-11).
_COLUMNS = 24
_GRAPH_ROWS = 6
_HEADING_ROWS = 2

# The storage classes that the lifecycle of a bucket moves objects to, as CloudWatch spells them; a graph of the first
# alone would show images vanish when they are archived. (S3 User Guide, "Metrics and dimensions", read 2026-11)
STORAGE_TYPES = {
    "Standard": "StandardStorage",
    "Standard-IA": "StandardIAStorage",
    "Glacier Instant Retrieval": "GlacierInstantRetrievalStorage",
    "Glacier Flexible Retrieval": "GlacierStorage",
}


@dataclass(frozen=True)
class Graph:
    """A graph of some series, which share one period.

    Attributes:
        title: What it shows, with its unit.
        series: The metrics by their labels.
        period_seconds: What one point of it covers.
    """

    title: str
    series: Mapping[str, Metric]
    period_seconds: int = FIVE_MINUTES_SECONDS


def invocations(function: Function) -> Metric:
    """Invocations of a function, as a count (Lambda Developer Guide, "Types of metrics", read 2026-11)."""
    return Metric("AWS/Lambda", "Invocations", {"FunctionName": function.name}, "Sum")


def duration(function: Function, statistic: str) -> Metric:
    """Duration of a function, in milliseconds."""
    return Metric("AWS/Lambda", "Duration", {"FunctionName": function.name}, statistic)


def oldest_message_age(queue: Queue) -> Metric:
    """Age of a queue's oldest message, in seconds."""
    return Metric("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": queue.name}, "Maximum")


def of_table(table: Table, name: str, index: str = "") -> Metric:
    """A count that DynamoDB keeps of a table or of one of its indexes."""
    dimensions: dict[str, Value] = {"TableName": table.name}
    if index:
        dimensions["GlobalSecondaryIndexName"] = index
    return Metric("AWS/DynamoDB", name, dimensions, "Sum")


def bytes_stored(bucket: Bucket, storage_type: str) -> Metric:
    """Bytes that a bucket holds in one storage class, versions included; once a day."""
    dimensions: dict[str, Value] = {"BucketName": bucket.name, "StorageType": storage_type}
    return Metric("AWS/S3", "BucketSizeBytes", dimensions, "Average")


def objects_stored(bucket: Bucket) -> Metric:
    """Objects that a bucket holds in all storage classes, versions included; once a day."""
    dimensions: dict[str, Value] = {"BucketName": bucket.name, "StorageType": "AllStorageTypes"}
    return Metric("AWS/S3", "NumberOfObjects", dimensions, "Average")


def of_api(api: HttpApi, name: str, statistic: str) -> Metric:
    """A metric of an HTTP API (API Gateway Developer Guide, "Metrics for HTTP APIs", read 2026-11)."""
    return Metric("AWS/ApiGateway", name, {"ApiId": api.id}, statistic)


def dashboard_body(heading: str, rows: Sequence[Sequence[Graph]]) -> Sub:
    """The body of a dashboard: a heading, then rows of equally wide graphs.

    Args:
        heading: Markdown; it may name parameters and pseudo parameters as Fn::Sub does.
        rows: At most 24 graphs each.
    """
    values = _Values()
    widgets: list[dict[str, Any]] = [_placed("text", 0, 0, _COLUMNS, _HEADING_ROWS, {"markdown": heading})]
    y = _HEADING_ROWS
    for row in rows:
        width = _COLUMNS // len(row)
        for position, graph in enumerate(row):
            widgets.append(_placed("metric", position * width, y, width, _GRAPH_ROWS, _properties(graph, values)))
        y += _GRAPH_ROWS
    # The console adapts periods to the time range unless this is set; a week shows a daily metric.
    body = {"start": "-P7D", "periodOverride": "inherit", "widgets": widgets}
    text = HandleText(json.dumps(body, separators=(",", ":")), values.titles)
    return Sub(text, values.named or None)


class _Values:
    """How values of the template stand in the text, and those that Fn::Sub must be given by a name."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {}
        self.titles: frozenset[str] = frozenset()
        self._names: dict[str, str] = {}

    def text(self, value: Value) -> str:
        """The text that Fn::Sub replaces by `value`."""
        if isinstance(value, str):
            return value.replace("${", "${!")
        meaning = value.to_dict()
        match meaning:
            case {"Ref": str(title)}:
                self.titles |= titles_from_handles(title)
                return f"${{{title}}}"
            case {"Fn::GetAtt": [str(title), str(attribute)]}:
                self.titles |= titles_from_handles(title)
                return f"${{{title}.{attribute}}}"
            case {"Fn::Sub": str(text)}:
                self.titles |= titles_from_handles(text)
                return text
        known = json.dumps(meaning, sort_keys=True)
        if known not in self._names:
            self._names[known] = f"Value{len(self._names) + 1}"
            self.named[self._names[known]] = value
        return f"${{{self._names[known]}}}"


def _properties(graph: Graph, values: _Values) -> dict[str, Any]:
    return {
        "title": graph.title,
        "view": "timeSeries",
        "region": "${AWS::Region}",
        "period": graph.period_seconds,
        "metrics": [_series(label, metric, values) for label, metric in graph.series.items()],
    }


def _series(label: str, metric: Metric, values: _Values) -> list[Any]:
    dimensions = [text for name, value in metric.dimensions.items() for text in (name, values.text(value))]
    return [metric.namespace, metric.name, *dimensions, {"label": label, "stat": metric.statistic}]


def _placed(kind: str, x: int, y: int, width: int, height: int, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "x": x, "y": y, "width": width, "height": height, "properties": properties}
