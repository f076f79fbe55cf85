"""How a finding of a public scanner is answered where it is wrong for this pipeline: in the resource's own Metadata.

Each scanner reads a different format: cdk-nag `cdk_nag.rules_to_suppress`, checkov `checkov.skip`, cfn-lint
`cfn-lint.config.ignore_checks`, rules for cfn-guard `guard.SuppressedRules`. One suppression here is one matter on one
resource, whichever scanners see it; `tools/compliance` says when one covers nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from troposphere import AWSObject

# Long enough to be a reason, and not just a word.
SHORTEST_REASON = 20

# Our own block of the Metadata: what was answered, and why, once for all scanners.
BLOCK = "Suppressions"

# How cdk-nag begins the name of one finding of a rule that can have several on one resource.
FINDINGS = ("Resource::", "Action::", "Policy::")

# How the ids of a scanner's rules begin; the scanner is called as its block of the Metadata is.
_SCANNERS = {
    "AwsSolutions-": "cdk_nag",
    "NIST.800.53.R5-": "cdk_nag",
    "HIPAA.Security-": "cdk_nag",
    "PCI.DSS.321-": "cdk_nag",
    "Serverless-": "cdk_nag",
    "CKV_AWS_": "checkov",
    "CKV2_AWS_": "checkov",
    "CT.": "guard",
    "PERMISSIONS_MANAGEMENT_ACTIONS": "parliament",
    "permissions-management": "policy_sentry",
    "E": "cfn-lint",
    "I": "cfn-lint",
    "W": "cfn-lint",
}


@dataclass(frozen=True)
class Suppression:
    """One matter on one resource that is right as it is.

    Attributes:
        rules: Ids of the rules that object to it.
        applies_to: What of the resource it is about: properties, or the very findings in cdk-nag's words
            (`Resource::<ThumbnailBucket.Arn>/*`).
        reason: Why it is right, in words that a reviewer can check.
    """

    rules: tuple[str, ...]
    applies_to: tuple[str, ...]
    reason: str


def scanner_of(rule: str) -> str:
    """The scanner whose rule it is, as its block of the Metadata is called.

    Raises:
        ValueError: No scanner has rules of such an id.
    """
    for beginning, scanner in _SCANNERS.items():
        if rule.startswith(beginning):
            return scanner
    raise ValueError(f"{rule}: is no rule of a known scanner; expected an id that begins with {', '.join(_SCANNERS)}")


def suppress(resource: AWSObject, *suppressions: Suppression) -> None:
    """State in the Metadata of `resource` what is right as it is, to every scanner in its own format.

    Raises:
        ValueError: A suppression has no rules, scope or reason, or names a rule of no known scanner.
    """
    metadata: dict[str, Any] = dict(getattr(resource, "Metadata", {}))
    for suppression in suppressions:
        if not suppression.rules or not suppression.applies_to or len(suppression.reason) < SHORTEST_REASON:
            raise ValueError(f"{resource.title}: {suppression.rules}: lacks rules, scope or reason; expected all three")
        own = {"rules": list(suppression.rules), "applies_to": list(suppression.applies_to)}
        metadata[BLOCK] = [*metadata.get(BLOCK, []), {**own, "reason": suppression.reason}]
        for rule in suppression.rules:
            _add_to_metadata(metadata, rule, suppression)
    resource.Metadata = metadata


def _add_to_metadata(metadata: dict[str, Any], rule: str, suppression: Suppression) -> None:
    """Add one rule to the block of its scanner."""
    match scanner_of(rule):
        case "cdk_nag":
            entry: dict[str, Any] = {"id": rule, "reason": suppression.reason}
            findings = [finding for finding in suppression.applies_to if finding.startswith(FINDINGS)]
            if findings:
                entry["applies_to"] = findings
            _block(metadata, "cdk_nag", "rules_to_suppress").append(entry)
        case "checkov":
            _block(metadata, "checkov", "skip").append({"id": rule, "comment": suppression.reason})
        case "cfn-lint":
            config = metadata.setdefault("cfn-lint", {}).setdefault("config", {})
            config.setdefault("ignore_checks", []).append(rule)
        case scanner:
            _block(metadata, scanner, "SuppressedRules").append(rule)


def _block(metadata: dict[str, Any], scanner: str, key: str) -> list[Any]:
    entries: list[Any] = metadata.setdefault(scanner, {}).setdefault(key, [])
    return entries
