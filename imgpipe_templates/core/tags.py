"""Tags in the forms that CloudFormation resource types accept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from troposphere import AWSHelperFn, AWSObject, Tags

if TYPE_CHECKING:
    TagValues = Mapping[str, str | AWSHelperFn]

# The tag properties of all types (CloudFormation resource reference of each type, read 2026-11).
_TAG_PROPERTIES = ("Tags", "BackupVaultTags", "BackupPlanTags", "ResourceTags")


def apply_tags(resource: AWSObject, tags: TagValues) -> None:
    """Add `tags` to `resource` in the form of its type; a type without tags does not change.

    A tag that the resource already has is kept.
    """
    name = next((name for name in _TAG_PROPERTIES if name in resource.props), None)
    if name is None:
        return
    tag_type = resource.props[name][0]
    existing = resource.properties.get(name)
    if tag_type is dict:
        setattr(resource, name, {**tags, **(existing or {})})
        return
    if isinstance(tag_type, list):  # budgets and cost anomaly detection: a list of objects of a special class
        current = {tag.Key: tag.Value for tag in existing or []}
        setattr(resource, name, [tag_type[0](Key=key, Value=value) for key, value in {**tags, **current}.items()])
        return
    current = {tag["Key"]: tag["Value"] for tag in existing.to_dict()} if existing else {}
    # A new object each time: `+` on two troposphere Tags changes the right operand.
    setattr(resource, name, Tags({**tags, **current}))
