"""What scanners say, and how it is held against what the templates accept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from imgpipe_templates.patterns.suppressions import BLOCK, FINDINGS

Template = Mapping[str, Any]

# What no preset may have, in the words of the scanners that rank their findings.
GRAVE = frozenset({"error", "high", "critical"})


@dataclass(frozen=True, order=True)
class Finding:
    """One objection of one rule to one resource.

    Attributes:
        pack: The rule pack.
        rule: The rule's id.
        resource: Logical id of the resource, or what else the scanner says of the place.
        detail: Which of several findings of the rule on the resource, in the scanner's own words.
        severity: The scanner's word for it, in lower case; empty where it has none.
    """

    pack: str
    rule: str
    resource: str
    detail: str = ""
    severity: str = ""


@dataclass(frozen=True)
class Scan:
    """What one rule pack says of one template.

    Attributes:
        pack: The rule pack.
        scanner: The scanner and its version.
        passed: Rules that had something to look at, and nothing to say.
        idle: Rules that had nothing to look at.
        findings: What the others say.
        tells_idle: Whether the scanner tells apart rules that passed and rules that had nothing to look at.
    """

    pack: str
    scanner: str
    passed: frozenset[str]
    idle: frozenset[str]
    findings: tuple[Finding, ...]
    tells_idle: bool = True


@dataclass(frozen=True)
class Accepted:
    """One suppression as it stands in a template."""

    resource: str
    rules: tuple[str, ...]
    applies_to: tuple[str, ...]
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether it answers `finding`: the same resource, one of its rules, and the exact finding if it names any."""
        if finding.resource != self.resource or finding.rule not in self.rules:
            return False
        named = [scope for scope in self.applies_to if scope.startswith(FINDINGS)]
        return finding.detail in named if named or finding.detail.startswith(FINDINGS) else True


@dataclass(frozen=True)
class Verdict:
    """What is left of the findings on one template.

    Attributes:
        scans: What the rule packs say of it without its suppressions.
        accepted: Its suppressions.
        covered: Each answered finding with its suppression.
        open: Findings that nothing answers.
        superfluous: What covers nothing: a suppression's rule, or one of the findings that it names.
    """

    scans: tuple[Scan, ...]
    accepted: tuple[Accepted, ...]
    covered: tuple[tuple[Finding, Accepted], ...] = ()
    open: tuple[Finding, ...] = ()
    superfluous: tuple[str, ...] = field(default=())

    @property
    def grave(self) -> tuple[Finding, ...]:
        """Open findings of a severity that no preset may have."""
        return tuple(finding for finding in self.open if finding.severity in GRAVE)


def without_suppressions(template: Template) -> dict[str, Any]:
    """`template` as if nothing in it had ever been accepted."""
    resources = {
        title: {key: value for key, value in resource.items() if key != "Metadata"}
        for title, resource in template["Resources"].items()
    }
    return {**template, "Resources": resources}


def accepted_in(template: Template) -> tuple[Accepted, ...]:
    """The suppressions that `template` states."""
    return tuple(
        Accepted(title, tuple(entry["rules"]), tuple(entry["applies_to"]), entry["reason"])
        for title, resource in template["Resources"].items()
        for entry in resource.get("Metadata", {}).get(BLOCK, ())
    )


def judge(scans: Iterable[Scan], accepted: tuple[Accepted, ...]) -> Verdict:
    """Hold findings and suppressions against each other."""
    scans = tuple(scans)
    covered: list[tuple[Finding, Accepted]] = []
    unanswered: list[Finding] = []
    for finding in sorted(finding for scan in scans for finding in scan.findings):
        answer = next((one for one in accepted if one.covers(finding)), None)
        if answer:
            covered.append((finding, answer))
        else:
            unanswered.append(finding)
    superfluous = tuple(_superfluous(accepted, covered))
    return Verdict(scans, accepted, tuple(covered), tuple(unanswered), superfluous)


def _superfluous(accepted: Iterable[Accepted], covered: Iterable[tuple[Finding, Accepted]]) -> Iterator[str]:
    used = {(one, finding.rule, finding.detail) for finding, one in covered}
    for one in accepted:
        for rule in one.rules:
            details = {detail for other, of_rule, detail in used if other == one and of_rule == rule}
            if not details:
                yield f"{one.resource}: {rule}: covers nothing; remove it"
            for scope in one.applies_to:
                if details and scope.startswith(FINDINGS) and scope not in details:
                    yield f"{one.resource}: {rule}[{scope}]: covers nothing; remove it"
