"""The stacks of one layout merged into one template, so that every layout has the same findings.

Each import, and each parameter that a root passes to a nested stack, becomes the value of the other stack.
Logical ids are unique across the stacks (E9574), so each resource keeps its id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from imgpipe_templates.checks.facts.expressions import canonical, mapping, reference_name
from imgpipe_templates.checks.facts.stack_references import NESTED, StackSet
from imgpipe_templates.promises import as_whole

_TOKEN = re.compile(r"\$\{([^!}.]+)\}")


def merge_stacks(stacks: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return one template with the resources of all stacks, and references between the stacks resolved."""
    stack_set = StackSet(stacks, {})
    resolver = _Resolver(stack_set)
    body: dict[str, Any] = {"Metadata": {}, "Parameters": {}, "Conditions": {}, "Resources": {}, "Outputs": {}}
    for stack in stacks:
        passed = resolver.passed.get(stack, {})
        body["Metadata"] |= stack_set.section(stack, "Metadata")
        body["Parameters"] |= {
            name: spec for name, spec in stack_set.section(stack, "Parameters").items() if name not in passed
        }
        for section in ("Conditions", "Outputs"):
            body[section] |= resolver.resolved(stack_set.section(stack, section), stack)
        children = stack_set.children.get(stack, {})
        for name, resource in stack_set.section(stack, "Resources").items():
            if not (name in children and mapping(resource).get("Type") == NESTED):
                body["Resources"][name] = resolver.resolved(resource, stack)
    body["Metadata"] = as_whole(body["Metadata"])
    return body


class _Resolver:
    """A resolver of references between stacks.

    Attributes:
        passed: Stack -> its parameters that a root sets to another stack's value -> the root and that value.
    """

    def __init__(self, stack_set: StackSet) -> None:
        self.stack_set = stack_set
        self.passed: dict[str, dict[str, tuple[str, Any]]] = {}
        for root, children in stack_set.children.items():
            for title, child in children.items():
                properties = mapping(stack_set.section(root, "Resources")[title].get("Properties"))
                for name, value in mapping(properties.get("Parameters")).items():
                    if not _is_same_parameter(value, str(name)):
                        self.passed.setdefault(child, {})[str(name)] = (root, value)

    def resolved(self, value: Any, stack: str) -> Any:
        """Return a value of a stack with the values of other stacks instead of references to them."""
        if isinstance(value, list | tuple):
            return [self.resolved(entry, stack) for entry in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            found = self._provided(str(function), argument, stack)
            if found is not None:
                provider, output = found
                return self.resolved(output, provider)
            if function == "Fn::Sub":
                return self._resolved_sub(argument, stack)
        return {key: self.resolved(entry, stack) for key, entry in value.items()}

    def _provided(self, function: str, argument: Any, stack: str) -> tuple[str, Any] | None:
        """Return the stack and the value to which a function refers, or None."""
        if function == "Ref":
            return self.passed.get(stack, {}).get(str(argument))
        if function == "Fn::ImportValue":
            provider, output = self.stack_set.exports.get(canonical(argument), [("", "")])[0]
            return self._output(provider, output)
        if function == "Fn::GetAtt":
            child, _, attribute = reference_name({function: argument}).partition(".")
            provider = self.stack_set.children.get(stack, {}).get(child, "")
            return self._output(provider, attribute.removeprefix("Outputs."))
        return None

    def _output(self, provider: str, output: str) -> tuple[str, Any] | None:
        outputs = self.stack_set.section(provider, "Outputs") if provider in self.stack_set.templates else {}
        return (provider, mapping(outputs[output]).get("Value")) if output in outputs else None

    def _resolved_sub(self, argument: Any, stack: str) -> dict[str, Any]:
        """Return a `Fn::Sub` with the values of the parameters that a root passes."""
        text, names = (argument[0], mapping(argument[1])) if isinstance(argument, list) else (argument, {})
        passed = self.passed.get(stack, {})
        added = {name: {"Ref": name} for name in _TOKEN.findall(str(text)) if name in passed and name not in names}
        if not names and not added:
            return {"Fn::Sub": argument}
        return {"Fn::Sub": [text, {name: self.resolved(value, stack) for name, value in {**names, **added}.items()}]}


def _is_same_parameter(value: Any, name: str) -> bool:
    """True for a parameter of the root with the same name, unchanged or joined to one text."""
    return value in ({"Ref": name}, {"Fn::Join": [",", {"Ref": name}]})
