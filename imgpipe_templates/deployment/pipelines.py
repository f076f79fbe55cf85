"""Deploy and delete a rendered pipeline: one stack, a root with its children, or one stack after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imgpipe_templates.deployment.clients import Clients
from imgpipe_templates.deployment.plan import (
    Change,
    DeployedStack,
    Deployment,
    FunctionPackage,
    Pace,
    Retained,
    StackEvent,
)
from imgpipe_templates.deployment.stacks import delete_stack, deploy, describe_stack
from imgpipe_templates.errors import DeploymentError
from imgpipe_templates.render.manifest import RenderedPipeline, capabilities
from imgpipe_templates.render.text import to_json

# Such a stack has nothing and no values to keep: only a change set was ever made, or its creation was undone.
_EMPTY = {"REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"}

# Values of the parameters by stack; None where nothing is deployed.
_Present = Mapping[str, Mapping[str, str] | None]


@dataclass(frozen=True)
class PipelineDeployment:
    """A rendered pipeline and what its stacks are given.

    Attributes:
        rendered: The pipeline in its layout.
        stack_name: Of the stack or the root; in the layout `exports` each is called `<stack_name>-<stack>`.
        parameters: Values by parameter, for every stack that has it. Those left out keep their present values, in a
            stack that is new to a deployed pipeline those of the others, and have their defaults otherwise.
        packages: Zips of functions and layers by the parameter for the object key (`key_parameter`).
        tags: Of every stack.
    """

    rendered: RenderedPipeline
    stack_name: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, Path] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def stack_names(self) -> dict[str, str]:
        """What the stacks to deploy are called in the account, in their order."""
        if self.rendered.layout == "exports":
            return {name: f"{self.stack_name}-{name}" for name in self.rendered.deploy_order}
        return dict.fromkeys(self.rendered.deploy_order, self.stack_name)


@dataclass(frozen=True)
class DeployedPipeline:
    """A pipeline after a deployment.

    Attributes:
        stacks: In the order of their deployment; nested ones are part of their root.
    """

    stacks: tuple[DeployedStack, ...]

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of all stacks by name; a name is used once in a pipeline."""
        return {name: value for stack in self.stacks for name, value in stack.outputs.items()}


def deploy_pipeline(
    clients: Clients,
    wanted: PipelineDeployment,
    *,
    artifact_bucket: str,
    pace: Pace = Pace(),  # noqa: B008 - frozen
    on_stack: Callable[[str], None] = lambda _: None,
    on_changes: Callable[[tuple[Change, ...]], None] = lambda _: None,
    on_event: Callable[[StackEvent], None] = lambda _: None,
) -> DeployedPipeline:
    """Create or update the stacks of a pipeline, each through a change set.

    Where one fails, those before it stay as they now are; the same call goes on from there.

    Args:
        clients: Of the account and Region.
        wanted: The pipeline and its values.
        artifact_bucket: An existing bucket in the same Region, for packages and templates.
        pace: Polling.
        on_stack: Called with the name of each stack before its change set is made.
        on_changes: Called with the changes of each stack before they are made; raise in it to stop.
        on_event: Called with each stack event.

    Raises:
        DeploymentError: A value or package is missing or belongs to no stack, found before anything is changed; or a
            stack is refused or fails. The text begins with the name of the stack.
    """
    _refuse_unknown(wanted)
    plans = _plans(wanted, {name: _present_values(clients, full) for name, full in wanted.stack_names.items()})
    deployed = []
    for plan in plans:
        on_stack(plan.stack_name)
        stack = deploy(
            clients, plan, artifact_bucket=artifact_bucket, pace=pace, on_changes=on_changes, on_event=on_event
        )
        deployed.append(stack)
    return DeployedPipeline(tuple(deployed))


