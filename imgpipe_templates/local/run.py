"""One local run: engine, packages, stack, uploads, results, and everything gone afterwards but the results."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import mimetypes
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from imgpipe_templates.deployment.artifacts import ensure_bucket
from imgpipe_templates.deployment.clients import Clients
from imgpipe_templates.deployment.plan import Deployment, FunctionPackage, Pace, StackEvent
from imgpipe_templates.deployment.stacks import deploy, resource_ids
from imgpipe_templates.errors import LocalEngineError
from imgpipe_templates.local.contact_sheet import write_contact_sheet
from imgpipe_templates.local.deliveries import ObjectVersion
from imgpipe_templates.local.engine import Engine, running_engine, terminating_cleanly
from imgpipe_templates.local.environment import Runtime
from imgpipe_templates.local.filters import Listener, notification_filters, rule_patterns, why_ignored
from imgpipe_templates.local.inputs import InputError, SourceFile, select_files
from imgpipe_templates.local.installation import check_installed
from imgpipe_templates.local.interpreters import Interpreter, find_interpreter
from imgpipe_templates.local.packages import LocalFunction, local_packages
from imgpipe_templates.local.results import FileResult, Item, RunReport, clear_result, plain_item, write_result
from imgpipe_templates.local.runtime_folder import runtime_folder
from imgpipe_templates.local.settings import ACCOUNT_ID
from imgpipe_templates.local.settling import Upload, settle

_ARTIFACT_BUCKET = f"imgpipe-artifacts-{ACCOUNT_ID}"
# For parameters without a default. Nobody here asks for a token, so its issuer need not exist (RFC 2606, "invalid").
_VALUES = {
    "SourceBucketName": "imgpipe-local-source",
    "JwtIssuer": "https://issuer.invalid",
    "JwtAudience": "local",
}
_UPLOADS_AT_ONCE = 4
_RETRY_BASE_SECONDS = 0.5  # AWS waits 60: nobody wants to, to see the same error a third time
_PACE = Pace(poll_seconds=0.05)
_CAPABILITIES = ("CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")  # nobody is at risk on an engine of one's own


@dataclass(frozen=True)
class LocalPipeline:
    """A rendered pipeline of one stack.

    Attributes:
        name: Also the stack's name.
        template: As rendered; it is deployed unchanged.
        layers: The layers that are built for the functions.
        parameters: Values for parameters that have no default; those that name or describe something outside of the
            template are chosen here if they are left out.
        key_prefix: What the object keys of uploads begin with, before the names of the files.
        user_metadata: The user metadata of uploads.
        source_bucket: Logical id of the bucket that takes the uploads.
        table: Logical id of the metadata table.
    """

    name: str
    template: str
    functions: tuple[LocalFunction, ...]
    layers: tuple[LocalFunction, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    key_prefix: str = ""
    user_metadata: Mapping[str, str] = field(default_factory=dict)
    source_bucket: str = "SourceBucket"
    table: str = "ImageMetadataTable"


class Progress(Protocol):
    """Hears of a run as it goes."""

    def phase(self, name: str, detail: str = "") -> None:
        """`runtime`, `engine`, `package`, `deploy`, `upload`, `settle` or `stop` begins."""

    def stack_event(self, event: StackEvent) -> None:
        """CloudFormation did a step."""

    def uploaded(self, done: int, total: int) -> None:
        """A file is in the source bucket."""

    def settled(self, result: FileResult, done: int, total: int) -> None:
        """A file that the trigger heeds reached its end; total leaves out ignored files."""


class Silent:
    """Progress that nobody hears."""

    def phase(self, name: str, detail: str = "") -> None:
        """Say nothing."""

    def stack_event(self, event: StackEvent) -> None:
        """Say nothing."""

    def uploaded(self, done: int, total: int) -> None:
        """Say nothing."""

    def settled(self, result: FileResult, done: int, total: int) -> None:
        """Say nothing."""


def run_files(
    pipeline: LocalPipeline, arguments: Sequence[Path], out: Path, progress: Progress | None = None
) -> RunReport:
    """Run files through the rendered template on an engine of their own.

    Args:
        pipeline: What to run.
        arguments: Files, and folders whose files are meant.
        out: Folder for the results: `<key>.json` and the thumbnails beside it.
        progress: Hears of it.

    Raises:
        ImgpipeError: The files cannot be used, the engine or the stack does not start. Files that get lost are no
            error here: the report tells.
    """
    with terminating_cleanly(), _no_empty_folder(out):
        try:
            return _run(pipeline, arguments, out, progress or Silent())
        except (BotoCoreError, ClientError) as error:
            raise LocalEngineError(f"{pipeline.name}: local engine: {error}") from error


def _run(pipeline: LocalPipeline, arguments: Sequence[Path], out: Path, report: Progress) -> RunReport:
    check_installed()
    parameters = _parameters(pipeline)
    selection = select_files(arguments, out, key_prefix=pipeline.key_prefix)
    clock = _Clock(report)
    clock.phase("runtime")
    interpreters = {function.runtime: find_interpreter(function.runtime) for function in pipeline.functions}
    runtimes = {name: _runtime(one, clock) for name, one in interpreters.items()}
    clock.phase("engine")
    with running_engine(runtimes, retry_base_seconds=_RETRY_BASE_SECONDS) as engine:
        clients = Clients(engine.session(), engine.endpoint_url)
        clock.phase("package")
        packages = tuple(local_packages(pipeline.functions, pipeline.layers, interpreters, engine.folder))
        clock.phase("deploy", pipeline.name)
        ids = _deploy(clients, pipeline, parameters, packages, report)
        clock.phase("upload", ids[pipeline.source_bucket])
        uploads = _upload(engine, clients, ids[pipeline.source_bucket], pipeline, selection.files, report)
        clock.phase("settle")
        results = _results(engine, clients, ids, pipeline, uploads, out, report)
        denied = [call for call in engine.calls() if not call.is_allowed]
        clock.phase("stop")
    clock.end()
    notes = [one.explain(runtime) for runtime, one in interpreters.items()]
    refused = tuple(f"role {call.role} may not {call.action} on {call.resource}" for call in denied)
    in_order = tuple(results[file] for file in selection.files)
    sheet = write_contact_sheet(out, pipeline.name, in_order)
    return RunReport(in_order, selection.skipped, tuple(notes), clock.seconds, denied=refused, sheet=sheet)


@contextlib.contextmanager
def _no_empty_folder(out: Path) -> Iterator[None]:
    """Remove the output folder, and those above it, if the run made them and leaves them empty."""
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        yield
    finally:
        for folder in missing:
            try:
                folder.rmdir()
            except OSError:
                break


def _runtime(interpreter: Interpreter, clock: _Clock) -> Runtime:
    folder = runtime_folder(interpreter, announce=lambda sentence: clock.phase("runtime", sentence))
    return Runtime(interpreter.path, folder)


def _deploy(
    clients: Clients,
    pipeline: LocalPipeline,
    parameters: Mapping[str, str],
    packages: tuple[FunctionPackage, ...],
    report: Progress,
) -> dict[str, str]:
    ensure_bucket(clients, _ARTIFACT_BUCKET)
    deployment = Deployment(
        stack_name=pipeline.name,
        template=pipeline.template,
        parameters=parameters,
        capabilities=_CAPABILITIES,
        packages=packages,
    )
    stack = deploy(clients, deployment, artifact_bucket=_ARTIFACT_BUCKET, pace=_PACE, on_event=report.stack_event)
    ids = resource_ids(clients, stack.stack_id)
    for needed in (pipeline.source_bucket, pipeline.table):
        if needed not in ids:
            raise LocalEngineError(f"{pipeline.name}: {needed}: is not in the stack; expected a pipeline that has it")
    return ids


def _parameters(pipeline: LocalPipeline) -> dict[str, str]:
    declared = json.loads(pipeline.template).get("Parameters", {})
    values = {name: value for name, value in _VALUES.items() if name in declared} | dict(pipeline.parameters)
    given = {*values, "CodeBucket", *(one.code_parameter for one in (*pipeline.functions, *pipeline.layers))}
    if missing := sorted(name for name, one in declared.items() if "Default" not in one and name not in given):
        raise LocalEngineError(
            f"{pipeline.name}: {', '.join(missing)}: would come from an account, which a local run has not;"
            " expected a configuration without such parameters"
        )
    return values


def _upload(
    engine: Engine,
    clients: Clients,
    bucket: str,
    pipeline: LocalPipeline,
    files: Sequence[SourceFile],
    report: Progress,
) -> list[Upload | FileResult]:
    """Upload as somebody who may do nothing else: the account's root would pass every bucket policy.

    A file that cannot be uploaded is lost, and the others go on.
    """
    s3 = _uploader(engine, clients, bucket).client("s3", endpoint_url=engine.endpoint_url)
    types = mimetypes.MimeTypes()  # Python's own table: the machine's would make results depend on the machine

    def put(file: SourceFile) -> Upload | FileResult:
        key, told = f"{pipeline.key_prefix}{file.key}", {"Metadata": dict(pipeline.user_metadata)}
        kind = types.guess_type(file.key)[0] or "application/octet-stream"
        try:
            with file.path.open("rb") as content:
                answer = s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType=kind, **told)
        except (OSError, ClientError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            return FileResult(file, "lost", f"cannot be uploaded: {reason}")
        return Upload(file, ObjectVersion.of(bucket, key, answer.get("VersionId")))

    uploads = []
    workers = concurrent.futures.ThreadPoolExecutor(_UPLOADS_AT_ONCE)
    try:
        for done, upload in enumerate(workers.map(put, files), start=1):
            uploads.append(upload)
            report.uploaded(done, len(files))
    finally:
        workers.shutdown(cancel_futures=True)  # after Ctrl-C nobody waits for the rest
    return uploads


def _uploader(engine: Engine, clients: Clients, bucket: str) -> Any:
    iam = clients.session.client("iam", endpoint_url=clients.endpoint_url)
    statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    iam.create_user(UserName="uploader")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="uploader", PolicyName="upload", PolicyDocument=policy)
    key = iam.create_access_key(UserName="uploader")["AccessKey"]
    return engine.session(key["AccessKeyId"], key["SecretAccessKey"])


def _results(
    engine: Engine,
    clients: Clients,
    ids: Mapping[str, str],
    pipeline: LocalPipeline,
    uploads: Sequence[Upload | FileResult],
    out: Path,
    report: Progress,
) -> dict[SourceFile, FileResult]:
    bucket = ids[pipeline.source_bucket]
    listeners = _listeners(clients, bucket)
    results: dict[SourceFile, FileResult] = {}
    heeded = []
    for upload in uploads:
        if isinstance(upload, FileResult):
            clear_result(out, upload.file)
            results[upload.file] = upload
        elif reason := why_ignored(upload.version.key, listeners):
            clear_result(out, upload.file)
            results[upload.file] = FileResult(upload.file, "ignored", reason)
        else:
            heeded.append(upload)
    table = _Table(clients, ids[pipeline.table])
    for done, settled in enumerate(settle(heeded, engine.deliveries, table.items), start=1):
        file = settled.upload.file
        if settled.item is None:
            clear_result(out, file)
            result = FileResult(file, "lost", settled.reason, log=settled.log)
        else:
            result = _written(out, file, settled.item, table)
        results[file] = result
        report.settled(result, done, len(heeded))
    return results


def _written(out: Path, file: SourceFile, item: Item, table: _Table) -> FileResult:
    """The written result; a file whose results cannot be written is lost, and the others go on."""
    try:
        return write_result(out, file, item, table.download)
    except InputError as error:
        return FileResult(file, "lost", str(error))


def _listeners(clients: Clients, bucket: str) -> tuple[Listener, ...]:
    configuration = clients.s3.get_bucket_notification_configuration(Bucket=bucket)
    listeners: list[Listener] = [*notification_filters(configuration)]
    if "EventBridgeConfiguration" in configuration:
        events = clients.session.client("events", endpoint_url=clients.endpoint_url)
        listeners += rule_patterns(events, bucket)
    return tuple(listeners)


class _Table:
    """The metadata table, read as the account's root: it is the run that looks, not the pipeline."""

    def __init__(self, clients: Clients, name: str) -> None:
        self._s3 = clients.s3
        self._dynamodb = clients.session.client("dynamodb", endpoint_url=clients.endpoint_url)
        self._name = name

    def items(self) -> dict[ObjectVersion, Item]:
        """Every item by the object that it describes."""
        found: dict[ObjectVersion, Item] = {}
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._name, ConsistentRead=True):
            for typed in page["Items"]:
                item = plain_item(typed)
                found[ObjectVersion.of(item["BucketName"], item["ObjectKey"], item.get("VersionId"))] = item
        return found

    def download(self, bucket: str, key: str) -> bytes:
        """An object's content."""
        content: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content


class _Clock:
    """Tells the progress which phase begins, and keeps how long each took."""

    def __init__(self, report: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self._report = report
        self._name = ""
        self._began = time.monotonic()

    def phase(self, name: str, detail: str = "") -> None:
        self.end()
        self._name = name
        self._report.phase(name, detail)

    def end(self) -> None:
        now = time.monotonic()
        if self._name:
            self.seconds[self._name] = self.seconds.get(self._name, 0.0) + now - self._began
        self._began = now
