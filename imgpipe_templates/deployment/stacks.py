"""Create, update and delete one stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError
from cfn_flip import load

from imgpipe_templates.deployment.artifacts import empty_bucket, template_argument, upload_nested, upload_packages
from imgpipe_templates.deployment.change_sets import ChangeSet, create_change_set
from imgpipe_templates.deployment.clients import Clients, error_message
from imgpipe_templates.deployment.events import STACK, EventLog, follow
from imgpipe_templates.deployment.plan import Change, DeployedStack, Deployment, Pace, Retained, StackEvent
from imgpipe_templates.errors import DeploymentError

_ARTIFACT_PREFIX = "imgpipe"
_RETAINING = {"Retain", "RetainExceptOnCreate"}


def deploy(
    clients: Clients,
    deployment: Deployment,
    *,
    artifact_bucket: str,
    artifact_prefix: str = _ARTIFACT_PREFIX,
    pace: Pace = Pace(),  # noqa: B008 - frozen
    on_changes: Callable[[tuple[Change, ...]], None] = lambda _: None,
    on_event: Callable[[StackEvent], None] = lambda _: None,
) -> DeployedStack:
    """Upload the packages, then create or update the stack through a change set.

    A stack whose first creation was rolled back is deleted first: it holds nothing and can take no update.

    Args:
        clients: Of the account and Region.
        deployment: What is wanted.
        artifact_bucket: An existing bucket in the same Region.
        artifact_prefix: Key prefix of everything that is put there.
        pace: Polling.
        on_changes: Called with the changes before they are made; raise in it to stop.
        on_event: Called with each stack event.

    Raises:
        DeploymentError: Refused or failed; the text names the first failing resource and its reason.
    """
    name = deployment.stack_name
    present = describe_stack(clients, name)
    if present and present["StackStatus"] == "ROLLBACK_COMPLETE":
        delete_stack(clients, present["StackId"], pace=pace, on_event=on_event)
        present = None
    if present and present["StackStatus"] == "ROLLBACK_FAILED":
        # It accepts no update and no change set ("Stack status codes", AWS CloudFormation User Guide, read 2026-11).
        raise DeploymentError(
            f"{name}: stack: is ROLLBACK_FAILED: its creation failed and could not be undone, see its events;"
            " expected a stack that can be updated, or none: lift what protects its resources, then delete it"
        )
    if present and present["StackStatus"] == "REVIEW_IN_PROGRESS":
        present = None  # only a change set was ever made of it
    elif present and present["StackStatus"].endswith("_IN_PROGRESS"):
        raise DeploymentError(f"{name}: stack: is {present['StackStatus']}; expected a stack at rest, try again later")
    located = upload_packages(clients, deployment, bucket=artifact_bucket, prefix=artifact_prefix)
    deployment = upload_nested(clients, deployment, bucket=artifact_bucket, prefix=artifact_prefix)
    template = template_argument(clients, deployment, bucket=artifact_bucket, prefix=artifact_prefix)
    parameters = {**deployment.parameters, **located}
    change_set = create_change_set(
        clients, deployment, template=template, parameters=parameters, present=present, pace=pace
    )
    if change_set:
        on_changes(change_set.changes)
        _execute(clients, name, change_set, pace, on_event)
    stack = describe_stack(clients, name)
    if stack is None:
        raise DeploymentError(f"{name}: stack: no longer exists; it was deleted during the operation")
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
    return DeployedStack(name, stack["StackId"], change_set.changes if change_set else (), outputs)


def delete_stack(
    clients: Clients,
    stack: str,
    *,
    empty_buckets: bool = False,
    pace: Pace = Pace(),  # noqa: B008 - frozen
    on_event: Callable[[StackEvent], None] = lambda _: None,
) -> tuple[Retained, ...]:
    """Delete a stack; one that does not exist is deleted already.

    Args:
        clients: Of the account and Region.
        stack: Name or id.
        empty_buckets: Delete the contents of the buckets that the stack, or one nested in it, will delete. Retained
            buckets are not touched.
        pace: Polling.
        on_event: Called with each stack event.

    Returns:
        What the template's deletion policies kept.

    Raises:
        DeploymentError: A resource cannot be deleted; the text names it.
    """
    present = describe_stack(clients, stack)
    if present is None:
        return ()
    stack_id, name = present["StackId"], present["StackName"]
    resources = list(_whole(clients, stack_id))
    if empty_buckets:
        for resource, is_kept in resources:
            if resource.kind == "AWS::S3::Bucket" and not is_kept:
                empty_bucket(clients, resource.physical_id)
    log = EventLog(clients, stack_id)
    log.news()
    try:
        clients.cloudformation.delete_stack(StackName=stack_id)
    except ClientError as error:
        raise DeploymentError(f"{name}: stack: {error_message(error)}") from error
    follow(log, name, pace, on_event)
    return tuple(resource for resource, is_kept in resources if is_kept)


def describe_stack(clients: Clients, stack: str) -> Mapping[str, Any] | None:
    """Return CloudFormation's description of a stack by name or id; None if it does not exist.

    Raises:
        DeploymentError: The call failed.
    """
    try:
        found: Mapping[str, Any] = clients.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error_message(error):
            return None
        raise DeploymentError(f"{stack}: stack: {error_message(error)}") from error
    return None if found["StackStatus"] == "DELETE_COMPLETE" else found


def resource_ids(clients: Clients, stack: str) -> dict[str, str]:
    """Physical id of every resource of a stack by its logical id."""
    return {resource.logical_id: resource.physical_id for resource in _resources(clients, stack)}


def _execute(
    clients: Clients, name: str, change_set: ChangeSet, pace: Pace, on_event: Callable[[StackEvent], None]
) -> None:
    log = EventLog(clients, change_set.stack_id)
    log.news()
    try:
        clients.cloudformation.execute_change_set(ChangeSetName=change_set.arn)
    except ClientError as error:
        raise DeploymentError(f"{name}: change set: {error_message(error)}") from error
    follow(log, name, pace, on_event)


def _whole(clients: Clients, stack_id: str) -> Iterator[tuple[Retained, bool]]:
    """Every resource of a stack and of those nested in it, and whether its deletion policy keeps it."""
    resources = list(_resources(clients, stack_id))
    kept = _retained_ids(clients, stack_id) if resources else set()
    for resource in resources:
        yield resource, resource.logical_id in kept
        if resource.kind == STACK and resource.physical_id:
            yield from _whole(clients, resource.physical_id)


def _resources(clients: Clients, stack: str) -> Iterator[Retained]:
    for page in clients.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for one in page["StackResourceSummaries"]:
            yield Retained(one["LogicalResourceId"], one.get("PhysicalResourceId", ""), one["ResourceType"])


def _retained_ids(clients: Clients, stack_id: str) -> set[str]:
    """Logical ids that the deployed template keeps on deletion."""
    body = clients.cloudformation.get_template(StackName=stack_id, TemplateStage="Processed")["TemplateBody"]
    template = load(body)[0] if isinstance(body, str) else body
    resources: Mapping[str, Mapping[str, Any]] = template["Resources"]
    return {
        name for name, one in resources.items() if one.get("DeletionPolicy") in _RETAINING and one.get("Type") != STACK
    }
