"""Counts the findings of the project's rules in published templates, to find rules that are too strict.

`python -m tools.published FOLDER` reads the commits that tests/checks/published.json names out of clones,
`FOLDER/<owner>+<name>`, and compares the counts with those in the file; `--write` replaces them. The templates are not
part of the project. Read some findings of a rule whose count grows, and correct the rule if a finding is wrong.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click

# cfn-lint has annotations but no py.typed.
from cfnlint.decode import decode
from cfnlint.template.template import Template as CfnTemplate

from imgpipe_templates.checks.facts.template import Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.profiles import AWS_ONLY
from imgpipe_templates.checks.rules import RULES

COUNTS = Path(__file__).parents[1] / "tests" / "checks" / "published.json"
# The number of deprecated runtimes depends on the date; the counts are those of this date.
TODAY = date(2026, 12, 1)
# Services of the rules.
_ABOUT = re.compile(rb"AWS::(Lambda|S3|SQS|SNS|Events|DynamoDB|KMS|IAM|Logs|CloudWatch|Backup|Serverless|ApiGateway)")
_TEMPLATE = re.compile(r"\.(ya?ml|json|template)$")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--write", is_flag=True, help="Replace the counts instead of comparing them.")
@click.option("--show", metavar="RULE", help="Also print each finding of one rule.")
def main(folder: Path, *, write: bool, show: str | None) -> None:
    """Count the findings of each rule in published templates."""
    recorded = json.loads(COUNTS.read_text(encoding="utf-8"))
    counted = [count(clone_of(folder, one["repository"]), one["repository"], one["commit"], show) for one in recorded]
    if write:
        COUNTS.write_text(json.dumps(counted, indent=2) + "\n", encoding="utf-8")
    for before, now in zip(recorded, counted, strict=True):
        for rule in sorted(before["findings"].keys() | now["findings"].keys()):
            old, new = before["findings"].get(rule, 0), now["findings"].get(rule, 0)
            if old != new:
                click.echo(f"{now['repository']}: {rule}: {old} findings before, {new} now")
    if not write and counted != recorded:
        raise SystemExit(1)


def clone_of(folder: Path, repository: str) -> Path:
    """Return the git directory of a clone."""
    found = folder / repository.replace("/", "+")
    return found / "repo" if (found / "repo").is_dir() else found


def count(clone: Path, repository: str, commit: str, show: str | None = None) -> dict[str, Any]:
    """Count the findings of each rule in the templates of a commit."""
    findings: Counter[str] = Counter()
    templates = 0
    for name, template in _templates(clone, commit):
        templates += 1
        for rule_id, violation in violations_of(template):
            findings[rule_id] += 1
            if rule_id == show:
                click.echo(f"{repository}/{name}: {'.'.join(map(str, violation.path))}: {violation.message}")
    return {
        "repository": repository,
        "commit": commit,
        "templates": templates,
        "findings": dict(sorted(findings.items())),
    }


def violations_of(template: Template) -> Iterator[tuple[str, Violation]]:
    """Yield the violations of all rules in a template."""
    yield from ((rule.id, violation) for rule in RULES for violation in rule.violations(template))


def _templates(clone: Path, commit: str) -> Iterator[tuple[str, Template]]:
    listed = _git(clone, "ls-tree", "-r", "--name-only", commit).decode()
    seen: set[str] = set()
    for name in sorted(filter(_TEMPLATE.search, listed.splitlines()), key=lambda name: name.endswith("json")):
        stem = name.rpartition(".")[0]
        if stem in seen:  # the same template in another notation
            continue
        seen.add(stem)
        text = _git(clone, "show", f"{commit}:{name}")
        if b"Resources" in text and _ABOUT.search(text) and (found := _read(text, Path(name).suffix)):
            yield name, found


def _git(clone: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(clone), *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - git, with the commits of published.json


def _read(text: bytes, suffix: str) -> Template | None:
    with tempfile.NamedTemporaryFile(suffix=suffix) as file:
        file.write(text)
        file.flush()
        try:
            body, decode_errors = decode(file.name)
            if decode_errors or not isinstance(body, dict) or not isinstance(body.get("Resources"), dict):
                return None
            lint = CfnTemplate(file.name, body, ["us-east-1"])
            return None if lint.transform() else Template(lint.template, today=TODAY, profile=AWS_ONLY)
        except Exception:  # noqa: BLE001 - cfn-lint raises many exceptions for files that are no templates
            return None


if __name__ == "__main__":
    main()
