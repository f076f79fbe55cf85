"""The Service Authorization Reference in cfn-lint's copy: resource types, ARNs and condition keys of actions."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache
from typing import Any


@cache
def _reference() -> dict[str, Any]:
    # Rules are imported without cfn-lint, whose import is the slowest part of a cached validation.
    from cfnlint.data import AdditionalSpecs  # noqa: PLC0415
    from cfnlint.helpers import load_resource  # noqa: PLC0415

    services: dict[str, Any] = load_resource(AdditionalSpecs, "Policies.json")
    return services


def resource_kinds(action: str) -> frozenset[str] | None:
    """Return the resource types of an action, empty if it supports none; None for an unknown action.

    An action with wildcards has the resource types of all actions that it matches.
    """
    found = [actions.get("Resources", ()) for actions in _matching(action)]
    return frozenset().union(*found) if found else None


def _matching(action: str) -> list[dict[str, Any]]:
    """Return the entry of an action, or the entries of all actions that a wildcard matches."""
    service, _, name = action.lower().partition(":")
    actions: dict[str, Any] = _reference().get(service, {}).get("Actions", {})
    if "*" in name or "?" in name:
        return [entry for known, entry in actions.items() if fnmatchcase(known, name)]
    return [actions[name]] if name in actions else []


def arn_forms(action: str) -> frozenset[str]:
    """Return the ARN formats of an action's resources, with `*` for their variables.

    The reference has `bucket/key` for an S3 object; cfn-lint's copy lacks the slash, so it is added here.
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
    """Return the condition keys of a service in lower case; empty if they are not all known."""
    return frozenset(_KEYS.get(service, "").split())


# Service Authorization Reference, condition keys of three services, read 2026-12. cfn-lint's copy has only those of
# resources. The text after a colon in an encryption context or a slash in a tag is not listed.
_KEYS = {
    "cloudwatch": "cloudwatch:alarmactions cloudwatch:namespace cloudwatch:requestinsightrulelogs "
    "cloudwatch:requestmanagedresourcearns",
    "lambda": "lambda:codesigningconfigarn lambda:eventsourcetoken lambda:functionarn lambda:functionurlauthtype "
    "lambda:invokedviafunctionurl lambda:layer lambda:networkconnectorarn lambda:principal lambda:securitygroupids "
    "lambda:sourcefunctionarn lambda:subnetids lambda:vpcids",
    "sns": "sns:endpoint sns:protocol",
}
