"""The pipeline: all subsystems and the handles between them.

Read `assemble` first. Each call builds one subsystem from handles of earlier calls, so two subsystems cannot depend on
each other. docs/architecture.md explains the terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from imgpipe_templates.core.handles import Bucket, Function, Key
from imgpipe_templates.core.layouts import Assembly, Layout
from imgpipe_templates.core.naming import Names
from imgpipe_templates.names import LONGEST_SUFFIX, names
from imgpipe_templates.options import PipelineConfig
from imgpipe_templates.patterns.buckets import BucketSettings
from imgpipe_templates.patterns.environment import declare_environment, standard_tags
from imgpipe_templates.patterns.functions import FunctionSettings
from imgpipe_templates.patterns.queues import DeadLetterSenders
from imgpipe_templates.patterns.roles import FunctionDefaults
from imgpipe_templates.patterns.uploads import UploadFilter
from imgpipe_templates.subsystems.backup import add_backup
from imgpipe_templates.subsystems.cost import add_cost
from imgpipe_templates.subsystems.dashboard import add_dashboard
from imgpipe_templates.subsystems.encryption import add_encryption
from imgpipe_templates.subsystems.metadata import add_metadata
from imgpipe_templates.subsystems.monitoring import MonitoredResources, add_monitoring
from imgpipe_templates.subsystems.network import add_network
from imgpipe_templates.subsystems.notifications import add_notifications
from imgpipe_templates.subsystems.processing import Inputs, Processing, add_processing
from imgpipe_templates.subsystems.retrieval import Library, Retrieval, add_retrieval
from imgpipe_templates.subsystems.storage import Storage, UploadRoute, add_storage
from imgpipe_templates.subsystems.triggers.custom_resource import (
    HELPER_MEMORY_MB,
    HELPER_TIMEOUT_SECONDS,
    add_custom_resource_trigger,
)
from imgpipe_templates.subsystems.triggers.eventbridge import add_eventbridge_trigger
from imgpipe_templates.subsystems.triggers.queue import QueueTrigger, add_queue_trigger, queue_notification
from imgpipe_templates.subsystems.triggers.s3 import add_s3_trigger, function_notification

SUFFIX_IS_FIXED = (
    "CloudFormation refuses another one later, because the ServiceToken of S3BucketNotification cannot change"
)


@dataclass(frozen=True)
class Assembled:
    """A pipeline that can still be extended.

    Attributes:
        assembly: The stacks.
        processor: The function that processes uploads.
        shared: Defaults of all functions.
    """

    assembly: Assembly
    processor: Function
    shared: FunctionDefaults


def assemble(config: PipelineConfig, layout: Layout) -> Assembled:
    """Build every subsystem in the order of its dependencies."""
    uploads = UploadFilter(config.uploads.prefix, config.uploads.extensions)
    resource_names = _names(config)
    pipeline = _assembly(config, layout, resource_names)

    key = _key(pipeline, config)
    shared = _function_defaults(pipeline, config, key)
    storage = pipeline.build(
        "storage",
        add_storage,
        config.storage,
        BucketSettings(config.deletion_policy, key, backup=config.backups),
        route=_route(config, resource_names, uploads),
        thumbnails=config.processing.thumbnails,
    )
    metadata = pipeline.build(
        "metadata",
        add_metadata,
        config.metadata,
        deletion_policy=config.deletion_policy,
        key=key,
        backup=config.backups,
    )
    notifications = pipeline.build("notifications", add_notifications, key=key, budgets=config.budget)
    thumbnails = storage.thumbnails if config.processing.thumbnails else None
    processing = pipeline.build(
        "processing",
        add_processing,
        config.processing,
        shared,
        inputs=Inputs(
            source=storage.source,
            thumbnails=thumbnails,
            images=metadata.images,
            index_shards=metadata.index_shards,
            upload_prefix=config.uploads.prefix,
            output_prefix=config.storage.output_prefix,
            user_id_from="" if config.uploads.user_id == "none" else config.uploads.user_id,
            reports=None if config.notifications.reports == "off" else notifications.operators,
            report_on=config.notifications.reports,
            dead_letter_senders=DeadLetterSenders(
                upload_queue=config.trigger == "queue", upload_rule=_has_rule(config)
            ),
        ),
    )
    waiting = _trigger(pipeline, config, shared, uploads, storage.source, processing)
    retrieval: Retrieval | None = None
    if config.retrieval.enabled:
        library = Library(
            images=metadata.images,
            indexes=metadata.indexes,
            index_shards=metadata.index_shards,
            source=storage.source,
            thumbnails=thumbnails,
            upload_prefix=config.uploads.prefix,
            output_prefix=config.storage.output_prefix,
        )
        retrieval = pipeline.build(
            "retrieval",
            add_retrieval,
            config.retrieval,
            shared,
            library=library,
            cors_origins=config.storage.cors_origins,
        )
    monitored = MonitoredResources(
        processor=processing.processor,
        timeout_seconds=processing.timeout_seconds,
        retry_attempts=processing.retry_attempts,
        dead_letters=processing.dead_letters,
        images=metadata.images,
        indexes=metadata.indexes,
        uploads=waiting.uploads if waiting else None,
        max_receives=waiting.max_receives if waiting else 0,
        retrieval=retrieval.function if retrieval else None,
        retrieval_timeout_seconds=retrieval.timeout_seconds if retrieval else 0,
        api=retrieval.api if retrieval else None,
    )
    pipeline.build(
        "monitoring", add_monitoring, config.monitoring, monitored=monitored, operators=notifications.operators
    )
    if config.monitoring.dashboard:
        _dashboard(pipeline, monitored, storage)
    if config.backups:
        pipeline.build(
            "backup",
            add_backup,
            config.backup,
            tables=(metadata.images,),
            buckets=_buckets(storage),
            shared=shared,
            deletion_policy=config.deletion_policy,
        )
    if config.budget:
        pipeline.build("cost", add_cost, config.cost, project=config.project, operators=notifications.operators)
    return Assembled(pipeline, processing.processor, shared)


def _assembly(config: PipelineConfig, layout: Layout, resource_names: Names) -> Assembly:
    # The name of the custom resource's function contains the suffix and is part of the service token.
    token_is_named = config.trigger == "custom-resource" and config.names != "generated"
    common = partial(
        declare_environment,
        environment=config.environment,
        suffix=config.suffix,
        longest_suffix=LONGEST_SUFFIX,
        fixed_because=SUFFIX_IS_FIXED if token_is_named else "",
    )
    tags = standard_tags(project=config.project, purpose=config.purpose, extra=config.tags)
    return Assembly(layout, resource_names, tags, common)


def _names(config: PipelineConfig) -> Names:
    if config.names != "generated":
        return names(config.storage.source_bucket_name, regional=config.names == "regional")
    needed = {"SourceBucket", "MonitoringDashboard"}
    if config.trigger == "s3":
        needed.add("ImageProcessorFunction")
    if config.trigger == "queue" and config.queue.fed_by == "s3":
        needed.add("UploadQueue")
    return names(config.storage.source_bucket_name, needed=frozenset(needed))


def _key(pipeline: Assembly, config: PipelineConfig) -> Key | None:
    if not config.customer_managed_key:
        return None
    producers = [
        "cloudwatch.amazonaws.com",
        *(["budgets.amazonaws.com"] if config.budget else []),
        *(["s3.amazonaws.com"] if config.trigger == "queue" and config.queue.fed_by == "s3" else []),
        *(["events.amazonaws.com"] if _has_rule(config) else []),
    ]
    return pipeline.build(
        "encryption", add_encryption, deletion_policy=config.deletion_policy, producers=producers
    ).data_key


def _has_rule(config: PipelineConfig) -> bool:
    """True if an EventBridge rule sends uploads, or what it could not deliver, to a queue."""
    return config.trigger == "eventbridge" or (config.trigger == "queue" and config.queue.fed_by == "eventbridge")


def _function_defaults(pipeline: Assembly, config: PipelineConfig, key: Key | None) -> FunctionDefaults:
    vpc = None
    if config.vpc:
        called = [*(["sns"] if config.notifications.reports != "off" else [])]
        vpc = pipeline.build(
            "network",
            add_network,
            config.network,
            interface_services=tuple(called),
            gateway_services=("dynamodb", "s3"),
        ).place
    security = config.security
    return FunctionDefaults(
        key=key,
        network=vpc,
        policies=security.policies,
        permissions_boundary=security.permissions_boundary,
        basic_execution_policy=security.basic_execution_policy,
        tracing=security.tracing,
    )


def _route(config: PipelineConfig, resource_names: Names, uploads: UploadFilter) -> UploadRoute:
    """Return the notification settings that the source bucket contains itself."""
    prefix = config.uploads.prefix
    if config.trigger == "s3":
        return UploadRoute(notification=function_notification(resource_names, uploads), prefix=prefix)
    if config.trigger == "queue" and config.queue.fed_by == "s3":
        return UploadRoute(notification=queue_notification(resource_names, uploads), prefix=prefix)
    return UploadRoute(eventbridge=config.trigger != "custom-resource", prefix=prefix)


def _trigger(
    pipeline: Assembly,
    config: PipelineConfig,
    shared: FunctionDefaults,
    uploads: UploadFilter,
    source: Bucket,
    processing: Processing,
) -> QueueTrigger | None:
    """Build the trigger; return the queue of uploads if it has one."""
    processor = processing.processor
    if config.trigger == "s3":
        pipeline.build("triggers", add_s3_trigger, source=source, processor=processor)
    elif config.trigger == "eventbridge":
        pipeline.build(
            "triggers",
            add_eventbridge_trigger,
            source=source,
            uploads=uploads,
            processor=processor,
            dead_letters=processing.dead_letters,
        )
    elif config.trigger == "queue":
        return pipeline.build(
            "triggers",
            add_queue_trigger,
            config.queue,
            source=source,
            uploads=uploads,
            processor=processor,
            timeout_seconds=processing.timeout_seconds,
            dead_letters=processing.dead_letters,
            shared=shared,
        )
    else:
        pipeline.build(
            "triggers",
            add_custom_resource_trigger,
            source=source,
            uploads=uploads,
            processor=processor,
            settings=FunctionSettings(
                runtime=config.processing.runtime,
                architecture=config.processing.architecture,
                timeout_seconds=HELPER_TIMEOUT_SECONDS,
                memory_mb=HELPER_MEMORY_MB,
                log_retention_days=config.processing.log_retention_days,
            ),
            shared=shared,
            dead_letters=processing.dead_letters,
        )
    return None


def _dashboard(pipeline: Assembly, monitored: MonitoredResources, storage: Storage) -> None:
    functions = {"Processor": monitored.processor}
    if monitored.retrieval:
        functions["Retrieval"] = monitored.retrieval
    queues = {"Dead letters": monitored.dead_letters}
    if monitored.uploads:
        queues = {"Uploads": monitored.uploads, **queues}
    buckets = {"Uploads": storage.source}
    if storage.apart:
        buckets["Thumbnails"] = storage.thumbnails
    pipeline.build(
        "dashboard",
        add_dashboard,
        functions=functions,
        buckets=buckets,
        images=monitored.images,
        indexes=monitored.indexes,
        queues=queues,
        api=monitored.api,
    )


def _buckets(storage: Storage) -> tuple[Bucket, ...]:
    return (storage.source, storage.thumbnails) if storage.apart else (storage.source,)
