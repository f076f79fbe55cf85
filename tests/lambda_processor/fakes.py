"""The AWS clients of the processor, in memory, with the methods that it may call; images to try it on."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any

from botocore.exceptions import ClientError
from botocore.session import get_session
from botocore.validate import validate_parameters
from PIL import Image

from imgpipe_processor.imaging.recipe import Limits, Recipe
from imgpipe_processor.invocation import handle
from imgpipe_processor.processing import Processor
from imgpipe_processor.reports import Reporter
from imgpipe_processor.settings import Settings, ThumbnailSettings
from tests.lambda_processor.deliveries import ETAG, SOURCE, event, record
from tests.lambda_processor.table import NAME, carry_out

CAT_ID = "30454758-41c2-5cb7-b19a-6f3b584edc55"  # the id of cat.jpg, version v1
THUMBNAILS = "image-thumbnail-bucket-dev-111122223333"
SETTINGS = Settings(
    metadata_table=NAME,
    environment="staging",
    environment_suffix="dev",
    max_source_bytes=1_000_000,
    index_shards=4,
    source_bucket=SOURCE,
    limits=Limits(max_pixels=4_000_000, max_frames=1000, memory_bytes=512 * 2**20),
    recipe=Recipe((128,)),
    thumbnails=ThumbnailSettings(THUMBNAILS, "thumbnails/", (128,)),
)
METADATA_ONLY = SETTINGS._replace(thumbnails=None, recipe=Recipe(()))
TOPIC = "arn:aws:sns:eu-west-1:111122223333:reports"
# What a role has to allow for a call ("Actions defined by Amazon S3", Service Authorization Reference, read 2026-11):
# looking is reading, and naming a version makes either another action.
ACTIONS = {
    "GetItem": "dynamodb:GetItem",
    "PutItem": "dynamodb:PutItem",
    "UpdateItem": "dynamodb:UpdateItem",
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "Publish": "sns:Publish",
}


def making(bucket: str, prefix: str, sizes_px: tuple[int, ...], settings: Settings = SETTINGS) -> Settings:
    """The settings with other thumbnails."""
    thumbnails = ThumbnailSettings(bucket, prefix, sizes_px)
    return settings._replace(thumbnails=thumbnails, recipe=settings.recipe._replace(sizes_px=sizes_px))


class Crash(BaseException):
    """The end of the process, which no handler sees."""


@cache
def _input_of(call: str) -> Any:
    """What AWS's model says of the arguments of a call."""
    service, _, _ = ACTIONS[call].partition(":")
    return get_session().get_service_model(service).operation_model(call).input_shape


def client_error(code: str, status: int, operation: str = "GetObject") -> ClientError:
    answer = {"Error": {"Code": code, "Message": "secret words"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)


class Body:
    """A body that knows how many bytes were taken from it."""

    def __init__(self, data: bytes) -> None:
        self._stream = BytesIO(data)
        self.taken = 0
        self.closed = False

    def read(self, amount: int) -> bytes:
        chunk = self._stream.read(amount)
        self.taken += len(chunk)
        return chunk

    def close(self) -> None:
        self.closed = True


@dataclass
class Aws:
    """All clients.

    Args:
        etags: of the objects that have another one than `ETAG`, by their keys.
        lost: names of calls, once for each answer that never arrives, so that the client sends the call again.
        before: is told the name of every call, and may raise; `after` as well.
    """

    objects: dict[tuple[str, str, str | None], tuple[bytes, str | None]] = field(default_factory=dict)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    uploads: list[dict[str, Any]] = field(default_factory=list)
    reads: list[dict[str, Any]] = field(default_factory=list)
    looks: list[dict[str, Any]] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    bodies: list[Body] = field(default_factory=list)
    etags: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    body: type[Body] = Body
    attempts: Iterator[int] = field(default_factory=itertools.count)
    before: Callable[[str], None] = lambda _call: None
    after: Callable[[str], None] = lambda _call: None

    def _called(self, name: str, request: dict[str, Any], effect: Callable[[], Any]) -> Any:
        validate_parameters(request, _input_of(name))  # which the function's own clients do without
        self.calls.append(name)
        self.before(name)
        while name in self.lost:
            self.lost.remove(name)
            with suppress(ClientError):
                effect()
        try:
            return effect()
        finally:
            self.after(name)

    def _found(self, request: dict[str, Any], refusal: str) -> tuple[bytes, dict[str, Any]]:
        found = self.objects.get((request["Bucket"], request["Key"], request.get("VersionId")))
        if found is None:
            raise client_error(refusal, 403)
        if request.get("IfMatch") not in {None, f'"{self.etags.get(request["Key"], ETAG)}"'}:
            raise client_error("PreconditionFailed", 412)
        data, content_type = found
        typed = {"ContentType": content_type} if content_type else {}
        return data, {"ContentLength": len(data), "Metadata": self.metadata, **typed}

    def get_object(self, **request: Any) -> dict[str, Any]:
        def effect() -> dict[str, Any]:
            self.reads.append(request)
            data, about = self._found(request, "AccessDenied")
            self.bodies.append(self.body(data))
            return {"Body": self.bodies[-1], **about}

        return self._called("GetObject", request, effect)

    def head_object(self, **request: Any) -> dict[str, Any]:
        def effect() -> dict[str, Any]:
            self.looks.append(request)
            return self._found(request, "403")[1]  # no body, so the status is all there is

        return self._called("HeadObject", request, effect)

    def publish(self, **request: Any) -> dict[str, Any]:
        return self._called("Publish", request, lambda: self.reports.append(request) or {})

    def put_object(self, **request: Any) -> dict[str, Any]:
        return self._called("PutObject", request, lambda: self.uploads.append(request) or {})

    def get_item(self, **request: Any) -> dict[str, Any]:
        assert request["ConsistentRead"] is True
        return self._on_table("GetItem", request)

    def put_item(self, **request: Any) -> dict[str, Any]:
        return self._on_table("PutItem", request)

    def update_item(self, **request: Any) -> dict[str, Any]:
        return self._on_table("UpdateItem", request)

    def _on_table(self, call: str, request: dict[str, Any]) -> dict[str, Any]:
        return self._called(call, request, lambda: carry_out(call, request, self.items))

    @property
    def thumbnails(self) -> dict[tuple[str, str], bytes]:
        """What lies in the buckets that thumbnails are written to, by bucket and key."""
        return {(upload["Bucket"], upload["Key"]): upload["Body"] for upload in self.uploads}

    @property
    def item(self) -> dict[str, Any]:
        """The only item of the table."""
        (item,) = self.items.values()
        return item


def holding(*keys: str, data: bytes | None = None) -> Aws:
    """The clients, with version v1 of these objects in the source bucket: a photo, or `data`."""
    content = encoded(photo()) if data is None else data
    return Aws({(SOURCE, key, "v1"): (content, "image/jpeg") for key in keys})


def ticking_clock(step: timedelta = timedelta(milliseconds=250)) -> Callable[[], datetime]:
    moment = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)

    def now() -> datetime:
        nonlocal moment
        moment += step
        return moment

    return now


