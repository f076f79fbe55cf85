"""Rules about physical names: no two alike, none that only one stack can have."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates.checks.model import Fault, Rule
from imgpipe_templates.checks.template import Template
from imgpipe_templates.checks.values import TOKEN, canonical, entries, mapping

# Type -> property with a name that is unique in its account and Region, or more widely (resource schemas of cfn-lint
# 1.58.0, primaryIdentifier; a policy inside a role is the role's own).
NAMES = {
    "AWS::Backup::BackupVault": "BackupVaultName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::CompositeAlarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
}


def _twice(template: Template) -> Iterator[Fault]:
    seen: dict[tuple[str, str], str] = {}
    for resource in template.of_type(*NAMES):
        key = NAMES[resource.type]
        # Resources of different conditions are rarely in one stack together.
        if key not in resource.properties or "Condition" in resource.body:
            continue
        # Alarms of both types share their names; so do keys and aliases of one account.
        kind = resource.type.replace("CompositeAlarm", "Alarm")
        name = template.resolved(resource.properties[key])
        first = seen.setdefault((kind, name), resource.id)
        if first != resource.id:
            yield Fault(
                resource.at(key), f"is named {name!r} like {first}, and the second cannot be made; use another name"
            )


def _fixed(template: Template) -> Iterator[Fault]:
    for resource in template.of_type(*NAMES):
        key = NAMES[resource.type]
        name = canonical(resource.properties.get(key))
        if name and "${" not in name:
            yield Fault(
                resource.at(key),
                f"{name!r} is the name in every stack, so that an account and Region can have one; "
                "put a parameter or ${AWS::StackName} into it, or leave it out",
            )


# Type -> property with a name and the characters it may have (resource schemas of cfn-lint 1.58.0, maxLength, and the
# services' quotas where a schema has none; tests/checks compares).
LONGEST = {
    "AWS::Backup::BackupVault": ("BackupVaultName", 50),
    "AWS::CloudWatch::Alarm": ("AlarmName", 255),
    "AWS::CloudWatch::Dashboard": ("DashboardName", 255),
    "AWS::DynamoDB::Table": ("TableName", 255),
    "AWS::Events::Rule": ("Name", 64),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", 128),
    "AWS::IAM::Role": ("RoleName", 64),
    "AWS::KMS::Alias": ("AliasName", 256),
    "AWS::Lambda::Function": ("FunctionName", 64),
    "AWS::Logs::LogGroup": ("LogGroupName", 512),
    "AWS::S3::Bucket": ("BucketName", 63),
    "AWS::SNS::Topic": ("TopicName", 256),
    "AWS::SQS::Queue": ("QueueName", 80),
}
# Characters of what CloudFormation fills in, at their longest: ids of accounts, and Regions such as ap-southeast-2.
_FILLED_IN = {"AWS::AccountId": 12, "AWS::Region": 14, "AWS::Partition": 10}


def _too_long(template: Template) -> Iterator[Fault]:
    for resource in template.of_type(*LONGEST):
        key, most = LONGEST[resource.type]
        text = canonical(resource.properties.get(key))
        length = _longest(template, text)
        if text and length is not None and length > most:
            yield Fault(
                resource.at(key),
                f"{text!r} has up to {length} characters with the longest values of its parameters; {resource.type} "
                f"takes {most}, so shorten it or the parameter's MaxLength",
            )


def _longest(template: Template, text: str) -> int | None:
    """The characters of a name at its longest; None if a part has no bound."""
    bounds = {token: _bound(template, token) for token in TOKEN.findall(text)}
    if any(bound is None for bound in bounds.values()):
        return None
    return len(TOKEN.sub(lambda token: "x" * (bounds[token[1]] or 0), text))


def _bound(template: Template, token: str) -> int | None:
    if token in _FILLED_IN:
        return _FILLED_IN[token]
    parameter = mapping(template.section("Parameters").get(token))
    if "AllowedValues" in parameter:
        return max((len(str(value)) for _, value in entries(parameter["AllowedValues"])), default=0)
    most = parameter.get("MaxLength")
    return int(most) if isinstance(most, int | str) and str(most).isdigit() else None


RULES = (
    Rule(
        "E9564",
        "Name that can be longer than its service takes",
        "A longer suffix passes the parameter's check, and the creation of the resource fails.",
        # AWS CloudFormation User Guide, "Name type", read 2026-12
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html",
        _too_long,
    ),
    Rule(
        "E9562",
        "Two resources of one name",
        "A name is unique in its account and Region: CloudFormation fails at the second resource.",
        # AWS CloudFormation User Guide, "Name type", read 2026-11
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html",
        _twice,
    ),
    Rule(
        "W9563",
        "Name without anything of its stack",
        "A second stack of the template, for another environment, would need the same name.",
        # AWS CloudFormation User Guide, "Name type", read 2026-11
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html",
        _fixed,
        convention=True,
    ),
)
