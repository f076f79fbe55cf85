"""What a requirement asks of a template, in the words of the requirement rather than in those of CloudFormation."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from imgpipe_templates import load_preset
from tests.templates import Template, rendered, said, waits_for

PRESETS = ("single-bucket", "reporting", "media-library", "thumbnails", "production")
BLOCKED = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}
TOPIC = [{"Ref": "ProcessingNotificationTopic"}]


def on(*presets: str) -> pytest.MarkDecorator:
    """Run a test on the templates of these presets."""
    return pytest.mark.parametrize("template", presets, indirect=True)


def with_options(preset: str, *overrides: str) -> Template:
    """The template of a preset with some of its options changed."""
    return rendered(load_preset(preset, overrides))


def properties(template: Template, title: str) -> dict[str, Any]:
    """The properties of one resource."""
    return dict(template["Resources"][title]["Properties"])


def lifecycle(bucket: Mapping[str, Any]) -> dict[str, Any]:
    """The lifecycle rules of a bucket by their id."""
    return {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}


def statements(policy: Mapping[str, Any]) -> dict[str, Any]:
    """The statements of a resource's own policy by their id."""
    return {statement["Sid"]: statement for statement in policy["PolicyDocument"]["Statement"]}


def indexes(table: Mapping[str, Any]) -> dict[str, Any]:
    """The secondary indexes of a table by their name."""
    return {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}


def keys(schema: list[dict[str, str]]) -> list[str]:
    """The attributes of a key, hash first."""
    assert [key["KeyType"] for key in schema] == ["HASH", "RANGE"][: len(schema)]
    return [key["AttributeName"] for key in schema]


def reached(resources: Mapping[str, Any], start: str) -> set[str]:
    """Everything that must be there before a resource can be."""
    found, ahead = set[str](), {start}
    while ahead:
        ahead = {name for title in ahead for name in waits_for(resources[title]) if name in resources} - found
        found |= ahead
    return found


class Shown(NamedTuple):
    """One line of a graph of the dashboard."""

    namespace: str
    name: str
    dimensions: dict[str, str]
    period: int
    region: str


def shown(template: Template) -> list[Shown]:
    """Every metric that the dashboard shows; its body is JSON but for the references in its texts."""
    body = json.loads(said(properties(template, "MonitoringDashboard")["DashboardBody"]))
    return [
        Shown(
            namespace,
            name,
            dict(zip(dimensions[::2], dimensions[1::2], strict=True)),
            options.get("period", graph["period"]),
            graph["region"],
        )
        for graph in (widget["properties"] for widget in body["widgets"] if widget["type"] == "metric")
        for namespace, name, *dimensions, options in graph["metrics"]
    ]


def fires(template: Template) -> Callable[[str], bool]:
    """Whether the template's trigger starts the processor for a new object of some key, whatever trigger it is."""
    filters = [*_native_filters(template), *_rule_filters(template)]
    assert filters
    return lambda key: any(heeds(key) for heeds in filters)


def _native_filters(template: Template) -> Iterator[Callable[[str], bool]]:
    resources = template["Resources"]
    notification = resources["SourceBucket"]["Properties"].get("NotificationConfiguration", {})
    entries = [
        entry["Filter"]["S3Key"]["Rules"]
        for kind in ("LambdaConfigurations", "QueueConfigurations")
        for entry in notification.get(kind, [])
    ]
    if custom := resources.get("S3BucketNotification"):
        configurations = custom["Properties"]["LambdaFunctionConfigurations"]
        entries += [entry["Filter"]["Key"]["FilterRules"] for entry in configurations]
    for rules in entries:
        ends = {rule["Name"]: rule["Value"] for rule in rules}
        assert set(ends) <= {"prefix", "suffix"}
        yield _between(ends.get("prefix", ""), ends.get("suffix", ""))


def _between(prefix: str, suffix: str) -> Callable[[str], bool]:
    return lambda key: key.startswith(prefix) and key.endswith(suffix)


def _matching(text: str, flags: re.RegexFlag = re.NOFLAG) -> Callable[[str], bool]:
    pattern = re.compile(text, re.DOTALL | flags)
    return lambda key: pattern.fullmatch(key) is not None


def _rule_filters(template: Template) -> Iterator[Callable[[str], bool]]:
    if "UploadRule" not in template["Resources"]:
        return
    for condition in properties(template, "UploadRule")["EventPattern"]["detail"]["object"]["key"]:
        match condition:
            case {"wildcard": str(pattern)}:
                text = ".*".join(map(re.escape, pattern.split("*")))
                yield _matching(text)
            case {"suffix": {"equals-ignore-case": str(suffix)}}:
                yield _matching(".*" + re.escape(suffix), re.IGNORECASE)
            case _:
                pytest.fail(f"a condition of another kind: {condition}")


def runs_a_day(template: Template) -> float:
    """How many invocations of the processor a day has room for, if each takes all the time it may."""
    # New accounts have less than the usual 1,000 concurrent executions (Lambda Developer Guide, "Lambda quotas", read
    # 2026-11); here a hundredth of that has to be enough.
    concurrent = properties(template, "ImageProcessorFunction").get("ReservedConcurrentExecutions", 10)
    if "UploadQueueMapping" in template["Resources"]:
        scaling = properties(template, "UploadQueueMapping").get("ScalingConfig", {})
        concurrent = min(concurrent, scaling.get("MaximumConcurrency", concurrent))
    return float(concurrent * 86_400 / properties(template, "ImageProcessorFunction")["Timeout"])


def outputs(template: Template) -> dict[str, str]:
    """What is handed out, as a person would say it, by output."""
    return {name: said(output["Value"]) for name, output in template["Outputs"].items()}
