"""Rules about CloudWatch alarms: metrics without data, duplicates, actions, missing data."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates.checks.facts.expressions import canonical, entries, split_arn
from imgpipe_templates.checks.facts.metric_series import ALARM, series_of, series_violations
from imgpipe_templates.checks.facts.template import TOPIC, Resource, Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule


@template_rule(
    "E9531",
    "Alarm on a metric that is never published",
    "A metric with other dimensions is another metric without data, so the alarm never changes its state.",
    # CloudWatch API Reference, "GetMetricStatistics" (Dimensions), read 2026-11
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html",
)
def alarm_without_data(template: Template) -> Iterator[Violation]:
    for alarm in template.of_type(ALARM):
        for metric in series_of(alarm):
            yield from series_violations(template, metric)


@template_rule(
    "E9537",
    "Two alarms on one metric",
    "The second alarm repeats the first, and the metric that it was written for has no alarm.",
    # CloudWatch API Reference, "PutMetricAlarm", read 2026-12
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
)
def duplicate_alarm(template: Template) -> Iterator[Violation]:
    """Report alarms with the metric and threshold of another alarm, such as a copy with the wrong function."""
    seen: dict[tuple[str, ...], str] = {}
    for alarm in template.of_type(ALARM):
        series = list(series_of(alarm))
        if len(series) != 1 or "MetricName" not in alarm.properties or "Condition" in alarm.body:
            continue
        properties, dimensions = alarm.properties, sorted(series[0].dimensions.items())
        key = (
            series[0].title,
            series[0].statistic,
            *(f"{name}={template.resolved(value)}" for name, (_, value) in dimensions),
            *(canonical(properties.get(name)) for name in ("ComparisonOperator", "Threshold", "Period")),
        )
        first = seen.setdefault(key, alarm.id)
        if first != alarm.id:
            yield Violation(
                alarm.path,
                f"has the metric and the threshold of {first}, so another metric has no alarm; set the intended metric",
            )


@template_rule(
    "E9533",
    "Alarm without an action",
    "An alarm without an enabled action sends no notification when its state changes.",
    # Amazon CloudWatch User Guide, "Alarm actions", read 2026-11
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html",
)
def alarm_without_action(template: Template) -> Iterator[Violation]:
    for alarm in template.of_type(ALARM, "AWS::CloudWatch::CompositeAlarm"):
        if not any(True for _ in entries(alarm.properties.get("AlarmActions"))):
            yield Violation(
                alarm.path, "the alarm sends no notification; set AlarmActions, for example to an SNS topic"
            )
        yield from _invalid_actions(template, alarm)
        if canonical(alarm.properties.get("ActionsEnabled")) == "false":
            yield Violation(alarm.at("ActionsEnabled"), "the actions of the alarm are disabled; remove ActionsEnabled")


# Services of alarm actions (CloudWatch API Reference, "PutMetricAlarm", AlarmActions, read 2026-12).
_ACTION_SERVICES = ("aiops", "automate", "autoscaling", "lambda", "sns", "ssm", "ssm-incidents", "swf")


def _invalid_actions(template: Template, alarm: Resource) -> Iterator[Violation]:
    for key in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        for position, value in entries(alarm.properties.get(key)):
            text = template.resolved(value)
            parts = split_arn(text)
            # An unresolved reference may return an ARN, such as that of a scaling policy.
            is_topic_name = not text.startswith("arn:") and template.find(TOPIC, value) is not None
            known = is_topic_name or (template.knows(value) and not text.startswith("${"))
            if known and (parts is None or (parts[2] not in _ACTION_SERVICES and "${" not in parts[2])):
                yield Violation(alarm.at(key, *position), f"{text!r} is no alarm action; use the ARN of an SNS topic")


@template_rule(
    "W9534",
    "Alarm without TreatMissingData",
    "Idle functions and queues send no data; the default setting then hides failures or reports false ones.",
    # CloudWatch API Reference, "PutMetricAlarm" (TreatMissingData), read 2026-11
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
)
def alarm_without_missing_data_setting(template: Template) -> Iterator[Violation]:
    for alarm in template.of_type(ALARM):
        if "TreatMissingData" not in alarm.properties:
            yield Violation(
                alarm.path,
                "without data the alarm keeps its state or becomes INSUFFICIENT_DATA; set TreatMissingData, to "
                "notBreaching if no data means no failure",
            )
