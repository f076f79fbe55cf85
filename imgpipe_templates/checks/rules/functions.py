"""Rules about Lambda functions: where they log, and how long their runtime lives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import takewhile

from imgpipe_templates.checks.model import Fault, Rule
from imgpipe_templates.checks.template import FUNCTION, LOG_GROUP, Resource, Template, canonical, mapping

# AWS Lambda Developer Guide, "Lambda runtimes" (deprecation dates), read 2026-11; the same as cfn-lint 1.58.0's
# LmbdRuntimeLifecycle.json, which tests/checks compares.
DEPRECATED_ON = {
    "dotnet6": date(2024, 12, 20),
    "dotnet8": date(2026, 11, 10),
    "dotnet9": date(2026, 11, 10),
    "dotnet10": date(2028, 11, 14),
    "dotnetcore1.0": date(2019, 6, 27),
    "dotnetcore2.0": date(2019, 5, 30),
    "dotnetcore2.1": date(2022, 1, 5),
    "dotnetcore3.1": date(2023, 4, 3),
    "go1.x": date(2024, 1, 8),
    "java8": date(2024, 1, 8),
    "java8.al2": date(2027, 6, 30),
    "java11": date(2027, 6, 30),
    "java17": date(2027, 6, 30),
    "java21": date(2029, 6, 30),
    "java25": date(2029, 6, 30),
    "nodejs": date(2016, 8, 30),
    "nodejs4.3": date(2020, 3, 5),
    "nodejs4.3-edge": date(2020, 3, 5),
    "nodejs6.10": date(2019, 8, 12),
    "nodejs8.10": date(2020, 3, 6),
    "nodejs10.x": date(2021, 7, 30),
    "nodejs12.x": date(2023, 3, 31),
    "nodejs14.x": date(2023, 12, 4),
    "nodejs16.x": date(2024, 6, 12),
    "nodejs18.x": date(2025, 9, 1),
    "nodejs20.x": date(2026, 4, 30),
    "nodejs22.x": date(2027, 4, 30),
    "nodejs24.x": date(2028, 4, 30),
    "provided": date(2024, 1, 8),
    "provided.al2": date(2026, 7, 31),
    "provided.al2023": date(2029, 6, 30),
    "python2.7": date(2021, 7, 15),
    "python3.6": date(2022, 7, 18),
    "python3.7": date(2023, 12, 4),
    "python3.8": date(2024, 10, 14),
    "python3.9": date(2025, 12, 15),
    "python3.10": date(2026, 10, 31),
    "python3.11": date(2027, 6, 30),
    "python3.12": date(2028, 10, 31),
    "python3.13": date(2029, 6, 30),
    "python3.14": date(2029, 6, 30),
    "ruby2.5": date(2021, 7, 30),
    "ruby2.7": date(2023, 12, 7),
    "ruby3.2": date(2026, 3, 31),
    "ruby3.3": date(2027, 3, 31),
    "ruby3.4": date(2028, 3, 31),
    "ruby4.0": date(2029, 3, 31),
}
# AWS announces a deprecation half a year ahead; a quarter is left to move a pipeline.
WARN_BEFORE = timedelta(days=90)


def _without_log_group(template: Template) -> Iterator[Fault]:
    for function in template.of_type(FUNCTION):
        chosen = mapping(function.properties.get("LoggingConfig")).get("LogGroup")
        if chosen is not None and "Fn::ImportValue" in mapping(chosen):
            continue
        group = _log_group(template, function)
        if group is None:
            wanted = template.resolved(chosen) if chosen is not None else f"/aws/lambda/{template.name_of(function)}"
            yield Fault(
                function.path,
                f"no AWS::Logs::LogGroup of this template is {wanted}, so Lambda creates one that keeps logs for ever; "
                "add it with RetentionInDays and name it in LoggingConfig.LogGroup",
            )
        elif "RetentionInDays" not in group.properties:
            yield Fault(group.path, f"keeps the logs of {function.id} for ever; set RetentionInDays")


def _log_group(template: Template, function: Resource) -> Resource | None:
    chosen = mapping(function.properties.get("LoggingConfig")).get("LogGroup")
    if chosen is not None:
        return template.find(LOG_GROUP, chosen)
    name = f"/aws/lambda/{template.name_of(function)}"
    return next((group for group in template.of_type(LOG_GROUP) if template.resolved(_name(group)) == name), None)


def _name(group: Resource) -> object:
    return group.properties.get("LogGroupName")


def _past_deprecation(template: Template) -> Iterator[Fault]:
    for function, runtime, ends in _runtimes(template):
        if ends <= template.today:
            yield Fault(
                function.at("Runtime"),
                f"{runtime} was deprecated on {ends}: no security patches, and Lambda will refuse it; "
                f"use a later runtime such as {_successor(runtime)}",
            )


def _near_deprecation(template: Template) -> Iterator[Fault]:
    for function, runtime, ends in _runtimes(template):
        if template.today < ends <= template.today + WARN_BEFORE:
            yield Fault(
                function.at("Runtime"),
                f"{runtime} will be deprecated on {ends}, in {(ends - template.today).days} days; "
                f"move to {_successor(runtime)} before that",
            )


def _runtimes(template: Template) -> Iterator[tuple[Resource, str, date]]:
    for function in template.of_type(FUNCTION):
        runtime = template.with_defaults(canonical(function.properties.get("Runtime")))
        if runtime in DEPRECATED_ON:
            yield function, runtime, DEPRECATED_ON[runtime]


def _successor(runtime: str) -> str:
    """The runtime of the same language that lives longest, the earliest version of those."""
    candidates = [name for name in DEPRECATED_ON if _family(name) == _family(runtime)]
    return max(candidates, key=lambda name: DEPRECATED_ON[name])


def _family(runtime: str) -> str:
    return "".join(takewhile(str.isalpha, runtime))


RULES = (
    Rule(
        "E9521",
        "Function without a log group of its own, or one without retention",
        "Lambda creates a missing log group itself: it never expires and outlives the stack.",
        # AWS Lambda Developer Guide, "Sending Lambda function logs to CloudWatch Logs", read 2026-11
        "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html",
        _without_log_group,
    ),
    Rule(
        "E9522",
        "Runtime past its deprecation date",
        "A deprecated runtime gets no security patches, and Lambda will refuse new functions and updates with it.",
        # AWS Lambda Developer Guide, "Lambda runtimes", read 2026-11
        "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
        _past_deprecation,
        dated=True,
    ),
    Rule(
        "W9522",
        "Runtime within 90 days of its deprecation",
        "There is time to move to a later runtime, and not much.",
        # AWS Lambda Developer Guide, "Lambda runtimes", read 2026-11
        "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
        _near_deprecation,
        dated=True,
    ),
)
