"""Rules about Lambda functions: where they log, and how long their runtime lives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from imgpipe_templates.checks.model import Fault, Path, Rule
from imgpipe_templates.checks.policies import lacks
from imgpipe_templates.checks.rules.alarms import ALARM, metrics_of
from imgpipe_templates.checks.rules.deliveries import called
from imgpipe_templates.checks.runtimes import DEPRECATED, NEARLY_DEPRECATED, SOURCE, runtime_faults
from imgpipe_templates.checks.template import (
    FUNCTION,
    LOG_GROUP,
    ROLE,
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, entries, mapping, places


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


def _forever(template: Template) -> Iterator[Fault]:
    """Faults of log groups without retention that are no function's; those of functions are found by E9521."""
    found = (_log_group(template, function) for function in template.of_type(FUNCTION))
    of_functions = {group.id for group in found if group is not None}
    for group in template.of_type(LOG_GROUP):
        if "RetentionInDays" not in group.properties and group.id not in of_functions:
            yield Fault(group.path, "keeps its logs for ever; set RetentionInDays")


# What a function needs to write its log; its group is the stack's (AWS Lambda Developer Guide, "Sending Lambda function
# logs to CloudWatch Logs", read 2026-11).
_TO_LOG = ("logs:CreateLogStream", "logs:PutLogEvents")


def _silent(template: Template) -> Iterator[Fault]:
    for function in template.of_type(FUNCTION):
        group, role = _log_group(template, function), template.find(ROLE, function.properties.get("Role"))
        if group is None or role is None:
            continue
        # What a request names is a stream of the group; the group's own ARN ends with `:*`.
        arn = template.resolved({"Fn::GetAtt": [group.id, "Arn"]}).removesuffix("*") + "log-stream:name"
        missing = lacks(template, role, _TO_LOG, arn)
        if missing:
            yield Fault(
                function.path,
                f"{role.id} lacks {' and '.join(missing)} on {group.id}, so that the function runs and writes no log; "
                "allow them",
            )


def _shared_role(template: Template) -> Iterator[Fault]:
    owners: dict[str, str] = {}
    for function in template.of_type(FUNCTION):
        role = template.find(ROLE, function.properties.get("Role"))
        if role is not None and (first := owners.setdefault(role.id, function.id)) != function.id:
            yield Fault(
                function.at("Role"),
                f"{role.id} is the role of {first}, too, and gives each what the other needs; use a role for each",
            )


# Longest that API Gateway waits for an integration, in ms (API Gateway Developer Guide, "Amazon API Gateway quotas",
# read 2026-12): of an HTTP API, and of a REST API unless the account's quota was raised.
LONGEST_ANSWER_MS = {"AWS::ApiGatewayV2::Integration": 30_000, "AWS::ApiGateway::Method": 29_000}
_ANSWERS = {
    "AWS::ApiGatewayV2::Integration": ("IntegrationUri", "TimeoutInMillis"),
    "AWS::ApiGateway::Method": ("Integration.Uri", "Integration.TimeoutInMillis"),
}


def _never_running(template: Template) -> Iterator[Fault]:
    for function in template.of_type(FUNCTION):
        if template.number(function.properties.get("ReservedConcurrentExecutions")) == 0:
            yield Fault(
                function.at("ReservedConcurrentExecutions"),
                "none is reserved, so that every invocation is throttled; reserve 1 or more, or leave it out",
            )


def _too_slow(template: Template) -> Iterator[Fault]:
    yield from _outlasts_custom_resource(template)
    for integration in template.of_type(*_ANSWERS):
        uri, timeout = (
            next((v for _, v in places(integration.at(), integration.properties, key.split("."))), None)
            for key in _ANSWERS[integration.type]
        )
        function = None if uri is None else template.find(FUNCTION, called(uri))
        seconds = None if function is None else template.number(function.properties.get("Timeout"))
        waits = template.number(timeout) or LONGEST_ANSWER_MS[integration.type]
        if function is None or seconds is None or _by_socket(template, integration):
            continue
        if seconds * 1000 > waits:
            yield Fault(
                function.at("Timeout"),
                f"{seconds:g} s; {integration.id} answers its caller with an error after {waits / 1000:g} s while the "
                "function runs on; use that or less",
            )


def _outlasts_custom_resource(template: Template) -> Iterator[Fault]:
    for resource in template.resources.values():
        waits = template.number(resource.properties.get("ServiceTimeout"))
        token = resource.properties.get("ServiceToken")
        function = None if waits is None or token is None else template.find(FUNCTION, token)
        seconds = None if function is None else template.number(function.properties.get("Timeout"))
        if function is not None and waits is not None and seconds is not None and seconds > waits:
            yield Fault(
                resource.at("ServiceTimeout"),
                f"{waits:g} s, and {function.id} may take {seconds:g} s: CloudFormation gives up first; wait longer",
            )


