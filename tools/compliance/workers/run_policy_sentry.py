"""Looks up every allowed action of every role's policy in policy_sentry's IAM database; prints JSON.

policy_sentry writes policies rather than judging them. What it knows of an action is what is asked here: whether there
is such an action, whether it could be limited to resources where the policy says `*`, and whether it manages
permissions.
"""

from __future__ import annotations

import json
import sys

from policy_documents import documents
from policy_sentry.querying.actions import get_action_data

UNKNOWN, WILDCARD, UNLIMITED = "unknown-action", "wildcard-action", "unlimited-resource"
PERMISSIONS = "permissions-management"

findings = []
for title, where, document in documents():
    if where in {"KeyPolicy", "AssumeRolePolicyDocument"}:
        continue  # there `*` is the key itself, and a trust has no resource
    for statement in document["Statement"]:
        if statement["Effect"] != "Allow":
            continue
        for action in statement["Action"]:
            service, name = action.split(":")
            known = get_action_data(service, name) or {}
            forms = {one["resource_arn_format"] for one in known.get(service, [])}
            if "*" in name:
                findings.append({"rule": WILDCARD, "resource": title, "detail": action})
            elif not forms:
                findings.append({"rule": UNKNOWN, "resource": title, "detail": action})
            elif "*" in statement.get("Resource", []) and "*" not in forms:
                findings.append({"rule": UNLIMITED, "resource": title, "detail": action})
            if any(one["access_level"] == "Permissions management" for one in known.get(service, [])):
                findings.append({"rule": PERMISSIONS, "resource": title, "detail": action})
sys.stdout.write(json.dumps({"rules": [PERMISSIONS, UNKNOWN, UNLIMITED, WILDCARD], "findings": findings}))
