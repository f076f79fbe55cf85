"""Validation of rendered templates, with results remembered by the hash of their text."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import pathlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.machinery import PathFinder
from types import MappingProxyType

from imgpipe_templates.cache import code_version, recall, remember
from imgpipe_templates.checks.model import Finding, Path, Profile, severity_of
from imgpipe_templates.checks.profiles import PROJECT
from imgpipe_templates.checks.runtimes import SOURCE, runtime_faults

_KIND = "checks"


@dataclass(frozen=True)
class Result:
    """What one template text says on every day.

    Attributes:
        findings: Those that hold whatever the day.
        runtimes: For each rule that depends on the day, path and name of every runtime that Metadata does not excuse.
    """

    findings: list[Finding]
    runtimes: dict[str, list[tuple[Path, str]]]


def check_templates(
    templates: Mapping[str, str],
    *,
    today: date,
    use_cache: bool = True,
    profile: Profile = PROJECT,
    stacks: Mapping[str, str] = MappingProxyType({}),
) -> list[Finding]:
    """All findings of cfn-lint and of the project's rules; any of them means that the templates are not valid.

    Args:
        templates: Template name to its JSON text.
        today: The day that deprecation dates are compared with.
        use_cache: False neither asks for remembered results nor keeps new ones.
        profile: Required tags and conventions: `PROJECT` for rendered templates, `ANYBODY` for all others.
        stacks: If the templates are the stacks of one layout, all of them by stack name: references between them are
            resolved, so that every layout is judged alike.
    """
    versions = _versions() if use_cache else None
    findings: list[Finding] = []
    for name, text in templates.items():
        asked = _Question(name, text, profile, stacks)
        result = _check(asked) if versions is None else _check_once(asked, versions)
        findings += result.findings
        findings += (
            Finding(rule_id, severity_of(rule_id), name, fault.path, fault.message, SOURCE)
            for rule_id, uses in result.runtimes.items()
            for fault in runtime_faults(rule_id, uses, today)
        )
    return findings


@dataclass(frozen=True)
class _Question:
    """A template and what it is judged by."""

    name: str
    text: str
    profile: Profile
    stacks: Mapping[str, str]


def _check_once(asked: _Question, versions: str) -> Result:
    parts = (versions, asked.profile, *asked.stacks.items(), asked.text)
    key = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
    remembered = recall(_KIND, key)
    if remembered is not None and (result := _unpacked(asked.name, remembered)):
        return result
    result = _check(asked)
    remember(_KIND, key, _packed(result))
    return result


def _check(asked: _Question) -> Result:
    with _without_collector():
        from imgpipe_templates.checks.linter import lint  # noqa: PLC0415 - costs ten times a remembered result

        return Result(*lint(asked.name, asked.text, asked.profile, asked.stacks))


def _packed(result: Result) -> str:
    found = [[f.rule, f.severity, f.path, f.message, f.source] for f in result.findings]
    return json.dumps({"findings": found, "runtimes": result.runtimes})


def _unpacked(name: str, text: str) -> Result | None:
    """The remembered result, or None if what was kept is not one."""
    try:
        kept = json.loads(text)
        found = [Finding(rule, severity, name, tuple(path), *rest) for rule, severity, path, *rest in kept["findings"]]
        runtimes = {
            rule_id: [(tuple(path), runtime) for path, runtime in uses] for rule_id, uses in kept["runtimes"].items()
        }
        return Result(found, runtimes)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _versions() -> str | None:
    """What a result depends on besides the text: this package, cfn-lint, and schemas that the user had it download.

    None when cfn-lint's version cannot be read without importing it; then nothing is remembered.
    """
    spec = PathFinder.find_spec("cfnlint")
    if spec is None or spec.origin is None:
        return None
    version = pathlib.Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    return f"{code_version()} {version} {_downloaded_schemas()}"


def _downloaded_schemas() -> str:
    """The state of the schemas that `cfn-lint --update-specs` keeps for the user, and that cfn-lint then prefers."""
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


@contextmanager
def _without_collector() -> Iterator[None]:
    """No garbage collection meanwhile: linting makes a million objects that live to its end, and little garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
