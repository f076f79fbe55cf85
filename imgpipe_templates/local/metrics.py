"""CloudWatch's embedded metric format: the metrics that a function writes into its log.

Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format", read 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Datum:
    """One value of one metric."""

    namespace: str
    name: str
    value: float
    unit: str
    dimensions: Mapping[str, str]


def embedded_metrics(log: str) -> Iterator[Datum]:
    """Every datum in the log's lines; a line that is no valid metric document is only a log line, as on AWS."""
    for line in log.splitlines():
        if '"_aws"' not in line:
            continue
        try:
            document = json.loads(line)
            yield from list(_data(document))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def _data(document: Mapping[str, Any]) -> Iterator[Datum]:
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for metric in directive["Metrics"]:
            values = document[metric["Name"]]
            for keys in directive["Dimensions"]:
                dimensions = {key: str(document[key]) for key in keys}
                for value in values if isinstance(values, list) else [values]:
                    unit = metric.get("Unit", "None")
                    yield Datum(directive["Namespace"], metric["Name"], float(value), unit, dimensions)
