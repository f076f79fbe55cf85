"""boto3 clients of one account and Region, on AWS or on another endpoint."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Clients:
    """Makes each client once.

    Attributes:
        session: A boto3 Session.
        endpoint_url: Where all services answer; None for AWS.
    """

    session: Any
    endpoint_url: str | None = None

    @functools.cached_property
    def s3(self) -> Any:
        """Amazon S3; every call expects that the bucket belongs to this account.

        Bucket names are global, so another account may have created a bucket with the expected name.
        """
        client = self.session.client("s3", endpoint_url=self.endpoint_url)
        client.meta.events.register("provide-client-params.s3", self._expect_own_bucket)
        return client

    @functools.cached_property
    def account(self) -> str:
        """The id of the account."""
        sts = self.session.client("sts", endpoint_url=self.endpoint_url)
        return str(sts.get_caller_identity()["Account"])

    def _expect_own_bucket(self, params: dict[str, Any], model: Any, **_more: Any) -> None:
        if "ExpectedBucketOwner" in model.input_shape.members:
            params.setdefault("ExpectedBucketOwner", self.account)

    @functools.cached_property
    def cloudformation(self) -> Any:
        """AWS CloudFormation."""
        return self.session.client("cloudformation", endpoint_url=self.endpoint_url)


def error_code(error: Any) -> str:
    """The service's error code of a botocore ClientError, such as NoSuchBucket."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_message(error: Any) -> str:
    """The service's own sentence of a botocore ClientError."""
    return str(error.response.get("Error", {}).get("Message", "")) or str(error)
