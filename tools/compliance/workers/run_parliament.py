"""Runs parliament over every policy document of a template, in parliament's own environment; prints JSON."""

from __future__ import annotations

import json
import sys
import warnings

warnings.simplefilter("ignore")  # parliament imports pkg_resources, which says at each import that it will go

import parliament  # noqa: E402 - it has to come after the filter
from policy_documents import documents  # noqa: E402 - likewise

findings = []
for title, where, document in documents():
    if where == "AssumeRolePolicyDocument":
        continue  # a trust policy has no resources, without which parliament knows no statement
    for found in parliament.analyze_policy_string(json.dumps(document)).findings:
        rated = parliament.enhance_finding(found)
        findings.append(
            {"rule": rated.issue, "severity": rated.severity, "resource": title, "detail": f"{where}: {rated.detail}"}
        )
sys.stdout.write(json.dumps({"rules": sorted(parliament.config), "findings": findings}))
