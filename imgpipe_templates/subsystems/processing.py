"""Processing: the function that turns an upload into a thumbnail and a metadata item."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from awacs.aws import Statement
from pydantic import Field
from troposphere import Ref

from imgpipe_templates import grants
from imgpipe_templates.configuration import Conflict, Hint, Length, OnlyWith, Range, Section, Unit
from imgpipe_templates.core.handles import Bucket, Function, Queue, Table, Topic
from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.parameters import PROCESSING, ParameterSpec
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns.functions import (
    Architecture,
    FunctionPlan,
    FunctionSettings,
    LogRetentionDays,
    Retries,
    Runtime,
    add_function,
    add_layer,
    existing_layer,
)
from imgpipe_templates.patterns.image_memory import animated_bytes, still_bytes
from imgpipe_templates.patterns.output import ANIMATED, OutputConfig
from imgpipe_templates.patterns.queues import DeadLetterSenders, add_dead_letter_queue
from imgpipe_templates.patterns.roles import FunctionDefaults

THUMBNAIL_SIZE_PX = Range(64, 512, "pixels")
MAX_SOURCE_BYTES = Range(1_024, 104_857_600, "bytes")
MAX_SOURCE_PIXELS = Range(4_096, 500_000_000, "pixels")

MADE = OnlyWith({"processing.thumbnails": (True,)})
# The queue delivers a failed message again by itself; Lambda's own retries and their limits are for its other triggers.
INVOKED = OnlyWith({"trigger": ("s3", "custom-resource", "eventbridge")})

# glibc's own variables ("Memory allocation tunables", The GNU C Library). The heap keeps what an image leaves, up to
# 256 MB, for the next one, instead of requesting every page again. Measured: a WebP needs two thirds of the time, an
# AVIF four fifths. All threads share one heap that grows by the requested size: the function's memory limit counts
# addresses, and a heap for each thread, or one that grows in large steps, has many that are never used.
ALLOCATOR = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(256 * 2**20),
}


# One queue, one alarm; docs/processor.md says how to distinguish the messages.
_DEAD_LETTERS = (
    "Queue of the events that failed on every attempt, from each sender: Lambda, the upload queue or the "
    "EventBridge rule"
)


class ProcessingConfig(Section):
    """The function that makes thumbnails."""

    thumbnail_size_px: Annotated[int, THUMBNAIL_SIZE_PX, Field(description="Longest side of the thumbnail."), MADE] = (
        128
    )
    thumbnails: Annotated[bool, Field(description="Make thumbnails; if false, the processor only stores metadata.")] = (
        True
    )
    extra_thumbnail_sizes_px: Annotated[
        tuple[Annotated[int, Range(16, 2048, "pixels")], ...],
        Length(0, 5, "sizes"),
        Field(description="Longest sides of additional thumbnails. The image is decoded only once."),
        MADE,
    ] = ()
    engine: Annotated[
        Literal["pillow", "libvips"],
        Field(
            description="Library that decodes and shrinks images. `libvips` is added to Pillow; it is faster for PNG, "
            "WebP and large thumbnails, and makes the package larger."
        ),
    ] = "pillow"
    heic: Annotated[
        bool,
        Field(
            description="Process HEIC, the format of iPhones. The decoder makes the package larger. If false, HEIC is "
            "refused as unsupported."
        ),
    ] = False
    pillow: Annotated[
        Literal["bundled", "layer", "existing-layer"],
        Field(
            description="Where the function imports Pillow from: its package (`bundled`), a layer that this project "
            "builds (`layer`), or a layer of your own (`existing-layer`). The libraries for `engine` and "
            "`heic` must be in the same place."
        ),
        Hint("the ARN of an existing layer is a template parameter, which is given at deployment"),
    ] = "bundled"
    max_source_bytes: Annotated[
        int, MAX_SOURCE_BYTES, Field(description="Refuse larger uploads without reading them.")
    ] = 20_971_520
    max_source_pixels: Annotated[
        int,
        MAX_SOURCE_PIXELS,
        Field(
            description="Refuse images with more pixels (width times height) without decoding them. memory_mb must be "
            "sufficient for a JPEG or PNG of this size. For formats that need more memory per pixel, such "
            "as WebP, AVIF, HEIC and TIFF, the function refuses images that do not fit."
        ),
    ] = 49_000_000
    max_source_frames: Annotated[
        int,
        Range(1, 100_000, "frames"),
        Field(
            description="Count frames and pages up to one more than this number. An image with more is processed as a "
            "still image of its first frame or page."
        ),
    ] = 1_000
    timeout_seconds: Annotated[int, Range(1, 900, "seconds"), Field(description="Timeout of one invocation.")] = 60
    memory_mb: Annotated[
        int,
        Range(128, 10_240, "MB"),
        Field(description="Memory of the function. Lambda assigns CPU in proportion to it."),
    ] = 512
    runtime: Annotated[Runtime, Field(description="Lambda runtime of the function.")] = "python3.13"
    architecture: Annotated[Architecture, Field(description="Instruction set of the function.")] = "arm64"
    reserved_concurrency: Annotated[
        int | None,
        Range(1, 1_000, "invocations"),
        Field(
            description="Reserved concurrency of the function, which is also its maximum. If it is not set, the "
            "function uses the account's unreserved concurrency."
        ),
    ] = None
    failed_events: Annotated[
        Literal["dead-letter", "destination"],
        Field(
            description="Content of the dead-letter queue: the event (`dead-letter`), or the event with its error "
            "(`destination`)."
        ),
        INVOKED,
    ] = "dead-letter"
    retry_attempts: Annotated[
        int,
        Range(0, 2, "attempts"),
        Field(description="Maximum number of retries for a failed asynchronous invocation."),
        INVOKED,
    ] = 2
    max_event_age_seconds: Annotated[
        int,
        Range(60, 21_600, "seconds"),
        Field(description="Maximum age of an event in Lambda's asynchronous queue."),
        INVOKED,
    ] = 21_600
    log_retention_days: Annotated[
        LogRetentionDays, Unit("days"), Field(description="Retention of the function's logs.")
    ] = 30
    output: Annotated[OutputConfig, MADE] = Field(default_factory=OutputConfig)

    @property
    def extras(self) -> tuple[str, ...]:
        """What the package of the function requires beyond Pillow."""
        return (*(["heic"] if self.heic else []), *([self.engine] if self.engine != "pillow" else []))

    def conflicts(self) -> Iterator[Conflict]:
        """Limits beyond each other or the memory."""
        frames = self.output.max_animation_frames
        if self.output.animation == ANIMATED and frames > self.max_source_frames:
            yield Conflict(
                ("output.max_animation_frames", "max_source_frames"),
                f"{frames} is never reached, because frames are counted up to {self.max_source_frames}; "
                f"expected max_animation_frames of at most {self.max_source_frames}",
            )
        yield from self._beyond_memory()

    @property
    def _sides_px(self) -> tuple[int, ...]:
        """Of the thumbnails, the usual one as large as a deployment can have it."""
        return (int(THUMBNAIL_SIZE_PX.high), *self.extra_thumbnail_sizes_px)

    def _still_mb(self) -> int:
        """What the largest image needs."""
        needed = still_bytes(
            pixels=self.max_source_pixels,
            source_bytes=self.max_source_bytes,
            sides_px=self._sides_px,
            output_format=self.output.format,
        )
        return math.ceil(needed / 2**20)

    def _animated_mb(self) -> int:
        """What the largest animation needs that stays one."""
        if self.output.animation != ANIMATED:
            return 0
        needed = animated_bytes(
            frames=self.output.max_animation_frames,
            animation_pixels=self.output.max_animation_pixels,
            pixels=self.max_source_pixels,
            source_bytes=self.max_source_bytes,
            sides_px=self._sides_px,
            quality=self.output.webp_quality,
        )
        return math.ceil(needed / 2**20)

    def _beyond_memory(self) -> Iterator[Conflict]:
        """Limits that would let an image in which the function's memory cannot hold."""
        needed_mb = self._still_mb()
        if needed_mb > self.memory_mb:
            yield Conflict(
                ("memory_mb", "max_source_pixels", "max_source_bytes"),
                f"{self.memory_mb} MB cannot hold an image of {self.max_source_pixels:,} pixels and "
                f"{self.max_source_bytes:,} bytes and its thumbnails; expected memory_mb of at least {needed_mb} MB, "
                "or smaller limits",
            )
        needed_mb = self._animated_mb()
        if needed_mb > self.memory_mb:
            yield Conflict(
                ("memory_mb", "output.max_animation_frames", "output.max_animation_pixels"),
                f"{self.memory_mb} MB cannot hold an animation of {self.output.max_animation_frames:,} frames and "
                f"{self.output.max_animation_pixels:,} pixels and its thumbnails; expected memory_mb of at least "
                f"{needed_mb} MB, or smaller limits",
            )


