"""The complete configuration of a pipeline: the options of all subsystems, and the conflicts between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic._internal._model_construction import ModelMetaclass

from imgpipe_templates.configuration import Conflict, Hint, Length, OnlyWith, Pattern, Section
from imgpipe_templates.configuration.loading import validated_values
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


class UploadsConfig(Section):
    """Filter of uploads to process."""

    prefix: Annotated[
        str,
        Length(0, MAX_PREFIX_CHARACTERS, "characters"),
        Pattern("^$|^[A-Za-z0-9._-]+/$", "empty, or a folder and a slash at its end only, such as uploads/"),
        Field(description="Process only keys that start with this prefix; empty means all keys."),
    ] = ""
    extensions: Annotated[
        tuple[Extension, ...],
        Length(1, 12, "extensions"),
        Field(
            description="Process only keys that end with one of these, in lower or upper case. The processor decodes "
            "jpg, png, gif, webp, avif, tif, tiff and bmp, and with processing.heic also heic and heif. It "
            "detects the format from the content, not from the name."
        ),
    ] = ("jpg", "jpeg", "png")
    user_id: Annotated[
        Literal["none", "first-folder", "metadata"],
        Field(
            description="How to determine the user ID of an upload: `none`; `first-folder`, the first path segment "
            "after the prefix; or `metadata`, the object's user metadata `user-id`."
        ),
    ] = "none"


class SecurityConfig(Section):
    """Settings of roles and functions."""

    policies: Annotated[
        Literal["inline", "managed"],
        Field(
            description="Write the permissions of a role into the role (`inline`) or into a managed policy (`managed`)."
        ),
    ] = "inline"
    permissions_boundary: Annotated[
        bool,
        Field(description="Add a permissions boundary to the role of each function. The ARN is a template parameter."),
        Hint("the ARN of the policy is a template parameter, which is given at deployment"),
    ] = False
    basic_execution_policy: Annotated[
        bool,
        Field(
            description="Attach the managed policy AWSLambdaBasicExecutionRole to roles too, which allows them to "
            "create any log group."
        ),
    ] = False
    tracing: Annotated[bool, Field(description="Trace invocations with AWS X-Ray.")] = False


class _ValidatedLikeFiles(ModelMetaclass):
    """Metaclass that validates a configuration built in Python like one of a file.

    `PipelineConfig(...)` reports all errors at once as a ConfigError and accepts lists as tuples. pydantic creates
    instances without this call. In a validator or `__init__`, the strict check of JSON would not be available.
    """

    def __call__(cls, **values: Any) -> Any:  # noqa: N805 - the instance of a metaclass is a class
        return super().__call__(**validated_values(cls, values))  # type: ignore[arg-type] # cls is a Section


class PipelineConfig(Section, metaclass=_ValidatedLikeFiles):
    """The complete configuration of a pipeline."""

    name: Annotated[
        str,
        Pattern("^[a-z][a-z0-9-]{0,39}$", "1 to 40 lower-case letters, digits and hyphens, starting with a letter"),
        Field(
            description="Name of the pipeline: the folder of its templates, and the first part of the default suffix."
        ),
    ]
    description: Annotated[str, Length(1, 500, "characters"), Field(description="Description of the stack.")]
    environment: Annotated[Environment, Field(description="Default of the parameter Environment.")] = "development"
    environment_suffix: Annotated[
        str | None,
        Length(1, LONGEST_SUFFIX, "characters"),
        Pattern("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "lower-case letters, digits and hyphens, no hyphen at the ends"),
        Field(
            description="Default of the parameter EnvironmentSuffix, the last part of every name. If it is not set, it "
            "is the pipeline's name with `dev`, `stage` or `prod`, so that the names of several pipelines "
            "in one account differ. Presets set `dev`."
        ),
    ] = None
    project: Annotated[
        str, Length(1, 256, "characters"), Field(description="Value of the tag Project of every resource.")
    ] = "imgpipe"
    purpose: Annotated[
        str, Length(1, 256, "characters"), Field(description="Value of the tag Purpose of every resource.")
    ] = "image-processing"
    names: Annotated[
        Literal["suffix", "regional", "generated"],
        Field(
            description="`suffix`: names end with EnvironmentSuffix. `regional`: names of buckets also contain the "
            "Region, so that one suffix can be deployed to several Regions, for example by a StackSet. "
            "`generated`: CloudFormation generates most names. Unless names are generated, a stack with the"
            " trigger `custom-resource` cannot change its suffix, because CloudFormation rejects another "
            "ServiceToken."
        ),
    ] = "suffix"
    trigger: Annotated[
        Trigger,
        Field(
            description="What invokes the processor for an upload: a bucket notification (`s3`), a bucket notification "
            "that a custom resource sets last (`custom-resource`), an EventBridge rule (`eventbridge`), or "
            "an SQS queue (`queue`)."
        ),
    ] = "s3"
    deletion_policy: Annotated[
        DeletionPolicy, Field(description="Retain or delete images and metadata when the stack is deleted.")
    ] = "retain"
    customer_managed_key: Annotated[
        bool, Field(description="Encrypt images, items, messages and logs with one KMS key of the pipeline.")
    ] = False
    vpc: Annotated[bool, Field(description="Run the processor and the API's function in a VPC.")] = False
    backups: Annotated[bool, Field(description="Back up images and metadata every day with AWS Backup.")] = False
    budget: Annotated[bool, Field(description="Create a monthly AWS budget with alerts.")] = False
    tags: Annotated[
        dict[str, str],
        Field(
            description="Further tags of every resource, in addition to Environment, Project, Purpose and iac-rlhf-"
            "amazon. The last one is a convention of this project's tagging policy; a fork changes it in "
            "patterns/mandatory_tags.py."
        ),
    ] = Field(default_factory=dict[str, str])
    uploads: UploadsConfig = Field(default_factory=UploadsConfig)
    queue: Annotated[QueueConfig, OnlyWith({"trigger": ("queue",)})] = Field(default_factory=QueueConfig)
    storage: StorageConfig = Field(default_factory=StorageConfig)
    metadata: MetadataConfig = Field(default_factory=MetadataConfig)
    processing: ProcessingConfig = Field(default_factory=ProcessingConfig)
    retrieval: Annotated[RetrievalConfig, OnlyWith({"retrieval.enabled": (True,)})] = Field(
        default_factory=RetrievalConfig
    )
    notifications: NotificationsConfig = Field(default_factory=NotificationsConfig)
    monitoring: MonitoringConfig = Field(default_factory=MonitoringConfig)
    security: SecurityConfig = Field(default_factory=SecurityConfig)
    network: Annotated[NetworkConfig, OnlyWith({"vpc": (True,)})] = Field(default_factory=NetworkConfig)
    backup: Annotated[BackupConfig, OnlyWith({"backups": (True,)})] = Field(default_factory=BackupConfig)
    cost: Annotated[CostConfig, OnlyWith({"budget": (True,)})] = Field(default_factory=CostConfig)

    def replace(self, **changes: Any) -> PipelineConfig:
        """Return a validated copy with other values.

        Args:
            changes: New values by name. A dictionary changes only the keys that it contains, such as
                `processing={"memory_mb": 2048}`.

        Raises:
            ConfigError: With every error.
        """
        return PipelineConfig(**_with_changes(self, changes))

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
                ("tags",),
                f"{len(self.tags)} tags are too many; "
                f"expected at most {MAX_TAGS - len(own)} in addition to the mandatory tags",
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
                "'' treats every object of the one bucket as an upload, including the processor's thumbnails; "
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


def _with_changes(table: Section, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a table with changes, which may be nested."""
    values = dict(table)
    for name, change in changes.items():
        value = values.get(name)
        if isinstance(value, Section) and isinstance(change, Mapping):
            values[name] = _with_changes(value, change)
        else:
            values[name] = change
    return values
