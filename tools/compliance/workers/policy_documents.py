"""The policy documents of a template with example values for what only a deployment knows."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackName": "example",
    "AWS::URLSuffix": "amazonaws.com",
}
ARNS = {
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:eu-central-1:123456789012:table/{}",
    "AWS::Events::Rule": "arn:aws:events:eu-central-1:123456789012:rule/{}",
    "AWS::IAM::ManagedPolicy": "arn:aws:iam::123456789012:policy/{}",
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/{}",
    "AWS::KMS::Key": "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000",
    "AWS::Lambda::Function": "arn:aws:lambda:eu-central-1:123456789012:function:{}",
    "AWS::Logs::LogGroup": "arn:aws:logs:eu-central-1:123456789012:log-group:{}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SNS::Topic": "arn:aws:sns:eu-central-1:123456789012:{}",
    "AWS::SQS::Queue": "arn:aws:sqs:eu-central-1:123456789012:{}",
}
DOCUMENTS = ("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument")


def documents() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Logical id, property and document of every policy of the template that the command line names."""
    template = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for title, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        inline = [(f"Policies.{one['PolicyName']}", one["PolicyDocument"]) for one in properties.get("Policies", [])]
        whole = [(name, properties[name]) for name in DOCUMENTS if name in properties]
        for name, document in [*whole, *inline]:
            resolved = _resolved(template, document)
            if name == "KeyPolicy":
                _name_key(resolved, _arn(template, title))
            yield title, name, resolved


def _name_key(document: dict[str, Any], arn: str) -> None:
    """Say what `*` means: in a key policy it is the key itself, with its aliases, and nothing else."""
    key = [arn, arn.rpartition(":")[0] + ":alias/example"]
    for statement in document["Statement"]:
        statement["Resource"] = key if statement["Resource"] == ["*"] else statement["Resource"]


def _resolved(template: dict[str, Any], value: Any) -> Any:  # noqa: PLR0911 - one for each way to say a value
    match value:
        case {"Ref": title}:
            return _named(template, title)
        case {"Fn::GetAtt": [title, _]}:
            return _arn(template, title)
        case {"Fn::Sub": [text, extra]}:
            more = {name: _resolved(template, one) for name, one in extra.items()}
            return _substituted(template, text, more)
        case {"Fn::Sub": text}:
            return _substituted(template, text, {})
        case {"Fn::Join": [separator, parts]}:
            return separator.join(_resolved(template, part) for part in parts)
        case dict():
            return {key: _resolved(template, one) for key, one in value.items()}
        case list():
            return [_resolved(template, one) for one in value]
        case _:
            return value


def _substituted(template: dict[str, Any], text: str, more: dict[str, str]) -> str:
    def replacement(found: re.Match[str]) -> str:
        name = found[1]
        if name in more:
            return more[name]
        return _arn(template, name.split(".")[0]) if "." in name else _named(template, name)

    return re.sub(r"\$\{([^!}]+)\}", replacement, text)


def _named(template: dict[str, Any], title: str) -> str:
    """What `Ref` gives: a pseudo parameter, a parameter's default, a topic's or policy's ARN, else a name."""
    if title in PSEUDO:
        return PSEUDO[title]
    if title in template.get("Parameters", {}):
        return str(template["Parameters"][title].get("Default") or "example")
    if template["Resources"][title]["Type"] in {"AWS::SNS::Topic", "AWS::IAM::ManagedPolicy"}:
        return _arn(template, title)
    return title.lower()


def _arn(template: dict[str, Any], title: str) -> str:
    return ARNS[template["Resources"][title]["Type"]].format(title.lower())
