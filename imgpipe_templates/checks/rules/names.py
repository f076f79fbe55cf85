"""Rules about physical names: no two alike, none that only one stack can have."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates.checks.model import Fault, Rule
from imgpipe_templates.checks.template import Template, canonical

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


RULES = (
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
