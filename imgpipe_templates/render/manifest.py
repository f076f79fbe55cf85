"""What somebody who deploys the templates has to know, read from the templates themselves."""

from __future__ import annotations

import hashlib
import json
from dataclasses import field
from typing import TYPE_CHECKING, Any

from imgpipe_templates import __version__
from imgpipe_templates.records import record
from imgpipe_templates.render.scalars import LISTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imgpipe_templates.render.order import Template

# "CreateStack", parameter Capabilities, AWS CloudFormation API Reference, read 2026-11: the types that need
# CAPABILITY_IAM, with the property that makes it CAPABILITY_NAMED_IAM. A policy's PolicyName is no such custom name.
_IAM_NAMES = {
    "AWS::IAM::AccessKey": "",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": "",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": "",
}

_PARAMETER_KEYS = {
    "Type": "type",
    "Description": "description",
    "Default": "default",
    "AllowedValues": "allowed_values",
    "AllowedPattern": "allowed_pattern",
    "MinLength": "min_length",
    "MaxLength": "max_length",
    "MinValue": "min_value",
    "MaxValue": "max_value",
    "ConstraintDescription": "constraint_description",
    "NoEcho": "no_echo",
}


@record
class RenderedPipeline:
    """The templates of one pipeline in one layout.

    Attributes:
        stacks: Template by stack name.
        deploy_order: The stacks to deploy, each after those it reads from; nested ones are deployed by their root.
        layers: The same of each layer.
        reads_from: By stack, the stacks whose values it was given.
        functions: What packaging and deployment have to know of each Lambda function; written to the manifest as given.
    """

    pipeline: str
    layout: str
    stacks: Mapping[str, Template]
    deploy_order: Sequence[str]
    functions: Sequence[Mapping[str, Any]] = field(default=())
    layers: Sequence[Mapping[str, Any]] = field(default=())
    reads_from: Mapping[str, set[str]] = field(default_factory=dict[str, set[str]])

    @property
    def order(self) -> list[str]:
        """Every stack once: those to deploy in their order, then those that are nested in them."""
        return [*self.deploy_order, *(name for name in self.stacks if name not in self.deploy_order)]


def manifest(rendered: RenderedPipeline, files: Mapping[str, Mapping[str, bytes]]) -> bytes:
    """The text of manifest.json.

    `files` has, by stack, the content of its files by their name beside the manifest.
    """
    content = {
        "pipeline": rendered.pipeline,
        "layout": rendered.layout,
        "generator": {"name": "imgpipe-templates", "version": __version__},
        "deploy_order": list(rendered.deploy_order),
        "stacks": {
            name: {
                "files": [_file(path, text) for path, text in files[name].items()],
                "resources": len(rendered.stacks[name].get("Resources", {})),
                "capabilities": sorted(capabilities(name, rendered.stacks)),
                "parameters": parameters(rendered.stacks[name]),
            }
            for name in rendered.order
        },
        "functions": [dict(function) for function in rendered.functions],
        "layers": [dict(layer) for layer in rendered.layers],
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _file(path: str, text: bytes) -> dict[str, Any]:
    return {"path": path, "sha256": hashlib.sha256(text).hexdigest(), "bytes": len(text)}


def parameters(template: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The template's parameters in their order, each with its limits; one without a default is required."""
    return [
        {"name": name, "required": "Default" not in parameter}
        | {key: parameter[theirs] for theirs, key in _PARAMETER_KEYS.items() if theirs in parameter}
        for name, parameter in template.get("Parameters", {}).items()
    ]


def parameter_values(template: Mapping[str, Any]) -> bytes:
    """The text of a parameter file as AWS CLI reads it: each default; a parameter without one is empty, to be filled.

    `aws cloudformation deploy --parameter-overrides file://FILE` and `create-stack --parameters file://FILE` take it.
    """
    values = [
        {"ParameterKey": name, "ParameterValue": str(parameter.get("Default", ""))}
        for name, parameter in template.get("Parameters", {}).items()
    ]
    return (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()


def capabilities(name: str, stacks: Mapping[str, Template]) -> set[str]:
    """What has to be acknowledged to deploy stack `name`, the stacks nested in it included.

    A nested stack's TemplateURL is the file name of its template beside the root, as rendered.
    """
    template = stacks[name]
    needed = {"CAPABILITY_AUTO_EXPAND"} if "Transform" in template or _has_macro(template) else set[str]()
    for resource in template.get("Resources", {}).values():
        kind, properties = resource.get("Type"), resource.get("Properties", {})
        if kind in _IAM_NAMES:
            needed.add("CAPABILITY_NAMED_IAM" if _IAM_NAMES[kind] in properties else "CAPABILITY_IAM")
        elif kind == "AWS::CloudFormation::Stack" and isinstance(properties.get("TemplateURL"), str):
            child = properties["TemplateURL"].split(".template.")[0]
            if child in stacks and child != name:
                needed |= capabilities(child, stacks)
    # The one with the wider meaning includes the other.
    return needed - {"CAPABILITY_IAM"} if "CAPABILITY_NAMED_IAM" in needed else needed


def _has_macro(value: Any) -> bool:
    if isinstance(value, dict):
        return "Fn::Transform" in value or any(map(_has_macro, value.values()))
    return isinstance(value, LISTS) and any(map(_has_macro, value))
