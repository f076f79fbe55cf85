"""Deploying on the engine: the code that AWS will get."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from imgpipe_templates.deployment.artifacts import empty_bucket, ensure_bucket
from imgpipe_templates.deployment.clients import Clients
from imgpipe_templates.deployment.plan import Change, DeployedStack, Deployment, FunctionPackage, StackEvent
from imgpipe_templates.deployment.stacks import delete_stack, deploy, resource_ids
from imgpipe_templates.errors import DeploymentError
from tests.engine import ARTIFACTS, QUICK, bucket_template

BAD_LIFECYCLE = {"LifecycleConfiguration": {"Rules": [{"Id": "bad", "Status": "Enabled", "ExpirationInDays": 0}]}}


def put(clients: Clients, name: str, template: dict[str, Any], **more: Any) -> DeployedStack:
    return deploy(clients, Deployment(name, json.dumps(template), **more), artifact_bucket=ARTIFACTS, pace=QUICK)


def owner(clients: Clients, bucket: str) -> str:
    return {tag["Key"]: tag["Value"] for tag in clients.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}["owner"]


def test_a_new_stack_reports_changes_events_and_outputs(clients):
    events: list[StackEvent] = []
    announced: list[tuple[Change, ...]] = []

    stack = deploy(
        clients,
        Deployment("fresh", json.dumps(bucket_template("fresh-bucket")), parameters={"Owner": "ann"}),
        artifact_bucket=ARTIFACTS,
        pace=QUICK,
        on_changes=announced.append,
        on_event=events.append,
    )

    assert announced == [stack.changes] == [(Change("Add", "Bucket", "AWS::S3::Bucket"),)]
    assert stack.outputs == {"Name": "fresh-bucket"}
    assert [(e.logical_id, e.status) for e in events if e.logical_id == "Bucket"] == [
        ("Bucket", "CREATE_IN_PROGRESS"),
        ("Bucket", "CREATE_COMPLETE"),
    ]
    assert owner(clients, "fresh-bucket") == "ann"


def test_the_same_again_changes_nothing_and_keeps_given_parameters(clients):
    put(clients, "same", bucket_template("same-bucket"), parameters={"Owner": "ann"})

    again = put(clients, "same", bucket_template("same-bucket"))

    assert again.changes == ()
    assert again.outputs == {"Name": "same-bucket"}
    assert owner(clients, "same-bucket") == "ann"


def test_an_update_names_what_is_modified(clients):
    put(clients, "update", bucket_template("update-bucket"), parameters={"Owner": "ann"})

    updated = put(clients, "update", bucket_template("update-bucket"), parameters={"Owner": "bob"})

    assert [(change.action, change.logical_id) for change in updated.changes] == [("Modify", "Bucket")]
    assert owner(clients, "update-bucket") == "bob"


@pytest.mark.line("003-46")
def test_a_failed_update_is_rolled_back_and_names_resource_and_reason(clients):
    put(clients, "back", bucket_template("back-bucket"), parameters={"Owner": "ann"})

    with pytest.raises(DeploymentError, match=r"^back: Bucket: UPDATE_FAILED: .*; the stack is UPDATE_ROLLBACK"):
        put(clients, "back", bucket_template("back-bucket", **BAD_LIFECYCLE), parameters={"Owner": "bob"})

    assert owner(clients, "back-bucket") == "ann"


@pytest.mark.line("004-31")
def test_a_failed_creation_leaves_nothing_and_can_be_tried_again(clients):
    with pytest.raises(DeploymentError, match=r"^again: Bucket: CREATE_FAILED: .*; the stack is ROLLBACK_COMPLETE"):
        put(clients, "again", bucket_template("again-bucket", **BAD_LIFECYCLE))

    assert put(clients, "again", bucket_template("again-bucket")).outputs == {"Name": "again-bucket"}


def test_a_creation_that_cannot_be_undone_is_reported_with_the_action(clients):
    template = bucket_template("stuck-bucket", **BAD_LIFECYCLE)
    protected = {
        "TableName": "stuck-table",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "S"}],
        "DeletionProtectionEnabled": True,
    }
    template["Resources"]["Table"] = {"Type": "AWS::DynamoDB::Table", "Properties": protected}
    template["Resources"]["Bucket"]["DependsOn"] = "Table"

    with pytest.raises(DeploymentError, match=r"^stuck: Bucket: CREATE_FAILED: .*; the stack is ROLLBACK_FAILED$"):
        put(clients, "stuck", template)
    with pytest.raises(DeploymentError, match=r"^stuck: stack: is ROLLBACK_FAILED: .* lift what protects its"):
        put(clients, "stuck", bucket_template("stuck-bucket"))

    dynamodb = clients.session.client("dynamodb", endpoint_url=clients.endpoint_url)
    dynamodb.update_table(TableName="stuck-table", DeletionProtectionEnabled=False)
    delete_stack(clients, "stuck", pace=QUICK)
    assert put(clients, "stuck", bucket_template("stuck-bucket")).outputs == {"Name": "stuck-bucket"}


def test_a_refused_template_is_reported_in_cloudformations_words(clients):
    template = bucket_template("unknown-bucket")
    template["Parameters"]["Owner"]["AllowedValues"] = ["none", "ann"]

    with pytest.raises(DeploymentError, match=r"^unknown: change set: .*Owner"):
        put(clients, "unknown", template, parameters={"Owner": "bob"})


def test_a_fault_found_before_creation_is_named_with_its_place(clients):
    put(clients, "taken", bucket_template("taken-bucket"))

    with pytest.raises(DeploymentError, match=r"^second: /Resources/Bucket: .*'taken-bucket' already exists"):
        put(clients, "second", bucket_template("taken-bucket"))


def test_a_template_too_large_for_a_request_goes_through_the_bucket(clients):
    template = bucket_template("large-bucket") | {"Metadata": {"Notes": "x" * 60_000}}

    assert put(clients, "large", template).outputs == {"Name": "large-bucket"}
    keys = [one["Key"] for one in clients.s3.list_objects_v2(Bucket=ARTIFACTS, Prefix="imgpipe/")["Contents"]]
    assert [key for key in keys if key.endswith("/large.template")]


def test_a_template_too_large_for_cloudformation_is_refused_before_anything_is_sent(clients):
    template = bucket_template("huge-bucket") | {"Metadata": {"Notes": "x" * 1_100_000}}

    with pytest.raises(DeploymentError, match=r"^huge: template: has 1,\d+,\d+ bytes; expected at most 1,048,576"):
        put(clients, "huge", template)


def test_packages_lie_under_their_content_and_are_uploaded_once(clients, tmp_path: Path):
    template = bucket_template("code-bucket")
    template["Parameters"] |= {"CodeBucket": {"Type": "String"}, "Key": {"Type": "String"}}
    template["Outputs"] = {"Where": {"Value": {"Fn::Sub": "${CodeBucket}/${Key}"}}}
    package = tmp_path / "any.zip"
    package.write_bytes(b"content")
    packages = (FunctionPackage("resize", "Key", package),)
    sha256 = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"

    first = put(clients, "code", template, packages=packages)
    uploaded = clients.s3.head_object(Bucket=ARTIFACTS, Key=f"imgpipe/{sha256}/resize.zip")["LastModified"]
    second = put(clients, "code", template, packages=packages)

    assert first.outputs == {"Where": f"{ARTIFACTS}/imgpipe/{sha256}/resize.zip"}
    assert second.changes == ()
    assert clients.s3.head_object(Bucket=ARTIFACTS, Key=f"imgpipe/{sha256}/resize.zip")["LastModified"] == uploaded


def test_a_missing_package_is_named(clients, tmp_path: Path):
    packages = (FunctionPackage("resize", "Key", tmp_path / "none.zip"),)

    with pytest.raises(DeploymentError, match=r"^gone: package of resize: .*none\.zip: No such file"):
        put(clients, "gone", bucket_template("gone-bucket"), packages=packages)


def test_a_full_bucket_is_not_deleted_by_itself_but_can_be_emptied_first(clients):
    put(clients, "full", bucket_template("full-bucket"))
    clients.s3.put_object(Bucket="full-bucket", Key="a", Body=b"1")
    clients.s3.put_object(Bucket="full-bucket", Key="a", Body=b"2")
    clients.s3.delete_object(Bucket="full-bucket", Key="a")

    with pytest.raises(DeploymentError, match=r"^full: Bucket: DELETE_FAILED: .*not empty"):
        delete_stack(clients, "full", pace=QUICK)

    assert delete_stack(clients, "full", empty_buckets=True, pace=QUICK) == ()
    assert delete_stack(clients, "full", pace=QUICK) == ()
    assert "full-bucket" not in [one["Name"] for one in clients.s3.list_buckets()["Buckets"]]


def test_a_stack_that_was_deleted_is_deleted_already_by_its_id_too(clients):
    stack_id = put(clients, "past", bucket_template("past-bucket")).stack_id
    delete_stack(clients, stack_id, pace=QUICK)
    before = clients.cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]

    assert delete_stack(clients, stack_id, pace=QUICK) == ()
    assert clients.cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"] == before


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_retained_buckets_are_listed_and_keep_their_contents(clients, policy: str):
    name = f"kept-{policy.lower()}"
    template = bucket_template(name)
    template["Resources"]["Bucket"]["DeletionPolicy"] = policy
    put(clients, name, template)
    clients.s3.put_object(Bucket=name, Key="a", Body=b"1")

    retained = delete_stack(clients, name, empty_buckets=True, pace=QUICK)

    assert [(one.logical_id, one.physical_id) for one in retained] == [("Bucket", name)]
    assert clients.s3.get_object(Bucket=name, Key="a")["Body"].read() == b"1"


def nested(name: str, **properties: Any) -> Deployment:
    """A root with one child, which has a bucket."""
    child = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "child.template.json"}}
    root = json.dumps({"Resources": {"Child": child}})
    nested_templates = {"child.template.json": json.dumps(bucket_template(f"{name}-bucket", **properties))}
    return Deployment(name, root, nested_templates=nested_templates, capabilities=("CAPABILITY_AUTO_EXPAND",))


def test_nested_stacks_are_uploaded_with_the_root_and_emptied_with_it(clients):
    deploy(clients, nested("nest"), artifact_bucket=ARTIFACTS, pace=QUICK)
    clients.s3.put_object(Bucket="nest-bucket", Key="a", Body=b"1")

    delete_stack(clients, "nest", empty_buckets=True, pace=QUICK)

    assert "nest-bucket" not in [one["Name"] for one in clients.s3.list_buckets()["Buckets"]]


def test_the_error_inside_a_nested_stack_is_reported(clients):
    with pytest.raises(DeploymentError, match=r"^broken-nest: Child: .*CREATE_FAILED: .*must be a positive integer"):
        deploy(clients, nested("broken-nest", **BAD_LIFECYCLE), artifact_bucket=ARTIFACTS, pace=QUICK)


def test_a_missing_nested_template_is_named(clients):
    deployment = dataclasses.replace(nested("lonely"), nested_templates={"other.template.json": "{}"})

    with pytest.raises(DeploymentError) as failure:
        deploy(clients, deployment, artifact_bucket=ARTIFACTS, pace=QUICK)

    assert str(failure.value) == (
        "lonely: Child: TemplateURL is 'child.template.json'; expected one of other.template.json"
    )


def test_resources_are_found_by_their_logical_ids(clients):
    put(clients, "ids", bucket_template("ids-bucket"))

    assert resource_ids(clients, "ids") == {"Bucket": "ids-bucket"}


def test_the_artifact_bucket_is_made_once_and_private(clients):
    assert ensure_bucket(clients, "artifacts-made-here")
    assert not ensure_bucket(clients, "artifacts-made-here")

    block = clients.s3.get_public_access_block(Bucket="artifacts-made-here")["PublicAccessBlockConfiguration"]
    assert all(block.values())


def test_every_call_of_a_bucket_expects_the_account_as_its_owner(clients):
    sent: dict[str, str] = {}

    def note(params: dict[str, Any], model: Any, **_more: Any) -> None:
        sent[model.name] = params["headers"].get("x-amz-expected-bucket-owner", "")

    clients.s3.meta.events.register("before-call.s3", note)
    assert ensure_bucket(clients, "artifacts-asked-for")
    assert not ensure_bucket(clients, "artifacts-asked-for")
    empty_bucket(clients, "artifacts-asked-for")

    account = clients.account
    assert account.isdigit()
    assert sent == {
        "CreateBucket": "",
        "HeadBucket": account,
        "ListMultipartUploads": account,
        "ListObjectVersions": account,
        "PutPublicAccessBlock": account,
    }
