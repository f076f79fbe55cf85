"""A rendered pipeline of two small stacks."""

import pytest

from imgpipe_templates.core.stack import FunctionCode
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
        functions=(
            FunctionCode("processing", "Function", "processor", "ImageProcessorCodeKey", "python3.13", "arm64"),
        ),
    )
