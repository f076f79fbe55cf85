"""What a rendered template says of itself in its Metadata, so that the checks can hold it to that.

A template says which of its protections its configuration asks for. The checks ask for exactly these, wherever the
template is edited or copied afterwards; a template without this Metadata is somebody else's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imgpipe_templates.options import PipelineConfig

# Key in a template's Metadata.
METADATA_KEY = "ImagePipeline"

ACCESS_LOGS = "access-logs"
BACKUPS = "backups"
BUDGET = "budget"
CUSTOMER_KEY = "customer-key"
DELETION_PROTECTION = "deletion-protection"
TRACING = "tracing"


def metadata(config: PipelineConfig) -> dict[str, Any]:
    """Return the Metadata of every stack of a pipeline."""
    asked = {
        ACCESS_LOGS: config.storage.access_logs,
        BACKUPS: config.backups,
        BUDGET: config.budget,
        CUSTOMER_KEY: config.customer_managed_key,
        DELETION_PROTECTION: config.metadata.deletion_protection,
        TRACING: config.security.tracing,
    }
    return {METADATA_KEY: {"Protections": [name for name, wanted in asked.items() if wanted]}}


def promised(body: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the protections that a template says it has; None for a template that this project did not render."""
    said: Any = body.get("Metadata")
    for key in (METADATA_KEY, "Protections"):
        said = said.get(key) if isinstance(said, Mapping) else None
    return frozenset(map(str, said)) if isinstance(said, list) else None
