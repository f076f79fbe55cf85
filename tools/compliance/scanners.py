"""The scanners: one function each, from a template's file to what its rule packs say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.compliance.environments import NODE, PYTHON, WORKERS, Environments, run, tool
from tools.compliance.findings import Finding, Scan

Scanner = Callable[[Environments, Path], list[Scan]]

_CONTROL = re.compile(r"\[(CT\.[A-Z0-9]+\.PR\.\d+)\]")
_GUARD_RULE = re.compile(r"^rule (\w+_check) when", re.MULTILINE)
_NAG_FINDING = re.compile(r"^(?P<rule>[^\[]+)(?:\[(?P<detail>.*)\])?$", re.DOTALL)
_CHECKOV_RULE = re.compile(r"\| (CKV2?_AWS_\d+) +\|")
_CFN_LINT_RULE = re.compile(r"^([EWI]\d{4}): ", re.MULTILINE)


def cfn_lint(environments: Environments, template: Path) -> list[Scan]:
    """All rules of cfn-lint, the informational ones too."""
    command = environments.script("cfn-lint")
    # Its exit code adds up the levels of what it finds.
    codes = tuple(range(16))
    said = json.loads(
        run(command, "--include-checks", "I", "--format", "json", "--template", str(template), allowed=codes)
    )
    findings = [
        Finding("cfn-lint", one["Rule"]["Id"], _resource(one["Location"]["Path"]), one["Message"], one["Level"].lower())
        for one in said
    ]
    rules = set(_CFN_LINT_RULE.findall(run(command, "--include-checks", "I", "--list-rules")))
    return [_scan("cfn-lint", _version("cfn-lint"), rules, findings, tells_idle=False)]


def checkov(environments: Environments, template: Path) -> list[Scan]:
    """Checks of CloudFormation by checkov."""
    command = (environments.python("checkov"), "-m", "checkov.main")
    options = ("--framework", "cloudformation", "--compact", "--output", "json", "--soft-fail")
    said = json.loads(run(*command, "--file", str(template), *options))["results"]
    findings = [
        Finding(
            "checkov", one["check_id"], one["resource"].rpartition(".")[2], severity=(one["severity"] or "").lower()
        )
        for one in said["failed_checks"]
    ]
    judged = {one["check_id"] for outcome in ("passed_checks", "skipped_checks") for one in said[outcome]}
    rules = set(_CHECKOV_RULE.findall(run(*command, "--framework", "cloudformation", "--list")))
    return [_scan("checkov", _version("checkov"), rules, findings, judged)]


def cfripper(environments: Environments, template: Path) -> list[Scan]:
    """CFRipper's rules on the resolved template."""
    parameters = template.with_suffix(".parameters.json")
    parameters.write_text(json.dumps(_parameters(template)), encoding="utf-8")
    said = _worker(environments, "cfripper", str(template), str(parameters))
    findings = [
        Finding("CFRipper", one["rule"], resource, severity=one["severity"].lower())
        for one in said["findings"]
        for resource in one["resources"]
    ]
    findings += [Finding("CFRipper", "crash", "-", crash, "error") for crash in said["crashes"]]
    return [_scan("CFRipper", _version("cfripper"), set(said["rules"]), findings, tells_idle=False)]


def parliament(environments: Environments, template: Path) -> list[Scan]:
    """What parliament says of every policy document."""
    return _policies(environments, "parliament", template)


def policy_sentry(environments: Environments, template: Path) -> list[Scan]:
    """What policy_sentry knows of every allowed action."""
    return _policies(environments, "policy_sentry", template)


def cdk_nag(environments: Environments, template: Path, mode: str = "raw") -> list[Scan]:
    """The packs of cdk-nag on the template, included into a stack of the CDK.

    Args:
        environments: Where cdk-nag is.
        template: The template.
        mode: `metadata` acknowledges what the resources' Metadata says, as the packs themselves do up to version 2.
    """
    folder = environments.folder / "cdk-nag"
    said = json.loads(run(tool("node"), str(WORKERS / "nag.js"), str(folder), str(template), mode))
    version = f"cdk-nag {NODE['cdk-nag']['cdk-nag']}, aws-cdk-lib {NODE['cdk-nag']['aws-cdk-lib']}"
    return [
        _scan(
            f"cdk-nag {pack}",
            version,
            set(report["rules"]),
            [nag_finding(f"cdk-nag {pack}", one) for one in report["findings"]],
            {rule for rule, applied in report["rules"].items() if applied},
        )
        for pack, report in said.items()
    ]


