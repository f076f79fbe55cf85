"""References between subsystems: handles pass, literal logical ids are rejected in every layout."""

from __future__ import annotations

import pytest
from awacs.aws import Allow, PolicyDocument, Statement
from awacs.s3 import GetObject
from troposphere import GetAtt, If, Join, Ref, Sub, s3, sns, sqs

from imgpipe_templates import load_preset, open_pipeline
from imgpipe_templates.core.handles import Bucket
from imgpipe_templates.core.layouts import Assembly, ExportedStacks, NestedStacks, SingleStack
from imgpipe_templates.core.naming import Names
from imgpipe_templates.errors import LiteralReferenceError

LAYOUTS = {
    "single": SingleStack,
    "nested": lambda: NestedStacks({}),
    "exports": lambda: ExportedStacks("photos", {}),
    "one group": lambda: ExportedStacks("photos", {"processing": "storage"}),
}
EXPECTED = (
    "processing: Jobs: {function} names ThumbnailBucket, a resource of the subsystem storage; "
    "expected its Bucket handle of storage"
)


@pytest.fixture(params=LAYOUTS.values(), ids=LAYOUTS.keys())
def assembly(request):
    return Assembly(request.param(), Names({}, others=True), {}, lambda _: None)


def finish(assembly, value):
    """Finish stacks in which `value`, or its result for the bucket's handle, is a display name in `processing`."""
    bucket = assembly.build("storage", lambda scope: Bucket.of(scope, s3.Bucket("ThumbnailBucket")))

    def add(scope, bucket):
        shown = value(bucket) if callable(value) else value
        scope.add(sns.Topic("Jobs", DisplayName=shown))
        scope.add(sns.Topic("Other", DisplayName=bucket.name))

    assembly.build("processing", add, bucket)
    return assembly.finished()


@pytest.mark.parametrize(
    ("value", "function"),
    [
        (Ref("ThumbnailBucket"), "Ref"),
        (GetAtt("ThumbnailBucket", "Arn"), "Fn::GetAtt"),
        (Sub("${ThumbnailBucket}/x"), "Fn::Sub"),
        (Sub("${ThumbnailBucket.Arn}/x"), "Fn::Sub"),
        (Sub("${Name}/${ThumbnailBucket}", Name="n"), "Fn::Sub"),
        (Sub("${Arn}/x", Arn=GetAtt("ThumbnailBucket", "Arn")), "Fn::GetAtt"),
        (Join("-", ["a", If("Yes", Ref("ThumbnailBucket"), "b")]), "Ref"),
    ],
    ids=["Ref", "GetAtt", "Sub", "Sub of an attribute", "Sub with variables", "variable of Sub", "nested functions"],
)
def test_literal_reference_to_another_subsystem_is_rejected_in_every_layout(assembly, value, function):
    with pytest.raises(LiteralReferenceError) as rejected:
        finish(assembly, value)

    assert str(rejected.value) == EXPECTED.format(function=function)


@pytest.mark.parametrize(
    "value",
    [
        lambda bucket: bucket.name,
        lambda bucket: bucket.arn,
        lambda bucket: bucket.objects_arn("thumbs/"),
        lambda bucket: Sub("${Arn}/x", Arn=bucket.arn),
        lambda bucket: Join("", [bucket.arn, "/x"]),
        Sub("${!ThumbnailBucket}"),
        Sub("${ThumbnailBucket}", ThumbnailBucket="a variable of the same name"),
        Ref("AWS::StackName"),
    ],
    ids=["name", "arn", "objects", "Sub", "Join", "escaped", "variable", "pseudo parameter"],
)
def test_handle_values_and_own_names_are_accepted_in_every_layout(assembly, value):
    assert "Jobs" in {title for stack in finish(assembly, value).values() for title in stack.template.resources}


def test_reference_inside_a_policy_is_rejected():
    assembly = Assembly(SingleStack(), Names({}, others=True), {}, lambda _: None)
    statement = Statement(Effect=Allow, Action=[GetObject], Resource=[Sub("${Photos.Arn}/*")])
    policy = sqs.QueuePolicy("Policy", Queues=["q"], PolicyDocument=PolicyDocument(Statement=[statement]))
    assembly.build("storage", lambda scope: Bucket.of(scope, s3.Bucket("Photos")))
    assembly.build("processing", lambda scope: scope.add(policy))

    with pytest.raises(LiteralReferenceError, match="processing: Policy: Fn::Sub names Photos"):
        assembly.finished()


def test_reference_in_an_output_is_rejected():
    assembly = Assembly(SingleStack(), Names({}, others=True), {}, lambda _: None)
    assembly.build("storage", lambda scope: Bucket.of(scope, s3.Bucket("Photos")))
    assembly.build("processing", lambda scope: scope.output("Name", Ref("Photos"), "Name of the bucket"))

    with pytest.raises(LiteralReferenceError, match="processing: Name: Ref names Photos"):
        assembly.finished()


def test_resource_without_a_handle_needs_one_in_the_result_of_its_subsystem():
    assembly = Assembly(SingleStack(), Names({}, others=True), {}, lambda _: None)
    assembly.build("storage", lambda scope: scope.add(sns.Topic("Uploads")))
    assembly.build("processing", lambda scope: scope.add(sns.Topic("Jobs", DisplayName=Ref("Uploads"))))

    with pytest.raises(LiteralReferenceError, match="expected a handle; add one to the result of storage"):
        assembly.finished()


@pytest.mark.parametrize("layout", ["single", "nested", "exports"])
def test_added_subsystem_needs_the_handle_of_a_bucket_of_the_pipeline(layout):
    pipeline = open_pipeline(load_preset("production"), layout)
    scope = pipeline.scope("watermark")
    scope.add(sns.Topic("WatermarkTopic", DisplayName=Ref("ThumbnailBucket")))

    with pytest.raises(LiteralReferenceError, match="watermark: WatermarkTopic: Ref names ThumbnailBucket"):
        pipeline.render()
