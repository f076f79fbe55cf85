"""Who waits for whom: the order in which CloudFormation makes the resources of a template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates.checks.template import (
    Resource,
    Template,
)
from imgpipe_templates.checks.values import entries, mapping

_TOKEN = re.compile(r"\$\{([^!}.]+)[^}]*\}")


def waits_for(template: Template, resource: Resource) -> frozenset[str]:
    """Return the logical ids of all resources that exist before a resource is made, also through others.

    AWS CloudFormation Template Reference, "DependsOn attribute", read 2026-12: a reference orders two resources as
    DependsOn does; without either, CloudFormation makes them at the same time.
    """
    return dict(template.once(_order)).get(resource.id, frozenset())


def _order(template: Template) -> Iterator[tuple[str, frozenset[str]]]:
    direct = {
        name: {other for other in _named(resource.body) if other in template.resources and other != name}
        for name, resource in template.resources.items()
    }
    for name, named in direct.items():
        reached: set[str] = set()
        waiting = set(named)
        while waiting:
            other = waiting.pop()
            if other not in reached:
                reached.add(other)
                waiting |= direct[other]
        yield name, frozenset(reached - {name})


def _named(body: Mapping[str, Any]) -> Iterator[str]:
    yield from (str(name) for _, name in entries(body.get("DependsOn")))
    yield from references(body.get("Properties"))


def references(value: Any) -> Iterator[str]:
    """Yield the names that the references of a value name, of resources and of parameters."""
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
                    yield from _substituted(entry)


def _substituted(argument: Any) -> Iterator[str]:
    text, names = (argument[0], mapping(argument[-1])) if isinstance(argument, list) and argument else (argument, {})
    yield from (name for name in _TOKEN.findall(str(text)) if name not in names)
