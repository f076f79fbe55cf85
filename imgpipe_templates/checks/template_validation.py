"""Validation of rendered templates, with results cached by the hash of their text."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.machinery import PathFinder
from types import MappingProxyType
from typing import Any

from imgpipe_templates.cache import code_version, recall, remember
from imgpipe_templates.checks.facts.lambda_runtimes import SOURCE, runtime_violations
from imgpipe_templates.checks.facts.stack_references import StackSet
from imgpipe_templates.checks.facts.template import Profile
from imgpipe_templates.checks.findings import Finding, Path, severity_of
from imgpipe_templates.checks.profiles import PROJECT
from imgpipe_templates.checks.rules import STACK_RULES

_KIND = "checks"


@dataclass(frozen=True)
class _Result:
    """Lint result of one template: findings that never change, and runtimes to check again on each date.

    Attributes:
        findings: The findings that do not depend on the date.
        runtimes: For each rule that depends on the date, path and name of every runtime without an ignore in Metadata.
    """

    findings: list[Finding]
    runtimes: dict[str, list[tuple[Path, str]]]


@dataclass(frozen=True)
class _Request:
    """A template and the requirements for it."""

    name: str
    text: str
    profile: Profile
    stacks: Mapping[str, str]


def check_templates(
    templates: Mapping[str, str],
    *,
    today: date,
    use_cache: bool = True,
    profile: Profile = PROJECT,
    stacks: Mapping[str, str] = MappingProxyType({}),
) -> list[Finding]:
    """Return the findings of cfn-lint and of the project's rules; a valid template has none.

    Args:
        templates: Template name to its JSON text.
        today: The date that is compared with deprecation dates.
        use_cache: False neither reads cached results nor writes new ones.
        profile: Required tags and conventions: `PROJECT` for rendered templates, `AWS_ONLY` for all others.
        stacks: If the templates are the stacks of one layout, all of them by stack name. References between them are
            resolved, so that every layout has the same findings.
    """
    versions = _versions() if use_cache else None
    findings: list[Finding] = []
    for name, text in templates.items():
        request = _Request(name, text, profile, stacks)
        result = _check(request) if versions is None else _check_cached(request, versions)
        findings += result.findings
        findings += (
            Finding(rule_id, severity_of(rule_id), name, violation.path, violation.message, SOURCE)
            for rule_id, uses in result.runtimes.items()
            for violation in runtime_violations(rule_id, uses, today)
        )
    return findings


def check_stacks(stacks: Mapping[str, Mapping[str, Any]], reads_from: Mapping[str, set[str]]) -> list[Finding]:
    """Return the findings across the stacks of one layout.

    Args:
        stacks: Template by stack name.
        reads_from: Stack name -> stacks whose handles it received, recorded by the assembly of the pipeline.
    """
    stack_set = StackSet(stacks, reads_from)
    return [
        Finding(rule.id, rule.severity, stack, violation.path, violation.message, rule.source)
        for rule in STACK_RULES
        for stack, violation in rule.find(stack_set)
    ]


def _check_cached(request: _Request, versions: str) -> _Result:
    parts = (versions, request.profile, *request.stacks.items(), request.text)
    key = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
    cached = recall(_KIND, key)
    if cached is not None and (result := _from_json(request.name, cached)):
        return result
    result = _check(request)
    remember(_KIND, key, _to_json(result))
    return result


def _check(request: _Request) -> _Result:
    from imgpipe_templates.checks.cfnlint_runner import lint  # noqa: PLC0415 - imports cfn-lint, slower than the rest

    return _Result(*lint(request.name, request.text, request.profile, request.stacks))


def _to_json(result: _Result) -> str:
    found = [[f.rule, f.severity, f.path, f.message, f.source] for f in result.findings]
    return json.dumps({"findings": found, "runtimes": result.runtimes})


def _from_json(name: str, text: str) -> _Result | None:
    """Return the cached result, or None if the text is damaged."""
    try:
        cached = json.loads(text)
        found = [
            Finding(rule, severity, name, tuple(path), *rest) for rule, severity, path, *rest in cached["findings"]
        ]
        runtimes = {
            rule_id: [(tuple(path), runtime) for path, runtime in uses] for rule_id, uses in cached["runtimes"].items()
        }
        return _Result(found, runtimes)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _versions() -> str | None:
    """Return the versions on which a result depends: this package, cfn-lint, and schemas that the user downloaded.

    None if cfn-lint's version cannot be read without its import; then no result is cached.
    """
    spec = PathFinder.find_spec("cfnlint")
    if spec is None or spec.origin is None:
        return None
    version = pathlib.Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    return f"{code_version()} {version} {_downloaded_schemas()}"


def _downloaded_schemas() -> str:
    """Return the state of the schemas that `cfn-lint --update-specs` downloads, which cfn-lint then prefers."""
    home = pathlib.Path.home()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME", home / ".cache")
    try:
        stat = (pathlib.Path(base) / "aws" / "cfn-lint" / "schemas" / "version.json").stat()
    except OSError:
        return ""
    return f"{stat.st_size} {stat.st_mtime_ns}"
