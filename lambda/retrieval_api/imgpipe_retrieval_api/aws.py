"""The AWS clients of the function."""

from __future__ import annotations

from typing import Any

from botocore.config import Config
from botocore.session import get_session

# Short enough that a lost connection is tried again well inside the 30 seconds that an HTTP API waits.
TABLE_CONFIG = Config(
    connect_timeout=1,  # seconds
    read_timeout=3,  # seconds without a byte
    retries={"mode": "standard", "total_max_attempts": 3},
)
# Links are signed for the bucket's own host in its own Region: the global host redirects for hours after a bucket was
# made, and a redirect breaks the signature. Version 4 is the only signature that objects under a KMS key accept
# ("Download and upload objects with presigned URLs", Amazon S3 User Guide, read 2026-11).
LINK_CONFIG = Config(
    signature_version="s3v4",
    s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
)


def create_clients() -> tuple[Any, Any]:
    """Make the DynamoDB and the S3 client; botocore alone, because boto3 adds only import time here."""
    session = get_session()
    return session.create_client("dynamodb", config=TABLE_CONFIG), session.create_client("s3", config=LINK_CONFIG)
