"""Reading rendered templates in tests: plain dictionaries, and what a reference means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from imgpipe_templates.core.layouts import SingleStack
from imgpipe_templates.core.stack import Scope, Stack
from imgpipe_templates.library import render_pipeline
from imgpipe_templates.names import names
from imgpipe_templates.options import PipelineConfig

Template = dict[str, Any]


def rendered(config: PipelineConfig) -> Template:
    """The one template of the single layout."""
    return dict(render_pipeline(config).stacks["pipeline"])


def scope_of(name: str) -> Scope:
    """Return a scope of a new stack, as for a subsystem."""
    return Scope(Stack(name, SingleStack()), name, names("parameter"), {"Environment": "test"})


def resources(scope: Scope) -> dict[str, Any]:
    """What a scope's stack holds, as it is rendered."""
    return dict(scope.stack.to_dict("test")["Resources"])


def of_type(template: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Properties of every resource of a type, by logical id."""
    return {
        title: resource["Properties"] for title, resource in template["Resources"].items() if resource["Type"] == kind
    }


def tags(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Tags as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in properties["Tags"]}


def allowed(template: Mapping[str, Any], role: str) -> set[tuple[str, str]]:
    """Return every action and resource that the policies of a role allow: inline, managed, or attached."""
    resources = template["Resources"]
    documents = [policy["PolicyDocument"] for policy in resources[role]["Properties"].get("Policies", [])]
    managed = resources[role]["Properties"].get("ManagedPolicyArns", [])
    for title, resource in resources.items():
        if resource["Type"] in {"AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"} and (
            {"Ref": title} in managed or {"Ref": role} in resource["Properties"].get("Roles", [])
        ):
            documents.append(resource["Properties"]["PolicyDocument"])
    return {
        (action, said(resource))
        for document in documents
        for statement in document["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def said(value: Any) -> str:
    """A reference as a person would say it: `Ref X` is `X`, `GetAtt X.Arn` is `X.Arn`, a `Sub` is its text.

    What is joined without a separator reads as the `Sub` of the same meaning.
    """
    match value:
        case {"Ref": str(title)}:
            return title
        case {"Fn::GetAtt": [title, attribute]}:
            return f"{title}.{attribute}"
        case {"Fn::Sub": str(text)}:
            return text
        case {"Fn::Join": ["", parts]}:
            return "".join(part if isinstance(part, str) else f"${{{said(part)}}}" for part in parts)
        case _:
            return str(value)


def references(value: Any) -> Iterator[str]:
    """The logical ids and parameters that a value refers to, in any form."""
    match value:
        case {"Ref": str(title)}:
            yield title
        case {"Fn::GetAtt": [str(title), _]}:
            yield title
        case {"Fn::Sub": str(text)}:
            yield from (name.split(".")[0] for name in re.findall(r"\$\{([^!}]+)\}", text))
        case dict():
            for item in value.values():
                yield from references(item)
        case list():
            for item in value:
                yield from references(item)


def waits_for(resource: Mapping[str, Any]) -> set[str]:
    """The names that a resource refers to or depends on."""
    depends = resource.get("DependsOn", [])
    return {*references(resource["Properties"]), *([depends] if isinstance(depends, str) else depends)}
