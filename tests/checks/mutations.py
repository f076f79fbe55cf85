"""Changes of rendered templates, and the rules that find them.

The rules run without cfn-lint, which finds none of these changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from imgpipe_templates.checks.facts.template import Template
from imgpipe_templates.checks.profiles import PROJECT
from imgpipe_templates.checks.rules import RULES

BUILD = Path(__file__).parents[2] / "build"
TODAY = date(2026, 11, 20)
Change = Callable[[dict[str, Any]], None]


@cache
def rendered(preset: str) -> dict[str, Any]:
    """Return the template of a preset. Shared: copy it before a change."""
    return json.loads((BUILD / preset / "single" / "pipeline.template.json").read_text(encoding="utf-8"))


def rules_with_violations(body: dict[str, Any]) -> set[str]:
    template = Template(body, today=TODAY, profile=PROJECT)
    return {rule.id for rule in RULES if any(True for _ in rule.violations(template))}


def drop(*path: str | int) -> Change:
    """Remove the value at a path below Resources."""

    def change(resources: dict[str, Any]) -> None:
        holder: Any = resources
        for key in path[:-1]:
            holder = holder[key]
        del holder[path[-1]]

    return change


def put(value: Any, *path: str | int) -> Change:
    """Set the value at a path below Resources."""

    def change(resources: dict[str, Any]) -> None:
        holder: Any = resources
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = value

    return change


def statement(resource: str, sid: str, *path: str, value: Any = None) -> Change:
    """Remove a statement, or a part of it, from a resource's policy; or set another value there."""

    def change(resources: dict[str, Any]) -> None:
        properties = resources[resource]["Properties"]
        statements = properties.get("PolicyDocument", properties.get("KeyPolicy"))["Statement"]
        (chosen,) = [entry for entry in statements if entry.get("Sid") == sid]
        if not path:
            statements.remove(chosen)
        elif value is None:
            del chosen[path[0]]
        else:
            chosen[path[0]] = value

    return change


def dashboard(old: str, new: str) -> Change:
    """Replace some text in the body of the dashboard."""

    def change(resources: dict[str, Any]) -> None:
        body = resources["MonitoringDashboard"]["Properties"]["DashboardBody"]
        assert old in body["Fn::Sub"]
        body["Fn::Sub"] = body["Fn::Sub"].replace(old, new, 1)

    return change
