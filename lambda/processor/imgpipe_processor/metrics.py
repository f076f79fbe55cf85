"""The metrics of the function, as members of its log lines in CloudWatch's embedded metric format.

CloudWatch reads them out of the log: no call, no permission, no waiting ("Specification: Embedded metric format",
Amazon CloudWatch User Guide, read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

NAMESPACE = "ImageProcessing"

# One dimension set for every metric: an alarm on another set watches a series that nobody writes.
DIMENSIONS = ("Environment", "EnvironmentSuffix")

PROCESSED_IMAGES = "ProcessedImages"
PROCESSING_ERRORS = "ProcessingErrors"
PROCESSING_DURATION = "ProcessingDuration"
SOURCE_BYTES = "SourceBytes"
THUMBNAIL_BYTES = "ThumbnailBytes"

UNITS = {
    PROCESSED_IMAGES: "Count",
    PROCESSING_ERRORS: "Count",
    PROCESSING_DURATION: "Milliseconds",
    SOURCE_BYTES: "Bytes",
    THUMBNAIL_BYTES: "Bytes",
}


def embedded_metrics(
    values: Mapping[str, float], *, environment: str, environment_suffix: str, at: datetime
) -> dict[str, Any]:
    """The members that turn a JSON log line into one value of each metric in `values`."""
    return {
        "_aws": {
            "Timestamp": int(at.timestamp() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [list(DIMENSIONS)],
                    "Metrics": [{"Name": name, "Unit": UNITS[name]} for name in values],
                }
            ],
        },
        **dict(zip(DIMENSIONS, (environment, environment_suffix), strict=True)),
        **values,
    }
