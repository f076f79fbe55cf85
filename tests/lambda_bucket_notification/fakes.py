"""S3 behind a real client, CloudFormation's response URL on a real port, and requests to try the helper on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from itertools import combinations
from typing import Any
from urllib.parse import unquote_plus, urlsplit
from xml.etree import ElementTree

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from botocore.session import get_session
from botocore.validate import validate_parameters

from imgpipe_bucket_notification.aws import CLIENT_CONFIG, UNVALIDATED
from imgpipe_bucket_notification.invocation import Helper
from imgpipe_templates.checks.facts.bucket_notifications import events_overlap, filters_overlap

ACCOUNT = "111122223333"
STACK = f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/pipeline/6d1f0e40-c0de-11f0-8de9-0242ac120002"
BUCKET = "image-storage-bucket-dev-111122223333"
PROCESSOR = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:ImageProcessor-dev"
QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:theirs"
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:theirs"
THEIR_FUNCTION = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:theirs"
SECRET = "X-Amz-Signature=0123abcd"
GET, PUT = "GET", "PUT"
NOW = 1_800_000_000.0  # seconds since 1970, when every invocation begins
NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
DESTINATION_TAGS = ("CloudFunction", "Queue", "Topic")


def filtered(**rules: str) -> dict[str, Any]:
    return {"Key": {"FilterRules": [{"Name": name, "Value": value} for name, value in rules.items()]}}


# What others have on the bucket, in all four kinds; nothing of it is in the way of .jpg and .png.
FOREIGN = {
    "LambdaFunctionConfigurations": [
        {
            "Id": "their function",
            "LambdaFunctionArn": THEIR_FUNCTION,
            "Events": ["s3:ObjectRemoved:*"],
            "Filter": filtered(Prefix="logs/", Suffix=".gz"),
        }
    ],
    "QueueConfigurations": [
        {
            "Id": "their queue",
            "QueueArn": QUEUE,
            "Events": ["s3:ObjectCreated:Put", "s3:ObjectCreated:Post"],
            "Filter": filtered(Suffix=".csv"),
        }
    ],
    "TopicConfigurations": [{"Id": "their topic", "TopicArn": TOPIC, "Events": ["s3:ReducedRedundancyLostObject"]}],
    "EventBridgeConfiguration": {},
}


@dataclass
class Fault:
    """An error as S3 answers it."""

    status: int
    code: str
    message: str = "words of S3"
    more: str = ""

    def __call__(self) -> tuple[int, str]:
        xml = f"<Error><Code>{self.code}</Code><Message>{self.message}</Message>{self.more}</Error>"
        return self.status, xml


def unvalidated(*arns: str) -> Fault:
    more = "".join(
        f"<ArgumentName{n}>{arn}, null</ArgumentName{n}><ArgumentValue{n}>Not authorized to invoke</ArgumentValue{n}>"
        for n, arn in enumerate(arns, start=1)
    )
    return Fault(400, "InvalidArgument", UNVALIDATED, more)


class Raw(BytesIO):
    """The body of an answer, as botocore reads it."""

    def stream(self, **_arguments: Any) -> Iterator[bytes]:
        yield self.read()


class S3:
    """S3's side of the two calls; everything up to the wire is botocore's own.

    `faults` are answered first, one for each call of that method; `stale` reads show what was before the last write.
    """

    def __init__(self) -> None:
        self.client = get_session().create_client(
            "s3", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b", config=CLIENT_CONFIG
        )
        self.client.meta.events.register("before-send.s3", self._answer)
        self.reset()

    def reset(self) -> None:
        self.locks = Ssm()
        self.buckets: dict[str, str] = {BUCKET: "<NotificationConfiguration/>"}
        self.before: dict[str, str] = {}
        self.owner = ACCOUNT
        self.calls: list[tuple[str, str]] = []
        self.skipped_validation: list[bool] = []
        self.faults: dict[str, list[Callable[[], tuple[int, str]]]] = {GET: [], PUT: []}
        self.dead: set[str] = set()
        self.stale = 0
        self.after_write: Callable[[], None] = lambda: None

    def have(self, configuration: dict[str, Any], bucket: str = BUCKET) -> dict[str, Any]:
        """Somebody sets a bucket's configuration; the answer is how S3 shows it."""
        self.buckets.setdefault(bucket, "<NotificationConfiguration/>")
        dead, self.dead = self.dead, set()
        self.client.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
        shown = self.shown(bucket)
        self.calls.clear()
        self.skipped_validation.clear()
        self.dead = dead
        return shown

    def shown(self, bucket: str = BUCKET) -> dict[str, Any]:
        answer = self.client.get_bucket_notification_configuration(Bucket=bucket)
        self.calls.pop()
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    def entries(self, bucket: str = BUCKET) -> list[dict[str, Any]]:
        """The entries with our function as their destination."""
        entries = self.shown(bucket).get("LambdaFunctionConfigurations", [])
        return [entry for entry in entries if entry["LambdaFunctionArn"] == PROCESSOR]

    def suffixes(self, bucket: str = BUCKET) -> list[str]:
        return [entry["Filter"]["Key"]["FilterRules"][0]["Value"] for entry in self.entries(bucket)]

    def writes(self) -> int:
        return sum(method == PUT for method, _ in self.calls)

    def _answer(self, request: Any, **_arguments: Any) -> AWSResponse:
        url = urlsplit(request.url)
        assert url.query == "notification"
        bucket = url.netloc.partition(".s3.")[0]
        self.calls.append((request.method, bucket))
        status, text = self._respond(request, bucket)
        return AWSResponse(request.url, status, {}, Raw(text.encode()))

    def _respond(self, request: Any, bucket: str) -> tuple[int, str]:
        if self.faults[request.method]:
            return self.faults[request.method].pop(0)()
        if bucket not in self.buckets:
            return Fault(404, "NoSuchBucket")()
        expected = request.headers.get("x-amz-expected-bucket-owner")
        if expected is not None and (expected.decode() if isinstance(expected, bytes) else expected) != self.owner:
            return Fault(403, "AccessDenied")()
        if request.method == GET:
            if self.stale:
                self.stale -= 1
                return 200, self.before[bucket]
            return 200, self.buckets[bucket]
        return self._write(bucket, request)

    def _write(self, bucket: str, request: Any) -> tuple[int, str]:
        skips = request.headers.get("x-amz-skip-destination-validation") in ("true", b"true")
        self.skipped_validation.append(skips)
        tree = ElementTree.fromstring(request.body)  # noqa: S314  botocore has just written it
        entries = [entry for entry in tree if entry.find(f"{NAMESPACE}Event") is not None]
        for number, entry in enumerate(entries):
            if entry.find(f"{NAMESPACE}Id") is None:
                ElementTree.SubElement(entry, f"{NAMESPACE}Id").text = f"S3 made this {number}"
            for name in entry.iter(f"{NAMESPACE}Name"):
                name.text = str(name.text).capitalize()
        ids = [entry.findtext(f"{NAMESPACE}Id") for entry in entries]
        assert len(set(ids)) == len(ids)
        assert all(len(str(identifier)) <= 255 for identifier in ids)
        if any(_overlap(one, other) for one, other in combinations(entries, 2)):
            return Fault(400, "InvalidArgument", "Configurations overlap.")()
        dead = sorted({_destination(entry) for entry in entries} & self.dead)
        if dead and not skips:
            return unvalidated(*dead)()
        self.before[bucket] = self.buckets[bucket]
        self.buckets[bucket] = ElementTree.tostring(tree, encoding="unicode")
        after, self.after_write = self.after_write, lambda: None
        after()
        return 200, ""


