"""What a rendered template says of itself in its Metadata, so that the checks can hold it to that.

A template says which of its protections its configuration asks for. The checks ask for exactly these, wherever the
template is edited or copied afterwards; a template without this Metadata was not rendered by this project.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imgpipe_templates.options import PipelineConfig

# Key in a template's Metadata.
METADATA_KEY = "ImagePipeline"
SINGLE = "single"

ACCESS_LOGS = "access-logs"
API_AUTHORIZATION = "api-authorization"
BACKUPS = "backups"
BUDGET = "budget"
CUSTOMER_KEY = "customer-key"
DEAD_LETTERS = "dead-letters"
DELETION_PROTECTION = "deletion-protection"
TABLE_ALARMS = "table-alarms"
TABLE_KEY = "table-key"
TRACING = "tracing"


def metadata(config: PipelineConfig, layout: str) -> dict[str, Any]:
    """Return the Metadata of every stack of a pipeline.

    Args:
        config: What the pipeline is asked for.
        layout: How it is divided into stacks.
    """
    asked = {
        ACCESS_LOGS: config.storage.access_logs,
        API_AUTHORIZATION: config.retrieval.enabled and config.retrieval.authorization != "none",
        BACKUPS: config.backups,
        BUDGET: config.budget,
        CUSTOMER_KEY: config.customer_managed_key,
        # Without known names a rule and its queue, or two queues, would wait for each other.
        DEAD_LETTERS: config.names != "generated",
        DELETION_PROTECTION: config.metadata.deletion_protection,
        TABLE_ALARMS: config.monitoring.table_alarms,
        TABLE_KEY: config.metadata.encryption == "aws-managed" or config.customer_managed_key,
        TRACING: config.security.tracing,
    }
    return {METADATA_KEY: {"Layout": layout, "Protections": [name for name, wanted in asked.items() if wanted]}}


def promised(body: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the protections that a template says it has; None for a template that this project did not render."""
    said = _said(body, "Protections")
    return frozenset(map(str, said)) if isinstance(said, list) else None


def is_whole(body: Mapping[str, Any]) -> bool:
    """Return True for a template of this project that is a pipeline and not one of its stacks."""
    return bool(_said(body, "Layout") == SINGLE)


def as_whole(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the Metadata of all stacks of a pipeline in one template."""
    said = metadata.get(METADATA_KEY)
    return metadata | {METADATA_KEY: {**said, "Layout": SINGLE}} if isinstance(said, Mapping) else metadata


def _said(body: Mapping[str, Any], key: str) -> Any:
    said: Any = body.get("Metadata")
    for name in (METADATA_KEY, key):
        said = said.get(name) if isinstance(said, Mapping) else None
    return said
