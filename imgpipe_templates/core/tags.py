"""Tags in the four shapes that CloudFormation resource types take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from troposphere import AWSHelperFn, AWSObject, Tags

if TYPE_CHECKING:
    TagValues = Mapping[str, str | AWSHelperFn]

# The types whose tags have a name of their own (CloudFormation resource reference of each type, read 2026-11).
_TAG_PROPERTIES = ("Tags", "BackupVaultTags", "BackupPlanTags", "ResourceTags")


def apply_tags(resource: AWSObject, tags: TagValues) -> None:
    """Give `resource` all of `tags` in the shape its type takes; a type that takes none is left as it is.

    A tag that the resource already carries wins over one of `tags`.
    """
    name = next((name for name in _TAG_PROPERTIES if name in resource.props), None)
    if name is None:
        return
    shape = resource.props[name][0]
    own = resource.properties.get(name)
    if shape is dict:
        setattr(resource, name, {**tags, **(own or {})})
        return
    if isinstance(shape, list):  # budgets and cost anomaly detection: a list of objects of a class of their own
        carried = {tag.Key: tag.Value for tag in own or []}
        setattr(resource, name, [shape[0](Key=key, Value=value) for key, value in {**tags, **carried}.items()])
        return
    carried = {tag["Key"]: tag["Value"] for tag in own.to_dict()} if own else {}
    # A new object each time: adding two troposphere Tags changes the right one of them.
    setattr(resource, name, Tags({**tags, **carried}))
