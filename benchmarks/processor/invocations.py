"""Whole invocations of the processor and of the tutorial's handler, cold and warm, on the local AWS engine."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Samples
from benchmarks.processor.corpus import Source
from benchmarks.processor.measured_functions import RUNTIME, Function, Processor
from benchmarks.processor.workers import pinned
from imgpipe_templates import to_json
from imgpipe_templates.deployment.artifacts import ensure_bucket
from imgpipe_templates.deployment.clients import Clients
from imgpipe_templates.deployment.plan import Deployment, FunctionPackage, Pace
from imgpipe_templates.deployment.stacks import deploy, resource_ids
from imgpipe_templates.local.engine import running_engine
from imgpipe_templates.local.environment import Runtime
from imgpipe_templates.local.settings import REGION

WARM = 16  # invocations of a process after its first one; Python is at full speed after some ten
ARTIFACTS = "benchmark-artifacts"
TUTORIAL_TABLE = "TutorialImages"
METRIC_CALL = "PutMetricData"

Event = dict[str, Any]


@dataclass(frozen=True)
class Invocations:
    """The cost of one function for one image, in CPU milliseconds, one value a process.

    Attributes: cold: Import of the handler and the first invocation together. init: Import of the handler alone. warm:
    The median of the later invocations. peak_mb: The peak memory of all processes. calls: The AWS calls of one
    invocation.
    """

    cold: Samples
    init: Samples
    warm: Samples
    peak_mb: float
    calls: tuple[str, ...]

    @property
    def metric_calls(self) -> int:
        """Return the number of calls that send metrics."""
        return self.calls.count(METRIC_CALL)


def measure_invocations(
    processors: Sequence[Processor],
    tutorial: Function,
    sources: Sequence[Source],
    rounds: int,
    *,
    report: Callable[[str], None],
) -> dict[str, dict[str, Invocations]]:
    """Measure all functions on each image; return the costs by image name and function name.

    Args:
        processors: Each is deployed as its preset renders it.
        tutorial: The tutorial's handler, which processes the same objects.
        sources: The images.
        rounds: Processes of each function for an image.
        report: Receives one line per image.
    """
    folders = tutorial.folders
    runtimes = {RUNTIME: Runtime(tutorial.interpreter.path, folders[-1])}
    with running_engine(runtimes) as engine, tempfile.TemporaryDirectory(prefix="imgpipe-benchmark-") as folder:
        clients = Clients(engine.session(), engine.endpoint_url)
        ensure_bucket(clients, ARTIFACTS)
        deployed = {one.function: _deployed(clients, one) for one in processors}
        deployed[tutorial] = _tutorial_variables(clients, next(iter(deployed.values())))
        in_turn = tuple(deployed.items())
        measured = {}
        for source in sources:
            report(f"{source.kind} {source.name}: invocations")
            by_function: dict[str, list[dict[str, Any]]] = {function.name: [] for function in deployed}
            for number in range(rounds + 1):
                first = number % len(deployed)  # as with thumbnails
                for function, variables in (*in_turn[first:], *in_turn[:first]):
                    prefix = f"{source.name}/{function.name}/{number}"
                    events = _uploaded(clients, variables["SOURCE_BUCKET"], source, prefix, WARM + 2)
                    result = _invoke(function, variables, events, Path(folder))
                    # The engine keeps all objects in memory, which slows it and other processes.
                    _remove(clients, events)
                    if number:  # the first round warms the engine
                        by_function[function.name].append(result)
            measured[source.name] = {name: _summed_up(results) for name, results in by_function.items()}
        return measured


def _summed_up(results: Sequence[Mapping[str, Any]]) -> Invocations:
    return Invocations(
        cold=Samples([one["init_ms"] + one["first_ms"] for one in results]),
        init=Samples([one["init_ms"] for one in results]),
        warm=Samples([statistics.median(one["warm_ms"]) for one in results]),
        peak_mb=max(one["peak_mb"] for one in results),
        calls=tuple(results[-1]["calls"]),
    )


def _deployed(clients: Clients, processor: Processor) -> dict[str, str]:
    """Deploy a processor, and return its variables; only this benchmark invokes it."""
    name = processor.function.name
    uploads = f"benchmark-uploads-{name}"
    deployment = Deployment(
        stack_name=f"benchmark-{name}",
        template=to_json(processor.rendered.stacks["pipeline"]),
        parameters={"SourceBucketName": uploads, "EnvironmentSuffix": name},
        capabilities=("CAPABILITY_NAMED_IAM",),
        packages=tuple(
            FunctionPackage(one.package, one.key_parameter, processor.package.path)
            for one in processor.rendered.functions
        ),
    )
    stack = deploy(clients, deployment, artifact_bucket=ARTIFACTS, pace=Pace(poll_seconds=0.05))
    clients.s3.put_bucket_notification_configuration(Bucket=uploads, NotificationConfiguration={})
    function = resource_ids(clients, stack.stack_id)["ImageProcessorFunction"]
    configuration = _client(clients, "lambda").get_function_configuration(FunctionName=function)
    return {
        **configuration["Environment"]["Variables"],
        **_variables(str(clients.endpoint_url)),
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
    }


def _tutorial_variables(clients: Clients, processor: Mapping[str, str]) -> dict[str, str]:
    """Create the table of the tutorial's function, and return its variables; it uses the buckets of a processor."""
    _client(clients, "dynamodb").create_table(
        TableName=TUTORIAL_TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "ImageID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "ImageID", "AttributeType": "S"}],
    )
    shared = ("SOURCE_BUCKET", "THUMBNAIL_BUCKET", "THUMBNAIL_SIZE", "ENVIRONMENT")
    return {
        **_variables(str(clients.endpoint_url)),
        **{name: processor[name] for name in shared},
        "METADATA_TABLE": TUTORIAL_TABLE,
    }


