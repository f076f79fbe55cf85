"""What happens to data when its stack is deleted or its resource replaced."""

from __future__ import annotations

from typing import Literal

from troposphere import AWSObject, Sub

from imgpipe_templates.core.naming import Value

DeletionPolicy = Literal["retain", "delete"]

# The tag by which the backup plan selects. Its value names the environment, so that the plan of one stack leaves what
# other stacks of the account have tagged alone.
BACKUP_TAG = "Backup"


def backup_tag() -> dict[str, Value]:
    """The tag of what the backup plan copies."""
    return {BACKUP_TAG: Sub("imgpipe-${EnvironmentSuffix}")}


def keep_data(resource: AWSObject, deletion_policy: DeletionPolicy) -> None:
    """Set both retention policies of a stateful resource.

    Args:
        resource: A resource that holds data.
        deletion_policy: `retain` keeps the data when the stack is deleted, yet lets go of a resource whose own
            creation is rolled back (nothing is in it, and its fixed name would block the next attempt).
    """
    resource.DeletionPolicy = "RetainExceptOnCreate" if deletion_policy == "retain" else "Delete"
    resource.UpdateReplacePolicy = "Retain" if deletion_policy == "retain" else "Delete"
