"""The manifest and the parameter files of a rendered pipeline."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from imgpipe_templates.core.stack import FunctionCode, LayerCode
from imgpipe_templates.render.order import Template
from imgpipe_templates.version import __version__

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


@dataclass(frozen=True)
class RenderedPipeline:
    """The templates of one pipeline in one layout.

    Attributes:
        stacks: Template by stack name.
        deploy_order: The stacks to deploy, each after the stacks that it reads from. The root deploys nested stacks.
        functions: The code of each Lambda function.
        layers: The code of each Lambda layer.
        reads_from: By stack, the stacks whose values it reads.
    """

    pipeline: str
    layout: str
    stacks: Mapping[str, Template]
    deploy_order: Sequence[str]
    functions: Sequence[FunctionCode] = ()
    layers: Sequence[LayerCode] = ()
    reads_from: Mapping[str, set[str]] = field(default_factory=dict[str, set[str]])

    @property
    def order(self) -> list[str]:
        """All stack names: first the stacks to deploy in their order, then the stacks nested in them."""
        return [*self.deploy_order, *(name for name in self.stacks if name not in self.deploy_order)]


def manifest(rendered: RenderedPipeline, files: Mapping[str, Mapping[str, bytes]]) -> bytes:
    """Return the text of manifest.json.

    Args:
        rendered: The pipeline.
        files: By stack, the content of its files by name.
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
        "functions": [asdict(function) for function in rendered.functions],
        "layers": [asdict(layer) for layer in rendered.layers],
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _file(path: str, text: bytes) -> dict[str, Any]:
    return {"path": path, "sha256": hashlib.sha256(text).hexdigest(), "bytes": len(text)}


def parameters(template: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parameters of a template in their order, with limits; a parameter without a default is required."""
    return [
        {"name": name, "required": "Default" not in parameter}
        | {key: parameter[name] for name, key in _PARAMETER_KEYS.items() if name in parameter}
        for name, parameter in template.get("Parameters", {}).items()
    ]


def parameter_values(template: Mapping[str, Any]) -> bytes:
    """Return the text of a parameter file for the AWS CLI.

    Each parameter has its default; fill in the empty values of parameters without a default.
    `aws cloudformation deploy --parameter-overrides file://FILE` and `create-stack --parameters file://FILE` read it.
    """
    values = [
        {"ParameterKey": name, "ParameterValue": str(parameter.get("Default", ""))}
        for name, parameter in template.get("Parameters", {}).items()
    ]
    return (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()


def capabilities(name: str, stacks: Mapping[str, Template]) -> set[str]:
    """Return the capabilities to acknowledge for the stack `name` and the stacks nested in it.

    The TemplateURL of a nested stack is the file name of its template, as rendered.
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
    # CAPABILITY_NAMED_IAM includes CAPABILITY_IAM.
    return needed - {"CAPABILITY_IAM"} if "CAPABILITY_NAMED_IAM" in needed else needed


def _has_macro(value: Any) -> bool:
    if isinstance(value, dict):
        return "Fn::Transform" in value or any(map(_has_macro, value.values()))
    return isinstance(value, list | tuple) and any(map(_has_macro, value))
