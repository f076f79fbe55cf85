"""An engine that all tests of one process share, a small pipeline to deploy on it, and short ways to look at both."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imgpipe_templates.deployment.artifacts import ensure_bucket
from imgpipe_templates.deployment.clients import Clients
from imgpipe_templates.deployment.plan import DeployedStack, Deployment, FunctionPackage, Pace
from imgpipe_templates.deployment.stacks import deploy
from imgpipe_templates.local.deliveries import Delivery
from imgpipe_templates.local.engine import Engine, running_engine
from imgpipe_templates.local.environment import Runtime
from imgpipe_templates.local.interpreters import find_interpreter
from imgpipe_templates.local.runtime_folder import runtime_folder

RUNTIME = "python3.13"
ARTIFACTS = "artifacts-of-tests"
QUICK = Pace(poll_seconds=0.02, change_set_timeout_seconds=20, stack_timeout_seconds=30)

# Copies size and key of every object that it hears of into the table.
HANDLER = """
import json, os, urllib.parse
import boto3

s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")

def lambda_handler(event, context):
    for record in event["Records"]:
        bucket, thing = record["s3"]["bucket"]["name"], record["s3"]["object"]
        key = urllib.parse.unquote_plus(thing["key"])
        size = len(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        dynamodb.put_item(TableName=os.environ["TABLE"], Item={"Key": {"S": key}, "Size": {"N": str(size)}})
        metric = {"Namespace": "Tests", "Dimensions": [["Stage"]], "Metrics": [{"Name": "Objects", "Unit": "Count"}]}
        print(json.dumps({"_aws": {"Timestamp": 0, "CloudWatchMetrics": [metric]}, "Objects": 1, "Stage": "test"}))
    return "done"
"""


def runtime() -> Runtime:
    """What runs functions of `RUNTIME` on this machine."""
    interpreter = find_interpreter(RUNTIME)
    return Runtime(interpreter.path, runtime_folder(interpreter))


@functools.cache
def _started() -> tuple[Engine, contextlib.ExitStack]:
    stack = contextlib.ExitStack()
    return stack.enter_context(running_engine({RUNTIME: runtime()}, retry_base_seconds=0.05)), stack


def shared_engine(config: pytest.Config) -> Engine:
    """The engine of this process; it ends with the test run."""
    engine, stack = _started()
    config.add_cleanup(stack.close)
    return engine


def clients_of(engine: Engine) -> Clients:
    """Clients of the engine's root, with a bucket for packages ready."""
    clients = Clients(engine.session(), engine.endpoint_url)
    ensure_bucket(clients, ARTIFACTS)
    return clients


def client(engine: Engine, service: str) -> Any:
    """A boto3 client of the engine's root."""
    return engine.session().client(service, endpoint_url=engine.endpoint_url)


def zipped(**files: str) -> bytes:
    """A function package of Python modules, given by name; the same bytes at any time, so that it updates nothing."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, text in files.items():
            package.writestr(zipfile.ZipInfo(f"{name}.py"), text)
    return buffer.getvalue()


def bucket_template(name: str, **properties: Any) -> dict[str, Any]:
    """A template with one bucket, tagged by a parameter."""
    return {
        "Parameters": {"Owner": {"Type": "String", "Default": "none"}},
        "Resources": {
            "Bucket": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "BucketName": name,
                    "VersioningConfiguration": {"Status": "Enabled"},
                    "Tags": [{"Key": "owner", "Value": {"Ref": "Owner"}}],
                    **properties,
                },
            }
        },
        "Outputs": {"Name": {"Value": {"Ref": "Bucket"}}},
    }


def pipeline_template(prefix: str) -> dict[str, Any]:
    """Bucket -> function -> table, with a dead-letter queue; every name starts with `prefix`."""
    objects = {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{prefix}-uploads/*"}
    function = {
        "Fn::Sub": f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{prefix}-copy"
    }
    suffix = {"S3Key": {"Rules": [{"Name": "suffix", "Value": ".jpg"}]}}
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    may = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": objects},
        {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": {"Fn::GetAtt": ["Table", "Arn"]}},
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["DeadLetters", "Arn"]}},
    ]
    policy = {"PolicyName": "work", "PolicyDocument": {"Version": "2012-10-17", "Statement": may}}
    resources: dict[str, tuple[str, dict[str, Any]]] = {
        "Table": (
            "AWS::DynamoDB::Table",
            {
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "Key", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "Key", "AttributeType": "S"}],
            },
        ),
        "DeadLetters": ("AWS::SQS::Queue", {"QueueName": f"{prefix}-dead"}),
        "Role": (
            "AWS::IAM::Role",
            {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}, "Policies": [policy]},
        ),
        "Copy": (
            "AWS::Lambda::Function",
            {
                "FunctionName": f"{prefix}-copy",
                "Runtime": RUNTIME,
                "Handler": "index.lambda_handler",
                "Timeout": 10,
                "MemorySize": 256,
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Ref": "CopyCodeKey"}},
                "DeadLetterConfig": {"TargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}},
                "Environment": {"Variables": {"TABLE": {"Ref": "Table"}}},
            },
        ),
        "Permission": (
            "AWS::Lambda::Permission",
            {
                "FunctionName": {"Ref": "Copy"},
                "Action": "lambda:InvokeFunction",
                "Principal": "s3.amazonaws.com",
                "SourceAccount": {"Ref": "AWS::AccountId"},
                "SourceArn": {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{prefix}-uploads"},
            },
        ),
        "Uploads": (
            "AWS::S3::Bucket",
            {
                "BucketName": f"{prefix}-uploads",
                "NotificationConfiguration": {
                    "LambdaConfigurations": [{"Event": "s3:ObjectCreated:*", "Function": function, "Filter": suffix}]
                },
            },
        ),
    }
    return {
        "Parameters": {"CodeBucket": {"Type": "String"}, "CopyCodeKey": {"Type": "String"}},
        "Resources": {name: {"Type": kind, "Properties": properties} for name, (kind, properties) in resources.items()},
    }


def deploy_pipeline(engine: Engine, template: dict[str, Any], prefix: str, folder: Path, code: str) -> DeployedStack:
    """Deploy a `pipeline_template`, as it is or changed, with `code` as its function."""
    package = folder / f"{prefix}.zip"
    package.write_bytes(zipped(index=code))
    deployment = Deployment(
        stack_name=prefix,
        template=json.dumps(template),
        capabilities=("CAPABILITY_IAM",),
        packages=(FunctionPackage("copy", "CopyCodeKey", package),),
    )
    return deploy(clients_of(engine), deployment, artifact_bucket=ARTIFACTS, pace=QUICK)


def until(ready: Callable[[], Any], seconds: float = 15) -> Any:
    """What `ready` returns as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(0.02)
    return found


def ended_delivery(engine: Engine, key: str) -> Delivery:
    """The delivery about an object, once it has ended."""

    def find() -> Delivery | None:
        about = [one for one in engine.deliveries() if any(item.key == key for item in one.objects)]
        return about[-1] if about and about[-1].state != "waiting" else None

    delivery: Delivery = until(find)
    return delivery
