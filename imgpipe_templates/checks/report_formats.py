"""Reports of validated files: text with resource names, JUnit for CI servers, SARIF for code scanning."""

from __future__ import annotations

import json
import os
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from imgpipe_templates.version import __version__

# Severity of cfn-lint -> level of SARIF (SARIF 2.1.0, 3.27.10 "level property").
_LEVELS = {"error": "error", "warning": "warning", "informational": "note"}


@dataclass(frozen=True)
class Checked:
    """One validated file.

    Attributes:
        file: Its name in the command.
        template: Its parsed template.
        matches: cfn-lint's matches, in the order of their lines.
        seconds: Duration of all rules.
    """

    file: str
    template: Mapping[str, Any]
    matches: Sequence[Any]
    seconds: float


def text_report(checked: Sequence[Checked]) -> str:
    """Return two lines for each finding: the rule and its message, then the position and the resource."""
    return "\n".join(
        f"{match.rule.id} {match.message}\n"
        f"{one.file}:{match.linenumber}:{match.columnnumber}{_in_brackets(_owner(one.template, match))}\n"
        for one in checked
        for match in one.matches
    )


def junit_report(checked: Sequence[Checked], rules: Mapping[str, Any]) -> str:
    """Return one suite for each file with one case for each rule; a case with findings fails.

    cfn-lint does not measure single rules, so the duration of a file is divided by the number of cases.
    """
    root = ElementTree.Element("testsuites", {"name": "imgpipe validate"})
    for one in checked:
        found: dict[str, list[Any]] = {}
        for match in one.matches:
            found.setdefault(match.rule.id, []).append(match)
        ids = sorted({*rules, *found})
        counts = {"tests": str(len(ids)), "failures": str(len(found)), "errors": "0", "time": f"{one.seconds:.3f}"}
        suite = ElementTree.SubElement(root, "testsuite", {"name": one.file, **counts})
        for rule_id in ids:
            rule = rules[rule_id] if rule_id in rules else found[rule_id][0].rule
            name, time = f"{rule_id} {rule.shortdesc}", f"{one.seconds / len(ids):.4f}"
            case = ElementTree.SubElement(suite, "testcase", {"classname": one.file, "name": name, "time": time})
            for match in found.get(rule_id, ()):
                position = f"{one.file}:{match.linenumber}:{match.columnnumber}"
                text = f"{position}{_in_brackets(_owner(one.template, match))}: {match.message}"
                ElementTree.SubElement(
                    case, "failure", {"type": match.rule.severity, "message": match.message}
                ).text = text
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


def sarif_report(checked: Sequence[Checked]) -> str:
    """Return SARIF 2.1.0 with paths relative to the current folder, and help for each rule with findings."""
    rules = {match.rule.id: match.rule for one in checked for match in one.matches}
    driver = {
        "name": "imgpipe",
        "version": __version__,
        "rules": [_sarif_rule(rule) for _, rule in sorted(rules.items())],
    }
    order = sorted(rules)
    results = [_sarif_result(one, match, order) for one in checked for match in one.matches]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2)


def _sarif_rule(rule: Any) -> dict[str, Any]:
    read_more = f" Read more: {rule.source_url}" if rule.source_url else ""
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.shortdesc},
        "fullDescription": {"text": rule.description},
        "help": {"text": f"{rule.description}{read_more}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        **({"helpUri": rule.source_url} if rule.source_url else {}),
    }


def _sarif_result(one: Checked, match: Any, order: Sequence[str]) -> dict[str, Any]:
    region = {
        "startLine": match.linenumber,
        "startColumn": match.columnnumber,
        "endLine": match.linenumberend,
        "endColumn": match.columnnumberend,
    }
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": _relative_uri(one.file), "uriBaseId": "%SRCROOT%"},
            "region": region,
        }
    }
    if owner := _path(match)[:2]:
        location["logicalLocations"] = [{"fullyQualifiedName": ".".join(owner)}]
    return {
        "ruleId": match.rule.id,
        "ruleIndex": order.index(match.rule.id),
        "level": _LEVELS[match.rule.severity],
        "message": {"text": match.message},
        "locations": [location],
    }


def _relative_uri(file: str) -> str:
    return urllib.parse.quote(Path(os.path.relpath(file)).as_posix())


def _path(match: Any) -> list[str]:
    return [str(step) for step in getattr(match, "path", None) or ()]


def _owner(template: Mapping[str, Any], match: Any) -> str:
    """Return the resource of a finding with its type, or the section and its key."""
    section, *rest = _path(match)[:2] or [""]
    if section != "Resources" or not rest:
        return ".".join([section, *rest])
    resource = template["Resources"].get(rest[0])
    kind = resource.get("Type") if isinstance(resource, Mapping) else None
    return f"{rest[0]}, {kind}" if isinstance(kind, str) else rest[0]


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""