def _by_socket(template: Template, integration: Resource) -> bool:
    """True if an integration is of a WebSocket API, whose client does not wait for the function."""
    name = canonical(integration.properties.get("ApiId")).removeprefix("${").removesuffix("}")
    return name in template.resources and template.resources[name].properties.get("ProtocolType") == "WEBSOCKET"


# Classes of log groups without metrics from logs, filters and subscriptions (Amazon CloudWatch Logs User Guide, "Log
# classes", read 2026-12).
_WITHOUT_METRICS = ("INFREQUENT_ACCESS", "DELIVERY")


def _unmeasured(template: Template) -> Iterator[Fault]:
    series = [metric for alarm in template.of_type(ALARM) for metric in metrics_of(alarm)]
    own = sorted({metric.title for metric in series if metric.namespace and not metric.namespace.startswith("AWS/")})
    filters = template.of_type("AWS::Logs::MetricFilter", "AWS::Logs::SubscriptionFilter")
    of_functions = {group.id for function in template.of_type(FUNCTION) if (group := _log_group(template, function))}
    for group in template.of_type(LOG_GROUP):
        if canonical(group.properties.get("LogGroupClass")) not in _WITHOUT_METRICS:
            continue
        filtered = [one.id for one in filters if template.find(LOG_GROUP, one.properties.get("LogGroupName")) is group]
        lost = filtered or (own if group.id in of_functions else [])
        if lost:
            yield Fault(
                group.at("LogGroupClass"),
                f"logs of this class bring no metrics, so that {', '.join(lost)} stays empty; use STANDARD",
            )


def _fixed_code(template: Template) -> Iterator[Fault]:
    for function in template.of_type(FUNCTION):
        yield from _literals(function, "Code")
        for position, layer in entries(function.properties.get("Layers")):
            if isinstance(layer, str):
                yield Fault(
                    function.at("Layers", *position),
                    f"{layer} may not be there, or not in this Region; refer to a layer of this template, or to a "
                    "parameter with its ARN",
                )
    for layer in template.of_type("AWS::Lambda::LayerVersion"):
        yield from _literals(layer, "Content")


def _literals(owner: Resource, key: str) -> Iterator[Fault]:
    for name, value in mapping(owner.properties.get(key)).items():
        if name in ("S3Bucket", "S3Key") and isinstance(value, str):
            yield Fault(
                owner.at(key, name),
                f"{value!r} was never uploaded as far as the template can tell; use a parameter that the deployment "
                "fills with what it uploaded",
            )


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
        absence=True,
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
    Rule(
        "E9527",
        "Function that never runs",
        "Reserved concurrency of 0 is Lambda's switch to stop a function.",
        # AWS Lambda Developer Guide, "Configuring reserved concurrency for a function", read 2026-12
        "https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html",
        _never_running,
    ),
    Rule(
        "W9550",
        "Function that outlasts its API or its custom resource",
        "The caller has an error already; the function goes on, is paid for, and may do what the caller tries again.",
        # API Gateway Developer Guide, "Quotas for configuring and running an HTTP API", read 2026-12
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html",
        _too_slow,
    ),
    Rule(
        "E9539",
        "Log group whose class loses metrics",
        "Metrics in logs, metric filters and subscriptions work in log groups of the class STANDARD only.",
        # Amazon CloudWatch Logs User Guide, "Log classes", read 2026-12
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html",
        _unmeasured,
    ),
    Rule(
        "W9523",
        "Code at a fixed place",
        "A bucket, key or layer that is written out exists in one account, if at all; the deployment knows the place.",
        # AWS CloudFormation User Guide, "AWS::Lambda::Function Code", read 2026-11
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-lambda-function-code.html",
        _fixed_code,
        convention=True,
    ),
    Rule(
        "E9524",
        "Log group that keeps its logs for ever",
        "Without retention nothing is ever deleted, and every gigabyte is paid for every month.",
        # Amazon CloudWatch Logs User Guide, "Working with log groups and log streams", read 2026-11
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
        _forever,
    ),
    Rule(
        "E9525",
        "Function that may not write its log",
        "A function without rights on its log group runs as ever; only that nobody can read what it did.",
        # AWS Lambda Developer Guide, "Sending Lambda function logs to CloudWatch Logs", read 2026-11
        "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html",
        _silent,
        absence=True,
    ),
    Rule(
        "W9526",
        "Role of more than one function",
        "A shared role has the rights of all its functions, so that a fault of one reaches what the others may do.",
        # AWS Lambda Developer Guide, "Defining Lambda function permissions with an execution role", read 2026-11
        "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
        _shared_role,
    ),
)
