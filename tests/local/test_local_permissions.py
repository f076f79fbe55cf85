"""Permission facts that the engine is given."""

from __future__ import annotations

import fnmatch
import json

import pytest

from imgpipe_templates.local.permissions import leading_key, metric_namespace, service_may_invoke

PERMISSION = {
    "Effect": "Allow",
    "Principal": {"Service": "s3.amazonaws.com"},
    "Action": "lambda:InvokeFunction",
    "Condition": {
        "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::photos"},
        "StringEquals": {"AWS:SourceAccount": "123456789012"},
    },
}


def allowed(statement: dict[str, object], bucket: str = "photos", account: str = "123456789012") -> bool:
    source = f"arn:aws:s3:::{bucket}"
    return service_may_invoke({"Statement": [statement]}, "s3.amazonaws.com", source, account, fnmatch.fnmatchcase)


def test_a_bucket_may_invoke_by_the_permission_that_names_it():
    assert allowed(PERMISSION)
    assert not allowed(PERMISSION, bucket="other")
    assert not allowed(PERMISSION, account="210987654321")
    assert not allowed(PERMISSION | {"Principal": {"Service": "sns.amazonaws.com"}})
    assert not allowed(PERMISSION | {"Effect": "Deny"})


@pytest.mark.parametrize("policy", [None, {}, {"Statement": []}])
def test_without_a_permission_nothing_may_invoke(policy):
    source = "arn:aws:events:us-east-1:123456789012:rule/uploads"
    assert not service_may_invoke(policy, "events.amazonaws.com", source, "123456789012", fnmatch.fnmatchcase)


def test_the_namespace_of_metrics_is_read_from_both_protocols():
    assert metric_namespace(b'{"Namespace": "Photos"}') == "Photos"
    assert metric_namespace(b"Action=PutMetricData&Namespace=Photos%2FWeb") == "Photos/Web"
    assert metric_namespace(b"[]") is None


def test_the_leading_key_is_the_value_of_the_partition_key():
    put = json.dumps({"TableName": "images", "Item": {"Id": {"S": "7"}, "Name": {"S": "x"}}}).encode()
    get = json.dumps({"TableName": "arn:aws:dynamodb:r:1:table/images", "Key": {"Id": {"N": "7"}}}).encode()

    assert leading_key("PutItem", put, {"images": "Id"}.get) == "7"
    assert leading_key("GetItem", get, {"images": "Id"}.get) == "7"
    assert leading_key("Query", put, {"images": "Id"}.get) is None
    assert leading_key("PutItem", put, {}.get) is None
