"""Deprecation dates of Lambda runtimes, and the violations of a runtime on a given date.

A cached validation result contains the runtimes of its template, and this module checks them again on every date.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import takewhile

from imgpipe_templates.checks.facts.expressions import canonical
from imgpipe_templates.checks.facts.template import FUNCTION, Template
from imgpipe_templates.checks.findings import Path, Violation

DEPRECATED = "E9522"
DEPRECATED_SOON = "W9522"

# AWS Lambda Developer Guide, "Lambda runtimes"
SOURCE = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"

# The deprecation dates of that page as cfn-lint 1.58.0 has them (LmbdRuntimeLifecycle.json); tests/checks compares.
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
# AWS announces a deprecation half a year before; a quarter remains for the move to a later runtime.
WARN_BEFORE = timedelta(days=90)


def runtime_violations(rule_id: str, uses: Iterable[tuple[Path, str]], today: date) -> Iterator[Violation]:
    """Yield the violations of one of the two rules.

    Args:
        rule_id: `DEPRECATED` or `DEPRECATED_SOON`.
        uses: Path of the property and the runtime in it.
        today: The date that is compared with the deprecation dates.
    """
    for path, runtime in uses:
        ends = DEPRECATED_ON.get(runtime, date.max)
        if rule_id == DEPRECATED and ends <= today:
            yield Violation(
                path,
                f"{runtime} was deprecated on {ends}: it gets no security patches, and Lambda will reject it; "
                f"use a later runtime such as {_successor(runtime)}",
            )
        if rule_id == DEPRECATED_SOON and today < ends <= today + WARN_BEFORE:
            yield Violation(
                path,
                f"{runtime} will be deprecated on {ends}, in {(ends - today).days} days; "
                f"move to {_successor(runtime)} before that",
            )


def _successor(runtime: str) -> str:
    """Return the runtime of the same language with the latest deprecation date, the earliest version of those."""
    candidates = [name for name in DEPRECATED_ON if _family(name) == _family(runtime)]
    return max(candidates, key=lambda name: DEPRECATED_ON[name])


def _family(runtime: str) -> str:
    return "".join(takewhile(str.isalpha, runtime))


def runtime_uses(template: Template) -> Iterator[tuple[Path, str]]:
    """Yield path and name of the runtime of each function; a parameter counts with its default."""
    for function in template.of_type(FUNCTION):
        if "Runtime" in function.properties:
            yield function.at("Runtime"), template.with_defaults(canonical(function.properties["Runtime"]))
