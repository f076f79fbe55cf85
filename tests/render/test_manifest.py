"""The manifest lists the requirements of a deployment."""

import hashlib
import json
from pathlib import Path

import pytest

from imgpipe_templates import __version__
from imgpipe_templates.render.files import plan_files
from imgpipe_templates.render.manifest import capabilities


def resource(kind, **properties):
    return {"Type": kind, "Properties": properties}


def stack(*resources, **sections):
    return {"Resources": {f"R{number}": each for number, each in enumerate(resources)}} | sections


def test_the_manifest_lists_files_order_parameters_and_capabilities(rendered):
    plan = plan_files(rendered, ["json", "yaml"])
    content = json.loads(plan[Path("thumbnails/exports/manifest.json")])

    text = plan[Path("thumbnails/exports/storage.template.yaml")]
    assert content["pipeline"] == "thumbnails"
    assert content["layout"] == "exports"
    assert content["generator"] == {"name": "imgpipe-templates", "version": __version__}
    assert content["deploy_order"] == list(content["stacks"]) == ["storage", "processing"]
    assert content["functions"] == [
        {
            "stack": "processing",
            "function": "Function",
            "package": "processor",
            "key_parameter": "ImageProcessorCodeKey",
            "runtime": "python3.13",
            "architecture": "arm64",
            "dependencies": "package",
            "extras": [],
        }
    ]
    storage = content["stacks"]["storage"]
    assert [file["path"] for file in storage["files"]] == ["storage.template.json", "storage.template.yaml"]
    assert storage["files"][1] == {
        "path": "storage.template.yaml",
        "sha256": hashlib.sha256(text).hexdigest(),
        "bytes": len(text),
    }
    assert storage["resources"] == 1
    assert storage["capabilities"] == []
    assert storage["parameters"] == [
        {
            "name": "Environment",
            "required": False,
            "type": "String",
            "default": "production",
            "allowed_values": ["staging", "production"],
        },
        {
            "name": "SourceBucketName",
            "required": True,
            "type": "String",
            "description": "Bucket of uploads",
            "min_length": 3,
            "max_length": 63,
        },
    ]
    assert content["stacks"]["processing"]["capabilities"] == ["CAPABILITY_NAMED_IAM"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (stack(resource("AWS::S3::Bucket", BucketName="b")), set()),
        (stack(resource("AWS::IAM::Role")), {"CAPABILITY_IAM"}),
        (stack(resource("AWS::IAM::Policy", PolicyName="p")), {"CAPABILITY_IAM"}),
        (stack(resource("AWS::IAM::Role"), resource("AWS::IAM::User", UserName="u")), {"CAPABILITY_NAMED_IAM"}),
        (stack(Transform="AWS::Serverless-2016-10-31"), {"CAPABILITY_AUTO_EXPAND"}),
        (stack(resource("A::B::C", P=[{"Fn::Transform": {"Name": "AWS::Include"}}])), {"CAPABILITY_AUTO_EXPAND"}),
        (stack(resource("A::B::C", Transform="name of a property")), set()),
    ],
)
def test_capabilities_are_those_that_the_resources_require(template, expected):
    assert expected == capabilities("pipeline", {"pipeline": template})


def test_root_requires_the_capabilities_of_its_nested_stacks():
    root = stack(resource("AWS::CloudFormation::Stack", TemplateURL="processing.template.yaml"))
    stacks = {"root": root, "processing": stack(resource("AWS::IAM::Role"))}

    assert capabilities("root", stacks) == {"CAPABILITY_IAM"}
