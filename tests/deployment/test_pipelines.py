"""Rendered pipelines on the engine, in each layout: deployed, used, changed and deleted as a whole."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imgpipe_templates import load_preset, render_pipeline
from imgpipe_templates.core.stack import FunctionCode, LayerCode
from imgpipe_templates.deployment.clients import Clients
from imgpipe_templates.deployment.pipelines import (
    DeployedPipeline,
    PipelineDeployment,
    delete_pipeline,
    deploy_pipeline,
)
from imgpipe_templates.deployment.plan import Retained
from imgpipe_templates.errors import DeploymentError
from imgpipe_templates.library import LayoutName
from imgpipe_templates.local.engine import Engine
from imgpipe_templates.render.manifest import RenderedPipeline
from tests.engine import ARTIFACTS, QUICK, bucket_template, clients_of, until, zipped
from tests.presets.pipelines import image, package

CHILDREN = ("metadata", "notifications", "ingestion", "monitoring")
PAIR = ["first", "second"]
BAD_LIFECYCLE = {"LifecycleConfiguration": {"Rules": [{"Id": "bad", "Status": "Enabled", "ExpirationInDays": 0}]}}


def put(clients: Clients, wanted: PipelineDeployment, **hearing: Any) -> DeployedPipeline:
    return deploy_pipeline(clients, wanted, artifact_bucket=ARTIFACTS, pace=QUICK, **hearing)


def stacks(clients: Clients, begin: str) -> list[str]:
    """Names of the existing stacks."""
    pages = clients.cloudformation.get_paginator("describe_stacks").paginate()
    return sorted(one["StackName"] for page in pages for one in page["Stacks"] if one["StackName"].startswith(begin))


def tag(clients: Clients, bucket: str, key: str) -> str:
    return {one["Key"]: one["Value"] for one in clients.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}[key]


def process(clients: Clients, deployed: DeployedPipeline, key: str) -> tuple[int, int]:
    """Upload an image of 600 x 400 pixels; the size of its thumbnail."""
    thumbnails = deployed.outputs["ThumbnailBucketName"]

    def keys() -> set[str]:
        return {one["Key"] for one in clients.s3.list_objects_v2(Bucket=thumbnails).get("Contents", [])}

    known = keys()
    clients.s3.put_object(Bucket=deployed.outputs["SourceBucketName"], Key=key, Body=image("JPEG", (600, 400)))
    (made,) = until(lambda: keys() - known)
    return Image.open(io.BytesIO(clients.s3.get_object(Bucket=thumbnails, Key=made)["Body"].read())).size


@pytest.fixture(scope="module")
def clients(engine: Engine) -> Clients:
    return clients_of(engine)


def throttles_allowed(clients: Clients, suffix: str) -> float:
    alarms = clients.session.client("cloudwatch", endpoint_url=clients.endpoint_url).describe_alarms()["MetricAlarms"]
    (found,) = [one for one in alarms if one["MetricName"] == "Throttles" and one["AlarmName"].endswith(suffix)]
    return float(found["Threshold"])


@pytest.mark.parametrize(
    ("layout", "names", "update", "thumbnail"),
    [
        ("single", ["life-single"], {"ThumbnailSize": "64"}, (64, 43)),
        ("nested", ["life-nested"], {"ThumbnailSize": "64"}, (64, 43)),
        ("exports", [f"life-exports-{name}" for name in CHILDREN], {"ThumbnailSize": "64"}, (64, 43)),
    ],
)
def test_a_pipeline_works_in_every_layout_from_creation_to_deletion(
    clients: Clients, layout: LayoutName, names: list[str], update: dict[str, str], thumbnail: tuple[int, int]
):
    def rendered(*overrides: str) -> RenderedPipeline:
        deletable = ["deletion_policy=delete", "metadata.deletion_protection=false"]
        return render_pipeline(load_preset("thumbnails", [*deletable, *overrides]), layout)

    wanted = PipelineDeployment(
        rendered(),
        f"life-{layout}",
        parameters={"EnvironmentSuffix": f"life-{layout}", "SourceBucketName": f"life-{layout}-uploads"},
        packages={"ImageProcessorCodeKey": package("processor")},
    )
    created: list[str] = []
    deleted: list[str] = []

    deployed = put(clients, wanted, on_stack=created.append)
    assert created == [stack.name for stack in deployed.stacks] == names
    assert deployed.outputs["SourceBucketName"] == f"life-{layout}-uploads"
    assert process(clients, deployed, "before.jpg") == (128, 85)

    changed = rendered("monitoring.max_throttles_per_5_minutes=3")
    updated = put(clients, PipelineDeployment(changed, wanted.stack_name, parameters=update))
    assert updated.outputs == deployed.outputs
    assert throttles_allowed(clients, f"life-{layout}") == 3
    assert process(clients, updated, "after.jpg") == thumbnail

    assert delete_pipeline(clients, wanted, empty_buckets=True, pace=QUICK, on_stack=deleted.append) == ()
    assert deleted == names[::-1]
    assert stacks(clients, wanted.stack_name) == []


def pair(name: str, **second: Any) -> PipelineDeployment:
    """Two stacks of a bucket each; the second imports the name of the first's."""
    export = {"Fn::Sub": f"{name}-${{Owner}}"}
    first = bucket_template(f"{name}-first-bucket")
    first["Outputs"] = {"First": {"Value": {"Ref": "Bucket"}, "Export": {"Name": export}}}
    tags = [{"Key": "next", "Value": {"Fn::ImportValue": export}}, {"Key": "owner", "Value": {"Ref": "Owner"}}]
    templates = {"first": first, "second": bucket_template(f"{name}-second-bucket", Tags=tags, **second)}
    templates["second"]["Outputs"] = {"Second": {"Value": {"Ref": "Bucket"}}}
    return PipelineDeployment(RenderedPipeline(name, "exports", templates, PAIR), name)


