"""Validation: cfn-lint with the project's own rules, before anything is written."""

from __future__ import annotations

from imgpipe_templates.checks.engine import check_templates
from imgpipe_templates.checks.model import Finding, Profile
from imgpipe_templates.checks.profiles import ANYBODY, PROJECT

__all__ = ["ANYBODY", "PROJECT", "Finding", "Profile", "check_templates"]
