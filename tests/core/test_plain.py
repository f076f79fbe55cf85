"""Our one pass over a template against troposphere's own."""

from __future__ import annotations

import pytest
from awacs.aws import Allow, PolicyDocument, Statement
from awacs.s3 import GetObject
from troposphere import GetAtt, Ref, Sub, Tags, Template, s3, sns

from imgpipe_templates import load_preset, open_pipeline
from imgpipe_templates.config import PRESETS
from imgpipe_templates.core.plain import plain


@pytest.mark.parametrize("preset", PRESETS.names)
def test_every_preset_is_what_troposphere_says_it_is(preset):
    assembled = open_pipeline(load_preset(preset)).assembled

    (stack,) = assembled.assembly.finished().values()
    ours = stack.to_dict("the same")
    theirs = stack.template.to_dict()
    assert {name: ours[name] for name in theirs} == theirs


def test_what_stands_inside_of_what_is_said_too():
    template = Template()
    bucket = s3.Bucket(
        "B", Tags=Tags(Owner=Ref("Who")), VersioningConfiguration=s3.VersioningConfiguration(Status="Enabled")
    )
    statement = Statement(Effect=Allow, Action=[GetObject], Resource=[Sub("${B.Arn}/*"), GetAtt("B", "Arn")])
    policy = s3.BucketPolicy("P", Bucket=Ref("B"), PolicyDocument=PolicyDocument(Statement=[statement]))
    for resource in (bucket, policy, sns.Topic("T")):
        template.add_resource(resource)

    assert {title: plain(resource) for title, resource in template.resources.items()} == template.to_dict()["Resources"]


def test_a_missing_property_is_found_as_ever():
    with pytest.raises(ValueError, match="PolicyDocument required"):
        plain(s3.BucketPolicy("P", Bucket="b"))
