"""The profiles of requirements: AWS alone, or the conventions of this project too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imgpipe_templates.checks.facts.template import Profile
from imgpipe_templates.patterns.mandatory_tags import MANDATORY_TAGS
from imgpipe_templates.promises import promised

# For any template: errors that AWS rejects, data loss, and practices that AWS advises against.
AWS_ONLY = Profile()
# For templates that this project renders.
PROJECT = Profile(tags=MANDATORY_TAGS, conventions=True)
PROFILES = {"aws": AWS_ONLY, "project": PROJECT}


def profile_of(body: Mapping[str, Any]) -> Profile:
    """Return `PROJECT` if the template's Metadata says that this project rendered it, else `AWS_ONLY`."""
    return AWS_ONLY if promised(body) is None else PROJECT
