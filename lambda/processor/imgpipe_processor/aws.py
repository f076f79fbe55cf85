"""The AWS clients of the function, and which of their errors may pass by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore
from botocore.config import Config
from botocore.credentials import ContainerProvider, CredentialResolver, EnvProvider
from botocore.exceptions import ClientError, FlexibleChecksumError, HTTPClientError
from botocore.exceptions import IncompleteReadError as BodyIncompleteError
from botocore.handlers import add_expect_header
from botocore.session import get_session

# By default botocore looks at every argument of a call, against the service's model, and makes up a text about itself:
# a tenth of what the four calls of an image cost. What this function sends has the same shape every time, and its
# tests send it with the look on.
_LEAN = {"parameter_validation": False, "user_agent": f"imgpipe-processor Botocore/{botocore.__version__}"}

# Short enough that a lost connection is tried again well inside the function's 60 seconds.
CLIENT_CONFIG = Config(
    connect_timeout=2,  # seconds
    read_timeout=10,  # seconds without a byte
    retries={"mode": "standard", "total_max_attempts": 3},
    **_LEAN,
)

# Shorter, because a report comes when the images are done and must not cost their answer.
PUBLISH_CONFIG = Config(
    connect_timeout=1,  # seconds
    read_timeout=2,  # seconds without a byte
    retries={"mode": "standard", "total_max_attempts": 2},
    **_LEAN,
)
PUBLISH_MS = 7_000  # both attempts at their slowest, and up to a second between them

# Answered with HTTP status 4xx, and yet a matter of time ("Error handling with DynamoDB", Amazon DynamoDB Developer
# Guide; "Error responses", Amazon S3 API Reference; read 2026-11). Everything with 429 or 5xx is as well.
TRANSIENT_CODES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "ThrottlingException",
    }
)
TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500


# The packager puts it beside botocore's bundle of all certificate authorities, which botocore reads anew for every
# connection: 13 ms of CPU for 126 authorities, half a millisecond for these five. It is true of endpoints below this
# name alone; those of other partitions, and whatever else a deployment configures, may have certificates of others.
AMAZON_ROOTS = Path(botocore.__file__).with_name("cacert-amazon.pem")
AMAZON_ENDPOINTS = ".amazonaws.com"
# What botocore heeds in the environment, but not by variables of its session: name in a profile, name there, default,
# conversion.
VARIABLES = {
    "requests_ca_bundle": (None, "REQUESTS_CA_BUNDLE", None, None),
    "container_credentials": (None, "AWS_CONTAINER_CREDENTIALS_FULL_URI", None, None),
}


class Clients:
    """Makes clients, of one session; botocore alone, because boto3 adds only import time here."""

    def __init__(self) -> None:
        self._session = get_session(VARIABLES)
        self._ask = self._session.get_config_variable
        # The two ways in which Lambda hands over credentials, the second with SnapStart; the others find nothing there.
        providers = [EnvProvider(), *([ContainerProvider()] if self._ask("container_credentials") else [])]
        self._session.register_component("credential_provider", CredentialResolver(providers=providers))
        # No time in an answer is read here; botocore would parse each, by trying one format after the other.
        self._session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=str)

    def s3(self) -> Any:
        """The client of S3, which sends thumbnails unasked.

        botocore asks S3 for leave before it sends any body (`Expect: 100-continue`): that spares large ones that would
        be refused, and costs small ones a second round trip.
        """
        client = self._client("s3", CLIENT_CONFIG)
        client.meta.events.unregister("before-call.s3", add_expect_header)
        return client

    def dynamodb(self) -> Any:
        """The client of DynamoDB."""
        return self._client("dynamodb", CLIENT_CONFIG)

    def sns(self) -> Any:
        """The client of SNS, made only where reports are wanted."""
        return self._client("sns", PUBLISH_CONFIG)

    def _client(self, service: str, config: Config) -> Any:
        if self._ask("ca_bundle") or self._ask("requests_ca_bundle") or not AMAZON_ROOTS.exists():
            return self._session.create_client(service, config=config)
        client = self._session.create_client(service, config=config, verify=str(AMAZON_ROOTS))
        endpoint = urlsplit(client.meta.endpoint_url)
        if endpoint.scheme == "https" and not str(endpoint.hostname).endswith(AMAZON_ENDPOINTS):
            return self._session.create_client(service, config=config)
        return client


def error_code(error: ClientError) -> str:
    """The service's own name for the error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def http_status(error: ClientError) -> int:
    """The HTTP status of the answer; 0 where there is none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed later."""
    if isinstance(error, ClientError):
        status = http_status(error)
        return status == TOO_MANY_REQUESTS or status >= SERVER_ERROR or error_code(error) in TRANSIENT_CODES
    return isinstance(error, HTTPClientError | BodyIncompleteError | FlexibleChecksumError)
