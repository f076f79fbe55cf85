from __future__ import annotations

import copy

import pytest

from imgpipe_templates.checks.template_validation import check_stacks

TOPIC = {"Type": "AWS::SNS::Topic"}
QUEUE = {"Type": "AWS::SQS::Queue"}


def export(name):
    return {"Name": {"Fn::Sub": f"images-${{EnvironmentSuffix}}-{name}"}}


def imported(name):
    return {"Fn::ImportValue": {"Fn::Sub": f"images-${{EnvironmentSuffix}}-{name}"}}


@pytest.fixture
def exports():
    """Two stacks: the alarm of one imports the topic that the other exports."""
    return copy.deepcopy(
        {
            "notifications": {
                "Resources": {"Topic": TOPIC},
                "Outputs": {"TopicArn": {"Value": {"Ref": "Topic"}, "Export": export("TopicArn")}},
            },
            "monitoring": {
                "Resources": {
                    "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmActions": [imported("TopicArn")]}}
                },
                "Outputs": {"Url": {"Description": "Where to look", "Value": "x", "Export": export("Url")}},
            },
        }
    )


@pytest.fixture
def nested():
    """The same stacks, nested, with a root that passes the topic."""
    return copy.deepcopy(
        {
            "notifications": {"Resources": {"Topic": TOPIC}, "Outputs": {"TopicArn": {"Value": {"Ref": "Topic"}}}},
            "monitoring": {
                "Parameters": {"TopicArn": {"Type": "String"}, "Period": {"Type": "Number", "Default": 300}},
                "Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm"}},
            },
            "root": {
                "Resources": {
                    "NotificationsStack": {
                        "Type": "AWS::CloudFormation::Stack",
                        "Properties": {"TemplateURL": "notifications.template.json"},
                    },
                    "MonitoringStack": {
                        "Type": "AWS::CloudFormation::Stack",
                        "Properties": {
                            "TemplateURL": "monitoring.template.json",
                            "Parameters": {"TopicArn": {"Fn::GetAtt": ["NotificationsStack", "Outputs.TopicArn"]}},
                        },
                    },
                }
            },
        }
    )


READS = {"monitoring": {"notifications"}, "notifications": set()}


def found(stacks, reads_from=READS):
    return [
        (finding.rule, finding.template, ".".join(str(part) for part in finding.path))
        for finding in check_stacks(stacks, reads_from)
    ]


def test_complete_references_have_no_violations(exports, nested):
    assert found(exports) == []
    assert found(nested) == []


def test_import_without_export_is_found(exports):
    exports["notifications"]["Outputs"]["TopicArn"]["Export"] = export("TopicName")

    assert found(exports) == [
        ("E9571", "monitoring", "Resources.Alarm.Properties.AlarmActions.0"),
        ("E9572", "notifications", "Outputs.TopicArn"),
    ]


def test_missing_output_of_nested_stack_is_found(nested):
    del nested["notifications"]["Outputs"]

    assert found(nested) == [("E9571", "root", "Resources.MonitoringStack.Properties.Parameters.TopicArn")]


def test_parameters_of_nested_stack_must_match_its_declaration(nested):
    parameters = nested["root"]["Resources"]["MonitoringStack"]["Properties"]["Parameters"]
    parameters["Colour"] = parameters.pop("TopicArn")

    assert found(nested) == [
        ("E9571", "root", "Resources.MonitoringStack.Properties.Parameters.Colour"),
        ("E9571", "root", "Resources.MonitoringStack.Properties.Parameters"),
    ]


def test_unused_output_is_found_unless_it_has_a_description(exports):
    del exports["monitoring"]["Resources"]["Alarm"]["Properties"]

    assert found(exports) == [("E9572", "notifications", "Outputs.TopicArn")]

    exports["notifications"]["Outputs"]["TopicArn"]["Description"] = "Where alarms go"
    assert found(exports) == []


def test_cycle_message_contains_its_path_and_outputs(exports):
    exports["monitoring"]["Outputs"]["AlarmArn"] = {"Value": "x", "Export": export("AlarmArn")}
    exports["notifications"]["Resources"]["Topic"]["Properties"] = {"DisplayName": imported("AlarmArn")}

    (finding,) = check_stacks(exports, {})

    assert (finding.rule, finding.template, finding.path) == ("E9573", "notifications", ())
    assert finding.message.startswith(
        "the stacks depend on each other: notifications reads from monitoring (AlarmArn), "
        "monitoring reads from notifications (TopicArn); "
    )


def test_cycle_of_nested_stacks_is_found_in_the_parameters_of_the_root(nested):
    nested["monitoring"]["Outputs"] = {"AlarmArn": {"Value": "x"}}
    nested["notifications"]["Parameters"] = {"AlarmArn": {"Type": "String"}}
    nested["root"]["Resources"]["NotificationsStack"]["Properties"]["Parameters"] = {
        "AlarmArn": {"Fn::GetAtt": "MonitoringStack.Outputs.AlarmArn"}
    }

    (finding,) = check_stacks(nested, {})

    assert finding.rule == "E9573"
    assert "monitoring reads from notifications (TopicArn)" in finding.message


def test_cycle_of_recorded_reads_is_found_without_import():
    stacks = {name: {"Resources": {}} for name in ("a", "b", "c")}

    (finding,) = check_stacks(stacks, {"a": {"b"}, "b": {"c"}, "c": {"a", "c"}})

    assert "a reads from b, b reads from c, c reads from a;" in finding.message


def test_logical_id_in_two_stacks_is_found(exports):
    exports["monitoring"]["Resources"]["Topic"] = QUEUE

    assert found(exports) == [("E9574", "monitoring", "Resources.Topic")]


def test_export_name_in_two_stacks_is_found(exports):
    exports["monitoring"]["Outputs"]["Url"]["Export"] = export("TopicArn")

    assert found(exports) == [("E9574", "monitoring", "Outputs.Url.Export")]


def test_findings_contain_remedy_and_source(exports):
    exports["notifications"]["Outputs"]["TopicArn"]["Export"] = export("TopicName")

    for finding in check_stacks(exports, {"notifications": {"monitoring"}, "monitoring": {"notifications"}}):
        assert ";" in finding.message
        assert finding.severity == "error"
        assert finding.source.startswith("https://docs.aws.amazon.com/")
