"""Dashboard: a valid page that shows every part of the pipeline by metrics that exist."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
from troposphere import Ref, Sub

from imgpipe_templates import load_preset
from imgpipe_templates.checks import check_templates
from imgpipe_templates.checks.facts.aws_metrics import PUBLISHED
from imgpipe_templates.core.handles import Bucket, Function, HttpApi, Queue, Table, handles_for
from imgpipe_templates.core.layouts import ExportedStacks
from imgpipe_templates.core.naming import Names
from imgpipe_templates.core.stack import Scope, Stack
from imgpipe_templates.patterns import metrics
from imgpipe_templates.patterns.environment import declare_environment, standard_tags
from imgpipe_templates.render.text import to_json
from imgpipe_templates.subsystems.dashboard import add_dashboard
from tests.templates import rendered, tags

NAMES = Names({"MonitoringDashboard": "ImagePipeline-${EnvironmentSuffix}"})
INDEXES = ("UploadTimestampIndex", "StatusIndex")
SAMPLES = {
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "111122223333",
    "Environment": "staging",
    "EnvironmentSuffix": "blue",
}

# S3 User Guide, "Metrics and dimensions"; API Gateway Developer Guide, "Metrics for HTTP APIs"; both read 2026-11.
DIMENSIONS = {
    ("AWS/S3", "BucketSizeBytes"): {"BucketName", "StorageType"},
    ("AWS/S3", "NumberOfObjects"): {"BucketName", "StorageType"},
    ("AWS/ApiGateway", "Count"): {"ApiId"},
    ("AWS/ApiGateway", "4xx"): {"ApiId"},
    ("AWS/ApiGateway", "5xx"): {"ApiId"},
    ("AWS/ApiGateway", "Latency"): {"ApiId"},
    ("AWS/ApiGateway", "IntegrationLatency"): {"ApiId"},
}


def scope_of(name):
    scope = Scope(
        Stack(name, ExportedStacks("photos", {})), name, NAMES, standard_tags(project="test", purpose="test", extra={})
    )
    declare_environment(scope, environment="production", suffix="dev", longest_suffix=20)
    return scope


def everything():
    """A handle of each kind, whose values need nothing but the environment's parameters."""
    home = Stack("upstream", ExportedStacks("photos", {}))

    def handle(kind, title, **local):
        return kind(home, home, title, {name: Sub(text) for name, text in local.items()})

    processor = handle(Function, "ImageProcessorFunction", Name="ImageProcessor-${EnvironmentSuffix}")
    retrieval = handle(Function, "ImageRetrievalFunction", Name="ImageRetrieval-${EnvironmentSuffix}")
    return {
        "functions": {"Processor": processor, "Retrieval": retrieval},
        "buckets": {
            "Uploads": handle(Bucket, "SourceBucket", Name="images-${EnvironmentSuffix}-${AWS::AccountId}"),
            "Thumbnails": handle(Bucket, "ThumbnailBucket", Name="thumbnails-${EnvironmentSuffix}-${AWS::AccountId}"),
        },
        "images": handle(Table, "ImageMetadataTable", Name="ImageMetadata-${EnvironmentSuffix}"),
        "indexes": INDEXES,
        "queues": {"Dead letters": handle(Queue, "ProcessorDeadLetterQueue", QueueName="Dead-${EnvironmentSuffix}")},
        "api": handle(HttpApi, "ImageApi", Id="api-${EnvironmentSuffix}"),
    }


@pytest.fixture
def scope():
    return scope_of("dashboard")


def built(scope, **parts):
    add_dashboard(scope, **{**everything(), **parts})
    return scope.stack.to_dict("dashboard alone")


