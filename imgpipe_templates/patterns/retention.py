"""What happens to data when its stack is deleted or its resource replaced."""

from __future__ import annotations

from typing import Literal

from troposphere import AWSObject

DeletionPolicy = Literal["retain", "delete"]

# What the backup plan selects by; its value is how often.
BACKUP_TAG = "Backup"


def keep_data(resource: AWSObject, deletion_policy: DeletionPolicy) -> None:
    """Set both retention policies of a stateful resource.

    Args:
        resource: A resource that holds data.
        deletion_policy: `retain` keeps the data when the stack is deleted, yet lets go of a resource whose own
            creation is rolled back (nothing is in it, and its fixed name would block the next attempt).
    """
    resource.DeletionPolicy = "RetainExceptOnCreate" if deletion_policy == "retain" else "Delete"
    resource.UpdateReplacePolicy = "Retain" if deletion_policy == "retain" else "Delete"
