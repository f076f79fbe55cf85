"""Monitoring: alarms over what the other subsystems built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from imgpipe_templates.configuration import Doc, Range, Section
from imgpipe_templates.core.handles import Function, Queue, Topic
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns import metrics
from imgpipe_templates.patterns.alarms import FunctionMetrics, add_alarm, emitted, messages_waiting


@dataclass(frozen=True)
class MonitoringConfig(Section):
    """When operators are told."""

    max_processing_errors_per_5_minutes: Annotated[
        int, Range(0, 100_000, "images"), Doc("Images that may be refused or fail before the alarm.")
    ] = 5
    max_function_errors_per_5_minutes: Annotated[
        int, Range(0, 100_000, "invocations"), Doc("Invocations that may end in an error before the alarm.")
    ] = 5
    max_throttles_per_5_minutes: Annotated[
        int, Range(0, 100_000, "invocations"), Doc("Invocations that may be refused for want of concurrency.")
    ] = 0
    max_duration_percent_of_timeout: Annotated[
        int, Range(1, 99, "percent"), Doc("How much of its timeout the slowest invocation may take.")
    ] = 80


def add_monitoring(
    scope: Scope,
    config: MonitoringConfig,
    *,
    processor: Function,
    timeout_seconds: int,
    dead_letters: Queue,
    operators: Topic,
) -> None:
    """Add the alarms of the processor and its dead-letter queue; each tells `operators`, also when it is over."""
    errors = config.max_processing_errors_per_5_minutes
    add_alarm(
        scope,
        "ProcessingErrorAlarm",
        emitted(metrics.PROCESSING_ERRORS, "Sum"),
        above=errors,
        description=f"{errors + 1} or more images failed within 5 minutes. "
        "Their items in the table have the status failed and an ErrorCategory; the processor's log names each of them.",
        tell=operators,
    )
    function = FunctionMetrics(processor)
    crashes = config.max_function_errors_per_5_minutes
    add_alarm(
        scope,
        "LambdaErrorAlarm",
        function.errors,
        above=crashes,
        description=f"{crashes + 1} or more invocations of the processor ended in an error within 5 minutes. "
        "Lambda tries each event twice more; what still fails goes to the dead-letter queue.",
        tell=operators,
    )
    percent = config.max_duration_percent_of_timeout
    add_alarm(
        scope,
        "LambdaDurationAlarm",
        function.longest_duration,
        above=timeout_seconds * 1_000 * percent // 100,
        description=f"The slowest invocation took more than {percent} % of the {timeout_seconds} s timeout, "
        "twice 5 minutes in a row. More memory brings more CPU.",
        tell=operators,
        periods=2,
    )
    throttles = config.max_throttles_per_5_minutes
    add_alarm(
        scope,
        "LambdaThrottleAlarm",
        function.throttles,
        above=throttles,
        description=f"{throttles + 1} or more invocations of the processor were throttled within 5 minutes. "
        "Lambda tries them again for up to 6 hours; look at the account's and the function's concurrency.",
        tell=operators,
    )
    add_alarm(
        scope,
        "DeadLetterQueueAlarm",
        messages_waiting(dead_letters),
        above=0,
        description="Uploads failed on every attempt and wait in the dead-letter queue. "
        "Mend the cause, then have them processed again before 14 days are over.",
        tell=operators,
    )