def delete_pipeline(
    clients: Clients,
    wanted: PipelineDeployment,
    *,
    empty_buckets: bool = False,
    pace: Pace = Pace(),  # noqa: B008 - frozen
    on_stack: Callable[[str], None] = lambda _: None,
    on_event: Callable[[StackEvent], None] = lambda _: None,
) -> tuple[Retained, ...]:
    """Delete the stacks of a pipeline, each before those it reads from; what does not exist is deleted already.

    Args:
        clients: Of the account and Region.
        wanted: The pipeline as it was deployed; its name and its layout count.
        empty_buckets: Delete the contents of the buckets that are deleted. Retained buckets are not touched.
        pace: Polling.
        on_stack: Called with the name of each stack before it is deleted.
        on_event: Called with each stack event.

    Returns:
        What the deletion policies kept.

    Raises:
        DeploymentError: A resource cannot be deleted; the text names its stack and it.
    """
    kept: list[Retained] = []
    for name in reversed(wanted.stack_names.values()):
        on_stack(name)
        kept += delete_stack(clients, name, empty_buckets=empty_buckets, pace=pace, on_event=on_event)
    return tuple(kept)


def _plans(wanted: PipelineDeployment, present: _Present) -> list[Deployment]:
    rendered = wanted.rendered
    # Not the logical ids: functions that run the same package share its upload.
    code = {one.key_parameter: one.package for one in rendered.functions}
    code |= {one.key_parameter: f"{one.package}-layer" for one in rendered.layers}
    nested = [name for name in rendered.stacks if name not in rendered.deploy_order]
    nested_templates = {f"{name}.template.json": to_json(rendered.stacks[name]) for name in nested}
    plans = []
    for name, full_name in wanted.stack_names.items():
        template = rendered.stacks[name]
        declared = template.get("Parameters", {})
        values = _inherited(declared, present) if present[name] is None else {}
        values |= {key: value for key, value in wanted.parameters.items() if key in declared}
        plan = Deployment(
            stack_name=full_name,
            template=to_json(template),
            nested_templates=nested_templates,
            parameters=values,
            packages=tuple(
                FunctionPackage(code[key], key, path) for key, path in wanted.packages.items() if key in declared
            ),
            capabilities=tuple(sorted(capabilities(name, rendered.stacks))),
            tags=wanted.tags,
        )
        _refuse_missing(plan, declared, present[name] or {})
        plans.append(plan)
    return plans


def _inherited(declared: Mapping[str, Any], present: _Present) -> dict[str, str]:
    """For a stack that is new to a deployed pipeline, the values that the other stacks have.

    A parameter means the same in all of them: with a default in one, that one would belong to another environment.
    """
    return {
        key: value
        for values in present.values()
        for key, value in (values or {}).items()
        if key in declared and not declared[key].get("NoEcho")
    }


def _refuse_unknown(wanted: PipelineDeployment) -> None:
    rendered = wanted.rendered
    declared = {key for name in rendered.deploy_order for key in rendered.stacks[name].get("Parameters", {})}
    code = {*(one.key_parameter for one in rendered.functions), *(one.key_parameter for one in rendered.layers)}
    for given, known, what in ((wanted.parameters, declared, "parameter"), (wanted.packages, code, "package")):
        if unknown := sorted(given.keys() - known):
            expected = ", ".join(sorted(known)) or "none"
            raise DeploymentError(
                f"{wanted.stack_name}: {', '.join(unknown)}: is a {what} of no stack; expected {expected}"
            )


def _refuse_missing(plan: Deployment, declared: Mapping[str, Any], kept: Mapping[str, str]) -> None:
    required = {key for key, one in declared.items() if "Default" not in one}
    uploaded = {one.parameter for one in plan.packages} | ({plan.code_bucket_parameter} if plan.packages else set())
    if missing := sorted(required - plan.parameters.keys() - uploaded - kept.keys()):
        raise DeploymentError(f"{plan.stack_name}: {', '.join(missing)}: has no value and no default; expected a value")


def _present_values(clients: Clients, stack_name: str) -> dict[str, str] | None:
    """The values of a stack's parameters; None if there is no such stack, or nothing in it."""
    found = describe_stack(clients, stack_name)
    if found is None or found["StackStatus"] in _EMPTY:
        return None
    return {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])}
