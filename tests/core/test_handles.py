"""Handles read in their home stack and in other stacks."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from troposphere import Ref, dynamodb, s3, sns, sqs

from imgpipe_templates.core.handles import Bucket, Queue, Table, Topic, handles_for
from imgpipe_templates.core.layouts import Assembly, ExportedStacks, NestedStacks, SingleStack
from imgpipe_templates.core.naming import Names
from imgpipe_templates.core.stack import Scope, Stack
from imgpipe_templates.errors import TemplateConflictError
from imgpipe_templates.names import names
from tests.templates import scope_of

EXPORTED = ExportedStacks("photos", {})


@dataclass(frozen=True)
class Result:
    bucket: Bucket


def test_handle_in_home_stack_is_a_plain_reference():
    bucket = Bucket.of(scope_of("storage"), s3.Bucket("ThumbnailBucket"))

    assert bucket.name.to_dict() == {"Ref": "ThumbnailBucket"}
    assert bucket.arn.to_dict() == {"Fn::GetAtt": ["ThumbnailBucket", "Arn"]}
    assert bucket.objects_arn("small/").to_dict() == {"Fn::Sub": "${ThumbnailBucket.Arn}/small/*"}


def test_handle_by_name_never_refers_to_its_resource():
    bucket = Bucket.by_name(scope_of("storage"), s3.Bucket("SourceBucket"))

    assert bucket.name.to_dict() == {"Ref": "SourceBucketName"}
    assert bucket.arn.to_dict() == {"Fn::Sub": "arn:${AWS::Partition}:s3:::${SourceBucketName}"}
    assert bucket.objects_arn("in/").to_dict() == {"Fn::Sub": "arn:${AWS::Partition}:s3:::${SourceBucketName}/in/*"}


def test_reading_from_another_stack_adds_the_output_and_the_deploy_order():
    home = Scope(Stack("storage", EXPORTED), "storage", names("parameter"))
    bucket = Bucket.of(home, s3.Bucket("ThumbnailBucket"))
    reader = Stack("processing", EXPORTED)

    read = handles_for(reader, Result(bucket)).bucket

    assert home.stack.template.outputs == {}
    assert read.arn.to_dict() == {"Fn::ImportValue": {"Fn::Sub": "photos-${EnvironmentSuffix}-ThumbnailBucketArn"}}
    assert read.objects_arn().to_dict()["Fn::Sub"][0] == "${BucketArn}/*"
    assert reader.reads_from == {"storage"}
    assert list(home.stack.template.outputs) == ["ThumbnailBucketArn"]


@pytest.mark.parametrize(
    ("layout", "table_arn"),
    [
        (EXPORTED, {"Fn::ImportValue": {"Fn::Sub": "photos-${EnvironmentSuffix}-ImagesArn"}}),
        (NestedStacks({}), {"Ref": "ImagesArn"}),
    ],
    ids=["exports", "nested"],
)
def test_arn_of_a_sub_resource_contains_the_linked_arn(layout, table_arn):
    table = Table.of(
        Scope(Stack("metadata", layout), "metadata", Names({}, others=True)),
        dynamodb.Table("Images", KeySchema=[], AttributeDefinitions=[]),
    )
    home = table.below("/index/ByUser").to_dict()
    read = handles_for(Stack("retrieval", layout), table)

    assert home == table.index_arn("ByUser").to_dict() == {"Fn::Sub": "${Images.Arn}/index/ByUser"}
    assert read.below("/index/ByUser").to_dict() == {"Fn::Sub": ["${TableArn}/index/ByUser", {"TableArn": table_arn}]}


def test_reader_is_set_on_handles_inside_tuples_and_mappings():
    bucket = Bucket.of(scope_of("storage"), s3.Bucket("ThumbnailBucket"))
    reader = Stack("processing", EXPORTED)

    (in_tuple,) = handles_for(reader, (bucket,))
    in_mapping = handles_for(reader, {"bucket": bucket})["bucket"]

    assert in_tuple.reader is in_mapping.reader is reader
    assert bucket.reader is bucket.home


def test_queue_and_topic_values_are_references_of_the_right_kind():
    queue = Queue.of(scope_of("processing"), sqs.Queue("ProcessorDeadLetterQueue"))
    topic = Topic.of(scope_of("notifications"), sns.Topic("ProcessingNotificationTopic"))

    assert queue.name.to_dict() == {"Fn::GetAtt": ["ProcessorDeadLetterQueue", "QueueName"]}
    assert queue.arn.to_dict() == {"Fn::GetAtt": ["ProcessorDeadLetterQueue", "Arn"]}
    assert topic.arn.to_dict() == {"Ref": "ProcessingNotificationTopic"}


def test_second_resource_with_the_same_logical_id_is_rejected():
    scope = scope_of("storage")
    scope.add(s3.Bucket("ThumbnailBucket"))

    with pytest.raises(
        TemplateConflictError, match="storage: resource ThumbnailBucket already exists in stack storage"
    ):
        scope.add(s3.Bucket("ThumbnailBucket"))


def test_reference_in_nested_stack_is_a_parameter_set_by_the_root():
    layout = NestedStacks({})
    home = Scope(Stack("storage", layout), "storage", names("parameter"))
    bucket = Bucket.of(home, s3.Bucket("ThumbnailBucket"))
    reader = Stack("processing", layout)

    read = handles_for(reader, bucket)

    assert read.arn.to_dict() == {"Ref": "ThumbnailBucketArn"}
    assert reader.template.parameters["ThumbnailBucketArn"].to_dict()["Type"] == "String"
    assert layout.links["processing"]["ThumbnailBucketArn"].to_dict() == {
        "Fn::GetAtt": ["StorageStack", "Outputs.ThumbnailBucketArn"]
    }


def test_subsystems_of_the_single_layout_share_one_stack():
    assembly = Assembly(SingleStack(), names("parameter"), {"Owner": Ref("Environment")}, lambda scope: scope.add)

    first = assembly.build("storage", lambda scope: scope)
    second = assembly.build("metadata", lambda scope: scope)

    assert first.stack is second.stack
    assert first.subsystem != second.subsystem
