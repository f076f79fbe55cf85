"""The library: render a pipeline, or open it to add your own resources first."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Literal, get_args

from awacs.aws import Statement

from imgpipe_templates.arguments import check_choice, checked
from imgpipe_templates.core.handles import Bucket, Function
from imgpipe_templates.core.layouts import ExportedStacks, Layout, NestedStacks, SingleStack
from imgpipe_templates.core.stack import Scope, Stack
from imgpipe_templates.errors import ArgumentError, TemplateConflictError
from imgpipe_templates.options import PipelineConfig
from imgpipe_templates.patterns.buckets import BucketSettings, clean_up_rules, private_bucket, refuse_plain_http
from imgpipe_templates.patterns.roles import add_permission
from imgpipe_templates.pipeline import Assembled, assemble
from imgpipe_templates.promises import metadata
from imgpipe_templates.render.lengths import check_lengths
from imgpipe_templates.render.manifest import RenderedPipeline

# The name becomes that of a stack, of its file and of exports (CreateStack, StackName: letters, digits and hyphens).
_SUBSYSTEM = re.compile("[A-Za-z][A-Za-z0-9-]{0,39}")

LayoutName = Literal["single", "nested", "exports"]


@dataclass(frozen=True, eq=False)  # compared by identity: an open pipeline changes
class Pipeline:
    """A pipeline with everything its configuration asks for, open for more.

    Attributes:
        config: Its configuration.
        layout: How it is divided into stacks.
        assembled: The assembled subsystems.
    """

    config: PipelineConfig
    layout: Layout
    assembled: Assembled

    @property
    def processor(self) -> Function:
        """The function that processes uploads."""
        return self.assembled.processor

    def scope(self, subsystem: str) -> Scope:
        """The way into the stack of a subsystem of your own: what is added there is tagged like everything else.

        Args:
            subsystem: Its name; in layouts with several stacks it has a separate stack.

        Raises:
            ArgumentError: The name cannot be that of a stack.
            TemplateConflictError: The pipeline was rendered before.
        """
        if not isinstance(subsystem, str) or not _SUBSYSTEM.fullmatch(subsystem):
            raise ArgumentError(
                f"Pipeline.scope: subsystem: {subsystem!r} cannot be the name of a stack; expected 1 to 40 letters, "
                "digits and hyphens, starting with a letter"
            )
        scope = self.assembled.assembly.build(subsystem, lambda scope: scope)
        return dataclasses.replace(scope, names=dataclasses.replace(scope.names, others=True))

    @checked(scope=Scope, title=str)
    def private_bucket(self, scope: Scope, title: str) -> Bucket:
        """Add a bucket like the pipeline's own: private, encrypted with its key, versioned, TLS-only, cleaned up.

        Old versions and incomplete uploads are deleted after the days that `storage` gives for uploads.

        Args:
            scope: Of the subsystem that adds it.
            title: Its logical id, letters and digits.

        Returns:
            The handle for grants.

        Raises:
            ArgumentError: An argument has a wrong type.
            TemplateConflictError: The logical id is taken.
        """
        settings = BucketSettings(self.config.deletion_policy, self.assembled.shared.key)
        storage = self.config.storage
        rules = clean_up_rules(storage.noncurrent_expire_after_days, 0, storage.abort_multipart_after_days)

        def add(_: Scope, shared: BucketSettings) -> Bucket:
            bucket = private_bucket(title, rules, shared)
            handle = Bucket.of(scope, bucket)
            refuse_plain_http(scope, bucket, shared)
            return handle

        return self.assembled.assembly.build(scope.subsystem, add, settings)

    @checked(scope=Scope, function=Function, statement=Statement)
    def allow(self, scope: Scope, function: Function, statement: Statement) -> None:
        """Add a permission to a function of the pipeline, in a separate policy.

        Args:
            scope: Of the subsystem that allows it.
            function: Who may.
            statement: What, from `imgpipe_templates.grants`.

        Raises:
            ArgumentError: An argument has a wrong type.
        """
        name = f"{statement.properties['Sid']}Policy"
        self.assembled.assembly.build(
            scope.subsystem, lambda _, who: add_permission(scope, name, who, statement, self.assembled.shared), function
        )

    def render(self) -> RenderedPipeline:
        """The templates as plain dictionaries, and what a deployment has to know of them.

        Raises:
            TemplateConflictError: Two stacks of the layout would wait for each other.
            RenderError: A name, policy or description can become longer than its service accepts.
        """
        stacks = self.assembled.assembly.finished()
        order = _deploy_order(stacks)
        said = metadata(self.config, self.layout.name)
        templates = {name: stacks[name].to_dict(self.config.description, said) for name in order}
        check_lengths(templates)
        return RenderedPipeline(
            pipeline=self.config.name,
            layout=self.layout.name,
            stacks=templates,
            deploy_order=["root"] if "root" in stacks else order,
            functions=[code for stack in stacks.values() for code in stack.functions],
            layers=[code for stack in stacks.values() for code in stack.layers],
            reads_from={name: stack.reads_from for name, stack in stacks.items()},
        )


@checked(config=PipelineConfig)
def open_pipeline(config: PipelineConfig, layout: LayoutName = "single") -> Pipeline:
    """Build a pipeline and leave it open.

    Raises:
        ArgumentError: There is no such layout, or the configuration is none.
    """
    check_choice("layout", layout, get_args(LayoutName))
    chosen = layout_of(layout, config)
    return Pipeline(config, chosen, assemble(config, chosen))


def render_pipeline(config: PipelineConfig, layout: LayoutName = "single") -> RenderedPipeline:
    """The templates of a pipeline as plain dictionaries, and what a deployment has to know of them.

    Raises:
        ArgumentError: There is no such layout, or the configuration is none.
        TemplateConflictError: Two stacks of the layout would wait for each other.
        RenderError: A name, policy or description can become longer than its service accepts.
    """
    return open_pipeline(config, layout).render()


def layout_of(name: LayoutName, config: PipelineConfig) -> Layout:
    """The layout called `name`, as it divides this pipeline.

    A network of existing subnets has no resources, a dashboard belongs to the alarms, and a budget does not
    exist in every Region while a stack needs a resource, so these share the stack of others. With an S3 event
    notification, the bucket must wait for a permission or a queue policy. This is possible only inside of one stack,
    so bucket, processor and trigger share one.
    """
    groups = {"network": "processing", "dashboard": "monitoring", "cost": "monitoring"}
    if config.trigger == "s3" or (config.trigger == "queue" and config.queue.fed_by == "s3"):
        groups |= dict.fromkeys(("storage", "network", "processing", "triggers"), "ingestion")
    if name == "exports":
        return ExportedStacks(config.name, groups)
    return NestedStacks(groups) if name == "nested" else SingleStack()


def _deploy_order(stacks: dict[str, Stack]) -> list[str]:
    sorter = TopologicalSorter({name: sorted(stack.reads_from) for name, stack in stacks.items()})
    try:
        return list(sorter.static_order())
    except CycleError as error:
        path = " -> ".join(reversed(error.args[1]))
        raise TemplateConflictError(f"{path}: stacks wait for each other; expected groups without a circle") from error
