"""The rule about dashboards: a body that CloudWatch accepts, and graphs with data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates.checks.facts.expressions import canonical, mapping
from imgpipe_templates.checks.facts.metric_series import Series, series_violations
from imgpipe_templates.checks.facts.template import Resource, Template
from imgpipe_templates.checks.findings import Path, Violation
from imgpipe_templates.checks.rule import template_rule

# CloudWatch API Reference, "Dashboard Body Structure and Syntax", read 2026-11.
MAX_WIDGETS = 500
COLUMNS = 24
MAX_ROWS = 1_000
_TYPES = ("alarm", "chart", "custom", "explorer", "log", "metric", "text")
# Type -> required properties, of which one is enough.
_REQUIRED = {
    "alarm": ("alarms",),
    "custom": ("endpoint",),
    "log": ("query",),
    "metric": ("metrics", "annotations"),
    "text": ("markdown",),
}
_REGIONAL = ("log", "metric")

_TOKEN = re.compile(r"\$\{[^!}][^}]*\}")


@template_rule(
    "E9535",
    "Invalid dashboard body or empty graph",
    "CloudFormation does not check the body; a misspelt metric, a missing Region or a short period shows no data.",
    # Amazon CloudWatch API Reference, "Dashboard Body Structure and Syntax", read 2026-11
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html",
)
def invalid_dashboard(template: Template) -> Iterator[Violation]:
    for dashboard in template.of_type("AWS::CloudWatch::Dashboard"):
        path = dashboard.at("DashboardBody")
        value = dashboard.properties.get("DashboardBody")
        # Only the deployment knows a body in a parameter.
        if value is None or not (isinstance(value, str) or template.knows(value)):
            continue
        try:
            body = _parsed(canonical(value))
        except ValueError as error:
            yield Violation(path, f"is invalid JSON ({error}); write it with a JSON library")
            continue
        widgets = mapping(body).get("widgets")
        if not isinstance(widgets, list) or len(widgets) > MAX_WIDGETS:
            yield Violation(
                path, f"has no list of widgets, or too many; write widgets: [...] with at most {MAX_WIDGETS} widgets"
            )
            continue
        for position, widget in enumerate(widgets):
            for text in _widget(template, dashboard, mapping(widget)):
                yield Violation(path, f"widget {position}{_title_of(widget)} {text}")


def _parsed(text: str) -> Any:
    """Return the JSON of a canonical text; a value that the deployment sets may be a text or a number."""
    quoted = _TOKEN.sub(lambda token: token[0].replace("\\", "/").replace('"', "'"), text)
    try:
        return json.loads(quoted)
    except ValueError:
        if "${" not in quoted:
            raise
        return json.loads(re.sub(r"([:,\[]\s*)\$\{[^}]*\}(?=\s*[,\]}])", r"\g<1>null", quoted))


def _title_of(widget: Any) -> str:
    title = mapping(mapping(widget).get("properties")).get("title")
    return f" ({title})" if title else ""


def _widget(template: Template, dashboard: Resource, widget: Mapping[str, Any]) -> Iterator[str]:
    kind, properties = widget.get("type"), widget.get("properties")
    if kind not in _TYPES or not isinstance(properties, Mapping):
        yield f"has the unknown type {kind!r} or no properties; use one of {', '.join(_TYPES)}"
        return
    yield from _layout_errors(widget)
    required = _REQUIRED.get(kind, ())
    if required and not any(name in properties for name in required):
        yield f"is empty; set {' or '.join(required)} in its properties"
    if kind in _REGIONAL and not properties.get("region"):
        yield "has no Region, and metrics and logs are regional; set region to ${AWS::Region}"
    if kind == "metric" and isinstance(properties.get("metrics"), list):
        yield from _series_errors(template, dashboard, properties)


def _layout_errors(widget: Mapping[str, Any]) -> Iterator[str]:
    x, width = widget.get("x"), widget.get("width", 6)
    if ("x" in widget) != ("y" in widget):
        yield "has only one of x and y; set both or neither"
    if isinstance(width, int) and not 1 <= width <= COLUMNS:
        yield f"has a width of {width} columns; use 1 to {COLUMNS}"
    elif isinstance(x, int) and isinstance(width, int) and (x < 0 or x + width > COLUMNS):
        yield f"ends at column {x + width}, outside of the dashboard; use at most {COLUMNS}"
    height = widget.get("height", 6)
    if isinstance(height, int) and not 1 <= height <= MAX_ROWS:
        yield f"has a height of {height} rows; use 1 to {MAX_ROWS}"


def _series_errors(template: Template, dashboard: Resource, properties: Mapping[str, Any]) -> Iterator[str]:
    previous: list[str] = []
    for entry in properties["metrics"]:
        names, options = _split(entry)
        if names is None:
            yield f"has the invalid metric {json.dumps(entry)}; write [namespace, name, dimension, value, ..., options]"
            continue
        if not names:  # an expression
            continue
        names = _expanded(names, previous)
        previous = names
        if len(names) < 2 or len(names) % 2:  # noqa: PLR2004 - namespace and name, then pairs
            yield f"has a dimension without a value in {json.dumps(names)}; write name and value of each dimension"
            continue
        statistic = options.get("stat", properties.get("stat", "Average"))
        period = options.get("period", properties.get("period", 300))
        series = _metric_series(dashboard, names, canonical(statistic), period)
        # The template does not know the metrics of another account.
        if "accountId" not in options:
            yield from (violation.message for violation in series_violations(template, series))


def _split(entry: Any) -> tuple[list[str] | None, Mapping[str, Any]]:
    """Return the texts and the options of an entry; no texts for an expression, None for an invalid entry."""
    if not isinstance(entry, list) or not entry:
        return None, {}
    options = entry[-1] if isinstance(entry[-1], Mapping) else {}
    names = entry[:-1] if options else entry
    if not all(isinstance(name, str) for name in names) or (not names and "expression" not in options):
        return None, {}
    return names, options


def _expanded(names: list[str], previous: list[str]) -> list[str]:
    """Return an entry with `.` and `...` replaced by the texts at the same positions of the previous entry."""
    if names[0] == "...":
        rest = len(names) - 1
        names = [*previous[: len(previous) - rest], *names[1:]]
    return [previous[at] if name == "." and at < len(previous) else name for at, name in enumerate(names)]


def _metric_series(dashboard: Resource, names: list[str], statistic: str, period: Any) -> Series:
    path: Path = dashboard.at("DashboardBody")
    pairs = zip(names[2::2], names[3::2], strict=True)
    dimensions = {name: (path, _expression(value)) for name, value in pairs}
    return Series(dashboard, path, "", names[0], names[1], dimensions, statistic, period, "")


def _expression(text: str) -> dict[str, str]:
    """Return the expression of a text in a body, to distinguish values of this template from imported values."""
    if "${(" in text:  # the canonical text of any other function
        return {"Fn::ImportValue": text}
    whole = _TOKEN.fullmatch(text)
    return {"Ref": text[2:-1]} if whole and "." not in text else {"Fn::Sub": text}