def control_tower(environments: Environments, template: Path) -> list[Scan]:
    """cfn-guard with the proactive controls of AWS Control Tower."""
    rules = environments.guard / "rules" / "control-tower"
    options = ("--output-format", "json", "--structured", "--show-summary", "none")
    command = (environments.guard_binary, "validate", "--data", str(template), "--rules", str(rules / "cfn-guard"))
    (said,) = json.loads(run(*command, *options, allowed=(0, 19)))  # 19: a rule objects
    controls = dict(_controls(rules / "cfn-guard"))
    severities = dict(_severities(rules / "metadata"))
    pack = "Control Tower"
    findings = {
        Finding(pack, control, resource, severity=severities[control])
        for one in said["not_compliant"]
        for control in [controls[one["Rule"]["name"]]]
        for resource in reported_resources(one)
    }
    version = json.loads((environments.guard / "guard-version.json").read_text(encoding="utf-8"))["version"]
    scanner = (
        f"cfn-guard {version}, @cdklabs/cdk-validator-cfnguard {NODE['cfn-guard']['@cdklabs/cdk-validator-cfnguard']}"
    )
    return [_scan(pack, scanner, set(controls.values()), findings, {controls[name] for name in said["compliant"]})]


SCANNERS: tuple[Scanner, ...] = (cfn_lint, checkov, cfripper, parliament, policy_sentry, cdk_nag, control_tower)


def left_natively(environments: Environments, template: Path) -> dict[str, int]:
    """How many findings are left where a scanner reads the suppressions itself."""
    scans = [
        *cfn_lint(environments, template),
        *checkov(environments, template),
        *cdk_nag(environments, template, "metadata"),
    ]
    return {scan.pack: len(scan.findings) for scan in scans}


def _scan(
    pack: str,
    scanner: str,
    rules: set[str],
    findings: list[Finding] | set[Finding],
    judged: set[str] | None = None,
    *,
    tells_idle: bool = True,
) -> Scan:
    """Divide `rules` into those that found something, those that passed, and those that had nothing to look at."""
    found = {finding.rule for finding in findings}
    passed = (rules if judged is None else judged) - found
    idle = rules - passed - found
    return Scan(pack, scanner, frozenset(passed), frozenset(idle), tuple(sorted(set(findings))), tells_idle)


def _policies(environments: Environments, scanner: str, template: Path) -> list[Scan]:
    said = _worker(environments, scanner, str(template))
    findings = [
        Finding(scanner, one["rule"], one["resource"], one["detail"], one.get("severity", "").lower())
        for one in said["findings"]
    ]
    return [_scan(scanner, _version(scanner), set(said["rules"]), findings, tells_idle=False)]


def _worker(environments: Environments, scanner: str, *arguments: str) -> Any:
    return json.loads(run(environments.python(scanner), str(WORKERS / f"run_{scanner}.py"), *arguments))


def _version(scanner: str) -> str:
    return PYTHON[scanner][0].replace("==", " ")


def _resource(path: list[Any] | None) -> str:
    return str(path[1]) if path and path[0] == "Resources" and len(path) > 1 else "-"


def _parameters(template: Path) -> dict[str, str]:
    """A value for every parameter: CFRipper reads a template only with all its references resolved."""
    declared: Mapping[str, Any] = json.loads(template.read_text(encoding="utf-8")).get("Parameters", {})
    return {name: str(one.get("Default", "example")) for name, one in declared.items()}


def nag_finding(pack: str, one: Mapping[str, str]) -> Finding:
    """One violation as cdk-nag reports it; the name of the finding stands in brackets behind the rule's."""
    named = _NAG_FINDING.match(one["rule"])
    if named is None:
        raise ValueError(f"{one['rule']}: is no finding of cdk-nag; expected <rule> or <rule>[<finding>]")
    # cdk-nag ranks nearly everything as an error, so its word says nothing of how grave a finding is.
    return Finding(pack, named["rule"], one["resource"], named["detail"] or "")


def _controls(folder: Path) -> Iterator[tuple[str, str]]:
    """Name of the rule -> id of the control."""
    for file in sorted(folder.rglob("*.guard")):
        text = file.read_text(encoding="utf-8")
        control = _CONTROL.search(text)
        for name in _GUARD_RULE.findall(text):
            if control:
                yield name, control[1]


def _severities(folder: Path) -> Iterator[tuple[str, str]]:
    """Id of the control -> how grave AWS ranks it."""
    for file in sorted(folder.rglob("*.json")):
        control = json.loads(file.read_text(encoding="utf-8"))
        yield control["Id"], control["Severity"].lower()


def reported_resources(value: Any) -> Iterator[str]:
    """The resources that a rule's report points at."""
    if isinstance(value, dict):
        path = value.get("path")
        if isinstance(path, str) and path.startswith("/Resources/"):
            yield path.split("/")[2]
        else:
            for one in value.values():
                yield from reported_resources(one)
    elif isinstance(value, list):
        for one in value:
            yield from reported_resources(one)
