"""Rules about Lambda functions: where they log, and how long their runtime lives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from imgpipe_templates.checks.model import Fault, Path, Rule
from imgpipe_templates.checks.runtimes import DEPRECATED, NEARLY_DEPRECATED, SOURCE, runtime_faults
from imgpipe_templates.checks.template import FUNCTION, LOG_GROUP, Resource, Template, canonical, mapping


def _without_log_group(template: Template) -> Iterator[Fault]:
    for function in template.of_type(FUNCTION):
        chosen = mapping(function.properties.get("LoggingConfig")).get("LogGroup")
        if not template.decides(chosen):
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


def runtime_uses(template: Template) -> Iterator[tuple[Path, str]]:
    """Where functions name their runtime, and which; a parameter counts with its default."""
    for function in template.of_type(FUNCTION):
        if "Runtime" in function.properties:
            yield function.at("Runtime"), template.with_defaults(canonical(function.properties["Runtime"]))


def _runtime_rule(rule_id: str) -> Callable[[Template], Iterator[Fault]]:
    def find(template: Template) -> Iterator[Fault]:
        return runtime_faults(rule_id, runtime_uses(template), template.today)

    return find


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
        DEPRECATED,
        "Runtime past its deprecation date",
        "A deprecated runtime gets no security patches, and Lambda will refuse new functions and updates with it.",
        SOURCE,
        _runtime_rule(DEPRECATED),
        dated=True,
    ),
    Rule(
        NEARLY_DEPRECATED,
        "Runtime within 90 days of its deprecation",
        "There is time to move to a later runtime, and not much.",
        SOURCE,
        _runtime_rule(NEARLY_DEPRECATED),
        dated=True,
    ),
)
