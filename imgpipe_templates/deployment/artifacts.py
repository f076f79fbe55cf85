"""The bucket that code and large templates come from, and what is put there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError
from cfn_flip import load

from imgpipe_templates.deployment.clients import Clients, error_code, error_message
from imgpipe_templates.deployment.plan import Deployment
from imgpipe_templates.errors import DeploymentError

# AWS CloudFormation User Guide, "Understand CloudFormation quotas", "Template body size", read 2026-11.
MAX_TEMPLATE_BODY_BYTES = 51_200
MAX_TEMPLATE_OBJECT_BYTES = 1_048_576

_CLASSIC_REGION = "us-east-1"  # the only Region that CreateBucket does not accept as a LocationConstraint


def ensure_bucket(clients: Clients, name: str) -> bool:
    """Create the artefact bucket if it does not exist, and check its owner. A new bucket blocks public access.

    Returns:
        Whether it was created.

    Raises:
        DeploymentError: It belongs to another account, or cannot be created.
    """
    try:
        clients.s3.head_bucket(Bucket=name)
    except ClientError as error:
        if error_code(error) not in {"404", "NoSuchBucket"}:
            message = f"{name}: artefact bucket: {error_message(error)}; expected a bucket of this account"
            raise DeploymentError(message) from error
    else:
        return False
    region = clients.s3.meta.region_name
    place = {} if region == _CLASSIC_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    block = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    try:
        clients.s3.create_bucket(Bucket=name, **place)
        clients.s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    except ClientError as error:
        raise DeploymentError(f"{name}: artefact bucket: cannot be created: {error_message(error)}") from error
    return True


def upload_packages(clients: Clients, deployment: Deployment, *, bucket: str, prefix: str) -> dict[str, str]:
    """Upload every function package that is not there yet.

    Returns:
        The parameters that say where the code is: object keys, and the bucket.

    Raises:
        DeploymentError: A package cannot be read or uploaded.
    """
    located = {deployment.code_bucket_parameter: bucket} if deployment.packages else {}
    for package in deployment.packages:
        try:
            digest = _sha256(package.path)
        except OSError as error:
            raise DeploymentError(
                f"{deployment.stack_name}: package of {package.function}: {package.path}: {error.strerror};"
                " expected a readable zip"
            ) from error
        key = f"{prefix}/{digest}/{package.function}.zip"
        if not _exists(clients, bucket, key):
            _upload(clients, package.path, bucket, key)
        located[package.parameter] = key
    return located


def upload_nested(clients: Clients, deployment: Deployment, *, bucket: str, prefix: str) -> Deployment:
    """Upload the nested templates, and replace their TemplateURLs in the root.

    Raises:
        DeploymentError: A nested stack names a template that is not part of the deployment, or an upload fails.
    """
    if not deployment.nested_templates:
        return deployment
    root: dict[str, Any] = load(deployment.template)[0]
    for title, resource in root["Resources"].items():
        if resource["Type"] != "AWS::CloudFormation::Stack":
            continue
        name = resource["Properties"]["TemplateURL"]
        if name not in deployment.nested_templates:
            raise DeploymentError(
                f"{deployment.stack_name}: {title}: TemplateURL is {name!r}; expected one of"
                f" {', '.join(sorted(deployment.nested_templates))}"
            )
        body = deployment.nested_templates[name].encode()
        key = f"{prefix}/{hashlib.sha256(body).hexdigest()}/{name}"
        resource["Properties"]["TemplateURL"] = _put_template(clients, body, bucket, key)
    return replace(deployment, template=json.dumps(root), nested_templates={})


def template_argument(clients: Clients, deployment: Deployment, *, bucket: str, prefix: str) -> dict[str, str]:
    """How CloudFormation is given the template: in the request, or from the bucket when it is too large for that.

    Raises:
        DeploymentError: It is larger than CloudFormation accepts at all, or cannot be uploaded.
    """
    body = deployment.template.encode()
    if len(body) <= MAX_TEMPLATE_BODY_BYTES:
        return {"TemplateBody": deployment.template}
    if len(body) > MAX_TEMPLATE_OBJECT_BYTES:
        raise DeploymentError(
            f"{deployment.stack_name}: template: has {len(body):,} bytes;"
            f" expected at most {MAX_TEMPLATE_OBJECT_BYTES:,} bytes"
        )
    key = f"{prefix}/{hashlib.sha256(body).hexdigest()}/{deployment.stack_name}.template"
    return {"TemplateURL": _put_template(clients, body, bucket, key)}


def empty_bucket(clients: Clients, bucket: str) -> int:
    """Delete every version, delete marker and unfinished upload of a bucket.

    Returns:
        How many versions and markers were deleted.

    Raises:
        DeploymentError: Something in it cannot be deleted.
    """
    deleted = 0
    for page in clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        names = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
        if not names:
            continue
        answer = clients.s3.delete_objects(Bucket=bucket, Delete={"Objects": names, "Quiet": True})
        for refused in answer.get("Errors", []):
            raise DeploymentError(f"{bucket}: {refused['Key']}: cannot be deleted: {refused.get('Message', '')}")
        deleted += len(names)
    for upload in _unfinished_uploads(clients, bucket):
        clients.s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return deleted


def _put_template(clients: Clients, body: bytes, bucket: str, key: str) -> str:
    """Upload a template that is not there yet; its address."""
    if not _exists(clients, bucket, key):
        try:
            clients.s3.put_object(Bucket=bucket, Key=key, Body=body)
        except ClientError as error:
            raise DeploymentError(f"{bucket}: {key}: cannot be uploaded: {error_message(error)}") from error
    return f"{clients.s3.meta.endpoint_url}/{bucket}/{quote(key)}"


def _unfinished_uploads(clients: Clients, bucket: str) -> Iterator[dict[str, Any]]:
    for page in clients.s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        yield from page.get("Uploads", [])


def _exists(clients: Clients, bucket: str, key: str) -> bool:
    try:
        clients.s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        # 403 without s3:ListBucket also means "not there"; if it means more, the upload will say so.
        if error_code(error) in {"404", "NoSuchKey", "403"}:
            return False
        raise DeploymentError(f"{bucket}: {key}: {error_message(error)}") from error
    return True


def _upload(clients: Clients, path: Path, bucket: str, key: str) -> None:
    try:
        with path.open("rb") as content:
            clients.s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType="application/zip")
    except ClientError as error:
        raise DeploymentError(f"{bucket}: {key}: cannot be uploaded: {error_message(error)}") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