def first_alone(wanted: PipelineDeployment) -> PipelineDeployment:
    """A pair without its second stack."""
    one = RenderedPipeline(wanted.stack_name, "exports", {"first": wanted.rendered.stacks["first"]}, ["first"])
    return dataclasses.replace(wanted, rendered=one)


def test_the_outputs_of_all_stacks_are_returned(clients: Clients):
    assert put(clients, pair("both")).outputs == {"First": "both-first-bucket", "Second": "both-second-bucket"}
    assert tag(clients, "both-second-bucket", "next") == "both-first-bucket"


def test_what_is_there_already_is_not_changed(clients: Clients):
    put(clients, pair("still"))

    assert [stack.changes for stack in put(clients, pair("still")).stacks] == [(), ()]


def test_a_failure_names_its_stack_and_the_same_again_goes_on_from_there(clients: Clients):
    with pytest.raises(DeploymentError, match=r"^half-second: Bucket: CREATE_FAILED: "):
        put(clients, pair("half", **BAD_LIFECYCLE))

    first, second = put(clients, pair("half")).stacks

    assert (first.changes, [change.action for change in second.changes]) == ((), ["Add"])


def test_a_stack_whose_creation_was_undone_has_no_values_to_keep(clients: Clients):
    wanted = pair("undone", **BAD_LIFECYCLE)
    wanted.rendered.stacks["second"]["Parameters"]["Colour"] = {"Type": "String"}
    with pytest.raises(DeploymentError, match=r"ROLLBACK_COMPLETE$"):
        put(clients, dataclasses.replace(wanted, parameters={"Colour": "red"}))

    with pytest.raises(DeploymentError, match=r"^undone-second: Colour: has no value"):
        put(clients, wanted)


def test_a_stack_that_is_new_to_a_deployed_pipeline_belongs_to_the_same_environment(clients: Clients):
    whole = dataclasses.replace(pair("grown"), parameters={"Owner": "ann"})
    put(clients, first_alone(whole))

    put(clients, dataclasses.replace(whole, parameters={}))

    assert tag(clients, "grown-second-bucket", "owner") == "ann"


def test_a_secret_that_cannot_be_read_back_is_not_handed_on_as_asterisks(clients: Clients):
    whole = dataclasses.replace(pair("secret"), parameters={"Word": "sesame"})
    for template in whole.rendered.stacks.values():
        template["Parameters"]["Word"] = {"Type": "String", "NoEcho": True, "Default": "nothing"}
    whole.rendered.stacks["second"]["Resources"]["Bucket"]["Properties"]["Tags"][1]["Value"] = {"Ref": "Word"}
    put(clients, first_alone(whole))

    put(clients, dataclasses.replace(whole, parameters={}))

    assert tag(clients, "secret-second-bucket", "owner") == "nothing"


