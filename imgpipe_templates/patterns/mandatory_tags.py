"""The four tags that everything carries: set by the pipeline, demanded by the checks."""

from __future__ import annotations

# Tag -> the value it must have; None leaves the value to the pipeline.
MANDATORY_TAGS = {"Environment": None, "Project": None, "Purpose": None, "iac-rlhf-amazon": "true"}
