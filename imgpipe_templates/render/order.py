"""The order of sections and keys in a template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Template = dict[str, Any]

# CloudFormation accepts sections in any order. This is the order of its guides, with metadata and parameters first.
SECTIONS = (
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Transform",
    "Resources",
    "Outputs",
)
_PARAMETER = ("Type", "Description", "Default", "AllowedValues", "AllowedPattern", "MinLength", "MaxLength", "MinValue")
_RESOURCE = (
    "Type",
    "Condition",
    "DependsOn",
    "CreationPolicy",
    "UpdatePolicy",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "Metadata",
    "Properties",
)
_OUTPUT = ("Description", "Condition", "Value", "Export")
_STATEMENT = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
_INTERFACE = ("ParameterGroups", "ParameterLabels")

# Names come first, then the keys that identify the kind; all other keys keep their order.
_NAMES = (
    "Id",
    "Name",
    "FunctionName",
    "LayerName",
    "BucketName",
    "TableName",
    "IndexName",
    "QueueName",
    "TopicName",
    "RoleName",
    "ManagedPolicyName",
    "PolicyName",
    "LogGroupName",
    "AlarmName",
    "DashboardName",
    "AliasName",
    "BackupVaultName",
    "AttributeName",
    "Bucket",
    "Label",
    "Version",
    "Key",
    "Description",
    "AlarmDescription",
    # an alarm: metric, then threshold
    "Namespace",
    "MetricName",
    "Dimensions",
    "Statistic",
    "ExtendedStatistic",
    "Period",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "ComparisonOperator",
    "Threshold",
    "TreatMissingData",
    # a function: code, role, then limits
    "Runtime",
    "Architectures",
    "Handler",
    "Code",
    "Role",
    "Timeout",
    "MemorySize",
    "Environment",
    # a table: keys and indexes
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
)
_NAME_RANK = {name: rank for rank, name in enumerate(_NAMES)}
_TAGS = ("Tags", "BackupVaultTags", "BackupPlanTags", "ResourceTags")


def ordered(template: Mapping[str, Any]) -> Template:
    """Return a copy of the template with its keys in reading order.

    Resources, conditions and outputs keep the order in which they were added, so a resource comes before its users.
    """
    result = _first(template, SECTIONS)
    if "Metadata" in result:
        result["Metadata"] = _metadata(result["Metadata"])
    if "Parameters" in result:
        grouped = _first(result["Parameters"], _grouped_parameters(template))
        result["Parameters"] = {name: _first(parameter, _PARAMETER) for name, parameter in grouped.items()}
    if "Resources" in result:
        result["Resources"] = {title: _resource(resource) for title, resource in result["Resources"].items()}
    if "Outputs" in result:
        result["Outputs"] = {title: _first(output, _OUTPUT) for title, output in result["Outputs"].items()}
    return result


def _first(mapping: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Return `mapping` with `keys` first, then all other keys in their order."""
    result = {key: mapping[key] for key in keys if key in mapping}
    result.update(mapping)
    return result


def _grouped_parameters(template: Mapping[str, Any]) -> list[str]:
    """Return the parameters in the order of the console, by group."""
    groups = template.get("Metadata", {}).get("AWS::CloudFormation::Interface", {}).get("ParameterGroups", [])
    return [name for group in groups for name in group.get("Parameters", [])]


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(metadata)
    interface = result.get("AWS::CloudFormation::Interface")
    if interface is not None:
        result["AWS::CloudFormation::Interface"] = _named_first(_first(interface, _INTERFACE))
    return result


def _resource(resource: Mapping[str, Any]) -> dict[str, Any]:
    result = _first(resource, _RESOURCE)
    if "Properties" in result:
        result["Properties"] = _named_first(result["Properties"])
    return result


def _named_first(value: Any) -> Any:
    """`value` with names first and tags last in every mapping, and policy statements in the order they are read."""
    if isinstance(value, dict):
        if len(value) > 1:
            if "Effect" in value:
                value = _first(value, _STATEMENT)
            else:
                names = _NAME_RANK.keys() & value.keys()
                if names:
                    value = _first(value, sorted(names, key=_NAME_RANK.__getitem__))
                for tags in _TAGS:
                    if tags in value:
                        value = {key: item for key, item in value.items() if key != tags} | {tags: value[tags]}
        return {key: _named_first(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_named_first(item) for item in value]
    return value
