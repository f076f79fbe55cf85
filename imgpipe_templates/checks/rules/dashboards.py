"""The rule of dashboards: JSON that CloudWatch takes, and graphs that show something."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates.checks.model import Fault, Path, Rule
from imgpipe_templates.checks.rules.alarms import Metric, metric_faults
from imgpipe_templates.checks.template import (
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, mapping

# CloudWatch API Reference, "Dashboard Body Structure and Syntax", read 2026-11.
MAX_WIDGETS = 500
COLUMNS = 24
MAX_ROWS = 1_000
_TYPES = ("alarm", "chart", "custom", "explorer", "log", "metric", "text")
# Type -> a property that it must have; several, one of which is enough.
_NEEDED = {
    "alarm": ("alarms",),
    "custom": ("endpoint",),
    "log": ("query",),
    "metric": ("metrics", "annotations"),
    "text": ("markdown",),
}
_REGIONAL = ("log", "metric")

_TOKEN = re.compile(r"\$\{[^!}][^}]*\}")


def _unshown(template: Template) -> Iterator[Fault]:
    for dashboard in template.of_type("AWS::CloudWatch::Dashboard"):
        path = dashboard.at("DashboardBody")
        written = dashboard.properties.get("DashboardBody")
        # What the template does not say, such as a parameter, is for the deployment to know.
        if written is None or not (isinstance(written, str) or template.decides(written)):
            continue
        try:
            body = _parsed(canonical(written))
        except ValueError as error:
            yield Fault(path, f"is no JSON ({error}); write it with a JSON library")
            continue
        widgets = mapping(body).get("widgets")
        if not isinstance(widgets, list) or len(widgets) > MAX_WIDGETS:
            yield Fault(
                path, f"has no list of widgets, or too many; CloudWatch takes widgets: [...], {MAX_WIDGETS} of them"
            )
            continue
        for position, widget in enumerate(widgets):
            for text in _widget(template, dashboard, mapping(widget)):
                yield Fault(path, f"widget {position}{_titled(widget)} {text}")


def _parsed(text: str) -> Any:
    """The JSON of a canonical text; what deployment fills in may stand between quotes or for a number."""
    quoted = _TOKEN.sub(lambda token: token[0].replace("\\", "/").replace('"', "'"), text)
    try:
        return json.loads(quoted)
    except ValueError:
        if "${" not in quoted:
            raise
        return json.loads(re.sub(r"([:,\[]\s*)\$\{[^}]*\}(?=\s*[,\]}])", r"\g<1>null", quoted))


def _titled(widget: Any) -> str:
    title = mapping(mapping(widget).get("properties")).get("title")
    return f" ({title})" if title else ""


def _widget(template: Template, dashboard: Resource, widget: Mapping[str, Any]) -> Iterator[str]:
    kind, properties = widget.get("type"), widget.get("properties")
    if kind not in _TYPES or not isinstance(properties, Mapping):
        yield f"is of type {kind!r}; CloudWatch takes {', '.join(_TYPES)}, each with properties"
        return
    yield from _place(widget)
    needed = _NEEDED.get(kind, ())
    if needed and not any(name in properties for name in needed):
        yield f"shows nothing; set {' or '.join(needed)} in its properties"
    if kind in _REGIONAL and not properties.get("region"):
        yield "names no Region, and metrics and logs are kept by Region; set region to ${AWS::Region}"
    if kind == "metric" and isinstance(properties.get("metrics"), list):
        yield from _series(template, dashboard, properties)


def _place(widget: Mapping[str, Any]) -> Iterator[str]:
    x, width = widget.get("x"), widget.get("width", 6)
    if ("x" in widget) != ("y" in widget):
        yield "has one of x and y; give both or neither"
    if isinstance(width, int) and not 1 <= width <= COLUMNS:
        yield f"is {width} columns wide; a dashboard has {COLUMNS}"
    elif isinstance(x, int) and isinstance(width, int) and (x < 0 or x + width > COLUMNS):
        yield f"ends at column {x + width}; a dashboard has {COLUMNS}"
    height = widget.get("height", 6)
    if isinstance(height, int) and not 1 <= height <= MAX_ROWS:
        yield f"is {height} rows high; CloudWatch takes 1 to {MAX_ROWS}"


def _series(template: Template, dashboard: Resource, properties: Mapping[str, Any]) -> Iterator[str]:
    before: list[str] = []
    for entry in properties["metrics"]:
        names, options = _split(entry)
        if names is None:
            yield f"has {json.dumps(entry)} among its metrics; write [namespace, name, dimension, value, ..., options]"
            continue
        if not names:  # an expression
            continue
        names = _unabridged(names, before)
        before = names
        if len(names) < 2 or len(names) % 2:  # noqa: PLR2004 - namespace and name, then pairs
            yield f"has a dimension without a value in {json.dumps(names)}; write each name with its value"
            continue
        statistic = options.get("stat", properties.get("stat", "Average"))
        period = options.get("period", properties.get("period", 300))
        metric = _metric(dashboard, names, canonical(statistic), period)
        # An account-wide or foreign Region's metric is not for this template to judge.
        if "accountId" not in options:
            yield from (fault.message for fault in metric_faults(template, metric))


def _split(entry: Any) -> tuple[list[str] | None, Mapping[str, Any]]:
    """The texts of one entry and the options at its end; no texts if it is an expression, None if it is neither."""
    if not isinstance(entry, list) or not entry:
        return None, {}
    options = entry[-1] if isinstance(entry[-1], Mapping) else {}
    names = entry[:-1] if options else entry
    if not all(isinstance(name, str) for name in names) or (not names and "expression" not in options):
        return None, {}
    return names, options


def _unabridged(names: list[str], before: list[str]) -> list[str]:
    """An entry with `.` and `...` replaced by what stands in the same places of the one before."""
    if names[0] == "...":
        rest = len(names) - 1
        names = [*before[: len(before) - rest], *names[1:]]
    return [before[at] if name == "." and at < len(before) else name for at, name in enumerate(names)]


def _metric(dashboard: Resource, names: list[str], statistic: str, period: Any) -> Metric:
    path: Path = dashboard.at("DashboardBody")
    pairs = zip(names[2::2], names[3::2], strict=True)
    dimensions = {name: (path, _expression(value)) for name, value in pairs}
    return Metric(dashboard, path, "", names[0], names[1], dimensions, statistic, period, "")


def _expression(text: str) -> dict[str, str]:
    """The expression that a text in a body stands for, which tells what this template says from what others do."""
    if "${(" in text:  # how `canonical` writes any other function
        return {"Fn::ImportValue": text}
    whole = _TOKEN.fullmatch(text)
    return {"Ref": text[2:-1]} if whole and "." not in text else {"Fn::Sub": text}


RULES = (
    Rule(
        "E9535",
        "Dashboard that CloudWatch refuses, or a graph that stays empty",
        "The body is text for CloudFormation; a misspelt metric, a missing Region or a short period shows nothing.",
        # Amazon CloudWatch API Reference, "Dashboard Body Structure and Syntax", read 2026-11
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html",
        _unshown,
    ),
)
