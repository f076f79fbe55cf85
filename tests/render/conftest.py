"""A small rendered pipeline: an output folder to write to, and templates of two stacks."""

import pytest

from imgpipe_templates.render.manifest import RenderedPipeline


@pytest.fixture
def rendered():
    storage = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {
            "Environment": {"Type": "String", "Default": "production", "AllowedValues": ["staging", "production"]},
            "SourceBucketName": {"Type": "String", "MinLength": 3, "MaxLength": 63, "Description": "Bucket of uploads"},
        },
        "Resources": {"SourceBucket": {"Type": "AWS::S3::Bucket"}},
    }
    processing = {
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r"}},
            "Function": {"Type": "AWS::Lambda::Function"},
        }
    }
    return RenderedPipeline(
        pipeline="thumbnails",
        layout="exports",
        stacks={"processing": processing, "storage": storage},
        deploy_order=("storage", "processing"),
        functions=({"name": "processor", "code_key_parameter": "ImageProcessorCodeKey"},),
    )
