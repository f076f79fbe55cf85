"""Dashboard: one page that shows whether the pipeline does its work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from troposphere import Equals, If, Partition, Ref, Sub, cloudwatch

from imgpipe_templates.core.handles import Bucket, Function, HttpApi, Queue, Table
from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns import metrics
from imgpipe_templates.patterns.alarms import FunctionMetrics, emitted, messages_waiting
from imgpipe_templates.patterns.dashboards import (
    ONE_DAY_SECONDS,
    STORAGE_TYPES,
    Graph,
    bytes_stored,
    dashboard_body,
    duration,
    invocations,
    objects_stored,
    of_api,
    of_table,
    oldest_message_age,
)

HEADING = (
    "# Image pipeline ${EnvironmentSuffix}\n"
    "${Environment} in ${AWS::Region}. Sizes of buckets are a day old; everything else is counted by 5 minutes."
)

# Where the console of a partition is (each partition's own user guides, read 2026-12). No pseudo parameter says it. In
# the isolated partitions the output's domain has to be replaced by hand.
CONSOLE_DOMAIN = "aws.amazon.com"
OTHER_CONSOLES = {
    "HasGovCloudConsole": ("aws-us-gov", "amazonaws-us-gov.com"),
    "HasChinaConsole": ("aws-cn", "amazonaws.cn"),
    "HasEuropeanSovereignConsole": ("aws-eusc", "amazonaws-eusc.eu"),
}


def add_dashboard(
    scope: Scope,
    *,
    functions: dict[str, Function],
    buckets: dict[str, Bucket],
    images: Table | None,
    indexes: Sequence[str],
    queues: dict[str, Queue],
    api: HttpApi | None,
) -> None:
    """Add the dashboard and the output that leads to it.

    Args:
        scope: Where it goes.
        functions: The functions by what people call them, the processor first.
        buckets: The buckets by what people call them.
        images: The table of metadata.
        indexes: Names of that table's indexes.
        queues: The queues by what people call them.
        api: The API that answers questions about images.
    """
    rows = [
        _images(),
        *(_function(name, function) for name, function in functions.items()),
        *_queues(queues),
        *_table(images, indexes),
        *_api(api),
        *_storage(buckets),
    ]
    dashboard = scope.add(
        cloudwatch.Dashboard(
            "MonitoringDashboard",
            DashboardBody=dashboard_body(HEADING, rows),
            DashboardName=scope.names.value("MonitoringDashboard"),
        )
    )
    domain: Value = CONSOLE_DOMAIN
    for title, (partition, other) in OTHER_CONSOLES.items():
        domain = If(scope.condition(title, Equals(Partition, partition)), other, domain)
    address = (
        "https://${AWS::Region}.console.${Domain}/cloudwatch/home?region=${AWS::Region}#dashboards/dashboard/${Name}"
    )
    scope.output("DashboardUrl", Sub(address, Domain=domain, Name=Ref(dashboard)), "Dashboard of the pipeline")


def _images() -> list[Graph]:
    return [
        Graph(
            "Images",
            {
                "Processed": emitted(metrics.PROCESSED_IMAGES, "Sum"),
                "Failed": emitted(metrics.PROCESSING_ERRORS, "Sum"),
            },
        ),
        Graph(
            "Time per image, in milliseconds",
            {
                "Average": emitted(metrics.PROCESSING_DURATION, "Average"),
                "Slowest": emitted(metrics.PROCESSING_DURATION, "Maximum"),
            },
        ),
        Graph(
            "Bytes in and out",
            {
                "Uploads": emitted(metrics.SOURCE_BYTES, "Sum"),
                "Thumbnails": emitted(metrics.THUMBNAIL_BYTES, "Sum"),
            },
        ),
    ]


def _function(name: str, function: Function) -> list[Graph]:
    counted = FunctionMetrics(function)
    return [
        Graph(
            f"{name}: invocations",
            {"All": invocations(function), "Errors": counted.errors, "Throttled": counted.throttles},
        ),
        Graph(
            f"{name}: duration, in milliseconds",
            {"Average": duration(function, "Average"), "Slowest": counted.longest_duration},
        ),
    ]


def _queues(queues: dict[str, Queue]) -> Iterator[list[Graph]]:
    if queues:
        yield [
            Graph("Messages waiting", {name: messages_waiting(queue) for name, queue in queues.items()}),
            Graph("Oldest message, in seconds", {name: oldest_message_age(queue) for name, queue in queues.items()}),
        ]


def _table(images: Table | None, indexes: Sequence[str]) -> Iterator[list[Graph]]:
    """What is used of the table, and what it refuses: of a table paid by request there is no more to run out of."""
    if images:
        places = {"table": "", **{index: index for index in indexes}}
        yield [
            Graph(
                title,
                {
                    f"{kind}, {place}": of_table(images, name, index)
                    for place, index in places.items()
                    for kind, name in (("Read", read), ("Write", write))
                },
            )
            for title, read, write in (
                ("Metadata: units used", "ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"),
                ("Metadata: requests throttled", "ReadThrottleEvents", "WriteThrottleEvents"),
            )
        ]


def _api(api: HttpApi | None) -> Iterator[list[Graph]]:
    if api:
        yield [
            Graph(
                "API: requests",
                {
                    "All": of_api(api, "Count", "Sum"),
                    "Refused (4xx)": of_api(api, "4xx", "Sum"),
                    "Failed (5xx)": of_api(api, "5xx", "Sum"),
                },
            ),
            Graph(
                "API: time to answer, in milliseconds",
                {
                    "Average": of_api(api, "Latency", "Average"),
                    "99 of 100": of_api(api, "Latency", "p99"),
                    "Average in the function": of_api(api, "IntegrationLatency", "Average"),
                },
            ),
        ]


def _storage(buckets: dict[str, Bucket]) -> Iterator[list[Graph]]:
    if buckets:
        yield [
            Graph(
                "Bytes stored",
                {
                    f"{name}, {label}": bytes_stored(bucket, storage_type)
                    for name, bucket in buckets.items()
                    for label, storage_type in STORAGE_TYPES.items()
                },
                ONE_DAY_SECONDS,
            ),
            Graph("Objects stored", {name: objects_stored(b) for name, b in buckets.items()}, ONE_DAY_SECONDS),
        ]
