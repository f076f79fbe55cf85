"""Monitoring: alarms over what the other subsystems built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from imgpipe_templates.configuration import OnlyWith, Range, Section
from imgpipe_templates.core.handles import Function, HttpApi, Queue, Table, Topic
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns import metrics
from imgpipe_templates.patterns.alarms import (
    ApiMetrics,
    FunctionMetrics,
    add_alarm,
    emitted,
    messages_waiting,
    oldest_message,
    table_throttles,
)
from imgpipe_templates.patterns.queues import LONGEST_RETENTION_SECONDS

# One slow invocation is no alarm: the next period has to have one, too.
SLOW_PERIODS = 2


class MonitoringConfig(Section):
    """Thresholds of the alarms."""

    max_processing_errors_per_5_minutes: Annotated[
        int, Range(0, 100_000, "images"), Field(description="Failed or refused images in 5 minutes before the alarm.")
    ] = 5
    max_function_errors_per_5_minutes: Annotated[
        int,
        Range(0, 100_000, "invocations"),
        Field(description="Invocations with an error in 5 minutes before the alarm."),
    ] = 5
    max_throttles_per_5_minutes: Annotated[
        int,
        Range(0, 100_000, "invocations"),
        Field(description="Throttled invocations in 5 minutes before the alarm."),
    ] = 0
    max_upload_wait_seconds: Annotated[
        int,
        Range(60, 86_400, "seconds"),
        Field(description="Age of the oldest message in the queue of uploads before the alarm."),
        OnlyWith({"trigger": ("queue",)}),
    ] = 900
    table_alarms: Annotated[
        bool, Field(description="Create alarms for throttled requests of the table and its indexes.")
    ] = False
    dashboard: Annotated[bool, Field(description="Create a CloudWatch dashboard.")] = False
    max_duration_percent_of_timeout: Annotated[
        int,
        Range(1, 99, "percent"),
        Field(description="Duration of the slowest invocation, in percent of the timeout, before the alarm."),
    ] = 80


@dataclass(frozen=True)
class MonitoredResources:
    """What there is to watch; None where the pipeline has no such thing.

    Attributes:
        processor: The processor.
        timeout_seconds: Its timeout.
        retry_attempts: How often Lambda tries an event again, where no queue does.
        dead_letters: The queue of what it could not process.
        images: The table.
        indexes: The table's indexes.
        uploads: The queue in which uploads wait.
        max_receives: How often that queue has an upload tried.
        retrieval: The function that answers questions.
        retrieval_timeout_seconds: Its timeout.
        api: The API in front of it.
    """

    processor: Function
    timeout_seconds: int
    retry_attempts: int
    dead_letters: Queue
    images: Table
    indexes: tuple[str, ...] = ()
    uploads: Queue | None = None
    max_receives: int = 0
    retrieval: Function | None = None
    retrieval_timeout_seconds: int = 0
    api: HttpApi | None = None


def add_monitoring(scope: Scope, config: MonitoringConfig, *, monitored: MonitoredResources, operators: Topic) -> None:
    """Add the alarms. Each notifies `operators` when it starts and when it ends."""
    errors = config.max_processing_errors_per_5_minutes
    add_alarm(
        scope,
        "ProcessingErrorAlarm",
        emitted(metrics.PROCESSING_ERRORS, "Sum"),
        above=errors,
        description=f"{errors + 1} or more images failed within 5 minutes. "
        "Their items in the table have the status failed and an ErrorCategory; the processor's log names each of them.",
        topic=operators,
    )
    processor = _Named("Lambda", "the processor", _after_error(monitored))
    _watch_function(scope, config, processor, monitored.processor, monitored.timeout_seconds, operators)
    add_alarm(
        scope,
        "DeadLetterQueueAlarm",
        messages_waiting(monitored.dead_letters),
        above=0,
        description=f"Uploads were not processed and wait in the dead-letter queue. {_kept(monitored)}",
        topic=operators,
    )
    if monitored.uploads:
        _watch_queue(scope, config, monitored.uploads, operators)
    if config.table_alarms:
        _watch_table(scope, monitored.images, monitored.indexes, operators)
    if monitored.retrieval:
        timeout_seconds = monitored.retrieval_timeout_seconds
        _watch_function(scope, config, _RETRIEVAL, monitored.retrieval, timeout_seconds, operators)
    if monitored.api:
        _watch_api(scope, config, monitored.api, operators)


@dataclass(frozen=True)
class _Named:
    """A function as its alarms call it."""

    alarms: str
    words: str
    on_errors: str


_RETRIEVAL = _Named(
    "Retrieval", "the retrieval function", "Its log names the request; callers received a status of 500 or more."
)


def _after_error(monitored: MonitoredResources) -> str:
    """Return what happens to an event after an error, by the trigger and its number of tries."""
    if monitored.uploads:
        tries = "once" if monitored.max_receives == 1 else f"up to {monitored.max_receives} times"
        again = f"The processor tries each message of the upload queue {tries}"
    elif monitored.retry_attempts:
        again = f"Lambda tries each event {('once', 'twice')[monitored.retry_attempts - 1]} more"
    else:
        again = "Lambda does not try an event again"
    return f"{again}; an event that still fails goes to the dead-letter queue."


def _kept(monitored: MonitoredResources) -> str:
    """Return until when events have to be processed again.

    A message that SQS itself moves keeps its timestamp ("Setting up dead-letter queue retention", Amazon SQS Developer
    Guide, read 2026-12); what Lambda sends there is a new message.
    """
    since = "the upload, not after its move to this queue" if monitored.uploads else "it arrived in this queue"
    return (
        f"Correct the cause and process them again: SQS deletes a message {LONGEST_RETENTION_SECONDS // 86_400} days "
        f"after {since}."
    )


def _watch_function(
    scope: Scope, config: MonitoringConfig, named: _Named, function: Function, timeout_seconds: int, operators: Topic
) -> None:
    series = FunctionMetrics(function)
    crashes = config.max_function_errors_per_5_minutes
    add_alarm(
        scope,
        f"{named.alarms}ErrorAlarm",
        series.errors,
        above=crashes,
        description=f"{crashes + 1} or more invocations of {named.words} ended in an error within 5 minutes. "
        f"{named.on_errors}",
        topic=operators,
    )
    percent = config.max_duration_percent_of_timeout
    add_alarm(
        scope,
        f"{named.alarms}DurationAlarm",
        series.longest_duration,
        above=timeout_seconds * 1_000 * percent // 100,
        description=f"The slowest invocation of {named.words} used more than {percent} % of its {timeout_seconds} s "
        f"in {SLOW_PERIODS} periods of 5 minutes in a row. More memory adds CPU.",
        topic=operators,
        periods=SLOW_PERIODS,
    )
    throttles = config.max_throttles_per_5_minutes
    add_alarm(
        scope,
        f"{named.alarms}ThrottleAlarm",
        series.throttles,
        above=throttles,
        description=f"{throttles + 1} or more invocations of {named.words} were throttled within 5 minutes. "
        "Look at the account's and the function's concurrency.",
        topic=operators,
    )


def _watch_queue(scope: Scope, config: MonitoringConfig, queue: Queue, operators: Topic) -> None:
    seconds = config.max_upload_wait_seconds
    add_alarm(
        scope,
        "UploadQueueAgeAlarm",
        oldest_message(queue),
        above=seconds,
        description=f"An upload has waited for more than {seconds} s. "
        "The processor is throttled, fails, or may run too few at once for what is uploaded.",
        topic=operators,
    )


def _watch_table(scope: Scope, table: Table, indexes: tuple[str, ...], operators: Topic) -> None:
    """On demand there is no capacity to run out of: what counts are requests that the table turned away."""
    for kind in ("Read", "Write"):
        for index in ("", *indexes):
            add_alarm(
                scope,
                f"{index or 'Table'}{kind}ThrottleAlarm",
                table_throttles(table, kind, index),
                above=0,
                description=f"The metadata table{f' (index {index})' if index else ''} turned {kind.lower()}s away. "
                "One partition is asked too much, or all together grew faster than on-demand tables do.",
                topic=operators,
            )


def _watch_api(scope: Scope, config: MonitoringConfig, api: HttpApi, operators: Topic) -> None:
    errors = config.max_function_errors_per_5_minutes
    add_alarm(
        scope,
        "ApiServerErrorAlarm",
        ApiMetrics(api).server_errors,
        above=errors,
        description=f"{errors + 1} or more requests to the API were answered with a server error within 5 minutes. "
        "Its access log names them.",
        topic=operators,
    )
