"""Proof that botocore works after what was cut off it: it makes and signs every kept operation in every partition.

It runs in a process of its own that sees nothing but what will be shipped, and sends nothing. What services answer is
for tests on the local engine, which run the packages.
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

    from imgpipe_templates.packaging.archive import Entry

REGIONS = ("us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1")
_SECONDS = 60
_KIND = "trimmed"  # of what the cache keeps: sha256 of files and operations -> the requests

# A request has no more than its required members: made up out of the operation's own description.
_SCRIPT = """
import json, sys
operations, regions = json.load(sys.stdin)
sys.path.insert(0, sys.argv[1])
import botocore, botocore.config, botocore.session

class Sent(Exception):
    pass

def sent(request, **_):
    raise Sent(request)

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
        client.meta.events.register("before-send", sent)
        methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
        for name in names:
            given = client.meta.service_model.operation_model(name).input_shape
            try:
                getattr(client, methods[name])(**filled(given))
            except Sent as one:
                (request,) = one.args
                signed = request.headers["Authorization"].decode().replace(",", "").split()
                scope = signed[1].split("/", 2)[2]
                requests.append([name, request.method, request.url, signed[0], scope, signed[2]])
json.dump(requests, sys.stdout)
"""


def prove(entries: Sequence[Entry], operations: Mapping[str, Sequence[str]], label: str) -> list[list[str]]:
    """What is to be known of every request that botocore makes: operation, method, address and how it is signed.

    Args:
        entries: botocore and what it requires, as they will be shipped.
        operations: What has to work, by service.
        label: Who cut, for messages.

    Raises:
        PackagingError: It does not import, or cannot make one of them.
    """
    asked = json.dumps([operations, REGIONS])
    parts = [
        asked.encode(),
        _SCRIPT.encode(),
        *(f"{entry.name} {entry.crc} {entry.size}".encode() for entry in entries),
    ]
    key = hashlib.sha256(b"\n".join(parts)).hexdigest()
    told = recall(_KIND, key)
    if told is None:
        told = _run(entries, asked, label)
        remember(_KIND, key, told)
    requests: list[list[str]] = json.loads(told)
    return requests


def _run(entries: Sequence[Entry], asked: str, label: str) -> str:
    with tempfile.TemporaryDirectory(prefix="imgpipe-trimmed-") as folder:
        for entry in entries:
            path = Path(folder, entry.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(entry.content)
        try:
            answer = subprocess.run(  # noqa: S603 - the Python that runs this, with the script above
                [sys.executable, "-I", "-S", "-B", "-c", _SCRIPT, folder],
                input=asked,
                env={"HOME": folder},  # nobody's profile decides on it
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=True,
            )
        except subprocess.CalledProcessError as failure:
            said = (failure.stderr.strip().splitlines() or ["nothing"])[-1]
            raise PackagingError(
                f"{label}: botocore: does not work with it ({said}); expected to need less"
            ) from failure
        return answer.stdout
