"""Metadata, notifications and monitoring."""

from __future__ import annotations

import pytest

from imgpipe_templates import load_preset
from imgpipe_templates.patterns import metrics
from imgpipe_templates.subsystems.metadata import MetadataConfig, add_metadata
from imgpipe_templates.subsystems.monitoring import MonitoredResources, MonitoringConfig, add_monitoring
from imgpipe_templates.subsystems.notifications import add_notifications
from tests.templates import rendered, resources


def test_table_is_restorable_for_as_long_as_the_configuration_says(scope):
    metadata = add_metadata(
        scope, MetadataConfig(point_in_time_recovery_days=7, index_shards=2), deletion_policy="retain", key=None
    )

    table = resources(scope)["ImageMetadataTable"]["Properties"]
    assert table["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"] == 7
    assert metadata.index_shards == 2


def test_only_key_attributes_are_declared(scope):
    """DynamoDB refuses a table that declares an attribute which no key uses."""
    add_metadata(scope, MetadataConfig(), deletion_policy="retain", key=None)

    table = resources(scope)["ImageMetadataTable"]["Properties"]
    keys = [*table["KeySchema"], *(key for index in table["GlobalSecondaryIndexes"] for key in index["KeySchema"])]
    declared = [definition["AttributeName"] for definition in table["AttributeDefinitions"]]
    assert sorted(declared) == sorted({key["AttributeName"] for key in keys})


def test_topic_lets_alarms_of_this_account_publish_and_refuses_plain_http(scope):
    add_notifications(scope)

    policy = resources(scope)["ProcessingNotificationTopicPolicy"]["Properties"]["PolicyDocument"]
    allow, deny = policy["Statement"]
    assert allow["Principal"] == {"Service": ["cloudwatch.amazonaws.com"]}
    assert allow["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_an_address_is_subscribed_only_if_one_is_given(scope):
    add_notifications(scope)

    template = scope.stack.to_dict("")
    subscription = template["Resources"]["ProcessingNotificationSubscription"]
    assert subscription["Condition"] == "HasNotificationEmail"
    assert template["Conditions"] == {
        "HasNotificationEmail": {"Fn::Not": [{"Fn::Equals": [{"Ref": "NotificationEmail"}, ""]}]}
    }
    assert template["Parameters"]["NotificationEmail"]["Default"] == ""


@pytest.fixture
def alarms(scope, upstream):
    config = MonitoringConfig(
        max_processing_errors_per_5_minutes=3,
        max_function_errors_per_5_minutes=2,
        max_throttles_per_5_minutes=1,
        max_duration_percent_of_timeout=75,
    )
    monitored = MonitoredResources(upstream.processor, 30, 2, upstream.dead_letters, upstream.images)
    add_monitoring(scope, config, monitored=monitored, operators=upstream.operators)
    return {title: alarm["Properties"] for title, alarm in resources(scope).items()}


def test_limits_of_the_configuration_reach_the_alarms(alarms):
    assert {title: alarm["Threshold"] for title, alarm in alarms.items()} == {
        "ProcessingErrorAlarm": 3,
        "LambdaErrorAlarm": 2,
        "LambdaDurationAlarm": 22_500,
        "LambdaThrottleAlarm": 1,
        "DeadLetterQueueAlarm": 0,
    }


def test_the_first_message_in_the_dead_letter_queue_starts_the_alarm(alarms):
    alarm = alarms["DeadLetterQueueAlarm"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"


def test_an_alarm_says_the_number_at_which_it_fires(alarms):
    assert alarms["ProcessingErrorAlarm"]["AlarmDescription"].startswith("4 or more images failed")
    assert alarms["LambdaThrottleAlarm"]["AlarmDescription"].startswith("2 or more invocations")


def test_alarms_on_emitted_metrics_watch_the_one_dimension_set(alarms):
    own = [alarm for alarm in alarms.values() if alarm["Namespace"] == metrics.NAMESPACE]
    assert own
    for alarm in own:
        assert alarm["MetricName"] in metrics.UNITS
        assert tuple(dimension["Name"] for dimension in alarm["Dimensions"]) == metrics.DIMENSIONS


@pytest.mark.parametrize(("preset", "streamed"), [("thumbnails", True), ("media-library", False)])
def test_a_stream_is_there_for_others_and_says_so(preset, streamed):
    template = rendered(load_preset(preset))

    assert ("StreamSpecification" in template["Resources"]["ImageMetadataTable"]["Properties"]) == streamed
    output = template["Outputs"].get("ImageMetadataTableStreamArn", {})
    assert ("the pipeline reads none" in output.get("Description", "")) == streamed


def test_without_a_preset_there_is_no_stream():
    assert not MetadataConfig().stream


@pytest.mark.parametrize("preset", ["production", "thumbnails"])
def test_output_of_the_dead_letter_queue_says_who_sends_to_it(preset):
    description = rendered(load_preset(preset))["Outputs"]["ProcessorDeadLetterQueueArn"]["Description"]

    assert description.endswith("from each sender: Lambda, the upload queue or the EventBridge rule")
