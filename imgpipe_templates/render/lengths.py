"""Maximum lengths of the texts of a template, compared with the limits of AWS services.

cfn-lint measures plain text only. A name or policy with `Fn::Sub` becomes longer at deployment, by a suffix, an account
or a Region, and the service rejects it then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from imgpipe_templates.errors import RenderError
from imgpipe_templates.limits import (
    MAX_BUCKET_NAME_CHARACTERS,
    MAX_DESCRIPTION_BYTES,
    MAX_EVENT_PATTERN_CHARACTERS,
    MAX_PARAMETER_VALUE_BYTES,
)

# The longest of cfn-lint 1.58.0's Regions and of their partitions; account ids have 12 digits.
_PSEUDO = {
    "AWS::AccountId": 12,
    "AWS::NoValue": 0,
    "AWS::Partition": len("aws-us-gov"),
    "AWS::Region": len("us-isof-south-1"),
    "AWS::StackId": 256,
    "AWS::StackName": 128,  # "CreateStack", StackName, AWS CloudFormation API Reference, read 2026-12
    "AWS::URLSuffix": len("cloud.adc-e.uk"),
}
# The longest text before the name in an ARN of these templates.
_ARN_PREFIX = len("arn:aws-us-gov:elasticloadbalancing:us-isof-south-1:123456789012:function:")
# A parameter without MaxLength is an ARN or id from another stack.
_UNBOUNDED = 200
# A name that CloudFormation generates is at most as long as an IAM role's (IAM User Guide, "IAM and AWS STS quotas").
_GENERATED = 64
_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")


class Limit(NamedTuple):
    """The maximum length of one property.

    Attributes:
        property: Name of the property; a dotted path for a nested property.
        characters: The maximum that the service accepts.
        is_name: True for the physical name of the resource.
    """

    property: str
    characters: int
    is_name: bool = False


# Registry schemas of cfn-lint 1.58.0 (maxLength, pattern), and where these say nothing: "CreateApi" (API Gateway V2 API
# Reference), "Dashboard names" (PutDashboard, CloudWatch API Reference), "IAM and AWS STS quotas" (IAM User Guide; an
# attached or inline policy without white space), "Lambda quotas" (Lambda Developer Guide; all variables), "Amazon
# EventBridge quotas" (EventBridge User Guide), "Amazon SQS policy quotas" (SQS Developer Guide), "Amazon S3 bucket
# policy" (S3 User Guide), "Key policy document size" (KMS Developer Guide), "Budget" (Cost Management API Reference);
# read 2026-12.
LIMITS: Mapping[str, tuple[Limit, ...]] = {
    "AWS::ApiGatewayV2::Api": (Limit("Name", 128), Limit("Description", 1_024)),
    "AWS::ApiGatewayV2::Authorizer": (Limit("Name", 128),),
    "AWS::Backup::BackupPlan": (Limit("BackupPlan.BackupPlanName", 50),),
    "AWS::Backup::BackupSelection": (Limit("BackupSelection.SelectionName", 50),),
    "AWS::Backup::BackupVault": (Limit("BackupVaultName", 50, is_name=True),),
    "AWS::Budgets::Budget": (Limit("Budget.BudgetName", 100),),
    "AWS::CloudWatch::Alarm": (Limit("AlarmName", 255, is_name=True), Limit("AlarmDescription", 1_024)),
    "AWS::CloudWatch::Dashboard": (Limit("DashboardName", 255, is_name=True),),
    "AWS::DynamoDB::Table": (Limit("TableName", 255, is_name=True),),
    "AWS::EC2::SecurityGroup": (Limit("GroupDescription", 255), Limit("GroupName", 255)),
    "AWS::Events::Rule": (
        Limit("Name", 64, is_name=True),
        Limit("Description", 512),
        Limit("EventPattern", MAX_EVENT_PATTERN_CHARACTERS),
    ),
    "AWS::IAM::ManagedPolicy": (Limit("Description", 1_000), Limit("PolicyDocument", 6_144)),
    "AWS::IAM::Policy": (Limit("PolicyName", 128), Limit("PolicyDocument", 10_240)),
    "AWS::IAM::Role": (
        Limit("Description", 1_000),
        Limit("Policies", 10_240),
        Limit("AssumeRolePolicyDocument", 2_048),
    ),
    "AWS::KMS::Alias": (Limit("AliasName", 256),),
    "AWS::KMS::Key": (Limit("Description", 8_192), Limit("KeyPolicy", 32_768)),
    "AWS::Lambda::Function": (
        Limit("FunctionName", 64, is_name=True),
        Limit("Description", 256),
        Limit("Environment.Variables", 4_096),
    ),
    "AWS::Lambda::LayerVersion": (Limit("Description", 256),),
    "AWS::Lambda::Permission": (Limit("SourceArn", 1_024),),
    "AWS::Lambda::Version": (Limit("Description", 256),),
    "AWS::Logs::LogGroup": (Limit("LogGroupName", 512, is_name=True),),
    "AWS::S3::Bucket": (
        Limit("BucketName", MAX_BUCKET_NAME_CHARACTERS, is_name=True),
        Limit("LoggingConfiguration.LogFilePrefix", 800),
    ),
    "AWS::S3::BucketPolicy": (Limit("PolicyDocument", 20_480),),
    "AWS::SNS::Topic": (Limit("TopicName", 256, is_name=True),),
    "AWS::SNS::TopicPolicy": (Limit("PolicyDocument", 30_720),),
    "AWS::SQS::Queue": (Limit("QueueName", 80, is_name=True),),
    "AWS::SQS::QueuePolicy": (Limit("PolicyDocument", 8_192),),
}
MAX_EXPORT_NAME = 255  # "Outputs", AWS CloudFormation Template Reference, read 2026-12
MAX_PARAMETER_DESCRIPTION = 4_000  # "Parameters", the same guide


def check_lengths(stacks: Mapping[str, Mapping[str, Any]]) -> None:
    """Compare the maximum length of every text with its limit.

    Raises:
        RenderError: Texts are too long; the message lists each with stack, resource and property.
    """
    errors = [f"{name}: {error}" for name, template in stacks.items() for error in _errors(template)]
    if errors:
        raise RenderError("\n".join(errors))


def _errors(template: Mapping[str, Any]) -> Iterator[str]:
    measured = _Measure(template)
    texts = [("Description", len(template["Description"].encode()), MAX_DESCRIPTION_BYTES)]
    for title, resource in template["Resources"].items():
        texts += [
            (f"{title}: {limit.property}", measured.longest(value), limit.characters)
            for limit in LIMITS.get(resource["Type"], ())
            if (value := _at(resource.get("Properties", {}), limit.property)) is not None
        ]
    for title, output in template.get("Outputs", {}).items():
        if "Export" in output:
            texts.append((f"{title}: Export", measured.longest(output["Export"]["Name"]), MAX_EXPORT_NAME))
    for title, parameter in template.get("Parameters", {}).items():
        texts.append((f"{title}: Default", len(str(parameter.get("Default", "")).encode()), MAX_PARAMETER_VALUE_BYTES))
        texts.append((f"{title}: Description", len(parameter.get("Description", "")), MAX_PARAMETER_DESCRIPTION))
    for path, length, limit in texts:
        if length > limit:
            yield f"{path}: has up to {length:,} characters at deployment; expected at most {limit:,}"


def _at(properties: Mapping[str, Any], path: str) -> Any:
    value: Any = properties
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


class _Measure:
    """The maximum lengths of the values of one template."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        self.parameters = template.get("Parameters", {})
        self.resources = template["Resources"]
        self.references: dict[str, int] = {}

    def longest(self, value: Any) -> int:
        """Return the maximum number of characters of a value; a list or mapping counts as JSON without white space."""
        if isinstance(value, str):
            return len(value)
        if isinstance(value, dict):
            if _is_function(value):
                ((name, argument),) = value.items()
                return self._function(name, argument)
            return 1 + sum(len(key) + 4 + self._inside(entry) for key, entry in value.items())
        if isinstance(value, list):
            return 1 + sum(1 + self._inside(entry) for entry in value)
        return len(str(value))

    def _inside(self, value: Any) -> int:
        """Return the same for an item of a list or mapping, where text has quotes and escapes."""
        if isinstance(value, str):
            return len(value) + 2 + value.count('"') + value.count("\\") + value.count("\n")
        return self.longest(value) + (2 if isinstance(value, dict) and _is_function(value) else 0)

    def _function(self, name: str, argument: Any) -> int:
        match name:
            case "Ref":
                return self._reference(argument)
            case "Fn::GetAtt":
                return self._attribute(*argument)
            case "Fn::Sub":
                return self._substituted(*([argument, {}] if isinstance(argument, str) else argument))
            case "Fn::Join":
                separator, parts = argument
                return sum(map(self.longest, parts)) + len(separator) * max(0, len(parts) - 1)
            case "Fn::If":
                return max(map(self.longest, argument[1:]))
        return _UNBOUNDED

    def _substituted(self, text: str, variables: Mapping[str, Any]) -> int:
        length = len(_VARIABLE.sub("", text))
        for name in _VARIABLE.findall(text):
            title, _, attribute = name.partition(".")
            if name in variables:
                length += self.longest(variables[name])
            else:
                length += self._attribute(title, attribute) if attribute else self._reference(title)
        return length

    def _reference(self, title: str) -> int:
        if title in _PSEUDO:
            return _PSEUDO[title]
        if title not in self.references:
            parameter = self.parameters.get(title)
            self.references[title] = self._name(title) if parameter is None else _longest_parameter(parameter)
        return self.references[title]

    def _attribute(self, title: str, attribute: str) -> int:
        return self._reference(title) + (_ARN_PREFIX if attribute.endswith("Arn") else 0)

    def _name(self, title: str) -> int:
        resource = self.resources.get(title, {})
        names = [limit.property for limit in LIMITS.get(resource.get("Type", ""), ()) if limit.is_name]
        given = [value for name in names if (value := _at(resource.get("Properties", {}), name)) is not None]
        return self.longest(given[0]) if given else _GENERATED


def _is_function(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and ("Ref" in value or next(iter(value)).startswith("Fn::"))


def _longest_parameter(parameter: Mapping[str, Any]) -> int:
    if "AllowedValues" in parameter:
        return max(len(str(value)) for value in parameter["AllowedValues"])
    if parameter.get("Type") == "Number":
        return len(str(parameter.get("MaxValue", "")))
    return int(parameter.get("MaxLength", _UNBOUNDED))
