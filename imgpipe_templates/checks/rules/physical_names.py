"""Rules about physical names: duplicates, constant names and maximum lengths."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates.checks.facts.expressions import TOKEN, canonical, entries, mapping
from imgpipe_templates.checks.facts.template import Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule

# Type -> property with a name that is unique in its account and Region, or globally, and its maximum length in
# characters; None if no rule needs it (resource schemas of cfn-lint 1.58.0, primaryIdentifier and maxLength, which
# tests/checks compares; the service quota if a schema has no length or, as for tables, allows ARNs; an inline policy
# belongs to its role).
NAMES: dict[str, tuple[str, int | None]] = {
    "AWS::Backup::BackupVault": ("BackupVaultName", 50),
    "AWS::CloudWatch::Alarm": ("AlarmName", 255),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmName", None),
    "AWS::CloudWatch::Dashboard": ("DashboardName", 255),
    "AWS::DynamoDB::Table": ("TableName", 255),
    "AWS::Events::Rule": ("Name", 64),
    "AWS::IAM::Group": ("GroupName", None),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", 128),
    "AWS::IAM::Role": ("RoleName", 64),
    "AWS::IAM::User": ("UserName", None),
    "AWS::KMS::Alias": ("AliasName", 256),
    "AWS::Lambda::Function": ("FunctionName", 64),
    "AWS::Logs::LogGroup": ("LogGroupName", 512),
    "AWS::S3::Bucket": ("BucketName", 63),
    "AWS::SNS::Topic": ("TopicName", 256),
    "AWS::SQS::Queue": ("QueueName", 80),
}


@template_rule(
    "E9562",
    "Duplicate physical name",
    "A name is unique in its account and Region: CloudFormation fails at the second resource.",
    # AWS CloudFormation User Guide, "Name type", read 2026-11
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html",
)
def duplicate_physical_name(template: Template) -> Iterator[Violation]:
    seen: dict[tuple[str, str], str] = {}
    for resource in template.of_type(*NAMES):
        key, _ = NAMES[resource.type]
        # Two resources with conditions are rarely created in one stack.
        if key not in resource.properties or "Condition" in resource.body:
            continue
        # Alarms of both types share one namespace.
        kind = resource.type.replace("CompositeAlarm", "Alarm")
        name = template.resolved(resource.properties[key])
        first = seen.setdefault((kind, name), resource.id)
        if first != resource.id:
            yield Violation(resource.at(key), f"{first} has the same name {name!r}; use another name")


@template_rule(
    "W9563",
    "Physical name without a parameter or stack name",
    "A second stack of the template, for another environment, would need the same name.",
    # AWS CloudFormation User Guide, "Name type", read 2026-11
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html",
    convention=True,
)
def constant_physical_name(template: Template) -> Iterator[Violation]:
    for resource in template.of_type(*NAMES):
        key, _ = NAMES[resource.type]
        name = canonical(resource.properties.get(key))
        if name and "${" not in name:
            yield Violation(
                resource.at(key),
                f"{name!r} is the same in every stack, so an account and Region can have only one; add a parameter or "
                "${AWS::StackName}, or remove the name",
            )


# Maximum lengths of pseudo parameters: account ids, and Regions such as ap-southeast-2.
_PSEUDO_PARAMETERS = {"AWS::AccountId": 12, "AWS::Region": 14, "AWS::Partition": 10}


@template_rule(
    "E9564",
    "Physical name that can exceed its maximum length",
    "A longer suffix passes the parameter's check, and then the creation of the resource fails.",
    # AWS CloudFormation User Guide, "Name type", read 2026-12
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html",
)
def physical_name_too_long(template: Template) -> Iterator[Violation]:
    for resource in template.of_type(*NAMES):
        key, maximum = NAMES[resource.type]
        text = canonical(resource.properties.get(key))
        length = _max_length(template, text)
        if text and length is not None and maximum is not None and length > maximum:
            yield Violation(
                resource.at(key),
                f"{text!r} has up to {length} characters with the longest parameter values, above the maximum of "
                f"{maximum}; shorten it, or the parameter's MaxLength",
            )


def _max_length(template: Template, text: str) -> int | None:
    """Return the maximum length of a name; None if a part has no maximum."""
    maxima = {token: _max_token_length(template, token) for token in TOKEN.findall(text)}
    if any(maximum is None for maximum in maxima.values()):
        return None
    return len(TOKEN.sub(lambda token: "x" * (maxima[token[1]] or 0), text))


def _max_token_length(template: Template, token: str) -> int | None:
    if token in _PSEUDO_PARAMETERS:
        return _PSEUDO_PARAMETERS[token]
    parameter = mapping(template.section("Parameters").get(token))
    if "AllowedValues" in parameter:
        return max((len(str(value)) for _, value in entries(parameter["AllowedValues"])), default=0)
    maximum = parameter.get("MaxLength")
    return int(maximum) if isinstance(maximum, int | str) and str(maximum).isdigit() else None
