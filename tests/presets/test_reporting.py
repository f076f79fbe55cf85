"""The preset `reporting` on the engine: metadata only, and reports of what failed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.engine import until
from tests.presets.lifecycle import Lifecycle
from tests.presets.pipelines import USER, Pipeline


def listen(pipeline: Pipeline, name: str) -> str:
    """A queue that hears what the operators hear; its URL."""
    sqs, topic = pipeline.client("sqs"), pipeline.id_of("ProcessingNotificationTopic")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    statement = allow | {"Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    pipeline.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def heard(pipeline: Pipeline, url: str) -> dict[str, Any]:
    """The next message."""
    sqs = pipeline.client("sqs")
    message = until(lambda: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages"))[0]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    body: dict[str, Any] = json.loads(message["Body"])
    return body


class TestReporting(Lifecycle):
    preset = "reporting"
    added = ("StatusIndex", (), ('metadata.indexes=["upload-timestamp", "status"]',))
    kept = {"SourceBucket", "ImageMetadataTable"}  # noqa: RUF012 - a test's expectation
    thumbnails = False

    @pytest.mark.line("001-23", "004-21")
    def test_a_failure_is_reported_and_a_success_is_not(self, pipeline: Pipeline):
        queue = listen(pipeline, "reports")

        pipeline.process("fine.jpg")
        item = pipeline.process("broken-report.jpg", b"no image")

        envelope = heard(pipeline, queue)
        report = json.loads(envelope["Message"])
        assert envelope["Subject"] == "Image Processing Report"
        assert (report["processed"], report["failed"], report["environment_suffix"]) == (0, 1, "life-r")
        (failure,) = report["failures"]
        assert failure["key"] == f"{USER}/broken-report.jpg"
        assert (failure["category"], failure["image_id"]) == (item["ErrorCategory"], item["ImageId"])

    @pytest.mark.line("001-23")
    def test_every_upload_is_reported_where_that_is_wanted(self, pipeline: Pipeline):
        pipeline.deploy("notifications.reports=always")
        queue = listen(pipeline, "all-reports")

        pipeline.process("reported.jpg")

        assert json.loads(heard(pipeline, queue)["Message"])["processed"] == 1
        pipeline.deploy()

    @pytest.mark.line("001-17")
    def test_the_helper_leaves_entries_of_others_alone(self, pipeline: Pipeline):
        s3, bucket = pipeline.clients.s3, pipeline.id_of("SourceBucket")
        sns = pipeline.client("sns")
        topic = sns.create_topic(Name="of-others")["TopicArn"]
        allow = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sns:Publish"}
        policy = {"Version": "2012-10-17", "Statement": [allow | {"Resource": topic}]}
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy))
        present = s3.get_bucket_notification_configuration(Bucket=bucket)
        ours = present["LambdaFunctionConfigurations"]
        theirs = [{"Id": "theirs", "TopicArn": topic, "Events": ["s3:ObjectRemoved:*"]}]
        both = {"LambdaFunctionConfigurations": ours, "TopicConfigurations": theirs}
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=both)

        pipeline.deploy('uploads.extensions=["jpg"]')

        now = s3.get_bucket_notification_configuration(Bucket=bucket)
        assert [one["Id"] for one in now["TopicConfigurations"]] == ["theirs"]
        assert len(now["LambdaFunctionConfigurations"]) == 2
        pipeline.deploy()
        assert len(s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"]) == len(ours)
