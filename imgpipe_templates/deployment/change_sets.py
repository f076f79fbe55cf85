"""A change set from its making to its execution."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from imgpipe_templates.deployment.clients import Clients, error_message
from imgpipe_templates.deployment.events import validation_faults
from imgpipe_templates.deployment.plan import Change, Deployment, Pace
from imgpipe_templates.errors import DeploymentError

# The two sentences with which CloudFormation says that there is nothing to do (as returned in StatusReason).
_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class ChangeSet:
    """A change set that can be executed; outputs or tags may change where no resource does."""

    arn: str
    stack_id: str
    changes: tuple[Change, ...] = ()


def create_change_set(
    clients: Clients,
    deployment: Deployment,
    *,
    template: Mapping[str, str],
    parameters: Mapping[str, str],
    present: Mapping[str, Any] | None,
    pace: Pace,
) -> ChangeSet | None:
    """Make a change set and wait until CloudFormation has worked out what it would do.

    Args:
        clients: Of the account.
        deployment: What is wanted.
        template: TemplateBody or TemplateURL.
        parameters: All values, those of the packages included.
        present: The stack's description if it exists already, None for a new one.
        pace: Polling.

    Returns:
        The change set, or None if there is nothing to do.

    Raises:
        DeploymentError: CloudFormation refuses template or values.
    """
    name = deployment.stack_name
    try:
        made = clients.cloudformation.create_change_set(
            StackName=name,
            ChangeSetName=f"imgpipe-{uuid.uuid4().hex[:16]}",
            ChangeSetType="UPDATE" if present else "CREATE",
            Parameters=_parameter_list(clients, template, parameters, present),
            Capabilities=list(deployment.capabilities),
            Tags=[{"Key": key, "Value": value} for key, value in sorted(deployment.tags.items())],
            **template,
        )
    except ClientError as error:
        raise DeploymentError(f"{name}: change set: {error_message(error)}") from error
    change_set = ChangeSet(arn=made["Id"], stack_id=made["StackId"])
    status, reason = _await_change_set(clients, name, change_set.arn, pace)
    if status == "FAILED" and any(sentence in reason for sentence in _NOTHING_TO_DO):
        clients.cloudformation.delete_change_set(ChangeSetName=change_set.arn)
        return None
    if status != "CREATE_COMPLETE":
        faults = validation_faults(clients, ChangeSetName=change_set.arn) or [reason or "no reason given"]
        raise DeploymentError(f"{name}: change set: {status}: {'; '.join(faults)}")
    return replace(change_set, changes=_changes(clients, change_set.arn))


def _parameter_list(
    clients: Clients, template: Mapping[str, str], parameters: Mapping[str, str], present: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    given: list[dict[str, Any]] = [
        {"ParameterKey": key, "ParameterValue": value} for key, value in sorted(parameters.items())
    ]
    if present:
        declared = {
            one["ParameterKey"] for one in clients.cloudformation.get_template_summary(**template).get("Parameters", [])
        }
        kept = {one["ParameterKey"] for one in present.get("Parameters", [])} & declared - set(parameters)
        given += [{"ParameterKey": key, "UsePreviousValue": True} for key in sorted(kept)]
    return given


def _await_change_set(clients: Clients, stack: str, change_set: str, pace: Pace) -> tuple[str, str]:
    deadline = time.monotonic() + pace.change_set_timeout_seconds
    while True:
        state = clients.cloudformation.describe_change_set(ChangeSetName=change_set)
        if not state["Status"].endswith(("_PENDING", "_IN_PROGRESS")):
            return state["Status"], state.get("StatusReason", "")
        if time.monotonic() > deadline:
            raise DeploymentError(
                f"{stack}: change set: is {state['Status']} after {pace.change_set_timeout_seconds:.0f} seconds;"
                " expected CREATE_COMPLETE"
            )
        time.sleep(pace.poll_seconds)


def _changes(clients: Clients, change_set: str) -> tuple[Change, ...]:
    found: list[Change] = []
    token: dict[str, str] = {}
    while True:
        page = clients.cloudformation.describe_change_set(ChangeSetName=change_set, **token)
        for change in page.get("Changes", []):
            resource = change["ResourceChange"]
            found.append(
                Change(
                    action=resource["Action"],
                    logical_id=resource["LogicalResourceId"],
                    kind=resource["ResourceType"],
                    replacement=resource.get("Replacement", ""),
                )
            )
        if not page.get("NextToken"):
            return tuple(found)
        token = {"NextToken": page["NextToken"]}