def _destination(entry: ElementTree.Element) -> str:
    return next(text for tag in DESTINATION_TAGS if (text := entry.findtext(f"{NAMESPACE}{tag}")))


def _overlap(one: ElementTree.Element, other: ElementTree.Element) -> bool:
    events = [[str(event.text) for event in entry.iter(f"{NAMESPACE}Event")] for entry in (one, other)]
    filters = []
    for entry in (one, other):
        rules = {
            str(rule.findtext(f"{NAMESPACE}Name")): unquote_plus(rule.findtext(f"{NAMESPACE}Value") or "")
            for rule in entry.iter(f"{NAMESPACE}FilterRule")
        }
        filters.append((rules.get("Prefix", ""), rules.get("Suffix", "")))
    return filters_overlap(*filters) and any(events_overlap(a, b) for a in events[0] for b in events[1])


class Ssm:
    """SSM's side of the lock, with arguments and errors of its model.

    `faults` are raised first, one for each call.
    """

    def __init__(self) -> None:
        self.parameters: dict[str, str] = {}
        self.calls: list[str] = []
        self.faults: list[Exception] = []
        self.after_put: Callable[[], None] = lambda: None

    def _called(self, operation: str, arguments: dict[str, Any]) -> None:
        model = get_session().get_service_model("ssm").operation_model(operation)
        validate_parameters(arguments, model.input_shape)
        self.calls.append(operation)
        if self.faults:
            raise self.faults.pop(0)

    def put_parameter(self, **arguments: Any) -> dict[str, Any]:
        self._called("PutParameter", arguments)
        if arguments["Name"] in self.parameters and not arguments["Overwrite"]:
            raise ssm_error("ParameterAlreadyExists")
        self.parameters[arguments["Name"]] = arguments["Value"]
        after, self.after_put = self.after_put, lambda: None
        after()
        return {"Version": 1}

    def get_parameter(self, **arguments: Any) -> dict[str, Any]:
        self._called("GetParameter", arguments)
        if arguments["Name"] not in self.parameters:
            raise ssm_error("ParameterNotFound")
        return {"Parameter": {"Value": self.parameters[arguments["Name"]]}}

    def delete_parameter(self, **arguments: Any) -> dict[str, Any]:
        self._called("DeleteParameter", arguments)
        if self.parameters.pop(arguments["Name"], None) is None:
            raise ssm_error("ParameterNotFound")
        return {}


