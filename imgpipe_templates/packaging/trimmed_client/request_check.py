"""Check that the reduced botocore creates and signs a request for each kept operation in each partition.

The check runs in a separate process that can import only the packaged files. It sends no request. The tests that run
the packages on the local engine cover the responses.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from imgpipe_templates.cache import recall, remember
from imgpipe_templates.errors import PackagingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imgpipe_templates.packaging.zip_archive import Entry

REGIONS = ("us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1")
_SECONDS = 60
_KIND = "trimmed"  # cache entries: sha256 of files and operations -> the requests

# A request contains only the required members, with values generated from the operation's model.
_SCRIPT = """
import json, sys
operations, regions = json.load(sys.stdin)
sys.path.insert(0, sys.argv[1])
import botocore, botocore.config, botocore.session

class Captured(Exception):
    pass

def capture(request, **_):
    raise Captured(request)

def filled(shape):
    if shape.type_name == "structure":
        return {name: filled(shape.members[name]) for name in shape.required_members}
    return {"key": filled(shape.value)} if shape.type_name == "map" else "name-of-it"

requests, config = [], botocore.config.Config(retries={"total_max_attempts": 1})
session = botocore.session.Session()
session.set_credentials("key", "secret", "token")
for region in regions:
    for service, names in operations.items():
        client = session.create_client(service, region_name=region, config=config)
        client.meta.events.register("before-send", capture)
        methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
        for name in names:
            given = client.meta.service_model.operation_model(name).input_shape
            try:
                getattr(client, methods[name])(**filled(given))
            except Captured as captured:
                (request,) = captured.args
                signed = request.headers["Authorization"].decode().replace(",", "").split()
                scope = signed[1].split("/", 2)[2]
                requests.append([name, request.method, request.url, signed[0], scope, signed[2]])
json.dump(requests, sys.stdout)
"""


def check_requests(entries: Sequence[Entry], operations: Mapping[str, Sequence[str]], label: str) -> list[list[str]]:
    """Create a request for each operation and Region with the packaged botocore.

    Args:
        entries: The packaged files of botocore and its requirements.
        operations: Operations to check, by service.
        label: The trim file's name in messages.

    Returns:
        For each request: operation, HTTP method, URL, signature algorithm, credential scope and signed headers.

    Raises:
        PackagingError: botocore cannot be imported, or cannot create one of the requests.
    """
    arguments = json.dumps([operations, REGIONS])
    parts = [
        arguments.encode(),
        _SCRIPT.encode(),
        *(f"{entry.name} {entry.crc} {entry.size}".encode() for entry in entries),
    ]
    key = hashlib.sha256(b"\n".join(parts)).hexdigest()
    result = recall(_KIND, key)
    if result is None:
        result = _run(entries, arguments, label)
        remember(_KIND, key, result)
    requests: list[list[str]] = json.loads(result)
    return requests


def _run(entries: Sequence[Entry], arguments: str, label: str) -> str:
    with tempfile.TemporaryDirectory(prefix="imgpipe-trimmed-") as folder:
        for entry in entries:
            path = Path(folder, entry.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(entry.content)
        try:
            completed = subprocess.run(  # noqa: S603 - this interpreter, with the script above
                [sys.executable, "-I", "-S", "-B", "-c", _SCRIPT, folder],
                input=arguments,
                env={"HOME": folder},  # no AWS profile of a user is read
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=True,
            )
        except subprocess.CalledProcessError as failure:
            message = (failure.stderr.strip().splitlines() or ["nothing"])[-1]
            raise PackagingError(
                f"{label}: botocore: does not work after the reduction ({message}); expected more to be kept"
            ) from failure
        return completed.stdout