def page(template, samples=SAMPLES):
    """The body as CloudWatch gets it."""
    body = template["Resources"]["MonitoringDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    text, values = body if isinstance(body, list) else (body, {})
    known = {**samples, **{name: f"sample-{name}" for name in values}}
    return json.loads(re.sub(r"\$\{([^}]+)\}", lambda found: known[found[1]], text))


def graphs(template, **samples):
    return [widget["properties"] for widget in page(template, **samples)["widgets"] if widget["type"] == "metric"]


def series(template):
    """Namespace, name, dimensions, statistic and period of each series."""
    for graph in graphs(template):
        for namespace, name, *dimensions, options in graph["metrics"]:
            pairs = dict(zip(dimensions[::2], dimensions[1::2], strict=True))
            yield namespace, name, pairs, options["stat"], graph["period"]


def shown(template, namespace):
    return {(name, statistic) for space, name, _, statistic, _ in series(template) if space == namespace}


def test_every_graph_says_region_and_period(scope):
    found = graphs(built(scope))

    assert {graph["region"] for graph in found} == {"eu-central-1"}
    assert {graph["period"] for graph in found} == {300, 86_400}
    assert all(graph["metrics"] for graph in found)


def test_every_metric_is_published_with_these_dimensions(scope):
    for namespace, name, dimensions, *_ in series(built(scope)):
        if namespace == metrics.NAMESPACE:
            assert name in metrics.UNITS
            assert tuple(dimensions) == metrics.DIMENSIONS
        elif namespace in PUBLISHED:
            assert frozenset(dimensions) in PUBLISHED[namespace][name]
        else:
            assert DIMENSIONS[namespace, name] == set(dimensions)


def test_all_metrics_of_the_pipeline_are_shown_for_this_environment(scope):
    own = [entry for entry in series(built(scope)) if entry[0] == metrics.NAMESPACE]

    assert {name for _, name, *_ in own} == set(metrics.UNITS)
    assert all(dimensions == {"Environment": "staging", "EnvironmentSuffix": "blue"} for _, _, dimensions, *_ in own)


def test_every_function_is_shown(scope):
    template = built(scope)

    for function in ("ImageProcessor-blue", "ImageRetrieval-blue"):
        names = {name for _, name, dimensions, *_ in series(template) if dimensions.get("FunctionName") == function}
        assert names == {"Invocations", "Errors", "Throttles", "Duration"}


def test_storage_of_every_bucket_is_shown_by_the_day(scope):
    storage = [entry for entry in series(built(scope)) if entry[0] == "AWS/S3"]

    for bucket in ("images-blue-111122223333", "thumbnails-blue-111122223333"):
        assert {
            (name, dimensions["StorageType"], period)
            for _, name, dimensions, _, period in storage
            if dimensions["BucketName"] == bucket
        } == {
            ("BucketSizeBytes", "StandardStorage", 86_400),
            ("BucketSizeBytes", "StandardIAStorage", 86_400),
            ("BucketSizeBytes", "GlacierInstantRetrievalStorage", 86_400),
            ("BucketSizeBytes", "GlacierStorage", 86_400),
            ("NumberOfObjects", "AllStorageTypes", 86_400),
        }


def test_daily_metrics_keep_their_period_and_have_days_to_show(scope):
    body = page(built(scope))
    assert (body["periodOverride"], body["start"]) == ("inherit", "-P7D")


def test_use_and_throttling_of_table_and_indexes_are_shown(scope):
    table = [(name, dimensions) for space, name, dimensions, *_ in series(built(scope)) if space == "AWS/DynamoDB"]

    assert {dimensions["TableName"] for _, dimensions in table} == {"ImageMetadata-blue"}
    names = {"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents"}
    for index in (None, *INDEXES):
        assert names == {name for name, dimensions in table if dimensions.get("GlobalSecondaryIndexName") == index}


def test_queues_are_shown_by_length_and_age(scope):
    assert shown(built(scope), "AWS/SQS") == {
        ("ApproximateNumberOfMessagesVisible", "Maximum"),
        ("ApproximateAgeOfOldestMessage", "Maximum"),
    }


def test_api_is_shown_by_requests_refusals_failures_and_time(scope):
    names = {name for name, _ in shown(built(scope), "AWS/ApiGateway")}
    assert names == {"Count", "4xx", "5xx", "Latency", "IntegrationLatency"}


def test_parts_that_a_pipeline_has_not_are_not_shown(scope):
    template = built(scope, buckets={}, images=None, indexes=(), queues={}, api=None)
    assert {space for space, *_ in series(template)} == {metrics.NAMESPACE, "AWS/Lambda"}


def test_widgets_fill_the_page_without_overlap(scope):
    cells = [
        (x, y)
        for widget in page(built(scope))["widgets"]
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert {x for x, _ in cells} == set(range(24))
    assert len(cells) == 24 * (max(y for _, y in cells) + 1)


def test_heading_says_which_pipeline_it_is(scope):
    heading = page(built(scope))["widgets"][0]
    assert heading["type"] == "text"
    assert heading["properties"]["markdown"].startswith("# Image pipeline blue\nstaging in eu-central-1")


def test_references_at_home_stand_in_the_text_itself(scope):
    local = {"Name": Ref("ImageProcessorFunction")}
    processor = Function(scope.stack, scope.stack, "ImageProcessorFunction", local)

    template = built(scope, functions={"Processor": processor})
    body = template["Resources"]["MonitoringDashboard"]["Properties"]["DashboardBody"]
    assert '"FunctionName","${ImageProcessorFunction}"' in body["Fn::Sub"]


def test_imported_values_are_given_to_the_text_once_each():
    scope = scope_of("dashboard")

    template = built(scope, **handles_for(scope.stack, everything()))
    text, values = template["Resources"]["MonitoringDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    imported = [value["Fn::ImportValue"]["Fn::Sub"] for value in values.values()]
    assert len(imported) == len(set(imported)) == 7
    assert "photos-${EnvironmentSuffix}-ImageProcessorFunctionName" in imported
    assert set(values) <= set(re.findall(r"\$\{([^}]+)\}", text))
    assert {d["ApiId"] for space, _, d, *_ in series(template) if space == "AWS/ApiGateway"} <= {
        f"sample-{name}" for name in values
    }


def test_equal_pipelines_have_equal_dashboards():
    assert built(scope_of("one")) == built(scope_of("one"))


def test_name_and_tags_are_those_of_the_pipeline(scope):
    dashboard = built(scope)["Resources"]["MonitoringDashboard"]["Properties"]
    assert dashboard["DashboardName"] == {"Fn::Sub": "ImagePipeline-${EnvironmentSuffix}"}
    assert tags(dashboard)["iac-rlhf-amazon"] == "true"


@pytest.mark.parametrize(
    ("partition", "region", "address"),
    [
        ("aws", "eu-west-1", "https://eu-west-1.console.aws.amazon.com/"),
        ("aws-cn", "cn-north-1", "https://cn-north-1.console.amazonaws.cn/"),
        ("aws-us-gov", "us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/"),
        ("aws-eusc", "eusc-de-east-1", "https://eusc-de-east-1.console.amazonaws-eusc.eu/"),
    ],
)
def test_output_leads_to_the_console_of_the_partition(scope, partition, region, address):
    template = built(scope)

    output = template["Outputs"]["DashboardUrl"]
    text, values = output["Value"]["Fn::Sub"]
    true = {name for name, test in template["Conditions"].items() if test["Fn::Equals"][1] == partition}
    samples = {"AWS::Region": region, "Domain": chosen(values["Domain"], true), "Name": "ImagePipeline-blue"}
    url = re.sub(r"\$\{([^}]+)\}", lambda found: samples[found[1]], text)
    assert url == f"{address}cloudwatch/home?region={region}#dashboards/dashboard/ImagePipeline-blue"
    assert values["Name"] == {"Ref": "MonitoringDashboard"}
    assert output["Export"] == {"Name": {"Fn::Sub": "photos-${EnvironmentSuffix}-DashboardUrl"}}


def chosen(value, true):
    """What an Fn::If says when the conditions `true` hold."""
    if isinstance(value, str):
        return value
    name, yes, no = value["Fn::If"]
    return chosen(yes if name in true else no, true)


@pytest.mark.parametrize("preset", ["media-library", "production"])
def test_the_checks_find_nothing_with_the_rest_of_the_pipeline_around_it(preset):
    text = to_json(rendered(load_preset(preset)))
    assert check_templates({preset: text}, today=date(2026, 11, 20)) == []