def ssm_error(code: str, status: int = 400) -> ClientError:
    answer = {"Error": {"Code": code, "Message": "words of SSM"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutParameter")


@dataclass
class Responses:
    """Where CloudFormation waits: what arrived there, and which statuses it answers first."""

    url: str
    received: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)

    def reset(self) -> None:
        for everything in (self.received, self.bodies, self.headers, self.paths, self.statuses):
            everything.clear()
        self.arrived.clear()

    @property
    def only(self) -> dict[str, Any]:
        (answer,) = self.received
        return answer


@contextmanager
def response_server() -> Iterator[Responses]:
    """A server on a port of its own, for as long as the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = responses.statuses.pop(0) if responses.statuses else 200
            responses.paths.append(self.path)
            responses.headers.append({name.lower(): value for name, value in self.headers.items()})
            if status == 200:
                responses.bodies.append(body)
                responses.received.append(json.loads(body))
                responses.arrived.set()
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        responses = Responses(f"http://127.0.0.1:{server.server_port}/answer%3A1?{SECRET}&Expires=1")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield responses
        server.shutdown()
        thread.join()


@dataclass
class Context:
    """Lambda's context; its time passes only while the helper sleeps."""

    seconds: float = 120.0
    slept: list[float] = field(default_factory=list)
    aws_request_id: str = "r-1"
    log_stream_name: str = "2026/11/19/[$LATEST]0123"

    def get_remaining_time_in_millis(self) -> int:
        return int((self.seconds - sum(self.slept)) * 1000)


def jpg(suffix: str = ".jpg", **more: Any) -> dict[str, Any]:
    """One wanted entry, in the S3 API's spelling."""
    return {
        "Id": f"created{suffix}",
        "LambdaFunctionArn": PROCESSOR,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": filtered(suffix=suffix),
        **more,
    }


def properties(*entries: dict[str, Any], bucket: str = BUCKET) -> dict[str, Any]:
    return {
        "ServiceToken": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:S3Notification-dev",
        "BucketName": bucket,
        "LambdaFunctionConfigurations": list(entries) or [jpg(".jpg"), jpg(".png")],
    }


@dataclass
class Bench:
    """The helper with everything around it."""

    s3: S3
    responses: Responses
    context: Context = field(default_factory=Context)
    connect: Callable[[], Any] | None = None
    sleep: Callable[[float], None] | None = None

    def event(self, kind: str, wanted: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        return {
            "RequestType": kind,
            "RequestId": "cfn-1",
            "ResponseURL": self.responses.url,
            "ResourceType": "Custom::S3BucketNotification",
            "LogicalResourceId": "S3BucketNotification",
            "StackId": STACK,
            "ResourceProperties": properties() if wanted is None else wanted,
            **more,
        }

    def send(self, event: Any, **limits: float) -> dict[str, Any]:
        """One invocation; what CloudFormation was answered."""
        helper = Helper(
            connect=self.connect or (lambda: self.s3.client),
            connect_locks=lambda: self.s3.locks,
            sleep=self.sleep or self.context.slept.append,
            clock=lambda: NOW + sum(self.context.slept),
            **limits,
        )
        helper.handle(event, self.context)
        return self.responses.received[-1]

    def create(self, wanted: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        return self.send(self.event("Create", wanted, **more))

    def update(self, wanted: dict[str, Any], old: dict[str, Any], physical_id: str, **more: Any) -> dict[str, Any]:
        return self.send(
            self.event("Update", wanted, OldResourceProperties=old, PhysicalResourceId=physical_id, **more)
        )

    def delete(self, physical_id: str, wanted: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        return self.send(self.event("Delete", wanted, PhysicalResourceId=physical_id, **more))


def log_lines(capsys: Any) -> list[dict[str, Any]]:
    """What the log has got since the last look: each line JSON, and ASCII."""
    out = capsys.readouterr().out
    assert out.isascii()
    return [json.loads(line) for line in out.splitlines()]
