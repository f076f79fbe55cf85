"""The client of AWS as the function makes it out of its package: what it trusts, whom it asks, what it imports."""

from __future__ import annotations

import http.server
import json
import re
import ssl
import sys
import threading
import zipfile

import pytest

from imgpipe_templates.packaging import Target, build_package
from tests.cold_start import cold_start
from tests.packaging.samples import SOURCE_ONLY

OWN = Target.of_interpreter(sys.executable)
SCRIPT = """
import json, sys
sys.path.insert(0, "")
import botocore.credentials
from imgpipe_processor.aws import Clients
clients = Clients()
made = [clients.s3(), clients.dynamodb(), clients.sns()]
print(json.dumps({
    "botocore": botocore.__file__,
    "endpoints": [one.meta.endpoint_url for one in made],
    "trusts": [one._endpoint.http_session._verify for one in made],
    "credentials": type(clients._session.get_credentials()).__name__,
    "modules": sorted(sys.modules),
}))
"""
PUT = """
import sys
sys.path.insert(0, "")
from imgpipe_processor.aws import Clients
Clients().s3().put_object(Bucket="thumbs", Key="a.jpg", Body=b"image", ContentType="image/jpeg")
"""
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
EVERYBODY = [True, True, True]  # botocore's own bundle


class Listener:
    """Answers every HTTP request with the same content, and keeps the requests.

    Entered, it is its own address.
    """

    def __init__(self, content):
        self.requests = []
        noted = self.requests

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_one_request(self):
                head = b"".join(iter(self.rfile.readline, b"\r\n"))
                noted.append(head)
                length = re.search(rb"content-length: (\d+)", head.lower())
                self.rfile.read(int(length[1]) if length else 0)
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content))
                self.close_connection = True

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """The unzipped package."""
    folder = tmp_path_factory.mktemp("client")
    package = build_package("processor", OWN, folder, dependencies=False, contents=SOURCE_ONLY)
    with zipfile.ZipFile(package.path) as archive:
        archive.extractall(folder / "task")
    return folder / "task"


def made(task, region="eu-west-1", keys=KEYS, **variables):
    environment = {**keys, "AWS_REGION": region, "AWS_DEFAULT_REGION": region, **variables}
    done = cold_start(task, SCRIPT, environment=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-east-1", "us-gov-west-1"])
def test_amazons_endpoints_are_trusted_by_amazons_authorities_alone(task, region):
    found = made(task, region)

    assert found["trusts"] == [str(task / "botocore" / "cacert-amazon.pem")] * 3
    assert all(endpoint.endswith(".amazonaws.com") for endpoint in found["endpoints"])


@pytest.mark.parametrize("region", ["cn-north-1", "eusc-de-east-1", "us-iso-east-1"])
def test_partitions_with_other_domains_use_the_default_bundle_of_botocore(task, region):
    assert made(task, region)["trusts"] == EVERYBODY


def test_custom_endpoint_uses_the_default_bundle_of_botocore(task):
    assert made(task, AWS_ENDPOINT_URL="https://s3.example.com")["trusts"] == EVERYBODY


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_bundle_that_the_deployment_names_is_the_one(task, name):
    assert made(task, **{name: "/var/task/company.pem"})["trusts"] == ["/var/task/company.pem"] * 3


def test_the_bundle_is_of_amazons_five_authorities(task):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(task / "botocore" / "cacert-amazon.pem"))

    names = {dict(part[0] for part in one["subject"])["commonName"] for one in context.get_ca_certs()}

    assert names == {
        *(f"Amazon Root CA {number}" for number in (1, 2, 3, 4)),
        "Starfield Services Root Certificate Authority - G2",
    }


def test_credentials_come_from_lambda_or_from_nowhere(task):
    asked = Listener(
        b'{"AccessKeyId": "a", "SecretAccessKey": "b", "Token": "c", "Expiration": "2100-01-01T00:00:00Z"}'
    )
    metadata = Listener(b"")

    with asked as snap_start, metadata as unused:
        elsewhere = {"keys": {}, "AWS_EC2_METADATA_SERVICE_ENDPOINT": unused}
        assert made(task)["credentials"] == "Credentials"
        assert made(task, AWS_CONTAINER_CREDENTIALS_FULL_URI=snap_start, **elsewhere)["credentials"] == (
            "RefreshableCredentials"
        )
        assert made(task, **elsewhere)["credentials"] == "NoneType"

    assert (len(asked.requests), metadata.requests) == (1, [])


def test_a_thumbnail_is_sent_without_asking_for_leave(task):
    with (listener := Listener(b"")) as endpoint:
        done = cold_start(task, PUT, environment={**KEYS, "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": endpoint})

    assert done.returncode == 0, done.stderr
    (request,) = listener.requests
    assert request.startswith(b"PUT /thumbs/a.jpg HTTP/1.1")
    assert b"expect" not in request.lower()
    assert b"x-amz-checksum-crc32:" in request.lower()


def test_the_client_is_the_packages_own_and_imports_nothing_that_it_has_no_use_for(task):
    found = made(task)

    assert found["botocore"] == str(task / "botocore" / "__init__.py")
    assert not {"importlib.metadata", "botocore.docs.service", "html.parser", "boto3"} & set(found["modules"])