def test_values_and_code_are_given_to_the_stacks_that_take_them(engine: Engine, tmp_path: Path):
    clients, sent = clients_of(engine), list[set[str]]()

    def note(params: dict[str, Any], **_: Any) -> None:  # AWS refuses what a template does not declare, the engine not
        sent.append({one["ParameterKey"] for one in params["Parameters"]})

    clients.cloudformation.meta.events.register("before-parameter-build.cloudformation.CreateChangeSet", note)
    wanted = pair("apart")
    first, second = wanted.rendered.stacks.values()
    first["Parameters"] |= {"Colour": {"Type": "String"}, "CodeBucket": {"Type": "String"}, "Layer": {"Type": "String"}}
    second["Parameters"] |= {"CodeBucket": {"Type": "String"}, "Code": {"Type": "String"}}
    functions = [FunctionCode("second", "Work", "work", "Code", "python3.13", "arm64")]
    layers = [LayerCode("first", "WorkLayer", "work", "Layer", "python3.13", "arm64")]
    rendered = RenderedPipeline("apart", "exports", wanted.rendered.stacks, PAIR, functions, layers)
    (tmp_path / "code.zip").write_bytes(zipped(index="apart"))
    (tmp_path / "layer.zip").write_bytes(zipped(pillow="apart"))
    packages = {"Code": tmp_path / "code.zip", "Layer": tmp_path / "layer.zip"}

    given = {"Colour": "red", "Owner": "bob"}
    put(clients, PipelineDeployment(rendered, "apart", given, packages, tags={"team": "photos"}))

    described = [clients.cloudformation.describe_stacks(StackName=f"apart-{name}")["Stacks"][0] for name in PAIR]
    in_first, in_second = [
        {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]} for stack in described
    ]
    layer, code = in_first.pop("Layer"), in_second.pop("Code")
    assert (in_first, in_second) == (
        {"CodeBucket": ARTIFACTS, "Colour": "red", "Owner": "bob"},
        {"CodeBucket": ARTIFACTS, "Owner": "bob"},
    )
    assert sent == [{"CodeBucket", "Colour", "Owner", "Layer"}, {"CodeBucket", "Owner", "Code"}]
    uploaded = {name: clients.s3.get_object(Bucket=ARTIFACTS, Key=name)["Body"].read() for name in (layer, code)}
    assert uploaded == {layer: packages["Layer"].read_bytes(), code: packages["Code"].read_bytes()}
    assert [stack["Tags"] for stack in described] == [[{"Key": "team", "Value": "photos"}]] * 2


def test_retained_resources_of_every_stack_are_returned_the_last_stack_first(clients: Clients):
    wanted = pair("keep")
    for template in wanted.rendered.stacks.values():
        template["Resources"]["Bucket"]["DeletionPolicy"] = "Retain"
    put(clients, wanted)

    assert delete_pipeline(clients, wanted, pace=QUICK) == (
        Retained("Bucket", "keep-second-bucket", "AWS::S3::Bucket"),
        Retained("Bucket", "keep-first-bucket", "AWS::S3::Bucket"),
    )


def test_deleting_what_was_deployed_in_part_or_never_is_no_fault(clients: Clients):
    wanted = pair("part")
    put(clients, first_alone(wanted))

    delete_pipeline(clients, wanted, pace=QUICK)
    delete_pipeline(clients, wanted, pace=QUICK)

    assert stacks(clients, "part-") == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"parameters": {"Ownr": "ann"}}, "wrong: Ownr: is a parameter of no stack; expected Colour, Owner"),
        ({"packages": {"Owner": Path("a.zip")}}, "wrong: Owner: is a package of no stack; expected none"),
        ({}, "wrong-second: Colour: has no value and no default; expected a value"),
    ],
)
def test_a_wrong_or_missing_value_is_reported_before_anything_is_created(
    clients: Clients, given: dict[str, Any], message: str
):
    wanted = pair("wrong")
    wanted.rendered.stacks["second"]["Parameters"]["Colour"] = {"Type": "String"}

    with pytest.raises(DeploymentError) as failure:
        put(clients, dataclasses.replace(wanted, **given))

    assert str(failure.value) == message
    assert stacks(clients, "wrong") == []
