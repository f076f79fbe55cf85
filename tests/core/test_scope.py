"""Names, tags, parameters and conditions that a scope adds to a stack."""

from __future__ import annotations

import pytest
from troposphere import Equals, Ref, Tags, apigatewayv2, backup, budgets, cloudwatch, iam, s3, sns

from imgpipe_templates.core.naming import Names, arn_text, substituted
from imgpipe_templates.core.parameters import ENVIRONMENT, PROCESSING, ParameterSpec
from imgpipe_templates.core.tags import apply_tags
from imgpipe_templates.errors import TemplateConflictError
from tests.templates import resources, scope_of

TAGS = {"Environment": Ref("Environment"), "iac-rlhf-amazon": "true"}
AS_LIST = [
    {"Key": "Environment", "Value": {"Ref": "Environment"}},
    {"Key": "iac-rlhf-amazon", "Value": "true"},
]
AS_MAP = {"Environment": {"Ref": "Environment"}, "iac-rlhf-amazon": "true"}


@pytest.mark.parametrize(
    ("resource", "key", "shape"),
    [
        (sns.Topic("T"), "Tags", AS_LIST),
        (
            cloudwatch.Alarm("A", ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, Statistic="Sum"),
            "Tags",
            AS_LIST,
        ),
        (apigatewayv2.Api("Api"), "Tags", AS_MAP),
        (backup.BackupVault("V", BackupVaultName="v"), "BackupVaultTags", AS_MAP),
        (
            budgets.Budget("B", Budget=budgets.BudgetData(BudgetType="COST", TimeUnit="MONTHLY")),
            "ResourceTags",
            AS_LIST,
        ),
    ],
)
def test_tags_have_the_form_of_the_resource_type(resource, key, shape):
    apply_tags(resource, TAGS)

    assert resource.to_dict()["Properties"][key] == shape


def test_existing_tag_of_the_resource_is_kept():
    topic = sns.Topic("T", Tags=Tags(Environment="own", Extra="1"))
    apply_tags(topic, TAGS)

    current = {tag["Key"]: tag["Value"] for tag in topic.to_dict()["Properties"]["Tags"]}
    assert current == {"Environment": "own", "Extra": "1", "iac-rlhf-amazon": "true"}


def test_resource_type_without_tags_does_not_change():
    policy = s3.BucketPolicy("P", Bucket="b", PolicyDocument={})
    apply_tags(policy, TAGS)

    assert set(policy.to_dict()["Properties"]) == {"Bucket", "PolicyDocument"}


def test_tags_of_one_resource_do_not_change_the_next():
    first, second = sns.Topic("First"), sns.Topic("Second")
    apply_tags(first, {**TAGS, "Own": "1"})
    apply_tags(second, TAGS)

    assert second.to_dict()["Properties"]["Tags"] == AS_LIST


def test_scope_names_only_types_with_a_name_property():
    scope = scope_of("processing")
    scope.add(sns.Topic("ProcessingNotificationTopic"))
    scope.add(iam.Role("ImageProcessorRole", AssumeRolePolicyDocument={}))

    added = resources(scope)
    name = added["ProcessingNotificationTopic"]["Properties"]["TopicName"]
    assert name == {"Fn::Sub": "ImageProcessing-${EnvironmentSuffix}"}
    assert "RoleName" not in added["ImageProcessorRole"]["Properties"]


def test_named_type_without_an_entry_in_the_policy_is_rejected():
    with pytest.raises(TemplateConflictError, match="OtherTopic: has no physical name"):
        scope_of("processing").add(sns.Topic("OtherTopic"))


def test_parameter_declared_twice_must_have_one_definition():
    scope = scope_of("processing")
    scope.parameter(ParameterSpec("Size", PROCESSING, "Size", {"Type": "Number", "Default": 1}))
    scope.parameter(ParameterSpec("Size", PROCESSING, "Size", {"Type": "Number", "Default": 1}))

    with pytest.raises(TemplateConflictError, match="parameter Size is declared twice with different definitions"):
        scope.parameter(ParameterSpec("Size", PROCESSING, "Size", {"Type": "Number", "Default": 2}))


def test_condition_declared_twice_is_rejected():
    scope = scope_of("notifications")
    scope.condition("HasEmail", Equals("a", "b"))

    with pytest.raises(TemplateConflictError, match="condition HasEmail is declared twice"):
        scope.condition("HasEmail", Equals("a", "c"))


def test_parameters_are_in_groups_ordered_by_rank():
    scope = scope_of("processing")
    scope.parameter(ParameterSpec("Size", PROCESSING, "Thumbnail size", {"Type": "Number"}))
    scope.parameter(ParameterSpec("Environment", ENVIRONMENT, "Environment", {"Type": "String"}))

    interface = scope.stack.interface.to_dict()["AWS::CloudFormation::Interface"]
    assert [group["Parameters"] for group in interface["ParameterGroups"]] == [["Environment"], ["Size"]]
    assert interface["ParameterLabels"]["Size"] == {"default": "Thumbnail size"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${SourceBucketName}", {"Ref": "SourceBucketName"}),
        ("${A}-${B}", {"Fn::Sub": "${A}-${B}"}),
        ("a-${B}", {"Fn::Sub": "a-${B}"}),
    ],
)
def test_substituted_name_has_its_shortest_form(text, expected):
    value = substituted(text)

    assert (value if isinstance(value, str) else value.to_dict()) == expected


def test_arn_text_has_pseudo_parameters_for_partition_region_and_account():
    arn = arn_text("lambda", f"function:{Names({'F': 'f-${Suffix}'}).text('F')}")

    assert arn == "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:f-${Suffix}"
