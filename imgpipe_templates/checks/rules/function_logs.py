"""Rules about log groups of Lambda functions."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates.checks.facts.allowed_actions import missing_actions
from imgpipe_templates.checks.facts.expressions import canonical, mapping
from imgpipe_templates.checks.facts.metric_series import ALARM, series_of
from imgpipe_templates.checks.facts.template import FUNCTION, LOG_GROUP, ROLE, Resource, Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule


@template_rule(
    "E9521",
    "Function without a log group or log retention in the stack",
    "Lambda creates a missing log group itself: it never expires, and it remains after the stack is deleted.",
    # AWS Lambda Developer Guide, "Sending Lambda function logs to CloudWatch Logs", read 2026-11
    "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html",
    absence=True,
)
def function_without_log_group(template: Template) -> Iterator[Violation]:
    for function in template.of_type(FUNCTION):
        log_group = mapping(function.properties.get("LoggingConfig")).get("LogGroup")
        if not template.knows(log_group):
            continue
        group = _log_group(template, function)
        if group is None:
            name = (
                template.resolved(log_group) if log_group is not None else f"/aws/lambda/{template.name_of(function)}"
            )
            yield Violation(
                function.path,
                f"the template has no AWS::Logs::LogGroup {name}, so Lambda creates one without retention; add it with "
                "RetentionInDays and set LoggingConfig.LogGroup",
            )
        elif "RetentionInDays" not in group.properties:
            yield Violation(group.path, f"the logs of {function.id} never expire; set RetentionInDays")


def _log_group(template: Template, function: Resource) -> Resource | None:
    log_group = mapping(function.properties.get("LoggingConfig")).get("LogGroup")
    if log_group is not None:
        return template.find(LOG_GROUP, log_group)
    name = f"/aws/lambda/{template.name_of(function)}"
    return next((group for group in template.of_type(LOG_GROUP) if template.resolved(_name(group)) == name), None)


@template_rule(
    "E9524",
    "Log group without retention",
    "CloudWatch Logs never deletes these logs, and the account pays for them every month.",
    # Amazon CloudWatch Logs User Guide, "Working with log groups and log streams", read 2026-11
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
)
def log_group_without_retention(template: Template) -> Iterator[Violation]:
    """Report log groups without retention that belong to no function; E9521 reports those of functions."""
    found = (_log_group(template, function) for function in template.of_type(FUNCTION))
    of_functions = {group.id for group in found if group is not None}
    for group in template.of_type(LOG_GROUP):
        if "RetentionInDays" not in group.properties and group.id not in of_functions:
            yield Violation(group.path, "its logs never expire; set RetentionInDays")


# Actions that write to a log group of the stack (AWS Lambda Developer Guide, "Sending Lambda function
# logs to CloudWatch Logs", read 2026-11).
_LOG_ACTIONS = ("logs:CreateLogStream", "logs:PutLogEvents")


@template_rule(
    "E9525",
    "Function role cannot write logs",
    "The function runs without these actions, but its log stays empty.",
    # AWS Lambda Developer Guide, "Sending Lambda function logs to CloudWatch Logs", read 2026-11
    "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html",
    absence=True,
)
def role_cannot_write_logs(template: Template) -> Iterator[Violation]:
    for function in template.of_type(FUNCTION):
        group, role = _log_group(template, function), template.find(ROLE, function.properties.get("Role"))
        if group is None or role is None:
            continue
        # The resource of a request is a stream of the group; the ARN of the group ends with `:*`.
        arn = template.resolved({"Fn::GetAtt": [group.id, "Arn"]}).removesuffix("*") + "log-stream:name"
        missing = missing_actions(template, role, _LOG_ACTIONS, arn)
        if missing:
            yield Violation(
                function.path,
                f"{role.id} lacks {' and '.join(missing)} on {group.id}, so the function writes no log; allow them",
            )


# Log classes without embedded metrics, metric filters and subscription filters (Amazon CloudWatch Logs User Guide, "Log
# classes", read 2026-12).
_WITHOUT_METRICS = ("INFREQUENT_ACCESS", "DELIVERY")


@template_rule(
    "E9539",
    "Log group class without metrics",
    "Embedded metrics, metric filters and subscription filters work in log groups of the class STANDARD only.",
    # Amazon CloudWatch Logs User Guide, "Log classes", read 2026-12
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html",
)
def log_class_without_metrics(template: Template) -> Iterator[Violation]:
    series = [metric for alarm in template.of_type(ALARM) for metric in series_of(alarm)]
    custom = sorted({metric.title for metric in series if metric.namespace and not metric.namespace.startswith("AWS/")})
    filters = template.of_type("AWS::Logs::MetricFilter", "AWS::Logs::SubscriptionFilter")
    of_functions = {group.id for function in template.of_type(FUNCTION) if (group := _log_group(template, function))}
    for group in template.of_type(LOG_GROUP):
        if canonical(group.properties.get("LogGroupClass")) not in _WITHOUT_METRICS:
            continue
        filtered = [one.id for one in filters if template.find(LOG_GROUP, one.properties.get("LogGroupName")) is group]
        lost = filtered or (custom if group.id in of_functions else [])
        if lost:
            yield Violation(
                group.at("LogGroupClass"),
                f"this log class has no metrics, so {', '.join(lost)} has no data; use STANDARD",
            )


def _name(group: Resource) -> object:
    return group.properties.get("LogGroupName")
