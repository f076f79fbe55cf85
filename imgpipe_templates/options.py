"""Everything that a pipeline's file decides: the options of all subsystems, and which of them exclude each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Annotated, Literal

from imgpipe_templates.configuration import Conflict, Doc, Hint, Length, OnlyWith, Pattern, Section
from imgpipe_templates.names import LONGEST_SUFFIX
from imgpipe_templates.patterns.environment import Environment
from imgpipe_templates.patterns.mandatory_tags import MANDATORY_TAGS
from imgpipe_templates.patterns.retention import DeletionPolicy
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
        Doc("Name of the pipeline: the folder of its templates."),
    ]
    description: Annotated[
        str, Length(1, 500, "characters"), Doc("What the pipeline is for: the description of its stack.")
    ]
    environment: Annotated[Environment, Doc("Default of the parameter Environment.")] = "development"
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
    names: Annotated[
        Literal["suffix", "generated"],
        Doc("`suffix`: names end with EnvironmentSuffix; `generated`: CloudFormation makes up most."),
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
    tags: Annotated[dict[str, str], Doc("More tags of every resource.")] = field(default_factory=dict[str, str])
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

    def conflicts(self) -> Iterator[Conflict]:
        """Options of different tables that cannot work together."""
        for key in sorted(set(self.tags) & set(MANDATORY_TAGS)):
            yield Conflict((f"tags.{key}",), "is set by the pipeline itself; expected a tag of another name")
        yield from self._one_bucket()
        yield from self._lookups()
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
