"""AWS's Service Authorization Reference, in the copy that cfn-lint carries: what actions act on and what they ask."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

# cfn-lint has annotations but no py.typed.
from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource


@cache
def _reference() -> dict[str, Any]:
    services: dict[str, Any] = load_resource(AdditionalSpecs, "Policies.json")
    return services


def resource_kinds(action: str) -> frozenset[str] | None:
    """Return the kinds of resources an action acts on, empty if it acts on none; None for an unknown action.

    An action with wildcards acts on what all actions that it stands for act on.
    """
    found = [actions.get("Resources", ()) for actions in _matching(action)]
    return frozenset().union(*found) if found else None


def _matching(action: str) -> list[dict[str, Any]]:
    """The entries of an action, or of all that one with wildcards stands for."""
    service, _, name = action.lower().partition(":")
    actions: dict[str, Any] = _reference().get(service, {}).get("Actions", {})
    if "*" in name or "?" in name:
        return [entry for known, entry in actions.items() if fnmatchcase(known, name)]
    return [actions[name]] if name in actions else []


def arn_forms(action: str) -> frozenset[str]:
    """Return the forms of the ARNs that an action acts on, with `*` for what the account fills in.

    The reference writes an object of S3 as `bucket/key`; cfn-lint's copy lost the slash, so it is put back here.
    """
    service = action.partition(":")[0].lower()
    resources = {kind.lower(): value for kind, value in _reference().get(service, {}).get("Resources", {}).items()}
    forms: set[str] = set()
    for kind in resource_kinds(action) or ():
        for form in resources.get(kind.lower(), {}).get("ARNFormats", ()):
            text = re.sub(r"\$\{[^}]*\}", "*", form).replace(".*", "*")
            forms.add(f"{text}/*" if (service, kind) == ("s3", "object") else text)
    return frozenset(forms)


def service_keys(service: str) -> frozenset[str]:
    """Return the condition keys of a service in lower case; empty where the reference has not all of them."""
    return frozenset(_KEYS.get(service, "").split())


# Service Authorization Reference, condition keys of three services, read 2026-12. cfn-lint's copy has only those of
# resources. What follows a colon in an encryption context or a slash in a tag is not listed.
_KEYS = {
    "cloudwatch": "cloudwatch:alarmactions cloudwatch:namespace cloudwatch:requestinsightrulelogs "
    "cloudwatch:requestmanagedresourcearns",
    "lambda": "lambda:codesigningconfigarn lambda:eventsourcetoken lambda:functionarn lambda:functionurlauthtype "
    "lambda:invokedviafunctionurl lambda:layer lambda:networkconnectorarn lambda:principal lambda:securitygroupids "
    "lambda:sourcefunctionarn lambda:subnetids lambda:vpcids",
    "sns": "sns:endpoint sns:protocol",
}