@dataclass(frozen=True)
class Processing:
    """What processing offers: the processor, its timeout and retries, and the queue of what it could not process."""

    processor: Function
    timeout_seconds: int
    retry_attempts: int
    dead_letters: Queue


@dataclass(frozen=True)
class Inputs:
    """What the processor works with.

    Attributes:
        source: Bucket of the uploads.
        thumbnails: Bucket of the thumbnails; None if no thumbnails are made.
        images: One item per upload.
        index_shards: Over how many partitions an index of the table spreads a day.
        upload_prefix: Keys that do not start with it are no uploads.
        output_prefix: Keys of thumbnails start with it.
        user_id_from: Source of the user ID; empty if there is none.
        reports: The topic that receives reports; None if reports are off.
        report_on: Which invocations are reported, the option notifications.reports.
        dead_letter_senders: Resources of the trigger that send messages to the dead-letter queue.
        dead_letter_senders: Resources of the trigger that send messages to the dead-letter queue.
    """

    source: Bucket
    thumbnails: Bucket | None
    images: Table
    index_shards: int
    upload_prefix: str
    output_prefix: str
    user_id_from: str
    reports: Topic | None
    report_on: str
    dead_letter_senders: DeadLetterSenders


def add_processing(scope: Scope, config: ProcessingConfig, shared: FunctionDefaults, *, inputs: Inputs) -> Processing:
    """Add the processor, which reads uploads, writes thumbnails, keeps items, and touches nothing else."""
    dead_letters = add_dead_letter_queue(scope, "ProcessorDeadLetterQueue", shared.key, inputs.dead_letter_senders)
    plan = FunctionPlan(
        "ImageProcessor",
        package="processor",
        description="Makes thumbnails of every uploaded image and keeps its metadata"
        if inputs.thumbnails
        else "Keeps the metadata of every uploaded image",
        permissions=_permissions(inputs),
        environment=_environment(scope, config, inputs),
        settings=_settings(scope, config),
        services=("dynamodb", "lambda", "s3", "sns", "sqs") if inputs.reports else ("dynamodb", "lambda", "s3", "sqs"),
        dead_letters=dead_letters,
        retries=Retries(
            config.retry_attempts, config.max_event_age_seconds, with_error=config.failed_events == "destination"
        ),
    )
    processor = add_function(scope, plan, shared)
    scope.output(
        "ImageProcessorFunctionArn", processor.arn, "Function that processes the uploads", export="ProcessorFunctionArn"
    )
    scope.output("ImageProcessorFunctionName", processor.name, "Name of the function that processes the uploads")
    scope.output("ProcessorDeadLetterQueueName", dead_letters.name, "Name of the queue of failed events")
    scope.output("ProcessorDeadLetterQueueArn", dead_letters.arn, _DEAD_LETTERS)
    return Processing(processor, config.timeout_seconds, config.retry_attempts, dead_letters)


