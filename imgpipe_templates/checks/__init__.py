"""Validation of templates with cfn-lint and the project's own rules, before anything is written.

`facts/` reads templates: resources, policies, deliveries, metric series, object keys, order of creation. `rules/`
contains the rules; a rule module imports facts and never another rule module. The modules of this folder run the rules:
`template_validation` for rendered templates, `file_validation` for files, `cfnlint_rules` for cfn-lint's own command.
"""

from __future__ import annotations

from imgpipe_templates.checks.facts.template import Profile
from imgpipe_templates.checks.findings import Finding
from imgpipe_templates.checks.profiles import AWS_ONLY, PROJECT
from imgpipe_templates.checks.template_validation import check_templates

__all__ = ["AWS_ONLY", "PROJECT", "Finding", "Profile", "check_templates"]
