"""Validation: cfn-lint with the project's own rules, before anything is written."""

from __future__ import annotations

from imgpipe_templates.checks.engine import check_templates
from imgpipe_templates.checks.model import Finding

__all__ = ["Finding", "check_templates"]