def _settings(scope: Scope, config: ProcessingConfig) -> FunctionSettings:
    settings = FunctionSettings(
        runtime=config.runtime,
        architecture=config.architecture,
        timeout_seconds=config.timeout_seconds,
        memory_mb=config.memory_mb,
        log_retention_days=config.log_retention_days,
        reserved_concurrency=config.reserved_concurrency,
        extras=config.extras,
    )
    if config.pillow == "bundled":
        return settings
    if config.pillow == "layer":
        return dataclasses.replace(settings, layers=(add_layer(scope, "PillowLayer", "processor", settings),))
    return dataclasses.replace(settings, layers=(existing_layer(scope, "PillowLayer"),))


def _permissions(inputs: Inputs) -> list[Statement]:
    permissions = [grants.read_objects(inputs.source, inputs.upload_prefix), grants.keep_items(inputs.images)]
    if inputs.thumbnails:
        permissions.insert(1, grants.write_objects(inputs.thumbnails, inputs.output_prefix))
    if inputs.reports:
        permissions.append(grants.publish(inputs.reports))
    return permissions


def _environment(scope: Scope, config: ProcessingConfig, inputs: Inputs) -> dict[str, Value]:
    environment: dict[str, Value] = {
        "ENVIRONMENT": Ref("Environment"),
        "ENVIRONMENT_SUFFIX": Ref("EnvironmentSuffix"),
        "INDEX_SHARDS": str(inputs.index_shards),
        **ALLOCATOR,
        "MAX_SOURCE_FRAMES": str(config.max_source_frames),
        "MAX_SOURCE_BYTES": scope.parameter(_max_source_bytes(config)),
        "MAX_SOURCE_PIXELS": scope.parameter(_max_source_pixels(config)),
        "METADATA_TABLE": inputs.images.name,
        "SOURCE_BUCKET": inputs.source.name,
    }
    if config.engine != "pillow":
        environment["ENGINE"] = config.engine
    if config.heic:
        environment["HEIC"] = "true"
    if inputs.thumbnails:
        environment |= config.output.variables()
        environment["OUTPUT_PREFIX"] = inputs.output_prefix
        environment["THUMBNAIL_BUCKET"] = inputs.thumbnails.name
        environment["THUMBNAIL_SIZE"] = scope.parameter(_thumbnail_size(config))
        if config.extra_thumbnail_sizes_px:
            environment["EXTRA_THUMBNAIL_SIZES"] = ",".join(map(str, config.extra_thumbnail_sizes_px))
    if inputs.upload_prefix:
        environment["UPLOAD_PREFIX"] = inputs.upload_prefix
    if inputs.user_id_from:
        environment["USER_ID_FROM"] = inputs.user_id_from
    if inputs.reports:
        environment["REPORTS"] = inputs.report_on
        environment["SNS_TOPIC_ARN"] = inputs.reports.arn
    return dict(sorted(environment.items()))


