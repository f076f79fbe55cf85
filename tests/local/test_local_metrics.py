"""Metrics that functions write into their log."""

from __future__ import annotations

import json

from imgpipe_templates.local.metrics import Datum, embedded_metrics


def line(**members: object) -> str:
    metrics = [{"Name": "Images", "Unit": "Count"}, {"Name": "Size", "Unit": "Bytes"}]
    directive = {"Namespace": "Photos", "Dimensions": [["Stage"], []], "Metrics": metrics}
    return json.dumps({"_aws": {"CloudWatchMetrics": [directive]}, "Stage": "test", **members})


def test_every_metric_counts_once_for_every_dimension_set():
    log = f"START\n{line(Images=1, Size=[10, 20.5])}\nEND\n"

    assert list(embedded_metrics(log)) == [
        Datum("Photos", "Images", 1.0, "Count", {"Stage": "test"}),
        Datum("Photos", "Images", 1.0, "Count", {}),
        Datum("Photos", "Size", 10.0, "Bytes", {"Stage": "test"}),
        Datum("Photos", "Size", 20.5, "Bytes", {"Stage": "test"}),
        Datum("Photos", "Size", 10.0, "Bytes", {}),
        Datum("Photos", "Size", 20.5, "Bytes", {}),
    ]


def test_lines_that_are_no_metrics_are_only_lines():
    broken = [line(Images=1), '{"_aws": 1}', '{"_aws"', line(Images="many", Size=1), '"_aws"']

    assert list(embedded_metrics("\n".join(broken))) == []
