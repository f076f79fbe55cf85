"""The metrics that the pipeline's own functions emit: the one list that alarms, widgets and checks read.

`lambda/processor/imgpipe_processor/metrics.py` emits them; tests/contract holds the two together.
"""

from __future__ import annotations

NAMESPACE = "ImageProcessing"

# One dimension set for every metric: an alarm with other dimensions would have no data.
DIMENSIONS = ("Environment", "EnvironmentSuffix")

PROCESSED_IMAGES = "ProcessedImages"
PROCESSING_ERRORS = "ProcessingErrors"
PROCESSING_DURATION = "ProcessingDuration"
SOURCE_BYTES = "SourceBytes"
THUMBNAIL_BYTES = "ThumbnailBytes"

# Metric name -> unit, in CloudWatch's own spelling (CloudWatch API Reference, "MetricDatum", read 2026-11).
UNITS = {
    PROCESSED_IMAGES: "Count",
    PROCESSING_ERRORS: "Count",
    PROCESSING_DURATION: "Milliseconds",
    SOURCE_BYTES: "Bytes",
    THUMBNAIL_BYTES: "Bytes",
}
