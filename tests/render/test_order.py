"""Keys are in reading order, and no key or value is lost."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from imgpipe_templates.render.order import ordered


def keys(mapping):
    return list(mapping)


def test_sections_are_ordered_from_description_to_outputs():
    shuffled = ["Outputs", "Custom", "Resources", "Conditions", "Parameters", "Transform", "Mappings", "Metadata"]
    template = {name: {} for name in [*shuffled, "Rules", "Description", "AWSTemplateFormatVersion"]}

    assert keys(ordered(template)) == [
        *("AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions"),
        *("Transform", "Resources", "Outputs", "Custom"),
    ]


def test_resources_keep_the_order_in_which_they_were_added():
    template = {"Resources": {"Zebra": {"Type": "A::B::C"}, "Ape": {"Type": "A::B::C"}}}

    assert keys(ordered(template)["Resources"]) == ["Zebra", "Ape"]


def test_type_of_a_resource_comes_before_its_properties():
    shuffled = ["Properties", "Metadata", "UpdateReplacePolicy", "DeletionPolicy", "DependsOn", "Condition", "Type"]
    resource = {key: {} for key in shuffled}

    assert keys(ordered({"Resources": {"R": resource}})["Resources"]["R"]) == [
        *("Type", "Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata", "Properties"),
    ]


def test_parameters_are_in_the_order_of_their_groups():
    template = {
        "Parameters": {name: {"Default": "", "Type": "String"} for name in ["Loose", "Size", "Suffix", "Environment"]},
        "Metadata": {
            "AWS::CloudFormation::Interface": {
                "ParameterLabels": {},
                "ParameterGroups": [
                    {"Parameters": ["Environment", "Suffix"], "Label": {"default": "Where"}},
                    {"Parameters": ["Size"]},
                ],
            }
        },
    }

    result = ordered(template)

    assert keys(result["Parameters"]) == ["Environment", "Suffix", "Size", "Loose"]
    assert keys(result["Parameters"]["Size"]) == ["Type", "Default"]
    interface = result["Metadata"]["AWS::CloudFormation::Interface"]
    assert keys(interface) == ["ParameterGroups", "ParameterLabels"]
    assert keys(interface["ParameterGroups"][0]) == ["Label", "Parameters"]


def test_name_is_first_and_tags_are_last_in_every_property():
    properties = {
        "Tags": [{"Value": "v", "Key": "k"}],
        "GlobalSecondaryIndexes": [{"KeySchema": [], "IndexName": "i"}],
        "BillingMode": "PAY_PER_REQUEST",
        "TableName": "t",
    }

    result = ordered({"Resources": {"R": {"Properties": properties}}})["Resources"]["R"]["Properties"]

    assert keys(result) == ["TableName", "GlobalSecondaryIndexes", "BillingMode", "Tags"]
    assert keys(result["Tags"][0]) == ["Key", "Value"]
    assert keys(result["GlobalSecondaryIndexes"][0]) == ["IndexName", "KeySchema"]


def test_metric_of_an_alarm_comes_before_its_actions():
    alarm = {"AlarmActions": [], "Threshold": 5, "MetricName": "Errors", "Namespace": "AWS/Lambda", "AlarmName": "a"}

    result = ordered({"Resources": {"R": {"Properties": alarm}}})["Resources"]["R"]["Properties"]

    assert keys(result) == ["AlarmName", "Namespace", "MetricName", "Threshold", "AlarmActions"]


def test_statement_keys_are_ordered_from_sid_to_condition():
    statement = {"Resource": "*", "Condition": {}, "Action": "s3:*", "Principal": "*", "Effect": "Deny", "Sid": "Tls"}
    document = {"Statement": [statement], "Version": "2012-10-17"}

    result = ordered({"Resources": {"R": {"Properties": {"PolicyDocument": document}}}})

    document = result["Resources"]["R"]["Properties"]["PolicyDocument"]
    assert keys(document) == ["Version", "Statement"]
    assert keys(document["Statement"][0]) == ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"]


names = st.sampled_from(
    ["Type", "Properties", "Tags", "ResourceTags", "Name", "Id", "Effect", "Sid", "Action", "Description", "Ref", "X"]
)
values = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6),
    max_leaves=20,
)
entries = st.dictionaries(names, st.dictionaries(names, values, max_size=4), max_size=4)
resources = st.dictionaries(names, st.fixed_dictionaries({"Properties": values}, optional={"Type": values}), max_size=3)


@settings(max_examples=150, deadline=None)
@given(st.fixed_dictionaries({}, optional={"Parameters": entries, "Resources": resources, "Outputs": entries}))
def test_ordering_changes_no_value_and_is_stable(template):
    before = json.dumps(template)

    result = ordered(template)

    assert result == template
    assert json.dumps(template) == before
    assert json.dumps(ordered(result)) == json.dumps(result)
