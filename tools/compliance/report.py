"""docs/compliance.md, from what the scanners say."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping

from tools.compliance.findings import GRAVE, Accepted, Finding, Scan, Verdict

HEAD = """\
# Compliance

What public scanners say of the rendered templates (`build/*/single`). Written by `python -m tools.compliance`, which
installs each scanner from PyPI or npm into an environment of its own (Node.js 20 or newer has to be there), runs it
over every preset without the suppressions that stand in it, and holds the findings against them. It fails where a
finding of `{held}` is not answered, where a suppression covers nothing, where there are more than 30, and where
another preset has a finding of severity {grave}.

A suppression stands in the Metadata of its resource: once in words (`Suppressions`), and in the format of each
scanner that it answers (`cdk_nag`, `checkov`, `cfn-lint`, `guard`). It is one matter on one resource, whichever packs
object to it; `imgpipe_templates/patterns/accepted.py` is the one page that states them all.
"""

NOTES = """\
## Not run, and not decided here

- cfn_nag and the AWS Guard Rules Registry: neither PyPI nor npm has them.
- cfn-lint, checkov and cdk-nag up to version 2 read a suppression out of the Metadata themselves. cdk-nag 3 no longer
  does: `workers/nag.js` acknowledges what the Metadata says. Control Tower's rules know no suppressions, so theirs are
  applied by this tool alone.
- cdk-nag calls nearly every rule an error, and checkov ranks rules only for customers of its vendor, so neither counts
  where findings of other presets are ranked.
- Trust policies name the service and no source account: AWS documents `aws:SourceAccount` there neither for Lambda's
  execution roles nor for AWS Backup and API Gateway, a role can be passed within its own account only, and a condition
  that is never met would stop every function.
- CFRipper is given the template with its references resolved; without, it crashes at every principal that is not
  written out.
- parliament and policy_sentry are given policies with example values for what only a deployment knows; `*` in a key
  policy is given as the key and its aliases, which is what it means there. Trust policies have no resources, without
  which parliament knows no statement.
- policy_sentry writes policies; what is asked of it here is whether each allowed action exists, is spelt out, and could
  be limited to resources where it is not.
"""

_WIDTH = 120


def report(verdicts: Mapping[str, Verdict], held: str, native: Mapping[str, int]) -> str:
    """The whole page.

    Args:
        verdicts: What is to be said of each preset.
        held: The preset that is held against every rule.
        native: Findings left on it by pack, where the scanner reads the Metadata itself.
    """
    verdict = verdicts[held]
    parts = [
        HEAD.format(held=held, grave=" or ".join(sorted(GRAVE, key=len, reverse=True))),
        _summary(verdict, held, native),
        _suppressions(verdict, held),
        _others(verdicts, held),
        NOTES,
        f"## Every rule, on `{held}`\n",
        *(_rules(scan, verdict) for scan in verdict.scans),
    ]
    return "\n".join(parts)


def _summary(verdict: Verdict, held: str, native: Mapping[str, int]) -> str:
    def row(scan: Scan) -> list[str]:
        answered = [finding for finding, _ in verdict.covered if finding.pack == scan.pack]
        left = sum(finding.pack == scan.pack for finding in verdict.open)
        rules = len(scan.passed) + len(scan.idle) + len({finding.rule for finding in scan.findings})
        return [
            scan.pack,
            scan.scanner,
            str(rules),
            str(len(scan.passed)),
            str(len({finding.rule for finding in answered})),
            str(len(scan.idle)) if scan.tells_idle else "-",
            str(len(scan.findings)),
            str(left),
            str(native.get(scan.pack, "-")),
        ]

    head = ["Rule pack", "Scanner", "Rules", "Pass", "Suppressed", "Not applicable", "Findings", "Net", "Net by itself"]
    table = _table(head, map(row, verdict.scans))
    return (
        f"## `{held}`: {len(verdict.open)} findings net, {len(verdict.accepted)} suppressions\n\n{table}\n"
        "`Findings` are objections to single resources with all suppressions taken out; `Net by itself` is what is\n"
        "left where the scanner reads the Metadata. A `-` says that a scanner does not tell which rules had nothing\n"
        "to look at, or does not read suppressions.\n"
    )


def _suppressions(verdict: Verdict, held: str) -> str:
    def row(number: int, one: Accepted) -> list[str]:
        scopes = "<br>".join(f"`{scope}`" for scope in one.applies_to)
        return [str(number), f"`{one.resource}`", "<br>".join(one.rules), scopes, one.reason]

    rows = (row(number, one) for number, one in enumerate(verdict.accepted, 1))
    return f"## Suppressions in `{held}`\n\n" + _table(["", "Resource", "Rules", "About", "Reason"], rows)


def _others(verdicts: Mapping[str, Verdict], held: str) -> str:
    packs = [scan.pack for scan in verdicts[held].scans]
    rows: list[list[str]] = []
    reasons: list[str] = []
    for preset, verdict in verdicts.items():
        if preset == held:
            continue
        counts = [str(sum(finding.pack == pack for finding in verdict.open)) for pack in packs]
        rows.append([f"`{preset}`", *counts, str(len(verdict.grave)), str(len(verdict.accepted))])
        reasons += [
            f"- `{preset}`, `{one.resource}`: {', '.join(one.rules)}. {one.reason}." for one in verdict.accepted
        ]
    ranked = "Error, high or critical"
    return (
        "## The other presets: findings left\n\n"
        + _table(["Preset", *packs, ranked, "Suppressions"], rows)
        + "\n"
        + "\n".join(reasons)
        + "\n"
    )


def _rules(scan: Scan, verdict: Verdict) -> str:
    lines = [f"### {scan.pack} ({scan.scanner})\n"]
    answers: dict[str, list[tuple[Finding, Accepted]]] = {}
    for finding, one in verdict.covered:
        if finding.pack == scan.pack:
            answers.setdefault(finding.rule, []).append((finding, one))
    for rule, pairs in sorted(answers.items()):
        numbers = sorted({verdict.accepted.index(one) + 1 for _, one in pairs})
        where = sorted({finding.resource for finding, _ in pairs})
        lines.append(f"- {rule}: suppressed on {', '.join(where)} ({', '.join(f'no. {number}' for number in numbers)})")
    lines += [f"- {one.rule}: **not answered** on {one.resource}" for one in verdict.open if one.pack == scan.pack]
    lines += _paragraph("Pass" if scan.tells_idle else "Pass or not applicable", scan.passed)
    lines += _paragraph("Not applicable", scan.idle)
    return "\n".join(lines) + "\n"


def _paragraph(title: str, rules: Iterable[str]) -> Iterator[str]:
    named = sorted(rules)
    if named:
        text = f"{title} ({len(named)}): {', '.join(named)}"
        yield "\n" + textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