def _thumbnail_size(config: ProcessingConfig) -> ParameterSpec:
    description = "Longest side of a thumbnail, in pixels"
    return _number("ThumbnailSize", "Thumbnail size", config.thumbnail_size_px, THUMBNAIL_SIZE_PX, description)


def _max_source_bytes(config: ProcessingConfig) -> ParameterSpec:
    # What is configured fits into the function's memory; a deployment can only lower it.
    allowed = Range(MAX_SOURCE_BYTES.low, config.max_source_bytes, "bytes")
    description = "Uploads of more bytes than this are refused unread; more than the default needs more memory"
    return _number("MaxSourceBytes", "Largest upload, in bytes", config.max_source_bytes, allowed, description)


def _max_source_pixels(config: ProcessingConfig) -> ParameterSpec:
    allowed = Range(MAX_SOURCE_PIXELS.low, config.max_source_pixels, "pixels")
    description = (
        "Images of more pixels (width times height) are refused undecoded; more than the default needs more memory"
    )
    return _number("MaxSourcePixels", "Largest image, in pixels", config.max_source_pixels, allowed, description)


def _number(title: str, label: str, default: int, allowed: Range, description: str) -> ParameterSpec:
    properties = {"Type": "Number", "Default": default, **allowed.limits(), "Description": description}
    return ParameterSpec(title, PROCESSING, label, properties)
