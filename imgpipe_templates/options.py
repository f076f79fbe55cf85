"""Everything that a pipeline's file decides: the options of all subsystems, and which of them exclude each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Annotated, Literal

from imgpipe_templates.configuration import Conflict, Doc, Hint, Length, OnlyWith, Pattern, Section
from imgpipe_templates.limits import MAX_DESCRIPTION_BYTES, MAX_EVENT_PATTERN_CHARACTERS
from imgpipe_templates.names import LONGEST_SUFFIX, default_suffix
from imgpipe_templates.patterns.environment import Environment
from imgpipe_templates.patterns.mandatory_tags import (
    MANDATORY_TAGS,
    MAX_TAGS,
    MAX_VALUE_CHARACTERS,
    tag_faults,
    text_fault,
)
from imgpipe_templates.patterns.retention import BACKUP_TAG, DeletionPolicy
from imgpipe_templates.patterns.uploads import MAX_PREFIX_CHARACTERS, UploadFilter
from imgpipe_templates.records import record
from imgpipe_templates.subsystems.backup import BackupConfig
from imgpipe_templates.subsystems.cost import CostConfig
from imgpipe_templates.subsystems.metadata import MetadataConfig
from imgpipe_templates.subsystems.monitoring import MonitoringConfig
from imgpipe_templates.subsystems.network import NetworkConfig
from imgpipe_templates.subsystems.notifications import NotificationsConfig
from imgpipe_templates.subsystems.processing import ProcessingConfig
from imgpipe_templates.subsystems.retrieval import RetrievalConfig
from imgpipe_templates.subsystems.storage import StorageConfig
from imgpipe_templates.subsystems.triggers.queue import QueueConfig

Extension = Annotated[str, Pattern("^[A-Za-z0-9]{1,10}$", "a file name extension without its dot, such as jpg")]
# What the processor decodes by the usual names of its files, without and with processing.heic.
IMAGE_EXTENSIONS = ("jpg", "jpeg", "png", "gif", "webp", "avif", "tif", "tiff", "bmp")
HEIC_EXTENSIONS = ("heic", "heif")

Trigger = Literal["s3", "custom-resource", "eventbridge", "queue"]


@record
class UploadsConfig(Section):
    """Which objects of the source bucket are uploads to process."""

    prefix: Annotated[
        str,
        Length(0, MAX_PREFIX_CHARACTERS, "characters"),
        Pattern("^$|^[A-Za-z0-9._-]+/$", "empty, or a folder and a slash at its end only, such as uploads/"),
        Doc("Only keys that start with it are processed; empty means all."),
    ] = ""
    extensions: Annotated[
        tuple[Extension, ...],
        Length(1, 12, "extensions"),
        Doc(
            "Only keys that end with one of these are processed, in lower or in upper case. Besides JPEG and PNG, the "
            "processor takes gif, webp, avif, tif, tiff and bmp, and where processing.heic is on heic and heif; what "
            "an image is, its content says and not its name."
        ),
    ] = ("jpg", "jpeg", "png")
    user_id: Annotated[
        Literal["none", "first-folder", "metadata"],
        Doc(
            "Whose upload it is: nobody's, that of the first folder of its key (after the prefix), "
            "or that of its user metadata `user-id`."
        ),
    ] = "none"


@record
class SecurityConfig(Section):
    """How roles are made and functions run."""

    policies: Annotated[
        Literal["inline", "managed"],
        Doc("Whether a role's rights stand in the role or in a managed policy."),
    ] = "inline"
    permissions_boundary: Annotated[
        bool,
        Doc("Whether every function's role is bounded by a policy that the deployment names."),
        Hint("the ARN of the policy is a template parameter, which is given at deployment"),
    ] = False
    basic_execution_policy: Annotated[
        bool, Doc("Whether roles carry AWS's policy for logs too, which lets them create any log group.")
    ] = False
    tracing: Annotated[bool, Doc("Whether invocations are traced with X-Ray.")] = False


@record
class PipelineConfig(Section):
    """Everything that a pipeline's file decides."""

    name: Annotated[
        str,
        Pattern("^[a-z][a-z0-9-]{0,39}$", "1 to 40 lower-case letters, digits and hyphens, starting with a letter"),
        Doc("Name of the pipeline: the folder of its templates, and the start of the default suffix of its names."),
    ]
    description: Annotated[
        str, Length(1, 500, "characters"), Doc("What the pipeline is for: the description of its stack.")
    ]
    environment: Annotated[Environment, Doc("Default of the parameter Environment.")] = "development"
    environment_suffix: Annotated[
        str | None,
        Length(1, LONGEST_SUFFIX, "characters"),
        Pattern("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "lower-case letters, digits and hyphens, no hyphen at the ends"),
        Doc(
            "Default of the parameter EnvironmentSuffix, which ends every name. Left out, it is the pipeline's name "
            "with `dev`, `stage` or `prod`, so that pipelines of one account do not collide; a preset has `dev`."
        ),
    ] = None
    project: Annotated[str, Length(1, 256, "characters"), Doc("The tag Project of every resource.")] = "imgpipe"
    purpose: Annotated[str, Length(1, 256, "characters"), Doc("The tag Purpose of every resource.")] = (
        "image-processing"
    )
    names: Annotated[
        Literal["suffix", "regional", "generated"],
        Doc(
            "`suffix`: names end with EnvironmentSuffix; `regional`: those of buckets also have the Region, so that "
            "one suffix can be deployed to several Regions, such as by a StackSet; `generated`: CloudFormation makes "
            "up most. Except with `generated`, a stack with the trigger `custom-resource` keeps its first suffix: "
            "CloudFormation refuses another ServiceToken."
        ),
    ] = "suffix"
    trigger: Annotated[
        Trigger,
        Doc(
            "What starts the processor for an upload: the bucket's own notification (`s3`, or `custom-resource`, which "
            "sets it last), an EventBridge rule, or a queue."
        ),
    ] = "s3"
    deletion_policy: Annotated[
        DeletionPolicy, Doc("What becomes of images and metadata when the stack is deleted.")
    ] = "retain"
    customer_managed_key: Annotated[
        bool, Doc("Whether one KMS key of the pipeline's own encrypts images, items, messages and logs.")
    ] = False
    vpc: Annotated[bool, Doc("Whether the processor and the API's function stand in a VPC.")] = False
    backups: Annotated[bool, Doc("Whether AWS Backup copies images and metadata every day.")] = False
    budget: Annotated[bool, Doc("Whether a monthly budget tells what the pipeline costs.")] = False
    tags: Annotated[
        dict[str, str],
        Doc(
            "More tags of every resource, besides Environment, Project, Purpose and iac-rlhf-amazon. The last one is a "
            "convention of this project's tagging policy; a fork changes it in patterns/mandatory_tags.py."
        ),
    ] = field(default_factory=dict[str, str])
    uploads: UploadsConfig = field(default_factory=UploadsConfig)
    queue: Annotated[QueueConfig, OnlyWith({"trigger": ("queue",)})] = field(default_factory=QueueConfig)
    storage: StorageConfig = field(default_factory=StorageConfig)
    metadata: MetadataConfig = field(default_factory=MetadataConfig)
    processing: ProcessingConfig = field(default_factory=ProcessingConfig)
    retrieval: Annotated[RetrievalConfig, OnlyWith({"retrieval.enabled": (True,)})] = field(
        default_factory=RetrievalConfig
    )
    notifications: NotificationsConfig = field(default_factory=NotificationsConfig)
    monitoring: MonitoringConfig = field(default_factory=MonitoringConfig)
    security: SecurityConfig = field(default_factory=SecurityConfig)
    network: Annotated[NetworkConfig, OnlyWith({"vpc": (True,)})] = field(default_factory=NetworkConfig)
    backup: Annotated[BackupConfig, OnlyWith({"backups": (True,)})] = field(default_factory=BackupConfig)
    cost: Annotated[CostConfig, OnlyWith({"budget": (True,)})] = field(default_factory=CostConfig)

    def _when_built(self) -> None:
        """Check what was built or replaced in Python, as files are checked, and turn lists into tuples.

        Raises:
            ConfigError: With every fault.
        """
        from imgpipe_templates.configuration.checking import check_built  # noqa: PLC0415 - files need not pay for it

        self.__dict__.update(check_built(self).__dict__)

    @property
    def suffix(self) -> str:
        """The default of the parameter EnvironmentSuffix."""
        return self.environment_suffix or default_suffix(self.name, self.environment)

    def conflicts(self) -> Iterator[Conflict]:
        """Options of different tables that cannot work together."""
        yield from self._tags()
        yield from self._one_bucket()
        yield from self._lookups()
        yield from self._queue()
        yield from self._lengths()
        yield from self._archive()
        insecure = [origin for origin in self.storage.cors_origins if not origin.startswith("https://")]
        if self.environment == "production" and insecure:
            yield Conflict(
                ("storage.cors_origins", "environment"),
                f"{insecure[0]!r} is no origin for 'production'; expected origins with https://, or environment = "
                "'development'",
            )
        decoded = set(HEIC_EXTENSIONS) & {extension.lower() for extension in self.uploads.extensions}
        if self.processing.heic and not decoded:
            yield Conflict(
                ("processing.heic", "uploads.extensions"),
                "true puts a decoder into the package for images that never start the processor; "
                "expected 'heic' or 'heif' among the extensions, or processing.heic = false",
            )
        if decoded and not self.processing.heic:
            yield Conflict(
                ("uploads.extensions", "processing.heic"),
                f"{' and '.join(map(repr, sorted(decoded)))} would start the processor for images that it refuses as "
                "unsupported; expected processing.heic = true, or other extensions",
            )

    def _tags(self) -> Iterator[Conflict]:
        """Tags that AWS does not accept on every resource."""
        # The VPC's Name is the pipeline's, too.
        own = [*MANDATORY_TAGS, *([BACKUP_TAG] if self.backups else []), *(["Name"] if self.vpc else [])]
        for key, fault in tag_faults(self.tags, own):
            yield Conflict((f"tags.{key}",), fault)
        if len(self.tags) + len(own) > MAX_TAGS:
            yield Conflict(
                ("tags",), f"{len(self.tags)} tags are too many; expected at most {MAX_TAGS - len(own)} besides ours"
            )
        for name in ("project", "purpose"):
            if fault := text_fault(getattr(self, name), MAX_VALUE_CHARACTERS):
                yield Conflict((name,), fault)

    def _one_bucket(self) -> Iterator[Conflict]:
        """In one bucket, what the processor writes must not look like an upload."""
        if self.storage.buckets == "two" or not self.processing.thumbnails:
            return
        uploads, output = self.uploads.prefix, self.storage.output_prefix
        if not uploads:
            yield Conflict(
                ("uploads.prefix", "storage.buckets"),
                "'' takes every object of the one bucket for an upload, the processor's own thumbnails included; "
                "expected a prefix such as 'uploads/'",
            )
        elif uploads.startswith(output) or output.startswith(uploads):
            yield Conflict(
                ("uploads.prefix", "storage.output_prefix"),
                f"{uploads!r} and {output!r} overlap, so that a thumbnail would be an upload; "
                "expected two different folders",
            )

    def _lengths(self) -> Iterator[Conflict]:
        """Texts that become longer than AWS accepts."""
        if (length := len(self.description.encode())) > MAX_DESCRIPTION_BYTES:
            yield Conflict(
                ("description",), f"has {length:,} bytes in UTF-8; expected at most {MAX_DESCRIPTION_BYTES:,}"
            )
        if self.trigger == "eventbridge" or (self.trigger == "queue" and self.queue.fed_by == "eventbridge"):
            uploads = UploadFilter(self.uploads.prefix, self.uploads.extensions)
            if (length := uploads.longest_event_pattern()) > MAX_EVENT_PATTERN_CHARACTERS:
                yield Conflict(
                    ("uploads.prefix", "uploads.extensions"),
                    f"the event pattern has up to {length:,} characters, and EventBridge accepts "
                    f"{MAX_EVENT_PATTERN_CHARACTERS:,}; expected a shorter prefix, or fewer extensions",
                )

    def _archive(self) -> Iterator[Conflict]:
        """Uploads that cannot be read any more by what reads them."""
        if not self.storage.archive or self.storage.archive_class != "GLACIER":
            return
        expected = "expected archive_class = 'GLACIER_IR'"
        if self.retrieval.enabled and self.retrieval.originals:
            yield Conflict(
                ("storage.archive_class", "retrieval.originals"),
                "'GLACIER' has to be restored for hours before it can be read, so that links to uploads fail; "
                f"{expected}, or originals = false",
            )
        if self.backups:
            yield Conflict(
                ("storage.archive_class", "backups"),
                f"AWS Backup does not copy objects of 'GLACIER'; {expected}, or backups = false",
            )

    def _queue(self) -> Iterator[Conflict]:
        """A queue that hands out more than the processor can take."""
        if self.trigger != "queue":
            return
        timeout_seconds, shortest = self.processing.timeout_seconds, self.queue.shortest_timeout_seconds
        if timeout_seconds < shortest:
            yield Conflict(
                ("queue.batch_size", "processing.timeout_seconds"),
                f"{timeout_seconds} seconds are too short for batches of {self.queue.batch_size} uploads; expected "
                f"timeout_seconds of at least {shortest} seconds, or a smaller batch_size",
            )
        reserved, started = self.processing.reserved_concurrency, self.queue.max_concurrency
        if reserved is not None and reserved < started:
            yield Conflict(
                ("processing.reserved_concurrency", "queue.max_concurrency"),
                f"the queue starts up to {started} invocations and the function is limited to {reserved}, so that "
                "throttled messages end in the dead-letter queue; expected reserved_concurrency of at least "
                "max_concurrency",
            )

    def _lookups(self) -> Iterator[Conflict]:
        """An index that nothing fills, or a question that no index answers."""
        indexes = self.metadata.indexes
        if "user" in indexes and self.uploads.user_id == "none":
            yield Conflict(
                ("metadata.indexes", "uploads.user_id"),
                "the index 'user' stays empty where 'none' says whose an upload is; "
                "expected user_id = 'first-folder' or 'metadata', or no such index",
            )
        if not self.retrieval.enabled:
            return
        if "upload-timestamp" not in indexes:
            yield Conflict(
                ("retrieval.enabled", "metadata.indexes"),
                f"the API lists images newest first, which {list(indexes)} cannot; expected 'upload-timestamp' in it",
            )
        if self.retrieval.authorization == "jwt" and "user" not in indexes:
            yield Conflict(
                ("retrieval.authorization", "metadata.indexes"),
                f"'jwt' shows callers their own images, which {list(indexes)} cannot find; expected 'user' in it",
            )
