"""Whose conventions a template is held to: nobody's, or this project's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imgpipe_templates.checks.model import Profile
from imgpipe_templates.patterns.mandatory_tags import MANDATORY_TAGS
from imgpipe_templates.promises import promised

# Templates of anybody: what AWS refuses, loses or advises against.
ANYBODY = Profile()
# Templates that this project renders.
PROJECT = Profile(tags=MANDATORY_TAGS, conventions=True)
PROFILES = {"anybody": ANYBODY, "project": PROJECT}


def profile_of(body: Mapping[str, Any]) -> Profile:
    """Return the profile of a template by what it says of itself: `PROJECT` if this project rendered it."""
    return ANYBODY if promised(body) is None else PROJECT
