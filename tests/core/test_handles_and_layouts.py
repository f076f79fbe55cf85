"""Handles read at home and from afar, and the assembly that turns them to face their reader."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from troposphere import Export, ImportValue, Output, Ref, Sub, s3, sns, sqs

from imgpipe_templates import load_preset
from imgpipe_templates.core.handles import Bucket, Queue, Topic, seen_from
from imgpipe_templates.core.layouts import Assembly, SingleStack
from imgpipe_templates.core.stack import Stack
from imgpipe_templates.errors import TemplateConflictError
from imgpipe_templates.names import NAMES
from imgpipe_templates.pipeline import assemble
from tests.templates import scope_of, waits_for


@dataclass(frozen=True)
class OneStackEach:
    """A layout of the tests: every subsystem in a stack of its own, references by export."""

    name: str = "one-each"

    def stack_name(self, subsystem):
        return subsystem

    def link(self, home, viewer, title, local):  # noqa: ARG002 - the same for every viewer
        name = Sub(f"${{AWS::StackName}}-{home.name}-{title}")
        return ImportValue(home.offer(Output(title, Value=local, Export=Export(name))).Export.data["Name"])


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
    home = scope_of("storage")
    bucket = Bucket.of(home, s3.Bucket("ThumbnailBucket"))
    viewer = Stack("processing", OneStackEach().link)

    far = seen_from(viewer, Offer(bucket)).bucket

    assert home.stack.template.outputs == {}
    assert far.arn.to_dict() == {"Fn::ImportValue": {"Fn::Sub": "${AWS::StackName}-storage-ThumbnailBucketArn"}}
    assert far.objects_arn().to_dict()["Fn::Sub"][0] == "${BucketArn}/*"
    assert viewer.reads_from == {"storage"}
    assert list(home.stack.template.outputs) == ["ThumbnailBucketArn"]


def test_handles_are_turned_inside_tuples_and_mappings_too():
    bucket = Bucket.of(scope_of("storage"), s3.Bucket("ThumbnailBucket"))
    viewer = Stack("processing", OneStackEach().link)

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


def test_every_subsystem_is_the_same_in_a_layout_of_many_stacks():
    """What crosses a border is a handle everywhere: the same resources, whatever the stacks."""
    config = load_preset("thumbnails")
    together = assemble(config, SingleStack())["pipeline"].to_dict("")["Resources"]
    apart = {name: stack.to_dict("") for name, stack in assemble(config, OneStackEach()).items()}

    titles = [title for template in apart.values() for title in template["Resources"]]
    assert sorted(titles) == sorted(together)
    for name, template in apart.items():
        known = {*template["Resources"], *template["Parameters"]}
        for title, resource in template["Resources"].items():
            strangers = {each for each in waits_for(resource) if not each.startswith("AWS::")} - known
            # The native trigger's one known name: the bucket waits for the permission, wherever that is.
            assert strangers <= {"LambdaInvokePermission"}, f"{name}: {title} reads {strangers} of another stack"


def test_every_import_has_its_export_and_every_offer_a_reader():
    stacks = assemble(load_preset("thumbnails"), OneStackEach())
    exports, imports = set[str](), set[str]()

    def collect(value):
        if isinstance(value, dict):
            if "Fn::ImportValue" in value:
                imports.add(value["Fn::ImportValue"]["Fn::Sub"])
            for item in value.values():
                collect(item)
        elif isinstance(value, list):
            for item in value:
                collect(item)

    for stack in stacks.values():
        collect(stack.to_dict("")["Resources"])
    for name, stack in stacks.items():
        template = stack.to_dict("")
        exports |= {output["Export"]["Name"]["Fn::Sub"] for output in template.get("Outputs", {}).values()}
        offers = {title for title, output in template.get("Outputs", {}).items() if "Description" not in output}
        assert {f"${{AWS::StackName}}-{name}-{title}" for title in offers} <= imports

    assert imports <= exports
    assert len(imports) > 5


def test_a_stack_of_many_reads_only_from_those_above_it():
    stacks = assemble(load_preset("thumbnails"), OneStackEach())

    assert {name: stack.reads_from for name, stack in stacks.items()} == {
        "storage": set(),
        "metadata": set(),
        "notifications": set(),
        "processing": {"storage", "metadata"},
        "triggers": {"storage", "processing"},
        "monitoring": {"notifications", "processing"},
    }


def test_the_single_stack_declares_common_parameters_once():
    assembly = Assembly(SingleStack(), NAMES, {"Owner": Ref("Environment")}, lambda scope: scope.add)

    first = assembly.build("storage", lambda scope: scope)
    second = assembly.build("metadata", lambda scope: scope)

    assert first.stack is second.stack
    assert first.subsystem != second.subsystem