def _client(clients: Clients, service: str) -> Any:
    return clients.session.client(service, endpoint_url=clients.endpoint_url)


def _variables(endpoint_url: str) -> dict[str, str]:
    """Return the variables that Lambda adds to a function's own, as far as the code reads them."""
    return {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # the engine's root
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{RUNTIME}",
    }


def _uploaded(clients: Clients, bucket: str, source: Source, prefix: str, count: int) -> list[Event]:
    """Upload an image under so many keys, and return S3's events ("Event message structure", S3 User Guide)."""
    content = source.path.read_bytes()
    events = []
    for number in range(count):
        key = f"{prefix}/{number}{source.path.suffix}"
        answer = clients.s3.put_object(Bucket=bucket, Key=key, Body=content)
        described = {"key": urllib.parse.quote_plus(key), "size": len(content), "eTag": answer["ETag"].strip('"')}
        if version := answer.get("VersionId"):
            described["versionId"] = version
        record = {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "eventTime": "2026-11-20T12:00:00.000Z",
            "awsRegion": REGION,
            "s3": {"bucket": {"name": bucket}, "object": {**described, "sequencer": f"{number:016X}"}},
        }
        events.append({"Records": [record]})
    return events


def _remove(clients: Clients, events: Sequence[Event]) -> None:
    for event in events:
        (record,) = event["Records"]
        described = record["s3"]["object"]
        which = {"VersionId": described["versionId"]} if "versionId" in described else {}
        key = urllib.parse.unquote_plus(described["key"])
        clients.s3.delete_object(Bucket=record["s3"]["bucket"]["name"], Key=key, **which)


def _invoke(function: Function, variables: Mapping[str, str], events: Sequence[Event], folder: Path) -> dict[str, Any]:
    """Run a function in a new process.

    Raises:
        RuntimeError: The process failed.
    """
    asked, result = folder / "events.json", folder / "result.json"
    asked.write_text(json.dumps(events), encoding="utf-8")
    script = Path(__file__).with_name("invoke.py")
    with pinned():
        done = subprocess.run(
            [str(function.interpreter.path), "-S", "-P", str(script), function.module, str(asked), str(result)],
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "PYTHONPATH": os.pathsep.join(map(str, function.folders)),
                "PYTHONDONTWRITEBYTECODE": "1",
                "HOME": str(folder),
                **variables,
            },
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{function.name}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    measured: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return measured