def processor(aws: Aws, settings: Settings = SETTINGS) -> Processor:
    return Processor(settings, aws, aws, ticking_clock(), lambda: f"attempt-{next(aws.attempts)}")


def send(
    aws: Aws,
    message: Any,
    *,
    settings: Settings = SETTINGS,
    reports: str | None = None,
    remaining_ms: Callable[[], int] = lambda: 60_000,
) -> dict[str, Any]:
    """One invocation; `reports` names the occasion, if any."""
    reporter = Reporter(aws, TOPIC, reports) if reports else None
    return handle(message, processor(aws, settings), reporter, request_id="r-1", remaining_ms=remaining_ms)


def run(aws: Aws, *records: dict[str, Any], settings: Settings = SETTINGS) -> dict[str, Any]:
    """One invocation by an S3 notification."""
    return send(aws, event(*records), settings=settings)


def exercised(settings: Settings) -> Aws:
    """What was called for good, bad, missing and repeated images, with and without versions."""
    aws = Aws()
    good, bad, gone = (f"{settings.upload_prefix}alice/{name}.jpg" for name in ("good", "bad", "gone"))
    for version_id in ("v1", None):
        aws.objects[SOURCE, good, version_id] = (encoded(photo()), "image/jpeg")
        aws.objects[SOURCE, bad, version_id] = (b"no image", "image/jpeg")
        records = [record(key, version_id=version_id) for key in (good, bad, gone, good)]
        send(aws, event(*records), settings=settings, reports=settings.reports and settings.reports.occasion)
    return aws


def actions_needed(settings: Settings) -> set[str]:
    """Every action that the function's role has to allow with these settings, and no other."""
    aws = exercised(settings)
    versioned = any("VersionId" in request for request in aws.reads + aws.looks)
    return {ACTIONS[call] for call in aws.calls} | ({"s3:GetObjectVersion"} if versioned else set())


def raising(error: BaseException, at: str) -> Callable[[str], None]:
    """Raises at the first call of that name."""
    left = [error]

    def told(call: str) -> None:
        if call == at and left:
            raise left.pop()

    return told


def log_lines(capsys: Any) -> list[dict[str, Any]]:
    """What the log has got since the last look: each line JSON, and ASCII."""
    out = capsys.readouterr().out
    assert out.isascii()
    return [json.loads(line) for line in out.splitlines()]


def encoded(image: Image.Image, image_format: str = "JPEG", **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, image_format, **options)
    return out.getvalue()


def decoded(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def photo(width: int = 400, height: int = 200) -> Image.Image:
    """Four quarters: red, green / blue, white."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("lime", (width // 2, 0, width, height // 2))
    image.paste("blue", (0, height // 2, width // 2, height))
    image.paste("white", (width // 2, height // 2, width, height))
    return image
