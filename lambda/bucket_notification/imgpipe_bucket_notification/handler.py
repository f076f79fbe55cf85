"""The Lambda handler, and what it works with: made once and kept for every later request."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from .aws import create_client
from .invocation import Helper

HELPER = Helper(connect=cache(partial(create_client, "s3")), connect_locks=cache(partial(create_client, "ssm")))


def lambda_handler(event: Any, context: Any) -> dict[str, str]:
    """Answer one request of CloudFormation, and return the status that it was answered with."""
    return HELPER.handle(event, context)
