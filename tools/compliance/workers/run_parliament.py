"""Runs parliament over every policy document of a template, in parliament's own environment; prints JSON."""

from __future__ import annotations

import json
import pathlib
import sys
import warnings

warnings.simplefilter("ignore")  # parliament imports pkg_resources, which says at each import that it will go

import parliament  # noqa: E402 - it has to come after the filter
from policy_documents import documents  # noqa: E402 - likewise

community = pathlib.Path(parliament.__file__).with_name("community_auditors") / "config_override.yaml"
parliament.override_config(str(community))
findings = []
for title, where, document in documents():
    if where == "AssumeRolePolicyDocument":
        continue  # a trust policy has no resources, without which parliament knows no statement
    # parliament's community auditors ask about identity policies; a key policy is there to name its administrators.
    asked = {"include_community_auditors": where != "KeyPolicy"}
    for found in parliament.analyze_policy_string(json.dumps(document), **asked).findings:
        rated = parliament.enhance_finding(found)
        findings.append(
            {"rule": rated.issue, "severity": rated.severity, "resource": title, "detail": f"{where}: {rated.detail}"}
        )
sys.stdout.write(json.dumps({"rules": sorted(parliament.config), "findings": findings}))
