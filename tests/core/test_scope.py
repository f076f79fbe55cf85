"""What happens to a resource on its way into a template."""

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
def test_tags_take_the_shape_of_the_type(resource, key, shape):
    apply_tags(resource, TAGS)

    assert resource.to_dict()["Properties"][key] == shape


def test_a_tag_of_the_resource_itself_wins():
    topic = sns.Topic("T", Tags=Tags(Environment="own", Extra="1"))
    apply_tags(topic, TAGS)

    carried = {tag["Key"]: tag["Value"] for tag in topic.to_dict()["Properties"]["Tags"]}
    assert carried == {"Environment": "own", "Extra": "1", "iac-rlhf-amazon": "true"}


def test_a_type_without_tags_is_left_alone():
    policy = s3.BucketPolicy("P", Bucket="b", PolicyDocument={})
    apply_tags(policy, TAGS)

    assert set(policy.to_dict()["Properties"]) == {"Bucket", "PolicyDocument"}


def test_tags_of_one_resource_do_not_leak_into_the_next():
    first, second = sns.Topic("First"), sns.Topic("Second")
    apply_tags(first, {**TAGS, "Own": "1"})
    apply_tags(second, TAGS)

    assert second.to_dict()["Properties"]["Tags"] == AS_LIST


def test_scope_names_what_has_a_name_and_nothing_else():
    scope = scope_of("processing")
    scope.add(sns.Topic("ProcessingNotificationTopic"))
    scope.add(iam.Role("ImageProcessorRole", AssumeRolePolicyDocument={}))

    added = resources(scope)
    name = added["ProcessingNotificationTopic"]["Properties"]["TopicName"]
    assert name == {"Fn::Sub": "ImageProcessing-${EnvironmentSuffix}"}
    assert "RoleName" not in added["ImageProcessorRole"]["Properties"]


def test_a_named_type_without_an_entry_in_the_policy_is_refused():
    with pytest.raises(TemplateConflictError, match="OtherTopic: has no physical name"):
        scope_of("processing").add(sns.Topic("OtherTopic"))


def test_a_parameter_may_be_declared_twice_but_not_differently():
    scope = scope_of("processing")
    scope.parameter(ParameterSpec("Size", PROCESSING, "Size", {"Type": "Number", "Default": 1}))
    scope.parameter(ParameterSpec("Size", PROCESSING, "Size", {"Type": "Number", "Default": 1}))

    with pytest.raises(TemplateConflictError, match="parameter Size is declared twice with different definitions"):
        scope.parameter(ParameterSpec("Size", PROCESSING, "Size", {"Type": "Number", "Default": 2}))


def test_a_condition_is_declared_once():
    scope = scope_of("notifications")
    scope.condition("HasEmail", Equals("a", "b"))

    with pytest.raises(TemplateConflictError, match="condition HasEmail is declared twice"):
        scope.condition("HasEmail", Equals("a", "c"))


def test_parameters_stand_in_their_groups_by_rank():
    scope = scope_of("processing")
    scope.parameter(ParameterSpec("Size", PROCESSING, "Thumbnail size", {"Type": "Number"}))
    scope.parameter(ParameterSpec("Environment", ENVIRONMENT, "Environment", {"Type": "String"}))

    interface = scope.stack.interface.to_dict()["AWS::CloudFormation::Interface"]
    assert [group["Parameters"] for group in interface["ParameterGroups"]] == [["Environment"], ["Size"]]
    assert interface["ParameterLabels"]["Size"] == {"default": "Thumbnail size"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain", "plain"),
        ("${SourceBucketName}", {"Ref": "SourceBucketName"}),
        ("${A}-${B}", {"Fn::Sub": "${A}-${B}"}),
        ("a-${B}", {"Fn::Sub": "a-${B}"}),
    ],
)
def test_a_name_is_said_in_the_shortest_way(text, said):
    value = substituted(text)

    assert (value if isinstance(value, str) else value.to_dict()) == said


def test_an_arn_names_no_partition_region_or_account():
    arn = arn_text("lambda", f"function:{Names({'F': 'f-${Suffix}'}).text('F')}")

    assert arn == "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:f-${Suffix}"
