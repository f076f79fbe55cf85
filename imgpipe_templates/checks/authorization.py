"""AWS's Service Authorization Reference, in the copy that cfn-lint carries: what actions act on and what they ask."""

from __future__ import annotations

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
