"""Validation of rendered templates, with results remembered by the hash of their text."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from imgpipe_templates.cache import code_version, recall, remember
from imgpipe_templates.checks.model import Fault, Finding, Rule
from imgpipe_templates.checks.rules import RULES, limits
from imgpipe_templates.checks.template import Template, mapping

_KIND = "checks"


def check_templates(templates: Mapping[str, str], *, today: date, use_cache: bool = True) -> list[Finding]:
    """All findings of cfn-lint and of the project's rules; any of them means that the templates are not valid.

    Args:
        templates: Template name to its JSON text.
        today: The day that deprecation dates are compared with.
        use_cache: False neither asks for remembered results nor keeps new ones.
    """
    versions = _versions() if use_cache else ""
    findings: list[Finding] = []
    for name, text in templates.items():
        body = json.loads(text)
        key = hashlib.sha256(f"{versions}\n{text}".encode()).hexdigest()
        found = _recalled(name, key) if use_cache else None
        if found is None:
            found = _checked(name, text, body)
            if use_cache:
                remember(_KIND, key, json.dumps([[f.rule, f.severity, f.path, f.message, f.source] for f in found]))
        findings += found
        findings += _dated(name, Template(body, today=today))
    return findings


def _checked(name: str, text: str, body: dict[str, Any]) -> list[Finding]:
    # Only here: the linter costs ten times what a remembered result costs.
    from imgpipe_templates.checks.linter import lint  # noqa: PLC0415

    size = _as_findings(name, limits.RULES[0], limits.body_faults(len(text.encode()), "template as written"))
    return [*size, *lint(name, body)]


def _recalled(name: str, key: str) -> list[Finding] | None:
    text = recall(_KIND, key)
    try:
        return None if text is None else [Finding(r, s, name, tuple(p), m, u) for r, s, p, m, u in json.loads(text)]
    except ValueError:
        return None


def _dated(name: str, template: Template) -> Iterator[Finding]:
    for rule in RULES:
        if rule.dated:
            faults = (fault for fault in rule.find(template) if not _is_suppressed(template, rule, fault))
            yield from _as_findings(name, rule, faults)


def _as_findings(name: str, rule: Rule, faults: Iterator[Fault]) -> Iterator[Finding]:
    return (Finding(rule.id, rule.severity, name, fault.path, fault.message, rule.source) for fault in faults)


def _is_suppressed(template: Template, rule: Rule, fault: Fault) -> bool:
    """Whether Metadata of the template or of the resource switches a rule off, as cfn-lint reads it."""
    owner = template.resources.get(str(fault.path[1]))
    return any(rule.id.startswith(str(prefix)) for prefix in _ignored(template.body)) or (
        owner is not None and rule.id in _ignored(owner.body)
    )


def _ignored(body: Mapping[str, Any]) -> list[Any]:
    settings = mapping(mapping(mapping(body.get("Metadata")).get("cfn-lint")).get("config"))
    ignored = settings.get("ignore_checks")
    return ignored if isinstance(ignored, list) else []


def _versions() -> str:
    """What a result depends on besides the text: this package, cfn-lint, and schemas that the user had it download."""
    spec = find_spec("cfnlint")
    version = Path(spec.origin).with_name("version.py").read_bytes() if spec and spec.origin else b""
    return f"{code_version()} {hashlib.sha256(version).hexdigest()} {_downloaded_schemas()}"


def _downloaded_schemas() -> str:
    """The state of the schemas that `cfn-lint --update-specs` leaves beside other caches and cfn-lint then prefers."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    try:
        stat = (Path(base) / "aws" / "cfn-lint" / "schemas" / "version.json").stat()
    except OSError:
        return ""
    return f"{stat.st_size} {stat.st_mtime_ns}"
