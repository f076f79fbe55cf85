"""Environment variables of functions, and the AWS calls of this project's functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imgpipe_templates.checks.facts.expressions import mapping
from imgpipe_templates.checks.facts.template import Resource

NOTIFIER_FUNCTION = "S3NotificationLambda"

# Function -> environment variable -> actions of its code on the resource in that variable (tests/contract compares the
# code with the policies, tests/checks with the templates of every option).
CALLS = {
    "ImageProcessorFunction": {
        "SOURCE_BUCKET": ("s3:GetObject", "s3:GetObjectVersion"),
        "THUMBNAIL_BUCKET": ("s3:PutObject",),
        "METADATA_TABLE": ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
        "SNS_TOPIC_ARN": ("sns:Publish",),
    },
    "ImageRetrievalFunction": {
        "SOURCE_BUCKET": ("s3:GetObject", "s3:GetObjectVersion"),
        "THUMBNAIL_BUCKET": ("s3:GetObject",),
        "METADATA_TABLE": ("dynamodb:GetItem",),
        "INDEXES": ("dynamodb:Query",),
    },
    NOTIFIER_FUNCTION: {},
}


def environment_variables(function: Resource) -> Mapping[str, Any]:
    """Return the environment variables of a function."""
    return mapping(mapping(function.properties.get("Environment")).get("Variables"))
