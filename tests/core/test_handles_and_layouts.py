"""Handles read at home and from afar, and the assembly that turns them to face their reader."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from troposphere import Ref, s3, sns, sqs

from imgpipe_templates.core.handles import Bucket, Queue, Topic, seen_from
from imgpipe_templates.core.layouts import Assembly, ExportedStacks, NestedStacks, SingleStack
from imgpipe_templates.core.stack import Scope, Stack
from imgpipe_templates.errors import TemplateConflictError
from imgpipe_templates.names import names
from tests.templates import scope_of

EXPORTED = ExportedStacks("photos", {})


@dataclass(frozen=True)
class Offer:
    bucket: Bucket


def test_a_handle_at_home_is_a_plain_reference():
    bucket = Bucket.of(scope_of("storage"), s3.Bucket("ThumbnailBucket"))

    assert bucket.name.to_dict() == {"Ref": "ThumbnailBucket"}
    assert bucket.arn.to_dict() == {"Fn::GetAtt": ["ThumbnailBucket", "Arn"]}
    assert bucket.objects_arn("small/").to_dict() == {"Fn::Sub": "${ThumbnailBucket.Arn}/small/*"}


def test_a_handle_by_name_never_refers_to_its_resource():
    bucket = Bucket.by_name(scope_of("storage"), s3.Bucket("SourceBucket"))

    assert bucket.name.to_dict() == {"Ref": "SourceBucketName"}
    assert bucket.arn.to_dict() == {"Fn::Sub": "arn:${AWS::Partition}:s3:::${SourceBucketName}"}
    assert bucket.objects_arn("in/").to_dict() == {"Fn::Sub": "arn:${AWS::Partition}:s3:::${SourceBucketName}/in/*"}


def test_reading_from_afar_makes_the_offer_and_the_deploy_order():
    home = Scope(Stack("storage", EXPORTED), "storage", names("parameter"))
    bucket = Bucket.of(home, s3.Bucket("ThumbnailBucket"))
    viewer = Stack("processing", EXPORTED)

    far = seen_from(viewer, Offer(bucket)).bucket

    assert home.stack.template.outputs == {}
    assert far.arn.to_dict() == {"Fn::ImportValue": {"Fn::Sub": "photos-${EnvironmentSuffix}-ThumbnailBucketArn"}}
    assert far.objects_arn().to_dict()["Fn::Sub"][0] == "${BucketArn}/*"
    assert viewer.reads_from == {"storage"}
    assert list(home.stack.template.outputs) == ["ThumbnailBucketArn"]


def test_handles_are_turned_inside_tuples_and_mappings_too():
    bucket = Bucket.of(scope_of("storage"), s3.Bucket("ThumbnailBucket"))
    viewer = Stack("processing", EXPORTED)

    (in_tuple,) = seen_from(viewer, (bucket,))
    in_mapping = seen_from(viewer, {"bucket": bucket})["bucket"]

    assert in_tuple.viewer is in_mapping.viewer is viewer
    assert bucket.viewer is bucket.home


def test_queue_and_topic_handles():
    queue = Queue.of(scope_of("processing"), sqs.Queue("ProcessorDeadLetterQueue"))
    topic = Topic.of(scope_of("notifications"), sns.Topic("ProcessingNotificationTopic"))

    assert queue.name.to_dict() == {"Fn::GetAtt": ["ProcessorDeadLetterQueue", "QueueName"]}
    assert queue.arn.to_dict() == {"Fn::GetAtt": ["ProcessorDeadLetterQueue", "Arn"]}
    assert topic.arn.to_dict() == {"Ref": "ProcessingNotificationTopic"}


def test_two_resources_of_one_id_are_refused_with_both_places():
    scope = scope_of("storage")
    scope.add(s3.Bucket("ThumbnailBucket"))

    with pytest.raises(
        TemplateConflictError, match="storage: resource ThumbnailBucket already exists in stack storage"
    ):
        scope.add(s3.Bucket("ThumbnailBucket"))


def test_a_reference_in_a_nested_stack_is_a_parameter_that_the_root_fills():
    layout = NestedStacks({})
    home = Scope(Stack("storage", layout), "storage", names("parameter"))
    bucket = Bucket.of(home, s3.Bucket("ThumbnailBucket"))
    viewer = Stack("processing", layout)

    far = seen_from(viewer, bucket)

    assert far.arn.to_dict() == {"Ref": "ThumbnailBucketArn"}
    assert viewer.template.parameters["ThumbnailBucketArn"].to_dict()["Type"] == "String"
    assert layout.wired["processing"]["ThumbnailBucketArn"].to_dict() == {
        "Fn::GetAtt": ["StorageStack", "Outputs.ThumbnailBucketArn"]
    }


def test_the_single_stack_declares_common_parameters_once():
    assembly = Assembly(SingleStack(), names("parameter"), {"Owner": Ref("Environment")}, lambda scope: scope.add)

    first = assembly.build("storage", lambda scope: scope)
    second = assembly.build("metadata", lambda scope: scope)

    assert first.stack is second.stack
    assert first.subsystem != second.subsystem
