"""The order in which CloudFormation creates the resources of a template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates.checks.facts.expressions import entries, mapping
from imgpipe_templates.checks.facts.template import Resource, Template

_TOKEN = re.compile(r"\$\{([^!}.]+)[^}]*\}")


def created_before(template: Template, resource: Resource) -> frozenset[str]:
    """Return the logical ids of the resources that CloudFormation creates before a resource.

    AWS CloudFormation Template Reference, "DependsOn attribute", read 2026-12: a reference orders two resources like
    DependsOn; without either, CloudFormation creates them at the same time.
    """
    return dict(template.cached(_created_before)).get(resource.id, frozenset())


def _created_before(template: Template) -> Iterator[tuple[str, frozenset[str]]]:
    direct = {
        name: {other for other in _dependencies(resource.body) if other in template.resources and other != name}
        for name, resource in template.resources.items()
    }
    for name, dependencies in direct.items():
        reached: set[str] = set()
        waiting = set(dependencies)
        while waiting:
            other = waiting.pop()
            if other not in reached:
                reached.add(other)
                waiting |= direct[other]
        yield name, frozenset(reached - {name})


def _dependencies(body: Mapping[str, Any]) -> Iterator[str]:
    yield from (str(name) for _, name in entries(body.get("DependsOn")))
    yield from references(body.get("Properties"))


def references(value: Any) -> Iterator[str]:
    """Yield the names of resources and parameters to which a value refers."""
    if isinstance(value, list | tuple):
        for entry in value:
            yield from references(entry)
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            if key == "Ref":
                yield str(entry)
            elif key == "Fn::GetAtt":
                yield str(entry[0]) if isinstance(entry, list) and entry else str(entry).partition(".")[0]
            else:
                yield from references(entry)
                if key == "Fn::Sub":
                    yield from _names_in_sub(entry)


def _names_in_sub(argument: Any) -> Iterator[str]:
    text, names = (argument[0], mapping(argument[-1])) if isinstance(argument, list) and argument else (argument, {})
    yield from (name for name in _TOKEN.findall(str(text)) if name not in names)
