"""Policies of resources name as a source only what the same pipeline has, with every trigger."""

from __future__ import annotations

from typing import Any

import pytest

from imgpipe_templates import load_preset
from tests.templates import of_type, rendered

PRESETS = ("media-library", "production", "reporting", "single-bucket", "thumbnails")
TRIGGERS = {
    "s3": ["trigger=s3"],
    "custom-resource": ["trigger=custom-resource"],
    "eventbridge": ["trigger=eventbridge"],
    "queue": ["trigger=queue", "queue.fed_by=eventbridge"],
    "queue from s3": ["trigger=queue", "queue.fed_by=s3"],
}
NAMES = {"AWS::Events::Rule": "Name", "AWS::S3::Bucket": "BucketName", "AWS::SQS::Queue": "QueueName"}


def sources(statement: dict[str, Any]) -> list[Any]:
    """Every value of aws:SourceArn in the conditions of a statement."""
    values = [
        value for test in statement.get("Condition", {}).values() for key, value in test.items() if key.endswith("Arn")
    ]
    return [one for value in values for one in (value if isinstance(value, list) else [value])]


def is_in(template: dict[str, Any], arn: dict[str, Any]) -> bool:
    """True if the ARN is of a resource of the template, by reference or by its physical name."""
    if "Fn::GetAtt" in arn:
        return arn["Fn::GetAtt"][0] in template["Resources"]
    names = [
        text_of(properties[name])
        for kind, name in NAMES.items()
        for properties in of_type(template, kind).values()
        if name in properties
    ]
    return arn["Fn::Sub"].endswith(tuple(f"{separator}{name}" for separator in (":", ":rule/") for name in names))


def text_of(name: dict[str, str]) -> str:
    """A physical name as `Fn::Sub` writes it."""
    return name["Fn::Sub"] if "Fn::Sub" in name else f"${{{name['Ref']}}}"


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_each_source_of_a_queue_policy_is_a_resource_of_the_template(preset: str, trigger: str):
    template = rendered(load_preset(preset, TRIGGERS[trigger]))
    queues = of_type(template, "AWS::SQS::Queue").values()
    policies = of_type(template, "AWS::SQS::QueuePolicy").values()
    arns = [arn for policy in policies for one in policy["PolicyDocument"]["Statement"] for arn in sources(one)]
    arns += [arn for queue in queues for arn in queue.get("RedriveAllowPolicy", {}).get("sourceQueueArns", [])]

    assert [arn for arn in arns if not is_in(template, arn)] == []
    assert len(arns) == {"s3": 0, "custom-resource": 0, "eventbridge": 1, "queue": 3, "queue from s3": 2}[trigger]
