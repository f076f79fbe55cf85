"""The pipeline: its configuration, and the one page that shows every wire.

Read `assemble` first. Each line builds one subsystem; a wire is a handle from a line above, so no two subsystems can
wait for each other. docs/architecture.md says what stands behind each word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from graphlib import TopologicalSorter
from typing import Annotated, Literal

from imgpipe_templates.configuration import Conflict, Doc, Length, Pattern, Section
from imgpipe_templates.core.layouts import Assembly, Layout, SingleStack
from imgpipe_templates.core.stack import Stack
from imgpipe_templates.names import LONGEST_SUFFIX, NAMES
from imgpipe_templates.patterns.environment import Environment, declare_environment, standard_tags
from imgpipe_templates.patterns.mandatory_tags import MANDATORY_TAGS
from imgpipe_templates.patterns.retention import DeletionPolicy
from imgpipe_templates.render.manifest import RenderedPipeline
from imgpipe_templates.subsystems.metadata import MetadataConfig, add_metadata
from imgpipe_templates.subsystems.monitoring import MonitoringConfig, add_monitoring
from imgpipe_templates.subsystems.notifications import add_notifications
from imgpipe_templates.subsystems.processing import ProcessingConfig, add_processing
from imgpipe_templates.subsystems.storage import StorageConfig, add_storage
from imgpipe_templates.subsystems.triggers.s3 import add_s3_trigger, upload_notification

SINGLE_STACK = SingleStack()

Extension = Annotated[str, Pattern("^[A-Za-z0-9]{1,10}$", "a file name extension without its dot, such as jpg")]


@dataclass(frozen=True)
class UploadsConfig(Section):
    """Which objects of the source bucket are uploads to process."""

    prefix: Annotated[str, Doc("Only keys that start with it are processed; empty means all.")] = ""
    extensions: Annotated[
        tuple[Extension, ...],
        Length(1, 10, "extensions"),
        Doc("Only keys that end with one of these are processed, in lower or in upper case."),
    ] = ("jpg", "jpeg", "png")


@dataclass(frozen=True)
class PipelineConfig(Section):
    """Everything that a pipeline's file decides."""

    name: Annotated[
        str,
        Pattern("^[a-z][a-z0-9-]{0,39}$", "1 to 40 lower-case letters, digits and hyphens, starting with a letter"),
        Doc("Name of the pipeline: the folder of its templates."),
    ]
    description: Annotated[
        str, Length(1, 500, "characters"), Doc("What the pipeline is for: the description of its stack.")
    ]
    environment: Annotated[Environment, Doc("Default of the parameter Environment.")] = "production"
    environment_suffix: Annotated[
        str,
        Length(1, LONGEST_SUFFIX, "characters"),
        Pattern("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "lower-case letters, digits and hyphens, no hyphen at the ends"),
        Doc("Default of the parameter EnvironmentSuffix, which ends every name."),
    ] = "dev"
    project: Annotated[str, Length(1, 256, "characters"), Doc("The tag Project of every resource.")] = "imgpipe"
    purpose: Annotated[str, Length(1, 256, "characters"), Doc("The tag Purpose of every resource.")] = (
        "image-processing"
    )
    trigger: Annotated[
        Literal["s3"], Doc("What starts the processor for an upload: `s3` is the bucket's own notification.")
    ] = "s3"
    deletion_policy: Annotated[
        DeletionPolicy, Doc("What becomes of images and metadata when the stack is deleted.")
    ] = "retain"
    tags: Annotated[dict[str, str], Doc("More tags of every resource.")] = field(default_factory=dict[str, str])
    uploads: UploadsConfig = field(default_factory=UploadsConfig)
    storage: StorageConfig = field(default_factory=StorageConfig)
    metadata: MetadataConfig = field(default_factory=MetadataConfig)
    processing: ProcessingConfig = field(default_factory=ProcessingConfig)
    monitoring: MonitoringConfig = field(default_factory=MonitoringConfig)

    def conflicts(self) -> Iterator[Conflict]:
        """Tags that would replace the mandatory ones."""
        for key in sorted(set(self.tags) & set(MANDATORY_TAGS)):
            yield Conflict((f"tags.{key}",), "is set by the pipeline itself; expected a tag of another name")


def assemble(config: PipelineConfig, layout: Layout) -> dict[str, Stack]:
    """Build every subsystem, upstream first. A wire can only point at what stands above it."""
    common = partial(
        declare_environment,
        environment=config.environment,
        suffix=config.environment_suffix,
        longest_suffix=LONGEST_SUFFIX,
    )
    tags = standard_tags(project=config.project, purpose=config.purpose, extra=config.tags)
    pipeline = Assembly(layout, NAMES, tags, common)

    notification = upload_notification(NAMES, prefix=config.uploads.prefix, extensions=config.uploads.extensions)
    storage = pipeline.build(
        "storage", add_storage, config.storage, notification=notification, deletion_policy=config.deletion_policy
    )
    metadata = pipeline.build("metadata", add_metadata, config.metadata, deletion_policy=config.deletion_policy)
    notifications = pipeline.build("notifications", add_notifications)
    processing = pipeline.build(
        "processing",
        add_processing,
        config.processing,
        source=storage.source,
        thumbnails=storage.thumbnails,
        images=metadata.images,
        index_shards=metadata.index_shards,
    )
    pipeline.build("triggers", add_s3_trigger, source=storage.source, processor=processing.processor)
    pipeline.build(
        "monitoring",
        add_monitoring,
        config.monitoring,
        processor=processing.processor,
        timeout_seconds=processing.timeout_seconds,
        dead_letters=processing.dead_letters,
        operators=notifications.operators,
    )
    return pipeline.stacks


def render_pipeline(config: PipelineConfig, layout: Layout = SINGLE_STACK) -> RenderedPipeline:
    """The templates of a pipeline as plain dictionaries, and what a deployment has to know of them."""
    stacks = assemble(config, layout)
    order = TopologicalSorter({name: sorted(stack.reads_from) for name, stack in stacks.items()})
    return RenderedPipeline(
        pipeline=config.name,
        layout=layout.name,
        stacks={name: stack.to_dict(config.description) for name, stack in stacks.items()},
        deploy_order=list(order.static_order()),
        functions=[{"stack": name, **asdict(code)} for name, stack in stacks.items() for code in stack.functions],
    )
